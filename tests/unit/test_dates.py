"""How far a date moved, some dates being known to the month only."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.core.weights.dates import Precision, cumulative, new_precision, read_date, slip
from watcher.model import Json

NO_DATES: list[Json] = [
    None,
    "",
    "2026",
    "2026-13",
    "2026-02-30",
    "2026-3-1",
    "2026-03-00",
    "0000-01",
    "soon",
    202603,
    True,
    [],
    {},
]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param("2026-03", "2027-05", "+14 months", id="months where both are months"),
        pytest.param("2026-03", "2025-12", "−3 months", id="brought forward"),
        pytest.param("2026-03", "2026-04", "+1 month", id="one month"),
        pytest.param("2026-03", "2026-04-02", "+1 month", id="another month, known to the day on one side"),
        pytest.param("2026-04-02", "2026-03", "−1 month", id="the same the other way round"),
        pytest.param("2026-03-17", "2026-03-18", "+1 day", id="one day"),
        pytest.param("2026-03-17", "2026-05-15", "+59 days", id="days below sixty"),
        pytest.param("2026-03-17", "2026-05-16", "+2 months", id="months from sixty days on"),
        pytest.param("2026-07-01", "2026-08-31", "+2 months", id="two months but for a day"),
        pytest.param("2026-02-01", "2026-05-01", "+3 months", id="calendar months with a February in them"),
        pytest.param("2028-07-07", "2031-08-31", "+37 months", id="full months only"),
        pytest.param("2028-02-29", "2029-02-28", "+12 months", id="from a leap day"),
        pytest.param("2026-12-31", "2027-01-01", "+1 day", id="over the end of a year"),
    ],
)
def test_a_slip_is_told_in_the_unit_that_is_known(old: str, new: str, told: str) -> None:
    moved = slip(old, new)

    assert moved is not None
    assert moved.signed == told
    assert moved.size == told[1:]


@pytest.mark.parametrize(
    ("old", "new", "long", "very_long"),
    [
        pytest.param("2026-01-01", "2026-03-31", False, False, id="89 days"),
        pytest.param("2026-01-01", "2026-04-01", True, False, id="90 days"),
        pytest.param("2026-01-01", "2026-12-31", True, False, id="364 days"),
        pytest.param("2026-01-01", "2027-01-01", True, True, id="365 days"),
        pytest.param("2026-01", "2026-03", False, False, id="two months"),
        pytest.param("2026-02", "2026-05", True, False, id="three months, although 89 days"),
        pytest.param("2026-01-31", "2026-12", True, False, id="eleven months"),
        pytest.param("2026-01-31", "2027-01", True, True, id="twelve months"),
    ],
)
def test_a_slip_is_long_from_a_quarter_on_and_very_long_from_a_year_on(
    old: str, new: str, *, long: bool, very_long: bool
) -> None:
    moved = slip(old, new)

    assert moved is not None
    assert (moved.is_a_quarter, moved.is_a_year) == (long, very_long)


@pytest.mark.parametrize(
    ("old", "new", "precision"),
    [
        pytest.param("2026-03", "2026-03-17", Precision.DAY, id="to the day"),
        pytest.param("2026-03-17", "2026-03", Precision.MONTH, id="to the month"),
        pytest.param("2026-03", "2026-03", None, id="the same"),
        pytest.param("2026-03", "2026-04-02", None, id="another month"),
        pytest.param("2026-03-17", "2026-03-18", None, id="another day"),
    ],
)
def test_a_date_that_is_known_better_has_not_moved(old: str, new: str, precision: Precision | None) -> None:
    assert new_precision(old, new) is precision
    if precision:
        assert slip(old, new) is None


@pytest.mark.parametrize("value", NO_DATES)
def test_what_is_no_date_has_no_distance(value: Json) -> None:
    assert read_date(value) is None
    assert slip(value, "2026-03") is None
    assert slip("2026-03-17", value) is None
    assert new_precision(value, "2026-03") is None


partial_dates = st.builds(
    lambda day, *, known: day.isoformat() if known else f"{day:%Y-%m}",
    st.dates(date(2000, 1, 1), date(2060, 12, 31)),
    known=st.booleans(),
)


@settings(deadline=None, derandomize=True, max_examples=500)
@given(partial_dates, partial_dates)
def test_a_slip_and_its_way_back_are_of_one_size(old: str, new: str) -> None:
    there, back = slip(old, new), slip(new, old)

    assert (there is None) == (back is None)
    assert (there is None) == (old == new or new_precision(old, new) is not None)
    if there and back:
        assert (there.size, there.later) == (back.size, not back.later)
        assert there.later == (old < new)


@settings(deadline=None, derandomize=True, max_examples=500)
@given(st.dates(date(2000, 1, 1), date(2040, 12, 31)), st.integers(2, 240))
def test_some_calendar_months_later_are_as_many_months(start: date, months: int) -> None:
    start = start.replace(day=min(start.day, 28))
    years, month = divmod(start.month - 1 + months, 12)
    later = start.replace(year=start.year + years, month=month + 1)
    moved = slip(start.isoformat(), later.isoformat())

    assert moved is not None
    assert moved.days is not None
    assert moved.size == (f"{months} months" if moved.days >= 60 else "59 days")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        pytest.param([], None, id="never seen"),
        pytest.param(["2026-03", "2026-06"], None, id="the first change"),
        pytest.param(
            ["2026-03", "2026-06", "2026-05", "2027-02"],
            "third change, 11 months later than first seen",
            id="later in all",
        ),
        pytest.param(["2026-03", "2026-06", "2026-02"], "second change, 1 month earlier than first seen", id="earlier"),
        pytest.param(["2026-03", "2026-06", "2026-03"], "second change, back to the date first seen", id="back again"),
        pytest.param(
            ["2026-03", "2026-06", "2026-03", "2026-06"],
            "third change, 3 months later than first seen",
            id="to and fro is three changes",
        ),
        pytest.param(["2026-03", "2026-03-17", "2026-06", "2026-06-30"], None, id="a better known date is no change"),
        pytest.param(
            ["2026-03", "2026-03-17", "2026-03-20", "2026-03-25"],
            "second change, in the month first seen",
            id="within the month",
        ),
        pytest.param(
            ["2026-03", None, "soon", "2026-06", "2026-07"],
            "second change, 4 months later than first seen",
            id="what is no date is passed over",
        ),
        pytest.param(
            [f"2026-{month:02}" for month in range(1, 12)],
            "tenth change, 10 months later than first seen",
            id="ten in words",
        ),
        pytest.param(
            [f"2026-{month:02}" for month in range(1, 13)],
            "11th change, 11 months later than first seen",
            id="eleven in figures",
        ),
        pytest.param(
            [f"{2020 + month // 12}-{month % 12 + 1:02}" for month in range(23)],
            "22nd change, 22 months later than first seen",
            id="figures with their endings",
        ),
    ],
)
def test_all_moves_since_first_sight_are_summed_up(values: list[Json], told: str | None) -> None:
    assert cumulative(values) == told
