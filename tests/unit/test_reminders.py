"""When somebody is reminded: once in each interval, however often and however late it is looked at."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.reminders import Timing, timing, window_of_reminder
from watcher.model import Cadence, Schedule

SINCE = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DAILY = Schedule(cadence=Cadence.DAILY, time_zone="UTC", hour=7)


@pytest.mark.parametrize(
    ("waited", "reminded_after", "untold", "expected"),
    [
        pytest.param(DAY - timedelta(seconds=1), None, False, Timing.FIRST_INTERVAL, id="a second too early"),
        pytest.param(DAY, None, False, Timing.DUE, id="one interval over"),
        pytest.param(5 * DAY, None, False, Timing.DUE, id="five intervals over"),
        pytest.param(1.9 * DAY, DAY, False, Timing.REMINDED, id="reminded in this interval"),
        pytest.param(2 * DAY, 1.9 * DAY, False, Timing.DUE, id="reminded late in the last interval"),
        pytest.param(9 * DAY, DAY, True, Timing.WAITING, id="a reminder waits for the digest"),
        pytest.param(-9 * DAY, None, False, Timing.DUE, id="told by a clock that was ahead"),
        pytest.param(-9 * DAY, -9.5 * DAY, False, Timing.REMINDED, id="and reminded half an interval ago"),
    ],
)
def test_timing(waited: timedelta, reminded_after: timedelta | None, *, untold: bool, expected: Timing) -> None:
    reminded_at = None if reminded_after is None else SINCE + reminded_after
    found = timing(SINCE, every=DAY, schedule=None, reminded_at=reminded_at, untold=untold, now=SINCE + waited)
    assert found is expected


@pytest.mark.parametrize("every", [timedelta(0), -DAY])
def test_an_interval_has_to_be_positive(every: timedelta) -> None:
    with pytest.raises(ValueError, match="more than zero"):
        timing(SINCE, every=every, schedule=None, reminded_at=None, untold=False, now=SINCE)


@given(
    every=st.timedeltas(timedelta(hours=1), timedelta(days=30)),
    looks=st.lists(st.timedeltas(timedelta(seconds=1), timedelta(days=40)), min_size=1, max_size=40),
    schedule=st.sampled_from([None, DAILY]),
)
def test_each_interval_that_is_looked_at_reminds_once(
    every: timedelta, looks: list[timedelta], schedule: Schedule | None
) -> None:
    now, reminded_at, reminders = SINCE, None, 0
    for step in looks:
        now += step
        for _ in range(3):
            if (
                timing(SINCE, every=every, schedule=schedule, reminded_at=reminded_at, untold=False, now=now)
                is Timing.DUE
            ):
                reminders, reminded_at = reminders + 1, now
                opens, closes = window_of_reminder(SINCE, every=every, schedule=schedule, now=now)
                assert opens <= now
                assert opens <= closes
    lead = every / 12 if schedule else timedelta(0)
    assert reminders <= (now + lead - SINCE) // every
    assert reminders <= len(looks)
    assert (reminders > 0) == (now + lead - SINCE >= every)
