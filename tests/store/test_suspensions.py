"""Addresses that mail does not reach: nothing is handed over to them, and what was on its way is told again."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from tests.store.factories import NOW, OTHER_READER, READER, TRIAL, change, message, record, record_step, watch_trials
from tests.store.factories import recipient as reader_of
from watcher.core.bounces import Meaning, Verdict, Why
from watcher.model import Cadence, DeliveryState, NoticeKind
from watcher.store import outbox
from watcher.store.bounces import (
    Original,
    is_known,
    message_by_ids,
    message_by_tokens,
    opt_out_of_all,
    record_report,
    times_returned,
)
from watcher.store.database import Database
from watcher.store.incidents import mark_told, open_incident, untold_incidents
from watcher.store.notices import due_windows, notices_in
from watcher.store.noting import notify_readers
from watcher.store.suspensions import (
    fold,
    fold_stranded,
    is_loss_told,
    resume,
    stranded_messages,
    suspend,
    suspensions,
    trials_told,
)
from watcher.store.tables import message as message_table
from watcher.store.tables import notice
from watcher.store.telling import add_digest

CLOSED = NOW + timedelta(minutes=5)  # when an immediate window that begins now has closed
LATER = NOW + timedelta(hours=1)


def compose_change(db: Connection, number: int = 1) -> str:
    """Let READER have a digest about a change in the outbox; return the message's ID."""
    readers = [reader_of(READER, Cadence.IMMEDIATE), reader_of(OTHER_READER, Cadence.IMMEDIATE)]
    release = watch_trials(db, TRIAL, recipients=readers)
    record_step(db, record(title="Second"), [change()], release_id=release, now=NOW)
    window = next(
        one for one in due_windows(db, now=CLOSED) if one.address == READER and one.subject_matter == "changes"
    )
    told = [one.id for one in notices_in(db, window, now=CLOSED)]
    outgoing = replace(message(number), return_token=f"{number:024x}")
    add_digest(db, window, told, outgoing, sizes=(1, 1), now=NOW)
    return outgoing.id


def send(db: Connection, message_id: str) -> None:
    assert outbox.claim(db, [message_id])
    outbox.record_sent(db, message_id, reply="250 ok", now=NOW)


def state(db: Connection, message_id: str) -> DeliveryState:
    query = select(message_table.c.state).where(message_table.c.id == message_id)
    return DeliveryState(db.execute(query).scalar_one())


def delayed(db: Connection, now: datetime) -> list[tuple[str, datetime | None]]:
    """Return kind and delay of what READER has to be told of changes."""
    found = []
    for window in due_windows(db, now=now):
        if window.address == READER and window.subject_matter == "changes":
            ids = [one.id for one in notices_in(db, window, now=now)]
            rows = db.execute(select(notice).where(notice.c.id.in_(ids)).order_by(notice.c.id))
            found += [(row.kind, row.delayed_since) for row in rows]
    return found


def test_an_address_is_suspended_once_and_until_it_is_resumed(database: Database) -> None:
    with database.writing() as db:
        assert suspend(db, READER, reason="550 no such user", message_id=None, now=NOW)
        assert not suspend(db, READER, reason="another", message_id=None, now=LATER)
        assert [(one.since, one.reason) for one in suspensions(db).values()] == [(NOW, "550 no such user")]
        assert resume(db, READER)
        assert not resume(db, READER)
        assert not suspensions(db)


def test_nothing_is_handed_over_to_a_suspended_address(database: Database) -> None:
    with database.writing() as db:
        waiting = compose_change(db)
        assert waiting in outbox.due_messages(db, now=NOW, limit=10)
        suspend(db, READER, reason="x", message_id=waiting, now=NOW)
        assert waiting not in outbox.due_messages(db, now=NOW, limit=10)
        assert outbox.claim(db, [waiting]) == []
        assert stranded_messages(db) == [waiting]


def test_what_waits_for_a_suspended_address_is_told_again_once(database: Database) -> None:
    with database.writing() as db:
        waiting = compose_change(db)
        assert delayed(db, NOW) == []
        suspend(db, READER, reason="x", message_id=None, now=NOW)
        assert fold_stranded(db, now=LATER) == 1
        assert fold_stranded(db, now=LATER) == 0
        assert state(db, waiting) == DeliveryState.FOLDED
        assert delayed(db, LATER) == [(NoticeKind.CHANGED, NOW)]


