"""Everything wired together, and the lease that lets one instance do the work.

Does not decide anything and holds no state but the open database.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy
import structlog

from watcher.app.stop import StopSignal
from watcher.config import Settings
from watcher.core.fields import FieldTable
from watcher.errors import StoreError
from watcher.notify.channel import Channel, Journal
from watcher.pipeline import Pipeline
from watcher.processes import is_dead, this_process
from watcher.registry.client import RegistryClient
from watcher.registry.connection import Connection
from watcher.stages.writing import Writer
from watcher.store.database import Database
from watcher.store.leases import (
    RENEW_EVERY,
    Holder,
    acquire,
    current_holder,
    living_holder,
    release_lease,
    renew,
)
from watcher.store.lists import declare_lists

Clock = Callable[[], datetime]

_RELEASE_TIMEOUT = timedelta(seconds=2)  # an end must not wait for others' transactions
_log = structlog.get_logger("app")


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Everything wired together, on an open database."""

    settings: Settings
    database: Database
    table: FieldTable
    connection: Connection
    registry: RegistryClient
    channel: Channel  # of mails
    journal: Journal | None  # what the mail server took, if there is a mailbox that knows
    targets: Mapping[str, Channel]  # by "target:NAME"
    writer: Writer
    pipeline: Pipeline
    now: Clock
    monotonic: Callable[[], float]  # seconds; for what must not depend on whether the clock is set
    stop: StopSignal

    @contextmanager
    def working(self) -> Iterator[Holder]:
        """Hold the lease, so that no other instance does the same work.

        Raises:
            LeaseHeld: another instance does it now.
        """
        holder = this_process()
        with self.database.writing() as db:
            other = current_holder(db)
            acquire(db, holder, now=self.now(), previous_is_dead=other is not None and is_dead(other))
        try:
            yield holder
        finally:
            self._release(holder)

    @contextmanager
    def renewing(self, holder: Holder, every: timedelta = RENEW_EVERY) -> Iterator[None]:
        """Keep the lease however long the block takes; stop the work when another instance has taken it over."""
        ended = threading.Event()

        def renew_on() -> None:
            while not ended.wait(every.total_seconds()):
                try:
                    with self.database.writing() as db:
                        held = renew(db, holder, now=self.now())
                except StoreError as error:
                    _log.warning("the lease was not renewed; it is tried again", error=str(error))
                    continue
                if not held:
                    _log.error("another instance took the work over")
                    self.stop.set()
                    return

        renewing = threading.Thread(target=renew_on, name="lease", daemon=True)
        renewing.start()
        try:
            yield
        finally:
            ended.set()
            renewing.join(_RELEASE_TIMEOUT.total_seconds())

    def _release(self, holder: Holder) -> None:
        """Give the lease back, unless the database keeps us waiting: then it runs out, or is found a dead process's."""

        def release() -> None:
            try:
                with self.database.writing() as db:
                    release_lease(db, holder)
            except StoreError as error:
                _log.warning("the lease was not given back; it runs out", error=str(error))

        releasing = threading.Thread(target=release, name="release", daemon=True)
        releasing.start()
        releasing.join(_RELEASE_TIMEOUT.total_seconds())

    def declare_lists(self) -> None:
        """Bring the watch lists and routes that the settings file declares into the database."""
        with self.database.writing() as db:
            self._declare(db)

    def declare_lists_unless_served(self) -> None:
        """The same for a command, unless a service runs: that reads an edited file when it is told to."""
        with self.database.writing() as db:
            holder = living_holder(db, now=self.now())
            if holder is not None and not is_dead(holder):
                return
            self._declare(db)

    def _declare(self, db: sqlalchemy.Connection) -> None:
        settings = self.settings
        routes, catch_all = settings.routes(), settings.last_reader()
        declare_lists(db, settings.watchlists(), now=self.now(), routes=routes, catch_all=catch_all)

    def close(self) -> None:
        self.connection.close()
        self.database.close()
