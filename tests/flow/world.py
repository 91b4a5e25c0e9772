"""The whole program in a small world: a registry that publishes, a mail server, a clock that steps, a real database.

Between them stands the real application, wired by ``open_application``.  Nothing waits and nothing leaves the process.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from tests.flow.mail_server import FakeMailServer
from tests.flow.mailbox import FakeMailbox
from tests.flow.registry import PublishedRegistry
from watcher.app import Application, StopSignal, open_application
from watcher.config.settings import Settings
from watcher.model import Cadence, Change, Message, Recipient, Route, Schedule, Watchlist
from watcher.pipeline import Round
from watcher.stages.check import Outcome
from watcher.stages.deliver import Handed
from watcher.store.incidents import Incident, open_incidents
from watcher.store.lists import declare_lists
from watcher.store.outbox import deliveries
from watcher.store.revisions import changes_of, revisions
from watcher.store.tables import snapshot
from watcher.store.watches import WatchState, watch_states

TRIAL, OTHER, THIRD = "NCT00000001", "NCT00000002", "NCT00000003"
READER = "reader@example.org"
OPERATOR = "operator@example.org"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday


def immediate(address: str = READER) -> Recipient:
    """Return a reader whose mail is not merged: it is written by the round that finds a change."""
    return Recipient(
        address=address, schedule=Schedule(cadence=Cadence.IMMEDIATE, time_zone="UTC", merged_for=timedelta(0))
    )


def daily(address: str, *, time_zone: str = "UTC", hour: int = 7) -> Recipient:
    return Recipient(address=address, schedule=Schedule(cadence=Cadence.DAILY, time_zone=time_zone, hour=hour))


def weekly(address: str, *, time_zone: str = "UTC", hour: int = 7, weekday: int = 0) -> Recipient:
    schedule = Schedule(cadence=Cadence.WEEKLY, time_zone=time_zone, hour=hour, weekday=weekday)
    return Recipient(address=address, schedule=schedule)


def words(text: str) -> str:
    """Return a mail's text on one line, to look for sentences in it."""
    return " ".join(text.split())


@dataclass(slots=True)
class Clock:
    """Stands until somebody steps it."""

    moment: datetime = NOON
    _elapsed: timedelta = timedelta(0)
    _seen: datetime = NOON

    def __call__(self) -> datetime:
        return self.moment

    def seconds(self) -> float:
        """Return what a clock would say that only runs forward: steps back do not count."""
        self._elapsed += max(self.moment - self._seen, timedelta(0))
        self._seen = self.moment
        return self._elapsed.total_seconds()


@dataclass(slots=True)
class World:
    """Everything, with one immediate reader of one trial unless ``watch`` says otherwise."""

    url: str
    folder: Path
    options: dict[str, Any] = field(default_factory=dict)  # of the settings, by section
    registry: PublishedRegistry = field(default_factory=PublishedRegistry)
    mail_server: FakeMailServer = field(default_factory=FakeMailServer)
    mailbox: FakeMailbox = field(default_factory=FakeMailbox)  # read when there are options of [mail.bounces]
    clock: Clock = field(default_factory=Clock)
    begins: bool = True  # False: goes on with a database that another world has left
    stop: StopSignal | None = None  # waits where the application would sleep
    app: Application = field(init=False)

    def __post_init__(self) -> None:
        self._open()
        if self.begins:
            self.watch(TRIAL)

    def close(self) -> None:
        self.app.close()

    def restart(self, **options: Any) -> None:
        """End the process and start another one on the same database, which first recovers what was cut off."""
        self.app.close()
        self.options = {**self.options, **options}
        self._open()
        self.app.pipeline.deliver.recover(now=self.clock())

    def watch(self, *trials: str, readers: Sequence[Recipient] | None = None, name: str = "Our trials") -> None:
        """Let a settings file with just this watch list be read."""
        people = (immediate(),) if readers is None else tuple(readers)
        self.declare(Watchlist(name=name, trials=trials, recipients=people))

    def declare(self, *watchlists: Watchlist, routes: Sequence[Route] = (), catch_all: Recipient | None = None) -> None:
        """Let a settings file with just these watch lists and routes be read."""
        with self.app.database.writing() as db:
            declare_lists(db, watchlists, now=self.clock(), routes=routes, catch_all=catch_all)

    def check(self) -> Outcome:
        return self.app.pipeline.check.run(now=self.clock())

    def digest(self) -> list[Message]:
        """Compose what is due, and return the mails."""
        return self.messages(self.app.pipeline.digest.run(now=self.clock()))

    def messages(self, ids: Sequence[str]) -> list[Message]:
        """Return messages of the outbox, in this order."""
        with self.app.database.reading() as db:
            found = {one.message.id: one.message for one in deliveries(db, ids)}
        return [found[key] for key in ids]

    def deliver(self) -> Handed:
        return self.app.pipeline.deliver.run(now=self.clock())

    def round(self) -> Round:
        """Run the whole flow once."""
        return self.app.pipeline.run_round(now=self.clock())

    def later(self, **duration: float) -> None:
        """Let time pass: ``later(hours=1)``."""
        self.clock.moment += timedelta(**duration)

    def at(self, text: str) -> None:
        """Set the clock, ISO 8601; UTC unless it says otherwise."""
        moment = datetime.fromisoformat(text)
        self.clock.moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def begin(self, *trials: str) -> None:
        """Publish trials as they are at first, see them, welcome the readers, and forget the mails about it."""
        self.registry.publish_all({trial: {} for trial in trials or (TRIAL,)})
        self.round()
        self.mail_server.accepted.clear()
        self.mail_server.tried.clear()
        self.registry.asked()

    # --- what the database remembers ----------------------------------------------------------------------------------

    def state(self, nct_id: str = TRIAL) -> WatchState:
        with self.app.database.reading() as db:
            return watch_states(db, [nct_id])[nct_id]

    def history(self, nct_id: str = TRIAL) -> list[list[Change]]:
        """Return the changes of each recorded step of a trial, oldest first; the first sight has none."""
        with self.app.database.reading() as db:
            steps = [step.id for step in revisions(db, nct_id)]
            found = changes_of(db, steps)
        return [found[step] for step in steps]

    def incidents(self) -> list[Incident]:
        with self.app.database.reading() as db:
            return open_incidents(db)

    def snapshots(self) -> int:
        with self.app.database.reading() as db:
            return int(db.execute(select(func.count()).select_from(snapshot)).scalar_one())

    def _open(self) -> None:
        settings = {
            "operator": OPERATOR,
            "operator_target": self.options.get("operator_target"),
            "registry": {"requests_per_minute": 0, "connections": 1, "attempts": 1, **self.options.get("registry", {})},
            "mail": {"sender": "trialwatch@example.org", **self.options.get("mail", {})},
            "templates": self.options.get("templates", {}),
            "changes": self.options.get("changes", {}),
            "target": self.options.get("target", []),
            "database": {"url": self.url},
            # A few trials are all there is, and most tests are not about the week that goes by.
            "watching": {"all_clear": False, "stale_after": 0, **self.options.get("watching", {})},
            "guards": {"hold_share": 0, **self.options.get("guards", {})},
            "web": self.options.get("web", {}),
            "acknowledge": self.options.get("acknowledge", {"remind": False}),  # most tests are not about reminders
        }
        self.app = open_application(
            Settings.model_validate(settings, context={"folder": self.folder}),
            now=self.clock,
            transport=self.registry,
            channel=self.mail_server,
            mailbox=self.mailbox,
            journal=self.mail_server.journal,
            monotonic=self.clock.seconds,
            chance=lambda: 0.0,
            stop=self.stop,
        )
