"""The words of a long text that changed, for the lines below its sentence.  Pure.

Criteria of eligibility are shown one by one, other texts as one passage with what changed marked in it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from watcher.core.paths import ELIGIBILITY_CRITERIA
from watcher.core.text import one_line
from watcher.core.texts.criteria_changes import CriterionChange, criteria_changes
from watcher.core.texts.shown_diff import SHOWN_LENGTH, as_text, shown_diff
from watcher.core.texts.worddiff import Segment, SegmentKind
from watcher.core.words.phrases import LONG_TEXT
from watcher.model import Change, How, Json

MOST_DETAILS = 6  # below one sentence
_CRITERION_LENGTH = 300  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A passage, with what changed in it marked."""

    label: str  # "" where the sentence above says it
    segments: tuple[Segment, ...]  # for HTML
    text: str  # the same with marks, for plain text
    words_left_out: int = 0  # changed words for which there is no room


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    shown: tuple[Detail, ...]
    left_out: int


def details_of(changes: Sequence[Change]) -> Details:
    """Return what to show below the sentence that tells some changes: of long texts only, few enough for a mail."""
    found = [detail for change in changes for detail in _details(change)]
    return Details(shown=tuple(found[:MOST_DETAILS]), left_out=max(0, len(found) - MOST_DETAILS))


def _details(change: Change) -> Iterator[Detail]:
    old, new = change.old, change.new
    if change.how in {How.PROMOTED, How.DEMOTED}:
        old, new = _measure(old), _measure(new)
        if old != new and isinstance(old, str) and isinstance(new, str):
            yield _compared("Measure", old, new, limit=SHOWN_LENGTH)
        return
    if not any(isinstance(value, str) and len(value) > LONG_TEXT for value in (old, new)):
        return
    if isinstance(old, str) and isinstance(new, str):
        if change.path == ELIGIBILITY_CRITERIA:
            yield from map(_criterion, criteria_changes(old, new))
        else:
            yield _compared("", old, new, limit=SHOWN_LENGTH)
    elif isinstance(new, str):
        yield _whole("", new, SegmentKind.ADDED, limit=SHOWN_LENGTH)
    elif isinstance(old, str):
        yield _whole("was", old, SegmentKind.REMOVED, limit=SHOWN_LENGTH)


def _measure(outcome: Json) -> Json:
    return outcome.get("measure") if isinstance(outcome, dict) else None


def _criterion(change: CriterionChange) -> Detail:
    where = str(change.section.kind).capitalize()
    label = f"{where}, {'heading ' if change.is_heading else ''}{change.how}"
    if change.old is not None and change.new is not None:
        came = change.came_from
        from_there = f" from {came.kind}" if came and came.kind is not change.section.kind else ""
        if change.old == change.new:
            return _whole(label + from_there, change.new, SegmentKind.EQUAL, limit=_CRITERION_LENGTH)
        return _compared(label + from_there, change.old, change.new, limit=_CRITERION_LENGTH)
    if change.new is not None:
        return _whole(label, change.new, SegmentKind.ADDED, limit=_CRITERION_LENGTH)
    return _whole(label, change.old or "", SegmentKind.REMOVED, limit=_CRITERION_LENGTH)


def _compared(label: str, old: str, new: str, *, limit: int) -> Detail:
    shown = shown_diff(old, new, limit=limit)
    return Detail(label=label, segments=shown.segments, text=as_text(shown), words_left_out=shown.words_left_out)


def _whole(label: str, text: str, kind: SegmentKind, *, limit: int) -> Detail:
    line = one_line(text, limit)
    return Detail(label=label, segments=(Segment(kind=kind, text=line),), text=line)
