"""Settles what is uncertain: was a message taken whose final dot was not answered?

With a journal mailbox, that is asked.  What it holds was taken.  What it does not hold was not, if it was a recipient
of that attempt too, and is sent again under the same Message-ID.  While it cannot be asked, nothing is sent again.

Without one, or where it was no recipient, a message is sent again once, so that it may come twice, with the same
Message-ID; after that, the operator decides.
"""

from datetime import datetime, timedelta

import structlog

from watcher.core.retry import wait_after
from watcher.errors import ChannelDown, ChannelRefused
from watcher.model import Delivery, DeliveryState, Phase
from watcher.notify.channel import Journal
from watcher.stages.deliver.handed import Handed
from watcher.stages.deliver.incidents import JOURNAL_INCIDENT
from watcher.stages.deliver.records import PERHAPS_DELIVERED, open_dead_letter
from watcher.store import doubts
from watcher.store.database import Database
from watcher.store.incidents import close_incident, open_incident

_AT_ONCE = 100  # settled in one run; each is a question to another server
_log = structlog.get_logger("deliver")


class Doubts:
    """The uncertain messages of one channel."""

    def __init__(
        self, database: Database, channel: str, journal: Journal | None, *, operator: str, give_up_after: timedelta
    ) -> None:
        """Wire the settling.

        Args:
            database: holds the outbox.
            channel: its name.
            journal: can be asked what was taken; None = there is none.
            operator: address that is told of what cannot be settled.
            give_up_after: the age at which a message is given up that cannot be settled.
        """
        self._database = database
        self._channel = channel
        self._journal = journal
        self._operator = operator
        self._give_up_after = give_up_after
        self._failures = 0  # of the journal, in a row

    def settle(self, handed: Handed, *, now: datetime) -> None:
        """Settle what can be settled now."""
        with self._database.reading() as db:
            due = doubts.uncertain_messages(db, channel=self._channel, now=now, limit=_AT_ONCE)
        for position, delivery in enumerate(due):
            if self._journal is None:
                self._send_again(delivery, now=now)
                continue
            try:
                held = self._journal.holds(delivery.message.message_id)
            except (ChannelDown, ChannelRefused) as error:
                self._postpone(due[position:], error, handed, now=now)
                return
            self._judge(self._journal, delivery, handed, held=held, now=now)
        if self._journal is not None and due:
            self._journal_works(now)

    def _judge(self, journal: Journal, delivery: Delivery, handed: Handed, *, held: bool, now: datetime) -> None:
        message = delivery.message
        if held:
            reply = f"found in the journal mailbox {journal.address} as {message.message_id}"
            with self._database.writing() as db:
                doubts.record_found(db, message.id, reply=reply, now=now)
            handed.states[DeliveryState.SENT] += 1
        elif delivery.phase is Phase.JOURNALLED:
            reply = f"not in the journal mailbox {journal.address}, so it was not taken: sent again"
            with self._database.writing() as db:
                doubts.record_again(db, message.id, reply=reply, now=now, disproved=True)
        elif delivery.unanswered > 1:
            self._give_up(
                delivery, f"{PERHAPS_DELIVERED}, twice; the journal mailbox was no recipient", handed, now=now
            )
        else:
            self._send_again(delivery, now=now)

    def _send_again(self, delivery: Delivery, *, now: datetime) -> None:
        reply = f"sent again, possible double: {delivery.reply}"
        with self._database.writing() as db:
            doubts.record_again(db, delivery.message.id, reply=reply, now=now, disproved=False)
        _log.warning("perhaps a double", message=delivery.message.id, reply=delivery.reply)

    def _postpone(
        self, left: list[Delivery], error: ChannelDown | ChannelRefused, handed: Handed, *, now: datetime
    ) -> None:
        """Ask the journal later; what has waited for that too long is the operator's to decide."""
        self._failures += 1
        again = now + wait_after(self._failures)
        old = [one for one in left if now - one.composed_at > self._give_up_after]
        for delivery in old:
            reply = f"{PERHAPS_DELIVERED}, and the journal mailbox cannot be asked ({error.reply})"
            self._give_up(delivery, reply, handed, now=now)
        summary = f"The journal mailbox cannot be asked whether mails were taken, so that they wait: {error.reply}"
        with self._database.writing() as db:
            doubts.postpone(db, [one.message.id for one in left if one not in old], until=again)
            open_incident(db, JOURNAL_INCIDENT, summary, now=now)
        _log.error("journal cannot be asked", reply=error.reply, again_at=str(again))

    def _give_up(self, delivery: Delivery, reply: str, handed: Handed, *, now: datetime) -> None:
        with self._database.writing() as db:
            doubts.record_given_up(db, delivery.message.id, reply=reply, now=now)
            open_dead_letter(db, delivery, reply, operator=self._operator, now=now)
        handed.states[DeliveryState.FAILED] += 1

    def _journal_works(self, now: datetime) -> None:
        self._failures = 0
        with self._database.writing() as db:
            close_incident(db, JOURNAL_INCIDENT, now=now)
