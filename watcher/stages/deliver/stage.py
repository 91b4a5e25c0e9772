"""The third stage: every channel has a turn of its own, and none waits for another.

With several channels, each has a thread.  One that hangs is left behind when the turn is over, and is not begun anew
before it has ended: the next run serves the others meanwhile.
"""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

from sqlalchemy import Connection

from watcher.core.targets import MAIL
from watcher.model import Delivery
from watcher.notify.channel import Channel, Journal
from watcher.notify.undeclared import UndeclaredChannel
from watcher.stages.deliver.doubts import Doubts
from watcher.stages.deliver.handed import Conditions, Handed, Patience
from watcher.stages.deliver.line import Line
from watcher.stages.deliver.records import Records
from watcher.stages.deliver.trouble import Trouble
from watcher.store import outbox
from watcher.store.database import Database


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
        fallbacks: Sequence[str] = (),
    ) -> None:
        """Wire the stage.

        Args:
            database: holds the outbox.
            channels: take the messages, by the names of ``core/targets.py``.
            patience: how long to wait.
            operator: address that is told of mails that are given up.
            conditions: chance, time, and whether the service is ending.
            journal: mailbox that can be asked what the mail server has taken; the mail channel names it as a recipient.
            fallbacks: who gets the mail of an address that does not exist, the best first.
        """
        self._database = database
        self._patience = patience
        self._operator = operator
        self._surroundings = conditions
        self._journal = journal
        self._fallbacks = tuple(fallbacks)
        self._records: dict[str, Records] = {}
        self._lines: dict[str, Line] = {}
        for name, channel in channels.items():
            self._add_line(name, channel)
        self._threads: ThreadPoolExecutor | None = None
        self._running: dict[str, Future[Handed]] = {}  # channels whose turn is not over yet, by name

    def _add_line(self, name: str, channel: Channel) -> None:
        journal = self._journal if name == MAIL else None
        patience, operator, conditions = self._patience, self._operator, self._surroundings
        records = Records(
            self._database,
            name,
            patience=patience,
            operator=operator,
            conditions=conditions,
            journal=journal.address if journal else None,
            fallbacks=self._fallbacks,
        )
        self._records[name] = records
        self._lines[name] = Line(
            channel,
            records,
            doubts=Doubts(self._database, name, journal, operator=operator, give_up_after=patience.give_up_after),
            trouble=Trouble(self._database, name, operator=operator),
            patience=patience,
            conditions=conditions,
        )

    def _know(self, name: str) -> None:
        """Let what waits for a target that the settings do not declare any more wait as for one that refuses us."""
        if name not in self._lines:
            self._add_line(name, UndeclaredChannel(name))

    def recover(self, *, now: datetime) -> int:
        """Put attempts that the end of a process cut off back into the queue; return how many.

        Only the one instance that does the work may call this.  Before the final dot nothing was accepted.  After it
        the message may have been: see ``doubts``.
        """
        with self._database.writing() as db:
            interrupted = outbox.interrupted_messages(db)
            for delivery in interrupted:
                self._put_back(db, delivery, now)
        return len(interrupted)

    def put_back(self, message_ids: Collection[str], now: datetime) -> int:
        """Do for some messages what ``recover`` does for all, but not for what this process has in hand."""
        in_hand = {message_id for records in self._records.values() for message_id in records.in_hand}
        with self._database.writing() as db:
            stuck = [one for one in outbox.interrupted_messages(db) if one.message.id in message_ids]
            freed = [one for one in stuck if one.message.id not in in_hand]
            for delivery in freed:
                self._put_back(db, delivery, now)
        return len(freed)

    def standing(self, least: timedelta) -> frozenset[str]:
        """Return the messages in hand that have not come a step further for so long; from any thread."""
        return frozenset().union(*(one.in_hand for one in self._records.copy().values() if one.standing >= least))

    def _put_back(self, db: Connection, delivery: Delivery, now: datetime) -> None:
        self._know(delivery.message.channel)
        self._records[delivery.message.channel].put_back(db, delivery, now)

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
            self._know(name)
        if len(self._lines) == 1:
            (line,) = self._lines.values()
            total.add(line.run(now))
            return total
        begun = self._begin(waiting, now)
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