def test_what_came_back_is_told_again_when_it_is_time(database: Database) -> None:
    with database.writing() as db:
        sent = compose_change(db)
        send(db, sent)
        assert trials_told(db, sent) == [TRIAL]
        assert fold(db, sent, reply="552 full", now=NOW, again_at=LATER)
        assert not fold(db, sent, reply="552 full", now=NOW, again_at=LATER)
        assert delayed(db, NOW) == []
        assert delayed(db, LATER) == [(NoticeKind.CHANGED, NOW)]


def test_a_message_that_is_under_way_is_left_alone(database: Database) -> None:
    with database.writing() as db:
        waiting = compose_change(db)
        assert outbox.claim(db, [waiting])
        assert not fold(db, waiting, reply="x", now=NOW)
        assert state(db, waiting) == DeliveryState.SENDING


def test_a_mail_to_the_operator_that_came_back_is_told_again_under_another_number(database: Database) -> None:
    with database.writing() as db:
        open_incident(db, "registry", "It is down.", now=NOW)
        open_incident(db, "other", "Told before.", now=NOW)
        told = untold_incidents(db)
        mark_told(db, [told[1].id], now=NOW)
        outbox.add_message(db, message(7), digest_id=None, sizes=(1, 1), now=LATER)
        mark_told(db, [told[0].id], now=LATER)
        send(db, message(7).id)

        assert fold(db, message(7).id, reply="550", now=LATER)

        (again,) = untold_incidents(db)
        assert (again.key, again.summary, again.opened_at) == ("registry", "It is down.", NOW)
        assert again.id > max(one.id for one in told)


def test_the_others_are_told_of_a_loss_and_the_lost_one_is_not(database: Database) -> None:
    with database.writing() as db:
        compose_change(db)
        assert not is_loss_told(db, TRIAL, READER, since=NOW)
        assert notify_readers(db, TRIAL, NoticeKind.READER_LOST, now=NOW, detail=READER, but=READER) == 1
        assert is_loss_told(db, TRIAL, READER, since=NOW)
        assert not is_loss_told(db, TRIAL, READER, since=LATER)
        (row,) = db.execute(select(notice).where(notice.c.kind == NoticeKind.READER_LOST))
        assert row.address == OTHER_READER


def test_a_message_is_found_by_its_return_address_and_by_its_id(database: Database) -> None:
    with database.writing() as db:
        sent = compose_change(db)
        expected = Original(id=sent, recipient=READER, subject="Message 1")
        assert message_by_tokens(db, ["unknown", f"{1:024x}"]) == expected
        assert message_by_ids(db, ["<unknown@x>", message(1).message_id]) == expected
        assert message_by_tokens(db, []) is None
        assert message_by_ids(db, ["<unknown@x>"]) is None


def test_a_report_is_recorded_once_and_counted_by_message(database: Database) -> None:
    with database.writing() as db:
        sent = compose_change(db)
        original = Original(id=sent, recipient=READER, subject="Message 1")
        full = Verdict(meaning=Meaning.RETURNED, why=Why.MAILBOX_FULL)
        late = Verdict(meaning=Meaning.NOTHING, why=Why.STILL_TRYING)
        assert not is_known(db, "<r1@x>")
        record_report(db, "<r1@x>", full, original=original, now=NOW)
        record_report(db, "<r2@x>", full, original=original, now=NOW)
        record_report(db, "<r3@x>", late, original=original, now=NOW)
        assert is_known(db, "<r1@x>")
        assert times_returned(db, READER, since=NOW) == 1
        assert times_returned(db, READER, since=LATER) == 0
        assert times_returned(db, OTHER_READER, since=NOW) == 0


def test_who_complained_twice_opted_out_once(database: Database) -> None:
    with database.writing() as db:
        assert opt_out_of_all(db, READER, now=NOW)
        assert not opt_out_of_all(db, READER, now=LATER)
