"""Which critical stories wait for whom, when each of them was last reminded, and since when reminders are sent at all.

Does not decide whether a reminder is due: see ``core/reminders.py``.  A reminder is a notice, so that what was written
down before a restart is not written down again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, exists, func, insert, or_, select

from watcher.model import Act, NoticeKind, Place, Schedule, Severity, StoryKey
from watcher.store.acknowledgements import NEWEST_ACTS
from watcher.store.lists import schedules
from watcher.store.routes import Origin, catch_all_route
from watcher.store.tables import acknowledgement, beginning, change, digest, notice, reader, revision, route, watch

_REMINDERS = "reminders"
_TOLD_PLACES = (Place.LINE, Place.CLAUSE)
_BATCH = 10_000  # revisions named in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One critical story that nobody has acknowledged, and one person whom it waits for."""

    address: str
    nct_id: str
    key: StoryKey
    since: datetime  # told, assigned or reopened, whichever was last
    schedule: Schedule | None  # the person's for this trial; None = they have none, and hear at once
    reminded_at: datetime | None  # last, as far as the clock says so; None = never
    untold: bool  # a reminder waits for their digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A notice to be written down that a story waits for somebody."""

    address: str
    nct_id: str
    key: StoryKey
    window: tuple[datetime, datetime]
    severity: Severity = Severity.CRITICAL
    detail: str | None = None  # words that stand with it


def reminders_since(db: Connection) -> datetime | None:
    """Return when reminders came into force; None = they are not."""
    moment: datetime | None = db.execute(select(beginning.c.at).where(beginning.c.name == _REMINDERS)).scalar()
    return moment


def begin_reminders(db: Connection, *, now: datetime) -> datetime:
    """Put reminders in force, for what is told from now on, unless they are; return since when."""
    since = reminders_since(db)
    if since is None:
        db.execute(insert(beginning).values(name=_REMINDERS, at=now))
    return since or now


def end_reminders(db: Connection) -> None:
    """Put reminders out of force; when they come back, what was told meanwhile is not reminded of."""
    db.execute(delete(beginning).where(beginning.c.name == _REMINDERS))


def add_reminders(db: Connection, reminders: Sequence[Reminder], *, now: datetime) -> None:
    """Write reminders down."""
    rows = [
        {
            "address": one.address,
            "nct_id": one.nct_id,
            "kind": NoticeKind.UNACKNOWLEDGED,
            "revision_id": one.key.revision_id,
            "stories": [one.key.story],
            "severity": one.severity,
            "detail": one.detail,
            "created_at": now,
            "opens_at": one.window[0],
            "closes_at": one.window[1],
        }
        for one in reminders
    ]
    if rows:
        db.execute(insert(notice), rows)


def waiting_stories(db: Connection, *, since: datetime, told_before: datetime, now: datetime) -> list[Waiting]:
    """Return the critical stories that were told since a moment and that nobody has acknowledged, each by person.

    What was told after ``told_before`` is left out, so that a change which a hundred thousand have just heard of costs
    nothing; what was told by a clock that was ahead is not.

    A story that was assigned waits for the assignee alone, else for everybody who was told and still reads the trial,
    the catch-all among them.
    """
    found: dict[tuple[str, StoryKey], tuple[str, datetime]] = {}
    long_ago = or_(digest.c.composed_at <= told_before, digest.c.composed_at > now)
    for row in db.execute(_TOLD_AND_OPEN.where(digest.c.composed_at >= since, long_ago)):
        if row.stories is not None and row.story not in row.stories:
            continue
        key = StoryKey(revision_id=row.revision_id, story=row.story)
        if row.act == Act.ASSIGNED:
            found[row.assignee, key] = (row.nct_id, row.at)
        elif row.reads:
            waits_since = max(row.told_at, row.at) if row.at else row.told_at
            _, known = found.get((row.address, key), (None, waits_since))
            found[row.address, key] = (row.nct_id, min(waits_since, known))
    reminded = _reminded(db, sorted({key.revision_id for _, key in found}), now=now)
    last = catch_all_route(db)
    catch_all = {last.address: last.schedule} if last else {}
    of_trial = {nct_id: catch_all | schedules(db, nct_id) for nct_id in {nct_id for nct_id, _ in found.values()}}
    return [
        Waiting(
            address=address,
            nct_id=nct_id,
            key=key,
            since=waits_since,
            schedule=of_trial[nct_id].get(address),
            reminded_at=reminded.get((address, key), _NEVER)[0],
            untold=reminded.get((address, key), _NEVER)[1],
        )
        for (address, key), (nct_id, waits_since) in found.items()
    ]


