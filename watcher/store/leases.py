"""One instance does the work at a time.

The lease is a row with an end.  Its holder moves the end on; whoever finds it past, or finds that its holder died on
the same machine, takes it over.  It saves work and mail servers from doubles; what is recorded is protected by the
transactions themselves.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, insert, select, update

from watcher.errors import LeaseHeld
from watcher.store.tables import lease

DURATION = timedelta(seconds=60)
RENEW_EVERY = timedelta(seconds=15)
_WORK = "work"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process that does, or wants to do, the work."""

    token: str  # random
    host: str
    pid: int
    process_started: str | None  # tells a process from a later one with the same number; None = unknown


def current_holder(db: Connection) -> Holder | None:
    """Return who holds the lease, even if it has run out."""
    return _holder(db, select(lease).where(lease.c.name == _WORK))


def living_holder(db: Connection, *, now: datetime) -> Holder | None:
    """Return who holds the lease; None when nobody does, or when it has run out."""
    return _holder(db, select(lease).where(lease.c.name == _WORK, *_runs(now)))


def _runs(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return what is true of a lease that has not run out.

    One that was renewed by a clock which was ahead has: see ``notices.py``.  The clocks of two machines may differ by
    as long as a lease lasts.
    """
    return lease.c.expires_at > now, lease.c.expires_at <= now + 2 * DURATION


def _holder(db: Connection, query: Select[Any]) -> Holder | None:
    row = db.execute(query).first()
    if row is None:
        return None
    return Holder(token=row.token, host=row.host, pid=row.pid, process_started=row.process_started)


def acquire(db: Connection, holder: Holder, *, now: datetime, previous_is_dead: bool) -> None:
    """Take the lease.

    Args:
        holder: who wants it.
        now: the moment of asking.
        previous_is_dead: the caller knows that the process that holds it is no more.

    Raises:
        LeaseHeld: a living instance has it.
    """
    others = select(lease).where(lease.c.name == _WORK, lease.c.token != holder.token, *_runs(now))
    row = db.execute(others).first()
    if row is not None and not previous_is_dead:
        since = row.acquired_at.strftime("%Y-%m-%d %H:%M:%S UTC")
        raise LeaseHeld(f"process {row.pid} on {row.host}, since {since}")
    db.execute(delete(lease).where(lease.c.name == _WORK))
    db.execute(
        insert(lease).values(
            name=_WORK,
            token=holder.token,
            host=holder.host,
            pid=holder.pid,
            process_started=holder.process_started,
            acquired_at=now,
            expires_at=now + DURATION,
        )
    )


def renew(db: Connection, holder: Holder, *, now: datetime) -> bool:
    """Move the end of the lease on; return False when it is no longer ours."""
    mine = (lease.c.name == _WORK, lease.c.token == holder.token)
    return bool(db.execute(update(lease).where(*mine).values(expires_at=now + DURATION)).rowcount)


def release_lease(db: Connection, holder: Holder) -> None:
    """Give the lease back, if it is still ours."""
    db.execute(delete(lease).where(lease.c.name == _WORK, lease.c.token == holder.token))
