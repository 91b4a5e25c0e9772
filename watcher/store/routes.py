"""Routes: who hears what, and when; from the settings file, by command, and the catch-all.

Does not decide which route takes a change (``core/routing.py``), and does not know who was welcomed or told of joining
and leaving (``lists.py``).
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    delete,
    exists,
    insert,
    select,
    true,
    type_coerce,
    union,
)

from watcher.core.routing import concerns
from watcher.model import Cadence, Route, Schedule, Severity
from watcher.store.tables import listing, opt_out, reader, route, route_scope, tag

_WATCHLIST, _TAG = "watchlist", "tag"  # kinds of scope
_BATCH = 10_000  # routes named in one statement; SQLite takes 32,766 parameters, PostgreSQL 65,535


class Origin(StrEnum):
    FILE = "file"
    COMMAND = "command"
    CATCH_ALL = "catch-all"  # the route for what no other one takes; the settings file names its address


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRoute:
    id: int
    origin: Origin
    route: Route


# Of two equally urgent routes of an address the first counts: always the same one, or windows would close at other
# hours.  The file's come before those by command.
_ORDER = (route.c.name, case((route.c.origin == Origin.FILE, 0), else_=1), route.c.id)
_COLUMNS = (
    route.c.id,
    route.c.origin,
    route.c.name,
    route.c.address,
    type_coerce(route.c.schedule, Text).label("schedule"),  # as it stands: read once for all who share it
    route.c.severity,
    route.c.categories,
    route.c.countries,
)


# --- reading ----------------------------------------------------------------------------------------------------------


def stored_routes(db: Connection, *conditions: ColumnElement[bool]) -> list[StoredRoute]:
    """Return the routes that meet some conditions, those first that count first; without conditions, all."""
    rows = db.execute(select(*_COLUMNS).where(*conditions).order_by(*_ORDER)).all()
    scoped = select(route_scope).join(route, route.c.id == route_scope.c.route_id).where(*conditions)
    return _read(rows, db.execute(scoped.order_by(route_scope.c.value)).all())


def catch_all_route(db: Connection) -> Route | None:
    """Return the route for what no other one takes; None = there is none."""
    return next((one.route for one in _read(db.execute(_CATCH_ALL).all(), [])), None)


def routes_of_trial(db: Connection, nct_id: str, *, welcomed: bool = True) -> list[Route]:
    """Return the routes by which readers hear of a trial, those first that count first; the catch-all is not one.

    Args:
        db: a transaction.
        nct_id: the trial.
        welcomed: leave out readers who do not know yet that they are.
    """
    found = _read(
        db.execute(_OF_READERS, {"nct_id": nct_id, "welcomed": welcomed}).all(),
        db.execute(_SCOPES_OF_READERS, {"nct_id": nct_id, "welcomed": welcomed}).all(),
    )
    lists, tags = lists_of(db, nct_id), frozenset(tags_of(db, nct_id))
    unwanted: dict[str, set[str]] = {}
    for row in db.execute(_OPT_OUTS_OF_READERS, {"nct_id": nct_id, "welcomed": welcomed}):
        unwanted.setdefault(row.address, set()).add(row.watchlist)
    return [
        one.route
        for one in found
        if (not one.route.tags or not tags.isdisjoint(one.route.tags))
        and concerns(one.route, lists, unwanted.get(one.route.address, ()))
    ]


def routes_of_reader(db: Connection, address: str) -> list[Route]:
    """Return the routes by which an address hears of anything, those first that count first, without the catch-all."""
    mine = (route.c.address == address, route.c.origin != Origin.CATCH_ALL)
    return [one.route for one in stored_routes(db, *mine)]


def lists_of(db: Connection, nct_id: str) -> list[str]:
    """Return the watch lists that a trial is on."""
    return list(db.execute(_LISTS, {"nct_id": nct_id}).scalars())


def tags_of(db: Connection, nct_id: str) -> list[str]:
    """Return the tags that a trial has."""
    return list(db.execute(_TAGS, {"nct_id": nct_id}).scalars())


# Built once: they run for every changed record, and building a statement costs more than running it.
_LISTS = select(listing.c.watchlist).where(listing.c.nct_id == bindparam("nct_id")).distinct().order_by("watchlist")
_TAGS = select(tag.c.tag).where(tag.c.nct_id == bindparam("nct_id")).distinct().order_by("tag")
_CATCH_ALL = select(*_COLUMNS).where(route.c.origin == Origin.CATCH_ALL)
_READS = and_(
    reader.c.nct_id == bindparam("nct_id"),
    case((bindparam("welcomed", type_=true().type), reader.c.welcomed_at.is_not(None)), else_=true()),
)
_BY_READER = and_(reader.c.address == route.c.address, route.c.origin != Origin.CATCH_ALL, _READS)
_OF_READERS = select(*_COLUMNS).join(reader, _BY_READER).order_by(*_ORDER)
_SCOPES_OF_READERS = (
    select(route_scope)
    .join(route, route.c.id == route_scope.c.route_id)
    .join(reader, _BY_READER)
    .order_by(route_scope.c.value)
)
_OPT_OUTS_OF_READERS = select(opt_out).join(reader, and_(reader.c.address == opt_out.c.address, _READS))


def wanted_readers() -> Subquery:
    """Return the query for who is to hear of which trial, by the routes' scopes: pairs of address and ID."""
    scope = route_scope.alias("tagged")
    tagged = exists().where(
        scope.c.route_id == route.c.id,
        scope.c.kind == _TAG,
        scope.c.value == tag.c.tag,
        tag.c.nct_id == listing.c.nct_id,
    )
    suits = and_(
        route.c.origin != Origin.CATCH_ALL,
        ~_has_scope(_TAG) | tagged,
        ~exists().where(opt_out.c.address == route.c.address, opt_out.c.watchlist.in_(["", listing.c.watchlist])),
    )
    pair = select(route.c.address, listing.c.nct_id)
    by_list = and_(route_scope.c.route_id == route.c.id, route_scope.c.kind == _WATCHLIST)
    named = route.join(route_scope, by_list).join(listing, listing.c.watchlist == route_scope.c.value)
    unnamed = route.join(listing, true())
    return union(
        pair.select_from(named).where(suits), pair.select_from(unnamed).where(~_has_scope(_WATCHLIST), suits)
    ).subquery("wanted")


