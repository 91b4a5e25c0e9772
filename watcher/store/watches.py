"""The state of each watch: which release it was last verified against, or why not."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, false, func, or_, select, update

from watcher.errors import OvertakenError
from watcher.model import NoticeKind, Reason, Record, Refusal
from watcher.store.incidents import never_seen, open_incident
from watcher.store.noting import notify_readers
from watcher.store.tables import reader, release, watch

GONE_AFTER = 2  # releases in a row in which the registry has no such record; one may be a mishap of the registry's


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchState:
    nct_id: str
    watched: bool
    snapshot_id: int | None
    content_hash: bytes | None
    release_id: int | None
    data_timestamp: str | None  # of the release that it was last verified against
    verified_at: datetime | None
    reason: Reason | None
    detail: str | None
    failing_since: datetime | None
    gone_told: bool
    withheld: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many watches were verified against the registry's current release."""

    watched: int
    verified: int


# Built once: it runs at every tick, and building a statement costs more than running it.  Three ranges, each of which
# the index can answer: "is another one" would look at every watch.
_VERIFIED, _RELEASE = watch.c.release_id, bindparam("release_id", type_=watch.c.release_id.type)
_RANGES = (_VERIFIED.is_(None), _VERIFIED < _RELEASE, _VERIFIED > _RELEASE)
_UNVERIFIED = (
    select(watch.c.nct_id).where(or_(*(and_(watch.c.watched, one) for one in _RANGES))).order_by(watch.c.nct_id)
)


def unverified(db: Connection, *, release_id: int) -> list[str]:
    """Return the watched trials that have not been verified against a release, by ID."""
    return list(db.execute(_UNVERIFIED, {"release_id": release_id}).scalars())


def waits_for_first_fetch(db: Connection) -> bool:
    """Return whether some watched trial has never been asked for: somebody has just added it."""
    # What was never fetched was never verified: said so that the index finds it.
    new = (watch.c.watched, watch.c.release_id.is_(None), watch.c.snapshot_id.is_(None), watch.c.reason.is_(None))
    return db.execute(select(watch.c.nct_id).where(*new).limit(1)).first() is not None


def watch_states(db: Connection, nct_ids: Sequence[str] | None = None) -> dict[str, WatchState]:
    """Return the state of the named watches, or of all."""
    query = select(watch, release.c.data_timestamp, release.c.confirmed_at)
    query = query.outerjoin(release, release.c.id == watch.c.release_id).order_by(watch.c.nct_id)
    if nct_ids is not None:
        query = query.where(watch.c.nct_id.in_(nct_ids))
    return {
        row.nct_id: WatchState(
            nct_id=row.nct_id,
            watched=row.watched,
            snapshot_id=row.snapshot_id,
            content_hash=row.content_hash,
            release_id=row.release_id,
            data_timestamp=row.data_timestamp,
            verified_at=row.confirmed_at,
            reason=Reason(row.reason) if row.reason else None,
            detail=row.detail,
            failing_since=row.failing_since,
            gone_told=row.gone_told,
            withheld=row.withheld,
        )
        for row in db.execute(query)
    }


def current_hashes(db: Connection, nct_ids: Sequence[str]) -> dict[str, bytes]:
    """Return the content hash of each trial's current snapshot; trials that were never fetched are left out."""
    query = select(watch.c.nct_id, watch.c.content_hash)
    rows = db.execute(query.where(watch.c.nct_id.in_(nct_ids), watch.c.content_hash.is_not(None)))
    return {row.nct_id: row.content_hash for row in rows}


def current_snapshots(db: Connection, nct_ids: Sequence[str]) -> dict[str, int | None]:
    """Return the current snapshot of each trial; None = never fetched."""
    rows = db.execute(select(watch.c.nct_id, watch.c.snapshot_id).where(watch.c.nct_id.in_(nct_ids)))
    return {row.nct_id: row.snapshot_id for row in rows}


def verify_unchanged(db: Connection, nct_ids: Sequence[str], *, release_id: int, now: datetime) -> None:
    """Record that trials are the same in a release as their current snapshots."""
    back = select(watch.c.nct_id).where(watch.c.nct_id.in_(nct_ids), watch.c.gone_told)
    for nct_id in db.execute(back).scalars().all():
        notify_readers(db, nct_id, NoticeKind.FOUND_AGAIN, now=now)
    db.execute(update(watch).where(watch.c.nct_id.in_(nct_ids)).values(release_id=release_id, **HEALTHY))


def note_stamps(db: Connection, stamp_of: Mapping[str, str]) -> None:
    """Record the days that verified records were stamped with: one and the same for a whole release, as a rule."""
    for stamp in sorted(set(stamp_of.values())):
        nct_ids = [nct_id for nct_id, its in stamp_of.items() if its == stamp]
        db.execute(update(watch).where(watch.c.nct_id.in_(nct_ids)).values(stamp=stamp))


