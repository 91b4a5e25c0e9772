"""Deliver: hand the outbox's messages over, one at a time, and record what became of each.

The order of events is the promise.  A message is marked before it is touched; the final dot is recorded before it is
written; the receipt is recorded after it was read.  Whatever dies in between, the row says what is known.

Does not compose, and holds no transaction open while it talks to a server.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from watcher.core.retry import next_attempt
from watcher.core.targets import MAIL
from watcher.errors import ChannelDown, ChannelRefused, MailError, MessageDeferred, MessageRefused, MessageUncertain
from watcher.model import Delivery, DeliveryState, Message, Phase
from watcher.notify.channel import Channel, Session
from watcher.notify.undeclared import UndeclaredChannel
from watcher.store import outbox
from watcher.store.database import Database
from watcher.store.incidents import close_incident, close_incidents, open_incident

CHANNEL_INCIDENT = "mail server"  # is down
_REFUSAL_INCIDENT = "mail server refuses us"  # until somebody changes something
TARGET_INCIDENT = "down "  # with the name of a target
_TARGET_REFUSAL = "refuses us "  # the same
OPERATOR_INCIDENT = "mail to the operator"
_BATCH = 500  # messages in one run; the next run takes the next ones
_TARGET_BATCH = 20  # the same of a target, which may be slow at each: the mails must not wait for it
_MOST_ASKED = timedelta(hours=6)  # what a receiver may ask us to wait
_OPERATOR_PAUSE = timedelta(minutes=30)  # a refused login tried too often locks the account
# From here on the server knew which message it was: what it then says of the channel may be meant for that one alone.
_AT_A_MESSAGE = frozenset({Phase.RCPT, Phase.DATA, Phase.DOT})
_REFUSED_IN_A_ROW = 2  # such answers to different messages: now it is the channel
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
    set_aside: list[tuple[Message, str]] = field(default_factory=list)  # refused as if the channel were to blame
    refused_in_a_row: int = 0


class Deliver:
    """The third stage, and the recovery of what a dead process left behind."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        patience: Patience,
        *,
        operator: str,
        stopping: Callable[[], bool],
    ) -> None:
        """Wire the stage.

        Args:
            database: holds the outbox.
            channels: take the messages, by the names of ``core/targets.py``.
            patience: how long to wait for either.
            operator: address that is told of mails that are given up.
            stopping: whether the service is ending.
        """
        self._database = database
        self._channels = channels
        self._patience = patience
        self._operator = operator
        self._stopping = stopping
        self._in_hand: str | None = None  # the message whose attempt has begun and is not recorded as ended
        self._paused_until: dict[str, datetime] = {}  # by channel; holds for messages that are composed meanwhile, too

    def recover(self, *, now: datetime) -> int:
        """Put attempts that the end of a process cut off back into the queue; return how many.

        Only the one instance that does the work may call this.  Before the final dot nothing was accepted.  After it
        the message may have been: it is sent once more under the same Message-ID, so that the double can be recognised.
        """
        with self._database.writing() as db:
            interrupted = outbox.interrupted_messages(db)
            for delivery in interrupted:
                _put_back(db, delivery, now)
        return len(interrupted)

    def run(self, *, now: datetime) -> Handed:
        """Try the messages that are due, as many as one run takes: the service then looks at its settings again."""
        return self._run_channels(now, to_the_end=False)

    def run_all(self, *, now: datetime) -> Handed:
        """Try every message that is due."""
        return self._run_channels(now, to_the_end=True)

    def _run_channels(self, now: datetime, *, to_the_end: bool) -> Handed:
        """Serve each channel that messages wait for; the trouble of one is none of the others'."""
        self._put_back_what_failed(now)
        total = Handed()
        with self._database.reading() as db:
            waiting = outbox.waiting_channels(db)
        for name in waiting:
            handed = Handed(states=total.states)
            # What was tried is not due at the same moment any more, so that this ends.
            while self._run_batch(name, handed, now) and to_the_end and not handed.trouble and not self._stopping():
                pass
            self._note_set_aside(handed, now)
            total.trouble = total.trouble or handed.trouble
        return total

    def _run_batch(self, name: str, handed: Handed, now: datetime) -> bool:
        """Try as many of a channel's messages as one run takes; return whether more may be due."""
        if self._pauses(name, now):
            return False
        limit = _BATCH if name == MAIL else _TARGET_BATCH
        with self._database.reading() as db:
            batch = outbox.due_messages(db, now=now, limit=limit, channel=name)
        due = batch
        while due and handed.trouble is None and not self._stopping():
            due = self._converse(name, due, handed, now)
        return len(batch) == limit

    def _note_set_aside(self, handed: Handed, now: datetime) -> None:
        """Tell the operator of messages that were refused as if the channel were to blame, when it was not."""
        if not handed.set_aside or handed.trouble is not None:
            return
        with self._database.writing() as db:
            for message, reply in handed.set_aside:
                summary = (
                    f'The mail "{message.subject}" to {message.recipient} is refused for a reason that only you '
                    f"can put right; it is tried again: {reply}."
                )
                open_incident(db, self._incident_of(message), summary, now=now)

    def _pauses(self, name: str, now: datetime) -> bool:
        """Whether a channel is left alone now; not for a pause that a clock which was ahead has set."""
        longest = max(_OPERATOR_PAUSE, self._patience.down_for)
        until = self._paused_until.get(name)
        return until is not None and now < until <= now + longest

    def _put_back_what_failed(self, now: datetime) -> None:
        """Free the message at which the last run failed because the database did: nobody else does before a restart."""
        if self._in_hand is None:
            return
        with self._database.writing() as db:
            for delivery in outbox.interrupted_messages(db):
                if delivery.message.id == self._in_hand:
                    _put_back(db, delivery, now)
        self._in_hand = None

    def _channel(self, name: str) -> Channel:
        return self._channels.get(name) or UndeclaredChannel(name)

    def _converse(self, name: str, due: list[str], handed: Handed, now: datetime) -> list[str]:
        """Hand messages over in one session; return those that are left when it ends early."""
        try:
            with self._channel(name).session() as session:
                for position, message_id in enumerate(due):
                    if self._stopping():
                        return []
                    if not self._hand_over(session, message_id, handed, now):
                        return due[position + 1 :]
        except (ChannelDown, ChannelRefused) as error:
            self._pause(name, error, handed, now)
            return []
        with self._database.writing() as db:
            close_incidents(db, [_trouble_of(name, refused=refused) for refused in (False, True)], now=now)
        return []

    def _hand_over(self, session: Session, message_id: str, handed: Handed, now: datetime) -> bool:
        """Try one message; return whether the session can go on with the next."""
        self._in_hand = message_id
        with self._database.writing() as db:
            delivery = outbox.claim(db, message_id)
        goes_on = delivery is None or self._attempt(session, delivery, handed, now)
        self._in_hand = None
        return goes_on

    def _attempt(self, session: Session, delivery: Delivery, handed: Handed, now: datetime) -> bool:
        message = delivery.message
        try:
            receipt = session.send(message, on_phase=lambda phase: self._note_phase(message.id, phase))
        except (MessageDeferred, MessageRefused, MessageUncertain) as error:
            handed.refused_in_a_row = 0
            self._not_taken(delivery, error, handed, now)
            return not isinstance(error, MessageUncertain)
        except (ChannelDown, ChannelRefused) as error:
            self._blame(delivery, error, handed, now)
            return False
        with self._database.writing() as db:
            outbox.record_sent(db, message.id, reply=receipt.reply, now=now)
            close_incident(db, self._incident_of(message), now=now)
        handed.states[DeliveryState.SENT] += 1
        handed.refused_in_a_row = 0
        return True

    def _note_phase(self, message_id: str, phase: Phase) -> None:
        # Only the dot decides anything after a crash; the other steps are in the error if one fails.
        if phase is Phase.DOT:
            with self._database.writing() as db:
                outbox.record_phase(db, message_id, phase)

    def _blame(self, delivery: Delivery, error: ChannelDown | ChannelRefused, handed: Handed, now: datetime) -> None:
        """Settle what is to blame for a channel that stopped at a message: if it may be that one, set it aside.

        Otherwise one reader, whose own server answers so, would keep the mails of all others waiting for ever.  What
        was tried more often is tried later, see ``outbox.due_messages``.

        Raises:
            ChannelDown, ChannelRefused: the channel.
        """
        at_message = error.phase in _AT_A_MESSAGE
        if isinstance(error, ChannelRefused) and at_message:
            handed.refused_in_a_row += 1
            if self._not_taken(delivery, error, handed, now):
                handed.set_aside.append((delivery.message, error.reply))
            if handed.refused_in_a_row < _REFUSED_IN_A_ROW:
                return
        else:
            with self._database.writing() as db:
                outbox.record_deferred(
                    db, delivery.message.id, reply=error.reply, next_attempt_at=now, counted=at_message
                )
        raise error

    def _not_taken(self, delivery: Delivery, error: MailError, handed: Handed, now: datetime) -> bool:
        """Record when a message is tried again, or that it is given up; return whether it is tried again."""
        again = None
        if not isinstance(error, MessageRefused):
            again = next_attempt(
                now,
                attempts=delivery.attempts,
                composed_at=delivery.composed_at,
                give_up_after=self._patience.give_up_after,
            )
        if again is not None and isinstance(error, MessageDeferred) and error.retry_after is not None:
            again = max(again, now + min(error.retry_after, _MOST_ASKED))
        message = delivery.message
        with self._database.writing() as db:
            if again is not None:
                outbox.record_deferred(db, message.id, reply=error.reply, next_attempt_at=again)
                handed.states[DeliveryState.DEFERRED] += 1
                return True
            outbox.record_failed(db, message.id, reply=error.reply, now=now)
            handed.states[DeliveryState.FAILED] += 1
            summary = f'The mail "{message.subject}" to {message.recipient} was given up: {error.reply}.'
            key = self._incident_of(message)
            if key != OPERATOR_INCIDENT:
                close_incident(db, key, now=now)  # that it was refused and tried again, which is over
            open_incident(db, key, summary, now=now)
        _log.error("mail given up", message=message.id, reply=error.reply)
        return False

    def _incident_of(self, message: Message) -> str:
        """Return what the trouble with a message is filed under.

        A mail to the operator that fails is told to the operator: once, or each failure would lead to the next mail.
        """
        return OPERATOR_INCIDENT if message.recipient == self._operator else f"message {message.id}"

    def _pause(self, name: str, error: ChannelDown | ChannelRefused, handed: Handed, now: datetime) -> None:
        handed.trouble = error
        self._in_hand = None
        refused = isinstance(error, ChannelRefused)
        until = now + (_OPERATOR_PAUSE if refused else self._patience.down_for)
        self._paused_until[name] = until
        what = "Mail" if name == MAIL else f"What {name} is to hear"
        with self._database.writing() as db:
            outbox.defer_all(db, until=until, channel=name)
            summary = f"{what} cannot be handed over: {error.reply}"
            open_incident(db, _trouble_of(name, refused=refused), summary, now=now)
        channel = self._channel(name).name
        _log.error("channel does not work", channel=channel, reply=error.reply, again_at=str(until))


def _trouble_of(name: str, *, refused: bool) -> str:
    """Return what a channel's own trouble is filed under: it is down, or it refuses us."""
    if name == MAIL:
        return _REFUSAL_INCIDENT if refused else CHANNEL_INCIDENT
    return (_TARGET_REFUSAL if refused else TARGET_INCIDENT) + name


def _put_back(db: Connection, delivery: Delivery, now: datetime) -> None:
    uncertain = delivery.phase is Phase.DOT
    reply = "cut off after the final dot: perhaps a double" if uncertain else "cut off before the final dot"
    outbox.record_deferred(db, delivery.message.id, reply=reply, next_attempt_at=now, counted=uncertain)
    _log.warning("interrupted delivery", message=delivery.message.id, uncertain=uncertain)
