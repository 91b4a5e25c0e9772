"""Addresses that mail does not reach: suspended, spared by the outbox, resumed; and what was on its way there.

A notice stays its reader's.  What a message told that came back, or that waits for a suspended address, is untold
again; whoever composes it next sends it to the one who stands in.  So nothing is lost, and what has not been composed
when the address is resumed goes there again.

Does not decide that an address is lost, or who stands in: ``core/bounces.py``.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, and_, delete, exists, func, insert, or_, select, update

from watcher.model import DeliveryState, NoticeKind
from watcher.store.incidents import tell_again
from watcher.store.outbox import OPEN, SUSPENDED
from watcher.store.tables import message, notice, suspension


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    address: str
    since: datetime
    reason: str  # the receiving server's words
    message_id: str | None  # of the message that came back


def suspension_incident(address: str) -> str:
    """Return the key of the incident that mail does not reach an address."""
    return f"suspension {sha256(address.encode()).hexdigest()[:32]}"


def suspensions(db: Connection) -> dict[str, Suspension]:
    """Return the addresses that mail does not reach, oldest first."""
    rows = db.execute(select(suspension).order_by(suspension.c.since, suspension.c.address)).mappings()
    return {row["address"]: Suspension(**row) for row in rows}


def suspend(db: Connection, address: str, *, reason: str, message_id: str | None, now: datetime) -> bool:
    """Record that mail does not reach an address; return False when that was known."""
    if db.execute(select(suspension.c.address).where(suspension.c.address == address)).first() is not None:
        return False
    db.execute(insert(suspension).values(address=address, since=now, reason=reason, message_id=message_id))
    return True


def resume(db: Connection, address: str) -> bool:
    """Take a suspension back; return False when there was none."""
    return bool(db.execute(delete(suspension).where(suspension.c.address == address)).rowcount)


# --- what was on its way there ----------------------------------------------------------------------------------------

# Built once: it runs at every tick, and building a statement costs more than running it.
# As a rule nobody is suspended, and then no message is looked at.
_STRANDED = select(message.c.id).where(message.c.state.in_(OPEN), exists(select(suspension.c.address)), SUSPENDED)


def stranded_messages(db: Connection) -> list[str]:
    """Return the messages that wait in the outbox for an address that mail does not reach."""
    return list(db.execute(_STRANDED.order_by(message.c.composed_at)).scalars())


def fold_stranded(db: Connection, *, now: datetime) -> int:
    """Let what waits for suspended addresses be told again, to those who stand in; return how many messages it was."""
    folded = [one for one in stranded_messages(db) if fold(db, one, reply="mail does not reach the address", now=now)]
    return len(folded)


def fold(
    db: Connection,
    message_id: str,
    *,
    reply: str,
    now: datetime,
    again_at: datetime | None = None,
    under_way: bool = False,
) -> bool:
    """Let what a message told be told again, because it never arrived.

    Args:
        message_id: of the outbox; waiting, or taken by a server that sent it back.
        reply: why, in the receiving server's words.
        again_at: when the next mail may tell it; None = at once.
        under_way: the message is being sent, by the caller, and was not taken.

    Returns:
        False when it was done before, or when the message is under way at this moment.
    """
    values = {"state": DeliveryState.FOLDED, "reply": reply, "finished_at": now}
    states = (DeliveryState.SENDING,) if under_way else (*OPEN, DeliveryState.SENT)
    here = (message.c.id == message_id, message.c.state.in_(states))
    if not db.execute(update(message).where(*here).values(**values)).rowcount:
        return False
    one = db.execute(select(message.c.digest_id, message.c.composed_at).where(message.c.id == message_id)).one()
    if one.digest_id is None:
        tell_again(db, told_at=one.composed_at)
        return True
    untold = {
        "digest_id": None,
        "message_id": None,
        "opens_at": now,
        "closes_at": again_at or now,
        "delayed_since": func.coalesce(notice.c.delayed_since, one.composed_at),
    }
    # What was told before messages and notices were tied is known by its digest.
    told = or_(
        notice.c.message_id == message_id,
        and_(notice.c.message_id.is_(None), notice.c.digest_id == one.digest_id),
    )
    db.execute(update(notice).where(told).values(**untold))
    return True


def trials_told(db: Connection, message_id: str) -> list[str]:
    """Return the trials that a message tells of."""
    told = select(notice.c.nct_id).join(message, message.c.id == notice.c.message_id)
    return list(
        db.execute(
            told.where(message.c.id == message_id, notice.c.nct_id.is_not(None)).distinct().order_by(notice.c.nct_id)
        ).scalars()
    )


def is_loss_told(db: Connection, nct_id: str, address: str, *, since: datetime) -> bool:
    """Return whether the others who hear of a trial were told that mail does not reach one of them."""
    here = (
        notice.c.kind == NoticeKind.READER_LOST,
        notice.c.nct_id == nct_id,
        notice.c.detail == address,
        notice.c.created_at >= since,
    )
    return db.execute(select(notice.c.id).where(*here).limit(1)).first() is not None
