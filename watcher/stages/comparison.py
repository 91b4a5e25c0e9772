"""Compare a record with the last stored version of it that can be read.

A version that cannot be read back is put aside, an older one takes its place, and the operator hears of it.  Reads and
compares outside the transaction that records the result: that one finds out whether it was overtaken.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import orjson
import structlog
from sqlalchemy import Connection

from watcher.core.fields import FieldTable
from watcher.core.meaning import compare
from watcher.core.rebuilding import bring_up_to_date
from watcher.core.words.past import Past
from watcher.errors import BodyUnreadable
from watcher.model import Change, Record
from watcher.store.database import Database
from watcher.store.incidents import open_incident
from watcher.store.revisions import changes_since, known_change_ids, past_values
from watcher.store.snapshots import StoredBody, earlier_snapshots, quarantine, read_body

_log = structlog.get_logger("check")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What a record's comparison gave."""

    base: StoredBody | None  # what it was compared with; None = nothing of the trial can be read
    changes: tuple[Change, ...]
    same_content: bool  # as the current version's: other bytes, for the order of keys or lists
    incidents: tuple[str, ...]  # open ones, of damaged versions; they are over when the record is recorded


class Comparison:
    """Compares records with what is stored."""

    def __init__(self, database: Database, table: FieldTable) -> None:
        self._database = database
        self._table = table

    def of(self, record: Record, current_id: int, *, now: datetime) -> Compared:
        """Compare a record with its trial's current version, or with the last one that can be read."""
        incidents: list[str] = []
        with self._database.reading() as db:
            base = self._base(db, record.nct_id, current_id, incidents=incidents, now=now)
            past = Past(ids=known_change_ids(db, record.nct_id), values=past_values(db, record.nct_id))
            aside = base is not None and base.snapshot_id != current_id
            since = changes_since(db, record.nct_id, base.snapshot_id) if base and aside else []
        if base is None:
            return Compared(
                base=None, changes=(), same_content=False, incidents=self._lost(record.nct_id, incidents, now)
            )
        before, after = orjson.loads(base.body), orjson.loads(record.body)
        if not aside:
            changes = compare(before, after, self._table, past=past)
            return Compared(base=base, changes=changes, same_content=not changes, incidents=tuple(incidents))
        # The current version cannot be read: an older one, with what was recorded since, stands for it.
        before, lost = bring_up_to_date(before, since, self._table)
        told = [(change.path, change.item, change.new) for change in lost]
        changes = compare(before, after, self._table, past=past)
        new = tuple(change for change in changes if (change.path, change.item, change.new) not in told)
        return Compared(base=base, changes=new, same_content=False, incidents=tuple(incidents))

    def _base(
        self, db: Connection, nct_id: str, current_id: int, *, incidents: list[str], now: datetime
    ) -> StoredBody | None:
        """Return the current version's body, or the last one that can be read; note the incidents of the others."""
        for snapshot_id in _versions(db, nct_id, current_id):
            try:
                return read_body(db, snapshot_id)
            except BodyUnreadable as error:
                incidents.append(self._put_aside(error, now))
        return None

    def _lost(self, nct_id: str, incidents: list[str], now: datetime) -> tuple[str, ...]:
        """Tell the operator that nothing of a trial can be read; return all its incidents."""
        lost = f"history {nct_id}"
        with self._database.writing() as db:
            summary = f"No stored version of {nct_id} can be read: its changes since are lost."
            open_incident(db, lost, summary, now=now)
        return (*incidents, lost)

    def _put_aside(self, error: BodyUnreadable, now: datetime) -> str:
        """Quarantine a snapshot, and return the incident that tells of it."""
        _log.error("snapshot unreadable", nct_id=error.nct_id, snapshot=error.snapshot_id, why=error.why)
        key = f"snapshot {error.snapshot_id}"
        summary = f"A stored version is damaged and was put aside; the last good one is used: {error}."
        with self._database.writing() as db:
            quarantine(db, error, now=now)
            open_incident(db, key, summary, now=now)
        return key


def _versions(db: Connection, nct_id: str, current_id: int) -> Iterator[int]:
    """Yield the current snapshot and, if more are asked for, those before it, the latest first."""
    yield current_id
    yield from earlier_snapshots(db, nct_id, than=current_id)
