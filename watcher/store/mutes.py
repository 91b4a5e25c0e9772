"""What readers do not want to hear for a while: kept, and told afterwards in one mail.

A mute of one category holds the stories that a digest tells under it.  A notice is muted as a whole or not at all: one
that tells of both is split, here when it waits already, in ``notices.py`` when it comes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    and_,
    exists,
    insert,
    literal,
    or_,
    select,
    type_coerce,
    update,
)

from watcher.model import Severity
from watcher.store.database import inserted_id
from watcher.store.tables import change, mute, notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    id: int
    address: str
    nct_id: str | None  # None = every trial
    category: str | None  # None = everything
    since: datetime
    until: datetime | None  # None = until it is taken back
    reason: str | None


def add_mute(
    db: Connection,
    address: str,
    *,
    now: datetime,
    nct_id: str | None = None,
    category: str | None = None,
    until: datetime | None = None,
    reason: str | None = None,
) -> int:
    """Keep from a person what they do not want to hear for a while, and return the mute's number.

    It holds what waits already, too.

    Args:
        db: a transaction.
        address: the reader.
        now: the moment.
        nct_id: of which trial; None = of every one.
        category: which changes; None = all that waits for a digest.
        until: when it ends by itself; None = when it is taken back.
        reason: in words.
    """
    values = {"nct_id": nct_id, "category": category, "until": until, "reason": reason}
    number = inserted_id(db.execute(insert(mute).values(address=address, since=now, **values)))
    if category is not None:
        waiting = select(notice).where(
            notice.c.digest_id.is_(None), notice.c.address == address, notice.c.categories.is_not(None)
        )
        for row in db.execute(waiting).mappings().all():
            _split(db, dict(row), category)
    return number


def end_mutes(
    db: Connection, address: str, *, now: datetime, nct_id: str | None = None, category: str | None = None
) -> int:
    """Take back a person's mutes: those of a trial or a category where one is named; return how many were active."""
    here = [_active_at(now), mute.c.address == address]
    here += [mute.c.nct_id == nct_id] if nct_id is not None else []
    here += [mute.c.category == category] if category is not None else []
    return db.execute(update(mute).where(*here).values(ended_at=now)).rowcount


def active_mutes(db: Connection, *, now: datetime, nct_id: str | None = None) -> list[Mute]:
    """Return the mutes that hold something back now, by address: all, or those that concern a trial."""
    query = select(*(mute.c[one.name] for one in fields(Mute))).where(_active_at(now))
    if nct_id is not None:
        query = query.where(or_(mute.c.nct_id.is_(None), mute.c.nct_id == nct_id))
    return [Mute(**row) for row in db.execute(query.order_by(mute.c.address, mute.c.id)).mappings()]


def muted_now(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a notice is held back by a mute."""
    # The categories are a list in JSON.
    named = type_coerce(notice.c.categories, String).contains(literal('"') + mute.c.category + literal('"'))
    return exists().where(
        _active_at(now),
        mute.c.address == notice.c.address,
        or_(mute.c.nct_id.is_(None), mute.c.nct_id == notice.c.nct_id),
        or_(mute.c.category.is_(None), named),
    )


def _active_at(now: datetime) -> ColumnElement[bool]:
    return and_(mute.c.ended_at.is_(None), mute.c.since <= now, or_(mute.c.until.is_(None), mute.c.until > now))


def _split(db: Connection, row: Mapping[str, object], category: str) -> None:
    """Make two notices of one that tells also of a category, if it tells of others as well."""
    stories: list[str] = row["stories"]  # type: ignore[assignment]  # JSON of our own
    categories: list[str] = row["categories"]  # type: ignore[assignment]
    pairs = list(zip(stories, categories, strict=True))
    sides = [[pair for pair in pairs if (pair[1] == category) is muted] for muted in (False, True)]
    if not all(sides):
        return
    told = select(change.c.story, change.c.severity).where(change.c.revision_id == row["revision_id"])
    worst: dict[str, Severity] = {}
    for each in db.execute(told):
        severity = Severity(each.severity)
        worst[each.story] = min(severity, worst.get(each.story, severity), key=_rank)
    rest, aside = (_columns(side, worst) for side in sides)
    db.execute(update(notice).where(notice.c.id == row["id"]).values(**rest))
    copied = {name: value for name, value in row.items() if name != "id"}
    db.execute(insert(notice).values(**(copied | aside)))


def _columns(side: Sequence[tuple[str, str]], worst: Mapping[str, Severity]) -> dict[str, object]:
    severities = [worst[story] for story, _ in side]
    return {
        "stories": [story for story, _ in side],
        "categories": [category for _, category in side],
        "severity": min(severities, key=_rank),
    }


def _rank(severity: Severity) -> int:
    return severity.rank
