"""Messages that were given up, and what the operator decides about them."""

from datetime import datetime

from sqlalchemy import Connection, case, select, update

from watcher.model import DeliveryState
from watcher.store.incidents import close_incident
from watcher.store.tables import message

DEAD_LETTER = "message "  # the key of an incident, with the message's ID
_GIVEN_UP = (DeliveryState.FAILED, DeliveryState.BARRED)


def dead_letter(message_id: str) -> str:
    """Return the key of the incident that a message was given up."""
    return DEAD_LETTER + message_id


def given_up(db: Connection, beginning: str) -> list[str]:
    """Return the IDs of messages that were given up, those that begin so; "" is the beginning of all."""
    here = (message.c.state.in_(_GIVEN_UP), message.c.id.startswith(beginning, autoescape=True))
    return list(db.execute(select(message.c.id).where(*here).order_by(message.c.id)).scalars())


def try_again(db: Connection, message_id: str, *, now: datetime) -> bool:
    """Put a message that was given up back into the queue; return False when it is not one of those any more.

    One attempt at least is made, however old the message is.  If it was perhaps delivered, one more answer that is lost
    gives it up again.
    """
    here = (message.c.id == message_id, message.c.state.in_(_GIVEN_UP))
    doubts = case((message.c.unanswered > 1, 1), else_=message.c.unanswered)
    values = {"state": DeliveryState.DEFERRED, "next_attempt_at": now, "finished_at": None, "unanswered": doubts}
    if not db.execute(update(message).where(*here).values(**values)).rowcount:
        return False
    close_incident(db, dead_letter(message_id), now=now)
    return True


def dismiss(db: Connection, message_id: str, *, now: datetime) -> bool:
    """Record that the operator wants nothing done about a message that was given up; return False if nothing was."""
    return close_incident(db, dead_letter(message_id), now=now)
