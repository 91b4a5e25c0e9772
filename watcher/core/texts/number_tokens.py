"""Find the numbers in one line of text, each with the comparison, label and unit that stand beside it.  Pure.

Digits within a name (HER2, COVID-19, 5-FU) and the numbers of points within a sentence ("1) …; 2) …") are left out.

Does not connect numbers with each other and does not compare them: ``quantities.py``.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from watcher.core.texts.number_words import (
    CASED_UNITS,
    COMPARISONS,
    COMPARISONS_AFTER,
    FREQUENCIES,
    LABELS,
    NUMBER_WORDS,
    ROMAN_NUMERALS,
    TWO_WORD_UNITS,
    UNITS,
    UPPER_LIMIT,
)

DASHES = "-‐‑–—−"
_LOOK_BACK = 60  # characters before a number in which its comparison and its label stand
_HIGHEST_POINT = 30  # a greater number in brackets is not the number of a point in a list
_PLAIN_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")
_FRACTIONS = {"½": Decimal("0.5"), "¼": Decimal("0.25"), "¾": Decimal("0.75")}


def _any(spellings: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, spellings), key=len, reverse=True))


def _named(name: str, table: Sequence[tuple[str, object]]) -> str:
    """Return alternatives that tell by their group which row of a table fits: see ``_row``."""
    return "(?:" + "|".join(f"(?P<{name}{index}>{pattern})" for index, (pattern, _) in enumerate(table)) + ")"


_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*"
# "x 10^9", "× 10⁹", and "x 109/L", which has lost what was raised
_POWER_OF_TEN = (
    r"(?:\s?[x×*·⋅]\s?10"
    r"(?:\s?\^\s?(?P<power>[-−]?\d{1,2})|(?P<raised>⁻?[⁰¹²³⁴-⁹]{1,2})|(?P<lost>[3-9]|1[0-2])(?=\s?/|\scells)))?"
)
_DIGITS = (
    rf"(?P<date>\d{{1,2}}\s{_MONTH}\s\d{{4}}|\d{{4}}-\d\d(?:-\d\d)?(?![\d-]))",
    r"(?P<whole>\d+(?:\.\d+)?(?:[:/]\d+(?:\.\d+)?)+|\d+(?:\.\d+){2,})",
    rf"(?P<plain>(?:\d{{1,3}}(?:,\d{{3}})+(?!\d)|\d+)(?:\.\d+)?|(?<!\d)\.\d+)(?:\s?(?P<part>[½¼¾]))?{_POWER_OF_TEN}",
    r"(?P<lone>[½¼¾])",
)
_WORDS = (
    rf"(?P<month_first>{_MONTH}\s\d{{1,2}},?\s\d{{4}})",
    rf"{_named('daily', FREQUENCIES)}(?![A-Za-z])",
    r"q\s?(?P<every>\d{1,2})\s?(?P<period>d|w|wk|h|hr|mo)s?\b",
    rf"(?P<word>{_any(NUMBER_WORDS)})\b(?:\s?\(\s?\d+\s?\))?",
    r"(?-i:(?P<roman>IV|I{1,3}|V))(?![A-Za-z])",
)
# What a match can begin with is asked first: most characters of a text end there.
_NUMBER = re.compile(
    rf"(?=[\d½¼¾.])(?:{'|'.join(_DIGITS)})|\b(?=[abdefijmnoqstv])(?:{'|'.join(_WORDS)})", re.IGNORECASE
)
_BEFORE = re.compile(
    rf"(?:{_named('far', COMPARISONS)}\s?(?:(?:than|to|approximately|about|an?)\s|~\s?)?)?"
    rf"(?P<label>\b{_named('label', LABELS)}\s?[-‐‑]?)?"
    rf"(?:{_named('near', COMPARISONS)}\s?)?$",
    re.IGNORECASE,
)
_ROMAN_LABELS = frozenset({"grade", "stage", "phase", "class", "type", "part"})
_BETWEEN_LABEL_AND_NUMBER = f" {DASHES}"
_COMPARING_SIGNS = "<>≤≥≦≧⩾⩽˃˂=±~-"
# How the last word of a comparison or a label begins.
_LAST_OF_SIGNS = "than to least most minimum maximum of within over above exceed under below equal approx about a an"
_LAST_OF_LABELS = "day week wk month year grade gr stage phase class cycle visit part cohort type v level"
_LAST_WORDS = tuple(f"{_LAST_OF_SIGNS} {_LAST_OF_LABELS}".split())
_TIME = re.compile(r"\s?-?\s?(?:years?|months?|weeks?|wks?|days?|hours?|minutes?)\b", re.IGNORECASE)
_POWER_OF_UNIT = r"(?:\^?[23]|[²³])?"
_SPELLED = rf"(?:{_any(CASED_UNITS | UNITS.keys())}){_POWER_OF_UNIT}(?![A-Za-z])"
_PER = rf"(?:\s?/\s?(?:\d+\s?)?[A-Za-zµμ]+{_POWER_OF_UNIT}|\s(?:per|an?|every|each)\s(?:{_SPELLED}|dose\b))"
_UNIT = re.compile(
    rf"(?:\s?[-‐‑]\s?|\s?)(?:(?P<limit>{UPPER_LIMIT})|(?P<two>{_any(TWO_WORD_UNITS)})\b|(?P<unit>{_SPELLED}))"
    rf"(?P<per>{_PER}*)"
    rf"|(?P<bare>\s?/\s?[A-Za-zµμ]+{_POWER_OF_UNIT}{_PER}*)|(?P<ordinal>st|nd|rd|th)\b",
    re.IGNORECASE,
)
_AFTER = re.compile(rf"(?:\s(?:of age|old))?,?\s{_named('after', COMPARISONS_AFTER)}\b", re.IGNORECASE)
_NAME_GOES_ON = re.compile(r"[^\W\d_]|[-‐‑][A-Z]")
_POINT = re.compile(r"\.\s[A-Z]")
_LEADS_TO_POINT = re.compile(r"(?:^|[.;:,]\s)$")
_PARTS = re.compile(r"\s?/\s?(?:\d+\s?)?|(?:^|\s)(?:per|an?|every|each)\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One number in a line."""

    start: int  # comparison and label included
    end: int  # unit included
    comparison: str  # ≥ ≤ > < ±, or nothing
    value: str  # plain decimal; a date, a ratio and a version as they stand
    unit: str  # in one spelling; nothing = a bare number
    labelled: bool  # the unit stands before the number: "week 24"


