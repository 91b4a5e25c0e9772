"""Show which words of a text changed, in few enough characters for a mail.  Pure.

What is alike is left out but for some words around each change.  Where that is still too long, fewer words are kept,
then long changes are cut at a word, then whole changes are left out, those of numbers last; what is left out is
counted.  A template marks the segments in HTML; ``as_text`` marks them in plain text:

    … aged at least [18 → 12] years, [added: able and] willing to consent [removed: in writing] …

Where a text holds brackets or arrows itself, others mark the changes, so that no mark can be taken for text.

Does not say whether a change matters: ``prose.is_cosmetic``, ``quantities.numbers_changed``.  Source: rules 3.6 (9).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from watcher.core.texts.lines import BULLET, readable
from watcher.core.texts.number_tokens import find_numbers
from watcher.core.texts.prose import is_cosmetic
from watcher.core.texts.quantities import numbers_changed
from watcher.core.texts.worddiff import Segment, SegmentKind, word_diff

SHOWN_LENGTH = 600  # characters that are shown, marks not counted
ELLIPSIS = "…"
_CONTEXTS = (8, 5, 3)  # words on either side of a change: as many as there is room for
_SHARE = 0.6  # of the room, for one of several changes
_LONGEST_WORD = 20  # characters of a word around a change, on average: a text without spaces must not fill a mail
_LENGTH_OF_JOINTS = 2 * len(ELLIPSIS) + 2  # what is shown beside a change and its words
_LONGEST_WITH_ARROW = 120  # characters of both sides; more are easier to read in a bracket each
_BRACKETS = (("[", "]"), ("{", "}"), ("⟦", "⟧"), ("⟪", "⟫"))
_ARROWS = ("→", "⇒", "=>")
_SPACES = re.compile(r"\s+")
_LOOK_AHEAD = 40  # characters beyond a cut in which a number with its unit may end


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDiff:
    """What a reader sees of a change.  No removed or added segment begins or ends with white space."""

    segments: tuple[Segment, ...]  # OMITTED ones are an ellipsis; none at all where nothing differs
    changes_left_out: int  # changes of which nothing is shown
    words_left_out: int  # removed and added words that are not shown, those of such changes included


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """Words that stand in place of others; either may be empty."""

    removed: str
    added: str

    @property
    def length(self) -> int:
        return len(self.removed) + len(self.added)

    @property
    def words(self) -> int:
        return sum(word != ELLIPSIS for text in (self.removed, self.added) for word in text.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Passages:
    """A difference taken apart: what is alike and what is not, by turns."""

    alike: Sequence[str]  # one more than changes; with the white space that stands beside a change
    changes: Sequence[_Change]


def shown_diff(old: str, new: str, *, limit: int = SHOWN_LENGTH) -> ShownDiff:
    """Return what to show of a change of text, on one line.

    Words that differ in appearance only are passed over where others differ in more; the new appearance is shown.

    Args:
        old, new: as the record holds them.
        limit: characters of text, marks not counted; at least 300.
    """
    passages = _passages(word_diff(readable(old), readable(new)))
    everything = list(range(len(passages.changes)))
    for context in _CONTEXTS:
        segments = tuple(_segments(passages, everything, context))
        if sum(len(segment.text) for segment in segments) <= limit:
            return ShownDiff(segments=segments, changes_left_out=0, words_left_out=0)
    return _cut_down(passages, limit)


def as_text(shown: ShownDiff) -> str:
    """Return a shown difference as plain text with marks: ``[old → new]``, ``[added: …]``, ``[removed: …]``."""
    whole = "".join(segment.text for segment in shown.segments)
    opening, closing = next(pair for pair in _brackets() if not any(mark in whole for mark in pair))
    arrow = next(arrow for arrow in _arrows() if arrow not in whole)
    pieces, segments = [], list(shown.segments)
    while segments:
        segment = segments.pop(0)
        if segment.kind in {SegmentKind.EQUAL, SegmentKind.OMITTED}:
            pieces.append(segment.text)
            continue
        replacement = _replacement(segment, segments)
        if replacement is None:
            pieces.append(f"{opening}{segment.kind}: {segment.text}{closing}")
        else:
            del segments[:2]
            pieces.append(f"{opening}{segment.text} {arrow} {replacement}{closing}")
    return "".join(pieces)


def _replacement(removed: Segment, following: Sequence[Segment]) -> str | None:
    """Return what stands in place of a short removed segment; None where nothing does, or too much."""
    kinds = [removed.kind, *(segment.kind for segment in following[:2])]
    if kinds != [SegmentKind.REMOVED, SegmentKind.EQUAL, SegmentKind.ADDED] or following[0].text != " ":
        return None
    added = following[1].text
    return added if len(removed.text) + len(added) <= _LONGEST_WITH_ARROW else None


def _brackets() -> Iterator[tuple[str, str]]:
    """Return pairs of brackets to choose from, the best first; there is no end to them."""
    for times in count(1):
        for opening, closing in _BRACKETS:
            yield opening * times, closing * times


def _arrows() -> Iterator[str]:
    for times in count(1):
        for arrow in _ARROWS:
            yield arrow * times


def _passages(segments: Iterable[Segment]) -> _Passages:
    """Take a difference apart: what only looks different is alike, and white space stands outside of the changes."""
    groups = list(_groups(segments))
    only_looks = all(_looks_alike(removed, added) for _, removed, added in groups)
    alike, changes = [""], []
    for shared, removed, added in groups:
        before = alike[-1] + shared
        if not (removed + added).strip() or (not only_looks and _looks_alike(removed, added)):
            alike[-1] = before + added
            continue
        begins = any(text[:1].isspace() for text in (before[-1:], removed, added))
        ends = any(text[-1:].isspace() for text in (removed, added))
        alike[-1] = before.rstrip() + " " * begins
        alike.append(" " * ends)
        changes.append(_Change(removed=removed.strip(), added=added.strip()))
    return _Passages(alike=[_SPACES.sub(" ", text) for text in alike], changes=changes)


def _groups(segments: Iterable[Segment]) -> Iterator[tuple[str, str, str]]:
    """Return each change with what is alike before it; what is alike at the end comes with an empty change."""
    texts = dict.fromkeys(SegmentKind, "")
    for segment in segments:
        if segment.kind is SegmentKind.EQUAL and (texts[SegmentKind.REMOVED] or texts[SegmentKind.ADDED]):
            yield texts[SegmentKind.EQUAL], texts[SegmentKind.REMOVED], texts[SegmentKind.ADDED]
            texts = dict.fromkeys(SegmentKind, "")
        texts[segment.kind] += segment.text
    yield texts[SegmentKind.EQUAL], texts[SegmentKind.REMOVED], texts[SegmentKind.ADDED]


def _looks_alike(removed: str, added: str) -> bool:
    # Between bars, because at the end of a text a comma makes no difference, and within one it does.
    return is_cosmetic(*(f"| {text.replace(BULLET, '').strip()} |" for text in (removed, added)))


def _segments(passages: _Passages, shown: Sequence[int], context: int) -> Iterator[Segment]:
    """Return the segments of the changes that are shown, by their places, with ``context`` words around each."""
    if not shown:
        return
    yield from _alike("", passages.alike[shown[0]], context, cut=shown[0] > 0)
    for at, following in zip(shown, [*shown[1:], None], strict=True):
        yield from _marked(passages.changes[at])
        if following == at + 1:
            yield from _alike(passages.alike[following], passages.alike[following], context)
        elif following:
            yield from _alike(passages.alike[at + 1], passages.alike[following], context, cut=True)
        else:
            yield from _alike(passages.alike[at + 1], "", context, cut=at + 1 < len(passages.changes))


def _alike(after: str, before: str, context: int, *, cut: bool = False) -> Iterator[Segment]:
    """Return what is shown of the text between two changes.

    Args:
        after: the text after a change; empty before the first one.
        before: the text before the next change; the same as ``after`` when nothing stands between the two.
        context: words that are shown of each.
        cut: whether something is left out even though both are short.
    """
    text = after or before
    # An ellipsis in place of a single word would save nothing.
    sides = bool(after) + bool(before)
    if not cut and len(text.split()) <= context * sides + 1 and len(text) <= context * sides * _LONGEST_WORD:
        yield from _equal(text)
        return
    yield from _equal(_head(after, context))
    yield Segment(kind=SegmentKind.OMITTED, text=ELLIPSIS)
    yield from _equal(_tail(before, context))


def _equal(text: str) -> Iterator[Segment]:
    if text:
        yield Segment(kind=SegmentKind.EQUAL, text=text)


def _head(text: str, words: int) -> str:
    """Return the first words of a text, with a space after them."""
    kept = " ".join(text.split(maxsplit=words)[:words])[: words * _LONGEST_WORD]
    return f"{' ' * text.startswith(' ')}{kept} " if kept else ""


def _tail(text: str, words: int) -> str:
    """Return the last words of a text, with a space before them."""
    kept = " ".join(text.split()[-words:])[-words * _LONGEST_WORD :]
    return f" {kept}{' ' * text.endswith(' ')}" if kept else ""


def _marked(change: _Change) -> Iterator[Segment]:
    if change.removed:
        yield Segment(kind=SegmentKind.REMOVED, text=change.removed)
    if change.removed and change.added:
        yield Segment(kind=SegmentKind.EQUAL, text=" ")
    if change.added:
        yield Segment(kind=SegmentKind.ADDED, text=change.added)


def _cut_down(passages: _Passages, limit: int) -> ShownDiff:
    """Return as many changes as there is room for, those of numbers first, and none so long that it takes it all."""
    context = _CONTEXTS[-1]
    changes = list(passages.changes)
    room, shown = limit, list[int]()
    for at in sorted(range(len(changes)), key=lambda at: (not _changes_number(changes[at]), at)):
        around = _tail(passages.alike[at], context) + _head(passages.alike[at + 1], context)
        beside = len(around) + _LENGTH_OF_JOINTS
        cut = _cut(changes[at], int(limit * _SHARE) if len(changes) > 1 else limit - beside)
        if cut.length + beside <= room:
            changes[at] = cut
            shown.append(at)
            room -= cut.length + beside
    return ShownDiff(
        segments=tuple(_segments(replace(passages, changes=changes), sorted(shown), context)),
        changes_left_out=len(changes) - len(shown),
        words_left_out=sum(change.words for change in passages.changes) - sum(changes[at].words for at in shown),
    )


def _changes_number(change: _Change) -> bool:
    return numbers_changed(change.removed, change.added) != ((), ())


def _cut(change: _Change, room: int) -> _Change:
    """Return a change that is no longer than ``room``; what one side does not need, the other may use."""
    if change.length <= room:
        return change
    removed = _cut_text(change.removed, max(room // 2, room - len(change.added)))
    return _Change(removed=removed, added=_cut_text(change.added, room - len(removed)))


def _cut_text(text: str, room: int) -> str:
    """Return a text cut between two words, but not between a number and its comparison or unit."""
    if len(text) <= room:
        return text
    end = text.rfind(" ", 0, room - 1)
    for number in find_numbers(text[: room + _LOOK_AHEAD]):
        if number.start < end < number.end:
            end = number.start
    return f"{text[:end].rstrip()} {ELLIPSIS}" if end > 0 else text[: room - 1] + ELLIPSIS
