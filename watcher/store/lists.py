"""Who watches what: watch lists and tags from the settings file and from commands, and the readers that follow.

A trial is watched when the file or a command puts it on a list; who hears of it follows from the routes, see
``routes.py``.  What the file declares, commands do not change.  After each edit ``_settle`` compares who should hear of
which trial with who did, so that nobody joins or leaves in silence.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    except_,
    exists,
    insert,
    literal,
    select,
    update,
)

from watcher.core.routing import CATCH_ALL, most_urgent
from watcher.model import NoticeKind, Recipient, Route, Schedule, Watchlist
from watcher.store.incidents import close_incident, never_seen, open_incident
from watcher.store.routes import (
    Origin,
    add_routes,
    declare_routes,
    delete_routes,
    routes_of_trial,
    stored_routes,
    wanted_readers,
)
from watcher.store.tables import listing, reader, route, tag, watch
from watcher.store.tables import opt_out as opted_out
from watcher.store.welcomes import notify_at_once

EVERYTHING = ""  # in place of a watch list's name, of what somebody does not want to hear


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    watchlist: str
    nct_id: str
    origin: Origin
    added_at: datetime


# --- the settings file ------------------------------------------------------------------------------------------------


def declare_lists(
    db: Connection,
    watchlists: Iterable[Watchlist],
    *,
    now: datetime,
    routes: Iterable[Route] = (),
    catch_all: Recipient | None = None,
) -> None:
    """Make the file's part of lists, tags and routes what the settings file says.

    Args:
        db: a transaction.
        watchlists: with their trials, tags and recipients; each recipient becomes a route of everything on the list.
        now: the moment.
        routes: further ones.
        catch_all: who hears of the changes that no route takes; None = nobody does.
    """
    lists = list(watchlists)
    listed = {(each.name, trial) for each in lists for trial in each.trials}
    _declare(db, listing, "watchlist", {(trial, name) for name, trial in listed}, now=now)
    _declare(db, tag, "tag", {(trial, word) for each in lists for trial in each.trials for word in each.tags}, now=now)
    open_routes = (route_of_list(each.name, one) for each in lists for one in each.recipients)
    declare_routes(db, [*open_routes, *routes], Origin.FILE, now=now)
    last = [Route(name=CATCH_ALL, address=catch_all.address, schedule=catch_all.schedule)] if catch_all else []
    declare_routes(db, last, Origin.CATCH_ALL, now=now)
    _settle(db, now=now)


def route_of_list(watchlist: str, recipient: Recipient) -> Route:
    """Return the route by which a person hears of every change of a list."""
    return Route(name=watchlist, address=recipient.address, schedule=recipient.schedule, watchlists=(watchlist,))


def _declare(db: Connection, table: Table, word: str, wanted: Set[tuple[str, str]], *, now: datetime) -> None:
    """Make the rows of origin "file" exactly the wanted pairs of trial and word: a list's name, or a tag."""
    declared = table.c.origin == Origin.FILE
    present = {(row.nct_id, row[1]) for row in db.execute(select(table.c.nct_id, table.c[word]).where(declared))}
    for nct_id, gone in present - wanted:
        db.execute(delete(table).where(declared, table.c[word] == gone, table.c.nct_id == nct_id))
    _insert(db, table, word, sorted(wanted - present), Origin.FILE, now=now)


def _insert(
    db: Connection, table: Table, word: str, pairs: Sequence[tuple[str, str]], origin: Origin, *, now: datetime
) -> None:
    if pairs:
        rows = [{"nct_id": nct_id, word: new, "origin": origin, "added_at": now} for nct_id, new in pairs]
        db.execute(insert(table), rows)


# --- commands ---------------------------------------------------------------------------------------------------------


def add_trials(db: Connection, watchlist: str, nct_ids: Iterable[str], *, now: datetime) -> list[str]:
    """Put trials on a list by command, and return those that were not on it by command before."""
    return _add(db, listing, "watchlist", watchlist, nct_ids, now=now)


def remove_trials(db: Connection, watchlist: str, nct_ids: Iterable[str], *, now: datetime) -> list[str]:
    """Take trials off a list by command, and return those that were on it by command."""
    return _remove(db, listing, "watchlist", watchlist, nct_ids, now=now)


