"""What readers hear at once, because they joined or left: where their trial stands, or that they hear no more of it.

Does not know who reads what; see ``lists.py``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, exists, insert, or_, select, update

from watcher.model import NoticeKind, Reason
from watcher.store.tables import notice, reader, watch

# Whom to tell where their trial stands.  The registry must have spoken of it in this release: either it was verified
# since they joined, or it is one that the others were told is gone.  (One that was never served has nobody to tell.)
_SERVED = watch.c.release_id == bindparam("release_id")
_STILL_GONE = and_(
    watch.c.gone_told,
    watch.c.absent_release_id == bindparam("release_id"),
    watch.c.reason.in_([reason for reason in Reason if reason.about_the_record]),
)
_TOLD_WHERE_IT_STANDS = and_(
    reader.c.welcomed_at.is_(None), watch.c.snapshot_id.is_not(None), or_(_SERVED, _STILL_GONE)
)
# Built once: they run at every tick, and building a statement costs more than running it.
_NEW_READERS = select(reader.c.address, reader.c.nct_id, watch.c.detail, _SERVED.label("served")).join_from(
    reader, watch, and_(watch.c.nct_id == reader.c.nct_id, _TOLD_WHERE_IT_STANDS)
)
_WELCOME = update(reader).where(
    exists().where(watch.c.nct_id == reader.c.nct_id, _TOLD_WHERE_IT_STANDS).correlate(reader)
)
_WAITS_ALREADY = select(notice.c.address, notice.c.nct_id).where(
    notice.c.kind == NoticeKind.GONE, notice.c.digest_id.is_(None)
)


def welcome_readers(db: Connection, *, release_id: int, now: datetime) -> int:
    """Tell new readers where their trial stands, once the registry has spoken of it since they joined.

    They hear "now watching"; of a trial that was told as gone they hear that, and when it is found again.  Neither
    waits for their digest, but somebody who left and came back while it did wait is not told twice.

    Returns:
        How many readers were told.
    """
    new = db.execute(_NEW_READERS, {"release_id": release_id}).all()
    if not new:
        return 0
    notify_at_once(db, NoticeKind.NOW_WATCHING, [(one.address, one.nct_id) for one in new if one.served], now=now)
    gone = {(one.address, one.nct_id): one.detail for one in new if not one.served}
    if gone:
        waiting = {(one.address, one.nct_id) for one in db.execute(_WAITS_ALREADY)}
        notify_at_once(db, NoticeKind.GONE, [pair for pair in gone if pair not in waiting], now=now, details=gone)
    db.execute(_WELCOME, {"release_id": release_id, "welcomed_at": now})
    return len(new)


def welcomes(db: Connection, nct_id: str) -> dict[str, datetime | None]:
    """Return the readers of a trial, each with when they were told that they are; None = they will be."""
    rows = db.execute(select(reader.c.address, reader.c.welcomed_at).where(reader.c.nct_id == nct_id))
    return {row.address: row.welcomed_at for row in rows}


def notify_at_once(
    db: Connection,
    kind: NoticeKind,
    pairs: Sequence[tuple[str, str]],
    *,
    now: datetime,
    details: Mapping[tuple[str, str], str | None] | None = None,
) -> None:
    """Note for readers of trials what they must hear at once."""
    if pairs:
        moments = {"created_at": now, "opens_at": now, "closes_at": now}
        rows = [
            {"address": pair[0], "nct_id": pair[1], "kind": kind, "detail": (details or {}).get(pair), **moments}
            for pair in pairs
        ]
        db.execute(insert(notice), rows)
