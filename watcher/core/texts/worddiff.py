"""Which words of a text changed?  Pure.

The shortest edit is not the clearest one: it keeps a lone "of" between two changes and begins a new sentence in the
middle of the one before.  So the edit is computed on whole words (a number and its comparison sign are one), and then
tidied: a change that can begin in several places begins where a sentence or a clause does, what little is alike
between two changes joins them, and a changed comma or sign takes its word along.

Does not shorten and does not write marks: ``shown_diff.py``.  Compares the texts as they are given; for texts of a
record, give what ``lines.readable`` makes of them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from rapidfuzz.distance import Indel

from watcher.core.texts.lines import BULLET


class SegmentKind(StrEnum):
    EQUAL = "equal"
    REMOVED = "removed"
    ADDED = "added"
    OMITTED = "omitted"  # stands for text that is not shown; made in ``shown_diff.py`` only


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    kind: SegmentKind
    text: str


class _Token(NamedTuple):
    """A word or a sign."""

    core: str
    space: str  # white space after it

    @property
    def is_word(self) -> bool:
        return any(map(str.isalnum, self.core))


@dataclass(slots=True, kw_only=True)
class _Block:
    """Stretches of both texts that correspond: token for token where they are equal, as a whole where they are not."""

    old: list[_Token]
    new: list[_Token]
    equal: bool

    @property
    def has_words(self) -> bool:
        return any(token.is_word for token in self.old + self.new)

    @property
    def length(self) -> int:
        """Characters of the longer side."""
        return max(_length(self.old), _length(self.new))


# One word each: "≥18", "-5", "1,000.5", "18-65", "10^9", "mg/kg", "HER2+", "don't".
_TOKEN = re.compile(
    r"((?:[<>≤≥≦≧=±~≈]{0,3}[-−]?(?=\d))?\w+(?:(?:[-‐‑–−/^'’]|(?<=\d)[.,:](?=\d)|(?<=\b\w)\.(?=\w\b))\w+)*(?:[%°]|[+-]+(?!\w))?"
    r"|\S)(\s*)"
)
_COMPARISONS = frozenset("<>≤≥≦≧=±")
_SMALL = (
    "a an and are as at be been by for from has have in is it its of on or per than that the their this to was were"
)
_SMALL_WORDS = frozenset(_SMALL.split())
_MOST_SMALL_WORDS = 2  # between two changes: so many are joined with them
_MOST_WORDS = 4  # the same between two long changes
_MOST_PAIRS = 100_000_000  # words of one text times words of the other: the edit takes a bit of memory for each
_LEAST_SHARE = 0.35  # of the shorter text that is in both versions; less, and it was rewritten


def word_diff(old: str, new: str) -> tuple[Segment, ...]:
    """Return the stretches that two texts share, and those that one has in place of the other.

    The equal and the removed ones together are ``old``, the equal and the added ones ``new``, to the last space.  Where
    something was replaced, what was removed stands first.  Equal texts are one stretch, empty ones none.
    """
    blocks = _blocks(_tokens(old), _tokens(new))
    if _have_little_in_common(blocks):
        blocks[1:-1] = [_one_change(blocks[1:-1])]
    for at in range(1, len(blocks) - 1, 2):
        _slide(*blocks[at - 1 : at + 2])
    blocks = _joined(blocks)
    _take_words_along(blocks)
    return tuple(_segments(blocks))


def _tokens(text: str) -> list[_Token]:
    begin = len(text) - len(text.lstrip())
    words = [_Token(*match.groups()) for match in _TOKEN.finditer(text, begin)]
    return [_Token(core="", space=text[:begin]), *words]


def _blocks(old: Sequence[_Token], new: Sequence[_Token]) -> list[_Block]:
    """Return the shortest edit: equal blocks and changes by turns, an equal one, if empty, at either end."""
    blocks = [_Block(old=[], new=[], equal=True)]
    for equal, of_old, of_new in _steps([token.core for token in old], [token.core for token in new]):
        if blocks[-1].equal != equal:
            blocks.append(_Block(old=[], new=[], equal=equal))
        blocks[-1].old += old[of_old]
        blocks[-1].new += new[of_new]
    if not blocks[-1].equal:
        blocks.append(_Block(old=[], new=[], equal=True))
    return blocks


def _steps(old: list[str], new: list[str]) -> Iterator[tuple[bool, slice, slice]]:
    """Return the steps of the edit.  Of several short ones it is the same in both directions."""
    if len(old) * len(new) > _MOST_PAIRS:
        yield from _rough_steps(old, new)
        return
    backwards = new < old
    for step in Indel.opcodes(new, old) if backwards else Indel.opcodes(old, new):
        source, target = slice(step.src_start, step.src_end), slice(step.dest_start, step.dest_end)
        yield (step.tag == "equal", *((target, source) if backwards else (source, target)))


def _rough_steps(old: list[str], new: list[str]) -> Iterator[tuple[bool, slice, slice]]:
    """Return what texts longer than the registry takes have in common at both ends; all between is one change."""
    shorter = min(len(old), len(new))
    head = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    tail = next((at for at in range(shorter - head) if old[-1 - at] != new[-1 - at]), shorter - head)
    yield True, slice(head), slice(head)
    yield False, slice(head, len(old) - tail), slice(head, len(new) - tail)
    yield True, slice(len(old) - tail, None), slice(len(new) - tail, None)


def _have_little_in_common(blocks: Sequence[_Block]) -> bool:
    """Return whether a text was rewritten, so that the words which both versions happen to hold would only disturb."""
    shared = sum(block.length for block in blocks if block.equal)
    shorter = min(sum(_length(block.old) for block in blocks), sum(_length(block.new) for block in blocks))
    return len(blocks) > 1 and shared < _LEAST_SHARE * shorter


def _one_change(blocks: Sequence[_Block]) -> _Block:
    return _Block(
        old=[token for block in blocks for token in block.old],
        new=[token for block in blocks for token in block.new],
        equal=False,
    )


def _slide(before: _Block, change: _Block, after: _Block) -> None:
    """Move a pure addition or removal to the best of the places that mean the same.

    "A. B." that becomes "A. C. B." gained "C. ", not ". C".
    """
    if bool(change.old) == bool(change.new):
        return
    if change.new:
        length, own, other = len(change.new), before.new + change.new + after.new, before.old + after.old
    else:
        length, own, other = len(change.old), before.old + change.old + after.old, before.new + after.new
    first = last = len(before.new)
    while first and own[first - 1].core == own[first + length - 1].core:
        first -= 1
    while last + length < len(own) and own[last].core == own[last + length].core:
        last += 1
    best = max(range(first, last + 1), key=lambda at: _boundary(own, at) + _boundary(own, at + length))
    pieces = own[:best], own[best : best + length], own[best + length :]
    if change.new:
        before.new, change.new, after.new = pieces
        before.old, after.old = other[:best], other[best:]
    else:
        before.old, change.old, after.old = pieces
        before.new, after.new = other[:best], other[best:]


def _boundary(tokens: Sequence[_Token], at: int) -> int:
    """Return how well a change can begin or end between two tokens."""
    if at == len(tokens) or not tokens[at - 1].core:
        return 4  # an end of the text
    left, right = tokens[at - 1], tokens[at].core
    if right == BULLET:
        return 4
    if left.core in {".", ";", ":", "!", "?"}:
        return 3
    if left.core in {",", ")"} or right == "(":
        return 2
    return 1 if left.space else 0


def _joined(blocks: Sequence[_Block]) -> list[_Block]:
    """Return the blocks with changes joined where what is alike between them would only disturb."""
    joined = [*blocks[:1]]
    for at in range(1, len(blocks) - 1, 2):
        change, island = blocks[at], blocks[at + 1]
        if len(joined) >= 3 and _disturbs(joined[-1], joined[-2], change):
            small = joined.pop()
            joined[-1].old += small.old + change.old
            joined[-1].new += small.new + change.new
        else:
            joined.append(change)
        joined.append(island)
    return joined


def _disturbs(island: _Block, before: _Block, after: _Block) -> bool:
    """Return whether an equal block between two changes is better read as a part of them.

    Two additions, or two removals, stay apart: joined they would repeat what is between them.
    """
    if not (before.old or after.old) or not (before.new or after.new):
        return False
    if not island.has_words and island.length <= 2:
        return True
    words = [token.core.lower() for token in island.new if token.is_word]
    if len(words) <= _MOST_SMALL_WORDS and _SMALL_WORDS.issuperset(words):
        return True
    return island.length * 2 < min(before.length, after.length) and len(words) <= _MOST_WORDS


def _take_words_along(blocks: Sequence[_Block]) -> None:
    """Show signs that changed, where nothing else did, with the words that they belong to: "days," and "≥ 18"."""
    for at in range(1, len(blocks) - 1, 2):
        before, change, after = blocks[at - 1 : at + 2]
        signs = [token.core for token in change.old + change.new]
        compares = all(map(_COMPARISONS.issuperset, signs))
        if change.has_words:
            continue
        if not compares and before.new and not (before.new[-1].space and before.old[-1].space):
            change.old.insert(0, before.old.pop())
            change.new.insert(0, before.new.pop())
        elif after.new and (compares or not _space_at_end(change)):
            change.old.append(after.old.pop(0))
            change.new.append(after.new.pop(0))


def _space_at_end(change: _Block) -> bool:
    return any(side[-1].space for side in (change.old, change.new) if side)


def _segments(blocks: Sequence[_Block]) -> Iterator[Segment]:
    texts = dict.fromkeys((SegmentKind.EQUAL, SegmentKind.REMOVED, SegmentKind.ADDED), "")
    for part in _parts(blocks):
        if not any(part.values()):
            continue
        # What is alike ends a change, and a change ends what is alike; a removal and an addition are one change.
        if (SegmentKind.EQUAL in part) != bool(texts[SegmentKind.EQUAL]):
            yield from _flushed(texts)
        for kind, text in part.items():
            texts[kind] += text
    yield from _flushed(texts)


def _parts(blocks: Sequence[_Block]) -> Iterator[dict[SegmentKind, str]]:
    """Return the text of the blocks piece by piece; white space that differs between equal words is a change."""
    for block in blocks:
        if not block.equal:
            yield {SegmentKind.REMOVED: _text(block.old), SegmentKind.ADDED: _text(block.new)}
            continue
        shared = ""
        for old, new in zip(block.old, block.new, strict=True):
            shared += old.core
            if old.space == new.space:
                shared += old.space
            else:
                yield {SegmentKind.EQUAL: shared}
                yield {SegmentKind.REMOVED: old.space, SegmentKind.ADDED: new.space}
                shared = ""
        yield {SegmentKind.EQUAL: shared}


def _flushed(texts: dict[SegmentKind, str]) -> Iterator[Segment]:
    for kind, text in texts.items():
        if text:
            yield Segment(kind=kind, text=text)
            texts[kind] = ""


def _length(tokens: Iterable[_Token]) -> int:
    return sum(len(token.core) + len(token.space) for token in tokens)


def _text(tokens: Sequence[_Token]) -> str:
    return "".join(token.core + token.space for token in tokens)
