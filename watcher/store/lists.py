"""Who watches what: watch lists from the settings file and from commands, and the readers that follow from them.

A trial is watched when the file or a command says so.  What the file declares, commands do not change.  After each
edit ``_settle`` compares who should hear of which trial with who did, so that nobody joins or leaves in silence.
"""

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    exists,
    insert,
    literal,
    select,
    update,
)

from watcher.model import Cadence, NoticeKind, Recipient, Schedule, Watchlist
from watcher.store.incidents import close_incident, never_seen
from watcher.store.tables import listing, reader, subscription, watch
from watcher.store.tables import opt_out as opt_out_table
from watcher.store.welcomes import notify_at_once

_URGENCY = list(Cadence)  # the most urgent first
_MOST_ASKED = 10_000  # trials named in one statement


class Origin(StrEnum):
    FILE = "file"
    COMMAND = "command"


# Of two schedules with the same cadence the first counts: always the same one, or windows would close at other hours.
_FILE_FIRST = case((subscription.c.origin == Origin.FILE, 0), else_=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    watchlist: str
    nct_id: str
    origin: Origin
    added_at: datetime


def declare_lists(db: Connection, watchlists: Iterable[Watchlist], *, now: datetime) -> None:
    """Make the file's part of the lists what the settings file says."""
    lists = list(watchlists)
    _declare_trials(db, {(each.name, trial) for each in lists for trial in each.trials}, now=now)
    _declare_recipients(db, {(each.name, one.address): one for each in lists for one in each.recipients}, now=now)
    _settle(db, now=now)


def _declare_trials(db: Connection, wanted: Set[tuple[str, str]], *, now: datetime) -> None:
    """Make the listings of origin "file" exactly the wanted pairs of list and trial."""
    declared = listing.c.origin == Origin.FILE
    rows = db.execute(select(listing.c.watchlist, listing.c.nct_id).where(declared))
    present = {(row.watchlist, row.nct_id) for row in rows}
    for name, nct_id in present - wanted:
        db.execute(delete(listing).where(declared, listing.c.watchlist == name, listing.c.nct_id == nct_id))
    new = [
        {"watchlist": name, "nct_id": nct_id, "origin": Origin.FILE, "added_at": now}
        for name, nct_id in sorted(wanted - present)
    ]
    if new:
        db.execute(insert(listing), new)


def _declare_recipients(db: Connection, wanted: Mapping[tuple[str, str], Recipient], *, now: datetime) -> None:
    """Make the subscriptions of origin "file" exactly the wanted ones, by list and address."""
    declared = subscription.c.origin == Origin.FILE
    present = {(row.watchlist, row.address): _schedule(row) for row in db.execute(select(subscription).where(declared))}
    for name, address in present.keys() - wanted.keys():
        db.execute(delete(subscription).where(declared, *_named(name, address)))
    for (name, address), one in wanted.items():
        values = _schedule_values(one)
        if (name, address) not in present:
            key = {"watchlist": name, "address": address, "origin": Origin.FILE, "added_at": now}
            db.execute(insert(subscription).values(**key, **values))
        elif present[name, address] != one.schedule:
            db.execute(update(subscription).where(declared, *_named(name, address)).values(**values))


def _named(watchlist: str, address: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return subscription.c.watchlist == watchlist, subscription.c.address == address


def add_trials(db: Connection, watchlist: str, nct_ids: Iterable[str], *, now: datetime) -> list[str]:
    """Put trials on a list by command, and return those that were not on it by command before."""
    known = set(
        db.execute(
            select(listing.c.nct_id).where(listing.c.watchlist == watchlist, listing.c.origin == Origin.COMMAND)
        ).scalars()
    )
    added = [nct_id for nct_id in dict.fromkeys(nct_ids) if nct_id not in known]
    if added:
        rows = [{"watchlist": watchlist, "nct_id": i, "origin": Origin.COMMAND, "added_at": now} for i in added]
        db.execute(insert(listing), rows)
        _settle(db, now=now)
    return added


def remove_trials(db: Connection, watchlist: str, nct_ids: Iterable[str], *, now: datetime) -> list[str]:
    """Take trials off a list by command, and return those that were on it by command."""
    removed = []
    for nct_id in nct_ids:
        gone = db.execute(
            delete(listing).where(
                listing.c.watchlist == watchlist, listing.c.nct_id == nct_id, listing.c.origin == Origin.COMMAND
            )
        )
        if gone.rowcount:
            removed.append(nct_id)
    _settle(db, now=now)
    return removed


def subscribe(db: Connection, watchlist: str, recipient: Recipient, *, now: datetime) -> None:
    """Make a person hear of a list by command; a person who does already gets the new schedule."""
    db.execute(
        delete(subscription).where(
            subscription.c.watchlist == watchlist,
            subscription.c.address == recipient.address,
            subscription.c.origin == Origin.COMMAND,
        )
    )
    values = {"watchlist": watchlist, "address": recipient.address, "origin": Origin.COMMAND, "added_at": now}
    db.execute(insert(subscription).values(**values, **_schedule_values(recipient)))
    _settle(db, now=now)


def unsubscribe(db: Connection, watchlist: str, address: str, *, now: datetime) -> bool:
    """Take a person off a list by command, and return whether they were on it by command."""
    gone = db.execute(
        delete(subscription).where(
            subscription.c.watchlist == watchlist,
            subscription.c.address == address,
            subscription.c.origin == Origin.COMMAND,
        )
    )
    _settle(db, now=now)
    return bool(gone.rowcount)


def opt_out(db: Connection, address: str, watchlist: str, *, now: datetime) -> bool:
    """Let a person hear no more of a list ("" = of all), whatever the file and commands say; return whether it is new.

    They are told by a mail, as whoever leaves a list is.
    """
    if _opted_out(db, address, watchlist):
        return False
    db.execute(insert(opt_out_table).values(address=address, watchlist=watchlist, at=now))
    _settle(db, now=now)
    return True


def opt_in(db: Connection, address: str, watchlist: str, *, now: datetime) -> bool:
    """Take an opt-out back; return whether there was one."""
    here = (opt_out_table.c.address == address, opt_out_table.c.watchlist == watchlist)
    gone = db.execute(delete(opt_out_table).where(*here))
    _settle(db, now=now)
    return bool(gone.rowcount)


def has_opted_out(db: Connection, address: str, watchlist: str) -> bool:
    """Return whether a person asked to hear no more of a list, or of all."""
    return _opted_out(db, address, watchlist) or _opted_out(db, address, "")


def _opted_out(db: Connection, address: str, watchlist: str) -> bool:
    here = (opt_out_table.c.address == address, opt_out_table.c.watchlist == watchlist)
    return db.execute(select(opt_out_table.c.at).where(*here)).first() is not None


def lists_of(db: Connection, address: str, nct_ids: Collection[str]) -> list[str]:
    """Return the names of the lists by which a person hears of trials, or did; of all trials when none are named."""
    query = select(subscription.c.watchlist).distinct().where(subscription.c.address == address)
    if nct_ids:
        query = query.join(listing, listing.c.watchlist == subscription.c.watchlist)
        query = query.where(listing.c.nct_id.in_(sorted(nct_ids)[:_MOST_ASKED]))
    return sorted(db.execute(query).scalars())


def listings(db: Connection) -> list[Listing]:
    """Return every trial on every list, by list and ID."""
    rows = db.execute(select(listing).order_by(listing.c.watchlist, listing.c.nct_id, listing.c.origin))
    return [
        Listing(watchlist=row.watchlist, nct_id=row.nct_id, origin=Origin(row.origin), added_at=row.added_at)
        for row in rows
    ]


def recipients(db: Connection) -> dict[str, list[Recipient]]:
    """Return who hears of each watch list, each person once, with the most urgent schedule that they have for it."""
    found: dict[str, dict[str, Schedule]] = {}
    for row in db.execute(select(subscription).order_by(subscription.c.watchlist, subscription.c.address, _FILE_FIRST)):
        _keep_most_urgent(found.setdefault(row.watchlist, {}), row.address, _schedule(row))
    return {
        name: [Recipient(address=address, schedule=schedule) for address, schedule in people.items()]
        for name, people in found.items()
    }


# Built once: it runs for every changed record, and building a statement costs more than running it.
_WELCOMED = (
    select(subscription)
    .join(listing, listing.c.watchlist == subscription.c.watchlist)
    .join(reader, and_(reader.c.address == subscription.c.address, reader.c.nct_id == listing.c.nct_id))
    .where(listing.c.nct_id == bindparam("nct_id"), reader.c.welcomed_at.is_not(None))
    .order_by(subscription.c.watchlist, _FILE_FIRST)
)


def schedules(db: Connection, nct_id: str) -> dict[str, Schedule]:
    """Return the welcomed readers of a trial, each with the most urgent schedule that they have for it."""
    found: dict[str, Schedule] = {}
    for row in db.execute(_WELCOMED, {"nct_id": nct_id}):
        _keep_most_urgent(found, row.address, _schedule(row))
    return found


def _keep_most_urgent(found: dict[str, Schedule], address: str, schedule: Schedule) -> None:
    other = found.get(address)
    if other is None or _URGENCY.index(schedule.cadence) < _URGENCY.index(other.cadence):
        found[address] = schedule


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


_OPTED_OUT = exists().where(
    opt_out_table.c.address == subscription.c.address,
    opt_out_table.c.watchlist.in_((subscription.c.watchlist, "")),
)


def _settle_readers(db: Connection, *, now: datetime) -> None:
    joined = listing.join(subscription, subscription.c.watchlist == listing.c.watchlist)
    pair = and_(subscription.c.address == reader.c.address, listing.c.nct_id == reader.c.nct_id)
    wanted = exists().select_from(joined).where(pair, ~_OPTED_OUT)
    known = exists().where(pair)
    left = db.execute(select(reader).where(~wanted)).all()
    told = [(row.address, row.nct_id) for row in left if row.welcomed_at is not None]
    notify_at_once(db, NoticeKind.NO_LONGER_WATCHING, told, now=now)
    db.execute(delete(reader).where(~wanted))
    new = select(subscription.c.address, listing.c.nct_id, literal(now, reader.c.since.type))
    new = new.select_from(joined).where(~known, ~_OPTED_OUT).distinct()
    db.execute(insert(reader).from_select(["address", "nct_id", "since"], new))


_SCHEDULE = ("cadence", "time_zone", "hour", "weekday")


def _schedule_values(recipient: Recipient) -> dict[str, object]:
    schedule = recipient.schedule
    return {key: getattr(schedule, key) for key in _SCHEDULE}


def _schedule(row: object) -> Schedule:
    values = {key: getattr(row, key) for key in _SCHEDULE}
    return Schedule(**{**values, "cadence": Cadence(values["cadence"])})
