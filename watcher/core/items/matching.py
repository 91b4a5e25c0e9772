"""Which item of a list is which item of its successor?  Pure.

Lists in the registry have no promised order and their items have no dependable identifier, so position says nothing.
Items are matched as multisets: equal ones first, then by the identity that the field table names for the list, its
alternatives in turn.  An identity that several items share pairs them by likeness, never merges them.  Texts in a list
correspond if they differ in appearance only.  The order of the lists, and of lists within their items, decides nothing.

Source: 82 real pairs of successive versions; by position 9,393 differences, by identity 1,299.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import orjson

from watcher.core.texts.prose import comparable
from watcher.model import Json

Identity = tuple[tuple[str, ...], ...]  # alternatives of identifying fields, best first
# Items that share an identity are compared each with each up to this many pairs; more are paired in a lasting order.
_MOST_PAIRS_BY_LIKENESS = 2_500
_STEADY = frozenset({str, int, bool, type(None)})  # what is written in one way only


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
    if not before or not after:
        return Matching(pairs=(), removed=tuple(before), added=tuple(after))
    removed, added = _without_equal_items(before, after, dumped)
    if removed and added:  # few by now: worth the dearer look, which sees through the order of lists within items
        removed, added = _without_equal_items(removed, added, canonical)
    pairs: list[tuple[Json, Json]] = []
    for fields in identity:
        if not removed or not added:
            break
        found, removed, added = _pair_by(fields, removed, added)
        pairs += found
    if identity and removed and added:
        found, removed, added = _pair_nameless(identity, removed, added)
        pairs += found
    if removed and added:
        found, removed, added = _pair_texts(removed, added)
        pairs += found
    return Matching(pairs=tuple(pairs), removed=tuple(removed), added=tuple(added))


def canonical(value: Json) -> bytes:
    """Return bytes that are the same for values that do not differ, and different for values that do.

    The order of keys and of list items is no difference, nor is the sign of a zero; a type is: 1 is not true.
    """
    if isinstance(value, dict):
        return dumped(_steady(value))
    if isinstance(value, list):
        items = [canonical(item) for item in value]
        items.sort()
        return b"[" + b",".join(items) + b"]"
    return dumped(value + 0.0 if isinstance(value, float) else value)  # -0.0 becomes 0.0


def _steady(fields: dict[str, Json]) -> dict[str, Json]:
    """Return the fields with their lists and objects written as they count.

    Most of a record are texts and numbers, and most objects hold nothing else: these are not touched, nor copied,
    because that would be half of the cost.
    """
    written: dict[str, Json] | None = None
    for key, value in fields.items():
        if type(value) in _STEADY:
            continue
        if written is None:
            written = fields.copy()
        written[key] = orjson.Fragment(canonical(value))
    return fields if written is None else written


def dumped(value: Json) -> bytes:
    """Return bytes that differ for values that differ; cheaper than ``canonical``, but the order of lists counts."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _without_equal_items(
    before: Sequence[Json], after: Sequence[Json], key: Callable[[Json], bytes]
) -> tuple[list[Json], list[Json]]:
    """Return what is left of both lists when each item has cancelled one equal item of the other."""
    keys_after = [key(item) for item in after]
    unmatched = Counter(keys_after)
    removed = []
    for item in before:
        if unmatched[name := key(item)]:
            unmatched[name] -= 1
        else:
            removed.append(item)
    added = []
    for item, name in zip(after, keys_after, strict=True):
        if unmatched[name]:
            unmatched[name] -= 1
            added.append(item)
    return removed, added


def _pair_by(
    fields: tuple[str, ...], removed: Sequence[Json], added: Sequence[Json]
) -> tuple[list[tuple[Json, Json]], list[Json], list[Json]]:
    """Return the pairs of items with the same identity, and what is left of both lists."""
    return _pair_within(lambda item: _identity_key(item, fields), removed, added)


def _pair_nameless(
    identity: Identity, removed: Sequence[Json], added: Sequence[Json]
) -> tuple[list[tuple[Json, Json]], list[Json], list[Json]]:
    """Return the pairs of items that have none of the identifying fields: having no name is what they share.

    Most classes and categories of posted results are like that.
    """

    def key(item: Json) -> bytes | None:
        named = any(_identity_key(item, fields) is not None for fields in identity)
        return b"" if isinstance(item, dict) and not named else None

    return _pair_within(key, removed, added)


