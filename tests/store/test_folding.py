"""Messages that are told by others, settled doubts and dead letters, as rows."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, select, update

from tests.store.factories import NOW, TRIAL, message
from tests.store.test_outbox import SIZES, composed, due_digest, stands
from watcher.errors import OvertakenError
from watcher.model import DeliveryState, NoticeKind, Phase
from watcher.store import dead_letters, doubts, folding, outbox, tables
from watcher.store.database import Database
from watcher.store.incidents import open_incident, open_incidents
from watcher.store.notices import CHANGES, Window, due_windows, notices_in
from watcher.store.noting import notify_readers
from watcher.store.telling import add_digest

LATER = NOW + timedelta(days=3)


def told(db: Connection) -> Window:
    """Put a digest into the outbox as message 1."""
    window, notice_ids = due_digest(db)
    add_digest(db, window, notice_ids, message(1), sizes=SIZES, now=NOW)
    return window


def next_window(db: Connection, at: timedelta) -> tuple[Window, list[int]]:
    """Let there be something new, and return the window that it belongs to."""
    notify_readers(db, TRIAL, NoticeKind.FOUND_AGAIN, now=NOW + at)
    due = due_windows(db, now=NOW + at + timedelta(days=8))
    [window] = [one for one in due if one.subject_matter == CHANGES]
    return window, [one.id for one in notices_in(db, window, now=NOW + at + timedelta(days=8))]


# --- folding ----------------------------------------------------------------------------------------------------------


def test_what_a_folded_message_told_is_untold_again_with_the_time_of_its_first_mail(database: Database) -> None:
    with database.writing() as db:
        window = told(db)
        assert notices_in(db, window, now=LATER) == []
        outbox.claim(db, [message(1).id])
        assert folding.record_folded(db, message(1).id, reply="450 full", now=LATER)
        assert (stands(db, 1).state, stands(db, 1).reply) == (DeliveryState.FOLDED, "450 full")
        [notice] = notices_in(db, window, now=LATER)
        assert notice.delayed_since == NOW
        assert window in due_windows(db, now=LATER)
        assert folding.times_folded(db, window) == 1

        add_digest(db, window, [notice.id], message(2), sizes=SIZES, now=LATER)
        outbox.claim(db, [message(2).id])
        folding.record_folded(db, message(2).id, reply="450 full", now=LATER + timedelta(days=3))
        assert [one.delayed_since for one in notices_in(db, window, now=LATER + timedelta(days=8))] == [
            NOW
        ]  # of the first one, for ever
        assert folding.times_folded(db, window) == 2


@pytest.mark.parametrize("unanswered", [0, 1])
def test_only_what_is_being_sent_and_was_not_perhaps_taken_is_folded(database: Database, unanswered: int) -> None:
    with database.writing() as db:
        window = told(db)
        if unanswered:
            outbox.claim(db, [message(1).id])
            db.execute(update(tables.message).values(unanswered=unanswered))
        with pytest.raises(OvertakenError):
            folding.record_folded(db, message(1).id, reply="450 full", now=LATER)
        assert notices_in(db, window, now=LATER) == []


def test_a_message_of_which_it_is_not_known_what_it_told_is_not_folded(database: Database) -> None:
    with database.writing() as db:
        told(db)
        db.execute(update(tables.notice).values(message_id=None))  # as before 0003
        outbox.claim(db, [message(1).id])
        assert not folding.record_folded(db, message(1).id, reply="450 full", now=LATER)
        assert stands(db, 1).state is DeliveryState.SENDING


def test_a_new_digest_takes_a_waiting_one_along(database: Database) -> None:
    with database.writing() as db:
        told(db)
        window, notice_ids = next_window(db, timedelta(days=1))
        [waiting] = folding.waiting_digests(db, window, now=LATER)
        assert (waiting.message_id, waiting.composed_at) == (message(1).id, NOW)
        assert [one.delayed_since for one in waiting.notices] == [NOW]
        add_digest(db, window, notice_ids, message(2), sizes=SIZES, now=LATER, taking=[waiting])
        assert stands(db, 1).state is DeliveryState.FOLDED
        rows = db.execute(select(tables.notice).where(tables.notice.c.message_id == message(2).id)).all()
        assert sorted(str(row.delayed_since) for row in rows) == [str(NOW), "None"]
        assert folding.waiting_digests(db, window, now=LATER) == []  # composed at the same moment


@pytest.mark.parametrize(
    "state", [DeliveryState.SENDING, DeliveryState.UNCERTAIN, DeliveryState.SENT, DeliveryState.FAILED], ids=str
)
def test_what_is_perhaps_taken_is_not_taken_along(database: Database, state: DeliveryState) -> None:
    with database.writing() as db:
        told(db)
        window, _ = next_window(db, timedelta(days=1))
        db.execute(update(tables.message).values(state=state))
        assert folding.waiting_digests(db, window, now=LATER) == []


def test_what_is_claimed_in_between_is_not_taken_along_and_nothing_is_written(database: Database) -> None:
    with database.writing() as db:
        told(db)
        window, notice_ids = next_window(db, timedelta(days=1))
        waiting = folding.waiting_digests(db, window, now=LATER)
        outbox.claim(db, [message(1).id])
    with pytest.raises(OvertakenError), database.writing() as db:
        add_digest(db, window, notice_ids, message(2), sizes=SIZES, now=LATER, taking=waiting)
    with database.reading() as db:
        assert stands(db, 1).state is DeliveryState.SENDING
        assert len(notices_in(db, window, now=LATER + timedelta(days=8))) == 1


# --- doubts -----------------------------------------------------------------------------------------------------------


def uncertain(db: Connection, number: int = 1, *, phase: Phase = Phase.JOURNALLED) -> str:
    [message_id] = composed(db, number)
    outbox.claim(db, [message_id])
    outbox.record_phase(db, message_id, phase)
    outbox.record_uncertain(db, message_id, reply="lost", next_attempt_at=NOW + timedelta(minutes=2))
    return message_id


def test_an_uncertain_message_is_not_sent_and_is_settled_when_its_time_has_come(database: Database) -> None:
    with database.writing() as db:
        message_id = uncertain(db)
        assert outbox.due_messages(db, now=LATER, limit=10) == []
        assert outbox.claim(db, [message_id]) == []
        early, late = NOW + timedelta(seconds=119), NOW + timedelta(seconds=120)
        assert doubts.uncertain_messages(db, channel="mail", now=early, limit=10) == []
        [found] = doubts.uncertain_messages(db, channel="mail", now=late, limit=10)
        assert (found.message.id, found.phase, found.unanswered) == (message_id, Phase.JOURNALLED, 1)
        assert doubts.uncertain_messages(db, channel="target:chat", now=late, limit=10) == []


def test_a_doubt_that_was_set_while_the_clock_was_years_ahead_is_settled_when_it_is_right_again(
    database: Database,
) -> None:
    with database.writing() as db:
        uncertain(db)
        year_before = NOW - timedelta(days=365)
        assert len(doubts.uncertain_messages(db, channel="mail", now=year_before, limit=10)) == 1


def test_each_way_of_settling_a_doubt_is_recorded_once(database: Database) -> None:
    with database.writing() as db:
        doubts.record_found(db, uncertain(db, 1), reply="found", now=LATER)
        assert (stands(db, 1).state, stands(db, 1).reply) == (DeliveryState.SENT, "found")
        doubts.record_again(db, uncertain(db, 2), reply="not there", now=LATER, disproved=True)
        assert (stands(db, 2).state, stands(db, 2).unanswered) == (DeliveryState.DEFERRED, 0)
        doubts.record_again(db, uncertain(db, 3), reply="possible double", now=LATER, disproved=False)
        assert (stands(db, 3).state, stands(db, 3).unanswered) == (DeliveryState.DEFERRED, 1)
        doubts.record_given_up(db, uncertain(db, 4), reply="perhaps delivered", now=LATER)
        assert stands(db, 4).state is DeliveryState.FAILED
        with pytest.raises(OvertakenError):
            doubts.record_found(db, message(4).id, reply="found", now=LATER)


# --- dead letters -----------------------------------------------------------------------------------------------------


def failed(db: Connection, number: int) -> str:
    [message_id] = composed(db, number)
    outbox.claim(db, [message_id])
    outbox.record_ended(db, message_id, DeliveryState.FAILED, reply="550 no", now=NOW)
    open_incident(db, dead_letters.dead_letter(message_id), "given up", now=NOW)
    return message_id


def test_a_dead_letter_is_tried_again_once_the_operator_says_so(database: Database) -> None:
    with database.writing() as db:
        message_id = failed(db, 1)
        db.execute(update(tables.message).values(unanswered=2))
        assert dead_letters.given_up(db, message_id[:31]) == [message_id]
        assert dead_letters.try_again(db, message_id, now=LATER)
        assert outbox.due_messages(db, now=LATER, limit=10) == [message_id]
        assert stands(db, 1).unanswered == 1  # one more lost answer, and it is given up again
        assert open_incidents(db) == []
        assert not dead_letters.try_again(db, message_id, now=LATER)


def test_dismissing_a_dead_letter_ends_its_incident_only(database: Database) -> None:
    with database.writing() as db:
        message_id = failed(db, 1)
        assert dead_letters.dismiss(db, message_id, now=LATER)
        assert not dead_letters.dismiss(db, message_id, now=LATER)
        assert stands(db, 1).state is DeliveryState.FAILED
        assert open_incidents(db) == []


def test_messages_are_found_by_how_their_ids_begin_and_patterns_are_not_patterns(database: Database) -> None:
    with database.writing() as db:
        failed(db, 1)
        failed(db, 2)
        assert len(dead_letters.given_up(db, "0000")) == 2
        assert dead_letters.given_up(db, "%") == dead_letters.given_up(db, "_") == []
