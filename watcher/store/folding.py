"""What a message told that was not taken is told by another message: nothing is lost, and nothing told twice.

A message that waits too long is folded and leaves its notices untold; the next digest of the same reader tells them.
Or that digest is composed before, and takes along what still waits.  Both say since when it is delayed.

Never folded is what was perhaps taken: it would be told twice, and by messages that nobody could recognise as doubles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from watcher.errors import OvertakenError
from watcher.model import DeliveryState
from watcher.store.notices import Notice, Window, notice_of
from watcher.store.tables import digest, message, notice

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
    query = (
        select(message.c.id, message.c.composed_at)
        .join(digest, digest.c.id == message.c.digest_id)
        .where(
            digest.c.address == window.address,
            digest.c.subject_matter == window.subject_matter,
            message.c.composed_at < now,
            *_UNTAKEN,
        )
        .order_by(message.c.composed_at, message.c.id)
    )
    found = [(row.id, row.composed_at, _notices_of(db, row.id, row.composed_at)) for row in db.execute(query).all()]
    # Without notices it was composed before messages and notices were tied: it goes its own way.
    return [Waiting(message_id=key, composed_at=at, notices=told) for key, at, told in found if told]


def _notices_of(db: Connection, message_id: str, composed_at: datetime) -> tuple[Notice, ...]:
    rows = db.execute(select(notice).where(notice.c.message_id == message_id).order_by(notice.c.id)).mappings()
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
    first = func.coalesce(notice.c.delayed_since, composed_at)
    db.execute(update(notice).where(notice.c.message_id == message_id).values(delayed_since=first, **told_by))


def times_folded(db: Connection, window: Window) -> int:
    """Return how many messages of a window's digest were folded: the next one needs an identity of its own."""
    query = (
        select(func.count())
        .select_from(message.join(digest, digest.c.id == message.c.digest_id))
        .where(
            digest.c.address == window.address,
            digest.c.subject_matter == window.subject_matter,
            digest.c.closes_at == window.closes_at,
            message.c.state == DeliveryState.FOLDED,
        )
    )
    return int(db.execute(query).scalar_one())
