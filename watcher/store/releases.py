"""Releases of the registry that were seen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from watcher.model import Release
from watcher.store.database import inserted_id
from watcher.store.tables import release


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRelease:
    id: int
    release: Release
    first_seen_at: datetime
    confirmed_at: datetime  # when the registry last said that this is the current one
    checked_at: datetime | None  # when every watch had last been asked for in it


# Built once: they run at every tick, and building a statement costs more than running it.
_CURRENT = select(release).where(release.c.current)
_NAMED = select(release).where(release.c.data_timestamp == bindparam("data_timestamp"))
_CONFIRM = release.update().where(release.c.id == bindparam("which"))


def confirm_release(db: Connection, seen: Release, *, now: datetime) -> KnownRelease:
    """Record that the registry is at this release now."""
    row = db.execute(_NAMED, {"data_timestamp": seen.data_timestamp}).first()
    if row is None or not row.current:
        db.execute(release.update().where(release.c.current).values(current=False))
    if row is None:
        values = {"data_timestamp": seen.data_timestamp, "api_version": seen.api_version, "current": True}
        added = db.execute(release.insert().values(first_seen_at=now, confirmed_at=now, **values))
        return KnownRelease(id=inserted_id(added), release=seen, first_seen_at=now, confirmed_at=now, checked_at=None)
    # Of a release that was checked, the version that it was checked with is kept: with the next release, another one
    # is news.
    version = seen.api_version if row.checked_at is None else row.api_version
    values = {"confirmed_at": now, "api_version": version, "current": True}
    db.execute(_CONFIRM, {"which": row.id, **values})
    return KnownRelease(
        id=row.id, release=seen, first_seen_at=row.first_seen_at, confirmed_at=now, checked_at=row.checked_at
    )


def note_checked(db: Connection, release_id: int, *, now: datetime) -> None:
    """Record that every watch has been asked for in a release."""
    db.execute(release.update().where(release.c.id == release_id).values(checked_at=now))


def latest_release(db: Connection) -> KnownRelease | None:
    """Return the release that the registry was at when it was last asked; None before the first answer."""
    return _known(db.execute(_CURRENT).first())


def known_release(db: Connection, data_timestamp: str) -> KnownRelease | None:
    """Return a release that was seen before; None for a new one."""
    return _known(db.execute(_NAMED, {"data_timestamp": data_timestamp}).first())


def _known(row: Row[Any] | None) -> KnownRelease | None:
    if row is None:
        return None
    return KnownRelease(
        id=row.id,
        release=Release(api_version=row.api_version, data_timestamp=row.data_timestamp),
        first_seen_at=row.first_seen_at,
        confirmed_at=row.confirmed_at,
        checked_at=row.checked_at,
    )
