"""What a message told that was not taken is told by another message: nothing is lost, and nothing told twice.

A message that waits too long is folded and leaves its notices untold; the next digest of the same reader tells them.
Or that digest is composed before, and takes along what still waits.  Both say since when it is delayed.

Never folded is what was perhaps taken: it would be told twice, and by messages that nobody could recognise as doubles.

A reminder is not told later: it is forgotten, and written anew if somebody still has to be reminded.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from watcher.errors import OvertakenError
from watcher.model import DeliveryState, NoticeKind
from watcher.store.notices import Notice, Window, notice_of
from watcher.store.tables import digest, message, notice

# What is asked for some readers must not look at everybody's messages in a state: so that no index takes it for that.
_STATE = message.c.state.concat("")
_UNTAKEN = (
    message.c.state.in_((DeliveryState.PENDING, DeliveryState.DEFERRED)),
    message.c.unanswered == 0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A digest that its reader has not got yet."""

    message_id: str  # the outbox row
    composed_at: datetime
    notices: tuple[Notice, ...]


def waiting_digests(db: Connection, window: Window, *, now: datetime) -> list[Waiting]:
    """Return the earlier digests of a window's reader, about the same matter, that still wait to be handed over."""
    return all_waiting_digests(db, [window.address], now=now).get((window.address, window.subject_matter), [])


def all_waiting_digests(
    db: Connection, addresses: Collection[str], *, now: datetime
) -> dict[tuple[str, str], list[Waiting]]:
    """Return the same for several readers, at most a few thousand, by address and subject matter."""
    query = (
        select(message.c.id, message.c.composed_at, digest.c.address, digest.c.subject_matter)
        .join(digest, digest.c.id == message.c.digest_id)
        .where(digest.c.address.in_(sorted(addresses)), message.c.composed_at < now)
        .where(_STATE.in_((DeliveryState.PENDING, DeliveryState.DEFERRED)), message.c.unanswered == 0)
        .order_by(message.c.composed_at, message.c.id)
    )
    found: dict[tuple[str, str], list[Waiting]] = {}
    for row in db.execute(query).all():
        told = _notices_of(db, row.id, row.composed_at)
        if told:  # without notices it was composed before messages and notices were tied: it goes its own way
            one = Waiting(message_id=row.id, composed_at=row.composed_at, notices=told)
            found.setdefault((row.address, row.subject_matter), []).append(one)
    return found


def _notices_of(db: Connection, message_id: str, composed_at: datetime) -> tuple[Notice, ...]:
    lasting = (notice.c.message_id == message_id, notice.c.kind != NoticeKind.UNACKNOWLEDGED)
    rows = db.execute(select(notice).where(*lasting).order_by(notice.c.id)).mappings()
    return tuple(replace(notice_of(dict(row)), delayed_since=row["delayed_since"] or composed_at) for row in rows)


def take_along(db: Connection, taking: Sequence[Waiting], *, told_by: Mapping[str, object], now: datetime) -> None:
    """Let a new message tell what earlier ones were to tell; those are not sent any more.

    Args:
        taking: the earlier ones.
        told_by: the columns of a notice that say what tells it.

    Raises:
        OvertakenError: one of them is being handed over by now.
    """
    for earlier in taking:
        values = {"state": DeliveryState.FOLDED, "reply": f"told by message {told_by['message_id']}"}
        here = (message.c.id == earlier.message_id, *_UNTAKEN)
        if not db.execute(update(message).where(*here).values(finished_at=now, **values)).rowcount:
            raise OvertakenError(f"message {earlier.message_id} is being handed over; it is not taken along")
        _free_notices(db, earlier.message_id, earlier.composed_at, told_by=told_by)


def record_folded(db: Connection, message_id: str, *, reply: str, now: datetime) -> bool:
    """Record that a message which is being sent was not taken in time; what it told is untold again.

    Return False, and change nothing, when it is not known what the message told: it was composed before 0003.

    Raises:
        OvertakenError: it is not being sent by this instance any more.
    """
    here = (message.c.id == message_id, message.c.state == DeliveryState.SENDING, message.c.unanswered == 0)
    values = {"state": DeliveryState.FOLDED, "reply": reply, "finished_at": now}
    if db.execute(select(notice.c.id).where(notice.c.message_id == message_id).limit(1)).first() is None:
        return False
    if not db.execute(update(message).where(*here).values(**values)).rowcount:
        raise OvertakenError(f"message {message_id} is not being sent by this instance any more")
    composed_at = db.execute(select(message.c.composed_at).where(message.c.id == message_id)).scalar_one()
    _free_notices(db, message_id, composed_at, told_by={"digest_id": None, "message_id": None})
    return True


def _free_notices(db: Connection, message_id: str, composed_at: datetime, *, told_by: Mapping[str, object]) -> None:
    reminders = (notice.c.message_id == message_id, notice.c.kind == NoticeKind.UNACKNOWLEDGED)
    db.execute(delete(notice).where(*reminders))
    first = func.coalesce(notice.c.delayed_since, composed_at)
    db.execute(update(notice).where(notice.c.message_id == message_id).values(delayed_since=first, **told_by))


def times_folded(db: Connection, window: Window) -> int:
    """Return how many messages of a window's digest were folded: the next one needs an identity of its own."""
    return all_times_folded(db, [window.address])[window.address, window.subject_matter, window.closes_at]


def all_times_folded(db: Connection, addresses: Collection[str]) -> Counter[tuple[str, str, datetime]]:
    """Return the same for several readers, at most a few thousand, by address, subject matter and end of the window."""
    columns = (digest.c.address, digest.c.subject_matter, digest.c.closes_at)
    query = (
        select(*columns, func.count())
        .select_from(message.join(digest, digest.c.id == message.c.digest_id))
        .where(digest.c.address.in_(sorted(addresses)), _STATE == DeliveryState.FOLDED)
        .group_by(*columns)
    )
    return Counter({(row[0], row[1], row[2]): row[3] for row in db.execute(query)})
