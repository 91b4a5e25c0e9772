"""What readers must hear, from the transaction that makes it so until a digest tells it.

A clock may have been ahead, by years even, when something was recorded.  The rule, here and wherever a moment says
that something has to wait: a moment further ahead than a clock that is right could have put it holds nothing back.

Does not decide who hears what (``core/routing.py``) and which window is whose (``core/windows.py``).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby, islice
from operator import attrgetter

import orjson
from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, or_, select

from watcher.core.items.places import countries_of
from watcher.core.routing import Assignment, Story, assign, most_urgent, stories_of
from watcher.core.windows import merged_at, window_at
from watcher.errors import BodyUnreadable
from watcher.model import Cadence, Change, NoticeKind, Schedule, Severity
from watcher.store.holds import NOTHING_HOLDS
from watcher.store.mutes import active_mutes, muted_now
from watcher.store.routes import Origin, catch_all_route, routes_of_reader, routes_of_trial, stored_routes
from watcher.store.snapshots import read_body
from watcher.store.tables import notice, reader, revision, route, watch

_WAITING_KINDS = [kind for kind in NoticeKind if kind.waits_for_window]
CHANGES, WATCHING, ALL_CLEAR = "changes", "watching", "all_clear"  # the kinds of digest
_BATCH = 500  # notices written in one statement: a trial may have a hundred thousand readers
_SEVERITIES = {  # of what is no change of a record
    NoticeKind.GONE: Severity.CRITICAL,
    NoticeKind.UNACKNOWLEDGED: Severity.CRITICAL,
    NoticeKind.FOUND_AGAIN: Severity.MAJOR,
    NoticeKind.UNVERIFIED: Severity.MAJOR,
    NoticeKind.READER_LOST: Severity.MAJOR,
}


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


# --- noting -----------------------------------------------------------------------------------------------------------


def notify_readers(
    db: Connection,
    nct_id: str,
    kind: NoticeKind,
    *,
    now: datetime,
    revision_id: int | None = None,
    detail: str | None = None,
    changes: Sequence[Change] = (),
    drill: bool = False,
    but: str | None = None,
) -> int:
    """Note for the readers of a trial that they must hear something, each in their own window.

    Args:
        db: a transaction.
        nct_id: the trial.
        kind: CHANGED goes to those whose routes take it, and at the last to the catch-all; anything else to every
            reader, by their most urgent schedule.
        now: the moment.
        revision_id: CHANGED: the step.
        detail: in words, where the kind needs some.
        changes: CHANGED: those of the step; none = whatever it was, to everybody.
        drill: whether it is only played.
        but: the address of one who need not hear of it.

    Returns:
        How many notices were written: at most one for each address and window.
    """
    routes, last = routes_of_trial(db, nct_id), catch_all_route(db)
    common = {"nct_id": nct_id, "kind": kind, "revision_id": revision_id, "detail": detail, "drill": drill}
    if changes:
        asked = any(one.countries for one in routes)
        stories = stories_of(changes, countries_at(db, nct_id, revision_id) if asked else frozenset())
        muted = _muted_categories(db, nct_id, now=now)
        assigned = assign(stories, routes, last)
        parts = (part for one in assigned for part in _parts(one, muted.get(one.address, set())))
        rows = (common | _told_by(part, now=now) for part in parts)
    else:
        if not routes and last is not None and _has_nobody(db, nct_id):
            routes = [last]
        severity = _SEVERITIES.get(kind, Severity.MINOR)
        rows = (
            common | _in_window(address, one.schedule, kind, severity=severity, now=now) | {"why": _by([one.name])}
            for address, one in most_urgent(routes).items()
            if address != but
        )
    written = 0
    while some := list(islice(rows, _BATCH)):
        db.execute(insert(notice), some)
        written += len(some)
    return written


def notify_address(
    db: Connection,
    address: str,
    kind: NoticeKind,
    *,
    now: datetime,
    nct_id: str | None = None,
    detail: str | None = None,
    severity: Severity = Severity.MINOR,
    revision_id: int | None = None,
    drill: bool = False,
) -> None:
    """Note for one person that they must hear something, whether or not they read the trial.

    It comes by the most urgent schedule that they have for the trial, else for anything; who has none hears it within
    five minutes.
    """
    routes = routes_of_trial(db, nct_id) if nct_id else []
    mine = most_urgent(routes).get(address)
    if mine is None:
        last = catch_all_route(db)
        theirs = routes_of_reader(db, address) or ([last] if last else [])
        mine = most_urgent(theirs).get(address)
    schedule = mine.schedule if mine else Schedule(cadence=Cadence.IMMEDIATE, time_zone="UTC")
    values = {"nct_id": nct_id, "kind": kind, "revision_id": revision_id, "detail": detail, "drill": drill}
    db.execute(insert(notice).values(**values, **_in_window(address, schedule, kind, severity=severity, now=now)))


def reader_schedules(db: Connection) -> dict[str, Schedule]:
    """Return whoever hears of anything, by address, each with the most urgent schedule that they have."""
    everybody = [one.route for one in stored_routes(db, route.c.origin != Origin.CATCH_ALL)]
    return {address: one.schedule for address, one in most_urgent(everybody).items()}


def _has_nobody(db: Connection, nct_id: str) -> bool:
    """Return whether nobody reads a trial that the registry has served: nor anybody who is still to be welcomed."""
    served = select(watch.c.nct_id).where(watch.c.nct_id == nct_id, watch.c.snapshot_id.is_not(None))
    return db.execute(served.where(~exists().where(reader.c.nct_id == watch.c.nct_id))).first() is not None


def countries_at(db: Connection, nct_id: str, revision_id: int | None) -> frozenset[str]:
    """Return the countries in which a trial has a site: before and after a step, or, without one, now."""
    if revision_id is None:
        query = select(watch.c.snapshot_id, watch.c.snapshot_id).where(watch.c.nct_id == nct_id)
    else:
        query = select(revision.c.before_id, revision.c.after_id).where(revision.c.id == revision_id)
    found = db.execute(query).first()
    countries: frozenset[str] = frozenset()
    for snapshot_id in dict.fromkeys(found or ()):
        try:
            countries |= countries_of(orjson.loads(read_body(db, snapshot_id).body)) if snapshot_id else frozenset()
        except BodyUnreadable:
            continue  # the check that finds it reports it
    return countries


def _muted_categories(db: Connection, nct_id: str, *, now: datetime) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in active_mutes(db, now=now, nct_id=nct_id):
        if one.category is not None:
            found.setdefault(one.address, set()).add(one.category)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What of an assignment is one notice: it is muted as a whole or not at all."""

    of: Assignment
    stories: tuple[Story, ...]


