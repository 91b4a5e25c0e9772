"""Note what readers must hear, in the transaction that makes it so: a notice for each of them, in a window of theirs.

Does not decide who hears what (``core/routing.py``) and which window is whose (``core/windows.py``).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from operator import attrgetter

import orjson
from sqlalchemy import Connection, exists, insert, select

from watcher.core.items.places import countries_of
from watcher.core.routing import Assignment, Story, assign, most_urgent, stories_of
from watcher.core.windows import merged_at, window_at
from watcher.errors import BodyUnreadable
from watcher.model import Cadence, Change, NoticeKind, Schedule, Severity
from watcher.store.mutes import active_mutes
from watcher.store.routes import Origin, catch_all_route, routes_of_reader, routes_of_trial, stored_routes
from watcher.store.snapshots import read_body
from watcher.store.tables import notice, reader, revision, route, watch

_BATCH = 500  # notices written in one statement: a trial may have a hundred thousand readers
_SEVERITIES = {  # of what is no change of a record
    NoticeKind.GONE: Severity.CRITICAL,
    NoticeKind.UNACKNOWLEDGED: Severity.CRITICAL,
    NoticeKind.FOUND_AGAIN: Severity.MAJOR,
    NoticeKind.UNVERIFIED: Severity.MAJOR,
    NoticeKind.READER_LOST: Severity.MAJOR,
}


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
