"""Gather what a mail tells: from notices to the facts of a letter.  Reads the store; does not render or send."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import orjson
from sqlalchemy import Connection

from watcher.core.digest import TrialBlock, Version, arrange_trials, arrange_version, delayed
from watcher.core.fields import FieldTable, value_at
from watcher.core.moved_dates import PATHS, MovedDate, moved_dates
from watcher.core.reminder_words import arrange_reminder
from watcher.core.targets import target_of
from watcher.core.text import one_line
from watcher.core.words.audience_words import route_words
from watcher.errors import BodyUnreadable
from watcher.model import Change, Json, NoticeKind
from watcher.render.attachments import TableRow
from watcher.render.counts import plural
from watcher.render.letters import Coverage, Letter, ListedTrial, TrialGroup, letter_of_changes, letter_of_watching
from watcher.stages.absences import remark_on_registry, version_of_absence
from watcher.stages.linking import Linker
from watcher.store import watches
from watcher.store.notices import Notice
from watcher.store.reader_facts import ReaderFacts, facts_of
from watcher.store.reader_lists import lists_heard, watchlists_of
from watcher.store.releases import latest_release
from watcher.store.revisions import Revision, changes_of, past_values, revisions
from watcher.store.snapshots import read_body

LISTED_ROUTES = 5  # in a welcome; the others are counted
LISTED_TRIALS = 40  # of one group in a mail, so that it stays below 80 KB of HTML; the others are counted
LATE = timedelta(hours=1)  # by which a mail comes after its time before it says so
_NO_TITLE = "(title not available)"
_NO_MOMENT = datetime.max.replace(tzinfo=UTC)
_STATUS_MODULE = "protocolSection.statusModule."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What a letter tells of one trial."""

    block: TrialBlock
    rows: tuple[TableRow, ...]
    dates: tuple[MovedDate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Gathers letters from one state of the database; for readers who are to hear the same, once."""

    db: Connection
    table: FieldTable
    linker: Linker | None = None  # puts links into what it gathers; None = there are none
    _readers: dict[str, ReaderFacts] = field(default_factory=dict)
    _letters: dict[object, Letter] = field(default_factory=dict)  # by all that they depend on

    def know(self, addresses: Collection[str]) -> None:
        """Read at once what letters depend on of several readers."""
        self._readers.update(facts_of(self.db, addresses))

    def _reader(self, address: str) -> ReaderFacts:
        if address not in self._readers:
            self.know([address])
        return self._readers[address]

    def letter(self, address: str, notices: Sequence[Notice], *, of_changes: bool, now: datetime) -> Letter:
        """Return the letter for a window's notices, the same object for all who are to hear the same."""
        gather = self.of_changes if of_changes else self.of_watching
        told = tuple(_without_reader(notice) for notice in notices)
        # A target's letter has no link to leave by.
        key = (of_changes, self._reader(address), target_of(address) is None, told, held_words(notices, now=now))
        if key not in self._letters:
            self._letters[key] = gather(address, notices, now=now)
        return self._letters[key]

    def coverage(self, address: str | None = None) -> Coverage:
        """Return how many trials are verified against the current release: a reader's, or all."""
        release = latest_release(self.db)
        if release is None:
            return Coverage(verified=0, watched=0, data_date=None)
        mine = self._reader(address).coverage if address is not None else None
        counted = mine or watches.coverage(self.db, release_id=release.id)
        day = release.release.data_timestamp[:10]
        return Coverage(verified=counted.verified, watched=counted.watched, data_date=day)

    def of_changes(self, address: str, notices: Sequence[Notice], *, now: datetime) -> Letter:
        """Return the digest for a window's notices of changes."""
        by_trial: dict[str, list[Notice]] = {}
        for notice in notices:
            if notice.nct_id is not None:
                by_trial.setdefault(notice.nct_id, []).append(notice)
        told = [self._told(nct_id, about) for nct_id, about in by_trial.items()]
        blocks = arrange_trials([one.block for one in told])
        rows = {one.block.nct_id: one.rows for one in told}
        letter = letter_of_changes(
            blocks,
            self._coverage_for(address),
            remarks=tuple(remark_on_registry(notice) for notice in notices if notice.nct_id is None),
            rows=[row for block in blocks for row in rows[block.nct_id]],
            dates=[date for one in told for date in one.dates],
        )
        held = held_words(notices, now=now)
        summary = f"{letter.summary} {held}" if held else letter.summary
        letter = replace(letter, summary=summary, watchlist=self._only_list(address, list(by_trial)))
        return self.subscribed(letter, address, list(by_trial))

    def _coverage_for(self, address: str) -> Coverage:
        """Return a reader's coverage; that of all trials for who reads none, but hears what nobody else does."""
        mine = self.coverage(address)
        return mine if mine.watched else self.coverage()

    def of_watching(self, address: str, notices: Sequence[Notice], *, now: datetime) -> Letter:  # noqa: ARG002 the form of both
        """Return the mail for notices of joining and leaving."""
        joined = [one.nct_id for one in notices if one.nct_id and one.kind is NoticeKind.NOW_WATCHING]
        left = [one.nct_id for one in notices if one.nct_id and one.kind is NoticeKind.NO_LONGER_WATCHING]
        letter = letter_of_watching(
            self._group(f"{self._promise(address)} These are the records:".strip(), joined),
            self._group("You will hear no more of these records; their history is kept:", left),
            self.coverage(address),
        )
        letter = replace(letter, watchlist=self._only_list(address, joined) if joined and not left else None)
        return self.subscribed(letter, address, [*joined, *left])

    def subscribed(self, letter: Letter, address: str, nct_ids: Sequence[str]) -> Letter:
        """Return a letter about some trials that says why it comes, and how that ends; none are named = about all."""
        if self.linker is None:
            return letter
        facts = self._reader(address)
        return self.linker.subscribed(letter, address, facts, lists_heard(self.db, facts.scopes, nct_ids))

    def _promise(self, address: str) -> str:
        """Return what somebody hears from now on, by which routes and when."""
        mine = self._reader(address).routes
        words = [route_words(one) for one in mine[:LISTED_ROUTES]]
        more = len(mine) - len(words)
        return " ".join([*words, f"There is more by {plural(more, 'further route')}."] if more else words)

    def record(self, nct_id: str) -> Json:
        """Return a trial's current version, decoded; None when there is none, or it cannot be read."""
        state = watches.watch_states(self.db, [nct_id]).get(nct_id)
        if state is None or state.snapshot_id is None:
            return None
        try:
            return orjson.loads(read_body(self.db, state.snapshot_id).body)
        except BodyUnreadable:
            return None  # the check that finds it reports it

    def row_of(self, change: Change, *, title: str, day: str) -> TableRow:
        """Return a told change as a line of the table that is attached."""
        return TableRow(
            nct_id=change.nct_id or "",
            title=title,
            day=day,
            severity=change.severity,
            category=change.category,
            sentence=change.sentence,
            label=change.label,
            item=change.item or "",
            old=self._cell(change.path, change.old),
            new=self._cell(change.path, change.new),
            change_id=change.id,
        )

    def _cell(self, path: str, value: Json) -> str:
        if value is None:
            return ""
        return orjson.dumps(value).decode() if isinstance(value, dict | list) else self.table.words(path, value)

    def _told(self, nct_id: str, notices: Sequence[Notice]) -> _Told:
        """Return what some notices tell of one trial, oldest first."""
        steps = {step.id: step for step in revisions(self.db, nct_id)}
        found = changes_of(self.db, [notice.revision_id for notice in notices if notice.revision_id])
        title, heard, told_now = title_of(self.record(nct_id)), _stories_heard(notices), _stories_heard(notices)
        versions, rows, changes = [], [], []
        for notice in notices:
            if notice.revision_id is None:
                versions.append(delayed(version_of_absence(notice), notice.delayed_since))
                continue
            step: Revision = steps[notice.revision_id]
            day, made = step.data_timestamp[:10], found[step.id]
            if notice.kind is NoticeKind.UNACKNOWLEDGED:
                if not _is_told_anew(notice, told_now):
                    version = self._acknowledgeable(_reminder(notice, made, step), step.id)
                    versions.append(delayed(version, notice.delayed_since))
                continue
            if step.id not in heard:
                continue
            only = heard.pop(step.id)
            version = arrange_version(made, day, only=only)
            version = version if notice.drill else self._acknowledgeable(version, step.id)
            versions.append(delayed(version, notice.delayed_since))
            made = [change for change in made if only is None or change.story in only]
            rows += [self.row_of(change, title=title, day=day) for change in made if change.told]
            changes += made
        block = TrialBlock(nct_id=nct_id, title=title, versions=tuple(versions))
        return _Told(block=block, rows=tuple(rows), dates=self._moved(nct_id, changes, title=title))

    def _acknowledgeable(self, version: Version, revision_id: int) -> Version:
        return self.linker.acknowledgeable(version, revision_id) if self.linker else version

    def _moved(self, nct_id: str, changes: Sequence[Change], *, title: str) -> tuple[MovedDate, ...]:
        if not any(change.path in PATHS for change in changes):
            return ()
        moves = Counter(past.path for past in past_values(self.db, nct_id))
        return tuple(moved_dates(changes, title=title, moves=moves))

    def _only_list(self, address: str, nct_ids: Sequence[str]) -> str | None:
        """Return the one watch list by which a reader hears of trials; None when there are several, or none."""
        names = watchlists_of(self.db, self._reader(address).scopes, nct_ids)
        return next(iter(names)) if len(names) == 1 else None

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


def _without_reader(notice: Notice) -> Notice:
    """Return a notice without what no letter tells: which row it is, and when it came, but for ``held_words``."""
    return replace(notice, id=0, why=None, created_at=_NO_MOMENT, wanted_at=_NO_MOMENT)


def held_words(notices: Sequence[Notice], *, now: datetime) -> str | None:
    """Return since when a mail's content has waited, in a sentence; None when nothing held it back."""
    wanted, seen = min(one.wanted_at for one in notices), min(one.created_at for one in notices)
    if now - wanted < LATE:
        return None
    return (
        f"It was held back: the first of it was seen at {seen:%Y-%m-%d %H:%M} UTC, "
        f"and has waited since {wanted:%Y-%m-%d %H:%M} UTC."
    )


def _stories_heard(notices: Sequence[Notice]) -> dict[int, set[str] | None]:
    """Return which stories of each revision some notices tell for the first time; None = all."""
    heard: dict[int, set[str] | None] = {}
    for notice in notices:
        if notice.revision_id is not None and notice.kind is not NoticeKind.UNACKNOWLEDGED:
            before = heard.get(notice.revision_id, set())
            both = None if before is None or notice.stories is None else before.union(notice.stories)
            heard[notice.revision_id] = both
    return heard


def _is_told_anew(notice: Notice, heard: dict[int, set[str] | None]) -> bool:
    """Whether a mail reminds of nothing but what it tells as well: it told that before, and was not taken."""
    stories = heard.get(notice.revision_id or 0, set())
    return notice.detail is None and (stories is None or stories.issuperset(notice.stories or ()))


def _reminder(notice: Notice, changes: Sequence[Change], step: Revision) -> Version:
    """Return that stories of a step wait for the reader."""
    about = [change for change in changes if change.story in (notice.stories or ())]
    return arrange_reminder(about, step.data_timestamp[:10], seen_at=step.recorded_at, detail=notice.detail)


def title_of(record: Json) -> str:
    """Return a decoded record's brief title."""
    title = value_at(record, "protocolSection.identificationModule.briefTitle")
    return one_line(title, 200) if isinstance(title, str) else _NO_TITLE