def _pair_texts(
    removed: Sequence[Json], added: Sequence[Json]
) -> tuple[list[tuple[Json, Json]], list[Json], list[Json]]:
    """Return the pairs of texts that differ in appearance only, one with one: a condition in other letter cases."""
    olds_by_look, news_by_look = _by_look(removed), _by_look(added)
    pairs = [
        pair
        for look, olds in olds_by_look.items()
        for pair in zip(sorted(olds), sorted(news_by_look.get(look, ())), strict=False)
    ]
    taken_before, taken_after = (Counter(pair[side] for pair in pairs) for side in (0, 1))
    return pairs, _without(removed, taken_before), _without(added, taken_after)


def _by_look(items: Sequence[Json]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in (item for item in items if isinstance(item, str)):
        if look := comparable(text):
            found.setdefault(look, []).append(text)
    return found


def _without(items: Sequence[Json], texts: Counter[str]) -> list[Json]:
    left = []
    for item in items:
        if isinstance(item, str) and texts[item]:
            texts[item] -= 1
        else:
            left.append(item)
    return left


def _pair_within(
    key_of: Callable[[Json], bytes | None], removed: Sequence[Json], added: Sequence[Json]
) -> tuple[list[tuple[Json, Json]], list[Json], list[Json]]:
    groups: dict[bytes, tuple[list[int], list[int]]] = {}  # places in both lists, by key
    for side, items in enumerate((removed, added)):
        for place, item in enumerate(items):
            key = key_of(item)
            if key is not None:
                groups.setdefault(key, ([], []))[side].append(place)
    partners: dict[int, int] = {}
    for olds, news in groups.values():
        partners |= _by_likeness({old: removed[old] for old in olds}, {new: added[new] for new in news})
    taken = set(partners.values())
    return (
        [(removed[old], added[new]) for old, new in sorted(partners.items())],
        [item for place, item in enumerate(removed) if place not in partners],
        [item for place, item in enumerate(added) if place not in taken],
    )


def _identity_key(item: Json, fields: Iterable[str]) -> bytes | None:
    """Return the normalised values of the identifying fields; None when the item has none of them."""
    if not isinstance(item, dict):
        return None
    values = [item.get(field) for field in fields]
    if all(value in (None, "", []) for value in values):
        return None
    # Each by itself: which value belongs to which field must stay.
    return b"\n".join(canonical(normalised(value) if isinstance(value, str) else value) for value in values)


def normalised(text: str) -> str:
    """Return text as it is compared for identity: case and white space do not matter."""
    return " ".join(text.casefold().split())


def _by_likeness(olds: dict[int, Json], news: dict[int, Json]) -> dict[int, int]:
    """Return which of the new items continues which old one, by their places: the most alike first.

    Where items are equally alike, their content decides, so that the order of the lists does not.
    """
    if len(olds) == len(news) == 1:
        return dict(zip(olds, news, strict=True))
    if len(olds) * len(news) > _MOST_PAIRS_BY_LIKENESS:
        in_order = (sorted(items, key=lambda place: canonical(items[place])) for items in (olds, news))
        return dict(zip(*in_order, strict=False))
    old_looks, new_looks = _looks(olds), _looks(news)
    ranking = sorted(
        (-len(old_fields & new_fields), old_name, new_name, old, new)
        for old, (old_name, old_fields) in old_looks.items()
        for new, (new_name, new_fields) in new_looks.items()
    )
    partners: dict[int, int] = {}
    taken: set[int] = set()
    for *_, old, new in ranking:
        if old not in partners and new not in taken:
            partners[old] = new
            taken.add(new)
    return partners


def _looks(items: dict[int, Json]) -> dict[int, tuple[bytes, set[tuple[str, bytes]]]]:
    """Return each item's content as a whole and field by field."""
    return {
        place: (canonical(item), {(key, canonical(value)) for key, value in item.items()})
        for place, item in items.items()
    }