def _told_and_open() -> Select[Any]:
    """Return the query for each telling of each critical story that is not acknowledged."""
    act = acknowledgement
    told = and_(notice.c.revision_id == change.c.revision_id, notice.c.kind == NoticeKind.CHANGED, ~notice.c.drill)
    newest = and_(
        act.c.revision_id == change.c.revision_id,
        act.c.story == change.c.story,
        act.c.id.in_(select(NEWEST_ACTS.c.id)),
    )
    named = exists().where(reader.c.address == notice.c.address, reader.c.nct_id == revision.c.nct_id)
    last = exists().where(route.c.origin == Origin.CATCH_ALL, route.c.address == notice.c.address)
    reads = or_(named, last)
    columns = (change.c.revision_id, change.c.story, revision.c.nct_id, notice.c.address, notice.c.stories)
    query = select(*columns, digest.c.composed_at.label("told_at"), act.c.act, act.c.assignee, act.c.at)
    return (
        query.add_columns(reads.label("reads"))
        .distinct()  # several changes make one story
        .join_from(change, revision, revision.c.id == change.c.revision_id)
        .join(watch, and_(watch.c.nct_id == revision.c.nct_id, watch.c.watched))
        .join(notice, told)
        .join(digest, digest.c.id == notice.c.digest_id)
        .outerjoin(act, newest)
        .where(change.c.severity == Severity.CRITICAL, change.c.place.in_(_TOLD_PLACES))
        .where(or_(act.c.act.is_(None), act.c.act != Act.ACKNOWLEDGED))
    )


# Built once: it runs at every tick, and building a statement costs more than running it.
_TOLD_AND_OPEN = _told_and_open()
_NEVER: tuple[datetime | None, bool] = (None, False)


def _reminded(
    db: Connection, revision_ids: Sequence[int], *, now: datetime
) -> Mapping[tuple[str, StoryKey], tuple[datetime | None, bool]]:
    """Return when each person was last reminded of each story, and whether a reminder of it is untold.

    A reminder of a clock that was ahead is none: see the head of ``notices.py``.
    """
    columns = (notice.c.address, notice.c.revision_id, notice.c.stories)
    query = select(*columns, func.max(notice.c.created_at).label("at"), func.count(notice.c.digest_id).label("told"))
    query = query.add_columns(func.count().label("all_of_them"), func.max(digest.c.composed_at).label("composed_at"))
    query = query.outerjoin(digest, digest.c.id == notice.c.digest_id).group_by(*columns)
    query = query.where(notice.c.kind == NoticeKind.UNACKNOWLEDGED, notice.c.created_at <= now)
    found: dict[tuple[str, StoryKey], tuple[datetime | None, bool]] = {}
    for start in range(0, len(revision_ids), _BATCH):
        for row in db.execute(query.where(notice.c.revision_id.in_(revision_ids[start : start + _BATCH]))):
            for story in row.stories or ():
                key = StoryKey(revision_id=row.revision_id, story=story)
                # What waited for a digest was heard when that was written.
                heard_at = min(now, max(row.at, row.composed_at)) if row.composed_at else row.at
                found[row.address, key] = (heard_at, row.told < row.all_of_them)
    return found
