"""Look for what is missing between a change and its reader's mailbox, and put it right.

Each repair may be repeated: it looks again for what it repairs, in its own transaction.  What counts as missing is
named in ``core/reconciling.py``; whether a message is stuck, only the process that sends knows.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, select, update

from watcher.core.reconciling import GRACE, Gap, GapKind
from watcher.model import DeliveryState, NoticeKind, Place, Severity
from watcher.store.notices import Window, due_windows, notices_in
from watcher.store.noting import notify_readers
from watcher.store.revisions import changes_of
from watcher.store.routes import catch_all_route
from watcher.store.tables import change, digest, message, notice, reader, revision

HORIZON = timedelta(days=30)  # what is older was looked at often enough
MOST = 1000  # gaps of one kind in one look; the next look finds the others
_TOLD = and_(change.c.severity != Severity.NOISE, change.c.place.in_([Place.LINE, Place.CLAUSE]))
_HAS_TOLD_CHANGE = exists().where(change.c.revision_id == revision.c.id, _TOLD)
_HAS_NOTICE = exists().where(notice.c.revision_id == revision.c.id)
_HAD_A_READER = exists().where(reader.c.nct_id == revision.c.nct_id, reader.c.welcomed_at < revision.c.recorded_at)
_HAS_MESSAGE = exists().where(message.c.digest_id == digest.c.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """A message that is being sent, or was when its sender died."""

    id: str
    attempts: int
    recipient: str
    nct_id: str | None  # one trial that it tells of


def gaps(db: Connection, *, known: Callable[[Window], bool], now: datetime) -> list[Gap]:
    """Return what is missing, but for messages that are stuck.

    Args:
        db: a transaction.
        known: whether the operator has been told that a window's mail cannot be written.
        now: the moment.
    """
    return [*_unnoted(db, now), *_untold(db, known, now), *_unwritten(db, now), *_folded(db)]


def _unnoted(db: Connection, now: datetime) -> Iterable[Gap]:
    query = select(revision.c.id, revision.c.nct_id).where(revision.c.recorded_at >= now - HORIZON)
    query = query.where(_HAS_TOLD_CHANGE, ~_HAS_NOTICE, _HAD_A_READER).order_by(revision.c.id).limit(MOST)
    for row in db.execute(query):
        yield Gap(kind=GapKind.UNNOTED, row=row.id, nct_id=row.nct_id, address=None)


def _untold(db: Connection, known: Callable[[Window], bool], now: datetime) -> Iterable[Gap]:
    """Yield what digests should have taken by now, whatever keeps them from it."""
    for window in due_windows(db, now=now - GRACE)[:MOST]:
        if window.closes_at > now - GRACE or known(window):  # the first: of a clock that was ahead, told at once
            continue
        for one in notices_in(db, window, now=now - GRACE)[:1]:
            yield Gap(kind=GapKind.UNTOLD, row=one.id, nct_id=one.nct_id, address=window.address)


def _unwritten(db: Connection, now: datetime) -> Iterable[Gap]:
    query = select(digest.c.id, digest.c.address).where(digest.c.composed_at >= now - HORIZON, ~_HAS_MESSAGE)
    for row in db.execute(query.order_by(digest.c.id).limit(MOST)).all():
        yield Gap(kind=GapKind.UNWRITTEN, row=row.id, nct_id=_trial_of(db, row.id), address=row.address)


def _folded(db: Connection) -> Iterable[Gap]:
    query = select(message.c.digest_id, message.c.recipient).where(message.c.state == DeliveryState.FOLDED)
    holds_notices = exists().where(notice.c.digest_id == message.c.digest_id)
    for row in db.execute(query.where(holds_notices, ~_other_tells(message.c.digest_id)).distinct().limit(MOST)).all():
        yield Gap(kind=GapKind.FOLDED, row=row.digest_id, nct_id=_trial_of(db, row.digest_id), address=row.recipient)


def _other_tells(digest_id: ColumnElement[int] | int) -> ColumnElement[bool]:
    """Whether a message of a digest is on its way, has arrived, or was given up, which the operator was told."""
    other = message.alias("other")
    return exists().where(other.c.digest_id == digest_id, other.c.state != DeliveryState.FOLDED)


def _trial_of(db: Connection, digest_id: int) -> str | None:
    here = (notice.c.digest_id == digest_id, notice.c.nct_id.is_not(None))
    return db.execute(select(func.min(notice.c.nct_id)).where(*here)).scalar()


def under_way(db: Connection) -> list[UnderWay]:
    """Return the messages that are being sent, or were when their sender died."""
    rows = db.execute(select(message).where(message.c.state == DeliveryState.SENDING)).all()
    return [
        UnderWay(
            id=row.id,
            attempts=row.attempts,
            recipient=row.recipient,
            nct_id=None if row.digest_id is None else _trial_of(db, row.digest_id),
        )
        for row in rows
    ]


# --- putting it right -------------------------------------------------------------------------------------------------


def repair(db: Connection, gap: Gap, *, now: datetime) -> bool:
    """Put right what is missing; return False when it is not missing any more, or cannot be put right here."""
    if gap.kind is GapKind.UNNOTED:
        return bool(renotify(db, int(gap.row), now=now))
    if gap.kind is GapKind.UNWRITTEN:
        return _tell_again(db, int(gap.row), unless=exists().where(message.c.digest_id == int(gap.row)))
    if gap.kind is GapKind.FOLDED:
        return _tell_again(db, int(gap.row), unless=_other_tells(int(gap.row)))
    return False


def renotify(db: Connection, revision_id: int, *, now: datetime) -> int:
    """Note a recorded step again for its readers who have not heard of it and were readers then; return for how many.

    Somebody who joined later was told where the trial stands, which includes it.
    """
    step = db.execute(select(revision).where(revision.c.id == revision_id)).one()
    known = select(notice.c.id, notice.c.address).where(notice.c.revision_id == revision_id)
    before = {row.id: row.address for row in db.execute(known)}
    changes = changes_of(db, [revision_id])[revision_id]
    notify_readers(db, step.nct_id, NoticeKind.CHANGED, now=now, revision_id=revision_id, changes=changes)
    mine = (reader.c.nct_id == step.nct_id, reader.c.welcomed_at < step.recorded_at)
    last = catch_all_route(db)
    then = {*db.execute(select(reader.c.address).where(*mine)).scalars(), *([last.address] if last else [])}
    added = {row.id: row.address for row in db.execute(known) if row.id not in before}
    wrong = [one for one, address in added.items() if address in before.values() or address not in then]
    if wrong:
        db.execute(delete(notice).where(notice.c.id.in_(wrong)))
    return len(added) - len(wrong)


def _tell_again(db: Connection, digest_id: int, *, unless: ColumnElement[bool]) -> bool:
    """Take the notices back out of a digest, which is composed again; an empty one goes, so that its window is free."""
    if db.execute(select(unless)).scalar():
        return False
    since = select(func.min(message.c.composed_at)).where(message.c.digest_id == digest_id).scalar_subquery()
    values = {"digest_id": None, "message_id": None, "delayed_since": func.coalesce(notice.c.delayed_since, since)}
    taken = db.execute(update(notice).where(notice.c.digest_id == digest_id).values(values)).rowcount
    if not taken and not db.execute(select(message.c.id).where(message.c.digest_id == digest_id)).first():
        db.execute(delete(digest).where(digest.c.id == digest_id))
    return True
