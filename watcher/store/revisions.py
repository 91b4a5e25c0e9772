"""A record's step from one version to the next: snapshot, changes and notices in one transaction."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, literal, or_, select, update

from watcher.core.words.past import PastValue
from watcher.errors import OvertakenError
from watcher.model import Change, How, NoticeKind, Place, Record, Severity
from watcher.store.database import inserted_id
from watcher.store.noting import notify_readers
from watcher.store.snapshots import StoredBody, keep_body, keep_first_bodies
from watcher.store.tables import change, release, revision, snapshot, watch
from watcher.store.watches import HEALTHY

# Built once: they run for every changed record, and building a statement costs more than running it.
_STANDING = select(watch.c.snapshot_id, watch.c.gone_told).where(watch.c.nct_id == bindparam("of"))
_MAKE_CURRENT = update(watch).where(watch.c.nct_id == bindparam("of"))
_CHANGE_IDS = (
    select(change.c.id)
    .join(revision, revision.c.id == change.c.revision_id)
    .where(revision.c.nct_id == bindparam("of"))
)
_PAST_VALUES = (
    select(change.c.path, change.c.old, change.c.new, release.c.data_timestamp)
    .join(revision, revision.c.id == change.c.revision_id)
    .join(release, release.c.id == revision.c.release_id)
    .where(revision.c.nct_id == bindparam("of"), change.c.item.is_(None), ~change.c.path.contains("[]"))
    .where(or_(change.c.old.is_not(None), change.c.new.is_not(None)))  # contacts are recorded without their values
    .order_by(change.c.revision_id, change.c.position)
)
_COLUMNS = [column.name for column in change.columns if column.name not in {"revision_id", "position"}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One recorded step of a trial."""

    id: int
    nct_id: str
    before_id: int | None  # None = the first sight of the record
    after_id: int
    data_timestamp: str  # of the release in which it was seen
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedChange:
    """A change, and where it was recorded."""

    change: Change
    revision_id: int
    data_timestamp: str  # of the release in which it was seen


def record_revision(
    db: Connection,
    record: Record,
    *,
    base: StoredBody | None,
    current_id: int | None,
    changes: Sequence[Change],
    release_id: int,
    now: datetime,
) -> int:
    """Store a new version with what changed and whom it concerns, and return the revision's ID.

    Args:
        record: the new version.
        base: the version that ``changes`` were found against; None = the first sight, or nothing else readable.
        current_id: the snapshot that the caller saw as the current one.
        changes: everything that differs; readers get a notice when at least one is told.

    Raises:
        OvertakenError: another instance has recorded a version in between.
    """
    was_gone = _is_gone(db, record.nct_id, current_id=current_id)
    snapshot_id = keep_body(db, record.nct_id, record.body, base=base, release_id=release_id, now=now)
    values = {"nct_id": record.nct_id, "after_id": snapshot_id, "release_id": release_id, "recorded_at": now}
    added = db.execute(insert(revision), {"before_id": base.snapshot_id if base else None, **values})
    revision_id = inserted_id(added)
    add_changes(db, revision_id, changes)
    if any(one.told for one in changes):
        notify_readers(db, record.nct_id, NoticeKind.CHANGED, now=now, revision_id=revision_id, changes=changes)
    if was_gone:
        notify_readers(db, record.nct_id, NoticeKind.FOUND_AGAIN, now=now)
    values = {"snapshot_id": snapshot_id, "content_hash": record.content_hash, "release_id": release_id}
    db.execute(_MAKE_CURRENT, {"of": record.nct_id, **values, **HEALTHY})
    return revision_id


def add_changes(db: Connection, revision_id: int, changes: Sequence[Change], *, instead: bool = False) -> None:
    """Record what a step changed, after or instead of what was recorded of it."""
    if instead:
        db.execute(delete(change).where(change.c.revision_id == revision_id))
    if changes:
        rows = [_row(one) | {"revision_id": revision_id, "position": n} for n, one in enumerate(changes)]
        db.execute(insert(change), rows)


def record_first_sights(db: Connection, records: Sequence[Record], *, release_id: int, now: datetime) -> None:
    """Store the first versions of records, in a few statements for all of them.

    A first sight changes nothing, so that there is nobody to tell.

    Args:
        records: at least one; none of them was ever recorded.
        release_id: what they were seen in.
        now: the moment.

    Raises:
        OvertakenError: another instance has recorded one of them in between; nothing was written.
    """
    ids = [record.nct_id for record in records]
    rows = db.execute(select(watch.c.nct_id, watch.c.snapshot_id).where(watch.c.nct_id.in_(ids))).all()
    new = {row.nct_id for row in rows if row.snapshot_id is None}
    if len(new) < len(ids):
        other = next(nct_id for nct_id in ids if nct_id not in new)
        raise OvertakenError(f"{other} was recorded by another instance in between; nothing was written")
    keep_first_bodies(db, records, release_id=release_id, now=now)
    here = snapshot.c.nct_id.in_(ids)
    step = select(snapshot.c.nct_id, snapshot.c.id, literal(release_id), literal(now, revision.c.recorded_at.type))
    columns = ["nct_id", "after_id", "release_id", "recorded_at"]
    db.execute(insert(revision).from_select(columns, step.where(here).order_by(snapshot.c.id)))
    mine = snapshot.c.nct_id == watch.c.nct_id
    values = {
        "snapshot_id": select(snapshot.c.id).where(mine).scalar_subquery(),
        "content_hash": select(snapshot.c.content_hash).where(mine).scalar_subquery(),
        "release_id": release_id,
    }
    db.execute(update(watch).where(watch.c.nct_id.in_(ids)).values(**values, **HEALTHY))


