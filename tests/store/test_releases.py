"""Releases: one row for each, and which one is the current one."""

from datetime import timedelta

from tests.store.factories import NOW, count, release_on
from tests.store.together import together
from watcher.model import Release
from watcher.store.database import Database
from watcher.store.releases import KnownRelease, confirm_release, latest_release, note_checked
from watcher.store.tables import release

LATER = NOW + timedelta(hours=1)
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


def test_the_release_that_was_confirmed_last_is_the_current_one(database: Database) -> None:
    with database.writing() as db:
        release_on(db, 2, now=NOW)
        newer = release_on(db, 3, now=NOW + timedelta(hours=1))
        back = release_on(db, 2, now=NOW + timedelta(hours=2))  # the registry took the newer one back
        latest = latest_release(db)
    assert newer != back
    assert latest is not None
    assert latest.id == back


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
