"""The outbox: messages from the transaction that composes them until the server's receipt, or until they are given up.

What a window's message tells is recorded in ``telling.py``. Each step is committed on its own and names the state it
expects, so that it can be repeated, and two instances cannot both take the same step. What was perhaps taken is settled
in ``doubts.py``; what was not taken in time is told by another message, see ``folding.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

import zstandard
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from watcher.core.targets import MAIL
from watcher.errors import OvertakenError
from watcher.model import Delivery, DeliveryState, Message, Phase
from watcher.store.tables import message, suspension

OPEN = (DeliveryState.PENDING, DeliveryState.DEFERRED)
_LONGEST_WAIT = timedelta(hours=12)  # more than any message is made to wait before it is tried again
# Whether a message is to an address that mail does not reach: it is not handed over, see ``suspensions.py``.
SUSPENDED = and_(message.c.channel == MAIL, exists().where(suspension.c.address == message.c.recipient))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A message that waits, or that was given up, without its content."""

    id: str
    channel: str
    recipient: str
    subject: str
    state: DeliveryState
    phase: Phase | None  # that the last attempt came to; None = never tried
    attempts: int
    composed_at: datetime
    next_attempt_at: datetime
    reply: str | None  # the server's last words


# --- composing --------------------------------------------------------------------------------------------------------


def add_message(
    db: Connection,
    outgoing: Message,
    *,
    digest_id: int | None,
    sizes: tuple[int, int],
    now: datetime,
    drill: bool = False,
) -> None:
    """Put a message into the outbox; a drill is one that tells of changes which were only played."""
    db.execute(insert(message), [message_row(outgoing, digest_id=digest_id, sizes=sizes, now=now) | {"drill": drill}])


def message_row(
    outgoing: Message, *, digest_id: int | None, sizes: tuple[int, int], now: datetime
) -> dict[str, object]:
    """Return a new message as a row."""
    return {
        "id": outgoing.id,
        "digest_id": digest_id,
        "return_token": outgoing.return_token,
        "channel": outgoing.channel,
        "message_id": outgoing.message_id,
        "sender": outgoing.sender,
        "recipient": outgoing.recipient,
        "subject": outgoing.subject,
        "mime": zstandard.ZstdCompressor().compress(outgoing.mime),
        "text_size": sizes[0],
        "html_size": sizes[1],
        "composed_at": now,
        "state": DeliveryState.PENDING,
        "attempts": 0,
        "next_attempt_at": now,
    }


# --- the way of a message ---------------------------------------------------------------------------------------------


def due_messages(db: Connection, *, now: datetime, limit: int, channel: str = MAIL) -> list[str]:
    """Return the IDs of a channel's messages that may be tried: the least often tried first, then the longest waiting.

    Only those of one channel, if it is named.  What waits for a moment that a clock which was ahead has set does not:
    see ``notices.py``.
    """
    untried = and_(message.c.state == DeliveryState.PENDING, message.c.composed_at > now)
    due = or_(message.c.next_attempt_at <= now, untried, is_too_far(now))
    order = (message.c.attempts, message.c.composed_at, message.c.id)
    found = []
    for state in OPEN:  # each is in order in the index, and both together are not
        query = select(*order).where(message.c.state == state, message.c.channel == channel, due, ~SUSPENDED)
        found += [tuple(row) for row in db.execute(query.order_by(*order).limit(limit))]
    return [message_id for _, _, message_id in sorted(found)[:limit]]


def is_too_far(now: datetime) -> ColumnElement[bool]:
    """Say of a message that it waits for a moment which no clock that is right can have set."""
    return message.c.next_attempt_at > now + _LONGEST_WAIT


def waiting_channels(db: Connection) -> list[str]:
    """Return the channels that messages wait for, or were perhaps taken by."""
    waiting = message.c.state.in_((*OPEN, DeliveryState.UNCERTAIN))
    return list(db.execute(select(message.c.channel).where(waiting).distinct().order_by(message.c.channel)).scalars())


def interrupted_messages(db: Connection) -> list[Delivery]:
    """Return messages whose attempt was cut off by the end of a process."""
    rows = db.execute(select(message).where(message.c.state == DeliveryState.SENDING).order_by(message.c.composed_at))
    return [delivery_of(row) for row in rows]


def claim(db: Connection, message_ids: Sequence[str]) -> list[Delivery]:
    """Mark messages as being sent, and return them in this order; those that do not wait any more are left out."""
    query = select(message).where(message.c.id.in_(message_ids), message.c.state.in_(OPEN), ~SUSPENDED)
    found = {row.id: delivery_of(row) for row in db.execute(query)}
    values = {"state": DeliveryState.SENDING, "phase": Phase.CONNECT, "attempts": message.c.attempts + 1}
    db.execute(update(message).where(message.c.id.in_(list(found))).values(**values))
    waiting = [found[message_id] for message_id in message_ids if message_id in found]
    return [
        replace(one, state=DeliveryState.SENDING, phase=Phase.CONNECT, attempts=one.attempts + 1) for one in waiting
    ]


def release(db: Connection, message_ids: Sequence[str]) -> None:
    """Put back messages that were claimed and then not begun."""
    state = case((message.c.reply.is_(None), DeliveryState.PENDING), else_=DeliveryState.DEFERRED)
    here = (message.c.id.in_(message_ids), message.c.state == DeliveryState.SENDING)
    db.execute(update(message).where(*here).values(state=state, attempts=message.c.attempts - 1))


# Built once: they run for each message, and building a statement costs more than running it.
_BEING_SENT = and_(message.c.id == bindparam("of"), message.c.state == DeliveryState.SENDING)
_RECORD_PHASE = update(message).where(_BEING_SENT).values(phase=bindparam("step"))
_RECORD_SENT = (
    update(message)
    .where(_BEING_SENT)
    .values(state=DeliveryState.SENT, reply=bindparam("words"), finished_at=bindparam("at"))
)


