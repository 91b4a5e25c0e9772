"""Gather what a mail tells: from notices to the facts of a letter.  Reads the store; does not render or send."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection

from watcher.core.digest import Sentence, TrialBlock, Version, arrange_trials, arrange_version
from watcher.core.fields import FieldTable, value_at
from watcher.core.reminder_words import arrange_reminder
from watcher.core.text import one_line
from watcher.errors import BodyUnreadable
from watcher.model import Change, Json, NoticeKind, Severity
from watcher.render.letters import Coverage, Letter, ListedTrial, TrialGroup, letter_of_changes, letter_of_watching
from watcher.stages.linking import Linker
from watcher.store import watches
from watcher.store.notices import Notice
from watcher.store.releases import latest_release
from watcher.store.revisions import Revision, changes_of, revisions
from watcher.store.snapshots import read_body

LISTED_TRIALS = 40  # of one group in a mail, so that it stays below 80 KB of HTML; the others are counted
_NO_TITLE = "(title not available)"
_STATUS_MODULE = "protocolSection.statusModule."


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Gathers letters from one state of the database."""

    db: Connection
    table: FieldTable
    linker: Linker | None = None  # puts links into what it gathers; None = there are none

    def coverage(self, address: str | None = None) -> Coverage:
        """Return how many trials are verified against the current release: a reader's, or all."""
        release = latest_release(self.db)
        if release is None:
            return Coverage(verified=0, watched=0, data_date=None)
        counted = watches.coverage(self.db, release_id=release.id, address=address)
        day = release.release.data_timestamp[:10]
        return Coverage(verified=counted.verified, watched=counted.watched, data_date=day)

    def of_changes(self, address: str, notices: Sequence[Notice]) -> Letter:
        """Return the digest for a window's notices of changes."""
        by_trial: dict[str, list[Notice]] = {}
        for notice in notices:
            by_trial.setdefault(notice.nct_id, []).append(notice)
        blocks = [self._block(nct_id, about) for nct_id, about in by_trial.items()]
        letter = letter_of_changes(arrange_trials(blocks), self.coverage(address))
        return self._subscribed(letter, list(by_trial))

    def of_watching(self, address: str, notices: Sequence[Notice]) -> Letter:
        """Return the mail for notices of joining and leaving."""
        joined = [notice.nct_id for notice in notices if notice.kind is NoticeKind.NOW_WATCHING]
        left = [notice.nct_id for notice in notices if notice.kind is NoticeKind.NO_LONGER_WATCHING]
        letter = letter_of_watching(
            self._group("You will hear of every change of these records:", joined),
            self._group("You will hear no more of these records; their history is kept:", left),
            self.coverage(address),
        )
        return self._subscribed(letter, [*joined, *left])

    def _subscribed(self, letter: Letter, nct_ids: Sequence[str]) -> Letter:
        return self.linker.subscribed(letter, self.db, nct_ids) if self.linker else letter

    def record(self, nct_id: str) -> Json:
        """Return a trial's current version, decoded; None when there is none, or it cannot be read."""
        state = watches.watch_states(self.db, [nct_id]).get(nct_id)
        if state is None or state.snapshot_id is None:
            return None
        try:
            return orjson.loads(read_body(self.db, state.snapshot_id).body)
        except BodyUnreadable:
            return None  # the check that finds it reports it

    def _block(self, nct_id: str, notices: Sequence[Notice]) -> TrialBlock:
        steps = {step.id: step for step in revisions(self.db, nct_id)}
        found = changes_of(self.db, [notice.revision_id for notice in notices if notice.revision_id])
        versions = []
        for notice in notices:
            if notice.revision_id is None:
                versions.append(_version_of_absence(notice))
            else:
                step: Revision = steps[notice.revision_id]
                version = _version_of(notice, found[step.id], step)
                versions.append(self.linker.acknowledgeable(version, step.id) if self.linker else version)
        return TrialBlock(nct_id=nct_id, title=title_of(self.record(nct_id)), versions=tuple(versions))

    def _group(self, heading: str, nct_ids: Sequence[str]) -> TrialGroup | None:
        if not nct_ids:
            return None
        listed = []
        for nct_id in sorted(nct_ids)[:LISTED_TRIALS]:
            record = self.record(nct_id)
            listed.append(ListedTrial(nct_id=nct_id, title=title_of(record), facts=self._facts(record)))
        return TrialGroup(heading=heading, trials=tuple(listed), more=len(nct_ids) - len(listed))

    def _facts(self, record: Json) -> tuple[str, ...]:
        """Return a record's state in one line: what a reader would look up first."""
        facts = []
        status = value_at(record, _STATUS_MODULE + "overallStatus")
        if status is not None:
            facts.append(f"Recruitment status: {self.table.words(_STATUS_MODULE + 'overallStatus', status)}")
        for key in ("primaryCompletionDateStruct", "completionDateStruct"):
            date, kind = (value_at(record, f"{_STATUS_MODULE}{key}.{leaf}") for leaf in ("date", "type"))
            if date is not None:
                words = self.table.words(f"{_STATUS_MODULE}{key}.type", kind).lower() if kind else "no type given"
                facts.append(f"{self.table.rule(f'{_STATUS_MODULE}{key}.date').label}: {date} ({words})")
        if isinstance(record, dict):
            facts.append("Results: posted" if record.get("hasResults") else "Results: none posted")
        return ("; ".join(facts),) if facts else ()


def title_of(record: Json) -> str:
    """Return a decoded record's brief title."""
    title = value_at(record, "protocolSection.identificationModule.briefTitle")
    return one_line(title, 200) if isinstance(title, str) else _NO_TITLE


def _version_of(notice: Notice, changes: Sequence[Change], step: Revision) -> Version:
    day = step.data_timestamp[:10]
    if notice.kind is not NoticeKind.UNACKNOWLEDGED:
        return arrange_version(changes, day)
    stories = notice.stories or ()
    about = [change for change in changes if change.story in stories]
    return arrange_reminder(about, day, seen_at=step.recorded_at, detail=notice.detail)


def _version_of_absence(notice: Notice) -> Version:
    if notice.kind is NoticeKind.GONE:
        text = "The registry no longer serves this record"
        sentence = f"{text}, in two releases in a row: {notice.detail}. It is asked for again at every release."
        severity = Severity.CRITICAL
    else:
        text = sentence = "The registry serves this record again"
        severity = Severity.MAJOR
    told = Sentence(text=sentence, headline=text, severity=severity, category="status")
    return Version(origin="Seen by trialwatch", sentences=(told,), clauses=(), not_told=0)
