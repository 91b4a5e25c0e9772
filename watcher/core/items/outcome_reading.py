"""Outcome measures as they are compared: their words, each with what it weighs in this record.  Pure.

A measure has two parts: what names it, and how it is assessed or in whom ("Pain | measured on a numeric rating scale",
"Overall survival | of patients with example disease").  A word weighs what it says (``outcome_words.py``), and less the
more outcomes of the record have it: where every other outcome is a concentration of the same drug, only the rest tells
them apart.

Which part of the study an outcome belongs to ("Part A:", "Phase 1:") does not name it either.

Does not compare: see ``similarity.py``.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain
from math import log

from rapidfuzz.distance import OSA

from watcher.core.items.abbreviations import Meanings, meanings
from watcher.core.items.outcome_words import NAMES_SOMETHING, forms, plain, split, stem, weight
from watcher.model import Json

_DAMPING = 0.7  # how fast a word loses weight with the number of outcomes that have it
_UNIT = 1_000  # weights are whole numbers, whose sum does not depend on their order
_SHORTEST_TYPO = 5  # letters

_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
# Of the study, before what is measured in it: "Part A: ", "Phase 1b/2 - ".
_PART = re.compile(
    r"\s*(?P<part>(?:part|phase|stage|cohort|group|arm|period|step|(?:sub-?)?study)s?\s[\w/&+]{1,6})(?::\s*|,\s+|\s+[-‐-―]\s+)",
    re.IGNORECASE,
)
_MANNER_BEGINS = re.compile(
    r"\b(?:as )?(?:assessed|measured|determined|evaluated|defined|according|based|using|graded|via|by)\b"
    r"|\b(?:in|of|among|for) (?:\S+ ){0,3}(?:patients|participants|subjects|women|men|children|adults|people)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    weights: Mapping[str, int]  # by word
    total: int

    def common(self, words: Iterable[str]) -> int:
        """Return the weight of those of the words that the text has."""
        return sum(self.weights[word] for word in words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An outcome as it is compared."""

    name: Text  # the measure, but for the manner
    manner: Text  # how it is assessed, and in whom
    time_frame: Text
    description: Text
    measure: frozenset[str]  # the words of name and manner
    details: frozenset[str]  # the words of time frame and description that the measure does not have
    telling: frozenset[str]  # those of the name's words that name something; none in "Efficacy"
    written: frozenset[str]  # the same of the whole measure, synonyms apart
    part: str  # of the study, in small letters; "" where the measure does not begin with it


def read_outcomes(before: Sequence[Json], after: Sequence[Json]) -> tuple[list[Reading], list[Reading]]:
    """Return all outcomes of two versions as they are compared with each other.

    Args:
        before, after: outcomes of all sections, because a word's weight and an abbreviation's meaning depend on them
            all; anything that is no object reads as empty.
    """
    tidy = cache(plain)  # most texts stand in both versions
    texts = [[_texts(outcome, tidy) for outcome in outcomes] for outcomes in (before, after)]
    known = meanings(*({text for fields in side for text in fields if text} for side in texts))
    parts = cache(partial(_words, words_of=_reader(known), written_of=_reader(known, synonyms=False)))
    sides = _without_typos([[parts(each) for each in side] for side in texts])
    weights = _weights(sides)
    olds, news = ([_reading(outcome, weights) for outcome in side] for side in sides)
    return olds, news


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    name: frozenset[str]
    manner: frozenset[str]
    time_frame: frozenset[str]
    description: frozenset[str]
    written: frozenset[str]
    part: str

    def all(self) -> frozenset[str]:
        return self.name | self.manner | self.time_frame | self.description


def _texts(outcome: Json, tidy: Callable[[str], str]) -> tuple[str, str, str]:
    fields = outcome if isinstance(outcome, dict) else {}
    values = (fields.get(name) for name in ("measure", "timeFrame", "description"))
    measure, time_frame, description = (tidy(value) if isinstance(value, str) else "" for value in values)
    return measure, time_frame, description


def _reader(known: Meanings, *, synonyms: bool = True) -> Callable[[str], frozenset[str]]:
    """Return what takes a plain text to its words in the form in which they are compared."""
    forms_of = cache(lambda word: tuple(forms(word, known, synonyms=synonyms)))

    def words_of(text: str) -> frozenset[str]:
        return frozenset(chain.from_iterable(map(forms_of, split(text.casefold()))))

    return words_of