def _parts(of: Assignment, muted: Iterable[str]) -> Iterator[_Part]:
    aside = {category: [story for story in of.stories if story.category == category] for category in muted}
    rest = [story for story in of.stories if story.category not in aside]
    return (_Part(of=of, stories=tuple(stories)) for stories in (rest, *aside.values()) if stories)


def _told_by(part: _Part, *, now: datetime) -> dict[str, object]:
    severity = min((story.severity for story in part.stories), key=attrgetter("rank"))
    kind, of = NoticeKind.CHANGED, part.of
    return {
        **_in_window(of.address, of.schedule, kind, severity=severity, now=now, pierces=of.pierces),
        "stories": [story.id for story in part.stories],
        "categories": [story.category for story in part.stories],
        "why": _by(of.routes),
    }


def _in_window(
    address: str,
    schedule: Schedule,
    kind: NoticeKind,
    *,
    severity: Severity,
    now: datetime,
    pierces: bool | None = None,
) -> dict[str, object]:
    """Return the columns that say to whom, how severe, and when."""
    critical = severity is Severity.CRITICAL if pierces is None else pierces
    opens_at, closes_at = window_at(schedule, now, critical=critical) if kind.waits_for_window else (now, now)
    immediate = schedule.cadence is Cadence.IMMEDIATE and kind.waits_for_window
    return {
        "address": address,
        "severity": severity,
        "pierces": critical and schedule.critical_pierces,
        "created_at": now,
        "opens_at": opens_at,
        "closes_at": closes_at,
        "wanted_at": merged_at(schedule, now)[1] if immediate else closes_at,
    }


def _by(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


# --- telling ----------------------------------------------------------------------------------------------------------


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
