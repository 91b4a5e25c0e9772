"""Who watches what: the settings file and commands side by side, joining, leaving, and whose schedule counts."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from tests.store.factories import (
    NOW,
    OTHER_READER,
    OTHER_TRIAL,
    READER,
    TRIAL,
    count,
    recipient,
    record,
    record_step,
    release_on,
    schedule,
    watch_trials,
    watchlist,
)
from tests.store.together import together
from watcher.model import Cadence, NoticeKind, Recipient, Schedule, Watchlist
from watcher.store import tables
from watcher.store.database import Database
from watcher.store.lists import (
    Listing,
    add_trials,
    declare_lists,
    listings,
    recipients,
    remove_trials,
    schedules,
    subscribe,
    unsubscribe,
)
from watcher.store.routes import Origin
from watcher.store.watches import watch_states
from watcher.store.welcomes import welcome_readers

LATER = NOW + timedelta(days=1)


def listed(db: Connection) -> list[tuple[str, str, Origin]]:
    return [(one.watchlist, one.nct_id, one.origin) for one in listings(db)]


def watched(db: Connection) -> list[str]:
    return [nct_id for nct_id, state in watch_states(db).items() if state.watched]


def told(db: Connection) -> list[tuple[str, str, str]]:
    """Return who was told what of which trial."""
    notice = tables.notice
    rows = db.execute(select(notice.c.address, notice.c.nct_id, notice.c.kind).order_by(notice.c.id))
    return [(row.address, row.nct_id, row.kind) for row in rows]


def rows_of_all_tables(db: Connection) -> dict[str, list[tuple[object, ...]]]:
    return {name: [tuple(row) for row in db.execute(select(table))] for name, table in tables.metadata.tables.items()}


def welcome(db: Connection, *trials: str) -> None:
    """See trials, and let their readers know."""
    release_id = release_on(db, 2)
    for nct_id in trials:
        record_step(db, record(nct_id), release_id=release_id)
    welcome_readers(db, release_id=release_id, now=NOW)


# --- the file and commands --------------------------------------------------------------------------------------------


def test_a_trial_is_watched_by_the_file_or_by_command(database: Database) -> None:
    with database.writing() as db:
        declare_lists(db, [watchlist("Oncology", [TRIAL])], now=NOW)
        add_trials(db, "Cardiology", [OTHER_TRIAL], now=NOW)
        assert listings(db) == [
            Listing(watchlist="Cardiology", nct_id=OTHER_TRIAL, origin=Origin.COMMAND, added_at=NOW),
            Listing(watchlist="Oncology", nct_id=TRIAL, origin=Origin.FILE, added_at=NOW),
        ]
        assert watched(db) == [TRIAL, OTHER_TRIAL]


def test_a_command_returns_what_it_added_and_removed(database: Database) -> None:
    with database.writing() as db:
        assert add_trials(db, "Oncology", [TRIAL, TRIAL], now=NOW) == [TRIAL]
        assert add_trials(db, "Oncology", [TRIAL, OTHER_TRIAL], now=NOW) == [OTHER_TRIAL]
        assert remove_trials(db, "Oncology", [OTHER_TRIAL, "NCT00000003"], now=NOW) == [OTHER_TRIAL]
        assert watched(db) == [TRIAL]


def test_a_command_does_not_take_off_what_the_file_put_on(database: Database) -> None:
    with database.writing() as db:
        declare_lists(db, [watchlist("Oncology", [TRIAL])], now=NOW)
        assert remove_trials(db, "Oncology", [TRIAL], now=NOW) == []
        assert unsubscribe(db, "Oncology", READER, now=NOW) is False
        assert watched(db) == [TRIAL]
        assert recipients(db) == {"Oncology": [recipient()]}


def test_the_file_does_not_take_off_what_a_command_put_on(database: Database) -> None:
    with database.writing() as db:
        declare_lists(db, [watchlist("Oncology", [TRIAL])], now=NOW)
        add_trials(db, "Oncology", [TRIAL, OTHER_TRIAL], now=NOW)
        subscribe(db, "Oncology", recipient(OTHER_READER), now=NOW)
        declare_lists(db, [], now=NOW)
        assert listed(db) == [
            ("Oncology", TRIAL, Origin.COMMAND),
            ("Oncology", OTHER_TRIAL, Origin.COMMAND),
        ]
        assert recipients(db) == {"Oncology": [recipient(OTHER_READER)]}


def test_declaring_the_same_lists_again_changes_nothing(database: Database) -> None:
    lists = [watchlist("Oncology", [TRIAL, OTHER_TRIAL]), watchlist("Cardiology", [TRIAL])]
    with database.writing() as db:
        declare_lists(db, lists, now=NOW)
        welcome(db, TRIAL, OTHER_TRIAL)
        before = rows_of_all_tables(db)
        declare_lists(db, lists, now=LATER)
        assert rows_of_all_tables(db) == before


def test_adding_a_trial_again_changes_nothing(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        add_trials(db, "Oncology", [TRIAL], now=NOW)
        before = rows_of_all_tables(db)
        add_trials(db, "Oncology", [TRIAL], now=LATER)
        assert rows_of_all_tables(db) == before


def test_two_commands_at_once_do_not_get_in_each_others_way(database: Database) -> None:
    def add(name: str) -> list[str]:
        with database.writing() as db:
            return add_trials(db, name, [TRIAL, OTHER_TRIAL], now=NOW)

    results = together(*[lambda name=name: add(name) for name in ("Oncology", "Cardiology", "Oncology")])
    assert sorted(map(str, results)) == sorted(map(str, [[TRIAL, OTHER_TRIAL], [TRIAL, OTHER_TRIAL], []]))
    with database.reading() as db:
        assert len(listed(db)) == 4
        assert watched(db) == [TRIAL, OTHER_TRIAL]


# --- leaving ----------------------------------------------------------------------------------------------------------


def test_readers_who_had_been_welcomed_are_told_when_the_file_drops_a_trial(database: Database) -> None:
    with database.writing() as db:
        declare_lists(db, [watchlist("Oncology", [TRIAL, OTHER_TRIAL])], now=NOW)
        welcome(db, TRIAL)
        declare_lists(db, [], now=LATER)
        assert told(db) == [
            (READER, TRIAL, NoticeKind.NOW_WATCHING),
            (READER, TRIAL, NoticeKind.NO_LONGER_WATCHING),
        ]
        assert watched(db) == []


def test_a_reader_who_leaves_is_told(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db, TRIAL, OTHER_TRIAL, recipients=[])
        subscribe(db, "Oncology", recipient(), now=NOW)
        welcome_readers(db, release_id=release_on(db, 2), now=NOW)
        assert unsubscribe(db, "Oncology", READER, now=LATER) is True
        assert sorted(told(db)[2:]) == [(READER, trial, "no_longer_watching") for trial in (TRIAL, OTHER_TRIAL)]
        assert unsubscribe(db, "Oncology", READER, now=LATER) is False


def test_a_trial_on_two_lists_stays_watched_when_it_is_taken_off_one(database: Database) -> None:
    both = [watchlist("Oncology", [TRIAL]), watchlist("Cardiology", [TRIAL])]
    with database.writing() as db:
        declare_lists(db, both, now=NOW)
        welcome(db, TRIAL)
        declare_lists(db, both[1:], now=LATER)
        assert watched(db) == [TRIAL]
        assert told(db) == [(READER, TRIAL, NoticeKind.NOW_WATCHING)]


def test_a_trial_that_file_and_command_put_on_stays_when_one_takes_it_off(database: Database) -> None:
    with database.writing() as db:
        declare_lists(db, [watchlist("Oncology", [TRIAL])], now=NOW)
        add_trials(db, "Oncology", [TRIAL], now=NOW)
        welcome(db, TRIAL)
        assert remove_trials(db, "Oncology", [TRIAL], now=LATER) == [TRIAL]
        assert watched(db) == [TRIAL]
        assert told(db) == [(READER, TRIAL, NoticeKind.NOW_WATCHING)]


def test_a_trial_that_is_dropped_keeps_its_history(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        declare_lists(db, [], now=LATER)
        state = watch_states(db)[TRIAL]
        assert (state.watched, state.snapshot_id) == (False, 1)
        assert count(db, tables.revision) == 1


# --- joining ----------------------------------------------------------------------------------------------------------


def test_a_reader_is_welcomed_once_the_trial_has_been_seen(database: Database) -> None:
    with database.writing() as db:
        declare_lists(db, [watchlist()], now=NOW)
        release_id = release_on(db, 2)
        assert welcome_readers(db, release_id=release_id, now=NOW) == 0
        record_step(db, record(), release_id=release_id)
        assert welcome_readers(db, release_id=release_id, now=NOW) == 1
        assert welcome_readers(db, release_id=release_id, now=LATER) == 0
        assert told(db) == [(READER, TRIAL, NoticeKind.NOW_WATCHING)]


def test_a_new_reader_of_a_known_trial_is_welcomed_and_nobody_else(database: Database) -> None:
    with database.writing() as db:
        release_id = watch_trials(db)
        subscribe(db, "Oncology", recipient(OTHER_READER), now=LATER)
        assert welcome_readers(db, release_id=release_id, now=LATER) == 1
        assert told(db)[1:] == [(OTHER_READER, TRIAL, NoticeKind.NOW_WATCHING)]


def test_a_reader_of_a_trial_that_is_not_verified_yet_waits_for_the_welcome(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        subscribe(db, "Oncology", recipient(OTHER_READER), now=LATER)
        assert welcome_readers(db, release_id=release_on(db, 3), now=LATER) == 0


def test_a_reader_on_two_lists_is_welcomed_once(database: Database) -> None:
    with database.writing() as db:
        declare_lists(db, [watchlist("Oncology", [TRIAL]), watchlist("Cardiology", [TRIAL])], now=NOW)
        welcome(db, TRIAL)
        assert told(db) == [(READER, TRIAL, NoticeKind.NOW_WATCHING)]


def test_a_reader_who_left_and_comes_back_is_welcomed_again(database: Database) -> None:
    with database.writing() as db:
        release_id = watch_trials(db)
        declare_lists(db, [], now=LATER)
        declare_lists(db, [watchlist()], now=LATER)
        assert watched(db) == [TRIAL]
        assert welcome_readers(db, release_id=release_id, now=LATER) == 1
        kinds = [kind for _, _, kind in told(db)]
        assert kinds == [NoticeKind.NOW_WATCHING, NoticeKind.NO_LONGER_WATCHING, NoticeKind.NOW_WATCHING]


# --- schedules --------------------------------------------------------------------------------------------------------


IMMEDIATE, DAILY, WEEKLY = schedule(Cadence.IMMEDIATE), schedule(Cadence.DAILY), schedule(Cadence.WEEKLY)


def hears_by(*options: Schedule) -> list[Watchlist]:
    """Return lists of the same trial, on each of which the reader has another schedule."""
    return [
        watchlist(f"List {number}", recipients=[Recipient(address=READER, schedule=one)])
        for number, one in enumerate(options)
    ]


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        pytest.param([WEEKLY], WEEKLY, id="the only one"),
        pytest.param([WEEKLY, IMMEDIATE, DAILY], IMMEDIATE, id="immediate before all others"),
        pytest.param([WEEKLY, DAILY], DAILY, id="daily before weekly"),
        pytest.param([schedule(hour=9), schedule(hour=6)], schedule(hour=9), id="of equals the first list's"),
    ],
)
def test_the_most_urgent_schedule_counts(database: Database, options: Sequence[Schedule], counts: Schedule) -> None:
    lists = hears_by(*options)
    with database.writing() as db:
        for first in reversed(range(len(lists))):  # the order in which they came does not matter
            declare_lists(db, lists[first:], now=NOW)
        welcome(db, TRIAL)
        assert schedules(db, TRIAL) == {READER: counts}


def test_of_two_equal_schedules_on_one_list_the_files_counts(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db, recipients=[recipient(hour=9)])
        subscribe(db, "Oncology", recipient(hour=6), now=NOW)
        assert schedules(db, TRIAL) == {READER: schedule(hour=9)}


def test_a_person_who_hears_of_a_list_by_file_and_by_command_is_named_once(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db, recipients=[recipient(cadence=Cadence.WEEKLY), recipient(OTHER_READER)])
        subscribe(db, "Oncology", recipient(cadence=Cadence.DAILY), now=NOW)
        assert recipients(db) == {"Oncology": [recipient(OTHER_READER), recipient(cadence=Cadence.DAILY)]}


def test_readers_who_are_not_welcomed_yet_do_not_hear(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        subscribe(db, "Oncology", recipient(OTHER_READER), now=LATER)
        assert list(schedules(db, TRIAL)) == [READER]


def test_a_schedule_that_is_changed_in_the_file_counts_from_then_on(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        declare_lists(db, [watchlist(recipients=[recipient(cadence=Cadence.IMMEDIATE)])], now=LATER)
        assert schedules(db, TRIAL) == {READER: schedule(Cadence.IMMEDIATE)}
        assert told(db) == [(READER, TRIAL, NoticeKind.NOW_WATCHING)]


def test_subscribing_again_changes_the_schedule_and_tells_nobody(database: Database) -> None:
    with database.writing() as db:
        release_id = watch_trials(db, recipients=[])
        for cadence in (Cadence.WEEKLY, Cadence.DAILY):
            subscribe(db, "Oncology", recipient(cadence=cadence), now=NOW)
            welcome_readers(db, release_id=release_id, now=NOW)
        assert schedules(db, TRIAL) == {READER: DAILY}
        assert recipients(db) == {"Oncology": [recipient(cadence=Cadence.DAILY)]}
        assert told(db) == [(READER, TRIAL, NoticeKind.NOW_WATCHING)]