def _has_scope(kind: str) -> ColumnElement[bool]:
    scope = route_scope.alias("any_scope")
    return exists().where(scope.c.route_id == route.c.id, scope.c.kind == kind)


# --- writing ----------------------------------------------------------------------------------------------------------


def declare_routes(db: Connection, wanted: Iterable[Route], origin: Origin, *, now: datetime) -> None:
    """Make the routes of an origin exactly the wanted ones; those that stay keep their rows."""
    present = {one.route: one.id for one in stored_routes(db, route.c.origin == origin)}
    sought = dict.fromkeys(_in_order(one) for one in wanted)
    delete_routes(db, [number for one, number in present.items() if one not in sought])
    add_routes(db, [one for one in sought if one not in present], origin, now=now)


def _in_order(one: Route) -> Route:
    """Return a route as it is read back: its lists and tags in the order of the alphabet, each once."""
    return replace(one, watchlists=tuple(sorted(set(one.watchlists))), tags=tuple(sorted(set(one.tags))))


def add_routes(db: Connection, new: Sequence[Route], origin: Origin, *, now: datetime) -> None:
    """Add routes, in a few statements for all of them; the caller settles the readers."""
    if not new:
        return
    rows = [
        {
            "origin": origin,
            "name": one.name,
            "address": one.address,
            "schedule": _schedule_values(one.schedule),
            "severity": one.severity,
            "categories": None if one.categories is None else list(one.categories),
            "countries": None if one.countries is None else list(one.countries),
            "added_at": now,
        }
        for one in new
    ]
    adding = insert(route).returning(route.c.id, sort_by_parameter_order=True)
    numbers = db.execute(adding, rows).scalars().all()
    scopes = [
        {"route_id": number, "kind": kind, "value": value}
        for number, one in zip(numbers, new, strict=True)
        for kind, values in ((_WATCHLIST, one.watchlists), (_TAG, one.tags))
        for value in dict.fromkeys(values)
    ]
    if scopes:
        db.execute(insert(route_scope), scopes)


def delete_routes(db: Connection, numbers: Sequence[int]) -> None:
    """Delete routes with their scopes; the caller settles the readers."""
    for start in range(0, len(numbers), _BATCH):
        db.execute(delete(route).where(route.c.id.in_(numbers[start : start + _BATCH])))


# --- rows -------------------------------------------------------------------------------------------------------------


def _read(rows: Sequence[object], scopes: Sequence[object]) -> list[StoredRoute]:
    named: dict[tuple[int, str], list[str]] = {}
    for row in scopes:
        named.setdefault((row.route_id, row.kind), []).append(row.value)  # type: ignore[attr-defined]  # of our table
    return [_stored(row, named) for row in rows]


def _stored(row: object, named: dict[tuple[int, str], list[str]]) -> StoredRoute:
    values = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001 the documented way to read a row by name
    categories, countries = values["categories"], values["countries"]
    found = Route(
        name=values["name"],
        address=values["address"],
        schedule=_schedule(values["schedule"]),
        watchlists=tuple(named.get((values["id"], _WATCHLIST), ())),
        tags=tuple(named.get((values["id"], _TAG), ())),
        severity=Severity(values["severity"]),
        categories=None if categories is None else tuple(categories),
        countries=None if countries is None else tuple(countries),
    )
    return StoredRoute(id=values["id"], origin=Origin(values["origin"]), route=found)


def _schedule_values(schedule: Schedule) -> dict[str, object]:
    return {
        **{one.name: getattr(schedule, one.name) for one in fields(Schedule)},
        "working_days": list(schedule.working_days),
        "holidays": [day.isoformat() for day in schedule.holidays],
        "merged_for": schedule.merged_for.total_seconds(),
        "quiet": [clock.isoformat("minutes") for clock in schedule.quiet] if schedule.quiet else None,
    }


@lru_cache(maxsize=1024)  # many routes share one
def _schedule(text: str) -> Schedule:
    # What a row of an earlier version does not say has its default.
    values = json.loads(text)
    readers: dict[str, Callable[..., object]] = {
        "cadence": Cadence,
        "working_days": tuple,
        "holidays": lambda days: tuple(map(date.fromisoformat, days)),
        "merged_for": lambda seconds: timedelta(seconds=seconds),
        "quiet": lambda clocks: tuple(map(time.fromisoformat, clocks)) if clocks else None,
    }
    read: dict[str, Any] = {name: readers[name](value) if name in readers else value for name, value in values.items()}
    return Schedule(**read)
