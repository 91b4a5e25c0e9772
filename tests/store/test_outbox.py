"""The outbox: composed once, claimed once, and every message ends as sent, or as failed with a reason."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from tests.store.factories import NOW, READER, TRIAL, count, message, watch_trials
from tests.store.together import together
from watcher.errors import OvertakenError, StoreError
from watcher.model import Delivery, DeliveryState, NoticeKind, Phase
from watcher.store import outbox, tables, telling
from watcher.store.database import Database
from watcher.store.notices import CHANGES, Window, due_windows, notices_in
from watcher.store.noting import notify_readers
from watcher.store.telling import add_digest

LATER = NOW + timedelta(hours=1)
SIZES = (100, 1000)


def composed(db: Connection, *numbers: int) -> list[str]:
    """Put messages into the outbox, each a minute after the one before, and return their IDs."""
    for minute, number in enumerate(numbers):
        now = NOW + timedelta(minutes=minute)
        outbox.add_message(db, message(number), digest_id=None, sizes=SIZES, now=now)
    return [message(number).id for number in numbers]


def claimed(db: Connection, number: int = 1) -> str:
    [message_id] = composed(db, number)
    assert len(outbox.claim(db, [message_id])) == 1
    return message_id


def stands(db: Connection, number: int = 1) -> Delivery:
    """Return where a message stands, sent or not."""
    row = db.execute(select(tables.message).where(tables.message.c.id == message(number).id)).one()
    return Delivery(
        message=message(number),
        state=DeliveryState(row.state),
        phase=Phase(row.phase) if row.phase else None,
        attempts=row.attempts,
        composed_at=row.composed_at,
        next_attempt_at=row.next_attempt_at,
        reply=row.reply,
        digest_id=row.digest_id,
        unanswered=row.unanswered,
    )


# --- composing --------------------------------------------------------------------------------------------------------


def due_digest(db: Connection) -> tuple[Window, list[int]]:
    """Watch a trial, see it gone, and return the window that is due with its notices."""
    watch_trials(db)
    notify_readers(db, TRIAL, NoticeKind.GONE, now=NOW, detail="no such record")
    [window] = [one for one in due_windows(db, now=NOW + timedelta(days=2)) if one.subject_matter == CHANGES]
    return window, [one.id for one in notices_in(db, window, now=NOW + timedelta(days=2))]


def test_a_message_waits_as_it_was_composed(database: Database) -> None:
    with database.writing() as db:
        composed(db, 1)
        assert stands(db) == (
            Delivery(
                message=message(1),
                state=DeliveryState.PENDING,
                phase=None,
                attempts=0,
                composed_at=NOW,
                next_attempt_at=NOW,
            )
        )
        assert [one.id for one in outbox.unfinished(db)] == [message(1).id]


def test_a_message_may_hold_anything(database: Database) -> None:
    hostile = replace(message(), subject="NUL \x00 and \ud800 and €", mime=bytes(range(256)) * 40)
    with database.writing() as db:
        outbox.add_message(db, hostile, digest_id=None, sizes=SIZES, now=NOW)
        [claimed_one] = outbox.claim(db, [hostile.id])
        assert claimed_one.message == hostile


def test_a_digest_takes_its_notices_and_leaves_a_message(database: Database) -> None:
    with database.writing() as db:
        window, notice_ids = due_digest(db)
        add_digest(db, window, notice_ids, message(), sizes=SIZES, now=NOW)
        row = db.execute(select(tables.digest)).one()
        assert (row.address, row.subject_matter, row.closes_at) == (READER, CHANGES, window.closes_at)
        assert (row.opens_at, row.composed_at) == (window.opens_at, NOW)
        assert notices_in(db, window, now=NOW + timedelta(days=2)) == []
        assert outbox.due_messages(db, now=NOW, limit=10) == [message().id]


def test_a_digest_whose_notices_were_told_in_between_is_refused_and_leaves_nothing(database: Database) -> None:
    with database.writing() as db:
        window, [first] = due_digest(db)
        add_digest(db, window, [first], message(1), sizes=SIZES, now=NOW)
        notify_readers(db, TRIAL, NoticeKind.FOUND_AGAIN, now=NOW)
        [second] = [one.id for one in notices_in(db, window, now=NOW + timedelta(days=2))]
        with pytest.raises(OvertakenError, match=f"the digest for {READER} was composed by another instance"):
            add_digest(db, window, [first, second], message(2), sizes=SIZES, now=NOW)
        assert [one.id for one in notices_in(db, window, now=NOW + timedelta(days=2))] == [second]
        assert count(db, tables.message) == 1


def test_of_two_instances_that_compose_a_digest_at_once_one_succeeds(database: Database) -> None:
    with database.writing() as db:
        window, notice_ids = due_digest(db)

    def composing(number: int) -> Callable[[], None]:
        def run() -> None:
            with database.writing() as db:
                add_digest(db, window, notice_ids, message(number), sizes=SIZES, now=NOW)

        return run

    results = together(composing(1), composing(2))
    assert sorted(type(result).__name__ for result in results) == ["NoneType", "OvertakenError"]
    with database.reading() as db:
        assert (count(db, tables.digest), count(db, tables.message)) == (1, 1)


@pytest.mark.parametrize("notices", [pytest.param(6, id="full batches"), pytest.param(7, id="a rest")])
def test_a_digest_may_tell_more_notices_than_one_statement_names(
    database: Database, monkeypatch: pytest.MonkeyPatch, notices: int
) -> None:
    monkeypatch.setattr(telling, "_BATCH", 3)
    with database.writing() as db:
        window, _ = due_digest(db)
        for _ in range(notices - 1):
            notify_readers(db, TRIAL, NoticeKind.GONE, now=NOW)
        notice_ids = [notice.id for notice in notices_in(db, window, now=NOW + timedelta(days=2))]
        assert len(notice_ids) == notices
        add_digest(db, window, notice_ids, message(), sizes=SIZES, now=NOW)
        assert notices_in(db, window, now=NOW + timedelta(days=2)) == []


def test_the_batches_of_a_digest_fit_into_a_statement() -> None:
    assert telling._BATCH < 32_766  # SQLite's limit of parameters, where nobody has raised it; PostgreSQL's is 65,535


def test_the_same_message_cannot_be_composed_twice(database: Database) -> None:
    with database.writing() as db:
        composed(db, 1)
    with pytest.raises(StoreError), database.writing() as db:
        composed(db, 1)


# --- due --------------------------------------------------------------------------------------------------------------


def test_messages_are_due_in_the_order_in_which_they_were_composed(database: Database) -> None:
    with database.writing() as db:
        ids = composed(db, 3, 1, 2)
        assert outbox.due_messages(db, now=LATER, limit=10) == ids
        assert outbox.due_messages(db, now=LATER, limit=2) == ids[:2]


def test_a_message_that_was_tried_in_vain_does_not_keep_fresh_ones_waiting(database: Database) -> None:
    with database.writing() as db:
        tried = claimed(db, 1)
        outbox.record_deferred(db, tried, reply="451 later", next_attempt_at=NOW)
        [fresh] = composed(db, 2)
        assert outbox.due_messages(db, now=LATER, limit=10) == [fresh, tried]


def test_a_deferred_message_is_due_when_its_time_has_come(database: Database) -> None:
    with database.writing() as db:
        message_id = claimed(db)
        outbox.record_deferred(db, message_id, reply="451 later", next_attempt_at=LATER)
        assert outbox.due_messages(db, now=LATER - timedelta(microseconds=1), limit=10) == []
        assert outbox.due_messages(db, now=LATER, limit=10) == [message_id]


def test_a_message_that_was_composed_while_the_clock_was_ahead_is_due_when_it_is_right_again(
    database: Database,
) -> None:
    with database.writing() as db:
        [message_id] = composed(db, 1)
        assert outbox.due_messages(db, now=NOW - timedelta(minutes=5), limit=10) == [message_id]


def test_a_message_that_was_deferred_while_the_clock_was_years_ahead_is_due_when_it_is_right_again(
    database: Database,
) -> None:
    with database.writing() as db:
        message_id = claimed(db)
        outbox.record_deferred(db, message_id, reply="451 later", next_attempt_at=LATER)
        assert outbox.due_messages(db, now=NOW - timedelta(minutes=5), limit=10) == []  # a wait as it may well be
        assert outbox.due_messages(db, now=NOW - timedelta(days=365), limit=10) == [message_id]


def test_when_the_channel_is_down_everything_waits_and_nothing_is_brought_forward(database: Database) -> None:
    with database.writing() as db:
        deferred = claimed(db, 1)
        outbox.record_deferred(db, deferred, reply="451 later", next_attempt_at=LATER + timedelta(hours=1))
        sending = claimed(db, 2)
        composed(db, 3)
        outbox.defer_all(db, until=LATER)
        assert stands(db, 1).next_attempt_at == LATER + timedelta(hours=1)
        assert stands(db, 2).next_attempt_at == NOW
        assert stands(db, 3).next_attempt_at == LATER
        assert sending == message(2).id


def test_channels_wait_apart(database: Database) -> None:
    with database.writing() as db:
        composed(db, 1)
        hook = replace(message(2), recipient="target:hook", channel="target:hook")
        outbox.add_message(db, hook, digest_id=None, sizes=SIZES, now=NOW)
        assert outbox.waiting_channels(db) == ["mail", "target:hook"]
        assert outbox.due_messages(db, now=NOW, limit=10, channel="target:hook") == [hook.id]
        assert outbox.due_messages(db, now=NOW, limit=10, channel="mail") == [message(1).id]

        outbox.defer_all(db, until=LATER, channel="target:hook")
        assert outbox.due_messages(db, now=NOW, limit=10) == [message(1).id]

        [delivery] = outbox.claim(db, [hook.id])
        assert delivery.message == hook
        outbox.record_sent(db, hook.id, reply="HTTP 204", now=NOW)
        assert outbox.waiting_channels(db) == ["mail"]


# --- the way of one message -------------------------------------------------------------------------------------------


def test_a_claimed_message_is_being_sent_and_its_attempt_is_counted(database: Database) -> None:
    with database.writing() as db:
        [message_id] = composed(db, 1)
        assert outbox.claim(db, [message_id]) == [stands(db)]
        assert (stands(db).state, stands(db).phase, stands(db).attempts) == (DeliveryState.SENDING, Phase.CONNECT, 1)
        assert outbox.due_messages(db, now=LATER, limit=10) == []


def test_a_message_is_claimed_once(database: Database) -> None:
    with database.writing() as db:
        message_id = claimed(db)
        assert outbox.claim(db, [message_id]) == []
        assert stands(db).attempts == 1


def test_of_two_instances_that_claim_a_message_at_once_one_gets_it(database: Database) -> None:
    other = Database(database.engine.url.render_as_string(hide_password=False))

    def claiming(instance: Database, message_id: str) -> Callable[[], int]:
        def run() -> int:
            with instance.writing() as db:
                return len(outbox.claim(db, [message_id]))

        return run

    with database.writing() as db:
        ids = composed(db, *range(5))
    for message_id in ids:
        results = together(claiming(database, message_id), claiming(other, message_id))
        assert sorted(str(result) for result in results) == ["0", "1"]
    other.close()


def test_a_message_that_does_not_exist_cannot_be_claimed(database: Database) -> None:
    with database.writing() as db:
        assert outbox.claim(db, ["0" * 32]) == []


def test_each_phase_is_recorded(database: Database) -> None:
    with database.writing() as db:
        message_id = claimed(db)
        for phase in Phase:
            outbox.record_phase(db, message_id, phase)
            assert stands(db).phase is phase


def test_a_message_that_was_taken_is_sent_and_never_tried_again(database: Database) -> None:
    with database.writing() as db:
        message_id = claimed(db)
        outbox.record_sent(db, message_id, reply="250 2.0.0 queued as 4711", now=LATER)
        assert (stands(db).state, stands(db).reply) == (DeliveryState.SENT, "250 2.0.0 queued as 4711")
        assert db.execute(select(tables.message.c.finished_at)).scalar_one() == LATER
        assert outbox.claim(db, [message_id]) == []
        assert outbox.due_messages(db, now=LATER, limit=10) == []
        assert outbox.unfinished(db) == []


def test_a_message_that_is_given_up_stays_in_sight_and_is_never_tried_again(database: Database) -> None:
    with database.writing() as db:
        message_id = claimed(db)
        outbox.record_ended(db, message_id, DeliveryState.FAILED, reply="550 5.1.1 no such user", now=LATER)
        assert outbox.claim(db, [message_id]) == []
        assert outbox.due_messages(db, now=LATER, limit=10) == []
        [found] = outbox.unfinished(db)
        assert (found.state, found.reply) == (DeliveryState.FAILED, "550 5.1.1 no such user")


def test_a_deferred_message_is_tried_again_and_counted(database: Database) -> None:
    with database.writing() as db:
        message_id = claimed(db)
        outbox.record_deferred(db, message_id, reply="451 later", next_attempt_at=LATER)
        assert (stands(db).state, stands(db).attempts, stands(db).reply) == (DeliveryState.DEFERRED, 1, "451 later")
        [again] = outbox.claim(db, [message_id])
        assert (again.attempts, again.phase) == (2, Phase.CONNECT)


def test_an_attempt_that_never_reached_the_message_is_not_counted(database: Database) -> None:
    with database.writing() as db:
        message_id = claimed(db)
        outbox.record_deferred(db, message_id, reply="no connection", next_attempt_at=LATER, counted=False)
        assert stands(db).attempts == 0


def test_a_reply_may_hold_any_characters(database: Database) -> None:
    with database.writing() as db:
        outbox.record_sent(db, claimed(db), reply="250 \x00 \udcff ok", now=NOW)
        assert stands(db).reply == "250 \x00 \udcff ok"


STEPS: list[tuple[str, Callable[[Connection, str], None]]] = [
    ("phase", lambda db, message_id: outbox.record_phase(db, message_id, Phase.DOT)),
    ("sent", lambda db, message_id: outbox.record_sent(db, message_id, reply="250 ok", now=NOW)),
    ("failed", lambda db, one: outbox.record_ended(db, one, DeliveryState.FAILED, reply="550 no", now=NOW)),
    ("barred", lambda db, one: outbox.record_ended(db, one, DeliveryState.BARRED, reply="not allowed", now=NOW)),
    ("uncertain", lambda db, one: outbox.record_uncertain(db, one, reply="lost", next_attempt_at=NOW)),
    ("deferred", lambda db, message_id: outbox.record_deferred(db, message_id, reply="451", next_attempt_at=NOW)),
]
ENDS = [name for name, _ in STEPS if name != "phase"]


@pytest.mark.parametrize("step", [pytest.param(step, id=name) for name, step in STEPS])
@pytest.mark.parametrize("state", ["pending", *ENDS])
def test_only_a_message_that_is_being_sent_takes_a_step(
    database: Database, state: str, step: Callable[[Connection, str], None]
) -> None:
    with database.writing() as db:
        if state == "pending":
            [message_id] = composed(db, 1)
        else:
            message_id = claimed(db)
            dict(STEPS)[state](db, message_id)
        before = stands(db)
        with pytest.raises(OvertakenError, match=f"message {message_id} is not being sent"):
            step(db, message_id)
        assert stands(db) == before


# --- after a crash ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [pytest.param(phase, id=f"at {phase}") for phase in Phase])
def test_an_attempt_that_was_cut_off_is_found_with_its_phase(database: Database, phase: Phase) -> None:
    with database.writing() as db:
        composed(db, 2)
        message_id = claimed(db, 1)
        outbox.record_phase(db, message_id, phase)
    with database.reading() as db:
        assert [(one.message, one.phase) for one in outbox.interrupted_messages(db)] == [(message(1), phase)]


def test_every_state_is_counted(database: Database) -> None:
    with database.writing() as db:
        assert set(outbox.counts(db).values()) == {0}
        composed(db, 1, 2)
        claimed(db, 3)
        for number, (_, step) in enumerate(STEPS[1:], 4):
            step(db, claimed(db, number))
        assert outbox.counts(db) == {
            DeliveryState.PENDING: 2,
            DeliveryState.SENDING: 1,
            DeliveryState.SENT: 1,
            DeliveryState.FAILED: 1,
            DeliveryState.DEFERRED: 1,
            DeliveryState.UNCERTAIN: 1,
            DeliveryState.FOLDED: 0,
            DeliveryState.BARRED: 1,
        }
