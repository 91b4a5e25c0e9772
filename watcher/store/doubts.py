"""Messages that were perhaps taken: the answer to their final dot was lost, or nobody was left to hear it.

Records how each doubt was settled.  Does not settle any: ``stages/deliver`` asks the journal.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, or_, select, update

from watcher.model import Delivery, DeliveryState
from watcher.store.outbox import delivery_of, is_too_far, taken
from watcher.store.tables import message


def uncertain_messages(db: Connection, *, channel: str, now: datetime, limit: int) -> list[Delivery]:
    """Return a channel's uncertain messages that may be settled now, the longest waiting first."""
    due = or_(message.c.next_attempt_at <= now, is_too_far(now))
    query = select(message).where(message.c.state == DeliveryState.UNCERTAIN, message.c.channel == channel, due)
    return [delivery_of(row) for row in db.execute(query.order_by(message.c.next_attempt_at).limit(limit))]


def record_found(db: Connection, message_id: str, *, reply: str, now: datetime) -> None:
    """Record that a message was taken after all."""
    _settle(db, message_id, {"state": DeliveryState.SENT, "reply": reply, "finished_at": now})


def record_again(db: Connection, message_id: str, *, reply: str, now: datetime, disproved: bool) -> None:
    """Record that a message is to be sent again, at once.

    Args:
        reply: why.
        disproved: it is known that the last attempt was in vain; False = it may come twice.
    """
    values: dict[str, object] = {"state": DeliveryState.DEFERRED, "reply": reply, "next_attempt_at": now}
    _settle(db, message_id, values | ({"unanswered": message.c.unanswered - 1} if disproved else {}))


def record_given_up(db: Connection, message_id: str, *, reply: str, now: datetime) -> None:
    """Record that it will not be known; the caller tells the operator in the same transaction."""
    _settle(db, message_id, {"state": DeliveryState.FAILED, "reply": reply, "finished_at": now})


def postpone(db: Connection, message_ids: Sequence[str], *, until: datetime) -> None:
    """Record that it cannot be settled now."""
    here = (message.c.id.in_(message_ids), message.c.state == DeliveryState.UNCERTAIN)
    db.execute(update(message).where(*here).values(next_attempt_at=until))


def _settle(db: Connection, message_id: str, values: dict[str, object]) -> None:
    here = (message.c.id == message_id, message.c.state == DeliveryState.UNCERTAIN)
    taken(db.execute(update(message).where(*here).values(**values)).rowcount, message_id)
