"""What the abbreviations in a record's outcome measures stand for.  Pure.

"PFS" became "Progression free survival (PFS)": the same outcome.  A record explains most of its abbreviations itself,
in brackets; where one version uses only the short form and the other only the long one, the initials tell.

Source of the search in brackets: Schwartz and Hearst, "A simple algorithm for identifying abbreviation definitions in
biomedical text", 2003.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from watcher.core.items.outcome_words import KNOWN_ABBREVIATIONS, STOP_WORDS, split

_BRACKETS = re.compile(r"[(\[]([^()\[\]]{2,80})[)\]]")
_ALONE = re.compile(r"(?<![\w-])[a-z]{0,3}[A-Z][a-z]{0,3}[A-Z][A-Za-z]{0,4}(?![\w-])")  # not the PD of PD-L1
_CLAUSE_END = re.compile(r"[^\w\s-]+")
_LONGEST = 8  # letters
_LOOK_BACK = 120  # characters before a bracket

Meanings = Mapping[str, tuple[str, ...]]  # long forms, by the short one in lower case


def meanings(before: Collection[str], after: Collection[str]) -> Meanings:
    """Return the abbreviations of two versions' texts: as the record explains them, as is usual, or by initials."""
    found = {**KNOWN_ABBREVIATIONS, **_explained({*before, *after})}
    olds, news = ({short for text in texts for short in _short_forms(text)} for texts in (before, after))
    for missing, texts in ((olds - news - found.keys(), after), (news - olds - found.keys(), before)):
        runs = [run.casefold() for text in texts for run in _CLAUSE_END.split(text)] if missing else []
        found |= {short: long for short in missing if (long := _by_initials(short, runs))}
    return found


def _explained(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[tuple[str, ...]]] = {}
    for text in texts:
        for brackets in _BRACKETS.finditer(text):
            inside = brackets[1]
            before = split(text[max(0, brackets.start() - _LOOK_BACK) : brackets.start()])
            short = _singular(re.split("[,;]", inside)[0].strip())
            if _is_short_form(short):
                _note(found, short, _long_form(short, before))
            elif before and _is_short_form(_singular(before[-1])):
                words = split(inside)
                long = _long_form(_singular(before[-1]), words)
                _note(found, _singular(before[-1]), long if len(long) == len(words) else ())
    # Where a record explains one in several ways, the same one must be taken on any day.
    return {short: min(longs, key=lambda long: (len(long), long)) for short, longs in found.items()}


def _note(found: dict[str, set[tuple[str, ...]]], short: str, long: tuple[str, ...]) -> None:
    if len(long) > 1:
        found.setdefault(short.casefold(), set()).add(long)


def _long_form(short: str, words: Sequence[str]) -> tuple[str, ...]:
    """Return the last of the words, from the one that begins with the short form's first letter, if all letters fit."""
    letters = [letter for letter in short.casefold() if letter.isalnum()]
    text = " ".join(words[-min(len(letters) + 5, 2 * len(letters)) :]).casefold()
    at = len(text)
    for place, letter in reversed(list(enumerate(letters))):
        at = text.rfind(letter, 0, at)
        while place == 0 and at > 0 and text[at - 1] != " ":
            at = text.rfind(letter, 0, at)
        if at < 0:
            return ()
    return tuple(text[at:].split())


def _by_initials(short: str, runs: Iterable[str]) -> tuple[str, ...]:
    found = set()
    for run in runs:
        every = split(run)
        for words in (every, [word for word in every if word not in STOP_WORDS]):
            initials = "".join(word[0] for word in words)
            at = initials.find(short)
            if at >= 0:
                found.add(tuple(words[at : at + len(short)]))
    return min(found, default=())


def _short_forms(text: str) -> Iterable[str]:
    words = map(_singular, _ALONE.findall(text))
    return (word.casefold() for word in words if _is_short_form(word))


def _is_short_form(word: str) -> bool:
    return 2 <= len(word) <= _LONGEST and word.isalnum() and sum(letter.isupper() for letter in word) >= 2


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") else word
