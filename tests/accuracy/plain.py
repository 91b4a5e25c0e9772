"""How many lines two versions differ in, counted in the plainest ways: by the keys of items, and by position.

Written anew, without anything of the program, to hold its lines against.
"""

from itertools import permutations, zip_longest

from watcher.model import Json

# What makes two items the same: all of the fields in one of these, tried in turn.  A place whose ZIP code or state
# becomes another is still that place.
KEYS = {
    "locations": (
        ("facility", "city", "state", "zip", "country"),
        ("facility", "city", "zip", "country"),
        ("facility", "city", "country"),
    ),
    "contacts": (("email",), ("name",), ("role",)),
}


def lines_between(before: Json, after: Json, name: str = "") -> int:
    """Count the leaves and items that differ, by the keys of the items."""
    if isinstance(before, dict) and isinstance(after, dict):
        return sum(lines_between(before.get(key), after.get(key), key) for key in {**before, **after})
    if isinstance(before, list) or isinstance(after, list):
        return lines_of_lists(before or [], after or [], name)
    if isinstance(before, dict) or isinstance(after, dict):
        return sum(lines_between(below, None, key) for key, below in (before or after).items())
    return int(before != after)


def lines_of_lists(before: list[Json], after: list[Json], name: str) -> int:
    return sum(_compared_by_key(before, after, name))


def lines_of_pairs(before: list[Json], after: list[Json], name: str) -> int:
    return _compared_by_key(before, after, name)[0]


def _compared_by_key(before: list[Json], after: list[Json], name: str) -> tuple[int, int]:
    """Return the lines within items of the same key, and the items that have no partner."""
    olds, news = list(before), list(after)
    for item in before:
        if item in news:
            olds.remove(item)
            news.remove(item)
    lines = 0
    for fields in KEYS.get(name, ()):
        for key in {key_of(item, fields) for item in olds} - {None}:
            some_olds = [item for item in olds if key_of(item, fields) == key]
            some_news = [item for item in news if key_of(item, fields) == key]
            pairs = best_pairs(some_olds, some_news, name)
            for old, new in pairs:
                lines += lines_between(old, new)
                olds.remove(old)
                news.remove(new)
    return lines, len(olds) + len(news)


def key_of(item: Json, fields: tuple[str, ...]) -> tuple[str, ...] | None:
    values = tuple(" ".join(str(item.get(field) or "").lower().split()) for field in fields)
    return values if any(values) else None


def best_pairs(olds: list[Json], news: list[Json], name: str) -> list[tuple[Json, Json]]:
    """Return the pairs, as many as there can be, with the fewest lines between them; the lists are short."""
    assert min(len(olds), len(news)) <= 4, f"too many {name} of one key to try all pairs"
    swap = len(olds) > len(news)
    few, many = (news, olds) if swap else (olds, news)
    choices = [list(zip(few, chosen, strict=True)) for chosen in permutations(many, len(few))]
    best = min(choices, key=lambda pairs: sum(lines_between(one, other) for one, other in pairs))
    return [(other, one) if swap else (one, other) for one, other in best]


def lines_by_position(before: Json, after: Json) -> int:
    if isinstance(before, dict) and isinstance(after, dict):
        return sum(lines_by_position(before.get(key), after.get(key)) for key in {**before, **after})
    if isinstance(before, list) and isinstance(after, list):
        return sum(lines_by_position(old, new) for old, new in zip_longest(before, after))
    return int(before != after)
