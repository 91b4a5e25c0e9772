"""The mails that trialwatch writes: which template, which facts.

A letter is what a mail says; ``Letters`` renders it in the administrator's templates, or in the built-in ones when
those fail, because a broken template must not cost an alert.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from watcher.core.budget import NamedTrial, fit
from watcher.core.digest import SUBJECT_LENGTH, TrialBlock, subject_of_changes
from watcher.core.text import one_line
from watcher.render.counts import plural
from watcher.render.templates import Rendered, TemplateFailed, Templates

SOURCE = (
    "Source: ClinicalTrials.gov, U.S. National Library of Medicine. Not an official notice: "
    "the registry's own page is what counts."
)
_LINKED = ("why", "unsubscribe_url", "opted_out")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    template: str
    subject: str
    summary: str
    coverage: Coverage
    blocks: tuple[TrialBlock, ...] = field(default=())
    named: tuple[NamedTrial, ...] = field(default=())  # trials that changed and are not told in full
    more: int = 0  # trials that changed and are counted only
    groups: tuple[TrialGroup, ...] = field(default=())
    incidents: tuple[IncidentLine, ...] = field(default=())
    why: str | None = None  # why the reader gets it; None = it has no link either
    unsubscribe_url: str | None = None  # the page, which one-click posts go to as well
    opted_out: bool = False  # the reader asked for no more already; the page takes that back


def letter_of_changes(blocks: Sequence[TrialBlock], coverage: Coverage) -> Letter:
    """Return the digest that tells what changed; ``blocks`` in their order, at least one."""
    fitting = fit(blocks)
    return Letter(
        template="digest",
        subject=subject_of_changes(blocks, coverage.watched),
        summary=_summary(blocks, coverage),
        coverage=coverage,
        blocks=fitting.blocks,
        named=fitting.named,
        more=fitting.more,
    )


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
    return Letter(template="watching", subject=subject, summary=subject + ".", coverage=coverage, groups=groups)


def letter_to_operator(incidents: Sequence[IncidentLine], coverage: Coverage) -> Letter:
    """Return the mail that tells the operator what is wrong."""
    begin, more = "trialwatch needs you: ", f" (+{len(incidents) - 1})" if len(incidents) > 1 else ""
    return Letter(
        template="operator",
        subject=begin + one_line(incidents[0].summary, SUBJECT_LENGTH - len(begin) - len(more)) + more,
        summary="The service noticed something that only you can put right. `trialwatch status` shows what is open.",
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
        names = ("subject", "summary", "blocks", "named", "more", "groups", "incidents", *_LINKED)
        facts = {name: getattr(letter, name) for name in names}
        facts |= {"coverage": letter.coverage.sentence, "source": SOURCE}
        try:
            return self._own.render(letter.template, facts), None
        except TemplateFailed as error:
            return self._built_in.render(letter.template, facts), error
