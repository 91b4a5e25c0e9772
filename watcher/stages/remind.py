"""Remind: write a notice for whoever was told of a critical change that nobody has acknowledged, once an interval.

Does not compose: the notices wait for their readers' windows, as those of changes do.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from watcher.core.reminders import Timing, timing, told_before, window_of_reminder
from watcher.store.database import Database
from watcher.store.reminders import (
    Reminder,
    add_reminders,
    begin_reminders,
    end_reminders,
    reminders_since,
    waiting_stories,
)

_log = structlog.get_logger("remind")


class Remind:
    """The stage between the check and the digest."""

    def __init__(self, database: Database, *, every: timedelta | None) -> None:
        """Take the interval; None = nobody is reminded."""
        self._database = database
        self._every = every

    def run(self, *, now: datetime) -> int:
        """Write every reminder that is due down; return how many."""
        with self._database.reading() as db:
            since = reminders_since(db)
            due = _due(db, since=since, every=self._every, now=now) if since and self._every else []
        if self._every is None:
            if since is not None:
                with self._database.writing() as db:
                    end_reminders(db)
            return 0
        if since is not None and not due:
            return 0
        with self._database.writing() as db:
            # Looked at again: another instance may have written them in between.
            since = begin_reminders(db, now=now)
            due = _due(db, since=since, every=self._every, now=now)
            add_reminders(db, due, now=now)
        if due:
            _log.info("reminded", reminders=len(due))
        return len(due)


def _due(db: Connection, *, since: datetime, every: timedelta, now: datetime) -> list[Reminder]:
    return [
        Reminder(
            address=one.address,
            nct_id=one.nct_id,
            key=one.key,
            window=window_of_reminder(one.since, every=every, schedule=one.schedule, now=now),
        )
        for one in waiting_stories(db, since=since, told_before=told_before(every=every, now=now), now=now)
        if timing(
            one.since,
            every=every,
            schedule=one.schedule,
            reminded_at=one.reminded_at,
            untold=one.untold,
            now=now,
        )
        is Timing.DUE
    ]