def record_phase(db: Connection, message_id: str, phase: Phase) -> None:
    """Record that a step of the conversation is about to begin."""
    taken(db.execute(_RECORD_PHASE, {"of": message_id, "step": phase}).rowcount, message_id)


def record_sent(db: Connection, message_id: str, *, reply: str, now: datetime) -> None:
    """Record the server's receipt."""
    taken(db.execute(_RECORD_SENT, {"of": message_id, "words": reply, "at": now}).rowcount, message_id)


def record_ended(
    db: Connection, message_id: str, state: DeliveryState, *, reply: str, now: datetime, phase: Phase | None = None
) -> None:
    """Record that a message will not be sent: FAILED, for which the caller tells the operator, or BARRED.

    Args:
        state: which of them.
        reply: why.
        phase: the step that failed; None = as was recorded before.
    """
    _step(db, message_id, {"state": state, "reply": reply, "finished_at": now}, phase)


def record_deferred(
    db: Connection,
    message_id: str,
    *,
    reply: str,
    next_attempt_at: datetime,
    counted: bool = True,
    phase: Phase | None = None,
) -> None:
    """Record that a message will be tried again; an attempt that never reached the message is not counted."""
    values = {"state": DeliveryState.DEFERRED, "reply": reply, "next_attempt_at": next_attempt_at}
    _step(db, message_id, values if counted else values | {"attempts": message.c.attempts - 1}, phase)


def record_uncertain(db: Connection, message_id: str, *, reply: str, next_attempt_at: datetime) -> None:
    """Record that a message was perhaps taken, and when that is to be settled."""
    values = {"state": DeliveryState.UNCERTAIN, "reply": reply, "next_attempt_at": next_attempt_at}
    _step(db, message_id, values | {"unanswered": message.c.unanswered + 1}, None)


def defer_all(db: Connection, *, until: datetime, channel: str = MAIL) -> None:
    """Let none of a channel's messages be tried before a moment: the channel as a whole does not work."""
    waiting = (message.c.state.in_(OPEN), message.c.channel == channel, message.c.next_attempt_at < until)
    db.execute(update(message).where(*waiting).values(next_attempt_at=until))


# --- what there is ----------------------------------------------------------------------------------------------------
def deliveries(db: Connection, message_ids: Sequence[str]) -> tuple[Delivery, ...]:
    """Return where messages stand, by recipient."""
    rows = db.execute(select(message).where(message.c.id.in_(message_ids)).order_by(message.c.recipient))
    return tuple(delivery_of(row) for row in rows)


def counts(db: Connection) -> dict[DeliveryState, int]:
    """Return how many messages are in each state."""
    rows = db.execute(select(message.c.state, func.count()).group_by(message.c.state)).all()
    found = {row[0]: row[1] for row in rows}
    return {state: found.get(state, 0) for state in DeliveryState}


_LISTED = select(*(message.c[one.name] for one in fields(Unfinished))).order_by(message.c.composed_at, message.c.id)
_WAITING = (*OPEN, DeliveryState.SENDING, DeliveryState.UNCERTAIN)


def unfinished(db: Connection, *states: DeliveryState) -> list[Unfinished]:
    """Return what still waits, is uncertain, or was given up, oldest first; or only what is in some states."""
    return _listed(db, _LISTED.where(message.c.state.in_(states or (*_WAITING, DeliveryState.FAILED))))


def all_messages(db: Connection) -> list[Unfinished]:
    """Return every message, oldest first, whatever became of it."""
    return _listed(db, _LISTED)


def oldest_waiting(db: Connection) -> datetime | None:
    """Return when the oldest message was composed that waits; None = none does."""
    query = select(func.min(message.c.composed_at)).where(message.c.state.in_(_WAITING))
    found: datetime | None = db.execute(query).scalar()
    return found


def _listed(db: Connection, query: Select[Any]) -> list[Unfinished]:
    rows = db.execute(query).mappings()
    return [
        Unfinished(
            **{**row, "state": DeliveryState(row["state"]), "phase": Phase(row["phase"]) if row["phase"] else None}
        )
        for row in rows
    ]


def _step(db: Connection, message_id: str, values: dict[str, object], phase: Phase | None) -> None:
    here = (message.c.id == message_id, message.c.state == DeliveryState.SENDING)
    known = values if phase is None else values | {"phase": phase}
    taken(db.execute(update(message).where(*here).values(**known)).rowcount, message_id)


def taken(rows: int, message_id: str) -> None:
    """Make sure that a step changed a row.

    Raises:
        OvertakenError: it did not; somebody else has taken another step.
    """
    if not rows:
        raise OvertakenError(f"message {message_id} is not being sent by this instance any more")


def delivery_of(row: object) -> Delivery:
    """Return a message's row as where the message stands."""
    values = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001 the documented way to read a row by name
    return Delivery(
        message=Message(
            id=values["id"],
            message_id=values["message_id"],
            sender=values["sender"],
            recipient=values["recipient"],
            subject=values["subject"],
            mime=zstandard.ZstdDecompressor().decompress(values["mime"]),
            return_token=values["return_token"],
            channel=values["channel"],
        ),
        state=DeliveryState(values["state"]),
        phase=Phase(values["phase"]) if values["phase"] else None,
        attempts=values["attempts"],
        composed_at=values["composed_at"],
        next_attempt_at=values["next_attempt_at"],
        reply=values["reply"],
        digest_id=values["digest_id"],
        unanswered=values["unanswered"],
        drill=values["drill"],
    )
