"""Who has taken note of which story: rows are added and never changed, and the newest one of a story counts.

A story is one sentence of one step of a record.  Does not say who is reminded, or when: see ``reminders.py``.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, func, insert, select

from watcher.model import Acknowledgement, Act, NoticeKind, StoryKey
from watcher.store.tables import acknowledgement, notice

# The newest act of each story; shared by those who ask what is open.
NEWEST_ACTS = (
    select(func.max(acknowledgement.c.id).label("id"))
    .group_by(acknowledgement.c.revision_id, acknowledgement.c.story)
    .subquery("newest_act")
)
_BATCH = 10_000  # revisions named in one statement


def acknowledge(
    db: Connection, key: StoryKey, *, by: str, comment: str | None, now: Any
) -> tuple[Acknowledgement, bool]:
    """Record that somebody has taken note; return the act that counts, and whether it is this one.

    A story that was acknowledged before stays as it was: the link may be followed twice, by two people at once.
    """
    standing = newest_acts(db, [key.revision_id]).get(key)
    if standing is not None and standing.act is Act.ACKNOWLEDGED:
        return standing, False
    done = Acknowledgement(key=key, act=Act.ACKNOWLEDGED, by=by, comment=comment, at=now)
    add_act(db, done)
    return done, True


def add_act(db: Connection, done: Acknowledgement) -> None:
    """Record an act, and take back the reminders of the story that were not told yet: they are not true any more."""
    db.execute(
        insert(acknowledgement).values(
            revision_id=done.key.revision_id,
            story=done.key.story,
            act=done.act,
            by=done.by,
            assignee=done.assignee,
            comment=done.comment,
            at=done.at,
        )
    )
    untold = (notice.c.kind == NoticeKind.UNACKNOWLEDGED, notice.c.digest_id.is_(None))
    here = and_(*untold, notice.c.revision_id == done.key.revision_id, notice.c.stories == [done.key.story])
    db.execute(delete(notice).where(here))


def newest_acts(db: Connection, revision_ids: Collection[int]) -> dict[StoryKey, Acknowledgement]:
    """Return the act that counts of each story of these revisions that there is one of."""
    return {done.key: done for done in acts_of(db, revision_ids)}


def acts_of(db: Connection, revision_ids: Collection[int]) -> list[Acknowledgement]:
    """Return every act about stories of these revisions, oldest first."""
    ids = sorted(set(revision_ids))
    found: list[Acknowledgement] = []
    for start in range(0, len(ids), _BATCH):
        here = acknowledgement.c.revision_id.in_(ids[start : start + _BATCH])
        found += _acts(db, select(acknowledgement).where(here))
    return found


def _acts(db: Connection, query: Select[Any]) -> Sequence[Acknowledgement]:
    return [_act(row) for row in db.execute(query.order_by(acknowledgement.c.id))]


def _act(row: Row[Any]) -> Acknowledgement:
    return Acknowledgement(
        key=StoryKey(revision_id=row.revision_id, story=row.story),
        act=Act(row.act),
        by=row.by,
        assignee=row.assignee,
        comment=row.comment,
        at=row.at,
    )
