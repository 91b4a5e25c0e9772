"""Compare a held release's steps again, with the rules in force, and say what that changes.

The stored versions are compared as the check did; what a step's changes say is replaced, and so are their notices.  An
ID stays with its change.  What was compared with another version than the one before, because that was damaged, and
what cannot be read now, is left as it was recorded.

Does not end the hold, and tells nobody.
"""

from dataclasses import dataclass
from datetime import datetime

import orjson

from watcher.core.fields import FieldTable
from watcher.core.meaning import compare
from watcher.core.words.past import Past
from watcher.errors import BodyUnreadable
from watcher.model import Change
from watcher.store.database import Database
from watcher.store.holds import Hold
from watcher.store.reclassification import Step, known_before, replace_changes, steps_of
from watcher.store.revisions import changes_of
from watcher.store.snapshots import read_body


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclassified:
    """What comparing again gave."""

    steps: int  # that were compared again
    different: int  # of them, those whose changes say something else now
    silenced: int  # of them, those that told something and tell nothing now
    left: tuple[str, ...]  # trials whose step was left as it was recorded


def reclassify(database: Database, table: FieldTable, held: Hold, *, now: datetime) -> Reclassified:
    """Compare each step of a held release again, one transaction each; may be repeated."""
    with database.reading() as db:
        steps = steps_of(db, held.release_id)
    different = silenced = 0
    left = []
    for step in steps:
        with database.reading() as db:
            before = changes_of(db, [step.revision_id])[step.revision_id]
        try:
            after = None if step.set_aside else _compared(database, table, step)
        except BodyUnreadable:
            after = None
        if after is None:
            left.append(step.nct_id)
        elif tuple(before) != after:
            different += 1
            silenced += any(one.told for one in before) and not any(one.told for one in after)
            with database.writing() as db:
                replace_changes(db, step, after, hold_id=held.id, now=now)
    return Reclassified(steps=len(steps) - len(left), different=different, silenced=silenced, left=tuple(left))


def _compared(database: Database, table: FieldTable, step: Step) -> tuple[Change, ...]:
    with database.reading() as db:
        bodies = [orjson.loads(read_body(db, snapshot_id).body) for snapshot_id in (step.before_id, step.after_id)]
        ids, values = known_before(db, step)
    return compare(bodies[0], bodies[1], table, past=Past(ids=ids, values=values))
