"""What the operator has to know: each incident opened once, told once, closed when it is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from watcher.store.tables import incident

OVER = "over: "  # with the key of an incident: news that it is over, which is never open itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    id: int
    key: str
    summary: str
    opened_at: datetime
    told_at: datetime | None
    target_told_at: datetime | None  # by the operator's target
    closed_at: datetime | None


def never_seen(nct_id: str) -> str:
    """Return the key of the incident that a watched record does not exist."""
    return f"never seen {nct_id}"


def open_incident(db: Connection, key: str, summary: str, *, now: datetime) -> bool:
    """Record that something is wrong; return False when that was known already."""
    known = select(incident.c.id).where(incident.c.key == key, incident.c.closed_at.is_(None))
    if db.execute(known).first() is not None:
        return False
    db.execute(insert(incident).values(key=key, summary=summary, opened_at=now))
    return True


_KEPT = ("key", "summary", "opened_at", "target_told_at", "closed_at")  # of an incident that is told again
# Built once: it runs at every tick, and building a statement costs more than running it.
_CLOSE = update(incident).where(incident.c.key == bindparam("of"), incident.c.closed_at.is_(None))


def close_incident(db: Connection, key: str, *, now: datetime) -> bool:
    """Record that it is over; return False when nothing was open."""
    return bool(db.execute(_CLOSE, {"of": key, "closed_at": now}).rowcount)


def close_and_tell(db: Connection, key: str, words: str, *, now: datetime) -> None:
    """Record that it is over; who heard that it began hears that as well, with these words and since when it was."""
    here = (incident.c.key == key, incident.c.closed_at.is_(None))
    opened = db.execute(select(incident.c.opened_at).where(*here, incident.c.told_at.is_not(None))).scalar()
    if close_incident(db, key, now=now) and opened is not None:
        over = {"key": OVER + key, "summary": words.format(since=f"{opened:%Y-%m-%d %H:%M} UTC")}
        db.execute(insert(incident).values(**over, opened_at=now, closed_at=now))


def close_incidents(db: Connection, keys: Sequence[str], *, now: datetime) -> None:
    """Record that several are over, as far as they were open."""
    here = (incident.c.key.in_(keys), incident.c.closed_at.is_(None))
    db.execute(update(incident).where(*here).values(closed_at=now))


def open_incidents(db: Connection) -> list[Incident]:
    """Return what is wrong now, oldest first."""
    return _incidents(db, incident.c.closed_at.is_(None))


def untold_incidents(db: Connection) -> list[Incident]:
    """Return the incidents that the operator has had no mail about, also those that are over."""
    return _incidents(db, incident.c.told_at.is_(None))


def mark_told(db: Connection, incident_ids: list[int], *, now: datetime) -> None:
    """Record that a mail about incidents is in the outbox."""
    db.execute(update(incident).where(incident.c.id.in_(incident_ids)).values(told_at=now))


def mark_target_told(db: Connection, incident_ids: list[int], *, now: datetime) -> None:
    """Record that a message to the operator's target about incidents is in the outbox."""
    db.execute(update(incident).where(incident.c.id.in_(incident_ids)).values(target_told_at=now))


def tell_again(db: Connection, *, told_at: datetime) -> None:
    """Let the incidents that one mail told be told again: that mail came back.

    They get new numbers, by which the next mail is another one than the last.  What the operator's target told stays
    told.
    """
    for row in db.execute(select(incident).where(incident.c.told_at == told_at).order_by(incident.c.id)).all():
        again = {name: row._mapping[name] for name in _KEPT}  # noqa: SLF001 the documented way to read a row by name
        db.execute(insert(incident).values(**again))
        db.execute(delete(incident).where(incident.c.id == row.id))  # last: SQLite gives the highest number again


def _incidents(db: Connection, condition: ColumnElement[bool]) -> list[Incident]:
    rows = db.execute(select(incident).where(condition).order_by(incident.c.id))
    return [
        Incident(
            id=row.id,
            key=row.key,
            summary=row.summary,
            opened_at=row.opened_at,
            told_at=row.told_at,
            target_told_at=row.target_told_at,
            closed_at=row.closed_at,
        )
        for row in rows
    ]
