"""One channel's messages: handed over in sessions, until the channel does not work, or nothing is due.

Knows what an error means for the session and for the channel, and who is to blame.  What becomes of a message is
written by ``records``.
"""

from datetime import datetime, timedelta
from functools import partial

import structlog

from watcher.errors import (
    ChannelDown,
    ChannelRefused,
    LineBroken,
    MessageBarred,
    MessageDeferred,
    MessageRefused,
    MessageUncertain,
)
from watcher.model import Delivery, DeliveryState, Phase, Receipt
from watcher.notify.channel import Channel, Session
from watcher.stages.deliver.doubts import Doubts
from watcher.stages.deliver.handed import Conditions, Handed, Patience
from watcher.stages.deliver.records import Records
from watcher.stages.deliver.trouble import Trouble

_BATCH = 2_000  # messages of which a run knows that they are due; the next run takes the next ones
_CLAIMED = 50  # that are marked as being sent in one transaction
_PROMPT = timedelta(milliseconds=50)  # a conversation that took less: the next one's record comes at once
_OPERATOR_PAUSE = timedelta(minutes=30)  # a refused login tried too often locks the account
# From here on the server knew which message it was: what it then says of the channel may be meant for that one alone.
_AT_A_MESSAGE = frozenset({Phase.RCPT, Phase.DATA, Phase.DOT})
_REFUSED_IN_A_ROW = 2  # such answers to different messages: now it is the channel
_log = structlog.get_logger("deliver")


class Line:
    """Hands the messages of one channel over."""

    def __init__(
        self,
        channel: Channel,
        records: Records,
        *,
        doubts: Doubts,
        trouble: Trouble,
        patience: Patience,
        conditions: Conditions,
    ) -> None:
        """Take the channel, and what writes and settles for it."""
        self._channel = channel
        self._records = records
        self._doubts = doubts
        self._trouble = trouble
        self._patience = patience
        self._surroundings = conditions
        self._paused_until: datetime | None = None  # holds for messages that are composed meanwhile, too
        self._refused_in_a_row = 0
        self._set_aside: list[tuple[Delivery, str]] = []  # refused as if the channel were to blame

    def run(self, now: datetime) -> Handed:
        """Try the messages that are due, as many as one turn takes."""
        handed = Handed()
        ends_at = self._surroundings.monotonic() + self._patience.turn.total_seconds()
        self._records.begin(now)
        self._doubts.settle(handed, now=now)
        if self._pauses(now):
            return handed
        self._refused_in_a_row, self._set_aside = 0, []
        batch = self._records.due(limit=_BATCH, now=now)
        left = batch
        while left and not handed.troubles and not self._surroundings.stopping():
            if self._surroundings.monotonic() > ends_at:
                handed.more = True
                break
            left = self._converse(left, handed, now, ends_at)
        if self._set_aside and not handed.troubles:
            self._trouble.was_not_the_channel_s(self._set_aside, now=now)
        handed.more = not handed.troubles and (handed.more or len(batch) == _BATCH)
        return handed

    def _pauses(self, now: datetime) -> bool:
        """Whether the channel is left alone now; not for a pause that a clock which was ahead has set."""
        longest = max(_OPERATOR_PAUSE, self._patience.down_for)
        return self._paused_until is not None and now < self._paused_until <= now + longest

    def _converse(self, due: list[str], handed: Handed, now: datetime, ends_at: float) -> list[str]:
        """Hand messages over in one session; return those that are left when it ends early."""
        left = due[::-1]
        try:
            with self._channel.session() as session:
                while left and self._goes_on(ends_at):
                    if not self._hand_over_some(session, left, handed, now):
                        break
                self._records.release(now)
        except (ChannelDown, ChannelRefused) as error:
            self._records.release(now)
            self._pause(error, handed, now)
            return []
        self._trouble.is_over(now)
        return left[::-1]

    def _goes_on(self, ends_at: float) -> bool:
        return not self._surroundings.stopping() and self._surroundings.monotonic() <= ends_at

    def _hand_over_some(self, session: Session, left: list[str], handed: Handed, now: datetime) -> bool:
        """Claim some messages and try each; return whether the session can go on.  ``left``: the last one is next."""
        some = left[: -_CLAIMED - 1 : -1]
        deliveries, folded = self._records.claim(some, now=now)
        handed.states[DeliveryState.FOLDED] += folded
        del left[-len(some) :]
        while deliveries:
            if self._surroundings.stopping():
                break
            if not self._hand_over(session, deliveries.pop(0), handed, now):
                left.extend(one.message.id for one in reversed(deliveries))
                return False
        return True

    def _hand_over(self, session: Session, delivery: Delivery, handed: Handed, now: datetime) -> bool:
        """Try one message; return whether the session can go on with the next."""
        began = self._surroundings.monotonic()
        try:
            receipt = self._send(session, delivery, now)
        except MessageBarred as error:
            self._records.barred(delivery, error, now=now)
            handed.states[DeliveryState.BARRED] += 1
            return True
        except (MessageDeferred, MessageRefused) as error:
            self._refused_in_a_row = 0
            handed.states[self._records.not_taken(delivery, error, now=now)] += 1
            return True
        except MessageUncertain as error:
            self._refused_in_a_row = 0
            handed.states[self._records.unanswered(delivery, error, now=now)] += 1
            return False
        except (ChannelDown, ChannelRefused) as error:
            self._blame(delivery, error, handed, now)
            return False
        took = timedelta(seconds=self._surroundings.monotonic() - began)
        self._records.taken(delivery, receipt, at_once=took > _PROMPT, now=now)
        handed.states[DeliveryState.SENT] += 1
        self._refused_in_a_row = 0
        return True

    def _send(self, session: Session, delivery: Delivery, now: datetime) -> Receipt:
        """Hand a message over; where the line breaks before the final dot, once more at once, on a fresh connection."""
        on_phase = partial(self._records.note_phase, delivery, now=now)
        try:
            return session.send(delivery.message, on_phase=on_phase)
        except LineBroken as error:
            if self._surroundings.stopping():
                raise
            _log.warning("the line broke; tried again at once", message=delivery.message.id, reply=error.reply)
        self._records.begin_again(delivery, now=now)
        return session.send(delivery.message, on_phase=on_phase)

    def _blame(self, delivery: Delivery, error: ChannelDown | ChannelRefused, handed: Handed, now: datetime) -> None:
        """Settle what is to blame for a channel that stopped at a message: if it may be that one, set it aside.

        Otherwise one reader, whose own server answers so, would keep the mails of all others waiting for ever.  What
        was tried more often is tried later, see ``outbox.due_messages``.

        Raises:
            ChannelDown, ChannelRefused: the channel.
        """
        at_message = error.phase in _AT_A_MESSAGE
        if isinstance(error, ChannelRefused) and at_message:
            self._refused_in_a_row += 1
            state = self._records.not_taken(delivery, error, now=now)
            handed.states[state] += 1
            if state is DeliveryState.DEFERRED:
                self._set_aside.append((delivery, error.reply))
            if self._refused_in_a_row < _REFUSED_IN_A_ROW:
                return
        else:
            self._records.not_reached(delivery, error, counted=at_message, now=now)
        raise error

    def _pause(self, error: ChannelDown | ChannelRefused, handed: Handed, now: datetime) -> None:
        handed.troubles[self._trouble.channel] = error
        refused = isinstance(error, ChannelRefused)
        until = now + (_OPERATOR_PAUSE if refused else self._patience.down_for)
        self._paused_until = until
        self._trouble.begins(error, until=until, now=now)
        _log.error("channel does not work", channel=self._channel.name, reply=error.reply, again_at=str(until))