def find_numbers(line: str) -> list[Found]:
    """Return the numbers of a line in their order; they do not overlap."""
    found: list[Found] = []
    name_end = -1  # where the last name with a digit in it ends
    for match in _NUMBER.finditer(line):
        end_before = found[-1].end if found else -1
        if match.start() < end_before:
            continue  # "24" of "5 mg/24 h"
        beside = _Beside(line, match, end_before)
        if beside.is_name(name_end):
            name_end = match.end()
        elif not beside.is_point() and (number := beside.number()):
            found.append(number)
    return found


class _Beside:
    """One match of a number, with what stands beside it."""

    def __init__(self, line: str, match: re.Match[str], end_before: int) -> None:
        """Look to both sides.

        Args:
            line: one line of a text.
            match: of ``_NUMBER`` in it.
            end_before: where the number before this one ends; -1 = there is none.
        """
        self._line = line
        self._match = match
        self._start = match.start() - 1 if _is_minus(line, match.start() - 1, end_before) else match.start()
        self._before = _before(line, max(self._start - _LOOK_BACK, end_before, 0), self._start)
        self._label = _row(self._before, "label", LABELS)
        unit = _UNIT.match(line, match.end())
        # "Week 1 Day 1": the day belongs to the number that follows.
        self._unit = None if unit and self._label and _TIME.match(unit[0]) else unit

    def is_name(self, name_end: int) -> bool:
        """Return whether the digits belong to a name: a letter or a name's hyphen on one side, and no unit."""
        if self._match["plain"] is None and self._match["whole"] is None:
            return False
        line, start = self._line, self._match.start()
        glued = line[start - 1] if start else " "
        if glued in DASHES or glued == "/":
            goes_on = start - 1 == name_end or line[max(start - 2, 0)].isalpha()
        else:
            goes_on = glued.isalpha() or glued in "_^"
        if goes_on:
            return not self._label
        return not self._unit and _NAME_GOES_ON.match(line, self._match.end()) is not None

    def is_point(self) -> bool:
        """Return whether this is the number of a point in a sentence: "(1) …", "1) …", "…; 2. …"."""
        line, start, end = self._line, self._match.start(), self._match.end()
        if not re.fullmatch(r"\d{1,2}", self._match[0]) or int(self._match[0]) > _HIGHEST_POINT:
            return False
        if line[end : end + 1] == ")":
            return line[start - 1 : start] == "(" or line.rfind("(", 0, start) <= line.rfind(")", 0, start)
        return bool(_POINT.match(line, end)) and bool(_LEADS_TO_POINT.search(line, max(start - 2, 0), start))

    def number(self) -> Found | None:
        """Return what was found; None for a word that is no number here."""
        unit = self._unit_words()
        comparison = self._comparison()
        if self._match["roman"] and self._label not in _ROMAN_LABELS:
            return None
        if self._match[0].lower() == "one" and not (comparison or unit or self._label):
            return None  # "one of the following"
        return Found(
            start=self._before.start() if self._before and self._before[0].strip() else self._start,
            end=self._end(),
            comparison=comparison,
            value=("-" if self._start < self._match.start() else "") + _value(self._match),
            unit=unit or self._label or "",
            labelled=bool(self._label and not unit),
        )

    def _comparison(self) -> str:
        after = _AFTER.match(self._line, self._unit_end())
        return (
            _row(self._before, "near", COMPARISONS)
            or _row(self._before, "far", COMPARISONS)
            or _row(after, "after", COMPARISONS_AFTER)
            or ""
        )

    def _end(self) -> int:
        after = _AFTER.match(self._line, self._unit_end())
        return after.end() if after else self._unit_end()

    def _unit_end(self) -> int:
        return self._unit.end() if self._unit else self._match.end()

    def _unit_words(self) -> str:
        """Return the unit in one spelling, with what it is divided by."""
        if any(self._match[f"daily{index}"] for index in range(len(FREQUENCIES))):
            return "times/day"
        if self._match["period"]:
            return unit_in_one_spelling(self._match["period"])
        unit = self._unit
        if unit is None:
            return ""
        if unit["limit"]:
            return "uln"
        if unit["ordinal"]:
            return "th"
        own = unit["two"] or unit["unit"] or ""
        divisors = _PARTS.split((unit["bare"] or unit["per"] or "").strip())[1:]
        return "/".join([unit_in_one_spelling(own), *map(unit_in_one_spelling, divisors)])


