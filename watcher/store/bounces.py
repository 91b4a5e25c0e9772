"""Reports that came back about messages: each recorded once, with what it was taken to mean.

Does not judge reports (``core/bounces.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from watcher.core.bounces import Meaning, Verdict, Why, precise_status
from watcher.core.targets import MAIL
from watcher.store.tables import bounce, message, opt_out

_RETURNED = (Why.MAILBOX_FULL, Why.MESSAGE_REFUSED, Why.GAVE_UP)
_LONGEST_STATUS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The message that a report is about."""

    id: str
    recipient: str
    subject: str


def message_by_tokens(db: Connection, tokens: Sequence[str]) -> Original | None:
    """Return the first message that one of these return addresses was made for."""
    return _first(db, [message.c.return_token == token for token in tokens])


def message_by_ids(db: Connection, message_ids: Sequence[str]) -> Original | None:
    """Return the first message of ours that has one of these Message-IDs."""
    return _first(db, [message.c.message_id == one for one in message_ids])


def _first(db: Connection, conditions: Sequence[object]) -> Original | None:
    for condition in conditions:
        row = db.execute(
            select(message.c.id, message.c.recipient, message.c.subject).where(message.c.channel == MAIL, condition)  # type: ignore[arg-type]
        ).first()
        if row is not None:
            return Original(id=row.id, recipient=row.recipient, subject=row.subject)
    return None


def is_known(db: Connection, report_id: str) -> bool:
    """Return whether a report was recorded before."""
    return db.execute(select(bounce.c.id).where(bounce.c.report_id == report_id)).first() is not None


def record_report(db: Connection, report_id: str, verdict: Verdict, *, original: Original, now: datetime) -> None:
    """Record a report about a message of ours."""
    outcome = verdict.outcome
    status = precise_status(outcome) if outcome else None
    db.execute(
        insert(bounce).values(
            message_id=original.id,
            address=original.recipient,
            permanent=verdict.meaning is Meaning.LOST,
            why=verdict.why,
            status=status[:_LONGEST_STATUS] if status else None,
            diagnostic=outcome.diagnostic if outcome else None,
            report_id=report_id,
            received_at=now,
        )
    )


def times_returned(db: Connection, address: str, *, since: datetime) -> int:
    """Return how many messages to an address came back, though it may be good."""
    here = (bounce.c.address == address, bounce.c.why.in_(_RETURNED), bounce.c.received_at >= since)
    return int(db.execute(select(func.count(bounce.c.message_id.distinct())).where(*here)).scalar_one())


def opt_out_of_all(db: Connection, address: str, *, now: datetime) -> bool:
    """Record that somebody wants to hear no more; return False when that was known."""
    known = select(opt_out.c.address).where(opt_out.c.address == address, opt_out.c.watchlist == "")
    if db.execute(known).first() is not None:
        return False
    db.execute(insert(opt_out).values(address=address, watchlist="", at=now))
    return True
