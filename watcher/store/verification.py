"""What cannot be verified for too long, and who was told so: single trials, and the registry as a whole.

A trial that readers were told is gone is not here: they know.  Does not judge what "too long" is: ``core/proof.py``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select, update

from watcher.model import NoticeKind, Reason, Severity
from watcher.store.incidents import close_incident
from watcher.store.noting import notify_address, notify_readers
from watcher.store.tables import incident, notice, reader, release, watch

ALL_UNVERIFIED = "nothing can be verified"  # an incident: readers were told so


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingWatch:
    """A watch that fails, or that readers were told fails."""

    nct_id: str
    reason: Reason | None  # why the last attempt failed; None = it did not
    detail: str | None
    failing_since: datetime | None
    verified_at: datetime | None  # when the release that it was last verified against was last confirmed; None = never
    releases: int  # in a row, in which it was not verified
    told_at: datetime | None  # when readers last heard that it fails


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Whether anything at all can be verified."""

    since: datetime | None  # when something last could; None = something can
    told_at: datetime | None  # when readers last heard that nothing can


def failing_watches(db: Connection) -> Iterator[FailingWatch]:
    """Yield the watches of which readers may have to hear that they fail, or do not any more."""
    may_fail = or_(watch.c.reason.is_not(None), watch.c.unverified_told_at.is_not(None))
    query = select(watch, release.c.confirmed_at).outerjoin(release, release.c.id == watch.c.release_id)
    for row in db.execute(query.where(watch.c.watched, ~watch.c.gone_told, may_fail).order_by(watch.c.nct_id)):
        yield FailingWatch(
            nct_id=row.nct_id,
            reason=Reason(row.reason) if row.reason else None,
            detail=row.detail,
            failing_since=row.failing_since,
            verified_at=row.confirmed_at,
            releases=row.unverified_releases,
            told_at=row.unverified_told_at,
        )


def tell_failing(db: Connection, nct_id: str, *, detail: str, now: datetime) -> None:
    """Tell a trial's readers that it is not verified, for the first time or again."""
    notify_readers(db, nct_id, NoticeKind.UNVERIFIED, now=now, detail=detail)
    _note_told(db, nct_id, now)


def tell_verified_again(db: Connection, nct_id: str, *, now: datetime) -> None:
    """Tell a trial's readers that it is verified again."""
    notify_readers(db, nct_id, NoticeKind.VERIFIED_AGAIN, now=now)
    _note_told(db, nct_id, None)


def forget_told(db: Connection) -> None:
    """Forget what readers were told of trials that are gone, which they heard since, or that nobody watches."""
    over = and_(watch.c.unverified_told_at.is_not(None), or_(watch.c.gone_told, ~watch.c.watched))
    db.execute(update(watch).where(over).values(unverified_told_at=None))


def _note_told(db: Connection, nct_id: str, moment: datetime | None) -> None:
    db.execute(update(watch).where(watch.c.nct_id == nct_id).values(unverified_told_at=moment))


# --- the registry as a whole ------------------------------------------------------------------------------------------


def whole(db: Connection, *, trouble: str) -> Whole:
    """Return whether anything can be verified, and what readers were told of that.

    Args:
        db: a transaction.
        trouble: the key of the incident that is open while the registry does not say which release it is at.
    """
    known = select(incident.c.told_at).where(incident.c.key == ALL_UNVERIFIED, incident.c.closed_at.is_(None))
    return Whole(since=_nothing_since(db, trouble), told_at=db.execute(known).scalar())


def _nothing_since(db: Connection, trouble: str) -> datetime | None:
    """Return when the registry last said where it is, if it does not now, or when the last watch began to fail."""
    opened = select(incident.c.opened_at).where(incident.c.key == trouble, incident.c.closed_at.is_(None))
    opened_at: datetime | None = db.execute(opened).scalar()
    if opened_at is not None:
        confirmed_at: datetime | None = db.execute(select(release.c.confirmed_at).where(release.c.current)).scalar()
        return confirmed_at or opened_at
    expected = and_(watch.c.watched, ~watch.c.gone_told)
    query = select(func.count(), func.count(watch.c.reason), func.max(watch.c.failing_since)).where(expected)
    # A trial that was added a moment ago says nothing of when the others began to fail.
    query = query.where(watch.c.release_id.is_not(None))
    watched, failing, since = db.execute(query).one()
    return since if watched and watched == failing else None


def tell_whole(db: Connection, kind: NoticeKind, *, detail: str | None, now: datetime) -> None:
    """Tell every reader, once each, that nothing can be verified, or who was told so that all is well again.

    What was told stands in an incident.  The operator has one about the cause, so that no mail tells of this one.
    """
    here = (incident.c.key == ALL_UNVERIFIED, incident.c.closed_at.is_(None))
    if kind is NoticeKind.VERIFIED_AGAIN:
        began = select(incident.c.opened_at).where(*here).scalar_subquery()
        told = (notice.c.nct_id.is_(None), notice.c.kind == NoticeKind.UNVERIFIED, notice.c.created_at >= began)
        addresses = db.execute(select(notice.c.address).where(*told).distinct()).scalars().all()
        close_incident(db, ALL_UNVERIFIED, now=now)
    else:
        welcomed = select(reader.c.address).where(reader.c.welcomed_at.is_not(None)).distinct()
        addresses = db.execute(welcomed).scalars().all()
        if not db.execute(update(incident).where(*here).values(told_at=now)).rowcount:
            summary = f"Nothing can be verified since {detail}; the readers were told."
            values = {"key": ALL_UNVERIFIED, "summary": summary, "opened_at": now, "told_at": now}
            db.execute(incident.insert().values(values))
    severity = Severity.MAJOR if kind is NoticeKind.UNVERIFIED else Severity.MINOR
    for address in addresses:
        notify_address(db, address, kind, now=now, detail=detail, severity=severity)