def unit_in_one_spelling(unit: str) -> str:
    """Return how a unit is compared: "μg" and "mcg" are the same one, "nM" and "nm" are not."""
    name = unit.strip()
    power = "2" if name[-1:] in "2²" and len(name) > 1 else "3" if name[-1:] in "3³" and len(name) > 1 else ""
    name = name.rstrip("23²³^") if power else name
    if name in CASED_UNITS:
        return name + power
    name = name.lower()
    return TWO_WORD_UNITS.get(name) or UNITS.get(name, name) + power


def _before(line: str, begin: int, end: int) -> re.Match[str] | None:
    """Return the comparison and the label that lead up to ``end``; None when nothing does."""
    word = line[begin:end].rstrip(_BETWEEN_LABEL_AND_NUMBER).rpartition(" ")[2].lstrip("([\"'").lower()
    if not word or not (word[-1] in _COMPARING_SIGNS or word.rpartition("/")[2].startswith(_LAST_WORDS)):
        return None  # asked first because most numbers follow other words, and the look back costs the most
    return _BEFORE.search(line, begin, end)


def _is_minus(line: str, at: int, end_before: int) -> bool:
    """Return whether the character before a number is its minus: a dash that nothing stands before.

    "18 -65" is a range, so a dash right after another number is none.
    """
    if at < 0 or line[at] not in DASHES:
        return False
    return at == 0 or (line[at - 1] in " (<>≤≥=±" and at - 1 != end_before)


def _row(match: re.Match[str] | None, name: str, table: Sequence[tuple[str, str]]) -> str | None:
    """Return what the row of the table says that a match went through; None when it went through none."""
    if match is None:
        return None
    return next((said for index, (_, said) in enumerate(table) if match[f"{name}{index}"]), None)


def _value(match: re.Match[str]) -> str:
    """Return a number as it is compared: without separators, trailing zeros and powers of ten."""
    for index, (_, times) in enumerate(FREQUENCIES):
        if match[f"daily{index}"]:
            return str(times)
    if written := match["whole"] or match["date"] or match["month_first"]:
        return written.lower().lstrip("0")
    if match["word"]:
        return str(NUMBER_WORDS[match["word"].lower()])
    if match["roman"]:
        return str(ROMAN_NUMERALS[match["roman"]])
    value = Decimal((match["plain"] or match["every"] or "0").replace(",", ""))
    value += _FRACTIONS.get(match["part"] or match["lone"] or "", Decimal(0))
    power = (match["power"] or match["raised"] or match["lost"] or "0").translate(_PLAIN_DIGITS)
    return f"{value.scaleb(int(power)).normalize():f}"
