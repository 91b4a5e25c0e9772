"""What readers must hear, as it waits in its windows until a digest tells it.

A clock may have been ahead, by years even, when something was recorded.  The rule, here and wherever a moment says
that something has to wait: a moment further ahead than a clock that is right could have put it holds nothing back.

How it comes here: ``noting.py``; how it goes: ``telling.py``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from watcher.model import NoticeKind, Severity
from watcher.store.holds import NOTHING_HOLDS
from watcher.store.mutes import muted_now
from watcher.store.tables import notice

_WAITING_KINDS = [kind for kind in NoticeKind if kind.waits_for_window]
CHANGES, WATCHING, ALL_CLEAR = "changes", "watching", "all_clear"  # the kinds of digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A digest that is due: everything one reader must hear that belongs to one window, or to several in a row."""

    address: str
    subject_matter: str  # CHANGES, WATCHING or ALL_CLEAR
    opens_at: datetime
    closes_at: datetime
    first_closes_at: datetime | None = None  # of the first of several windows; None = it is only one


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is due to one reader about one matter."""

    whole: Window
    parts: tuple[Window, ...]  # the windows that it is made of, oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    id: int
    nct_id: str | None  # None = it is about the registry as a whole
    kind: NoticeKind
    revision_id: int | None
    detail: str | None
    stories: tuple[str, ...] | None  # of the revision; None = all
    severity: Severity
    why: str | None  # the routes that it came by
    created_at: datetime
    wanted_at: datetime  # when it would have been told if nothing had held it back
    delayed_since: datetime | None
    drill: bool


def due_windows(db: Connection, *, now: datetime) -> list[Window]:
    """Return what is due, oldest first: for each reader and subject matter all windows that have closed, as one.

    Not due is what a mute or a hold keeps back.  A window that has not even begun is one of a clock that was ahead: see
    the head of this module.
    """
    return [due.whole for due in together(single_windows(db, now=now))]


def together(singles: Iterable[Window]) -> list[Due]:
    """Return for each reader and subject matter all windows as one; the oldest first."""
    found = []
    for _, same in groupby(sorted(singles, key=_whose), key=_whose):
        parts = list(same)
        whole = parts[0]
        if len(parts) > 1:
            opens_at, closes_at = min(one.opens_at for one in parts), parts[-1].closes_at
            whole = replace(whole, opens_at=opens_at, closes_at=closes_at, first_closes_at=whole.closes_at)
        found.append(Due(whole=whole, parts=tuple(parts)))
    return sorted(found, key=lambda one: (one.parts[0].closes_at, one.whole.address))


def single_windows(db: Connection, *, now: datetime) -> list[Window]:
    """Return each window that is due by itself, oldest first."""
    waiting = notice.c.kind.in_(_WAITING_KINDS)
    query = (
        select(
            notice.c.address,
            waiting.label("waiting"),
            func.min(notice.c.opens_at).label("opens_at"),
            notice.c.closes_at,
        )
        .where(_due(now))
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


def notices_in(db: Connection, window: Window, *, now: datetime) -> list[Notice]:
    """Return what a window holds that is due, in the order in which it came."""
    return all_notices_in(db, [window], now=now)[0]


def all_notices_in(db: Connection, windows: Sequence[Window], *, now: datetime) -> list[list[Notice]]:
    """Return the same for each of several windows, at most a few thousand."""
    theirs = notice.c.address.in_(sorted({window.address for window in windows}))
    due: dict[tuple[str, str], list[tuple[datetime, Notice]]] = {}
    for row in db.execute(select(notice).where(_due(now), theirs).order_by(notice.c.id)).mappings():
        found = notice_of(dict(row))
        whose = row["address"], CHANGES if found.kind.waits_for_window else WATCHING
        due.setdefault(whose, []).append((row["closes_at"], found))
    return [
        [
            one
            for closes_at, one in due.get(_whose(window), [])
            if (window.first_closes_at or window.closes_at) <= closes_at <= window.closes_at
        ]
        for window in windows
    ]


def _whose(window: Window) -> tuple[str, str]:
    return window.address, window.subject_matter


def _due(now: datetime) -> ColumnElement[bool]:
    closed = or_(notice.c.closes_at <= now, notice.c.opens_at > now)
    muted = and_(notice.c.kind.in_(_WAITING_KINDS), ~notice.c.pierces, muted_now(now))
    return and_(notice.c.digest_id.is_(None), closed, NOTHING_HOLDS, ~muted)


def notice_of(row: Mapping[str, object]) -> Notice:
    """Return a notice's row as what a mail tells."""
    values: dict[str, object] = {name: row[name] for name in Notice.__slots__}
    read: dict[str, object] = {
        "kind": NoticeKind(str(row["kind"])),
        "stories": None if row["stories"] is None else tuple(row["stories"]),  # type: ignore[arg-type]  # JSON of ours
        "severity": Severity(str(row["severity"])),
        "wanted_at": row["wanted_at"] or row["closes_at"],
    }
    return Notice(**(values | read))  # type: ignore[arg-type]  # a row of our own table
