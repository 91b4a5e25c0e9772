"""Who watches what: watch lists from the settings file and from commands, and the readers that follow from them.

A trial is watched when the file or a command says so.  What the file declares, commands do not change.  After each
edit ``_settle`` compares who should hear of which trial with who did, so that nobody joins or leaves in silence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, and_, bindparam, case, delete, exists, insert, literal, select, update

from watcher.model import Cadence, NoticeKind, Recipient, Schedule, Watchlist
from watcher.store.tables import listing, notice, reader, subscription, watch

_URGENCY = list(Cadence)  # the most urgent first


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
    _replace_declared(db, listing, {(each.name, trial): {} for each in lists for trial in each.trials}, now=now)
    recipients = {(each.name, one.address): _schedule_values(one) for each in lists for one in each.recipients}
    _replace_declared(db, subscription, recipients, now=now)
    _settle(db, now=now)


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


# Built once: it runs at every tick, and building a statement costs more than running it.
_NEW_READERS = (
    select(reader.c.address, reader.c.nct_id)
    .join(watch, watch.c.nct_id == reader.c.nct_id)
    .where(
        reader.c.welcomed_at.is_(None),
        watch.c.release_id == bindparam("release_id"),
        watch.c.snapshot_id.is_not(None),
    )
)


def welcome_readers(db: Connection, *, release_id: int, now: datetime) -> int:
    """Note "now watching" for readers whose trial has been verified since they joined; return how many notices."""
    pairs = db.execute(_NEW_READERS, {"release_id": release_id}).all()
    if not pairs:
        return 0
    _notify(db, NoticeKind.NOW_WATCHING, [(pair.address, pair.nct_id) for pair in pairs], now=now)
    here = and_(watch.c.nct_id == reader.c.nct_id, watch.c.release_id == release_id, watch.c.snapshot_id.is_not(None))
    db.execute(update(reader).where(reader.c.welcomed_at.is_(None), exists().where(here)).values(welcomed_at=now))
    return len(pairs)


def _settle(db: Connection, *, now: datetime) -> None:
    """Bring watches and readers in line with the lists; tell those who stop hearing of a trial."""
    listed = exists().where(listing.c.nct_id == watch.c.nct_id)
    known = exists().where(watch.c.nct_id == listing.c.nct_id)
    new = select(listing.c.nct_id, literal(True), literal(0), literal(False)).where(~known).distinct()
    db.execute(insert(watch).from_select(["nct_id", "watched", "absent_releases", "gone_told"], new))
    db.execute(update(watch).where(watch.c.watched, ~listed).values(watched=False))
    db.execute(update(watch).where(~watch.c.watched, listed).values(watched=True))
    _settle_readers(db, now=now)


def _settle_readers(db: Connection, *, now: datetime) -> None:
    joined = listing.join(subscription, subscription.c.watchlist == listing.c.watchlist)
    pair = and_(subscription.c.address == reader.c.address, listing.c.nct_id == reader.c.nct_id)
    wanted = exists().select_from(joined).where(pair)
    known = exists().where(pair)
    left = db.execute(select(reader).where(~wanted)).all()
    told = [(row.address, row.nct_id) for row in left if row.welcomed_at is not None]
    _notify(db, NoticeKind.NO_LONGER_WATCHING, told, now=now)
    db.execute(delete(reader).where(~wanted))
    new = select(subscription.c.address, listing.c.nct_id, literal(now, reader.c.since.type))
    new = new.select_from(joined).where(~known).distinct()
    db.execute(insert(reader).from_select(["address", "nct_id", "since"], new))


def _notify(db: Connection, kind: NoticeKind, pairs: Sequence[tuple[str, str]], *, now: datetime) -> None:
    if pairs:
        moments = {"created_at": now, "opens_at": now, "closes_at": now}
        rows = [{"address": address, "nct_id": nct_id, "kind": kind, **moments} for address, nct_id in pairs]
        db.execute(insert(notice), rows)


def _replace_declared(
    db: Connection, table: object, wanted: dict[tuple[str, str], dict[str, object]], *, now: datetime
) -> None:
    """Make the rows of origin "file" in ``listing`` or ``subscription`` exactly the wanted ones."""
    target = listing if table is listing else subscription
    member = target.c.nct_id if target is listing else target.c.address
    rows = db.execute(select(target).where(target.c.origin == Origin.FILE)).mappings().all()
    present = {(row["watchlist"], row[member.name]): {key: row[key] for key in _SCHEDULE if key in row} for row in rows}
    for name, who in present.keys() - wanted.keys():
        db.execute(delete(target).where(target.c.watchlist == name, member == who, target.c.origin == Origin.FILE))
    added = [
        {"watchlist": name, member.name: who, "origin": Origin.FILE, "added_at": now, **values}
        for (name, who), values in wanted.items()
        if (name, who) not in present
    ]
    if added:
        db.execute(insert(target), added)
    for (name, who), values in wanted.items():
        if (name, who) in present and present[name, who] != values:
            here = and_(target.c.watchlist == name, member == who, target.c.origin == Origin.FILE)
            db.execute(update(target).where(here).values(**values))


_SCHEDULE = ("cadence", "time_zone", "hour", "weekday")


def _schedule_values(recipient: Recipient) -> dict[str, object]:
    schedule = recipient.schedule
    return {key: getattr(schedule, key) for key in _SCHEDULE}


def _schedule(row: object) -> Schedule:
    values = {key: getattr(row, key) for key in _SCHEDULE}
    return Schedule(**{**values, "cadence": Cadence(values["cadence"])})
