"""Releases whose changes are told only after somebody has looked at them, and checks that are not at their end.

Whether a release is suspicious is known when its check has ended; until then none of its changes is told.  A check
that died leaves its mark: the next one takes it away, or ``end_dead_passes`` does, so that nothing waits for ever.

Does not judge: see ``core/guards.py``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, insert, or_, select, update

from watcher.core.guards import Suspicion, Thresholds, Upheaval, suspicion, suspicion_words
from watcher.model import NoticeKind, Place, Severity
from watcher.store.database import inserted_id
from watcher.store.incidents import close_incident, open_incident
from watcher.store.tables import change, hold, notice, release, revision, watch

LONGEST_PASS = timedelta(hours=1)  # a check of 10,000 trials takes some minutes
_TOLD = and_(change.c.severity != Severity.NOISE, change.c.place.in_([Place.LINE, Place.CLAUSE]))
_IS_HELD = exists().where(hold.c.id == notice.c.hold_id, hold.c.ended_at.is_(None))
_IN_A_PASS = exists().where(
    revision.c.id == notice.c.revision_id, release.c.id == revision.c.release_id, release.c.pass_begun_at.is_not(None)
)
# A condition on ``notice``: no hold keeps it back, and no check that may still lead to one.
NOTHING_HOLDS: ColumnElement[bool] = and_(~_IS_HELD, ~_IN_A_PASS)


class Decision(StrEnum):
    """How a hold ended; as it is stored."""

    RELEASED = "released"  # its changes are told as they were recorded
    RECLASSIFIED = "reclassified"  # they were compared again first


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    id: int
    release_id: int
    data_timestamp: str  # of the release
    reason: Suspicion
    summary: str
    opened_at: datetime
    trials: int  # whose changes wait
    readers: int  # who wait for them


# --- checks under way -------------------------------------------------------------------------------------------------


def begin_pass(db: Connection, release_id: int, *, now: datetime) -> None:
    """Record that a check is about to record what a release changed."""
    db.execute(update(release).where(release.c.id == release_id).values(pass_begun_at=now))


def end_passes(db: Connection, thresholds: Thresholds | None, *, now: datetime) -> None:
    """Record that no check is under way any more; hold back what is suspicious of the releases that were checked.

    Args:
        db: a transaction.
        thresholds: what is suspicious; None = nothing is.
        now: the moment.
    """
    _end(db, release.c.pass_begun_at.is_not(None), thresholds, now)


def dead_passes(db: Connection, *, now: datetime) -> bool:
    """Return whether there are checks that ``end_dead_passes`` would end."""
    return db.execute(select(release.c.id).where(_died(now)).limit(1)).first() is not None


def _died(now: datetime) -> ColumnElement[bool]:
    begun = release.c.pass_begun_at
    return or_(begun <= now - LONGEST_PASS, begun > now)


def end_dead_passes(db: Connection, thresholds: Thresholds | None, *, now: datetime) -> None:
    """The same for checks that began so long ago, or so far ahead of a clock that was right, that they are none."""
    _end(db, _died(now), thresholds, now)


def _end(db: Connection, which: ColumnElement[bool], thresholds: Thresholds | None, now: datetime) -> None:
    for release_id in db.execute(select(release.c.id).where(which)).scalars().all():
        if thresholds is not None:
            _hold_if_suspicious(db, release_id, thresholds, now)
        db.execute(update(release).where(release.c.id == release_id).values(pass_begun_at=None))


# --- holds ------------------------------------------------------------------------------------------------------------


def _hold_if_suspicious(db: Connection, release_id: int, thresholds: Thresholds, now: datetime) -> None:
    """Hold back what is not told of a release, unless somebody has looked at it already."""
    known = db.execute(select(hold).where(hold.c.release_id == release_id)).all()
    if any(row.ended_at is not None for row in known):
        return
    hold_id = known[0].id if known else _begin_hold(db, release_id, thresholds, now)
    if hold_id is None:
        return
    steps = select(revision.c.id).where(revision.c.release_id == release_id)
    untold = (notice.c.digest_id.is_(None), notice.c.hold_id.is_(None), ~notice.c.drill)
    changed = (notice.c.kind == NoticeKind.CHANGED, notice.c.revision_id.in_(steps))
    db.execute(update(notice).where(*untold, *changed).values(hold_id=hold_id))


def _begin_hold(db: Connection, release_id: int, thresholds: Thresholds, now: datetime) -> int | None:
    upheaval = _upheaval(db, release_id)
    reason = suspicion(upheaval, thresholds)
    if reason is None:
        return None
    summary = suspicion_words(reason, upheaval)
    values = {"release_id": release_id, "reason": reason, "summary": summary, "opened_at": now}
    hold_id = inserted_id(db.execute(insert(hold).values(**values)))
    told = (
        f"{summary}. Nothing of it is mailed before you say so: look at it with `trialwatch holds`, then "
        f"`trialwatch release {hold_id}`, or `trialwatch reclassify {hold_id}` after an upgrade."
    )
    open_incident(db, _incident_of(hold_id), told, now=now)
    return hold_id


def _upheaval(db: Connection, release_id: int) -> Upheaval:
    steps = select(func.count(revision.c.nct_id.distinct())).join(change, change.c.revision_id == revision.c.id)
    before = select(release.c.api_version).where(release.c.id < release_id).order_by(release.c.id.desc()).limit(1)
    return Upheaval(
        changed=db.execute(steps.where(revision.c.release_id == release_id, _TOLD)).scalar_one(),
        watched=db.execute(select(func.count()).select_from(watch).where(watch.c.watched)).scalar_one(),
        api_version=db.execute(select(release.c.api_version).where(release.c.id == release_id)).scalar_one(),
        version_before=db.execute(before).scalar(),
    )


def open_holds(db: Connection) -> list[Hold]:
    """Return what waits for somebody's look, oldest first."""
    mine = and_(notice.c.hold_id == hold.c.id, notice.c.digest_id.is_(None))
    query = (
        select(
            hold,
            release.c.data_timestamp,
            func.count(notice.c.nct_id.distinct()).label("trials"),
            func.count(notice.c.address.distinct()).label("readers"),
        )
        .join(release, release.c.id == hold.c.release_id)
        .outerjoin(notice, mine)
        .where(hold.c.ended_at.is_(None))
        .group_by(*hold.c, release.c.data_timestamp)
        .order_by(hold.c.id)
    )
    return [_hold(row) for row in db.execute(query)]


def _hold(row: Row[tuple[object, ...]]) -> Hold:
    values = row._mapping  # noqa: SLF001 the documented way to read a row by name
    return Hold(
        id=values["id"],
        release_id=values["release_id"],
        data_timestamp=values["data_timestamp"],
        reason=Suspicion(values["reason"]),
        summary=values["summary"],
        opened_at=values["opened_at"],
        trials=values["trials"],
        readers=values["readers"],
    )


def end_hold(db: Connection, hold_id: int, decision: Decision, *, now: datetime) -> bool:
    """Let what a hold kept back be told, each reader's in their window; return False when it had ended already."""
    here = (hold.c.id == hold_id, hold.c.ended_at.is_(None))
    ended = bool(db.execute(update(hold).where(*here).values(ended_at=now, decision=decision)).rowcount)
    if ended:
        close_incident(db, _incident_of(hold_id), now=now)
    return ended


def _incident_of(hold_id: int) -> str:
    return f"hold {hold_id}"
