"""Which item of a list is which item of its successor?  Pure.

Lists in the registry have no promised order and their items have no dependable identifier, so position says nothing.
Items are matched as multisets: equal ones first, then by the identity that the field table names for the list, its
alternatives in turn.  An identity that several items share pairs them by likeness, never merges them.

Source: 82 real pairs of successive versions; by position 9,393 differences, by identity 1,299.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from watcher.model import Json

Identity = tuple[tuple[str, ...], ...]  # alternatives of identifying fields, best first


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """How two lists of things correspond; equal items are left out of all three."""

    pairs: tuple[tuple[Json, Json], ...]
    removed: tuple[Json, ...]
    added: tuple[Json, ...]


def match_items(before: Sequence[Json], after: Sequence[Json], identity: Identity) -> Matching:
    """Return which items correspond, which went and which came.

    Args:
        before, after: the lists; items of any JSON type.
        identity: from the field table; empty for scalars and for lists that the table does not know.
    """
    removed, added = _without_equal_items(before, after)
    pairs: list[tuple[Json, Json]] = []
    for fields in identity:
        if not removed or not added:
            break
        found, removed, added = _pair_by(fields, removed, added)
        pairs += found
    return Matching(pairs=tuple(pairs), removed=tuple(removed), added=tuple(added))


def _without_equal_items(before: Sequence[Json], after: Sequence[Json]) -> tuple[list[Json], list[Json]]:
    """Return what is left of both lists when each item has cancelled one equal item of the other."""
    counts: dict[bytes, int] = defaultdict(int)
    for item in after:
        counts[_canonical(item)] += 1
    removed = []
    for item in before:
        key = _canonical(item)
        if counts[key]:
            counts[key] -= 1
        else:
            removed.append(item)
    added = []
    # Of several equal items the last ones are the new ones: which does not matter, they are equal.
    for item in reversed(after):
        key = _canonical(item)
        if counts[key]:
            counts[key] -= 1
            added.append(item)
    return removed, added[::-1]


def _canonical(item: Json) -> bytes:
    return orjson.dumps(item, option=orjson.OPT_SORT_KEYS)


def _pair_by(
    fields: tuple[str, ...], removed: list[Json], added: list[Json]
) -> tuple[list[tuple[Json, Json]], list[Json], list[Json]]:
    candidates: dict[bytes, list[Json]] = defaultdict(list)
    for item in added:
        key = _identity_key(item, fields)
        if key is not None:
            candidates[key].append(item)
    pairs, unpaired = [], []
    for item in removed:
        key = _identity_key(item, fields)
        alike = candidates.get(key) if key is not None else None
        if not alike:
            unpaired.append(item)
            continue
        partner = max(alike, key=lambda other: _likeness(item, other))
        alike.remove(partner)
        pairs.append((item, partner))
    paired = {id(after) for _, after in pairs}
    return pairs, unpaired, [item for item in added if id(item) not in paired]


def _identity_key(item: Json, fields: Iterable[str]) -> bytes | None:
    """Return the normalised values of the identifying fields; None when the item has none of them."""
    if not isinstance(item, dict):
        return None
    values = [item.get(field) for field in fields]
    if all(value in (None, "", []) for value in values):
        return None
    return _canonical([normalised(value) if isinstance(value, str) else value for value in values])


def normalised(text: str) -> str:
    """Return text as it is compared for identity: case and white space do not matter."""
    return " ".join(text.casefold().split())


def _likeness(one: dict[str, Json], other: dict[str, Json]) -> int:
    """Return how many of their fields are equal."""
    return sum(key in other and other[key] == value for key, value in one.items())
