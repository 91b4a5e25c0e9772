"""The outbox: messages from the transaction that composes them until the server's receipt, or until they are given up.

Each step is committed on its own and names the state it expects, so that it can be repeated, and two instances cannot
both take the same step.  "Uncertain" is a row found in SENDING at phase DOT after its process died.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta

import zstandard
from sqlalchemy import Connection, and_, func, insert, or_, select, update

from watcher.errors import OvertakenError
from watcher.model import Delivery, DeliveryState, Message, Phase
from watcher.store.database import inserted_id
from watcher.store.notices import Window
from watcher.store.tables import digest, message, notice

_OPEN = (DeliveryState.PENDING, DeliveryState.DEFERRED)
_LONGEST_WAIT = timedelta(hours=12)  # more than any message is made to wait before it is tried again
_BATCH = 10_000  # notices named in one statement; SQLite takes 32,766 parameters, PostgreSQL 65,535


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A message that waits, or that was given up, without its content."""

    id: str
    recipient: str
    subject: str
    state: DeliveryState
    attempts: int
    composed_at: datetime
    next_attempt_at: datetime
    reply: str | None  # the server's last words


def add_digest(
    db: Connection,
    window: Window,
    notice_ids: Sequence[int],
    outgoing: Message,
    *,
    sizes: tuple[int, int],
    now: datetime,
) -> None:
    """Record that a window is told, what it told, and the message that tells it.

    Args:
        window: the window.
        notice_ids: the notices that the message tells.
        outgoing: the message.
        sizes: bytes of the text part and of the HTML part.

    Raises:
        OvertakenError: some of the notices were told in between; nothing was written.
    """
    batches = [notice_ids[start : start + _BATCH] for start in range(0, len(notice_ids), _BATCH)]
    untold = select(func.count()).select_from(notice).where(notice.c.digest_id.is_(None))
    if sum(db.execute(untold.where(notice.c.id.in_(batch))).scalar_one() for batch in batches) != len(notice_ids):
        raise OvertakenError(f"the digest for {window.address} was composed by another instance in between")
    digest_id = _digest_of(db, window, now)
    for batch in batches:
        db.execute(update(notice).where(notice.c.id.in_(batch)).values(digest_id=digest_id))
    add_message(db, outgoing, digest_id=digest_id, sizes=sizes, now=now)


def _digest_of(db: Connection, window: Window, now: datetime) -> int:
    """Return the window's digest; there is one already when notices came in after it was told."""
    known = db.execute(
        select(digest.c.id).where(
            digest.c.address == window.address,
            digest.c.subject_matter == window.subject_matter,
            digest.c.closes_at == window.closes_at,
        )
    ).scalar()
    if known is not None:
        return int(known)
    return inserted_id(db.execute(insert(digest).values(composed_at=now, **asdict(window))))


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
    db.execute(
        insert(message).values(
            id=outgoing.id,
            digest_id=digest_id,
            message_id=outgoing.message_id,
            sender=outgoing.sender,
            recipient=outgoing.recipient,
            subject=outgoing.subject,
            mime=zstandard.ZstdCompressor().compress(outgoing.mime),
            text_size=sizes[0],
            html_size=sizes[1],
            composed_at=now,
            state=DeliveryState.PENDING,
            attempts=0,
            next_attempt_at=now,
            drill=drill,
        )
    )


def due_messages(db: Connection, *, now: datetime, limit: int) -> list[str]:
    """Return the IDs of messages that may be tried now: the least often tried first, then the longest waiting.

    What waits for a moment that a clock which was ahead has set does not: see ``notices.py``.
    """
    untried = and_(message.c.state == DeliveryState.PENDING, message.c.composed_at > now)
    too_far = message.c.next_attempt_at > now + _LONGEST_WAIT
    due = or_(message.c.next_attempt_at <= now, untried, too_far)
    query = select(message.c.id).where(message.c.state.in_(_OPEN), due)
    return list(
        db.execute(query.order_by(message.c.attempts, message.c.composed_at, message.c.id).limit(limit)).scalars()
    )


