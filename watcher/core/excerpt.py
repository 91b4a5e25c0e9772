"""Show of two long texts the part where they differ.  Pure.

A word-by-word comparison is a later step; this one only makes sure that what is shown is what changed.
"""

from watcher.core.text import one_line

EXCERPT_LENGTH = 600  # characters
_CONTEXT = 80  # characters that are alike, before and after


def differing_parts(old: str, new: str) -> tuple[str, str]:
    """Return both texts on one line each, cut to where they differ, with some of what is alike around it."""
    before, after = one_line(old), one_line(new)
    begin = _alike(before, after)
    shorter = min(len(before), len(after))
    alike = _alike(before[::-1], after[::-1])
    end = min(alike, shorter - begin)
    return _cut(before, begin, len(before) - end), _cut(after, begin, len(after) - end)


def _alike(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    pairs = zip(one, other, strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _cut(text: str, begin: int, end: int) -> str:
    """Return ``text`` from some words before ``begin`` to some after ``end``, with dots where something is left out."""
    start = _word_start(text, max(begin - _CONTEXT, 0))
    stop = min(end + _CONTEXT, start + EXCERPT_LENGTH, len(text))
    dots_before, dots_after = ("… " if start else "", " …" if stop < len(text) else "")
    return dots_before + text[start:stop].strip() + dots_after


def _word_start(text: str, position: int) -> int:
    """Return the beginning of the first whole word from ``position`` on."""
    space = text.find(" ", position) if position else -1
    return space + 1 if 0 <= space < position + _CONTEXT else position
