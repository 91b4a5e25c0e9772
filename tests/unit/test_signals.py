"""Signals: what they ask for is remembered, and heard although a work waits for something else."""

import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from threading import Event, Thread, get_ident

import pytest

from watcher.signals import Asked

PATIENCE = timedelta(seconds=20)


@pytest.fixture
def asked() -> Iterator[Asked]:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    asked = Asked()
    asked.listen()
    yield asked
    for number, taker in before.items():
        signal.signal(number, taker)


@pytest.fixture
def endless() -> Iterator[Event]:
    """Something that a work waits for until the test is over."""
    event = Event()
    yield event
    event.set()


@pytest.mark.parametrize(
    ("number", "asked_for"),
    [
        pytest.param(signal.SIGTERM, {"end"}, id="terminate"),
        pytest.param(signal.SIGINT, {"end"}, id="interrupt"),
        pytest.param(signal.SIGHUP, {"reload"}, id="hang up"),
    ],
)
def test_a_signal_asks_to_end_or_to_reload(asked: Asked, number: signal.Signals, asked_for: set[str]) -> None:
    os.kill(os.getpid(), number)
    asked.wait(PATIENCE)
    assert {word for word, is_asked in (("end", asked.to_end), ("reload", asked.to_reload)) if is_asked} == asked_for


def test_what_was_held_back_before_is_heard(asked: Asked) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    # To this thread: another one, of the test runner, would take it at once.
    signal.pthread_kill(get_ident(), signal.SIGHUP)
    assert not asked.to_reload
    asked.listen()
    asked.wait(PATIENCE)
    assert asked.to_reload


def test_a_work_that_is_not_disturbed_gives_what_it_returns(asked: Asked) -> None:
    assert asked.unless_to_end(lambda: "done") == "done"


def test_a_work_that_fails_raises_what_it_raised(asked: Asked) -> None:
    with pytest.raises(LookupError, match="not there"):
        asked.unless_to_end(_fail)


def _fail() -> None:
    raise LookupError("not there")


def test_a_work_that_waits_is_left_when_it_is_time_to_end(asked: Asked, endless: Event) -> None:
    def wait() -> bool:
        os.kill(os.getpid(), signal.SIGTERM)
        return endless.wait(PATIENCE.total_seconds())

    assert asked.unless_to_end(wait) is None
    assert not endless.is_set()


def test_a_hangup_does_not_end_a_work(asked: Asked) -> None:
    def work() -> str:
        os.kill(os.getpid(), signal.SIGHUP)
        return "done"

    assert asked.unless_to_end(work) == "done"
    assert asked.to_reload


def test_a_work_is_not_begun_after_it_is_time_to_end(asked: Asked) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    begun = Event()
    assert asked.unless_to_end(begun.set) is None
    assert not begun.is_set()


def test_another_thread_can_end_the_waiting(asked: Asked) -> None:
    waker = Thread(target=asked.wake)
    waker.start()
    asked.wait()
    waker.join(PATIENCE.total_seconds())
    assert not asked.to_end
