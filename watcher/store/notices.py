"""What readers must hear, from the transaction that makes it so until a digest tells it.

A clock may have been ahead, by years even, when something was recorded.  The rule, here and wherever a moment says
that something has to wait: a moment further ahead than a clock that is right could have put it holds nothing back.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, insert, or_, select

from watcher.core.windows import window_at
from watcher.model import NoticeKind
from watcher.store.lists import schedules
from watcher.store.tables import notice

_WAITING_KINDS = [kind for kind in NoticeKind if kind.waits_for_window]
CHANGES, WATCHING = "changes", "watching"  # the two kinds of digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A digest that is due: everything one reader must hear that belongs to one window."""

    address: str
    subject_matter: str  # CHANGES or WATCHING
    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    id: int
    nct_id: str
    kind: NoticeKind
    revision_id: int | None
    stories: tuple[str, ...] | None  # of the revision; None = all
    detail: str | None


def notify_readers(
    db: Connection,
    nct_id: str,
    kind: NoticeKind,
    *,
    now: datetime,
    revision_id: int | None = None,
    detail: str | None = None,
) -> int:
    """Note for every reader of a trial that they must hear something, each in their own window; return how many."""
    rows = []
    for address, schedule in schedules(db, nct_id).items():
        opens_at, closes_at = window_at(schedule, now) if kind.waits_for_window else (now, now)
        rows.append(
            {
                "address": address,
                "nct_id": nct_id,
                "kind": kind,
                "revision_id": revision_id,
                "detail": detail,
                "created_at": now,
                "opens_at": opens_at,
                "closes_at": closes_at,
            }
        )
    if rows:
        db.execute(insert(notice), rows)
    return len(rows)


def due_windows(db: Connection, *, now: datetime) -> list[Window]:
    """Return the windows that have closed and hold something untold, oldest first.

    A window that has not even begun is one of a clock that was ahead: see the head of this module.
    """
    waiting = notice.c.kind.in_(_WAITING_KINDS)
    query = (
        select(
            notice.c.address,
            waiting.label("waiting"),
            func.min(notice.c.opens_at).label("opens_at"),
            notice.c.closes_at,
        )
        .where(notice.c.digest_id.is_(None), or_(notice.c.closes_at <= now, notice.c.opens_at > now))
        .group_by(notice.c.address, waiting, notice.c.closes_at)
        .order_by(notice.c.closes_at, notice.c.address)
    )
    return [
        Window(
            address=row.address,
            subject_matter=CHANGES if row.waiting else WATCHING,
            opens_at=row.opens_at,
            closes_at=row.closes_at,
        )
        for row in db.execute(query)
    ]


def notices_in(db: Connection, window: Window) -> list[Notice]:
    """Return what a window holds that is untold, in the order in which it came."""
    waiting = notice.c.kind.in_(_WAITING_KINDS)
    query = select(notice).where(
        and_(
            notice.c.digest_id.is_(None),
            notice.c.address == window.address,
            notice.c.closes_at == window.closes_at,
            waiting if window.subject_matter == CHANGES else ~waiting,
        )
    )
    return [
        Notice(
            id=row.id,
            nct_id=row.nct_id,
            kind=NoticeKind(row.kind),
            revision_id=row.revision_id,
            stories=None if row.stories is None else tuple(row.stories),
            detail=row.detail,
        )
        for row in db.execute(query.order_by(notice.c.id))
    ]
