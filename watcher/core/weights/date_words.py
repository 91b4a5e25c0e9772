"""What it means that one of a study's milestones moved, was reached or is no longer said to be.  Pure.

A milestone is a date with its type, told in one sentence with both dates and both types.  Values stand as they are in
the record; a value that is no date is told like any other.

Does not state when results are due, and does not know what else changed on the same day.

Source: domain rules, M3 (size), M4 (precision), M5 (type), section 3.6 and the dates in the field table.  A date of
the start weighs one level less, but is never hidden.
"""

from dataclasses import dataclass
from enum import StrEnum

from watcher.core.weights.dates import Slip, new_precision, slip
from watcher.core.weights.typed_values import (
    ACTUAL,
    ESTIMATED,
    type_in_words,
    value_in_words,
    with_type,
    without_rule,
)
from watcher.core.weights.verdict import Verdict
from watcher.model import Json, Severity


class Milestone(StrEnum):
    """The dates that a study moves towards, by their paths."""

    START = "protocolSection.statusModule.startDateStruct"
    PRIMARY_COMPLETION = "protocolSection.statusModule.primaryCompletionDateStruct"
    COMPLETION = "protocolSection.statusModule.completionDateStruct"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedDate:
    """A date as it stands in the record, with its type."""

    date: Json  # "2026-03" or "2026-03-17"; None = not given; anything else is told as it is
    type: Json  # "ACTUAL" or "ESTIMATED"; None = not given


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    label: str
    short: str  # before "+14 months" and "no longer reported as actual"
    reached: str
    reaching: Severity


_WORDS = {
    Milestone.START: _Words(label="Start date", short="Study start", reached="Study started", reaching=Severity.MAJOR),
    Milestone.PRIMARY_COMPLETION: _Words(
        label="Primary completion date",
        short="Primary completion",
        reached="Primary completion reached",
        reaching=Severity.MAJOR,
    ),
    Milestone.COMPLETION: _Words(
        label="Study completion date",
        short="Study completion",
        reached="Study completion reached",
        reaching=Severity.MINOR,
    ),
}


def tell_date(milestone: Milestone, old: TypedDate, new: TypedDate) -> Verdict | None:
    """Return what a change of a milestone means; None where nothing changed.

    Args:
        milestone: which date it is.
        old, new: what stood and what stands in the record.
    """
    words = _WORDS[milestone]
    if repr(old) == repr(new):  # 1 is not true
        return None
    if old.date is None and new.date is None:
        return without_rule(
            f"{words.label} type: {type_in_words(old.type) or 'none'} → {type_in_words(new.type) or 'none'}",
            Severity.MINOR,
        )
    if old.date is None:
        severity = Severity.MAJOR if new.type == ACTUAL else Severity.MINOR
        return without_rule(f"{words.label} added: {_shown(new)}", severity)
    if new.date is None:
        kind = f", {type_in_words(old.type)}" if type_in_words(old.type) else ""
        return without_rule(f"{words.label} removed (was {value_in_words(old.date)}{kind})", Severity.MAJOR)
    if (old.type, new.type) == (ESTIMATED, ACTUAL):
        return _reached(words, old, new)
    if (old.type, new.type) == (ACTUAL, ESTIMATED):
        lost = f"{words.short} no longer reported as actual"
        sentence = f"{lost}: {_shown(old)} → {_shown(new)}"
        return Verdict(headline=lost, sentence=sentence, severity=Severity.MAJOR, rules=("M5",))
    return _moved(milestone, old, new)


def milestone_severity(milestone: Milestone, moved: Slip) -> Severity:
    """Return how much a move of a date weighs, by M3."""
    severity = Severity.MINOR
    if moved.is_a_quarter:
        severity = Severity.MAJOR
    if moved.is_a_year and moved.later:
        severity = Severity.CRITICAL
    if milestone is Milestone.START:
        return {Severity.CRITICAL: Severity.MAJOR}.get(severity, Severity.MINOR)
    return severity


def _reached(words: _Words, old: TypedDate, new: TypedDate) -> Verdict:
    headline = f"{words.reached} {value_in_words(new.date)}"
    estimate = "as estimated" if old.date == new.date else f"estimate was {value_in_words(old.date)}"
    moved = slip(old.date, new.date)
    distance = f", {moved.size} {'later' if moved.later else 'earlier'} than estimated" if moved else ""
    sentence = f"{headline} ({estimate}){distance}"
    return Verdict(headline=headline, sentence=sentence, severity=words.reaching, rules=("M5",))


def _moved(milestone: Milestone, old: TypedDate, new: TypedDate) -> Verdict:
    words = _WORDS[milestone]
    change = f"{_shown(old)} → {_shown(new)}"
    if precision := new_precision(old.date, new.date):
        headline = f"{words.label} now {precision.value}"
        return Verdict(headline=headline, sentence=f"{headline}: {change}", severity=Severity.MINOR, rules=("M4",))
    moved = slip(old.date, new.date)
    if moved is None:
        severity = Severity.MINOR if old.date == new.date else Severity.MAJOR
        return without_rule(f"{words.label}: {change}", severity)
    direction = "slipped" if moved.later else "brought forward"
    known = ", was already reported as actual" if old.type == new.type == ACTUAL else ""
    return Verdict(
        headline=f"{words.short} {moved.signed}",
        sentence=f"{words.label} {direction} {moved.size}: {change}{known}",
        severity=milestone_severity(milestone, moved),
        rules=("M3",),
    )


def _shown(value: TypedDate) -> str:
    return with_type(value_in_words(value.date), value.type)
