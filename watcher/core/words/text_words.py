"""What became of a long text, in a sentence: counts of criteria, counts of words, figures that changed.  Pure.

The words themselves stand below the sentence in a digest: see ``shown_diff.py``.
"""

from watcher.core.texts.criteria_changes import criteria_changes, summary_of
from watcher.core.texts.quantities import numbers_changed
from watcher.core.texts.worddiff import SegmentKind, word_diff

FIGURES = "; figures"  # what follows is no part of a headline
_FIGURES = 4  # that a sentence names


def word_text(label: str, old: str, new: str) -> str:
    """Return ``Brief Summary reworded (+12/−7 words); figures: 24 weeks → 48 weeks``."""
    counts = {SegmentKind.ADDED: 0, SegmentKind.REMOVED: 0}
    for segment in word_diff(old, new):
        if segment.kind in counts:
            counts[segment.kind] += len(segment.text.split())
    words = f"+{counts[SegmentKind.ADDED]}/−{counts[SegmentKind.REMOVED]} words"
    return f"{label} reworded ({words}){_figures(old, new)}"


def word_criteria(label: str, old: str, new: str) -> str:
    """Return ``Eligibility Criteria: 2 criteria added, 1 removed; figures: 18 years → 12 years``."""
    changes = criteria_changes(old, new)
    if not changes:
        return f"{label}: other form or order only"
    return f"{label}: {summary_of(changes)}{_figures(old, new)}"


def _figures(old: str, new: str) -> str:
    gone, come = numbers_changed(old, new)
    if not gone and not come:
        return ""
    if len(gone) == len(come) == 1:
        return f"{FIGURES}: {_named(gone)} → {_named(come)}"
    if gone and come:
        return f"{FIGURES} before: {_named(gone)}; now: {_named(come)}"
    return f"{FIGURES} added: {_named(come)}" if come else f"{FIGURES} removed: {_named(gone)}"


def _named(figures: tuple[str, ...]) -> str:
    more = f" and {len(figures) - _FIGURES} more" if len(figures) > _FIGURES else ""
    return ", ".join(figures[:_FIGURES]) + more
