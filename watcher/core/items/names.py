"""How alike are the names of two things?  Pure.

A name is compared word by word.  Words that every such name has ("hospital", "arm", "of") weigh little, numbers and
letters that tell series apart ("Cohort 3", "Arm B", "Second Affiliated Hospital") weigh double, and a word may be
misspelt.  A name that is wholly part of another is alike to it, unless their numbers contradict each other.

Does not know what the things are: whose words weigh little, and how alike is enough, is for the caller.

Source: weights were measured 2026-11-22 on names that stand side by side in one record, which are different things,
and on real renames; the figures are in ``sites.py`` and ``lists.py``.
"""

import html
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.fuzz import ratio
from rapidfuzz.process import extractOne

_COMMON, _TELLING, _MARK = 0.3, 1.0, 2.0  # weights of words
_MISSPELT = 82  # percent of a word that must be the same
_SAME_LETTERS = 88  # percent of two whole names, spaces aside, for them to be spellings of one
_MOST_SPELLINGS = 150  # pairs of words that are looked at for a misspelt one; long texts are alike without
_NO_COMMON: frozenset[str] = frozenset()
_WORD = re.compile(r"[^\W_]+")
_LETTERS = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th"})
_ORDINALS = {
    word: str(number)
    for number, words in enumerate(
        ("first 1st", "second 2nd", "third 3rd", "fourth 4th", "fifth 5th", "sixth 6th", "seventh 7th", "eighth 8th"),
        start=1,
    )
    for word in words.split()
}
# Not "v" and "x", which are initials as often.
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name, ready to be compared."""

    weights: Mapping[str, float]  # by word
    marks: frozenset[str]  # the words that tell series apart
    letters: str  # all of it without spaces


def folded(text: str) -> str:
    """Return the words of a text without case, accents, punctuation and HTML entities, one space between them."""
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(character for character in decomposed if not unicodedata.combining(character))
        text = text.casefold().translate(_LETTERS).replace("’", "'")
    # Apostrophes within a word are written or left out at will.
    return " ".join(_WORD.findall(text.casefold().replace("'", "")))


def name_of(
    text: str, *, common: Collection[str] = _NO_COMMON, letters_are_marks: bool = False, folding: bool = True
) -> Name:
    """Return a name as it is compared.

    Args:
        text: the name, or already its folded form.
        common: folded words that say little about which one is meant.
        letters_are_marks: whether single letters, Roman numerals and words with digits ("2a", "q3w") tell series
            apart as numbers do.
        folding: False when ``text`` is folded already.
    """
    words = (folded(text) if folding else text).split()
    words = [_ORDINALS.get(word, word) for word in words]
    if letters_are_marks:
        words = [_ROMAN.get(word, word) for word in words]
    weights = {word: _weight(word, common, letters_are_marks=letters_are_marks) for word in words}
    marks = frozenset(word for word, weight in weights.items() if weight == _MARK)
    return Name(weights=weights, marks=marks, letters="".join(words))


def _weight(word: str, common: Collection[str], *, letters_are_marks: bool) -> float:
    if word.isdigit() or (letters_are_marks and (len(word) == 1 or any(map(str.isdigit, word)))):
        return _MARK
    return _COMMON if word in common else _TELLING


def name_likeness(old: Name, new: Name) -> float:
    """Return how alike two names are: 0 = nothing in common, 1 = the same words."""
    shared, telling = _shared_weight(old, new)
    one, other = sum(old.weights.values()), sum(new.weights.values())
    if not one or not other:
        return 0.0
    overlap = shared / (one + other - shared)
    likeness = (overlap + shared / min(one, other)) / 2
    if not telling or (old.marks and new.marks and not _within(old.marks, new.marks)):
        likeness = overlap
    if old.marks == new.marks and likeness < 1:
        likeness = max(likeness, _spelling_likeness(old, new))
    return likeness


def _spelling_likeness(old: Name, new: Name) -> float:
    """Return how many letters of two names are the same, 0 where they may be two names: for words broken anywhere.

    What the words do not share must look the same by itself, or "North" and "South" would hide in a long name.
    """
    same = ratio(old.letters, new.letters, score_cutoff=_SAME_LETTERS)
    if not same:
        return 0.0
    only_old = "".join(word for word in old.weights if word not in new.weights)
    only_new = "".join(word for word in new.weights if word not in old.weights)
    return same / 100 if ratio(only_old, only_new) >= _MISSPELT else 0.0


def _within(some: frozenset[str], others: frozenset[str]) -> bool:
    return some <= others or others <= some


def _shared_weight(old: Name, new: Name) -> tuple[float, bool]:
    """Return what the words that both names have weigh, and whether one of them says which thing is meant."""
    shared, telling = 0.0, False
    for word, weight in old.weights.items():
        if word in new.weights:
            shared += weight
            telling = telling or weight >= _TELLING
    misspelt = _misspelt_weight(
        sorted(word for word, weight in old.weights.items() if weight == _TELLING and word not in new.weights),
        sorted(word for word, weight in new.weights.items() if weight == _TELLING and word not in old.weights),
    )
    return shared + misspelt, telling or misspelt > 0


def _misspelt_weight(words: Sequence[str], spellings: list[str]) -> float:
    """Return what the words weigh that only one name has, where the other name has a spelling of them."""
    weight = 0.0
    if len(words) * len(spellings) > _MOST_SPELLINGS:
        return weight
    for word in words:
        best = extractOne(word, spellings, scorer=ratio, score_cutoff=_MISSPELT)
        if best:
            spelling, same, _ = best
            spellings.remove(spelling)
            weight += _TELLING * same / 100
    return weight
