"""What does a digest say, and in which order?  Pure: everything comes in as arguments.

A trial's changes become sentences, the worst first; what deserves no line of its own becomes one clause; what a reader
is not told (noise, bookkeeping) is only counted.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime

from watcher.core.text import one_line
from watcher.core.weights.circumstances import WITHHELD_RULE
from watcher.core.weights.date_words import Milestone
from watcher.core.words.details import Detail, details_of
from watcher.model import Change, Place, Severity

SUBJECT_LENGTH = 150  # characters
NOT_ACKNOWLEDGED = "Not yet acknowledged: "
SUBJECT_TRIALS = 2  # headlines in the subject of a digest about several trials
_UPDATE_POSTED = "protocolSection.statusModule.lastUpdatePostDateStruct.date"
_ORDER = (
    "status",
    "results",
    "dates",
    "enrolment",
    "outcomes",
    "eligibility",
    "design",
    "arms",
    "sponsor",
    "regulatory",
    "access",
    "sites",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One story, as a reader meets it."""

    text: str
    headline: str
    severity: Severity
    category: str
    details: tuple[Detail, ...] = ()  # of long texts, which a sentence cannot quote
    details_left_out: int = 0
    story: str | None = None  # which one; None = it is of no recorded change
    acknowledge_url: str | None = None  # where it can be acknowledged; None = by command only


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One step of a record: who made it and what it changed."""

    origin: str
    sentences: tuple[Sentence, ...]
    clauses: tuple[str, ...]  # told in one summary line
    not_told: int  # changes that are recorded but not told
    left_out: int = 0  # sentences and clauses for which there was no room
    reminder: bool = False  # of what was told before
    delayed_since: datetime | None = None  # when a mail that was to tell it was first written; None = this is the first


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBlock:
    nct_id: str
    title: str
    versions: tuple[Version, ...]

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        return tuple(sentence for version in self.versions for sentence in version.sentences)

    @property
    def changed(self) -> bool:
        """Whether this block tells anything new, and does not only remind."""
        return any(not version.reminder for version in self.versions)

    @property
    def told(self) -> int:
        """How many things this block tells."""
        return sum(len(version.sentences) + len(version.clauses) for version in self.versions)

    @property
    def severity(self) -> Severity:
        return min((sentence.severity for sentence in self.sentences), key=lambda s: s.rank, default=Severity.MINOR)


def arrange_version(changes: Sequence[Change], data_date: str, *, only: Set[str] | None = None) -> Version:
    """Return one step of a record as a digest tells it.

    Args:
        changes: all changes of the step.
        data_date: the day of the registry's data, for the heading.
        only: the stories that this reader hears; what is left to others is not even counted.  None = all.
    """
    stories: dict[str, list[Change]] = {}
    for change in changes:
        stories.setdefault(change.story, []).append(change)
    sentences, clauses = [], []
    # Among equals the primary completion leads: it is the date that the others hang on.
    for story in sorted(stories.values(), key=lambda story: not story[0].path.startswith(Milestone.PRIMARY_COMPLETION)):
        told = [change for change in story if change.told and (only is None or change.story in only)]
        if any(change.place is Place.LINE for change in told):
            sentences.append(_sentence(told))
        elif told:
            clauses.append(told[0].sentence)
    return Version(
        origin=_origin(changes, data_date),
        sentences=tuple(sorted(sentences, key=_rank)),
        clauses=tuple(clauses),
        not_told=sum(not change.told for change in changes),
    )


def delayed(version: Version, since: datetime | None) -> Version:
    """Return a step as it is told when the mail that told it first was not taken.

    Args:
        version: the step.
        since: when that mail was written, UTC; None = there was none.
    """
    if since is None:
        return version
    origin = f"{version.origin}; delayed: first written on {since:%Y-%m-%d at %H:%M} UTC"
    return replace(version, origin=origin, delayed_since=since)


def arrange_trials(blocks: Iterable[TrialBlock]) -> tuple[TrialBlock, ...]:
    """Return the trials of a digest, the most severe first, equally severe ones by ID."""
    return tuple(sorted(blocks, key=lambda block: (block.severity.rank, block.nct_id)))


def subject_of_changes(blocks: Sequence[TrialBlock], watched: int) -> str:
    """Return the subject of a digest of changes; the count is always right, the headlines are as many as fit.

    Args:
        blocks: at least one, in their order.
        watched: how many trials the reader watches.
    """
    if len(blocks) == 1:
        block = blocks[0]
        more = f" (+{block.told - 1})" if block.told > 1 else ""
        prefix = f"[{block.nct_id}] "
        return prefix + one_line(headline_of(block), SUBJECT_LENGTH - len(prefix) - len(more)) + more
    changed = sum(block.changed for block in blocks)
    count = f"{changed} of {max(watched, len(blocks))} trials changed: " if changed else NOT_ACKNOWLEDGED
    shown = blocks[:SUBJECT_TRIALS]
    more = f"; +{len(blocks) - len(shown)}" if len(blocks) > len(shown) else ""
    room = SUBJECT_LENGTH - len(count) - len(more)
    said = []
    for left, block in zip(range(len(shown), 0, -1), shown, strict=True):
        # What a short headline leaves of its share, the next one may use.
        said.append(one_line(f"{block.nct_id} {headline_of(block)}", room // left - 2))
        room -= len(said[-1]) + 2
    return count + "; ".join(said) + more


def headline_of(block: TrialBlock) -> str:
    """Return the headline of what is worst about a trial."""
    if block.sentences:
        return min(block.sentences, key=_rank).headline
    return next((clause for version in block.versions for clause in version.clauses), "changed")


def _sentence(told: Sequence[Change]) -> Sentence:
    first = min(told, key=lambda change: change.severity.rank)
    # What a placeholder lacks is counted, not shown.
    details = details_of([change for change in told if WITHHELD_RULE not in change.rules])
    return Sentence(
        text=first.sentence,
        headline=first.headline,
        severity=first.severity,
        category=first.category,
        details=details.shown,
        details_left_out=details.left_out,
        story=first.story,
    )


def _rank(sentence: Sentence) -> tuple[int, int]:
    place = _ORDER.index(sentence.category) if sentence.category in _ORDER else len(_ORDER)
    return sentence.severity.rank, place


def _origin(changes: Iterable[Change], data_date: str) -> str:
    posted = next((change.new for change in changes if change.path == _UPDATE_POSTED), None)
    if posted:
        return f"Sponsor update posted {one_line(str(posted), 40)}; registry data of {data_date}"
    return f"Changed by the registry, without a sponsor update; registry data of {data_date}"
