"""Releases: one row for each, and which one is the current one."""

from datetime import timedelta

import pytest

from tests.store.factories import NOW, count, release_on
from tests.store.together import together
from watcher.model import Release
from watcher.store.database import Database
from watcher.store.releases import KnownRelease, confirm_release, known_release, latest_release, note_checked
from watcher.store.tables import release

HOUR = timedelta(hours=1)
LATER = NOW + HOUR
SEEN = Release(api_version="2.0.5", data_timestamp="2026-03-02T09:00:05")


def test_before_the_first_answer_there_is_no_release(database: Database) -> None:
    with database.reading() as db:
        assert latest_release(db) is None


def test_a_release_is_kept_once_and_confirmed_each_time(database: Database) -> None:
    with database.writing() as db:
        first = confirm_release(db, SEEN, now=NOW)
        again = confirm_release(db, SEEN, now=LATER)
        assert count(db, release) == 1
        assert latest_release(db) == again
    assert again == KnownRelease(id=first.id, release=SEEN, first_seen_at=NOW, confirmed_at=LATER, checked_at=None)


@pytest.mark.parametrize(
    ("days", "current"),
    [
        pytest.param([2], 2, id="the only one"),
        pytest.param([2, 3], 3, id="a newer one"),
        pytest.param([2, 3, 2], 2, id="an older one, when the registry takes the newer one back"),
        pytest.param([2, 3, 2, 3, 3], 3, id="one that was taken back and comes again"),
    ],
)
@pytest.mark.parametrize("step", [pytest.param(1, id="later"), pytest.param(0, id="in the same moment")])
def test_the_current_release_is_the_one_that_was_confirmed_last(
    database: Database, days: list[int], current: int, step: int
) -> None:
    with database.writing() as db:
        ids = {day: release_on(db, day, now=NOW + step * number * HOUR) for number, day in enumerate(days)}
        latest = latest_release(db)
        assert count(db, release) == len(ids)
    assert latest is not None
    assert latest.id == ids[current]


def test_a_release_that_was_seen_is_known_also_when_it_is_not_the_current_one(database: Database) -> None:
    with database.writing() as db:
        first = confirm_release(db, SEEN, now=NOW)
        assert known_release(db, "2026-03-03T09:00:05") is None
        release_on(db, 3)
        assert known_release(db, SEEN.data_timestamp) == first


def test_another_version_of_the_api_is_not_another_release(database: Database) -> None:
    with database.writing() as db:
        confirm_release(db, SEEN, now=NOW)
        confirm_release(db, Release(api_version="2.1.0", data_timestamp=SEEN.data_timestamp), now=LATER)
        latest = latest_release(db)
        assert count(db, release) == 1
    assert latest is not None
    assert latest.release.api_version == "2.1.0"


def test_a_check_of_a_release_is_remembered(database: Database) -> None:
    with database.writing() as db:
        known = confirm_release(db, SEEN, now=NOW)
        note_checked(db, known.id, now=LATER)
        assert confirm_release(db, SEEN, now=LATER).checked_at == LATER
        latest = latest_release(db)
    assert latest is not None
    assert latest.checked_at == LATER


def test_two_instances_may_see_a_new_release_at_once(database: Database) -> None:
    def see() -> int:
        with database.writing() as db:
            return confirm_release(db, SEEN, now=NOW).id

    assert together(see, see) == [1, 1]
