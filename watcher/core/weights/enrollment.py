"""What it means that a study's enrollment changed: its target, or how many took part.  Pure.

Count and type are one sentence.  A value that is no count is told as it stands, without a percentage.

Does not know the recruitment status: that a withdrawn study enrolled nobody is one event, and is told with the status.

Source: domain rules, M6, and the enrollment in the field table.
"""

from dataclasses import dataclass

from watcher.core.text import one_line
from watcher.core.weights.typed_values import (
    ACTUAL,
    ESTIMATED,
    LONGEST_VALUE,
    type_in_words,
    value_in_words,
    with_type,
    without_rule,
)
from watcher.core.weights.verdict import Verdict
from watcher.model import Json, Severity

_LABEL = "Enrollment"
_NOTABLE_MOVE = 20  # percent of the old target
_SHORTFALL, _COLLAPSE = 85, 50  # percent of the last target, below which an actual enrollment weighs more


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment:
    """An enrollment as it stands in the record."""

    count: Json  # None = not given
    type: Json  # "ACTUAL" or "ESTIMATED"; None = not given


def tell_enrollment(old: Enrollment, new: Enrollment) -> Verdict | None:
    """Return what a change of enrollment means; None where nothing changed."""
    if repr(old) == repr(new):  # 1 is not true
        return None
    if old.count is None and new.count is None:
        return without_rule(
            f"{_LABEL} type: {type_in_words(old.type) or 'none'} → {type_in_words(new.type) or 'none'}", Severity.MINOR
        )
    if old.count is None:
        return _first(new)
    if new.count is None:
        kind = f", {type_in_words(old.type)}" if type_in_words(old.type) else ""
        return without_rule(f"{_LABEL} removed (was {_number(old.count)}{kind})", Severity.MAJOR)
    if old.type == ACTUAL and new.type == ESTIMATED:
        lost = f"{_LABEL} no longer reported as actual"
        return _told(f"{lost}: {_change(old, new)}", headline=lost, severity=Severity.MAJOR)
    before, after = _count(old.count), _count(new.count)
    if before is None or after is None:
        return without_rule(f"{_LABEL}: {_change(old, new)}", Severity.MINOR)
    if new.type == ACTUAL and old.type != ACTUAL:
        return _reached(old, new, target=before, enrolled=after)
    return _moved(old, new, before=before, after=after)


def _first(new: Enrollment) -> Verdict:
    sentence = f"{_LABEL} added: {_shown(new)}"
    if new.type == ACTUAL and _count(new.count) == 0:
        return _nobody(sentence)
    return without_rule(sentence, Severity.MINOR)


def _nobody(sentence: str) -> Verdict:
    return _told(
        f"{sentence}: no participants enrolled", headline="No participants enrolled", severity=Severity.CRITICAL
    )


def _reached(old: Enrollment, new: Enrollment, *, target: int, enrolled: int) -> Verdict:
    """Compare who took part with the last target."""
    sentence = f"{_LABEL}: {_change(old, new)}"
    if enrolled == 0:
        return _nobody(sentence)
    if target == 0:
        return _told(sentence, headline=f"{_LABEL} now actual", severity=Severity.MINOR)
    if 100 * enrolled < _COLLAPSE * target:
        severity = Severity.CRITICAL
    else:
        severity = Severity.MAJOR if 100 * enrolled < _SHORTFALL * target else Severity.MINOR
    share = f"{100 * enrolled // target:,} % of target"  # rounded down: what is below a threshold reads so
    return _told(f"{sentence}, {share}", headline=f"{_LABEL} {enrolled:,}, {share}", severity=severity)


def _moved(old: Enrollment, new: Enrollment, *, before: int, after: int) -> Verdict:
    sentence = f"{_LABEL}: {_change(old, new)}"
    if before == after:  # only the type, and not between estimated and actual
        return _told(sentence, headline=sentence, severity=Severity.MINOR)
    if new.type == ACTUAL and after == 0:
        return _nobody(sentence)
    notable = new.type == ACTUAL or 100 * abs(after - before) >= _NOTABLE_MOVE * before
    severity = Severity.MAJOR if notable else Severity.MINOR
    if percent := _percent(before, after):
        return _told(f"{sentence}, {percent}", headline=f"{_LABEL} {percent}", severity=severity)
    return _told(sentence, headline=sentence, severity=severity)


def _percent(before: int, after: int) -> str:
    """Return the move in whole percent of what was, "" where that says nothing."""
    if not before:
        return ""
    percent = (200 * abs(after - before) + before) // (2 * before)  # rounded half up
    return f"{'+' if after > before else '−'}{percent:,} %" if percent else ""


def _count(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _change(old: Enrollment, new: Enrollment) -> str:
    return f"{_shown(old)} → {_shown(new)}"


def _shown(value: Enrollment) -> str:
    return with_type(_number(value.count), value.type)


def _number(count: Json) -> str:
    if isinstance(count, int) and not isinstance(count, bool):
        return one_line(f"{count:,}", LONGEST_VALUE)
    return value_in_words(count)


def _told(sentence: str, *, headline: str, severity: Severity) -> Verdict:
    return Verdict(headline=headline, sentence=sentence, severity=severity, rules=("M6",))
