"""When readers hear that something is not verified, and when an all-clear is due."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.proof import AllClear, Limits, WeekSeen, Word, all_clear, is_overdue, is_stale, last_week, word_on
from watcher.core.reconciling import is_stuck
from watcher.model import Cadence, Schedule

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIMITS = Limits(after=24 * HOUR, releases=3, remind_every=7 * DAY)
PATIENCE = 3 * HOUR
DAILY = Schedule(cadence=Cadence.DAILY, time_zone="UTC")


@pytest.mark.parametrize(
    ("overdue", "failing", "told", "expected"),
    [
        pytest.param(False, False, None, Word.NOTHING, id="all is well"),
        pytest.param(False, True, None, Word.NOTHING, id="it fails since a moment"),
        pytest.param(True, True, None, Word.UNVERIFIED, id="it fails for too long"),
        pytest.param(True, True, DAY, Word.NOTHING, id="told yesterday"),
        pytest.param(True, True, 7 * DAY, Word.REMINDER, id="told a week ago"),
        pytest.param(False, False, DAY, Word.VERIFIED_AGAIN, id="told, and over"),
        pytest.param(True, True, -900 * DAY, Word.REMINDER, id="told by a clock that was ahead"),
    ],
)
def test_readers_hear_once_again_after_a_week_and_when_it_is_over(
    *, overdue: bool, failing: bool, told: timedelta | None, expected: Word
) -> None:
    told_at = None if told is None else NOW - told
    word = word_on(overdue=overdue, failing=failing, told_at=told_at, now=NOW, remind_every=7 * DAY)
    assert word is expected


@pytest.mark.parametrize(
    ("hours", "releases", "expected"),
    [(23, 2, False), (24, 1, True), (2, 3, True)],
    ids=["neither", "a day", "three releases"],
)
def test_a_trial_is_overdue_after_a_day_or_three_releases(*, hours: int, releases: int, expected: bool) -> None:
    assert is_overdue(NOW - hours * HOUR, releases=releases, now=NOW, limits=LIMITS) is expected


@pytest.mark.parametrize(
    ("data_day", "now", "expected"),
    [
        pytest.param("2026-03-06", "2026-03-11T23:00-04:00", False, id="Friday's data late on Wednesday"),
        pytest.param("2026-03-06", "2026-03-12T01:00-04:00", True, id="Friday's data on Thursday"),
        pytest.param("2026-03-06", "2026-03-12T03:00+00:00", False, id="still Wednesday where the registry is"),
        pytest.param("2026-11-24", "2026-11-30T12:00-05:00", False, id="Thanksgiving and a weekend between"),
        pytest.param("2026-11-24", "2026-12-01T12:00-05:00", True, id="and one working day more"),
    ],
)
def test_the_registry_is_stale_after_three_of_its_working_days(*, data_day: str, now: str, expected: bool) -> None:
    stale = is_stale(date.fromisoformat(data_day), now=datetime.fromisoformat(now), working_days=3)
    assert stale is expected


def seen(
    *,
    since: timedelta | None = 30 * DAY,
    cleared: timedelta | None = None,
    digest: timedelta | None = None,
    due: bool = False,
    asked: timedelta = HOUR,
) -> WeekSeen:
    """Return what is known, all moments as they lie before NOW."""
    before = {"since": since, "cleared": cleared, "digest": digest, "asked": asked}
    at = {name: None if ago is None else NOW - ago for name, ago in before.items()}
    return WeekSeen(
        reader_since=at["since"],
        last_all_clear=at["cleared"],
        last_digest=at["digest"],
        about_to_hear=due,
        asked_at=at["asked"],
    )


# The week ended five hours before NOW, at 7.
@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(seen(), AllClear.DUE, id="nothing was heard"),
        pytest.param(seen(cleared=5 * HOUR), AllClear.TOLD, id="told"),
        pytest.param(seen(cleared=6 * HOUR), AllClear.TOLD, id="told in another zone"),
        pytest.param(seen(cleared=7 * DAY + 5 * HOUR), AllClear.DUE, id="told a week ago"),
        pytest.param(seen(since=6 * DAY), AllClear.NEW, id="a reader for some days only"),
        pytest.param(seen(since=None), AllClear.NEW, id="not welcomed yet"),
        pytest.param(seen(digest=5 * HOUR), AllClear.HEARD_OTHERWISE, id="a digest at the end of the week"),
        pytest.param(seen(digest=HOUR), AllClear.HEARD_OTHERWISE, id="a digest since"),
        pytest.param(seen(digest=7 * DAY + 5 * HOUR), AllClear.DUE, id="a digest that belongs to the week before"),
        pytest.param(seen(due=True), AllClear.HEARD_OTHERWISE, id="a digest is due"),
        pytest.param(seen(asked=6 * HOUR), AllClear.DUE, id="the registry was not asked for longer than patience"),
    ],
)
def test_an_all_clear_is_due_once_for_a_whole_week_without_a_digest(known: WeekSeen, expected: AllClear) -> None:
    assert all_clear(last_week(DAILY, NOW), known, now=NOW, patience=PATIENCE) is expected


def test_an_all_clear_waits_for_the_registry_to_be_asked_after_the_end_of_the_week() -> None:
    known = seen(asked=6 * HOUR)
    at_eight = NOW - 4 * HOUR
    assert all_clear(last_week(DAILY, at_eight), known, now=at_eight, patience=PATIENCE) is AllClear.WAITS_FOR_CHECK


@given(
    st.sampled_from(sorted(available_timezones())),
    st.integers(0, 23),
    st.integers(0, 6),
    st.integers(0, 4 * 366 * 24 * 60).map(
        lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
)
def test_weeks_follow_each_other_without_a_gap_in_every_zone(zone: str, hour: int, weekday: int, now: datetime) -> None:
    schedule = Schedule(cadence=Cadence.DAILY, time_zone=zone, hour=hour, weekday=weekday)
    week = last_week(schedule, now)
    after = last_week(schedule, week.next_at)
    assert week.opens_at < week.closes_at <= now < week.next_at
    assert (after.opens_at, after.closes_at) == (week.closes_at, week.next_at)


def test_a_message_is_stuck_when_it_was_seen_under_way_ten_minutes_ago() -> None:
    assert [is_stuck(seen_at, now=NOW) for seen_at in (None, NOW, NOW - HOUR / 12, NOW - HOUR / 6)] == [
        False,
        False,
        False,
        True,
    ]
