"""Proof: see to it that nobody takes silence for peace.

Readers hear that a trial, or the registry as a whole, cannot be verified for too long, again while it lasts, and when
it is over.  The operator hears that the registry publishes nothing.  What a check that died left under suspicion is
judged.  What is too long is decided in ``core/proof.py``.

Does not mail: it leaves notices and incidents for the digest, and writes nothing when nothing is new.
"""

from collections.abc import Iterator
from datetime import date, datetime

import structlog
from sqlalchemy import Connection

from watcher.core.guards import Thresholds
from watcher.core.proof import Limits, Word, is_overdue, is_stale, word_on
from watcher.core.text import one_line
from watcher.model import NoticeKind
from watcher.stages.check import REGISTRY_INCIDENT
from watcher.store.database import Database
from watcher.store.holds import dead_passes, end_dead_passes
from watcher.store.incidents import close_incident, open_incident, open_incidents
from watcher.store.releases import KnownRelease, latest_release
from watcher.store.verification import (
    FailingWatch,
    failing_watches,
    tell_failing,
    tell_verified_again,
    tell_whole,
    whole,
)

STALE_INCIDENT = "stale registry"
_REASON_LENGTH = 160  # characters of the registry's words in a notice
_log = structlog.get_logger("proof")


class Proof:
    """The stage between check and digest."""

    def __init__(self, database: Database, *, limits: Limits, stale_after: int, thresholds: Thresholds | None) -> None:
        """Wire the stage.

        Args:
            database: remembers who was told what.
            limits: how long something may stay unverified.
            stale_after: working days without new data; 0 = any number is fine.
            thresholds: what makes a release suspicious; None = nothing does.
        """
        self._database = database
        self._limits = limits
        self._stale_after = stale_after
        self._thresholds = thresholds

    def run(self, *, now: datetime) -> None:
        """Note what readers and the operator have to hear now."""
        self._judge_dead_passes(now)
        self._tell_unverified(now)
        self._tell_stale(now)

    def _judge_dead_passes(self, now: datetime) -> None:
        with self._database.reading() as db:
            dead = dead_passes(db, now=now)
        if dead:
            with self._database.writing() as db:
                end_dead_passes(db, self._thresholds, now=now)

    def _tell_unverified(self, now: datetime) -> None:
        with self._database.reading() as db:
            everything = whole(db, trouble=REGISTRY_INCIDENT)
            single = [] if everything.since else list(self._words(db, now))
        word = word_on(
            overdue=everything.since is not None and abs(now - everything.since) >= self._limits.after,
            failing=everything.since is not None,
            told_at=everything.told_at,
            now=now,
            remind_every=self._limits.remind_every,
        )
        if word is not Word.NOTHING:
            kind = NoticeKind.VERIFIED_AGAIN if word is Word.VERIFIED_AGAIN else NoticeKind.UNVERIFIED
            detail = _moment(everything.since) if everything.since else None
            with self._database.writing() as db:
                tell_whole(db, kind, detail=detail, now=now)
            _log.warning("registry as a whole", word=word, since=detail)
        for one, single_word in single:
            self._tell_single(one, single_word, now)

    def _words(self, db: Connection, now: datetime) -> Iterator[tuple[FailingWatch, Word]]:
        for one in failing_watches(db):
            since = one.failing_since or now
            word = word_on(
                overdue=one.reason is not None
                and is_overdue(since, releases=one.releases, now=now, limits=self._limits),
                failing=one.reason is not None,
                told_at=one.told_at,
                now=now,
                remind_every=self._limits.remind_every,
            )
            if word is not Word.NOTHING:
                yield one, word

    def _tell_single(self, one: FailingWatch, word: Word, now: datetime) -> None:
        with self._database.writing() as db:
            if word is Word.VERIFIED_AGAIN:
                tell_verified_again(db, one.nct_id, now=now)
            else:
                tell_failing(db, one.nct_id, detail=_why(one, now), now=now)
        _log.warning("verification", nct_id=one.nct_id, word=word)

    def _tell_stale(self, now: datetime) -> None:
        with self._database.reading() as db:
            release = latest_release(db)
            known = {incident.key for incident in open_incidents(db)}
        # While the registry cannot be asked, nobody knows whether it has published.
        if release is None or REGISTRY_INCIDENT in known:
            return
        stale = self._is_stale(release, now)
        if stale == (STALE_INCIDENT in known):
            return
        with self._database.writing() as db:
            if stale:
                open_incident(db, STALE_INCIDENT, self._stale_words(release), now=now)
            else:
                close_incident(db, STALE_INCIDENT, now=now)

    def _is_stale(self, release: KnownRelease, now: datetime) -> bool:
        try:
            day = date.fromisoformat(release.release.data_timestamp[:10])
        except ValueError:  # it is the registry's text, and only compared for equality everywhere else
            return False
        return is_stale(day, now=now, working_days=self._stale_after)

    def _stale_words(self, release: KnownRelease) -> str:
        return (
            f"The registry has published nothing for {self._stale_after} working days: its data are of "
            f"{release.release.data_timestamp}. Its own pages may say why; this closes by itself with the next data."
        )


def _why(one: FailingWatch, now: datetime) -> str:
    """Return since when a trial is not verified and why, as its readers read it."""
    since = one.verified_at or one.failing_since or now
    reason = one.reason.value.replace("_", " ") if one.reason else "unknown"
    return f"{_moment(since)} ({reason}: {one_line(one.detail or 'nothing more is known', _REASON_LENGTH)})"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
