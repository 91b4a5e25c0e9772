"""When a reader's window opens and closes: once for each local day or week, whatever the clocks do."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.core.windows import window_at
from watcher.model import Cadence, Schedule

BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
moments = st.timedeltas(timedelta(0), END - BEGIN).map(lambda since: BEGIN + since)
ZONES = sorted(available_timezones())


@cache
def clock_changes(zone_name: str) -> tuple[datetime, ...]:
    """Return the hours in two years after which the zone's clocks show another offset."""
    zone = ZoneInfo(zone_name)
    days = [BEGIN + n * DAY for n in range((END - BEGIN).days + 1)]
    offsets = [day.astimezone(zone).utcoffset() for day in days]
    changed = [day for (day, old), (_, new) in pairwise(zip(days, offsets, strict=True)) if old != new]
    hours = [day + n * HOUR for day in changed for n in range(24)]
    return tuple(h for h in hours if h.astimezone(zone).utcoffset() != (h + HOUR).astimezone(zone).utcoffset())


def windows(schedule: Schedule, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Follow the windows from one to the next, checking that they share their ends and are half-open."""
    opens, closes = window_at(schedule, since)
    while opens < until:
        assert opens.utcoffset() == closes.utcoffset() == timedelta(0)
        assert opens < closes
        for moment in (opens, opens + (closes - opens) / 2, closes - timedelta.resolution):
            assert window_at(schedule, moment) == (opens, closes)
        yield opens, closes
        following = window_at(schedule, closes)
        assert following[0] == closes
        opens, closes = following


def check_daily(zone_name: str, hour: int, since: datetime, until: datetime) -> None:
    """Check that each local date closes exactly one window, and at the reader's hour where the date has it."""
    zone = ZoneInfo(zone_name)
    closed = [
        closes.astimezone(zone)
        for _, closes in windows(Schedule(cadence=Cadence.DAILY, time_zone=zone_name, hour=hour), since, until)
    ]
    # In Greenland the clocks skip the last hour of a day: such a day closes as it ends, at the next one's midnight.
    dates = [(local - HOUR if local.hour == 0 < hour else local).date() for local in closed]
    assert all(later - earlier == DAY for earlier, later in pairwise(dates))
    for day, local in zip(dates, closed, strict=True):
        wished = datetime.combine(day, time(hour), tzinfo=zone)
        if wished.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wished.replace(tzinfo=None):
            assert (local.hour, local.minute) == (hour, 0)


def test_time_zones_are_there_to_be_tested() -> None:
    assert len(ZONES) > 400
    assert len([zone for zone in ZONES if clock_changes(zone)]) > 100


@pytest.mark.parametrize("share", range(8))
def test_each_local_day_around_a_change_of_clocks_closes_one_window(share: int) -> None:
    seen = set()
    for zone in ZONES[share::8]:
        for change in clock_changes(zone)[:4]:
            rules = (change, change.astimezone(ZoneInfo(zone)).utcoffset())
            if rules not in seen:  # most zones are other names of a few
                seen.add(rules)
                for hour in range(24):
                    check_daily(zone, hour, change - 2 * DAY, change + DAY)


@pytest.mark.parametrize("share", range(4))
def test_each_local_day_of_two_years_closes_one_window_in_every_zone(share: int) -> None:
    for number, zone in list(enumerate(ZONES))[share::4]:
        begin = BEGIN + (number * 37 % 700) * DAY
        check_daily(zone, number % 24, begin, begin + 10 * DAY)


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        pytest.param("Europe/Berlin", 2, id="an hour that is skipped and comes twice"),
        pytest.param("Australia/Lord_Howe", 2, id="clocks that move by half an hour"),
        pytest.param("America/Santiago", 0, id="clocks that move at midnight"),
        pytest.param("Pacific/Kiritimati", 23, id="fourteen hours ahead"),
        pytest.param("Asia/Kathmandu", 7, id="an offset of three quarters of an hour"),
    ],
)
def test_a_whole_two_years_of_days_close_one_window_each(zone: str, hour: int) -> None:
    check_daily(zone, hour, BEGIN, END)


@pytest.mark.parametrize("weekday", range(7))
def test_each_week_closes_one_window_on_its_weekday(weekday: int) -> None:
    for number, zone_name in enumerate(ZONES[weekday::21]):
        zone = ZoneInfo(zone_name)
        schedule = Schedule(cadence=Cadence.WEEKLY, time_zone=zone_name, hour=number % 24, weekday=weekday)
        begin = (clock_changes(zone_name) or (BEGIN,))[0] - 20 * DAY
        closed = [closes.astimezone(zone).date() for _, closes in windows(schedule, begin, begin + 50 * DAY)]

        assert {day.weekday() for day in closed} == {weekday}
        assert all(later - earlier == 7 * DAY for earlier, later in pairwise(closed))


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param(date(2026, 3, 29), 23, id="the day that loses an hour"),
        pytest.param(date(2026, 10, 25), 25, id="the day that gains an hour"),
        pytest.param(date(2026, 6, 1), 24, id="any other day"),
    ],
)
def test_a_window_is_as_long_as_its_day(day: date, hours: int) -> None:
    noon = datetime.combine(day, time(12), tzinfo=ZoneInfo("Europe/Berlin"))

    opens, closes = window_at(Schedule(cadence=Cadence.DAILY, time_zone="Europe/Berlin", hour=0), noon)

    assert closes - opens == hours * HOUR


def test_an_hour_that_is_skipped_is_read_as_if_it_were_not() -> None:
    schedule = Schedule(cadence=Cadence.DAILY, time_zone="Europe/Berlin", hour=2)

    _, closes = window_at(schedule, datetime(2026, 3, 29, 0, 30, tzinfo=UTC))

    assert closes == datetime(2026, 3, 29, 1, tzinfo=UTC)  # 3 o'clock there


def test_of_an_hour_that_comes_twice_the_first_counts() -> None:
    schedule = Schedule(cadence=Cadence.DAILY, time_zone="Europe/Berlin", hour=2)

    _, closes = window_at(schedule, datetime(2026, 10, 24, 12, tzinfo=UTC))

    assert closes == datetime(2026, 10, 25, 0, tzinfo=UTC)
    assert window_at(schedule, closes)[1] == datetime(2026, 10, 26, 1, tzinfo=UTC)


def test_what_happens_at_the_end_of_a_window_belongs_to_the_next_one() -> None:
    schedule = Schedule(cadence=Cadence.WEEKLY, time_zone="UTC", hour=7, weekday=0)
    monday = datetime(2026, 3, 2, 7, tzinfo=UTC)

    assert window_at(schedule, monday - timedelta.resolution) == (monday - 7 * DAY, monday)
    assert window_at(schedule, monday) == (monday, monday + 7 * DAY)


@settings(deadline=None)
@given(moments)
def test_an_immediate_reader_whose_mail_is_not_merged_does_not_wait(moment: datetime) -> None:
    schedule = Schedule(cadence=Cadence.IMMEDIATE, time_zone="Europe/Berlin", merged_for=timedelta(0))

    assert window_at(schedule, moment) == (moment, moment)


@settings(deadline=None)
@given(moments)
def test_any_moment_falls_into_the_window_that_it_asks_for(moment: datetime) -> None:
    for cadence in (Cadence.DAILY, Cadence.WEEKLY):
        opens, closes = window_at(Schedule(cadence=cadence, time_zone="America/New_York"), moment)

        assert opens <= moment < closes
