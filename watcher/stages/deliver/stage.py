"""The third stage: every channel has a turn of its own, and none waits for another.

With several channels, each has a thread.  One that hangs is left behind when the turn is over, and is not begun anew
before it has ended: the next run serves the others meanwhile.
"""

from collections.abc import Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime

import structlog

from watcher.core.targets import MAIL
from watcher.model import DeliveryState
from watcher.notify.channel import Channel, Journal
from watcher.stages.deliver.doubts import Doubts
from watcher.stages.deliver.handed import Conditions, Handed, Patience
from watcher.stages.deliver.incidents import gone
from watcher.stages.deliver.line import Line
from watcher.stages.deliver.records import Records
from watcher.stages.deliver.trouble import Trouble
from watcher.store import outbox
from watcher.store.database import Database
from watcher.store.dead_letters import give_up_channel
from watcher.store.incidents import close_incident, open_incident

_log = structlog.get_logger("deliver")


class Deliver:
    """The third stage, and the recovery of what a dead process left behind."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        patience: Patience,
        *,
        operator: str,
        conditions: Conditions,
        journal: Journal | None = None,
    ) -> None:
        """Wire the stage.

        Args:
            database: holds the outbox.
            channels: take the messages, by the names of ``core/targets.py``.
            patience: how long to wait.
            operator: address that is told of mails that are given up.
            conditions: chance, time, and whether the service is ending.
            journal: mailbox that can be asked what the mail server has taken; the mail channel names it as a recipient.
        """
        self._database = database
        self._patience = patience
        self._surroundings = conditions
        self._records: dict[str, Records] = {}
        self._lines: dict[str, Line] = {}
        for name, channel in channels.items():
            asked = journal if name == MAIL else None
            records = Records(
                database,
                name,
                patience=patience,
                operator=operator,
                conditions=conditions,
                journal=asked.address if asked else None,
            )
            self._records[name] = records
            self._lines[name] = Line(
                channel,
                records,
                doubts=Doubts(database, name, asked, operator=operator, give_up_after=patience.give_up_after),
                trouble=Trouble(database, name, operator=operator),
                patience=patience,
                conditions=conditions,
            )
        self._threads: ThreadPoolExecutor | None = None
        self._running: dict[str, Future[Handed]] = {}  # channels whose turn is not over yet, by name

    def recover(self, *, now: datetime) -> int:
        """Put attempts that the end of a process cut off back into the queue; return how many.

        Only the one instance that does the work may call this.  Before the final dot nothing was accepted.  After it
        the message may have been: see ``doubts``.
        """
        with self._database.writing() as db:
            interrupted = outbox.interrupted_messages(db)
            for delivery in interrupted:
                records = self._records.get(delivery.message.channel) or self._records[MAIL]
                records.put_back(db, delivery, now)
        return len(interrupted)

    def put_back(self, message_ids: Collection[str], now: datetime) -> int:
        """Do for some messages what ``recover`` does for all, but not for what this process has in hand."""
        in_hand = {message_id for records in self._records.values() for message_id in records.in_hand}
        with self._database.writing() as db:
            stuck = [one for one in outbox.interrupted_messages(db) if one.message.id in message_ids]
            freed = [one for one in stuck if one.message.id not in in_hand]
            for delivery in freed:
                records = self._records.get(delivery.message.channel) or self._records[MAIL]
                records.put_back(db, delivery, now)
        return len(freed)

    def run(self, *, now: datetime) -> Handed:
        """Try the messages that are due, as many as one run takes: the service then looks at its settings again."""
        return self._run(now, patient=False)

    def run_all(self, *, now: datetime) -> Handed:
        """Try every message that is due."""
        total = Handed(more=True)
        # What was tried is not due at the same moment any more, so that this ends.
        while total.more and not self._surroundings.stopping():
            handed = self._run(now, patient=True)
            total.more = False
            total.add(handed)
        return total

    def _run(self, now: datetime, *, patient: bool) -> Handed:
        """Give every channel that messages wait for its turn; ``patient``: however long that takes."""
        total = Handed()
        with self._database.reading() as db:
            waiting = outbox.waiting_channels(db)
        for name in waiting:
            if name not in self._lines:
                total.states[DeliveryState.FAILED] += self._give_up_on(name, now)
        if len(self._lines) == 1:
            (line,) = self._lines.values()
            total.add(line.run(now))
            return total
        begun = self._begin([name for name in waiting if name in self._lines], now)
        if patient:
            wait(self._running.values())
        else:
            wait(begun, timeout=self._patience.turn.total_seconds())
        ended = [name for name, turn in self._running.items() if turn.done()]
        for turn in [self._running.pop(name) for name in ended]:
            total.add(turn.result())
        return total

    def _begin(self, names: list[str], now: datetime) -> list[Future[Handed]]:
        """Begin the turns of channels, but for those whose last turn goes on still, and return them."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(len(self._lines), thread_name_prefix="deliver")
        fresh = {name: self._threads.submit(self._lines[name].run, now) for name in names if name not in self._running}
        self._running |= fresh
        return list(fresh.values())

    def _give_up_on(self, name: str, now: datetime) -> int:
        """Give up what waits for a channel that the settings do not name any more, and tell the operator."""
        reply = f"the settings name no {name} any more"
        with self._database.writing() as db:
            given_up, digests = give_up_channel(db, name, reply=reply, now=now)
            if digests:
                key = gone(name)
                summary = f"{digests:,} messages for {name} were given up: {reply}; `trialwatch outbox` lists them."
                open_incident(db, key, summary, now=now)
                close_incident(db, key, now=now)  # it is told, and need not be looked at again
        _log.error("channel is gone", channel=name, given_up=given_up)
        return given_up
