"""Machines of the registry that lag behind a release are recognised, and nothing else is."""

from datetime import timedelta

import pytest

from watcher.core.freshness import PATIENCE, lags, superseded

MINUTES = timedelta(minutes=5)


@pytest.mark.parametrize(
    ("stamp", "last_stamp", "age", "expected"),
    [
        pytest.param("2026-03-03", "2026-03-02", MINUTES, False, id="a stamp that moved with the release"),
        pytest.param("2026-03-02", "2026-03-02", MINUTES, True, id="a stamp that did not move"),
        pytest.param("2026-02-27", "2026-03-02", MINUTES, True, id="a stamp that went back"),
        pytest.param("2026-03-03", "2026-03-03", MINUTES, False, id="a second release on one day"),
        pytest.param("2026-03-02", None, MINUTES, False, id="a record seen for the first time"),
        pytest.param(None, "2026-03-02", MINUTES, False, id="a record without a stamp"),
        pytest.param("2026-03-02", "2026-03-02", PATIENCE, False, id="stamps that have stopped moving for good"),
    ],
)
def test_a_record_lags_when_its_stamp_did_not_move(
    stamp: str | None, last_stamp: str | None, age: timedelta, *, expected: bool
) -> None:
    assert lags(stamp, last_stamp=last_stamp, release_day="2026-03-03", release_age=age) is expected


def test_a_release_that_was_replaced_a_moment_ago_is_an_answer_of_a_machine_that_lags() -> None:
    assert superseded(1, newest_place=2, newest_age=MINUTES)


def test_a_registry_that_goes_back_for_good_is_believed_in_the_end() -> None:
    assert not superseded(1, newest_place=2, newest_age=PATIENCE)


def test_the_newest_release_is_never_superseded() -> None:
    assert not superseded(2, newest_place=2, newest_age=MINUTES)
