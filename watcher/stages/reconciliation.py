"""Reconciliation: find what is missing between a change and its reader's mailbox, put it right, tell the operator.

Runs after the digest, because what that has just taken is not missing.  Looks every few minutes at most, so that
whatever is missing is found within fifteen.  Does not decide what is missing: ``core/reconciling.py``.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

import structlog
from sqlalchemy import Connection

from watcher.core.reconciling import STUCK_AFTER, Gap, GapKind, gap_words, is_repaired, is_stuck
from watcher.stages.composing import incident_of
from watcher.store.database import Database
from watcher.store.incidents import close_incident, open_incident, open_incidents
from watcher.store.notices import Window
from watcher.store.reconciliation import gaps, repair, under_way

GAP_INCIDENT = "gap: "  # with its kind
_LOOK_EVERY = timedelta(minutes=5)
_log = structlog.get_logger("reconciliation")

Standing = Callable[[timedelta], Collection[str]]  # messages in hand that have not moved for so long
PutBack = Callable[[Collection[str], datetime], int]  # frees messages that nobody sends; returns how many


class Reconciliation:
    """The stage after the digest."""

    def __init__(self, database: Database, *, put_back: PutBack, standing: Standing) -> None:
        """Wire the stage; ``put_back`` and ``standing`` are the delivery's, which knows what is in hand."""
        self._database = database
        self._put_back = put_back
        self._standing = standing
        self._looked_at: datetime | None = None
        self._under_way: dict[tuple[str, int], datetime] = {}  # message and attempt → when it was first seen

    def run(self, *, now: datetime) -> list[Gap]:
        """Look, if it is time; return what was missing."""
        if self._looked_at is not None and self._looked_at <= now < self._looked_at + _LOOK_EVERY:
            return []
        self._looked_at = now
        with self._database.reading() as db:
            incidents = {incident.key for incident in open_incidents(db)}
            known = partial(_is_known, incidents)
            found = [*gaps(db, known=known, now=now), *self._stuck(db, now)]
        if not found and not any(key.startswith(GAP_INCIDENT) for key in incidents):
            return []
        missing = [gap for gap in found if self._repaired(gap, now) or not is_repaired(gap.kind)]
        with self._database.writing() as db:
            _tell_operator(db, missing, now)
        for gap in missing:
            _log.error("gap", kind=gap.kind, row=gap.row, nct_id=gap.nct_id)
        return missing

    def _stuck(self, db: Connection, now: datetime) -> list[Gap]:
        seen = {(one.id, one.attempts): one for one in under_way(db)}
        since = {key: self._under_way.get(key) for key in seen}
        self._under_way = {key: moment or now for key, moment in since.items()}
        standing = self._standing(STUCK_AFTER)
        return [
            Gap(
                kind=GapKind.HANGING if one.id in standing else GapKind.STUCK,
                row=one.id,
                nct_id=one.nct_id,
                address=one.recipient,
            )
            for key, one in seen.items()
            if one.id in standing or is_stuck(since[key], now=now)
        ]

    def _repaired(self, gap: Gap, now: datetime) -> bool:
        if gap.kind is GapKind.STUCK:
            return bool(self._put_back([str(gap.row)], now))  # not what is in hand, and moves
        if gap.kind is GapKind.HANGING:
            return False
        with self._database.writing() as db:
            return repair(db, gap, now=now)


def _is_known(incidents: Collection[str], window: Window) -> bool:
    return incident_of(window) in incidents


def _tell_operator(db: Connection, missing: list[Gap], now: datetime) -> None:
    """Open one incident for each kind; what was put right is told, and over at once."""
    by_kind = {kind: list(some) for kind, some in groupby(sorted(missing, key=lambda g: g.kind), key=lambda g: g.kind)}
    for kind in GapKind:
        key = GAP_INCIDENT + kind
        if kind in by_kind:
            open_incident(db, key, gap_words(by_kind[kind]), now=now)
        if kind not in by_kind or is_repaired(kind):
            close_incident(db, key, now=now)
