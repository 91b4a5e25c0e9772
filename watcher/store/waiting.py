"""What waits to be told, and what was told, for somebody who only looks.  Reads only."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from watcher.model import NoticeKind, Place, Severity
from watcher.store.notices import Notice, notice_of
from watcher.store.tables import change, notice, reader, release, revision, watch

_WAITING_KINDS = [kind for kind in NoticeKind if kind.waits_for_window]


def readers(db: Connection) -> list[str]:
    """Return the addresses of all who hear of any trial."""
    return list(db.execute(select(reader.c.address).distinct().order_by(reader.c.address)).scalars())


def trials_of(db: Connection, address: str | None) -> list[str]:
    """Return the trials that somebody hears of; None = all that are watched."""
    if address is None:
        return list(db.execute(select(watch.c.nct_id).where(watch.c.watched).order_by(watch.c.nct_id)).scalars())
    mine = select(reader.c.nct_id).where(reader.c.address == address)
    return list(db.execute(mine.order_by(reader.c.nct_id)).scalars())


def next_notices(db: Connection, address: str | None) -> list[Notice]:
    """Return what a reader's next digest will tell as things stand: the untold notices of the window closing first.

    Args:
        db: a transaction.
        address: the reader's; None = everybody's untold notices, each thing once.
    """
    untold: list[ColumnElement[bool]] = [
        notice.c.digest_id.is_(None),
        notice.c.kind.in_(_WAITING_KINDS),
        notice.c.drill.is_(False),
    ]
    if address is not None:
        untold.append(notice.c.address == address)
    rows: list[dict[str, Any]] = [
        dict(row)
        for row in db.execute(select(notice).where(*untold).order_by(notice.c.closes_at, notice.c.id)).mappings()
    ]
    if address is not None:
        rows = [row for row in rows if row["closes_at"] == rows[0]["closes_at"]]
    found: dict[tuple[object, ...], Notice] = {}
    for row in rows:
        one = notice_of(row)
        found.setdefault((one.nct_id, one.kind, one.revision_id), one)
    return list(found.values())


def notices_since(db: Connection, nct_ids: Collection[str], day: str, *, now: datetime) -> list[Notice]:
    """Return, as if they were to be told now, the recorded steps of trials that tell something.

    Args:
        db: a transaction.
        nct_ids: the trials.
        day: the first day of the registry's data that counts, "yyyy-mm-dd".
        now: the moment at which they would be told.
    """
    query = select(revision.c.id, revision.c.nct_id).join(release, release.c.id == revision.c.release_id)
    query = query.where(release.c.data_timestamp >= day, revision.c.id.in_(select(change.c.revision_id).where(_told())))
    return [
        Notice(
            id=0,
            nct_id=row.nct_id,
            kind=NoticeKind.CHANGED,
            revision_id=row.id,
            detail=None,
            stories=None,
            severity=Severity.MINOR,
            why=None,
            created_at=now,
            wanted_at=now,
            delayed_since=None,
            drill=False,
        )
        for row in db.execute(query.order_by(revision.c.id))
        if row.nct_id in nct_ids
    ]


def _told() -> ColumnElement[bool]:
    """As ``Change.told`` has it."""
    return change.c.place.in_([Place.LINE, Place.CLAUSE]) & (change.c.severity != Severity.NOISE)
