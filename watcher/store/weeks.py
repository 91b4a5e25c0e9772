"""What a reader heard in a week, and what waits to be heard: what an all-clear is made of.

Only looks.  Whether one is due is decided in ``core/proof.py``.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select

from watcher.core.proof import Week, WeekSeen
from watcher.model import NoticeKind, Place, Severity
from watcher.store.holds import NOTHING_HOLDS
from watcher.store.notices import ALL_CLEAR, CHANGES, due_windows
from watcher.store.releases import latest_release
from watcher.store.tables import acknowledgement, change, digest, hold, mute, notice, reader, revision, watch

_TOLD = and_(change.c.severity != Severity.NOISE, change.c.place.in_([Place.LINE, Place.CLAUSE]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What a reader has not heard, or nobody has taken note of."""

    held: int  # trials whose changes the operator is to look at first
    held_since: datetime | None
    muted: int  # trials whose changes wait because the reader asked for that
    unacknowledged: int  # critical stories that were mailed to the reader
    not_told: int  # changes of the week that are recorded, and weigh too little
    gone: int  # trials that the registry serves no more, which was told


def weeks_seen(db: Connection, *, now: datetime) -> dict[str, WeekSeen]:
    """Return what is known of each reader at the end of a week."""
    since = select(reader.c.address, func.min(reader.c.welcomed_at)).group_by(reader.c.address)
    release = latest_release(db)
    cleared, told = (_last_digests(db, kind, now) for kind in (ALL_CLEAR, CHANGES))
    due = {window.address for window in due_windows(db, now=now) if window.subject_matter == CHANGES}
    return {
        address: WeekSeen(
            reader_since=first,
            last_all_clear=cleared.get(address),
            last_digest=told.get(address),
            about_to_hear=address in due,
            asked_at=release.confirmed_at if release else None,
        )
        for address, first in db.execute(since)
    }


def _last_digests(db: Connection, subject_matter: str, now: datetime) -> dict[str, datetime]:
    """Return when each reader's last window of a kind closed; not one of a clock that was ahead."""
    query = select(digest.c.address, func.max(digest.c.closes_at)).group_by(digest.c.address)
    rows = db.execute(query.where(digest.c.subject_matter == subject_matter, digest.c.closes_at <= now))
    return {row[0]: row[1] for row in rows}


def waiting(db: Connection, address: str, week: Week, *, now: datetime) -> Waiting:
    """Return what a reader has not heard at the end of a week."""
    mine = and_(notice.c.address == address, notice.c.digest_id.is_(None), notice.c.kind == NoticeKind.CHANGED)
    held = select(func.count(notice.c.nct_id.distinct()), func.min(hold.c.opened_at)).join_from(notice, hold)
    held_trials, held_since = db.execute(held.where(mine, hold.c.ended_at.is_(None))).one()
    in_force = and_(mute.c.address == address, mute.c.ended_at.is_(None), mute.c.since <= now)
    in_force = and_(in_force, or_(mute.c.until.is_(None), mute.c.until > now))
    muted = select(func.count(notice.c.nct_id.distinct())).join_from(
        notice, mute, and_(in_force, or_(mute.c.nct_id.is_(None), mute.c.nct_id == notice.c.nct_id))
    )
    steps = select(func.count()).select_from(change).join(revision, revision.c.id == change.c.revision_id)
    steps = steps.join(reader, and_(reader.c.nct_id == revision.c.nct_id, reader.c.address == address))
    of_week = and_(revision.c.recorded_at >= week.opens_at, revision.c.recorded_at < week.closes_at)
    gone = select(func.count()).join_from(reader, watch, watch.c.nct_id == reader.c.nct_id)
    return Waiting(
        held=held_trials,
        held_since=held_since,
        muted=db.execute(muted.where(mine, NOTHING_HOLDS, notice.c.closes_at <= now)).scalar_one(),
        unacknowledged=_unacknowledged(db, address),
        not_told=db.execute(steps.where(of_week, ~_TOLD)).scalar_one(),
        gone=db.execute(gone.where(reader.c.address == address, watch.c.gone_told)).scalar_one(),
    )


def _unacknowledged(db: Connection, address: str) -> int:
    """Return how many critical stories were mailed to a reader that nobody has taken note of since."""
    mailed = and_(notice.c.address == address, notice.c.digest_id.is_not(None), ~notice.c.drill)
    critical = select(change.c.revision_id, change.c.story).distinct()
    critical = critical.join(notice, notice.c.revision_id == change.c.revision_id)
    stories = {
        (row.revision_id, row.story)
        for row in db.execute(critical.where(mailed, _TOLD, change.c.severity == Severity.CRITICAL))
    }
    acts = select(acknowledgement.c.revision_id, acknowledgement.c.story, acknowledgement.c.act)
    acts = acts.where(acknowledgement.c.revision_id.in_({step for step, _ in stories})).order_by(acknowledgement.c.id)
    newest = {(row.revision_id, row.story): row.act for row in db.execute(acts)}
    return sum(newest.get(story) != "acknowledged" for story in stories)
