"""How much of a digest fits into a mail?  Pure.

Mail programs cut off what is longer than about 100 KB, and servers refuse what is much longer.  So the worst trials are
told in full, each within a share; the others are named with their headline; what is left is counted.  Nothing of it is
lost: a mail that is not complete has all told changes attached as a table, and ``trialwatch history`` shows what was
recorded.

Sizes are of the HTML part, roughly: what a text takes, and what the marks around it take.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from watcher.core.digest import Sentence, TrialBlock, Version, headline_of
from watcher.core.text import one_line

_MAIL = 60_000  # bytes of HTML for what is told in full
_TRIAL = 12_000  # bytes of that for one trial
_AROUND_TRIAL, _AROUND_SENTENCE, _AROUND_DETAIL, _AROUND_CLAUSE = 900, 330, 260, 4  # bytes of marks
_AROUND_DATE = 70  # bytes of marks that keep a date in one piece
_DATE = re.compile("[0-9]{4}-[0-9]{2}")
_AROUND_LINK = 90  # bytes of marks
_NAMED = 60  # trials that are named with a headline
_HEADLINE = 100  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTrial:
    """A trial that is not told in full."""

    nct_id: str
    headline: str
    told: int  # how many things there are to tell of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """What fits into a mail."""

    blocks: tuple[TrialBlock, ...]  # in full, or as far as a trial's share goes
    named: tuple[NamedTrial, ...]
    more: int  # trials that are counted only
    complete: bool  # nothing was left out for want of room


def fit(blocks: Sequence[TrialBlock]) -> Fitting:
    """Return what to show of a digest's trials, which come in their order, the worst first; at least one in full."""
    shown: list[TrialBlock] = []
    left = _MAIL
    for block in blocks:
        fitted, size = _fit_trial(block, min(left, _TRIAL))
        if shown and (size > left or not fitted.told):
            break
        shown.append(fitted)
        left -= size
    rest = blocks[len(shown) :]
    named = tuple(map(named_trial, rest[:_NAMED]))
    complete = not rest and all(fitted == block for fitted, block in zip(shown, blocks, strict=True))
    return Fitting(blocks=tuple(shown), named=named, more=max(0, len(rest) - _NAMED), complete=complete)


def named_trial(block: TrialBlock) -> NamedTrial:
    """Return a trial as it is named where it is not told in full."""
    return NamedTrial(nct_id=block.nct_id, headline=one_line(headline_of(block), _HEADLINE), told=block.told)


def _fit_trial(block: TrialBlock, room: int) -> tuple[TrialBlock, int]:
    """Return a trial with as much of each of its versions as there is room for, and its size."""
    size = _AROUND_TRIAL + _bytes(block.title)
    versions = []
    for version in block.versions:
        fitted, used = _fit_version(version, room - size)
        versions.append(fitted)
        size += used
    return replace(block, versions=tuple(versions)), size


def _fit_version(version: Version, room: int) -> tuple[Version, int]:
    size = _AROUND_DETAIL + _told_bytes(version.origin)
    # The words below a sentence are worth less than the next sentence: they get what all sentences leave.
    spare = room - size - sum(map(_size_alone, version.sentences))
    sentences: list[Sentence] = []
    for whole in version.sentences:
        words = sum(_detail_sizes(whole))
        sentence = whole if words <= spare else _without_details(whole)
        used = _size_alone(whole) + (words if sentence is whole else 0)
        if size + used > room and sentences:
            break
        spare -= words if sentence is whole else 0
        sentences.append(sentence)
        size += used
    clauses: list[str] = []
    for clause in version.clauses:
        used = _AROUND_CLAUSE + _told_bytes(clause)
        if size + used > room:
            break
        clauses.append(clause)
        size += used
    left_out = len(version.sentences) - len(sentences) + len(version.clauses) - len(clauses)
    return replace(version, sentences=tuple(sentences), clauses=tuple(clauses), left_out=left_out), size


def _size_alone(sentence: Sentence) -> int:
    link = _AROUND_LINK + len(sentence.acknowledge_url) if sentence.acknowledge_url else 0
    return _AROUND_SENTENCE + _told_bytes(sentence.text) + link


def _detail_sizes(sentence: Sentence) -> Iterator[int]:
    for detail in sentence.details:
        marks = sum(segment.kind.value in {"added", "removed"} for segment in detail.segments)
        yield _AROUND_DETAIL + _bytes(detail.label) + _bytes(detail.text) + marks * _AROUND_DETAIL // 2


def _without_details(sentence: Sentence) -> Sentence:
    return replace(sentence, details=(), details_left_out=len(sentence.details) + sentence.details_left_out)


def _told_bytes(text: str) -> int:
    return _bytes(text) + _AROUND_DATE * len(_DATE.findall(text))


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
