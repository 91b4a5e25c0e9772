"""When the registry is asked again, how long that waits, and when it is left alone."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.edges.raw_server import RawServer, http_answer
from tests.edges.registry_clients import (
    IDS,
    MALFORMED,
    NOW,
    UNKNOWN,
    dataset,
    each_once,
    list_of,
    records,
    refusals,
    targets,
    wired,
)
from watcher.errors import RegistryError
from watcher.model import Reason
from watcher.registry.client import Caps
from watcher.replay.adapter import DatasetAdapter


@pytest.fixture
def registry() -> DatasetAdapter:
    return DatasetAdapter(dataset())


# --- when to stop, and how long to wait -------------------------------------------------------------------------------


def test_a_registry_that_blocks_us_is_not_asked_on(registry: DatasetAdapter) -> None:
    registry.fault("forbidden", times=None)
    asker = wired(transport=registry, batch_size=1)

    fetched = asker.fetch(IDS)

    assert {refusal.reason for refusal in refusals(fetched).values()} == {Reason.BLOCKED}
    assert each_once(fetched) == IDS
    assert (len(targets(registry)), asker.waits) == (1, [])
    assert "not asked for" in refusals(fetched)[IDS[6]].detail


def test_a_registry_that_blocks_us_in_the_middle_is_not_asked_on(registry: DatasetAdapter) -> None:
    registry.fault("missing", nct_id=IDS[0])
    registry.fault("forbidden", path="/studies/", times=None)

    fetched = wired(transport=registry, batch_size=2).fetch([IDS[0], IDS[1], UNKNOWN, IDS[2], IDS[3]])

    assert list(records(fetched)) == [IDS[1]]
    assert {refusal.reason for refusal in refusals(fetched).values()} == {Reason.BLOCKED}
    assert len(targets(registry)) == 2


def test_the_other_half_of_a_list_is_not_asked_for_when_the_first_is_blocked() -> None:
    answers = iter([http_answer(list_of(*IDS)), http_answer(status=403)])
    with RawServer(lambda _head: [next(answers)]) as server:
        fetched = wired(url=server.url, caps=Caps(batch=1_000)).fetch(IDS)

    assert {refusal.reason for refusal in refusals(fetched).values()} == {Reason.BLOCKED}
    assert each_once(fetched) == IDS


@pytest.mark.parametrize("kind", ["server_error", "rate_limited", "hang", "cut"])
def test_after_two_silent_batches_the_rest_is_left(registry: DatasetAdapter, kind: str) -> None:
    registry.fault(kind, times=None)

    fetched = wired(transport=registry, batch_size=1, attempts=1).fetch(IDS)

    assert each_once(fetched) == IDS
    assert (len(targets(registry)), len(refusals(fetched))) == (2, 7)


def test_one_silent_batch_is_chance(registry: DatasetAdapter) -> None:
    registry.fault("server_error", times=1)

    fetched = wired(transport=registry, batch_size=1, attempts=1).fetch(IDS)

    assert sorted(records(fetched)) == IDS[1:]


def test_after_two_silent_records_the_rest_of_a_batch_is_left(registry: DatasetAdapter) -> None:
    registry.fault("server_error", path="/studies/", times=None)

    fetched = wired(transport=registry, attempts=1).fetch([MALFORMED, *IDS])

    assert (len(targets(registry)), len(refusals(fetched))) == (3, 8)


@pytest.mark.parametrize("kind", ["server_error", "hang", "html", "cut", "cut_headers"])
def test_what_may_pass_is_tried_again(registry: DatasetAdapter, kind: str) -> None:
    registry.fault(kind, times=2)
    asker = wired(transport=registry)

    assert sorted(records(asker.fetch(IDS))) == IDS
    assert asker.waits == [timedelta(seconds=1.5), timedelta(seconds=3)]


def test_as_many_attempts_are_made_as_the_settings_say(registry: DatasetAdapter) -> None:
    registry.fault("server_error", times=None)
    asker = wired(transport=registry, attempts=5)

    with pytest.raises(RegistryError) as caught:
        asker.client.release()

    assert caught.value.reason is Reason.SERVER_ERROR
    assert (len(targets(registry)), len(asker.waits)) == (5, 4)


@pytest.mark.parametrize(
    ("told", "waits"),
    [
        pytest.param("7", [7.0], id="seconds"),
        pytest.param("300", [300.0], id="as many seconds as we have"),
        pytest.param("Mon, 02 Mar 2026 15:00:30 GMT", [30.0], id="a date"),
        pytest.param("Mon, 02 Mar 2026 16:00:30 +0100", [30.0], id="a date of another zone"),
        pytest.param("Mon, 02 Mar 2026 14:00:00 GMT", [1.5], id="a date that has passed"),
        pytest.param("0", [1.5], id="no time at all"),
        pytest.param("soon", [1.5], id="a word"),
        pytest.param("-5", [1.5], id="a time that has passed"),
        pytest.param("301", [], id="longer than we have"),
        pytest.param("Tue, 03 Mar 2026 15:00:00 GMT", [], id="tomorrow"),
        pytest.param("9" * 50, [], id="for ever"),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_registry_says_how_long_to_wait(status: int, told: str, waits: list[float]) -> None:
    answers = iter([http_answer(status=status, Retry_After=told), http_answer(list_of(IDS[0]))])
    with RawServer(lambda _head: [next(answers)]) as server:
        asker = wired(url=server.url)
        fetched = asker.fetch(IDS[:1])

    assert [wait.total_seconds() for wait in asker.waits] == waits
    assert bool(records(fetched)) is bool(waits)


@pytest.mark.parametrize(
    ("told", "later", "asked"),
    [
        pytest.param("7200", timedelta(hours=1), False, id="not before"),
        pytest.param("7200", timedelta(hours=2), True, id="when it is over"),
        pytest.param("9" * 50, timedelta(hours=23), False, id="not before a day when it says for ever"),
        pytest.param("9" * 50, timedelta(days=1), True, id="after a day when it says for ever"),
        pytest.param("7200", -timedelta(days=1), True, id="when the clock was set back"),
        pytest.param("60", timedelta(0), True, id="at once when the pause fits into a pass"),
    ],
)
def test_a_registry_that_wants_a_long_pause_is_left_alone_until_it_is_over(
    told: str, later: timedelta, *, asked: bool
) -> None:
    registry, moment = _Refusing(told), [NOW]
    asker = wired(transport=registry, attempts=1, now=lambda: moment[0])
    for _ in range(2):
        with pytest.raises(RegistryError) as caught:
            asker.client.release()
        assert caught.value.reason is Reason.RATE_LIMITED
        moment[0] += later

    assert len(targets(registry)) == (2 if asked else 1)


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40))
def test_no_word_about_waiting_breaks_anything(told: str) -> None:
    check_waiting(told)


@settings(deadline=None)
@given(
    st.sampled_from(["Mon, 02 Mar ", "1 Jan ", "99 Feb ", ""]),
    st.integers(-1, 10**13),
    st.sampled_from([" 15:00:00 ", " 99:99:99 ", " "]),
    st.sampled_from(["GMT", "+9999", "-99999999999999", "+999999999999999999999", "EST", ""]),
)
def test_no_date_of_waiting_breaks_anything(day: str, year: int, time: str, zone: str) -> None:
    check_waiting(f"{day}{year}{time}{zone}")


def check_waiting(told: str) -> None:
    registry = _Refusing(told)
    asker = wired(transport=registry, attempts=2)
    with pytest.raises(RegistryError):
        asker.client.release()
    assert all(timedelta(0) < wait <= timedelta(minutes=5) for wait in asker.waits)


class _Refusing(DatasetAdapter):
    """Answers everything with 429."""

    def __init__(self, retry_after: str) -> None:
        super().__init__(dataset())
        self._retry_after = retry_after

    def send(self, *args: Any, **details: Any) -> Any:
        self.fault("rate_limited")
        response = super().send(*args, **details)
        response.headers["Retry-After"] = self._retry_after
        return response


def test_retries_count_against_the_pace() -> None:
    registry = DatasetAdapter(dataset())
    registry.fault("server_error", times=4)
    asker = wired(transport=registry, attempts=6, per_minute=30)

    asker.client.release()

    assert [pace.total_seconds() for pace in asker.paces] == [2.0, 4.0, 6.0]  # the clock stands: after a burst of two


def test_whoever_waits_can_be_stopped(registry: DatasetAdapter) -> None:
    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    registry.fault("server_error", times=None)

    with pytest.raises(Stopped):
        wired(transport=registry, stop=stop).fetch(IDS)
    assert len(targets(registry)) == 1
