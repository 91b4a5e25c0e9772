"""Hard cases, written by hand after the domain rules: two versions of an invented trial, and what is told of it."""

from tests.hard_cases import lists, numbers, posted, results, statuses, withheld
from tests.hard_cases.records import HardCase

ALL: tuple[HardCase, ...] = (
    *statuses.CASES,
    *withheld.CASES,
    *results.CASES,
    *posted.CASES,
    *numbers.CASES,
    *lists.CASES,
)
