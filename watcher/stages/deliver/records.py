"""Writes what becomes of one channel's messages: the only place that does.

A receipt is written together with the next message's final dot, if that comes at once: a transaction for each would
double what a message costs.  A process that dies in between leaves the message uncertain, as it would a moment before.
What could not be written is kept, and written by the next run: what the server took is known, whatever the database did
then.

Does not talk to a server, and does not know sessions.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from watcher.core.retry import next_attempt
from watcher.errors import MailError, MessageDeferred, MessageRefused, OvertakenError
from watcher.model import Delivery, DeliveryState, Phase, Receipt
from watcher.stages.deliver.handed import Conditions, Patience
from watcher.stages.deliver.incidents import (
    JOURNAL_REFUSAL,
    delayed,
    incident_of,
)
from watcher.stages.deliver.lost import give_up_reader, is_lost
from watcher.store import outbox
from watcher.store.database import Database
from watcher.store.dead_letters import dead_letter
from watcher.store.folding import record_folded
from watcher.store.incidents import close_incident, open_incident, open_incidents

PERHAPS_DELIVERED = "perhaps delivered: the server did not answer when it had the whole message"
_MOST_UNANSWERED = 2  # blind attempts at one message
_log = structlog.get_logger("deliver")


class Records:
    """What became of the messages of one channel."""

    def __init__(
        self,
        database: Database,
        channel: str,
        *,
        patience: Patience,
        operator: str,
        conditions: Conditions,
        journal: str | None = None,
        fallbacks: Sequence[str] = (),
    ) -> None:
        """Wire the records of a channel.

        Args:
            database: holds the outbox.
            channel: its name.
            patience: how long to wait.
            operator: address that is told of mails that are given up.
            conditions: chance and time.
            journal: address of the mailbox that can be asked what was taken; None = there is none.
            fallbacks: who gets the mail of an address that does not exist, the best first; none = it is given up.
        """
        self._database = database
        self._channel = channel
        self._patience = patience
        self._operator = operator
        self._surroundings = conditions
        self._journal = journal
        self._fallbacks = tuple(fallbacks)
        self._began = 0.0
        self._moved_at = 0.0  # when something was last in hand anew, came a step further, or was done
        self._claimed: dict[str, Delivery] = {}  # marked as being sent, and not recorded as anything else since
        self._receipts: list[tuple[Delivery, Receipt]] = []  # not written yet
        self._open: set[str] = set()  # keys of incidents that were open at the last look

    @property
    def in_hand(self) -> frozenset[str]:
        """The messages that are being sent, or whose receipts are not written yet."""
        return frozenset(self._claimed.copy())

    @property
    def standing(self) -> timedelta:
        """For how long nothing has moved here."""
        return timedelta(seconds=self._surroundings.monotonic() - self._moved_at)

    # --- before ---------------------------------------------------------------------------------------------------

    def begin(self, now: datetime) -> None:
        """Begin a run: record what the last one could not, because the database failed it."""
        self._began = self._surroundings.monotonic()
        if not self._claimed:
            return
        with self._database.writing() as db:
            for delivery, receipt in self._receipts:
                try:
                    self._write_receipt(db, delivery, receipt, now)
                except OvertakenError as error:
                    _log.warning("a receipt was not recorded", message=delivery.message.id, why=str(error))
            known = {delivery.message.id for delivery, _ in self._receipts}
            for delivery in outbox.interrupted_messages(db):
                if delivery.message.id in self._claimed.keys() - known:
                    self.put_back(db, delivery, now)
        self._claimed.clear()
        self._receipts.clear()

    def due(self, *, limit: int, now: datetime) -> list[str]:
        """Return the messages that may be tried."""
        with self._database.reading() as db:
            return outbox.due_messages(db, channel=self._channel, now=now, limit=limit)

    def claim(self, message_ids: Sequence[str], *, now: datetime) -> tuple[list[Delivery], int]:
        """Mark messages as being sent; return them, and how many were folded instead, being too old to be read."""
        self._moved_at = self._surroundings.monotonic()
        with self._database.writing() as db:
            self._write_receipts(db, now)
            claimed = outbox.claim(db, message_ids)
            stale = [one for one in claimed if self._is_old(one, now) and self._fold(db, one, one.reply, now)]
            self._open = {incident.key for incident in open_incidents(db)}
        self._receipts.clear()
        self._claimed = {one.message.id: one for one in claimed if one not in stale}
        return list(self._claimed.values()), len(stale)

    def release(self, now: datetime) -> None:
        """Write the receipts, and put back what was claimed and not begun."""
        left = [one for one in self._claimed if one not in {delivery.message.id for delivery, _ in self._receipts}]
        if left or self._receipts:
            with self._database.writing() as db:
                self._write_receipts(db, now)
                outbox.release(db, left)
        self._receipts.clear()
        self._claimed.clear()

    # --- while ----------------------------------------------------------------------------------------------------

    def note_phase(self, delivery: Delivery, phase: Phase, *, now: datetime) -> None:
        """Record that a step begins, where it decides anything after a crash; the others are in the error if one fails.

        Raises:
            StoreError: it is not recorded, so the step must not begin.
        """
        self._moved_at = self._surroundings.monotonic()
        if phase.after_dot:
            with self._database.writing() as db:
                self._write_receipts(db, now)
                outbox.record_phase(db, delivery.message.id, phase)
            self._forget_written()

    def begin_again(self, delivery: Delivery, *, now: datetime) -> None:
        """Record that an attempt begins anew whose first part was not taken: its final dot, if noted, is void."""
        with self._database.writing() as db:
            self._write_receipts(db, now)
            outbox.record_phase(db, delivery.message.id, Phase.CONNECT)
        self._forget_written()

    # --- after ----------------------------------------------------------------------------------------------------

    def taken(self, delivery: Delivery, receipt: Receipt, *, at_once: bool, now: datetime) -> None:
        """Keep a receipt, to be written at once or with the next step."""
        self._moved_at = self._surroundings.monotonic()
        self._receipts.append((delivery, receipt))
        if at_once:
            with self._database.writing() as db:
                self._write_receipts(db, now)
            self._forget_written()

    def not_taken(self, delivery: Delivery, error: MailError, *, now: datetime) -> DeliveryState:
        """Record when a message is tried again, or that it is given up, or told by another one; return which."""
        again = None if isinstance(error, MessageRefused) else self._again(delivery, error, now)
        reply = f"{error.reply} (before that, {PERHAPS_DELIVERED})" if delivery.unanswered else error.reply
        with self._ending(delivery, now) as db:
            message_id = delivery.message.id
            if again is not None:
                outbox.record_deferred(db, message_id, reply=reply, next_attempt_at=again, phase=error.phase)
                return DeliveryState.DEFERRED
            if not isinstance(error, MessageRefused) and self._fold(db, delivery, reply, now):
                self._tell_delay(db, delivery, reply, now)
                return DeliveryState.FOLDED
            if is_lost(delivery, error) and give_up_reader(db, delivery, reply, fallbacks=self._fallbacks, now=now):
                return DeliveryState.FOLDED
            self._fail(db, delivery, reply, now, phase=error.phase)
            return DeliveryState.FAILED

    def unanswered(self, delivery: Delivery, error: MailError, *, now: datetime) -> DeliveryState:
        """Record that a message was perhaps taken, and when that is settled; without a journal, twice is too often."""
        if self._journal:
            elapsed = timedelta(seconds=self._surroundings.monotonic() - self._began)
            settle_at: datetime | None = now + elapsed + self._patience.journal_wait
        else:
            settle_at = self._again(delivery, error, now)
        with self._ending(delivery, now) as db:
            if settle_at is None or (not self._journal and delivery.unanswered + 1 >= _MOST_UNANSWERED):
                self._fail(db, delivery, f"{PERHAPS_DELIVERED} ({error.reply})", now)
                return DeliveryState.FAILED
            outbox.record_uncertain(db, delivery.message.id, reply=error.reply, next_attempt_at=settle_at)
            return DeliveryState.UNCERTAIN

    def barred(self, delivery: Delivery, error: MailError, *, now: datetime) -> None:
        """Record that a message is to somebody who may get none."""
        with self._ending(delivery, now) as db:
            outbox.record_ended(db, delivery.message.id, DeliveryState.BARRED, reply=error.reply, now=now)

    def not_reached(self, delivery: Delivery, error: MailError, *, counted: bool, now: datetime) -> None:
        """Record that the channel stopped working before the message's turn was over."""
        with self._ending(delivery, now) as db:
            outbox.record_deferred(
                db, delivery.message.id, reply=error.reply, next_attempt_at=now, counted=counted, phase=error.phase
            )

    def put_back(self, db: Connection, delivery: Delivery, now: datetime) -> None:
        """Record of an attempt that was cut off what is known of it, from the row alone."""
        if delivery.phase is not None and delivery.phase.after_dot:
            settle_at = now + self._patience.journal_wait if self._journal else now
            reply = f"cut off after the final dot; {PERHAPS_DELIVERED}"
            outbox.record_uncertain(db, delivery.message.id, reply=reply, next_attempt_at=settle_at)
        else:
            reply = "cut off before the final dot"
            outbox.record_deferred(db, delivery.message.id, reply=reply, next_attempt_at=now, counted=False)
        _log.warning("interrupted delivery", message=delivery.message.id, phase=delivery.phase)

    # --- one step -------------------------------------------------------------------------------------------------

    @contextmanager
    def _ending(self, delivery: Delivery, now: datetime) -> Iterator[Connection]:
        """Give a transaction in which an attempt ends; the receipts of those before it are written first."""
        self._moved_at = self._surroundings.monotonic()
        with self._database.writing() as db:
            self._write_receipts(db, now)
            yield db
        self._forget_written()
        self._claimed.pop(delivery.message.id, None)

    def _write_receipts(self, db: Connection, now: datetime) -> None:
        for delivery, receipt in self._receipts:
            self._write_receipt(db, delivery, receipt, now)

    def _forget_written(self) -> None:
        for delivery, _ in self._receipts:
            self._claimed.pop(delivery.message.id, None)
        self._receipts.clear()

    def _write_receipt(self, db: Connection, delivery: Delivery, receipt: Receipt, now: datetime) -> None:
        doubt = "; possible double: an earlier attempt was not answered" if delivery.unanswered else ""
        outbox.record_sent(db, delivery.message.id, reply=receipt.reply + doubt, now=now)
        for key in (incident_of(delivery, self._operator), delayed(delivery.message.recipient)):
            self._close(db, key, now)
        if self._journal and receipt.journal_refusal is None:
            self._close(db, JOURNAL_REFUSAL, now)
        elif self._journal:
            self._tell_of_journal(db, receipt.journal_refusal, now)

    def _close(self, db: Connection, key: str, now: datetime) -> None:
        if key in self._open:  # asked of the database once for many messages: it is hardly ever so
            close_incident(db, key, now=now)
            self._open.discard(key)

    def _tell_of_journal(self, db: Connection, refusal: str | None, now: datetime) -> None:
        if JOURNAL_REFUSAL not in self._open:
            summary = (
                f"The mail server does not take the journal mailbox {self._journal} as a second recipient: {refusal}. "
                "Mails go out all the same, but a lost answer can lead to a double."
            )
            open_incident(db, JOURNAL_REFUSAL, summary, now=now)
            self._open.add(JOURNAL_REFUSAL)

    def _again(self, delivery: Delivery, error: MailError, now: datetime) -> datetime | None:
        return next_attempt(
            now,
            attempts=delivery.attempts,
            composed_at=delivery.composed_at,
            give_up_after=self._patience.give_up_after,
            chance=self._surroundings.chance(),
            hint=error.retry_after if isinstance(error, MessageDeferred) else None,
        )

    @staticmethod
    def _fold(db: Connection, delivery: Delivery, reply: str | None, now: datetime) -> bool:
        """Let another message tell what this one was to tell, if it can; not if it was perhaps taken."""
        if delivery.digest_id is None or delivery.unanswered:
            return False
        words = f"told by another message: {reply or 'it waited too long for the server'}"
        return record_folded(db, delivery.message.id, reply=words, now=now)

    def _is_old(self, delivery: Delivery, now: datetime) -> bool:
        return now - delivery.composed_at > self._patience.give_up_after

    def _fail(
        self, db: Connection, delivery: Delivery, reply: str, now: datetime, *, phase: Phase | None = None
    ) -> None:
        message = delivery.message
        outbox.record_ended(db, message.id, DeliveryState.FAILED, reply=reply, now=now, phase=phase)
        open_dead_letter(db, delivery, reply, operator=self._operator, now=now)
        self._open.add(incident_of(delivery, self._operator))

    def _tell_delay(self, db: Connection, delivery: Delivery, reply: str, now: datetime) -> None:
        """Tell the operator once of somebody whose mail does not get through, however often it is told anew."""
        recipient, hours = delivery.message.recipient, self._patience.give_up_after // timedelta(hours=1)
        close_incident(db, incident_of(delivery, self._operator), now=now)  # that it was refused and tried again
        summary = (
            f"Mail to {recipient} has not been taken for {hours} hours: {reply}. "
            "What it told is told in a new mail, marked as delayed, until one is taken."
        )
        open_incident(db, delayed(recipient), summary, now=now)
        self._open.add(delayed(recipient))
        _log.error("mail delayed for long", message=delivery.message.id, reply=reply)


def open_dead_letter(db: Connection, delivery: Delivery, reply: str, *, operator: str, now: datetime) -> None:
    """Tell the operator of a message that was given up."""
    message, key = delivery.message, incident_of(delivery, operator)
    summary = f'The mail "{message.subject}" to {message.recipient} was given up: {reply}.'
    if key == dead_letter(message.id):
        close_incident(db, key, now=now)  # that it was refused and tried again, which is over
    open_incident(db, key, summary, now=now)
    _log.error("mail given up", message=message.id, reply=reply)
