"""The steps of a release that are compared again, and what replaces their changes and notices.

Does not compare: see ``stages/reclassification.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from watcher.core.words.past import PastValue
from watcher.model import Change
from watcher.store.reconciliation import renotify
from watcher.store.revisions import add_changes, known_change_ids, past_values
from watcher.store.tables import notice, revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    revision_id: int
    nct_id: str
    before_id: int  # snapshot
    after_id: int  # snapshot
    set_aside: bool  # it was not compared with the version before, which could not be read


def steps_of(db: Connection, release_id: int) -> list[Step]:
    """Return the steps that were recorded in a release, oldest first; first sights are none."""
    here = (revision.c.release_id == release_id, revision.c.before_id.is_not(None))
    rows = db.execute(select(revision).where(*here).order_by(revision.c.id)).all()
    return [
        Step(
            revision_id=row.id,
            nct_id=row.nct_id,
            before_id=row.before_id,
            after_id=row.after_id,
            set_aside=_current_before(db, row.nct_id, row.id) != row.before_id,
        )
        for row in rows
    ]


def _current_before(db: Connection, nct_id: str, revision_id: int) -> int | None:
    earlier = select(func.max(revision.c.id)).where(revision.c.nct_id == nct_id, revision.c.id < revision_id)
    return db.execute(select(revision.c.after_id).where(revision.c.id == earlier.scalar_subquery())).scalar()


def known_before(db: Connection, step: Step) -> tuple[set[str], list[PastValue]]:
    """Return what was recorded of a trial before a step: the IDs of changes, and the values that it had."""
    before = step.revision_id
    return known_change_ids(db, step.nct_id, before=before), past_values(db, step.nct_id, before=before)


def replace_changes(db: Connection, step: Step, changes: Sequence[Change], *, hold_id: int, now: datetime) -> None:
    """Put other changes in a step's place, and other notices in place of those that a hold keeps back.

    Who has heard of the step already does not hear of it again.

    Args:
        db: a transaction.
        step: the step.
        changes: everything that differs.
        hold_id: the hold; the new notices wait for its end, too.
        now: the moment.
    """
    add_changes(db, step.revision_id, changes, instead=True)
    untold = (notice.c.revision_id == step.revision_id, notice.c.digest_id.is_(None), ~notice.c.drill)
    windows = db.execute(select(notice.c.address, notice.c.opens_at, notice.c.closes_at).where(*untold)).all()
    db.execute(delete(notice).where(*untold))
    if any(one.told for one in changes):
        renotify(db, step.revision_id, now=now)
    db.execute(update(notice).where(*untold).values(hold_id=hold_id))
    for row in windows:  # a reader who waited goes on waiting for the same window
        mine = (*untold, notice.c.address == row.address)
        db.execute(update(notice).where(*mine).values(opens_at=row.opens_at, closes_at=row.closes_at))
