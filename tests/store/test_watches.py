"""Watches: what must still be asked for, what was verified, and when a record counts as gone."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from tests.store.factories import (
    NOW,
    OTHER_READER,
    OTHER_TRIAL,
    READER,
    TRIAL,
    recipient,
    record,
    refusal,
    release_on,
    watch_trials,
    watchlist,
)
from watcher.errors import OvertakenError
from watcher.model import NoticeKind, Reason
from watcher.store import tables
from watcher.store.database import Database
from watcher.store.incidents import never_seen, open_incidents
from watcher.store.lists import declare_lists
from watcher.store.watches import (
    Coverage,
    coverage,
    current_hashes,
    last_stamps,
    note_same_content,
    note_stamps,
    record_refusal,
    unverified,
    verify_unchanged,
    watch_states,
)

ABOUT_THE_RECORD = [reason for reason in Reason if reason.about_the_record]
NOT_ABOUT_THE_RECORD = [reason for reason in Reason if not reason.about_the_record]


def told(db: Connection, trial: str = TRIAL) -> list[str]:
    """Return what readers were told of a trial, but for the welcome."""
    notice = tables.notice
    mine = (notice.c.nct_id == trial, notice.c.kind != NoticeKind.NOW_WATCHING)
    return list(db.execute(select(notice.c.kind).where(*mine).order_by(notice.c.id)).scalars())


def refuse(db: Connection, day: int, reason: Reason = Reason.NOT_FOUND) -> bool:
    """Record that a trial could not be had in the release of a day."""
    now = NOW + timedelta(days=day)
    return record_refusal(db, refusal(reason), release_id=release_on(db, day, now=now), now=now)


# --- verified or not --------------------------------------------------------------------------------------------------


def test_every_watch_is_unverified_in_a_new_release(database: Database) -> None:
    with database.writing() as db:
        first = watch_trials(db, TRIAL, OTHER_TRIAL)
        second = release_on(db, 3)
        assert unverified(db, release_id=first) == []
        assert unverified(db, release_id=second) == [TRIAL, OTHER_TRIAL]


def test_a_trial_that_nobody_watches_is_not_asked_for(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db, TRIAL, OTHER_TRIAL)
        declare_lists(db, [watchlist(trials=[OTHER_TRIAL])], now=NOW)
        assert unverified(db, release_id=release_on(db, 3)) == [OTHER_TRIAL]


def test_a_trial_that_was_never_fetched_is_unverified(database: Database) -> None:
    with database.writing() as db:
        declare_lists(db, [watchlist()], now=NOW)
        assert unverified(db, release_id=release_on(db, 2)) == [TRIAL]


def test_an_unchanged_record_is_verified(database: Database) -> None:
    later = NOW + timedelta(days=1)
    with database.writing() as db:
        watch_trials(db, TRIAL, OTHER_TRIAL)
        second = release_on(db, 3, now=later)
        verify_unchanged(db, [TRIAL], release_id=second, now=later)
        assert unverified(db, release_id=second) == [OTHER_TRIAL]
        state = watch_states(db, [TRIAL])[TRIAL]
    assert (state.release_id, state.data_timestamp, state.verified_at) == (second, "2026-03-03T09:00:05", later)


def test_a_watch_that_was_never_fetched_has_no_moment_of_verification(database: Database) -> None:
    with database.writing() as db:
        declare_lists(db, [watchlist()], now=NOW)
        state = watch_states(db)[TRIAL]
    assert (state.snapshot_id, state.data_timestamp, state.verified_at) == (None, None, None)


def test_hashes_are_those_of_the_current_snapshots(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        declare_lists(db, [watchlist(trials=[TRIAL, OTHER_TRIAL])], now=NOW)
        assert current_hashes(db, [TRIAL, OTHER_TRIAL]) == {TRIAL: record().content_hash}


def test_the_same_content_in_other_bytes_is_verified_and_recognised_the_next_time(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        second = release_on(db, 3)
        other_bytes = record(title="stands for another order of the same lists")
        note_same_content(db, other_bytes, current_id=1, release_id=second, now=NOW)
        assert unverified(db, release_id=second) == []
        assert current_hashes(db, [TRIAL]) == {TRIAL: other_bytes.content_hash}
        assert watch_states(db)[TRIAL].snapshot_id == 1


def test_the_same_content_as_a_version_that_was_replaced_meanwhile_is_not_recorded(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        second = release_on(db, 3)
    with pytest.raises(OvertakenError, match=TRIAL), database.writing() as db:
        note_same_content(db, record(title="other bytes"), current_id=7, release_id=second, now=NOW)
    with database.reading() as db:
        assert unverified(db, release_id=second) == [TRIAL]


def test_verifying_nothing_changes_nothing(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        second = release_on(db, 3)
        verify_unchanged(db, [], release_id=second, now=NOW)
        assert unverified(db, release_id=second) == [TRIAL]


# --- stamps -----------------------------------------------------------------------------------------------------------


def test_the_day_that_a_record_was_stamped_with_last_is_remembered(database: Database) -> None:
    third = "NCT00000003"
    with database.writing() as db:
        watch_trials(db, TRIAL, OTHER_TRIAL, third)
        note_stamps(db, {TRIAL: "2026-03-02", OTHER_TRIAL: "2026-03-02"})
        note_stamps(db, {OTHER_TRIAL: "2026-03-03"})
        note_stamps(db, {})
        assert last_stamps(db, [TRIAL, OTHER_TRIAL, third]) == {TRIAL: "2026-03-02", OTHER_TRIAL: "2026-03-03"}
        assert last_stamps(db, [third]) == {}


# --- coverage ---------------------------------------------------------------------------------------------------------


def test_coverage_counts_what_is_watched_and_verified(database: Database) -> None:
    lists = [
        watchlist("Oncology", [TRIAL], recipients=[recipient(READER)]),
        watchlist("Cardiology", [TRIAL, OTHER_TRIAL], recipients=[recipient(OTHER_READER)]),
    ]
    with database.writing() as db:
        assert coverage(db, release_id=release_on(db, 2)) == Coverage(watched=0, verified=0)
        first = watch_trials(db, TRIAL, OTHER_TRIAL, "NCT00000003")
        declare_lists(db, lists, now=NOW)
        second = release_on(db, 3)
        verify_unchanged(db, [TRIAL], release_id=second, now=NOW)
        assert coverage(db, release_id=first) == Coverage(watched=2, verified=1)
        assert coverage(db, release_id=second) == Coverage(watched=2, verified=1)
        assert coverage(db, release_id=second, address=READER) == Coverage(watched=1, verified=1)
        assert coverage(db, release_id=second, address=OTHER_READER) == Coverage(watched=2, verified=1)
        assert coverage(db, release_id=second, address="nobody@example.org") == Coverage(watched=0, verified=0)


# --- failing ----------------------------------------------------------------------------------------------------------


def test_a_failure_is_kept_with_its_reason_since_it_began(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        refuse(db, 3, Reason.UNREACHABLE)
        refuse(db, 4, Reason.SERVER_ERROR)
        state = watch_states(db)[TRIAL]
        assert (state.reason, state.detail) == (Reason.SERVER_ERROR, "NCT number not found")
        assert state.failing_since == NOW + timedelta(days=3)
        assert state.data_timestamp == "2026-03-02T09:00:05"


def test_a_success_ends_a_failure(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        refuse(db, 3, Reason.UNREACHABLE)
        verify_unchanged(db, [TRIAL], release_id=release_on(db, 3), now=NOW)
        state = watch_states(db)[TRIAL]
        assert (state.reason, state.detail, state.failing_since) == (None, None, None)
        refuse(db, 5, Reason.UNREACHABLE)
        assert watch_states(db)[TRIAL].failing_since == NOW + timedelta(days=5)


def test_a_refusal_may_hold_any_characters(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        hostile = refusal(detail="not \x00 found \ud800")
        for day in (3, 4):
            record_refusal(db, hostile, release_id=release_on(db, day), now=NOW)
        assert watch_states(db)[TRIAL].detail == hostile.detail
        assert told(db) == [NoticeKind.GONE]


def test_a_refusal_of_a_trial_that_is_not_known_is_ignored(database: Database) -> None:
    with database.writing() as db:
        assert refuse(db, 3) is False
        assert watch_states(db) == {}


# --- gone, and found again --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ABOUT_THE_RECORD)
def test_readers_are_told_that_a_record_is_gone_after_two_releases_in_a_row(database: Database, reason: Reason) -> None:
    with database.writing() as db:
        watch_trials(db)
        assert refuse(db, 3, reason) is False
        assert told(db) == []
        assert refuse(db, 4, reason) is True
        assert told(db) == [NoticeKind.GONE]
        assert watch_states(db)[TRIAL].gone_told


def test_the_operator_is_told_of_a_record_that_was_never_seen(database: Database) -> None:
    with database.writing() as db:
        declare_lists(db, [watchlist(trials=[TRIAL])], now=NOW)
        for day in (2, 3, 4):
            refuse(db, day)
        [incident] = open_incidents(db)
    assert incident.key == never_seen(TRIAL)
    assert incident.summary == f"{TRIAL} is watched, but the registry has never served it: NCT number not found."


def test_the_operator_is_not_told_of_a_record_that_is_gone(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        for day in (3, 4):
            refuse(db, day)
        assert open_incidents(db) == []


def test_two_attempts_in_the_same_release_count_once(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        assert [refuse(db, 3) for _ in range(3)] == [False, False, False]
        assert told(db) == []


def test_readers_are_told_once_that_a_record_is_gone(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        assert [refuse(db, day) for day in (3, 4, 4, 5, 6)] == [False, True, False, False, False]
        assert told(db) == [NoticeKind.GONE]


@pytest.mark.parametrize("reason", NOT_ABOUT_THE_RECORD)
def test_a_failure_that_says_nothing_about_the_record_never_makes_it_gone(database: Database, reason: Reason) -> None:
    with database.writing() as db:
        watch_trials(db)
        assert [refuse(db, day, reason) for day in (3, 4, 5)] == [False, False, False]
        assert told(db) == []


def test_two_releases_are_in_a_row_only_when_none_lies_between_that_could_not_be_seen(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        refuse(db, 3)
        assert refuse(db, 4, Reason.SERVER_ERROR) is False
        assert refuse(db, 5) is False
        assert refuse(db, 6) is True


def test_a_success_in_between_starts_over(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        refuse(db, 3)
        verify_unchanged(db, [TRIAL], release_id=release_on(db, 4), now=NOW)
        assert refuse(db, 5) is False
        assert told(db) == []


def test_readers_are_told_when_a_record_that_was_gone_is_found_again(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db, TRIAL, OTHER_TRIAL)
        for day in (3, 4):
            refuse(db, day)
        for day in (5, 6):
            verify_unchanged(db, [TRIAL, OTHER_TRIAL], release_id=release_on(db, day), now=NOW)
        assert told(db) == [NoticeKind.GONE, NoticeKind.FOUND_AGAIN]
        assert told(db, OTHER_TRIAL) == []
        assert not watch_states(db)[TRIAL].gone_told


def test_a_record_that_missed_one_release_comes_back_in_silence(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        refuse(db, 3)
        verify_unchanged(db, [TRIAL], release_id=release_on(db, 4), now=NOW)
        assert told(db) == []