def _words(
    texts: tuple[str, str, str],
    *,
    words_of: Callable[[str], frozenset[str]],
    written_of: Callable[[str], frozenset[str]],
) -> _Words:
    measure, time_frame, description = texts
    begins = _PART.match(measure)
    name, manner = _parted(measure[begins.end() :] if begins else measure, words_of)
    part = begins["part"] if begins else ""
    return _Words(
        name=name,
        manner=manner | (words_of(part) - name),
        time_frame=words_of(time_frame),
        description=words_of(description),
        written=frozenset(word for word in written_of(measure) if weight(stem(word)) >= NAMES_SOMETHING),
        part=" ".join(part.casefold().split()),
    )


def _parted(measure: str, words_of: Callable[[str], frozenset[str]]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words that name a measure, and the rest, if without the rest something is named."""
    every = words_of(measure)
    bare = _BRACKETS.sub(" ", measure)
    for cut in (*(begins.start() for begins in _MANNER_BEGINS.finditer(bare)), len(bare)):
        name = words_of(bare[:cut])
        if any(weight(word) >= NAMES_SOMETHING for word in name):
            return name, every - name
    return every, frozenset()


def _without_typos(sides: Sequence[Sequence[_Words]]) -> list[list[_Words]]:
    """Return all outcomes with one spelling for words that differ by one letter between the versions.

    Only for words that the other version does not have: two words of one version are two words.
    """
    olds, news = ({word for outcome in set(side) for word in outcome.all()} for side in sides)
    usual = _spellings(olds - news, news - olds)
    if not usual:
        return [list(side) for side in sides]
    return [[_respelled(outcome, usual) for outcome in side] for side in sides]


def _respelled(outcome: _Words, usual: Mapping[str, str]) -> _Words:
    name, manner, time_frame, description, written = (
        frozenset(usual.get(word, word) for word in words)
        for words in (outcome.name, outcome.manner, outcome.time_frame, outcome.description, outcome.written)
    )
    return replace(outcome, name=name, manner=manner, time_frame=time_frame, description=description, written=written)


def _spellings(old_words: Iterable[str], new_words: Iterable[str]) -> dict[str, str]:
    """Return one word for each group of words that one letter divides, by the words of the group."""
    by_initial: dict[str, list[str]] = {}
    for word in sorted(filter(_can_be_typo, old_words)):
        by_initial.setdefault(word[0], []).append(word)
    usual: dict[str, str] = {}
    for word in sorted(filter(_can_be_typo, new_words)):
        for other in by_initial.get(word[0], ()):
            if abs(len(word) - len(other)) <= 1 and OSA.distance(word, other, score_cutoff=1) <= 1:
                groups = {usual.get(word, word), usual.get(other, other)}
                members = {word, other, *(each for each, group in usual.items() if group in groups)}
                usual |= dict.fromkeys(members, min(groups))
    return usual


def _can_be_typo(word: str) -> bool:
    return len(word) >= _SHORTEST_TYPO and word.isalpha()


def _weights(sides: Sequence[Sequence[_Words]]) -> dict[str, int]:
    """Return what each word weighs in this record: less, the more outcomes of one version have it."""
    counts = [Counter(word for outcome in side for word in outcome.all()) for side in sides]
    return {
        word: round(_UNIT * weight(word) / (1 + _DAMPING * log(max(count[word] for count in counts))))
        for word in counts[0].keys() | counts[1].keys()
    }


def _reading(words: _Words, weights: Mapping[str, int]) -> Reading:
    name, manner, time_frame, description = (
        _weighed(text, weights) for text in (words.name, words.manner, words.time_frame, words.description)
    )
    measure = frozenset(name.weights.keys() | manner.weights.keys())
    return Reading(
        name=name,
        manner=manner,
        time_frame=time_frame,
        description=description,
        measure=measure,
        details=frozenset(time_frame.weights.keys() | description.weights.keys()) - measure,
        telling=frozenset(word for word in words.name if weight(word) >= NAMES_SOMETHING),
        written=words.written,
        part=words.part,
    )


def _weighed(words: Iterable[str], weights: Mapping[str, int]) -> Text:
    found = {word: weights[word] for word in words if weights[word]}
    return Text(weights=found, total=sum(found.values()))
