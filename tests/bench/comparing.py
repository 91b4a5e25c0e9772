"""What comparing costs: successive versions of real records, beside DeepDiff on the same whole records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import orjson
from deepdiff import DeepDiff

from tests.bench.costs import cost_of
from watcher.core.fields import FieldTable
from watcher.core.meaning import compare
from watcher.model import Json
from watcher.tables import load_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """CPU seconds."""

    pairs: int
    total: float
    longest: float
    whole_total: float  # DeepDiff(ignore_order=True), given whole records
    whole_longest: float


def measure_comparisons(pairs: Sequence[tuple[bytes, bytes]], *, repetitions: int) -> Comparison:
    """Compare every pair, ours as often as told and DeepDiff once; decoding is not counted."""
    table = FieldTable(load_rules())
    decoded = [(orjson.loads(before), orjson.loads(after)) for before, after in pairs]
    compare({"hasResults": False}, {"hasResults": True}, table)  # the imports
    runs = [_each(decoded, lambda before, after: compare(before, after, table)) for _ in range(repetitions)]
    ours = sorted(runs, key=sum)[len(runs) // 2]
    whole = _each(decoded, lambda before, after: DeepDiff(before, after, ignore_order=True))
    return Comparison(
        pairs=len(pairs),
        total=sum(ours),
        longest=max(ours),
        whole_total=sum(whole),
        whole_longest=max(whole),
    )


def _each(pairs: Sequence[tuple[Json, Json]], comparison: Callable[[Json, Json], object]) -> list[float]:
    return [cost_of(partial(comparison, before, after))[1].cpu for before, after in pairs]
