"""Dates of a study, some of them known to the month only: how far one moved.  Pure.

Sizes are told in months where one of the dates is known to the month only, or they lie 60 days or more apart, and in
days otherwise.  A date that only became more or less precise did not move.

Does not word or weigh a change: see ``date_words.py``.  Does not compute deadlines.

Source: domain rules, M3, M4 and section 3.6.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from itertools import pairwise

from watcher.model import Json

_DATE = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?", re.ASCII)
_TOLD_IN_MONTHS = 60  # days, from here on
_MONTH = 30.436875  # days, on average
_GRACE = 3  # days that a run of calendar months with a February in it lacks at most
_QUARTER, _YEAR = (90, 3), (365, 12)  # days; months where days are not known
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialDate:
    year: int
    month: int
    day: int | None  # None = known to the month only


class Precision(Enum):
    """How exactly a date is known, in words."""

    DAY = "to the day"
    MONTH = "to the month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """How far a date moved."""

    later: bool
    days: int | None  # more than 0; None where one of the dates is known to the month only
    months: int  # full ones; 0 only where days are known

    @property
    def size(self) -> str:
        """The distance in words: ``14 months``, ``1 day``."""
        if self.days is not None and self.days < _TOLD_IN_MONTHS:
            return _counted(self.days, "day")
        return _counted(self.months, "month")

    @property
    def signed(self) -> str:
        """The distance with its direction: ``+14 months``, ``−1 day``."""
        return f"{'+' if self.later else '−'}{self.size}"

    @property
    def is_a_quarter(self) -> bool:
        """Whether it is a quarter of a year or more."""
        return self._reaches(*_QUARTER)

    @property
    def is_a_year(self) -> bool:
        """Whether it is a year or more."""
        return self._reaches(*_YEAR)

    def _reaches(self, days: int, months: int) -> bool:
        return self.months >= months if self.days is None else self.days >= days


def read_date(value: Json) -> PartialDate | None:
    """Return the date that a value holds, ``2026-03`` or ``2026-03-17``; None where it holds none."""
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return None
    year, month, day = int(found[1]), int(found[2]), int(found[3]) if found[3] else None
    try:
        date(year, month, day or 1)
    except ValueError:
        return None
    return None if day == 0 else PartialDate(year=year, month=month, day=day)


def slip(old: Json, new: Json) -> Slip | None:
    """Return how far a date moved; None where it did not, only its precision changed, or a value is no date."""
    before, after = read_date(old), read_date(new)
    if before is None or after is None:
        return None
    if before.day is not None and after.day is not None:
        distance = _as_day(after) - _as_day(before)
        days = abs(distance)
        return Slip(later=distance > 0, days=days, months=int((days + _GRACE) / _MONTH)) if days else None
    months = (after.year - before.year) * 12 + after.month - before.month
    return Slip(later=months > 0, days=None, months=abs(months)) if months else None


def new_precision(old: Json, new: Json) -> Precision | None:
    """Return how exactly a date is known now, where nothing but that changed."""
    before, after = read_date(old), read_date(new)
    if before is None or after is None or (before.day is None) == (after.day is None) or slip(old, new):
        return None
    return Precision.MONTH if after.day is None else Precision.DAY


def cumulative(values: Sequence[Json]) -> str | None:
    """Return how often and how far a date has moved since it was first seen; None before its second move.

    ``third change, 11 months later than first seen``.  A date that only became more precise did not change.

    Args:
        values: all that were seen, oldest first, the present one last; what is no date is passed over.
    """
    seen = [value for value in values if read_date(value)]
    moves = sum(slip(earlier, later) is not None for earlier, later in pairwise(seen))
    if moves < 2:
        return None
    total = slip(seen[0], seen[-1])
    if total:
        where = f"{total.size} {'later' if total.later else 'earlier'} than first seen"
    else:
        where = "back to the date first seen" if seen[0] == seen[-1] else "in the month first seen"
    return f"{_ordinal(moves)} change, {where}"


def _as_day(value: PartialDate) -> int:
    return date(value.year, value.month, value.day or 1).toordinal()


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


def _ordinal(number: int) -> str:
    if number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    if number % 100 in {11, 12, 13}:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