def interrupted_messages(db: Connection) -> list[Delivery]:
    """Return messages whose attempt was cut off by the end of a process."""
    rows = db.execute(select(message).where(message.c.state == DeliveryState.SENDING).order_by(message.c.composed_at))
    return [_delivery(row) for row in rows]


def claim(db: Connection, message_id: str) -> Delivery | None:
    """Mark a message as being sent, and return it; None when it is not waiting any more."""
    values = {"state": DeliveryState.SENDING, "phase": Phase.CONNECT, "attempts": message.c.attempts + 1}
    taken = db.execute(update(message).where(message.c.id == message_id, message.c.state.in_(_OPEN)).values(**values))
    if not taken.rowcount:
        return None
    return _delivery(db.execute(select(message).where(message.c.id == message_id)).one())


def record_phase(db: Connection, message_id: str, phase: Phase) -> None:
    """Record that a step of the conversation is about to begin."""
    _step(db, message_id, {"phase": phase})


def record_sent(db: Connection, message_id: str, *, reply: str, now: datetime) -> None:
    """Record the server's receipt."""
    _step(db, message_id, {"state": DeliveryState.SENT, "reply": reply, "finished_at": now})


def record_failed(db: Connection, message_id: str, *, reply: str, now: datetime) -> None:
    """Record that a message is given up.  The caller tells the operator in the same transaction."""
    _step(db, message_id, {"state": DeliveryState.FAILED, "reply": reply, "finished_at": now})


def record_deferred(
    db: Connection, message_id: str, *, reply: str, next_attempt_at: datetime, counted: bool = True
) -> None:
    """Record that a message will be tried again; an attempt that never reached the message is not counted."""
    values = {"state": DeliveryState.DEFERRED, "reply": reply, "next_attempt_at": next_attempt_at}
    _step(db, message_id, values if counted else values | {"attempts": message.c.attempts - 1})


def defer_all(db: Connection, *, until: datetime) -> None:
    """Let nothing be tried before a moment: the channel as a whole does not work."""
    waiting = (message.c.state.in_(_OPEN), message.c.next_attempt_at < until)
    db.execute(update(message).where(*waiting).values(next_attempt_at=until))


def deliveries(db: Connection, message_ids: Sequence[str]) -> tuple[Delivery, ...]:
    """Return where messages stand, by recipient."""
    rows = db.execute(select(message).where(message.c.id.in_(message_ids)).order_by(message.c.recipient))
    return tuple(_delivery(row) for row in rows)


def counts(db: Connection) -> dict[DeliveryState, int]:
    """Return how many messages are in each state."""
    rows = db.execute(select(message.c.state, func.count()).group_by(message.c.state)).all()
    found = {row[0]: row[1] for row in rows}
    return {state: found.get(state, 0) for state in DeliveryState}


_UNFINISHED = select(*(message.c[one.name] for one in fields(Unfinished))).where(
    message.c.state.in_((*_OPEN, DeliveryState.SENDING, DeliveryState.FAILED))
)


def unfinished(db: Connection) -> list[Unfinished]:
    """Return what still waits, and what was given up, oldest first."""
    rows = db.execute(_UNFINISHED.order_by(message.c.composed_at, message.c.id)).mappings()
    return [Unfinished(**{**row, "state": DeliveryState(row["state"])}) for row in rows]


def _step(db: Connection, message_id: str, values: dict[str, object]) -> None:
    here = (message.c.id == message_id, message.c.state == DeliveryState.SENDING)
    if not db.execute(update(message).where(*here).values(**values)).rowcount:
        raise OvertakenError(f"message {message_id} is not being sent by this instance any more")


def _delivery(row: object) -> Delivery:
    values = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001 the documented way to read a row by name
    return Delivery(
        message=Message(
            id=values["id"],
            message_id=values["message_id"],
            sender=values["sender"],
            recipient=values["recipient"],
            subject=values["subject"],
            mime=zstandard.ZstdDecompressor().decompress(values["mime"]),
        ),
        state=DeliveryState(values["state"]),
        phase=Phase(values["phase"]) if values["phase"] else None,
        attempts=values["attempts"],
        composed_at=values["composed_at"],
        next_attempt_at=values["next_attempt_at"],
        reply=values["reply"],
    )
