"""Snapshots: immutable bodies, addressed by their content, each packed against the version before.

A body that cannot be read back is quarantined: kept, never used again, and reported by the caller.  A snapshot is
never replaced by a new baseline in silence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from watcher.core.stamp import content_hash
from watcher.errors import BodyUnreadable
from watcher.model import Record
from watcher.store.bodies import MAX_DEPTH, UnpackError, pack, unpack
from watcher.store.database import inserted_id
from watcher.store.tables import revision, snapshot

# Built once: they run for every changed record, and building a statement costs more than running it.
_STORED = select(snapshot).where(snapshot.c.id == bindparam("id"))
_AT_ADDRESS = select(snapshot.c.id, snapshot.c.quarantined_at).where(
    snapshot.c.nct_id == bindparam("nct_id"), snapshot.c.content_hash == bindparam("content_hash")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBody:
    """A snapshot's body with what is needed to pack the next version against it."""

    snapshot_id: int
    body: bytes
    depth: int


def read_body(db: Connection, snapshot_id: int) -> StoredBody:
    """Return a snapshot's body, checked against its address.

    Raises:
        BodyUnreadable: it, or a version that it is packed against, is damaged.  Quarantine it.
    """
    chain = []
    wanted: int | None = snapshot_id
    while wanted is not None:
        row = db.execute(_STORED, {"id": wanted}).one()
        chain.append(row)
        wanted = row.base_id
        if len(chain) > MAX_DEPTH + 1:
            raise BodyUnreadable(snapshot_id, row.nct_id, "the versions that it is packed against run in a circle")
    body: bytes | None = None
    for row in reversed(chain):
        try:
            body = unpack(row.body, body)
        except UnpackError as error:
            raise BodyUnreadable(snapshot_id, row.nct_id, str(error)) from error
        if content_hash(body) != row.content_hash:
            raise BodyUnreadable(snapshot_id, row.nct_id, "its content does not match its address")
    assert body is not None  # noqa: S101 the loop ran: a chain has at least one member
    return StoredBody(snapshot_id=snapshot_id, body=body, depth=chain[0].depth)


def sizes(db: Connection, snapshot_ids: Sequence[int]) -> dict[int, int]:
    """Return how large the bodies of snapshots are, in bytes, uncompressed."""
    rows = db.execute(select(snapshot.c.id, snapshot.c.size).where(snapshot.c.id.in_(snapshot_ids)))
    return {row.id: row.size for row in rows}


def keep_body(
    db: Connection, nct_id: str, body: bytes, *, base: StoredBody | None, release_id: int, now: datetime
) -> int:
    """Store a body if it is not there yet, and return its snapshot's ID.

    A version that comes back (A → B → A) is the snapshot that it was; one that was quarantined is whole again.
    """
    address = content_hash(body)
    row = db.execute(_AT_ADDRESS, {"nct_id": nct_id, "content_hash": address}).first()
    if row is not None:
        if row.quarantined_at is not None:
            _restore(db, row.id, body)
        return int(row.id)
    usable = base if base is not None and base.depth < MAX_DEPTH else None
    values = {
        "nct_id": nct_id,
        "content_hash": address,
        "base_id": usable.snapshot_id if usable else None,
        "depth": usable.depth + 1 if usable else 0,
        "body": pack(body, usable.body if usable else None),
        "size": len(body),
        "release_id": release_id,
        "recorded_at": now,
    }
    return inserted_id(db.execute(snapshot.insert(), values))


def keep_first_bodies(db: Connection, records: Sequence[Record], *, release_id: int, now: datetime) -> None:
    """Store the bodies of records of which no version is stored yet, all at once."""
    rows = [
        {
            "nct_id": record.nct_id,
            "content_hash": record.content_hash,
            "depth": 0,
            "body": pack(record.body, None),
            "size": len(record.body),
            "release_id": release_id,
            "recorded_at": now,
        }
        for record in records
    ]
    db.execute(snapshot.insert(), rows)


def quarantine(db: Connection, error: BodyUnreadable, *, now: datetime) -> None:
    """Mark a snapshot as unreadable, with the reason."""
    db.execute(
        snapshot.update()
        .where(snapshot.c.id == error.snapshot_id)
        .values(quarantined_at=now, quarantine_reason=error.why)
    )


def earlier_snapshots(db: Connection, nct_id: str, *, than: int) -> list[int]:
    """Return the IDs of a trial's readable snapshots that were current before another one, the latest first.

    What counts is when a version was current last, not when it was stored: after A → B → A the version before the
    current one is B.
    """
    of_trial = revision.c.nct_id == nct_id
    last_time = select(func.max(revision.c.id)).where(of_trial, revision.c.after_id == than).scalar_subquery()
    rows = db.execute(
        select(revision.c.after_id)
        .join(snapshot, snapshot.c.id == revision.c.after_id)
        .where(of_trial, revision.c.id < last_time, revision.c.after_id != than, snapshot.c.quarantined_at.is_(None))
        .group_by(revision.c.after_id)
        .order_by(func.max(revision.c.id).desc())
    )
    return list(rows.scalars())


def _restore(db: Connection, snapshot_id: int, body: bytes) -> None:
    """Store a quarantined snapshot's body afresh, against nothing: the registry still serves what we lost."""
    db.execute(
        snapshot.update()
        .where(snapshot.c.id == snapshot_id)
        .values(body=pack(body, None), base_id=None, depth=0, quarantined_at=None, quarantine_reason=None)
    )
