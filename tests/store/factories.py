"""What flows through the store, small and made up: records, changes, messages, lists, and trials set up with them.

Does not open databases: see ``tests/conftest.py``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
from sqlalchemy import Connection, Table, func, select

from tests.factories import study
from watcher.core.stamp import content_hash
from watcher.model import (
    Cadence,
    Change,
    How,
    Json,
    Message,
    Place,
    Reason,
    Recipient,
    Record,
    Refusal,
    Release,
    Schedule,
    Severity,
    Watchlist,
)
from watcher.store.lists import declare_lists
from watcher.store.releases import confirm_release
from watcher.store.revisions import record_revision
from watcher.store.snapshots import StoredBody, read_body
from watcher.store.watches import watch_states
from watcher.store.welcomes import welcome_readers

TRIAL, OTHER_TRIAL = "NCT00000001", "NCT00000002"
READER, OTHER_READER = "reader@example.org", "other@example.org"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday


def record(nct_id: str = TRIAL, *, title: str = "First title", extra: Mapping[str, Json] | None = None) -> Record:
    """Return a record; another title makes another content."""
    return record_of(orjson.dumps(study(nct_id, title=title, stamp="", extra=extra)), nct_id)


def record_of(body: bytes, nct_id: str = TRIAL) -> Record:
    return Record(nct_id=nct_id, body=body, content_hash=content_hash(body), stamp="2026-03-02")


def change(number: int = 1, *, nct_id: str = TRIAL, severity: Severity = Severity.MAJOR) -> Change:
    """Return a change that a digest tells; give ``Severity.NOISE`` for one that none does."""
    return Change(
        id=f"{number:016x}",
        nct_id=nct_id,
        path="protocolSection.identificationModule.briefTitle",
        item=None,
        how=How.CHANGED,
        label="Brief Title",
        category="identity",
        severity=severity,
        place=Place.LINE,
        rules=("field",),
        story=f"{number:016x}",
        sentence="Brief Title: First title → Second title",
        headline="Brief Title changed",
        old="First title",
        new="Second title",
    )


def message(number: int = 1, *, recipient: str = READER) -> Message:
    return Message(
        id=f"{number:032x}",
        message_id=f"<{number:032x}@example.org>",
        sender="trialwatch@example.org",
        recipient=recipient,
        subject=f"Message {number}",
        mime=b"Subject: Message\r\n\r\nText.\r\n",
    )


def refusal(reason: Reason = Reason.NOT_FOUND, *, nct_id: str = TRIAL, detail: str = "NCT number not found") -> Refusal:
    return Refusal(nct_id=nct_id, reason=reason, detail=detail)


def schedule(cadence: Cadence = Cadence.DAILY, *, time_zone: str = "UTC", hour: int = 7, weekday: int = 0) -> Schedule:
    at_once = timedelta(0)
    return Schedule(cadence=cadence, time_zone=time_zone, hour=hour, weekday=weekday, merged_for=at_once)


def recipient(address: str = READER, cadence: Cadence = Cadence.DAILY, *, hour: int = 7) -> Recipient:
    return Recipient(address=address, schedule=schedule(cadence, hour=hour))


def watchlist(
    name: str = "Oncology", trials: Sequence[str] = (TRIAL,), *, recipients: Sequence[Recipient] | None = None
) -> Watchlist:
    """Return a list; its only recipient is READER, daily at 7, unless others are given."""
    return Watchlist(
        name=name, trials=tuple(trials), recipients=(recipient(),) if recipients is None else tuple(recipients)
    )


# --- trials in the database -------------------------------------------------------------------------------------------


def release_on(db: Connection, day: int, *, now: datetime = NOW) -> int:
    """Record that the registry is at its release of that day of March 2026, and return the release's ID."""
    seen = Release(api_version="2.0.5", data_timestamp=f"2026-03-{day:02}T09:00:05")
    return confirm_release(db, seen, now=now).id


def watch_trials(db: Connection, *trials: str, recipients: Sequence[Recipient] | None = None) -> int:
    """Watch trials, see each for the first time on 2 March, welcome the readers, and return the release's ID."""
    trials = trials or (TRIAL,)
    declare_lists(db, [watchlist(trials=trials, recipients=recipients)], now=NOW)
    release_id = release_on(db, 2)
    for nct_id in trials:
        record_step(db, record(nct_id), release_id=release_id)
    welcome_readers(db, release_id=release_id, now=NOW)
    return release_id


def record_step(
    db: Connection, new: Record, changes: Sequence[Change] = (), *, release_id: int, now: datetime = NOW
) -> int:
    """Record a version against the trial's current one, and return the revision's ID."""
    current = watch_states(db, [new.nct_id])[new.nct_id].snapshot_id
    base = read_body(db, current) if current is not None else None
    changes = [replace(one, nct_id=new.nct_id) for one in changes]
    return record_revision(db, new, base=base, current_id=current, changes=changes, release_id=release_id, now=now)


def current_body(db: Connection, nct_id: str = TRIAL) -> StoredBody:
    """Return the body of a trial's current snapshot."""
    current = watch_states(db, [nct_id])[nct_id].snapshot_id
    assert current is not None
    return read_body(db, current)


def count(db: Connection, table: Table) -> int:
    return int(db.execute(select(func.count()).select_from(table)).scalar_one())
