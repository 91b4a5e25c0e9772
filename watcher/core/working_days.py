"""On which days does the registry publish?  Pure: no clock, no table to keep up to date.

Its data are renewed from Monday to Friday; federal holidays of the United States do not count.  Source: 5 U.S.C. 6103
(a) and (b), read 2026-11-22: a holiday on a Saturday is observed on the Friday before, one on a Sunday (by Executive
Order 11582) on the Monday after.  Days that are declared from one year to the next are not known here: they make a
registry seem late by a day.
"""

from datetime import date, timedelta
from functools import cache

_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)
_FRIDAY, _SATURDAY, _SUNDAY = 4, 5, 6
_FIXED = ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))  # month and day
_JUNETEENTH_SINCE = 2021
# Month, weekday (0 = Monday), and which of that weekday in the month.
_NTH = ((1, 0, 3), (2, 0, 3), (9, 0, 1), (10, 0, 2), (11, 3, 4))
_MAY, _JUNE = 5, 6


def working_days_between(first: date, last: date) -> int:
    """Return how many whole working days lie between two days, neither of which counts."""
    days = (last - first).days
    return sum(is_working_day(first + offset * _DAY) for offset in range(1, days))


def is_working_day(day: date) -> bool:
    """Return whether the registry is at work on a day."""
    return day.weekday() <= _FRIDAY and day not in _holidays(day.year)


@cache
def _holidays(year: int) -> frozenset[date]:
    fixed = [date(year, month, day) for month, day in _FIXED if month != _JUNE or year >= _JUNETEENTH_SINCE]
    fixed.append(date(year + 1, 1, 1))  # on a Saturday, it is observed in this year
    moving = [_nth(year, month, weekday=weekday, which=which) for month, weekday, which in _NTH]
    return frozenset({*map(_observed, fixed), *moving, _last_monday_of_may(year)})


def _observed(day: date) -> date:
    if day.weekday() == _SATURDAY:
        return day - _DAY
    return day + _DAY if day.weekday() == _SUNDAY else day


def _nth(year: int, month: int, *, weekday: int, which: int) -> date:
    first = date(year, month, 1)
    return first + (weekday - first.weekday()) % 7 * _DAY + (which - 1) * _WEEK


def _last_monday_of_may(year: int) -> date:
    last = date(year, _MAY, 31)
    return last - last.weekday() * _DAY
