"""Notices and the windows that they wait in: half-open, and due once they have closed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from tests.store.factories import (
    NOW,
    OTHER_READER,
    OTHER_TRIAL,
    READER,
    TRIAL,
    change,
    message,
    recipient,
    record,
    record_step,
    watch_trials,
    watchlist,
)
from watcher.model import Cadence, NoticeKind, Recipient
from watcher.store.database import Database
from watcher.store.lists import declare_lists
from watcher.store.notices import CHANGES, WATCHING, Window, due_windows, notices_in, single_windows
from watcher.store.noting import notify_readers
from watcher.store.telling import add_digest

MICROSECOND = timedelta(microseconds=1)
CLOSE = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)  # of the daily window that NOW falls into
OPEN = CLOSE - timedelta(days=1)
FAR = NOW + timedelta(days=30)
WELCOME = Window(address=READER, subject_matter=WATCHING, opens_at=NOW, closes_at=NOW)


def window(opens_at: datetime, closes_at: datetime, *, address: str = READER) -> Window:
    return Window(address=address, subject_matter=CHANGES, opens_at=opens_at, closes_at=closes_at)


def changed_at(db: Connection, *moments: datetime) -> None:
    for moment in moments:
        notify_readers(db, TRIAL, NoticeKind.CHANGED, now=moment)


def due_changes(db: Connection, *, now: datetime) -> list[Window]:
    return [one for one in due_windows(db, now=now) if one.subject_matter == CHANGES]


# --- windows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "opens_at", "closes_at"),
    [
        pytest.param(OPEN, OPEN, CLOSE, id="at its beginning"),
        pytest.param(NOW, OPEN, CLOSE, id="in its middle"),
        pytest.param(CLOSE - MICROSECOND, OPEN, CLOSE, id="just before its end"),
        pytest.param(CLOSE, CLOSE, CLOSE + timedelta(days=1), id="at its end: in the next one"),
    ],
)
def test_a_change_belongs_to_one_half_open_window(
    database: Database, moment: datetime, opens_at: datetime, closes_at: datetime
) -> None:
    with database.writing() as db:
        watch_trials(db)
        changed_at(db, moment)
        assert due_changes(db, now=closes_at - MICROSECOND) == []
        assert due_changes(db, now=closes_at) == [window(opens_at, closes_at)]


@pytest.mark.parametrize(
    ("who", "opens_at", "closes_at"),
    [
        pytest.param(recipient(cadence=Cadence.IMMEDIATE), NOW, NOW, id="at once"),
        pytest.param(recipient(hour=7), OPEN, CLOSE, id="daily at seven"),
        pytest.param(recipient(hour=13), NOW - timedelta(hours=23), NOW + timedelta(hours=1), id="daily at one"),
        pytest.param(recipient(cadence=Cadence.WEEKLY), OPEN, OPEN + timedelta(days=7), id="on Mondays"),
    ],
)
def test_each_reader_has_a_window_of_their_own(
    database: Database, who: Recipient, opens_at: datetime, closes_at: datetime
) -> None:
    with database.writing() as db:
        watch_trials(db, recipients=[who])
        changed_at(db, NOW)
        assert due_changes(db, now=FAR) == [window(opens_at, closes_at)]


def test_a_window_is_due_as_long_as_it_holds_something_untold(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        changed_at(db, NOW)
        for moment in (CLOSE, CLOSE + timedelta(days=3), FAR):
            assert due_changes(db, now=moment) == [window(OPEN, CLOSE)]


def test_several_windows_that_are_due_after_a_pause_are_told_as_one_the_longest_waiting_reader_first(
    database: Database,
) -> None:
    with database.writing() as db:
        watch_trials(db, recipients=[recipient(READER), recipient(OTHER_READER)])
        changed_at(db, CLOSE + timedelta(hours=1), NOW, NOW)
        both = replace(window(OPEN, CLOSE + timedelta(days=1)), first_closes_at=CLOSE)
        assert due_changes(db, now=FAR) == [replace(both, address=OTHER_READER), both]
        assert len(notices_in(db, both, now=FAR)) == 3
        assert [one for one in single_windows(db, now=FAR) if one.subject_matter == CHANGES] == [
            window(OPEN, CLOSE, address=OTHER_READER),
            window(OPEN, CLOSE, address=READER),
            window(CLOSE, CLOSE + timedelta(days=1), address=OTHER_READER),
            window(CLOSE, CLOSE + timedelta(days=1), address=READER),
        ]


def test_windows_of_two_schedules_that_close_together_are_one(database: Database) -> None:
    weekly = recipient(cadence=Cadence.WEEKLY)
    sunday = OPEN + timedelta(days=6, hours=1)
    with database.writing() as db:
        watch_trials(db, recipients=[weekly])
        changed_at(db, NOW)
        declare_lists(db, [watchlist(recipients=[recipient()])], now=sunday)
        changed_at(db, sunday)
        assert due_changes(db, now=FAR) == [window(OPEN, OPEN + timedelta(days=7))]


def test_joining_and_changes_are_told_apart(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db, recipients=[recipient(cadence=Cadence.IMMEDIATE)])
        changed_at(db, NOW)
        notify_readers(db, TRIAL, NoticeKind.GONE, now=NOW, detail="no such record")
        windows = {one.subject_matter: one for one in due_windows(db, now=NOW)}
        assert windows == {CHANGES: window(NOW, NOW), WATCHING: WELCOME}
        assert [one.kind for one in notices_in(db, windows[CHANGES], now=FAR)] == [NoticeKind.CHANGED, NoticeKind.GONE]
        assert [one.kind for one in notices_in(db, windows[WATCHING], now=FAR)] == [NoticeKind.NOW_WATCHING]


def test_joining_and_leaving_do_not_wait_for_a_digest(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db, recipients=[recipient(cadence=Cadence.WEEKLY)])
        assert due_windows(db, now=NOW) == [WELCOME]


# --- notices ----------------------------------------------------------------------------------------------------------


def test_every_reader_of_a_trial_gets_a_notice_and_nobody_else(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db, recipients=[recipient(READER), recipient(OTHER_READER)])
        assert notify_readers(db, TRIAL, NoticeKind.CHANGED, now=NOW) == 2
        assert notify_readers(db, OTHER_TRIAL, NoticeKind.CHANGED, now=NOW) == 0


def test_notices_come_in_the_order_in_which_they_were_made(database: Database) -> None:
    with database.writing() as db:
        release_id = watch_trials(db, TRIAL, OTHER_TRIAL)
        steps = [
            record_step(db, record(nct_id, title=title), [change(number)], release_id=release_id)
            for number, (nct_id, title) in enumerate([(OTHER_TRIAL, "B"), (TRIAL, "B"), (OTHER_TRIAL, "C")])
        ]
        found = notices_in(db, window(OPEN, CLOSE), now=FAR)
    assert [(one.nct_id, one.revision_id) for one in found] == [
        (OTHER_TRIAL, steps[0]),
        (TRIAL, steps[1]),
        (OTHER_TRIAL, steps[2]),
    ]


def test_a_notice_keeps_the_registrys_words_whatever_they_are(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        notify_readers(db, TRIAL, NoticeKind.GONE, now=NOW, detail="no \x00 such \ud800 record")
        [found] = notices_in(db, window(OPEN, CLOSE), now=FAR)
    assert found.detail == "no \x00 such \ud800 record"


# --- told -------------------------------------------------------------------------------------------------------------


def tell(db: Connection, number: int, told: Window, notice_ids: Sequence[int]) -> None:
    add_digest(db, told, notice_ids, message(number), sizes=(1, 1), now=CLOSE)


def test_what_was_told_is_not_due_again(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        changed_at(db, NOW)
        [due] = due_changes(db, now=CLOSE)
        tell(db, 1, due, [one.id for one in notices_in(db, due, now=FAR)])
        assert due_changes(db, now=FAR) == []
        assert notices_in(db, due, now=FAR) == []


def test_a_notice_that_comes_after_its_window_was_told_is_told_alone(database: Database) -> None:
    """A check that began before the close may record after the digest."""
    with database.writing() as db:
        watch_trials(db)
        changed_at(db, NOW)
        [due] = due_changes(db, now=CLOSE)
        tell(db, 1, due, [one.id for one in notices_in(db, due, now=FAR)])
        changed_at(db, CLOSE - MICROSECOND)
        assert due_changes(db, now=CLOSE) == [due]
        late = notices_in(db, due, now=FAR)
        assert len(late) == 1
        tell(db, 2, due, [one.id for one in late])
        assert due_changes(db, now=FAR) == []


# --- a clock that was ahead -------------------------------------------------------------------------------------------


def test_what_was_noted_while_the_clock_was_ahead_is_due_when_it_is_right_again(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        changed_at(db, FAR)
        [due] = due_changes(db, now=NOW)
        ids = [one.id for one in notices_in(db, due, now=NOW)]
        assert len(ids) == 1
        tell(db, 1, due, ids)
        assert due_changes(db, now=NOW) == due_changes(db, now=FAR + timedelta(days=30)) == []


def test_what_was_noted_in_the_window_of_now_waits_for_its_end_although_the_clock_was_ahead(
    database: Database,
) -> None:
    with database.writing() as db:
        watch_trials(db)
        changed_at(db, NOW + timedelta(hours=2))
        assert due_changes(db, now=NOW) == []
        assert [one.closes_at for one in due_changes(db, now=CLOSE)] == [CLOSE]


def test_a_window_that_was_told_too_early_is_told_again_only_of_what_it_did_not_hold(database: Database) -> None:
    with database.writing() as db:
        watch_trials(db)
        changed_at(db, FAR)
        [early] = due_changes(db, now=NOW)
        tell(db, 1, early, [one.id for one in notices_in(db, early, now=NOW)])
        changed_at(db, FAR)
        [due] = due_changes(db, now=early.closes_at)
        [late] = notices_in(db, due, now=early.closes_at)
        tell(db, 2, due, [late.id])
        assert due_changes(db, now=early.closes_at) == []
