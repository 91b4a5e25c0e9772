"""The registry's working days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.working_days import is_working_day, working_days_between


@pytest.mark.parametrize(
    "day",
    [
        pytest.param("2026-01-01", id="New Year"),
        pytest.param("2026-01-19", id="Martin Luther King"),
        pytest.param("2026-02-16", id="Washington"),
        pytest.param("2026-05-25", id="Memorial Day"),
        pytest.param("2026-06-19", id="Juneteenth"),
        pytest.param("2026-07-03", id="Independence Day, a Saturday"),
        pytest.param("2027-07-05", id="Independence Day, a Sunday"),
        pytest.param("2026-09-07", id="Labor Day"),
        pytest.param("2026-10-12", id="Columbus Day"),
        pytest.param("2026-11-11", id="Veterans Day"),
        pytest.param("2026-11-26", id="Thanksgiving"),
        pytest.param("2026-12-25", id="Christmas"),
        pytest.param("2021-12-31", id="New Year of 2022, a Saturday, in the year before"),
        pytest.param("2026-03-07", id="a Saturday"),
        pytest.param("2026-03-08", id="a Sunday"),
    ],
)
def test_the_registry_does_not_publish_on(day: str) -> None:
    assert not is_working_day(date.fromisoformat(day))


@pytest.mark.parametrize("day", ["2026-03-02", "2026-03-06", "2026-07-06", "2020-06-19", "2026-11-27"])
def test_the_registry_publishes_on(day: str) -> None:
    assert is_working_day(date.fromisoformat(day))


def test_neither_end_counts_and_nor_does_a_weekend() -> None:
    friday = date(2026, 3, 6)
    assert [working_days_between(friday, friday + timedelta(days=n)) for n in (0, 1, 3, 4, 5, 6)] == [0, 0, 0, 1, 2, 3]


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_five_days_of_a_week_are_working_days_at_most_and_three_at_least(day: date) -> None:
    assert 3 <= sum(is_working_day(day + timedelta(days=n)) for n in range(7)) <= 5
