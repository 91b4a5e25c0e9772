"""Which numbers does a free text hold, and which of them changed?  Pure.

Rule M10: a number is read with its comparison and its unit, so that "≥ 18 years" and "> 18 years" differ, and
"≥18 Years" and "18 years or older" do not.

Reads English as records write it, not all of English: number words count up to twelve, and nothing is converted
("6 months" is not "24 weeks").  Where two readings are possible, a change is reported rather than missed.  The ages of
the eligibility module have fields of their own: see ``ages.py``.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from watcher.core.texts.lines import lines_of
from watcher.core.texts.number_tokens import DASHES, Found, find_numbers

_LONGEST_SHOWN = 60  # characters of a range or an enumeration that is shown as a whole
_LONGEST_READ = 50_000  # characters that differ; the registry takes 32,000 in a field
_LOOK_BACK = 30  # characters before a range in which "between" stands
_CONNECTION = re.compile(
    rf"\s?(?:(?P<span>[{DASHES}]|to|through|thru|until)|(?P<both>and)|,?\s?(?:and/or|or|and|versus|vs\.?)|[,;/&])"
    r"\s?(?:(?:and|or)\s)?",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\bbetween\s(?:the\sages\sof\s)?$", re.IGNORECASE)
# What is counted: shown, but not compared, so that "patients" may become "participants".
_COUNTED = re.compile(
    r"\s(?!(?:and|or|to|of|in|for|with|at|on|by|from|is|are|was|were|as|per|prior|after|before|the|if|that|who|has|have)\b)"
    r"[a-z-]{3,}"
)

_Key = tuple[str, ...] | None  # None = takes no part


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One number of a text as it is compared, with the words that a reader should see."""

    comparison: str  # ≥ ≤ > < ±, or nothing
    value: str  # plain decimal; a date, a ratio and a version as they stand
    unit: str  # in one spelling; nothing = a bare number or a count of things
    words: str  # as they stand in the text


def numbers_changed(old: str, new: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the numbers that a text lost and those that it gained, in its own words and order.

    Both are empty when numbers only moved, are written in another way, or gained or lost nothing but their unit.

    Args:
        old, new: as the record holds them.
    """
    before, after = (Counter(line.words for line in lines_of(text)) for text in (old, new))
    gone, come = _without_equal(_quantities(before - after), _quantities(after - before))
    if all(map(_is_idiom, gone + come)):
        return (), ()
    lost, gained = (tuple(dict.fromkeys(quantity.words for quantity in side)) for side in (gone, come))
    return lost, gained


def _quantities(lines: Counter[str]) -> list[Quantity]:
    """Return the numbers of lines, which may occur several times, as far as anybody would read."""
    quantities: list[Quantity] = []
    room = _LONGEST_READ
    for line in lines.elements():
        quantities += quantities_of(line[:room])
        room -= min(room, len(line))
    return quantities


def quantities_of(line: str) -> Iterator[Quantity]:
    """Yield the numbers of one line in their order."""
    groups: list[list[Found]] = []
    for number in find_numbers(line):
        if groups and _connection(line, groups[-1][-1], number):
            groups[-1].append(number)
        else:
            groups.append([number])
    for group in groups:
        complete = _with_shared_units(_with_bounds(line, group))
        together = _shown(line, group[0].start, group[-1])
        # What says something only together with its neighbours is shown with them.
        whole = complete != group and len(together) <= _LONGEST_SHOWN
        for number in complete:
            words = together if whole or not number.unit else _shown(line, number.start, number)
            yield Quantity(comparison=number.comparison, value=number.value, unit=number.unit, words=words)


def _connection(line: str, one: Found, other: Found) -> re.Match[str] | None:
    return _CONNECTION.fullmatch(line, one.end, other.start)


def _with_bounds(line: str, group: list[Found]) -> list[Found]:
    """Return the numbers with what a range says of its ends: "18-65" is "≥ 18 and ≤ 65".

    A range of two neighbours names both: "0-1" is "0 or 1".
    """
    bounded = list(group)
    for at in range(len(group) - 1):
        one, other = bounded[at], bounded[at + 1]
        connection = _connection(line, one, other)
        if connection is None:
            continue
        begin = max(one.start - _LOOK_BACK, 0)
        spans = connection["span"] or (connection["both"] and _BETWEEN.search(line, begin, one.start))
        if spans and not one.comparison and not other.comparison and not _are_neighbours(one, other):
            bounded[at : at + 2] = [replace(one, comparison="≥"), replace(other, comparison="≤")]
    return bounded


def _are_neighbours(one: Found, other: Found) -> bool:
    try:
        return Decimal(other.value) - Decimal(one.value) == 1
    except InvalidOperation:  # a date, a ratio, a version
        return False


def _with_shared_units(group: list[Found]) -> list[Found]:
    """Return the numbers, each with the unit that is written once for all: "6, 12 and 24 weeks", "grade 3 or 4"."""
    shared = list(group)
    for at, number in enumerate(shared[1:], start=1):
        if not number.unit and shared[at - 1].labelled:
            shared[at] = replace(number, unit=shared[at - 1].unit, labelled=True)
    for at in range(len(shared) - 2, -1, -1):
        if not shared[at].unit and not shared[at + 1].labelled:
            shared[at] = replace(shared[at], unit=shared[at + 1].unit)
    return shared


def _shown(line: str, start: int, last: Found) -> str:
    counted = None if last.unit else _COUNTED.match(line, last.end)
    return line[start : counted.end() if counted else last.end].strip()


def _without_equal(gone: list[Quantity], come: list[Quantity]) -> tuple[list[Quantity], list[Quantity]]:
    """Return what is left when each number has cancelled one that is the same, or the same without a unit."""
    for of_gone, of_come in ((_whole, _whole), (_bare, _without_its_unit), (_without_its_unit, _bare)):
        waiting = Counter(map(of_come, come))
        taken: Counter[_Key] = Counter()
        left = []
        for quantity in gone:
            key = of_gone(quantity)
            if key and waiting[key] > taken[key]:
                taken[key] += 1
            else:
                left.append(quantity)
        gone, come = left, [quantity for quantity in come if not _take(taken, of_come(quantity))]
    return gone, come


def _take(taken: Counter[_Key], key: _Key) -> bool:
    """Return whether one of ``taken`` is left, and take it away."""
    found = taken[key] > 0
    taken[key] -= found
    return found


def _whole(quantity: Quantity) -> _Key:
    return quantity.comparison, quantity.value, quantity.unit


def _bare(quantity: Quantity) -> _Key:
    return None if quantity.unit else (quantity.comparison, quantity.value)


def _without_its_unit(quantity: Quantity) -> _Key:
    return (quantity.comparison, quantity.value) if quantity.unit else None


def _is_idiom(quantity: Quantity) -> bool:
    """Return whether a number says no more than a plural does: "at least one event"."""
    return quantity.value == "1" and not quantity.unit and "one" in quantity.words.lower().split()