def _is_gone(db: Connection, nct_id: str, *, current_id: int | None) -> bool:
    """Return whether readers were told that a trial is gone, after a look whether it still is where the caller saw it.

    No other transaction writes while this one does, so that both stay true.
    """
    row = db.execute(_STANDING, {"of": nct_id}).first()
    if row is None or row.snapshot_id != current_id:
        raise OvertakenError(f"{nct_id} was recorded by another instance in between; nothing was written")
    return bool(row.gone_told)


def known_change_ids(db: Connection, nct_id: str, *, before: int | None = None) -> set[str]:
    """Return the IDs of all recorded changes of a trial, or of those before a revision."""
    query = _CHANGE_IDS if before is None else _CHANGE_IDS.where(revision.c.id < before)
    return set(db.execute(query, {"of": nct_id}).scalars())


def past_values(db: Connection, nct_id: str, *, before: int | None = None) -> list[PastValue]:
    """Return all recorded changes of a trial's values that stand in no list, or those before a revision, in order."""
    query = _PAST_VALUES if before is None else _PAST_VALUES.where(revision.c.id < before)
    rows = db.execute(query, {"of": nct_id})
    return [PastValue(path=row.path, old=row.old, new=row.new, day=row.data_timestamp[:10]) for row in rows]


def revisions(db: Connection, nct_id: str) -> list[Revision]:
    """Return a trial's recorded steps, oldest first."""
    query = select(revision, release.c.data_timestamp).join(release, release.c.id == revision.c.release_id)
    rows = db.execute(query.where(revision.c.nct_id == nct_id).order_by(revision.c.id))
    return [
        Revision(
            id=row.id,
            nct_id=row.nct_id,
            before_id=row.before_id,
            after_id=row.after_id,
            data_timestamp=row.data_timestamp,
            recorded_at=row.recorded_at,
        )
        for row in rows
    ]


def changes_of(db: Connection, revision_ids: Sequence[int]) -> dict[int, list[Change]]:
    """Return the changes of revisions, each revision's in their order."""
    query = select(change, revision.c.nct_id).join(revision, revision.c.id == change.c.revision_id)
    query = query.where(change.c.revision_id.in_(revision_ids)).order_by(change.c.revision_id, change.c.position)
    found: dict[int, list[Change]] = {revision_id: [] for revision_id in revision_ids}
    for row in db.execute(query).mappings():
        found[row["revision_id"]].append(_change(dict(row)))
    return found


def find_changes(db: Connection, beginning: str, *, limit: int) -> list[RecordedChange]:
    """Return changes whose ID begins so, by ID.

    Args:
        db: a transaction.
        beginning: hexadecimal digits in lower case; all sixteen find one change at most, as IDs go.
        limit: how many to return at most.
    """
    query = select(change, revision.c.nct_id, release.c.data_timestamp)
    query = query.join(revision, revision.c.id == change.c.revision_id)
    query = query.join(release, release.c.id == revision.c.release_id)
    query = query.order_by(change.c.id, change.c.revision_id).limit(limit)
    # As a range, which the index of IDs serves; "g" comes after every hexadecimal digit.
    query = query.where(change.c.id >= beginning, change.c.id < beginning + "g")
    return [
        RecordedChange(change=_change(dict(row)), revision_id=row["revision_id"], data_timestamp=row["data_timestamp"])
        for row in db.execute(query).mappings()
    ]


def changes_since(db: Connection, nct_id: str, snapshot_id: int) -> list[Change]:
    """Return what was recorded of a trial since a snapshot was its current one for the last time, oldest first."""
    steps = revisions(db, nct_id)
    last = max(place for place, step in enumerate(steps) if step.after_id == snapshot_id)
    later = [step.id for step in steps[last + 1 :]]
    found = changes_of(db, later)
    return [change for step in later for change in found[step]]


def _row(one: Change) -> dict[str, object]:
    values = asdict(one)
    return {name: values[name] for name in _COLUMNS}


def _change(row: dict[str, object]) -> Change:
    values = {name: row[name] for name in (*_COLUMNS, "nct_id")}
    kinds = {"how": How, "severity": Severity, "place": Place, "rules": tuple}
    return Change(**{name: kinds[name](value) if name in kinds else value for name, value in values.items()})  # type: ignore[arg-type]  # a row of our own table
