"""The mails that trialwatch writes: which template, which facts.

A letter is what a mail says; ``Letters`` renders it in the administrator's templates, or in the built-in ones when
those fail, because a broken template must not cost an alert, nor a drill pass for the real thing.

Does not know addresses and headers (``stages/writing.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from watcher.core.budget import NamedTrial, fit
from watcher.core.digest import SUBJECT_LENGTH, Sentence, TrialBlock, headline_of, subject_of_changes
from watcher.core.moved_dates import MovedDate
from watcher.core.text import one_line
from watcher.model import Severity
from watcher.render.attachments import Attachment, TableRow, changes_csv
from watcher.render.counts import plural
from watcher.render.templates import Rendered, TemplateFailed, Templates

_TO_DO = "The service noticed something that only you can put right. `trialwatch status` shows what is open."
_NOTHING_TO_DO = "What you were told of is over. `trialwatch status` shows whether anything else is open."
SOURCE = (
    "Source: ClinicalTrials.gov, U.S. National Library of Medicine. Not an official notice: "
    "the registry's own page is what counts."
)


DRILL = (
    "DRILL: nothing of this happened. Somebody is trying, with invented changes, whether alerts arrive; "
    "the record at ClinicalTrials.gov is as it was."
)
DRILL_MARK = "[DRILL] "  # at the beginning of the subject


class SubjectStyle(StrEnum):
    INFORMATIVE = "informative"  # what changed
    STABLE = "stable"  # always the same for one trial, by which some mail programs keep its mails together


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a mail says about its own completeness."""

    verified: int
    watched: int
    data_date: str | None  # the registry's data; None = the registry has never been reached

    @property
    def sentence(self) -> str:
        if self.data_date is None:
            return "The registry has not been reached yet."
        return (
            f"Verified {self.verified:,} of {plural(self.watched, 'trial')} against registry data of {self.data_date}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTrial:
    nct_id: str
    title: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialGroup:
    heading: str
    trials: tuple[ListedTrial, ...]
    more: int  # trials that are not listed


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentLine:
    summary: str
    opened_at: datetime
    over: bool = False  # nothing is to be done: it says that something is over


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The only trial that a letter is about."""

    nct_id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    template: str
    subject: str
    summary: str
    coverage: Coverage
    remarks: tuple[Sentence, ...] = field(default=())  # about no single trial
    about: About | None = None  # None = several trials, or none
    watchlist: str | None = None  # by which alone the reader hears of it; None = several, or not by a list
    urgent: bool = False  # tells something critical
    drill: bool = False  # tells of changes that were only played
    preheader: str | None = None  # what changed, where the subject does not say it
    attachments: tuple[Attachment, ...] = field(default=())
    attached: tuple[str, ...] = field(default=())  # what the letter says of them, a sentence each
    dates: tuple[MovedDate, ...] = field(default=())  # for the reader's calendar, if the settings want that
    blocks: tuple[TrialBlock, ...] = field(default=())
    named: tuple[NamedTrial, ...] = field(default=())  # trials that changed and are not told in full
    more: int = 0  # trials that changed and are counted only
    whole: tuple[TrialBlock, ...] = field(
        default=()
    )  # all of them in full, for where there is more room than in a mail
    groups: tuple[TrialGroup, ...] = field(default=())
    incidents: tuple[IncidentLine, ...] = field(default=())
    lines: tuple[str, ...] = field(default=())  # sentences below the summary of an all-clear
    why: str | None = None  # why the reader gets it; None = it has no link either
    unsubscribe_url: str | None = None  # a page that asks, and takes the one click of RFC 8058
    opted_out: bool = False  # the reader asked for no more already; the page takes that back


def letter_of_changes(
    blocks: Sequence[TrialBlock],
    coverage: Coverage,
    *,
    rows: Sequence[TableRow] = (),
    dates: Sequence[MovedDate] = (),
    remarks: Sequence[Sentence] = (),
) -> Letter:
    """Return the digest that tells what changed.

    Args:
        blocks: in their order; at least one of them or of the remarks.
        coverage: of the reader's trials.
        rows: all told changes, to be attached when the mail has no room for all of them.
        dates: of studies, which moved.
        remarks: about no single trial.
    """
    if not blocks:
        headline = remarks[-1].headline  # the newest: that all is well again, perhaps
        summary = f"{headline}."
        return Letter(template="digest", subject=headline, summary=summary, coverage=coverage, remarks=tuple(remarks))
    fitting = fit(blocks)
    attachments, attached = _table_of(rows) if rows and not fitting.complete else ((), ())
    return Letter(
        template="digest",
        subject=subject_of_changes(blocks, coverage.watched),
        summary=_summary(blocks, coverage),
        coverage=coverage,
        remarks=tuple(remarks),
        about=About(nct_id=blocks[0].nct_id, title=blocks[0].title) if len(blocks) == 1 else None,
        urgent=any(block.severity is Severity.CRITICAL for block in blocks),
        blocks=fitting.blocks,
        named=fitting.named,
        more=fitting.more,
        whole=tuple(blocks),
        attachments=attachments,
        attached=attached,
        dates=tuple(dates),
    )


def _table_of(rows: Sequence[TableRow]) -> tuple[tuple[Attachment, ...], tuple[str, ...]]:
    table, held = changes_csv(rows)
    if held < len(rows):
        return (table,), (f"The first {held:,} of {plural(len(rows), 'change')} are attached as {table.name}.",)
    verb = "is" if len(rows) == 1 else "are all"
    return (table,), (f"{plural(len(rows), 'change')} of this mail {verb} attached as {table.name}.",)


def _summary(blocks: Sequence[TrialBlock], coverage: Coverage) -> str:
    changed = sum(block.changed for block in blocks)
    reminders = sum(len(version.sentences) for block in blocks for version in block.versions if version.reminder)
    said = [f"{changed:,} of {plural(max(coverage.watched, len(blocks)), 'trial')} changed."] if changed else []
    said += [f"{plural(reminders, 'critical change')} not yet acknowledged."] if reminders else []
    return " ".join(said)


def letter_of_watching(joined: TrialGroup | None, left: TrialGroup | None, coverage: Coverage) -> Letter:
    """Return the mail that tells which trials a reader hears of from now on, and of which no longer."""
    parts = []
    for group, words in ((joined, "Now watching"), (left, "No longer watching")):
        if group is not None:
            count = len(group.trials) + group.more
            parts.append(f"{words} {group.trials[0].nct_id if count == 1 else plural(count, 'trial')}")
    groups = tuple(group for group in (joined, left) if group is not None)
    text = "; ".join(parts)
    subject = text[0] + text[1:].replace("No longer", "no longer")
    return Letter(
        template="watching",
        subject=subject,
        summary=subject + ".",
        coverage=coverage,
        about=_only_trial(groups),
        groups=groups,
    )


def _only_trial(groups: Sequence[TrialGroup]) -> About | None:
    listed = [trial for group in groups for trial in group.trials]
    if len(listed) != 1 or any(group.more for group in groups):
        return None
    return About(nct_id=listed[0].nct_id, title=listed[0].title)


def styled(letter: Letter, style: SubjectStyle) -> Letter:
    """Return a letter with its subject in a style; only one about a single trial has another one than the informative.

    What the subject does not say then stands first in the text, where mail programs take their preview from.
    """
    if style is SubjectStyle.INFORMATIVE or letter.about is None:
        return letter
    said = _changes_of(letter) if letter.blocks else None  # other letters say it in their summary
    return replace(letter, subject=_stable_subject(letter.about), preheader=said)


def _stable_subject(about: About) -> str:
    prefix = f"[{about.nct_id}] "
    return prefix + one_line(about.title, SUBJECT_LENGTH - len(prefix))


def _changes_of(letter: Letter) -> str:
    block = letter.blocks[0]
    told = block.told + sum(version.left_out for version in block.versions)
    return headline_of(block) + (f" (+{told - 1})" if told > 1 else "")


def as_drill(letter: Letter) -> Letter:
    """Return a letter marked as one about changes that were only played, without what a calendar would take over."""
    return replace(letter, subject=DRILL_MARK + letter.subject, drill=True, dates=())


def letter_to_operator(incidents: Sequence[IncidentLine], coverage: Coverage) -> Letter:
    """Return the mail that tells the operator what is wrong, and what is over."""
    nothing_to_do = all(incident.over for incident in incidents)
    begin, more = (
        "trialwatch: " if nothing_to_do else "trialwatch needs you: ",
        f" (+{len(incidents) - 1})" if len(incidents) > 1 else "",
    )
    return Letter(
        template="operator",
        subject=begin + one_line(incidents[0].summary, SUBJECT_LENGTH - len(begin) - len(more)) + more,
        summary=_NOTHING_TO_DO if nothing_to_do else _TO_DO,
        coverage=coverage,
        incidents=tuple(incidents),
    )


class Letters:
    """Renders letters."""

    def __init__(self, own: Templates, built_in: Templates) -> None:
        """Take the administrator's templates, and the ones to fall back to."""
        self._own = own
        self._built_in = built_in

    def render(self, letter: Letter) -> tuple[Rendered, TemplateFailed | None]:
        """Return the rendered letter, and how the administrator's template failed if it did.

        Raises:
            TemplateFailed: the built-in template fails as well.
        """
        facts = _facts(letter)
        try:
            rendered = self._own.render(letter.template, facts)
        except TemplateFailed as error:
            return self._built_in.render(letter.template, facts), error
        if letter.drill and not _says_drill(rendered):
            return self._built_in.render(letter.template, facts), None
        return rendered, None


def _facts(letter: Letter) -> dict[str, object]:
    """Return what templates may use, by name."""
    names = (
        "subject",
        "summary",
        "preheader",
        "remarks",
        "lines",
        "blocks",
        "named",
        "more",
        "groups",
        "incidents",
        "attached",
        "why",
        "unsubscribe_url",
        "opted_out",
    )
    facts = {name: getattr(letter, name) for name in names}
    return facts | {
        "coverage": letter.coverage.sentence,
        "source": SOURCE,
        "drill": DRILL if letter.drill else None,
    }


def _says_drill(rendered: Rendered) -> bool:
    """Whether an administrator's templates, which may be older than drills, say in each part that this is one."""
    parts = (rendered.text, rendered.html)
    return rendered.subject.startswith(DRILL_MARK) and all(DRILL in " ".join(part.split()) for part in parts)
