"""Record that windows are told: what was told in each, and the message that tells it, which goes into the outbox.

For many windows in a few statements, because a change may be told to thousands.  The way of a message begins in
``outbox.py``.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select, update

from watcher.errors import OvertakenError
from watcher.model import Message
from watcher.store.folding import Waiting, take_along
from watcher.store.notices import ALL_CLEAR, Window
from watcher.store.outbox import message_row
from watcher.store.tables import digest, message, notice

_BATCH = 10_000  # notices named in one statement; SQLite takes 32,766 parameters, PostgreSQL 65,535


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A window, and the message that tells it."""

    window: Window
    notice_ids: Sequence[int]  # that the message tells; none in an all-clear, which is told once for its window
    message: Message
    sizes: tuple[int, int]  # bytes of the text part and of the HTML part
    taking: Sequence[Waiting] = ()  # earlier messages whose notices it tells as well; they will not be sent


def add_digest(
    db: Connection,
    window: Window,
    notice_ids: Sequence[int],
    outgoing: Message,
    *,
    sizes: tuple[int, int],
    now: datetime,
    taking: Sequence[Waiting] = (),
) -> None:
    """Do for one window what ``add_digests`` does for several."""
    told = Told(window=window, notice_ids=notice_ids, message=outgoing, sizes=sizes, taking=taking)
    add_digests(db, [told], now=now)


def add_digests(db: Connection, told: Sequence[Told], *, now: datetime) -> None:
    """Record that windows are told, what was told in each, and the messages that tell them.

    Args:
        db: a transaction, which the caller rolls back when this fails.
        told: at most a few thousand, each window once.
        now: the moment.

    Raises:
        OvertakenError: some of the notices were told in between, or the earlier messages handed over.
    """
    notice_ids = [notice_id for one in told for notice_id in one.notice_ids]
    batches = [notice_ids[start : start + _BATCH] for start in range(0, len(notice_ids), _BATCH)]
    untold = select(func.count()).select_from(notice).where(notice.c.digest_id.is_(None))
    if sum(db.execute(untold.where(notice.c.id.in_(batch))).scalar_one() for batch in batches) != len(notice_ids):
        raise _overtaken([one.window for one in told if one.notice_ids])
    known = _known_digests(db, {one.window.address for one in told})
    again = [one.window for one in told if not one.notice_ids and _key(one.window) in known]
    if again:
        raise _overtaken(again)
    known |= _insert_digests(db, [one.window for one in told if _key(one.window) not in known], now=now)
    rows = [message_row(one.message, digest_id=known[_key(one.window)], sizes=one.sizes, now=now) for one in told]
    db.execute(insert(message), rows)
    _tie(db, told, known)
    for one in told:
        told_by = {"digest_id": known[_key(one.window)], "message_id": one.message.id}
        take_along(db, one.taking, told_by=told_by, now=now)


def _overtaken(windows: Sequence[Window]) -> OvertakenError:
    kind = "all-clear" if windows[0].subject_matter == ALL_CLEAR else "digest"
    others = f", or one of {len(windows) - 1} others," if len(windows) > 1 else ""
    return OvertakenError(f"the {kind} for {windows[0].address}{others} was composed by another instance in between")


def _key(window: Window) -> tuple[str, str, datetime]:
    return window.address, window.subject_matter, window.closes_at


def _known_digests(db: Connection, addresses: Collection[str]) -> dict[tuple[str, str, datetime], int]:
    """Return the digests of some readers; a window has one already when notices came in after it was told."""
    query = select(digest.c.address, digest.c.subject_matter, digest.c.closes_at, digest.c.id)
    rows = db.execute(query.where(digest.c.address.in_(sorted(addresses))))
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def _insert_digests(
    db: Connection, windows: Sequence[Window], *, now: datetime
) -> dict[tuple[str, str, datetime], int]:
    if not windows:
        return {}
    rows = [
        {
            "address": window.address,
            "subject_matter": window.subject_matter,
            "opens_at": window.opens_at,
            "closes_at": window.closes_at,
            "composed_at": now,
        }
        for window in windows
    ]
    numbers = db.execute(insert(digest).returning(digest.c.id, sort_by_parameter_order=True), rows).scalars().all()
    return {_key(window): number for window, number in zip(windows, numbers, strict=True)}


_TIE = (
    update(notice).where(notice.c.id == bindparam("of")).values(digest_id=bindparam("by"), message_id=bindparam("in"))
)


def _tie(db: Connection, told: Sequence[Told], known: Mapping[tuple[str, str, datetime], int]) -> None:
    """Record of each notice what tells it."""
    rows = [
        {"of": notice_id, "by": known[_key(one.window)], "in": one.message.id}
        for one in told
        for notice_id in one.notice_ids
    ]
    if rows:
        db.execute(_TIE, rows)
