"""When a message is tried again: ever later, and not for ever."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.retry import next_attempt

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FOR_EVER = timedelta(days=3650)


def wait_after(attempts: int) -> timedelta:
    later = next_attempt(NOON, attempts=attempts, composed_at=NOON, give_up_after=FOR_EVER)
    assert later is not None
    return later - NOON


def test_the_first_wait_is_five_minutes_and_none_is_longer_than_four_hours() -> None:
    waits = [wait_after(attempts) for attempts in range(1, 100)]

    assert waits[0] == timedelta(minutes=5)
    assert max(waits) == waits[-1] == timedelta(hours=4)
    assert all(earlier <= later for earlier, later in pairwise(waits))


@pytest.mark.parametrize(
    ("left", "given_up"),
    [
        pytest.param(timedelta(minutes=5), False, id="the next attempt falls on the last moment"),
        pytest.param(timedelta(minutes=5) - timedelta(microseconds=1), True, id="it would come too late"),
        pytest.param(timedelta(0), True, id="no time is left"),
        pytest.param(timedelta(days=-1), True, id="its time is long over"),
    ],
)
def test_a_message_is_given_up_when_the_next_attempt_would_come_too_late(left: timedelta, *, given_up: bool) -> None:
    later = next_attempt(NOON + timedelta(days=3), attempts=1, composed_at=NOON, give_up_after=timedelta(days=3) + left)

    assert (later is None) is given_up


@given(st.timedeltas(timedelta(minutes=1), timedelta(days=30)))
def test_a_message_that_is_never_taken_is_given_up_at_last(give_up_after: timedelta) -> None:
    now = NOON
    for attempts in range(1, 1_000):
        later = next_attempt(now, attempts=attempts, composed_at=NOON, give_up_after=give_up_after)
        if later is None:
            return
        assert now < later <= NOON + give_up_after
        now = later
    pytest.fail("it is tried for ever")