def note_withheld(db: Connection, nct_ids: Sequence[str], withheld: Collection[str]) -> None:
    """Record which of the trials whose records are new or different are placeholders now."""
    query = update(watch).where(watch.c.nct_id.in_(nct_ids))
    db.execute(query.values(withheld=watch.c.nct_id.in_(sorted(withheld)) if withheld else false()))


def last_stamps(db: Connection, nct_ids: Sequence[str]) -> dict[str, str]:
    """Return the day that each record was stamped with when it was last verified, where there was one."""
    query = select(watch.c.nct_id, watch.c.stamp).where(watch.c.nct_id.in_(nct_ids), watch.c.stamp.is_not(None))
    return {row.nct_id: row.stamp for row in db.execute(query)}


def note_same_content(db: Connection, record: Record, *, current_id: int, release_id: int, now: datetime) -> None:
    """Record that a record is the same in other bytes (its lists in another order), which need not be stored.

    Raises:
        OvertakenError: it was compared with a version that is not the current one any more; nothing was written.
    """
    here = and_(watch.c.nct_id == record.nct_id, watch.c.snapshot_id == current_id)
    if not db.execute(update(watch).where(here).values(content_hash=record.content_hash)).rowcount:
        raise OvertakenError(f"{record.nct_id} was recorded by another instance in between; nothing was written")
    verify_unchanged(db, [record.nct_id], release_id=release_id, now=now)


HEALTHY = {
    "reason": None,
    "detail": None,
    "failing_since": None,
    "absent_release_id": None,
    "absent_releases": 0,
    "gone_told": False,
    "unverified_releases": 0,
    "doubted_hash": None,
}


def doubted_hashes(db: Connection, nct_ids: Sequence[str]) -> dict[str, bytes]:
    """Return the content hash of the last answer for each trial that was not believed, where there is one."""
    query = select(watch.c.nct_id, watch.c.doubted_hash)
    rows = db.execute(query.where(watch.c.nct_id.in_(nct_ids), watch.c.doubted_hash.is_not(None)))
    return {row.nct_id: row.doubted_hash for row in rows}


def note_doubted(db: Connection, hashes: Mapping[str, bytes]) -> None:
    """Record answers that are believed only when they come again, by their content hashes."""
    for nct_id, content_hash in hashes.items():
        db.execute(update(watch).where(watch.c.nct_id == nct_id).values(doubted_hash=content_hash))


def note_unverified(db: Connection) -> None:
    """Count for every watch that fails in how many releases in a row it has now, of those that were checked."""
    verified_before = release.c.id > watch.c.release_id
    never_verified = and_(watch.c.release_id.is_(None), release.c.checked_at >= watch.c.failing_since)
    missed = select(func.count()).where(release.c.checked_at.is_not(None), or_(verified_before, never_verified))
    failing = and_(watch.c.watched, watch.c.reason.is_not(None))
    db.execute(update(watch).where(failing).values(unverified_releases=missed.select_from(release).scalar_subquery()))


def record_refusal(db: Connection, refusal: Refusal, *, release_id: int, now: datetime) -> bool:
    """Record why a watch could not be verified; return whether its readers are now told that the record is gone."""
    here = watch.c.nct_id == refusal.nct_id
    row = db.execute(select(watch).where(here)).first()
    if row is None:
        return False
    values: dict[str, object] = {
        "reason": refusal.reason,
        "detail": refusal.detail,
        "failing_since": row.failing_since or now,
    }
    if refusal.reason.about_the_record and row.absent_release_id != release_id:
        before = db.execute(select(func.max(release.c.id)).where(release.c.id < release_id)).scalar()
        in_a_row = row.absent_releases if row.absent_release_id == before else 0
        values |= {"absent_release_id": release_id, "absent_releases": in_a_row + 1}
    gone = int(str(values.get("absent_releases", row.absent_releases))) >= GONE_AFTER and not row.gone_told
    if gone and refusal.reason.about_the_record:
        notify_readers(db, refusal.nct_id, NoticeKind.GONE, now=now, detail=refusal.detail)
        values["gone_told"] = True
        if row.snapshot_id is None:  # it has no readers yet: they are welcomed when it is first seen
            summary = f"{refusal.nct_id} is watched, but the registry has never served it: {refusal.detail}."
            open_incident(db, never_seen(refusal.nct_id), summary, now=now)
    db.execute(update(watch).where(here).values(**values))
    return bool(values.get("gone_told", False))


def coverage(db: Connection, *, release_id: int, address: str | None = None) -> Coverage:
    """Return how many trials are verified against a release: of all that are watched, or of one reader's."""
    if address is None:
        query = select(func.count(), func.count().filter(watch.c.release_id == release_id)).where(watch.c.watched)
    else:
        query = (
            select(func.count(), func.count().filter(watch.c.release_id == release_id))
            .select_from(reader.join(watch, watch.c.nct_id == reader.c.nct_id))
            .where(and_(reader.c.address == address))
        )
    watched, verified = db.execute(query).one()
    return Coverage(watched=watched, verified=verified)
