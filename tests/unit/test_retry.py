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


@given(st.integers(1, 20), st.floats(0, 1))
def test_chance_makes_a_wait_longer_by_a_tenth_at_most_and_never_shorter(attempts: int, chance: float) -> None:
    later = next_attempt(NOON, attempts=attempts, composed_at=NOON, give_up_after=FOR_EVER, chance=chance)
    assert later is not None
    assert wait_after(attempts) <= later - NOON <= wait_after(attempts) * 1.1


@pytest.mark.parametrize(
    ("hint", "wait"),
    [
        pytest.param(timedelta(seconds=30), timedelta(minutes=5), id="shorter than ours"),
        pytest.param(timedelta(minutes=20), timedelta(minutes=20), id="longer than ours"),
        pytest.param(timedelta(days=7), timedelta(hours=6), id="longer than anybody may ask"),
    ],
)
def test_what_a_receiver_asks_for_can_make_the_wait_longer_only(hint: timedelta, wait: timedelta) -> None:
    later = next_attempt(NOON, attempts=1, composed_at=NOON, give_up_after=FOR_EVER, hint=hint)
    assert later == NOON + wait


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
