"""Compare age limits as ages: "216 Months" is "18 Years".  Pure.

Reads the registry's form only, a number and a unit, as in ``minimumAge`` and ``maximumAge`` of the eligibility module.
Years and months convert into each other exactly, so do weeks, days, hours and minutes; a month has no certain number
of days, so between the two families a limit can be higher or lower but never the same, unless both are zero.

Does not word a change and does not weigh it; ages in free text are numbers with a unit: ``quantities.py``.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

_AGE = re.compile(r"\s*(\d{1,6}(?:\.\d{1,3})?)\s*(year|month|week|day|hour|minute)s?\s*", re.IGNORECASE | re.ASCII)
_NO_LIMIT = frozenset({"", "n/a", "none", "no limit"})  # older records and exports write it in words
_MONTHS = {"year": 12, "month": 1}
_MINUTES = {"week": 7 * 24 * 60, "day": 24 * 60, "hour": 60, "minute": 1}
_SHORTEST_MONTH, _LONGEST_MONTH = 28, 31  # days
_SHORTEST_YEAR, _LONGEST_YEAR = 365, 366


class AgeMove(StrEnum):
    """Which way an age limit went."""

    SAME = "same"
    LOWER = "lower"
    HIGHER = "higher"
    ADDED = "added"  # there was no limit
    REMOVED = "removed"  # there is no limit any more
    UNCLEAR = "unclear"  # a text that is no age, or months against days so close that the calendar decides


@dataclass(frozen=True, slots=True, kw_only=True)
class _Age:
    amount: Decimal  # in months or in minutes, exact
    in_months: bool

    @property
    def bounds(self) -> tuple[Decimal, Decimal]:
        """The least and the most minutes that it can be."""
        if not self.in_months:
            return self.amount, self.amount
        years, months = divmod(self.amount, 12)
        least = years * _SHORTEST_YEAR + months * _SHORTEST_MONTH
        most = years * _LONGEST_YEAR + months * _LONGEST_MONTH
        return least * _MINUTES["day"], most * _MINUTES["day"]


def same_age(old: str | None, new: str | None) -> bool:
    """Return whether two age limits are the same age.

    Args:
        old, new: as the record holds them, "18 Years"; None = no limit.
    """
    return age_move(old, new) is AgeMove.SAME


def age_move(old: str | None, new: str | None) -> AgeMove:
    """Return which way an age limit moved; whether that lets more people in depends on which limit it is.

    Args:
        old, new: as the record holds them, "18 Years"; None = no limit.
    """
    before, after = _without_words(old), _without_words(new)
    if before == after:
        return AgeMove.SAME
    if not before or not after:
        return AgeMove.REMOVED if before else AgeMove.ADDED
    one, other = _age(before), _age(after)
    if one is None or other is None:
        return AgeMove.UNCLEAR
    return _move(one, other)


def _move(one: _Age, other: _Age) -> AgeMove:
    if one.in_months == other.in_months:
        least = most = one.amount
        other_least = other_most = other.amount
    else:
        (least, most), (other_least, other_most) = one.bounds, other.bounds
    if least == most == other_least == other_most:
        return AgeMove.SAME
    if other_most < least:
        return AgeMove.LOWER
    return AgeMove.HIGHER if other_least > most else AgeMove.UNCLEAR


def _age(text: str) -> _Age | None:
    match = _AGE.fullmatch(text)
    if match is None:
        return None
    number, unit = Decimal(match[1]), match[2].lower()
    in_months = unit in _MONTHS
    return _Age(amount=number * (_MONTHS if in_months else _MINUTES)[unit], in_months=in_months)


def _without_words(age: str | None) -> str:
    """Return an age in lower case with single spaces; empty for no limit."""
    text = " ".join((age or "").lower().split())
    return "" if text in _NO_LIMIT else text