def tag_trials(db: Connection, word: str, nct_ids: Iterable[str], *, now: datetime) -> list[str]:
    """Give trials a tag by command, and return those that did not have it by command before."""
    return _add(db, tag, "tag", word, nct_ids, now=now)


def untag_trials(db: Connection, word: str, nct_ids: Iterable[str], *, now: datetime) -> list[str]:
    """Take a tag from trials by command, and return those that had it by command."""
    return _remove(db, tag, "tag", word, nct_ids, now=now)


def _add(db: Connection, table: Table, column: str, word: str, nct_ids: Iterable[str], *, now: datetime) -> list[str]:
    here = (table.c[column] == word, table.c.origin == Origin.COMMAND)
    known = set(db.execute(select(table.c.nct_id).where(*here)).scalars())
    added = [nct_id for nct_id in dict.fromkeys(nct_ids) if nct_id not in known]
    _insert(db, table, column, [(nct_id, word) for nct_id in added], Origin.COMMAND, now=now)
    if added:
        _settle(db, now=now)
    return added


def _remove(
    db: Connection, table: Table, column: str, word: str, nct_ids: Iterable[str], *, now: datetime
) -> list[str]:
    here = (table.c[column] == word, table.c.origin == Origin.COMMAND)
    removed = [
        nct_id for nct_id in nct_ids if db.execute(delete(table).where(*here, table.c.nct_id == nct_id)).rowcount
    ]
    _settle(db, now=now)
    return removed


def subscribe(db: Connection, watchlist: str, recipient: Recipient, *, now: datetime) -> None:
    """Make a person hear of a list by command; a person who does already gets the new schedule."""
    _unsubscribe(db, watchlist, recipient.address)
    add_routes(db, [route_of_list(watchlist, recipient)], Origin.COMMAND, now=now)
    _settle(db, now=now)


def unsubscribe(db: Connection, watchlist: str, address: str, *, now: datetime) -> bool:
    """Take a person off a list by command, and return whether they were on it by command."""
    gone = _unsubscribe(db, watchlist, address)
    _settle(db, now=now)
    return gone


def _unsubscribe(db: Connection, watchlist: str, address: str) -> bool:
    mine = (route.c.origin == Origin.COMMAND, route.c.address == address)
    gone = [one.id for one in stored_routes(db, *mine) if one.route.watchlists == (watchlist,)]
    delete_routes(db, gone)
    return bool(gone)


# --- links in mails ---------------------------------------------------------------------------------------------------


def opt_out(db: Connection, address: str, watchlist: str, *, now: datetime) -> bool:
    """Let a person hear no more by a list, whatever the file says; return False when they had asked for that already.

    They get the notice of leaving, and the operator hears of it.  The catch-all goes on: its changes have no other
    reader.

    Args:
        db: a transaction.
        address: who asked.
        watchlist: the list's name; "" = everything.
        now: the moment.
    """
    known = select(opted_out.c.at).where(opted_out.c.address == address, opted_out.c.watchlist == watchlist)
    if db.execute(known).first() is not None:
        return False
    db.execute(insert(opted_out).values(address=address, watchlist=watchlist, at=now))
    what = f'"{watchlist}"' if watchlist else "everything"
    key = f"unsubscribed {now.isoformat()}"
    open_incident(db, key, f"{address} unsubscribed from {what}, by the link in a mail.", now=now)
    close_incident(db, key, now=now)  # to be told, and nothing to be put right
    _settle(db, now=now)
    return True


def opt_in(db: Connection, address: str, watchlist: str, *, now: datetime) -> bool:
    """Take back what ``opt_out`` did; return False when there was nothing to take back."""
    here = (opted_out.c.address == address, opted_out.c.watchlist == watchlist)
    if not db.execute(delete(opted_out).where(*here)).rowcount:
        return False
    _settle(db, now=now)
    return True


def opt_outs(db: Connection) -> dict[str, list[str]]:
    """Return the lists that people asked to hear no more of, by address; "" = everything."""
    found: dict[str, list[str]] = {}
    for row in db.execute(select(opted_out).order_by(opted_out.c.address, opted_out.c.watchlist)):
        found.setdefault(row.address, []).append(row.watchlist)
    return found


