"""Play recorded dataset days through the real pipeline: "what would I have been told?"

In a fresh state of its own, without a network and without waiting: the registry answers in the process, mails go to a
folder that is thrown away, and the clock is set from day to day.  All records are watched from their first day by one
reader with a daily digest; a day ends with its digest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select

from watcher.actions.pages import check_days
from watcher.app import Application, open_application
from watcher.config import Settings
from watcher.errors import SettingsError
from watcher.model import Cadence, Change, Reason, Recipient, Schedule, Watchlist
from watcher.replay.adapter import DatasetAdapter
from watcher.replay.days import Dataset
from watcher.store.lists import declare_lists
from watcher.store.revisions import changes_of
from watcher.store.tables import message, revision

READER = "replay@example.org"
_PUBLISHED = time(14)  # UTC; when a day's dataset is looked at
_RECIPIENT = Recipient(address=READER, schedule=Schedule(cadence=Cadence.DAILY, time_zone="UTC", hour=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedMessage:
    to: str
    subject: str
    text_bytes: int
    html_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedDay:
    """What one dataset day brought."""

    day: str
    records: int  # in the registry
    verified: int  # watches verified against this day
    changed: int  # records with at least one change
    changes: tuple[Change, ...]
    messages: tuple[PlayedMessage, ...]


class _Clock:
    """Stands until it is set."""

    def __init__(self) -> None:
        self.moment = datetime(1970, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


def play(dataset: Dataset, *, start: str | None = None) -> Iterator[PlayedDay]:
    """Play every day and yield what it brought, from ``start`` on; earlier days are the silent baseline.

    ``start`` need not be one of the days: then the next one is the first that is yielded.

    Raises:
        SettingsError: ``start`` is not a day, or is later than the last one that there is.
    """
    check_days(start)
    if start is not None and start > dataset.days[-1]:
        known = f"{dataset.days[0]} … {dataset.days[-1]}"
        raise SettingsError([f"--from {start}: the folder has no day that late; it has {known}"])
    with TemporaryDirectory(prefix="trialwatch-replay-") as folder:
        clock, registry = _Clock(), DatasetAdapter(dataset)
        app = open_application(_settings(Path(folder)), now=clock, transport=registry)
        try:
            for day in dataset.days:
                registry.day = day
                played = _play_day(app, clock, dataset=dataset, day=day)
                if start is None or day >= start:
                    yield played
        finally:
            app.close()


def _settings(folder: Path) -> Settings:
    return Settings.model_validate(
        {
            "operator": "operator@example.org",
            "registry": {"requests_per_minute": 0, "connections": 1},
            "mail": {"sender": "trialwatch@example.org", "directory": str(folder / "mail")},
            "database": {"url": f"sqlite:///{folder}/replay.sqlite3"},
            # A day of a replay ends with its digest, whatever it brings.
            "watching": {"all_clear": False},
            "guards": {"hold_share": 0, "hold_new_api_version": False},
            "acknowledge": {"remind": False},  # nobody is there who could acknowledge
        },
        context={"folder": folder},
    )


def _play_day(app: Application, clock: _Clock, *, dataset: Dataset, day: str) -> PlayedDay:
    date = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).date()
    records = dataset.on(day)
    clock.moment = datetime.combine(date, _PUBLISHED, tzinfo=UTC)
    with app.database.writing() as db:
        known = set(db.execute(select(revision.c.nct_id).distinct()).scalars())
        watchlist = Watchlist(name="replay", trials=tuple(sorted({*known, *records})), recipients=(_RECIPIENT,))
        declare_lists(db, [watchlist], now=clock.moment)
    outcome = app.pipeline.check.run(now=clock.moment)
    if Reason.SHRUNK in outcome.refused:  # believed when it comes again, and there is no later check on this day
        outcome = app.pipeline.check.run(now=clock.moment)
    refused = sum(outcome.refused.values())
    checked_at = clock.moment
    clock.moment = datetime.combine(date + timedelta(days=1), time(0), tzinfo=UTC)
    app.pipeline.tell(now=clock.moment)
    changes, messages = _recorded(app, checked_at, clock.moment)
    return PlayedDay(
        day=day,
        records=len(records),
        verified=len(watchlist.trials) - refused,
        changed=len({change.nct_id for change in changes}),
        changes=changes,
        messages=messages,
    )


def _recorded(
    app: Application, since: datetime, until: datetime
) -> tuple[tuple[Change, ...], tuple[PlayedMessage, ...]]:
    with app.database.reading() as db:
        steps = select(revision.c.id).where(revision.c.recorded_at == since).order_by(revision.c.nct_id)
        found = changes_of(db, list(db.execute(steps).scalars()))
        rows = db.execute(select(message).where(message.c.composed_at == until).order_by(message.c.subject)).all()
    messages = tuple(
        PlayedMessage(to=row.recipient, subject=row.subject, text_bytes=row.text_size, html_bytes=row.html_size)
        for row in rows
    )
    return tuple(change for changes in found.values() for change in changes), messages
