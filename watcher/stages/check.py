"""Check: ask the registry for every watch that is not verified against its current release, and record what differs.

Does not mail: it leaves notices, in the transaction that stores the change.  None of them is told before the pass that
found it has ended, because only then is it known whether the release as a whole is suspicious.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog
from sqlalchemy import Connection

from watcher.core.fields import FieldTable
from watcher.core.guards import Thresholds
from watcher.errors import RegistryError, StoreError
from watcher.model import Reason, Record, Refusal, Release
from watcher.registry.client import Fetched, KnownHashes
from watcher.render.counts import plural
from watcher.stages.comparison import Comparison
from watcher.stages.evidence import Evidence, refuse_superseded, without_lagging, without_shrunk
from watcher.store.database import Database
from watcher.store.holds import begin_pass, end_passes
from watcher.store.incidents import close_and_tell, close_incident, close_incidents, never_seen, open_incident
from watcher.store.releases import KnownRelease, confirm_release, note_checked
from watcher.store.revisions import record_first_sights, record_revision
from watcher.store.verification import forget_told
from watcher.store.watches import (
    current_hashes,
    current_snapshots,
    note_doubted,
    note_same_content,
    note_stamps,
    note_unverified,
    note_withheld,
    record_refusal,
    unverified,
    verify_unchanged,
)
from watcher.store.welcomes import welcome_readers

REGISTRY_INCIDENT = "registry"  # which release it is at cannot be asked
RECORDS_INCIDENT = "records: "  # with the reason for which records cannot be verified
_ANSWERS_AGAIN = "The registry can be asked again; it could not since {since}. What changed meanwhile is told as usual."
_PASSES = 3  # of one check: a release that appears in mid-pass is followed; one more that does waits for the next tick
_log = structlog.get_logger("check")

Progress = Callable[[int, int], None]  # (verified or refused so far, of how many)


class Registry(Protocol):
    """What the check needs of the registry; ``registry.client.RegistryClient`` is one."""

    def release(self) -> Release: ...

    def fetch(self, nct_ids: Sequence[str], known: KnownHashes) -> Iterator[Fetched]: ...


@dataclass(slots=True)
class Outcome:
    """What a check did, for the log and the person who asked for it."""

    release: Release
    asked: int = 0  # watches that were not verified when it began
    unchanged: int = 0
    first_seen: int = 0
    changed: int = 0
    changes: int = 0
    refused: Counter[Reason] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)  # new or different, and a placeholder: verified all the same


class Check:
    """The first stage."""

    def __init__(
        self, database: Database, registry: Registry, table: FieldTable, *, thresholds: Thresholds | None = None
    ) -> None:
        """Wire the stage; without thresholds, no release is suspicious."""
        self._database = database
        self._thresholds = thresholds
        self._registry = registry
        self._comparison = Comparison(database, table)

    def run(self, *, now: datetime, progress: Progress | None = None) -> Outcome:
        """Verify every watch against the registry's current release.

        Raises:
            RegistryError: the registry does not say which release it is at; ask again at the next tick.
            StoreError: the database does not take what was found; everything recorded before stands.
        """
        release = self._release(now)
        outcome = Outcome(release=release)
        for _ in range(_PASSES):
            known, nct_ids = self._begin(release, now)
            moved = self._pass(known, nct_ids, outcome, now=now, progress=progress)
            if moved is None:
                break
            _log.info("release moved in mid-pass", was=release.data_timestamp, now=moved.data_timestamp)
            release = outcome.release = moved
        return outcome

    def _release(self, now: datetime) -> Release:
        try:
            return self._registry.release()
        except RegistryError as error:
            with self._database.writing() as db:
                open_incident(db, REGISTRY_INCIDENT, f"The registry cannot be asked: {error}", now=now)
            raise

    def _begin(self, release: Release, now: datetime) -> tuple[KnownRelease, list[str]]:
        """Record the release, which verifies every watch that is on it already; return it with the other watches."""
        with self._database.writing() as db:
            refuse_superseded(db, release, now=now)
            known = confirm_release(db, release, now=now)
            close_and_tell(db, REGISTRY_INCIDENT, _ANSWERS_AGAIN, now=now)
            welcome_readers(db, release_id=known.id, now=now)
            nct_ids = unverified(db, release_id=known.id)
            if nct_ids:
                begin_pass(db, known.id, now=now)
            return known, nct_ids

    def _pass(
        self,
        release: KnownRelease,
        nct_ids: Sequence[str],
        outcome: Outcome,
        *,
        now: datetime,
        progress: Progress | None,
    ) -> Release | None:
        """Fetch and record what is not verified; return the registry's release if it has moved meanwhile."""
        if not nct_ids:
            if release.checked_at is None:
                with self._database.writing() as db:
                    self._end_pass(db, release.id, [], now)
            return None
        earlier = len(outcome.refusals)
        outcome.asked = max(outcome.asked, len(nct_ids))
        seen = Evidence(release.release)
        done = 0
        for fetched in self._registry.fetch(nct_ids, self._known_hashes):
            seen.add(fetched)
            with self._database.reading() as db:
                believed, doubted = without_shrunk(db, without_lagging(db, fetched, release, now=now))
            self._record(believed, outcome, release_id=release.id, now=now)
            if doubted:
                with self._database.writing() as db:
                    note_doubted(db, doubted)
            outcome.withheld += sorted(believed.withheld & {record.nct_id for record in believed.records})
            done += len(believed.unchanged) + len(believed.records) + len(believed.refusals)
            if progress:
                progress(done, len(nct_ids))
        with self._database.writing() as db:
            welcome_readers(db, release_id=release.id, now=now)
            self._end_pass(db, release.id, outcome.refusals[earlier:], now)
        if seen.consistent:
            return None
        current = self._registry.release()
        return current if current.data_timestamp != release.release.data_timestamp else None

    def _end_pass(self, db: Connection, release_id: int, refusals: Sequence[Refusal], now: datetime) -> None:
        """Record that every watch has been asked for, and what follows from that for all of them together."""
        note_checked(db, release_id, now=now)
        note_unverified(db)
        forget_told(db)
        _note_failures(db, refusals, now)
        end_passes(db, self._thresholds, now=now)

    def _known_hashes(self, nct_ids: Sequence[str]) -> Mapping[str, bytes]:
        with self._database.reading() as db:
            return current_hashes(db, nct_ids)

    def _record(self, fetched: Fetched, outcome: Outcome, *, release_id: int, now: datetime) -> None:
        if fetched.unchanged:
            with self._database.writing() as db:
                verify_unchanged(db, fetched.unchanged, release_id=release_id, now=now)
                note_stamps(db, {i: fetched.stamp_of[i] for i in fetched.unchanged if i in fetched.stamp_of})
        outcome.unchanged += len(fetched.unchanged)
        refusals = list(fetched.refusals)
        if fetched.records:
            refusals += self._record_new(fetched, outcome, release_id=release_id, now=now)
        if refusals:
            self._refuse(refusals, outcome, release_id=release_id, now=now)

    def _record_new(self, fetched: Fetched, outcome: Outcome, *, release_id: int, now: datetime) -> list[Refusal]:
        """Record what is new or different; return what we failed on."""
        records = fetched.records
        with self._database.reading() as db:
            current = current_snapshots(db, [record.nct_id for record in records])
        first_seen = [record for record in records if current[record.nct_id] is None]
        groups = [first_seen] if first_seen else []
        groups += [[record] for record in records if current[record.nct_id] is not None]
        refusals: list[Refusal] = []
        for group in groups:
            refusals += self._record_group(group, current, outcome, release_id=release_id, now=now)
        refused = {refusal.nct_id for refusal in refusals}
        recorded = [record for record in records if record.nct_id not in refused]
        with self._database.writing() as db:
            note_stamps(db, {one.nct_id: one.stamp for one in recorded if one.stamp})
            note_withheld(db, [one.nct_id for one in recorded], fetched.withheld)
        return refusals

    def _refuse(self, refusals: Sequence[Refusal], outcome: Outcome, *, release_id: int, now: datetime) -> None:
        with self._database.writing() as db:
            for refusal in refusals:
                record_refusal(db, refusal, release_id=release_id, now=now)
        for refusal in refusals:
            _log.warning("not verified", nct_id=refusal.nct_id, reason=refusal.reason, detail=refusal.detail)
        outcome.refused.update(refusal.reason for refusal in refusals)
        outcome.refusals += refusals

    def _record_group(
        self,
        records: Sequence[Record],
        current: Mapping[str, int | None],
        outcome: Outcome,
        *,
        release_id: int,
        now: datetime,
    ) -> list[Refusal]:
        """Record first sights together, or one other record; where that fails by a fault of ours, each by itself."""
        first = records[0]
        try:
            current_id = current[first.nct_id]
            if current_id is None:
                with self._database.writing() as db:
                    record_first_sights(db, records, release_id=release_id, now=now)
                    close_incidents(db, [never_seen(record.nct_id) for record in records], now=now)
                outcome.first_seen += len(records)
            else:
                self._record_one(first, current_id, outcome, release_id=release_id, now=now)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 a record that we fail on must not keep the others unwatched
            if len(records) > 1:
                singles = ([record] for record in records)
                groups = (self._record_group(one, current, outcome, release_id=release_id, now=now) for one in singles)
                return [refusal for group in groups for refusal in group]
            _log.exception("failed on a record", nct_id=first.nct_id)
            detail = f"trialwatch failed on this record ({type(error).__name__}); see the log"
            return [Refusal(nct_id=first.nct_id, reason=Reason.OUR_FAULT, detail=detail)]
        return []

    def _record_one(self, record: Record, current_id: int, outcome: Outcome, *, release_id: int, now: datetime) -> None:
        compared = self._comparison.of(record, current_id, now=now)
        with self._database.writing() as db:
            if compared.same_content:
                note_same_content(db, record, current_id=current_id, release_id=release_id, now=now)
            else:
                record_revision(
                    db,
                    record,
                    base=compared.base,
                    current_id=current_id,
                    changes=compared.changes,
                    release_id=release_id,
                    now=now,
                )
                close_incidents(db, compared.incidents, now=now)
        outcome.unchanged += compared.same_content
        outcome.changed += bool(compared.changes)
        outcome.changes += len(compared.changes)


def _note_failures(db: Connection, refusals: Sequence[Refusal], now: datetime) -> None:
    """Open an incident for each reason that is not the record's own; close those whose reason is over.

    Readers hear of a record that is gone; of one that cannot be had for another reason, only the operator can.
    """
    for reason in Reason:
        if reason.about_the_record:
            continue
        failed = [refusal for refusal in refusals if refusal.reason is reason]
        key = RECORDS_INCIDENT + reason
        if failed:
            summary = (
                f"{plural(len(failed), 'trial')} cannot be verified, {failed[0].nct_id} for one: {failed[0].detail}"
            )
            open_incident(db, key, summary, now=now)
        else:
            close_incident(db, key, now=now)
