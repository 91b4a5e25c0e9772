"""Durations in a text, written in one unit where the calendar makes them the same.  Pure.

A year is twelve months, a week seven days, a day twenty-four hours; months and days have no certain relation and are
left apart.  Does not find numbers in general, nor compare them: ``quantities.py``.

Source: domain rules, the field table's word on time frames: "1 year" is "12 months".
"""

import re
from decimal import Decimal

from watcher.core.texts.number_words import NUMBER_WORDS

_SMALLEST = {
    "year": (12, "months"),
    "month": (1, "months"),
    "week": (7 * 24 * 60, "minutes"),
    "day": (24 * 60, "minutes"),
    "hour": (60, "minutes"),
    "minute": (1, "minutes"),
}
_DURATION = re.compile(
    rf"\b(\d{{1,5}}(?:\.\d{{1,2}})?|{'|'.join(NUMBER_WORDS)})(?:\s|-)?(year|yr|month|mo|week|wk|day|hour|hr|minute|min)s?\b",
    re.IGNORECASE,
)
_UNITS = {"yr": "year", "mo": "month", "wk": "week", "hr": "hour", "min": "minute"}


def in_smallest_units(text: str) -> str:
    """Return a text in which ``1 year`` reads ``12 months``, ``two hours`` ``120 minutes``; not for readers."""
    return _DURATION.sub(_in_smallest_unit, text)


def _in_smallest_unit(duration: re.Match[str]) -> str:
    number, word = duration[1].lower(), duration[2].lower()
    amount = Decimal(number) if number[0].isdigit() else Decimal(NUMBER_WORDS[number])
    times, smallest = _SMALLEST[_UNITS.get(word, word)]
    return f"{(amount * times).normalize():f} {smallest}"