# --- looking ----------------------------------------------------------------------------------------------------------


def listings(db: Connection) -> list[Listing]:
    """Return every trial on every list, by list and ID."""
    rows = db.execute(select(listing).order_by(listing.c.watchlist, listing.c.nct_id, listing.c.origin))
    return [
        Listing(watchlist=row.watchlist, nct_id=row.nct_id, origin=Origin(row.origin), added_at=row.added_at)
        for row in rows
    ]


def recipients(db: Connection) -> dict[str, list[Recipient]]:
    """Return who hears of each watch list, each person once, with the most urgent schedule that they have for it."""
    routes = [one.route for one in stored_routes(db, route.c.origin != Origin.CATCH_ALL)]
    names = {name for one in routes for name in one.watchlists}
    names |= set(db.execute(select(listing.c.watchlist).distinct()).scalars())
    unwanted = opt_outs(db)
    found = {}
    for name in sorted(names):
        of_list = [one for one in routes if not one.watchlists or name in one.watchlists]
        of_list = [one for one in of_list if not {name, EVERYTHING} & set(unwanted.get(one.address, ()))]
        people = most_urgent(sorted(of_list, key=lambda one: one.address))
        if people:
            found[name] = [Recipient(address=address, schedule=one.schedule) for address, one in people.items()]
    return found


def schedules(db: Connection, nct_id: str) -> dict[str, Schedule]:
    """Return the welcomed readers of a trial, each with the most urgent schedule that they have for it."""
    return {address: one.schedule for address, one in most_urgent(routes_of_trial(db, nct_id)).items()}


# --- what follows -----------------------------------------------------------------------------------------------------


def _settle(db: Connection, *, now: datetime) -> None:
    """Bring watches and readers in line with the lists; tell those who stop hearing of a trial."""
    listed = exists().where(listing.c.nct_id == watch.c.nct_id)
    known = exists().where(watch.c.nct_id == listing.c.nct_id)
    new = select(listing.c.nct_id, literal(True), literal(0), literal(False)).where(~known).distinct()
    db.execute(insert(watch).from_select(["nct_id", "watched", "absent_releases", "gone_told"], new))
    _forget_never_seen(db, now=now)
    db.execute(update(watch).where(watch.c.watched, ~listed).values(watched=False))
    db.execute(update(watch).where(~watch.c.watched, listed).values(watched=True))
    _settle_readers(db, now=now)


def _forget_never_seen(db: Connection, *, now: datetime) -> None:
    """Take back what the operator was told of trials that were never served and that no list names any more."""
    wrong = db.execute(
        select(watch.c.nct_id).where(
            watch.c.watched,
            watch.c.gone_told,
            watch.c.snapshot_id.is_(None),
            ~exists().where(listing.c.nct_id == watch.c.nct_id),
        )
    )
    for nct_id in wrong.scalars().all():
        close_incident(db, never_seen(nct_id), now=now)
        again = {"gone_told": False, "absent_releases": 0, "absent_release_id": None}
        db.execute(update(watch).where(watch.c.nct_id == nct_id).values(**again))


def _settle_readers(db: Connection, *, now: datetime) -> None:
    wanted = wanted_readers()
    hears, shall = select(reader.c.address, reader.c.nct_id), select(wanted.c.address, wanted.c.nct_id)
    gone = except_(hears, shall).subquery("gone")
    pair = and_(gone.c.address == reader.c.address, gone.c.nct_id == reader.c.nct_id)
    left = db.execute(select(reader).join(gone, pair)).all()
    told = [(row.address, row.nct_id) for row in left if row.welcomed_at is not None]
    notify_at_once(db, NoticeKind.NO_LONGER_WATCHING, told, now=now)
    if left:
        theirs = (reader.c.address == bindparam("whom"), reader.c.nct_id == bindparam("of"))
        db.execute(delete(reader).where(*theirs), [{"whom": row.address, "of": row.nct_id} for row in left])
    new = except_(shall, hears).subquery("new")
    joining = select(new.c.address, new.c.nct_id, literal(now, reader.c.since.type))
    db.execute(insert(reader).from_select(["address", "nct_id", "since"], joining))
