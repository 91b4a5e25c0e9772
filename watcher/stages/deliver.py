"""Deliver: hand the outbox's messages over, one at a time, and record what became of each.

The order of events is the promise.  A message is marked before it is touched; the final dot is recorded before it is
written; the receipt is recorded after it was read.  Whatever dies in between, the row says what is known.

Does not compose, and holds no transaction open while it talks to a server.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from watcher.core.retry import next_attempt
from watcher.errors import ChannelDown, ChannelRefused, MailError, MessageDeferred, MessageRefused, MessageUncertain
from watcher.model import Delivery, DeliveryState, Phase
from watcher.notify.channel import Channel, Session
from watcher.store import outbox
from watcher.store.database import Database
from watcher.store.incidents import close_incident, open_incident

CHANNEL_INCIDENT = "mail server"
_BATCH = 500  # messages in one run; the next run takes the next ones
_OPERATOR_PAUSE = timedelta(minutes=30)  # a refused login tried too often locks the account
_log = structlog.get_logger("deliver")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    down_for: timedelta  # until the next try of a channel that is down
    give_up_after: timedelta  # the age at which a message is given up


@dataclass(slots=True)
class Handed:
    """What a delivery run did."""

    states: Counter[DeliveryState] = field(default_factory=Counter)
    trouble: MailError | None = None  # the channel as a whole does not work


class Deliver:
    """The third stage, and the recovery of what a dead process left behind."""

    def __init__(
        self, database: Database, channel: Channel, patience: Patience, *, stopping: Callable[[], bool]
    ) -> None:
        self._database = database
        self._channel = channel
        self._patience = patience
        self._stopping = stopping

    def recover(self, *, now: datetime) -> int:
        """Put attempts that the end of a process cut off back into the queue; return how many.

        Only the one instance that does the work may call this.  Before the final dot nothing was accepted.  After it
        the message may have been: it is sent once more under the same Message-ID, so that the double can be recognised.
        """
        with self._database.writing() as db:
            interrupted = outbox.interrupted_messages(db)
            for delivery in interrupted:
                uncertain = delivery.phase is Phase.DOT
                reply = "cut off after the final dot: perhaps a double" if uncertain else "cut off before the final dot"
                outbox.record_deferred(db, delivery.message.id, reply=reply, next_attempt_at=now, counted=uncertain)
                _log.warning("interrupted delivery", message=delivery.message.id, uncertain=uncertain)
        return len(interrupted)

    def run(self, *, now: datetime) -> Handed:
        """Try every message that is due."""
        handed = Handed()
        with self._database.reading() as db:
            due = outbox.due_messages(db, now=now, limit=_BATCH)
        while due and handed.trouble is None and not self._stopping():
            due = self._converse(due, handed, now)
        return handed

    def _converse(self, due: list[str], handed: Handed, now: datetime) -> list[str]:
        """Hand messages over in one session; return those that are left when it ends early."""
        try:
            with self._channel.session() as session:
                for position, message_id in enumerate(due):
                    if self._stopping():
                        return []
                    if not self._hand_over(session, message_id, handed, now):
                        return due[position + 1 :]
        except (ChannelDown, ChannelRefused) as error:
            self._pause(error, handed, now)
            return []
        with self._database.writing() as db:
            close_incident(db, CHANNEL_INCIDENT, now=now)
        return []

    def _hand_over(self, session: Session, message_id: str, handed: Handed, now: datetime) -> bool:
        """Try one message; return whether the session can go on with the next."""
        with self._database.writing() as db:
            delivery = outbox.claim(db, message_id)
        if delivery is None:
            return True
        try:
            receipt = session.send(delivery.message, on_phase=lambda phase: self._note_phase(message_id, phase))
        except (MessageDeferred, MessageRefused) as error:
            self._not_taken(delivery, error, handed, now)
            return True
        except MessageUncertain as error:
            self._not_taken(delivery, error, handed, now)
            return False
        except (ChannelDown, ChannelRefused) as error:
            with self._database.writing() as db:
                outbox.record_deferred(db, message_id, reply=error.reply, next_attempt_at=now, counted=False)
            raise
        with self._database.writing() as db:
            outbox.record_sent(db, message_id, reply=receipt.reply, now=now)
        handed.states[DeliveryState.SENT] += 1
        return True

    def _note_phase(self, message_id: str, phase: Phase) -> None:
        # Only the dot decides anything after a crash; the other steps are in the error if one fails.
        if phase is Phase.DOT:
            with self._database.writing() as db:
                outbox.record_phase(db, message_id, phase)

    def _not_taken(self, delivery: Delivery, error: MailError, handed: Handed, now: datetime) -> None:
        again = None
        if not isinstance(error, MessageRefused):
            again = next_attempt(
                now,
                attempts=delivery.attempts,
                composed_at=delivery.composed_at,
                give_up_after=self._patience.give_up_after,
            )
        message = delivery.message
        with self._database.writing() as db:
            if again is not None:
                outbox.record_deferred(db, message.id, reply=error.reply, next_attempt_at=again)
                handed.states[DeliveryState.DEFERRED] += 1
                return
            outbox.record_failed(db, message.id, reply=error.reply, now=now)
            handed.states[DeliveryState.FAILED] += 1
            summary = f'The mail "{message.subject}" to {message.recipient} was given up: {error.reply}.'
            open_incident(db, f"message {message.id}", summary, now=now)
        _log.error("mail given up", message=message.id, reply=error.reply)

    def _pause(self, error: ChannelDown | ChannelRefused, handed: Handed, now: datetime) -> None:
        handed.trouble = error
        refused = isinstance(error, ChannelRefused)
        until = now + (_OPERATOR_PAUSE if refused else self._patience.down_for)
        with self._database.writing() as db:
            outbox.defer_all(db, until=until)
            open_incident(db, CHANNEL_INCIDENT, f"Mail cannot be handed over: {error.reply}", now=now)
        _log.error("mail channel does not work", channel=self._channel.name, reply=error.reply, again_at=str(until))
