"""What the recorded days say of the comparison: who is told what, how many lines sites make.  Does not print."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.accuracy.plain import lines_by_position, lines_of_lists
from tests.accuracy.scoring import Line, Score, read_verdicts, score
from watcher.actions.pages import change_line
from watcher.actions.rehearsal import PlayedDay, play
from watcher.core.fields import FieldTable, value_at
from watcher.core.meaning import compare
from watcher.model import Json, Place
from watcher.replay.folder import load_dataset

VERDICTS = Path(__file__).with_name("verdicts.tsv")
_SITES = "protocolSection.contactsLocationsModule.locations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """Lines about locations in all steps."""

    ours: int
    told: int
    by_key: int  # items of one name and place compared with each other
    by_position: int  # the first with the first, the second with the second


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    days: int
    steps: int
    changes: int
    told: int
    lines: int  # of its own, in digests
    score: Score


def measure_days(folder: Path) -> Days:
    """Replay recorded days through the whole pipeline, and hold what is told against the verdicts.

    Raises:
        DatasetError: the folder cannot be read.
    """
    dataset = load_dataset(folder)
    played = list(play(dataset))
    with VERDICTS.open(encoding="utf-8") as rows:
        verdicts = read_verdicts(rows)
    changes = [change for day in played for change in day.changes]
    return Days(
        days=len(played),
        steps=len({(day.day, change.nct_id) for day in played for change in day.changes}),
        changes=len(changes),
        told=sum(change.told for change in changes),
        lines=len({change.story for change in changes if change.told and change.place is Place.LINE}),
        score=score(verdicts, _lines(played), days=dataset.days),
    )


def _lines(played: Sequence[PlayedDay]) -> list[Line]:
    """Return every change line of a replay, as ``trialwatch replay --json`` prints it."""
    return [{"day": day.day, **change_line(change)} for day in played for change in day.changes]


def measure_sites(steps: Iterable[tuple[Json, Json]], table: FieldTable) -> Sites:
    """Count the lines about locations, beside two plain ways to compare them."""
    ours, told, by_key, by_position = 0, 0, 0, 0
    for before, after in steps:
        changes = [one for one in compare(before, after, table) if one.path.startswith(f"{_SITES}[]")]
        ours += len(changes)
        told += sum(change.told for change in changes)
        olds, news = (value_at(record, _SITES) or [] for record in (before, after))
        by_key += lines_of_lists(olds, news, "locations")
        by_position += lines_by_position(olds, news)
    return Sites(ours=ours, told=told, by_key=by_key, by_position=by_position)
