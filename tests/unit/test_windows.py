"""When a reader's window opens and closes: once for each local day or week, whatever the clocks do."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.windows import run
from watcher.core.windows import is_quiet, window_at
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


# --- five minutes, quiet hours, free days -----------------------------------------------------------------------------

BERLIN = Schedule(cadence=Cadence.IMMEDIATE, time_zone="Europe/Berlin", quiet=(time(22), time(6)))
MERGED = timedelta(minutes=5)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_the_windows_of_a_sample_of_zones_follow_each_other_and_close_each_working_date_once() -> None:
    figures = run(everything=False)

    assert figures.wrong == []
    assert figures.zones > 20
    assert figures.windows > 10_000


@settings(deadline=None)
@given(moments)
def test_immediate_mail_is_merged_in_the_same_five_minutes_whenever_somebody_asks(moment: datetime) -> None:
    opens, closes = window_at(Schedule(cadence=Cadence.IMMEDIATE, time_zone="Asia/Kathmandu"), moment)

    assert opens <= moment < closes == opens + MERGED
    assert (opens.minute % 5, opens.second, opens.microsecond) == (0, 0, 0)


@pytest.mark.parametrize(
    ("moment", "closes"),
    [
        pytest.param("2026-03-03T21:54+01:00", "2026-03-03T21:55+01:00", id="before them: in five minutes"),
        pytest.param("2026-03-03T21:55+01:00", "2026-03-04T06:00+01:00", id="would close as they begin: at their end"),
        pytest.param("2026-03-03T23:30+01:00", "2026-03-04T06:00+01:00", id="before midnight"),
        pytest.param("2026-03-04T05:59+01:00", "2026-03-04T06:00+01:00", id="just before their end"),
        pytest.param("2026-03-04T06:00+01:00", "2026-03-04T06:05+01:00", id="at their end: in five minutes"),
        pytest.param("2026-03-28T23:00+01:00", "2026-03-29T06:00+02:00", id="the night that loses an hour"),
        pytest.param("2026-10-24T23:00+02:00", "2026-10-25T06:00+01:00", id="the night that gains an hour"),
    ],
)
def test_immediate_mail_waits_for_the_end_of_quiet_hours(moment: str, closes: str) -> None:
    assert window_at(BERLIN, utc(moment))[1] == utc(closes)


def test_immediate_mail_waits_for_the_end_of_the_weekend_and_of_holidays() -> None:
    schedule = replace(BERLIN, quiet=None, working_days=(0, 1, 2, 3, 4), holidays=(date(2026, 3, 9),))
    friday = utc("2026-03-06T23:57+01:00")

    assert window_at(schedule, friday) == (utc("2026-03-06T23:55+01:00"), utc("2026-03-10T00:00+01:00"))
    assert window_at(schedule, utc("2026-03-08T12:00+01:00")) == window_at(schedule, friday)


@pytest.mark.parametrize(
    ("weekday", "holidays", "closes"),
    [
        pytest.param(0, (), "2026-03-09", id="a working day: on it"),
        pytest.param(0, (date(2026, 3, 9),), "2026-03-10", id="a holiday: the day after"),
        pytest.param(6, (), "2026-03-09", id="no working day: the next one"),
        pytest.param(
            5, tuple(date(2026, 3, day) for day in range(9, 14)), "2026-03-16", id="a free week: the next one"
        ),
    ],
)
def test_a_week_whose_day_is_free_closes_on_the_next_working_day(
    weekday: int, holidays: tuple[date, ...], closes: str
) -> None:
    schedule = Schedule(
        cadence=Cadence.WEEKLY, time_zone="UTC", weekday=weekday, working_days=(0, 1, 2, 3, 4), holidays=holidays
    )

    assert window_at(schedule, utc("2026-03-06T12:00+00:00"))[1] == utc(f"{closes}T07:00+00:00")


@pytest.mark.parametrize("cadence", Cadence)
def test_what_is_critical_pierces_every_schedule_that_lets_it(cadence: Cadence) -> None:
    night = utc("2026-03-07T23:32+01:00")  # a Saturday
    waits = replace(BERLIN, cadence=cadence, working_days=(0, 1, 2, 3, 4))
    pierced = replace(waits, critical_pierces=True)

    assert window_at(pierced, night, critical=True) == (utc("2026-03-07T23:30+01:00"), utc("2026-03-07T23:35+01:00"))
    assert window_at(pierced, night) == window_at(waits, night)
    assert window_at(waits, night, critical=True) == window_at(waits, night)
    assert window_at(waits, night)[1] >= utc("2026-03-09T00:00+01:00")


def test_a_schedule_without_a_working_day_is_refused() -> None:
    with pytest.raises(ValueError, match="never closes"):
        window_at(replace(BERLIN, working_days=()), BEGIN)


@settings(deadline=None)
@given(moments, st.sampled_from(ZONES), st.integers(0, 287), st.integers(1, 287))
def test_any_quiet_hours_leave_windows_that_close_outside_them(
    moment: datetime, zone: str, begin: int, long: int
) -> None:
    first, last = (time((n % 288) // 12, n % 12 * 5) for n in (begin, begin + long))
    schedule = Schedule(cadence=Cadence.IMMEDIATE, time_zone=zone, quiet=(first, last))
    opens, closes = window_at(schedule, moment)

    assert opens <= moment < closes
    assert not is_quiet(schedule, closes)
    assert window_at(schedule, opens) == window_at(schedule, closes - timedelta.resolution) == (opens, closes)
