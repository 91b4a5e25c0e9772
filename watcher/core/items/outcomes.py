"""Which outcome measure continues which: one assignment over the three sections together.  Pure.

Outcomes have no identifier and no order; between two versions they are reworded, moved between the sections, split,
replaced.  Whether a trial has a new primary outcome, or the old one in other words, is what a reader wants to know.
Each outcome gets at most one partner, and whatever fits best goes first:

1. equal in the same section; then the same words, whatever their case, punctuation and markup, in the same section,
   then in another one;
2. in the same section, the same measure, if it stands there only once;
3. the pairs that are most alike as a whole (``similarity.py``): from ``REWORDED`` on the same outcome in other words,
   from ``DOUBTFUL`` on perhaps; from ``MOVED`` on also in another section.

Whatever has no partner was added or removed.

Does not judge: a reworded outcome can be another outcome, and readers are shown both texts.

Source: domain rules, section 3.2: of 1,201 pairs of versions with human labels, matching by equal texts finds major
changes with a precision of 0.24, by characters that are half alike with 0.55.  Why words instead: ``similarity.py``.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from zlib import crc32

from watcher.core.fields import text_of, value_at
from watcher.core.items.assignment import best_pairs
from watcher.core.items.matching import canonical
from watcher.core.items.outcome_reading import read_outcomes
from watcher.core.items.outcome_words import wording
from watcher.core.items.similarity import is_doubtful, similarity
from watcher.model import Difference, How, Json

OUTCOMES = "protocolSection.outcomesModule"
_LISTS = ("primaryOutcomes", "secondaryOutcomes", "otherOutcomes")
SECTIONS = tuple(f"{OUTCOMES}.{name}[]" for name in _LISTS)  # best first

REWORDED = 0.5
DOUBTFUL = 0.3
# Not more than for a rewording: character similarity needs 0.75 here, because unrelated texts reach 0.5 by it; by words
# they do not, and outcomes are often edited when they move.
MOVED = 0.5

_SAME_SECTION = 0.1  # what a pair that did not move has ahead of one that did, ...
_MOVE = 0.92  # ... and what of the likeness counts for a move: what stays where it was needs to be less alike
_STEP = 10**6  # worths are whole numbers: exact, and the same in every process
_PRIME = 2**31 - 1

Lists = Mapping[str, Sequence[Json]]  # outcomes by the path of their section


class Kinship(StrEnum):
    """Why two outcomes were taken for one."""

    SAME_WORDS = "same words"  # but for case, punctuation and markup
    SAME_MEASURE = "same measure"  # with another time frame or description
    ALIKE = "alike"
    DOUBTFUL = "perhaps the same"  # readers should check


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomePair:
    """One outcome in both versions."""

    was_in: str  # path of the section
    is_in: str
    old: Json
    new: Json
    kinship: Kinship

    @property
    def how(self) -> How:
        if self.was_in == self.is_in:
            return How.REWORDED
        return How.PROMOTED if SECTIONS.index(self.is_in) < SECTIONS.index(self.was_in) else How.DEMOTED


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeMatching:
    """How the outcomes of two versions correspond; equal ones in the same section are left out of all three."""

    pairs: tuple[OutcomePair, ...]
    removed: tuple[tuple[str, Json], ...]  # with the path of the section
    added: tuple[tuple[str, Json], ...]


def match_outcomes(before: Lists, after: Lists) -> OutcomeMatching:
    """Return which outcomes correspond, which went and which came.

    The order of the lists decides nothing, and the other way round the answer is the mirror image.

    Args:
        before, after: the outcomes of each section; a section that is missing has none.
    """
    everything = _flat(before), _flat(after)
    olds, news = _unequal(*everything)
    pairs: list[OutcomePair] = []
    for candidates_of in (_same_words, _same_measures, _most_alike(*everything)):
        if olds and news:
            found, olds, news = _paired(olds, news, candidates=candidates_of(olds, news))
            pairs += found
    return OutcomeMatching(
        pairs=tuple(pairs),
        removed=tuple((each.section, each.outcome) for each in olds),
        added=tuple((each.section, each.outcome) for each in news),
    )


def better_section(difference: Difference, before: Json) -> str:
    """Return the better one of the two sections of a move, for any other difference its own path.

    What a primary outcome was, or has become, decides how much a move weighs.

    Args:
        difference: any.
        before: the record that it starts from.
    """
    return (section_of(difference.old, before) if difference.how is How.DEMOTED else None) or difference.path


def section_of(outcome: Json, record: Json) -> str | None:
    """Return the path of the best section of a record that holds an outcome; None where none does."""
    return next((section for section, outcomes in _lists(record).items() if outcome in outcomes), None)


def _lists(record: Json) -> dict[str, list[Json]]:
    found = {section: value_at(record, section.removesuffix("[]")) for section in SECTIONS}
    return {section: outcomes for section, outcomes in found.items() if isinstance(outcomes, list)}


_Flat = list[tuple[str, Json]]  # all outcomes of a version, with the path of the section


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """An outcome that has no equal in the other version, with what it is matched by."""

    place: int  # among all outcomes of its version
    section: str
    outcome: Json
    content: bytes
    measure: str  # in its plain wording; empty where it is not said what is measured
    mark: int  # decides between pairs that are equally alike, as the order of the lists must not


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    worth: float
    kinship: Kinship


_Candidates = dict[tuple[int, int], _Fit]  # by the places of the old and the new outcome


def _flat(lists: Lists) -> _Flat:
    return [(section, outcome) for section, outcomes in lists.items() for outcome in outcomes]


def _unequal(before: _Flat, after: _Flat) -> tuple[list[_Placed], list[_Placed]]:
    """Return what is left when each outcome has cancelled one equal outcome of its section."""
    olds, news = ([(section, canonical(outcome)) for section, outcome in side] for side in (before, after))
    common = Counter(olds) & Counter(news)
    return _beyond(before, olds, cancelled=common.copy()), _beyond(after, news, cancelled=common.copy())


def _beyond(side: _Flat, keys: Sequence[tuple[str, bytes]], *, cancelled: Counter[tuple[str, bytes]]) -> list[_Placed]:
    left = []
    for place, key in enumerate(keys):
        if cancelled[key]:
            cancelled[key] -= 1
        else:
            left.append(_placed(place, side[place], content=key[1]))
    return sorted(left, key=lambda each: (SECTIONS.index(each.section), each.content))


def _placed(place: int, found: tuple[str, Json], *, content: bytes) -> _Placed:
    section, outcome = found
    return _Placed(
        place=place,
        section=section,
        outcome=outcome,
        content=content,
        measure=_measure(outcome),
        mark=crc32(content, crc32(section.encode())) % _PRIME,
    )


def _measure(outcome: Json) -> str:
    return wording(text_of(outcome, "measure")) if isinstance(outcome, dict) else ""


def _paired(
    olds: Sequence[_Placed], news: Sequence[_Placed], *, candidates: _Candidates
) -> tuple[list[OutcomePair], list[_Placed], list[_Placed]]:
    """Return the best pairs among the candidates, and what is left of both sides."""
    worths: list[dict[int, int]] = [{} for _ in olds]
    for (left, right), fit in candidates.items():
        # The marks' product is the same in both directions, and hardly ever the same for other pairs.
        worths[left][right] = round(fit.worth * _STEP) * _PRIME + olds[left].mark * news[right].mark % _PRIME
    partners = best_pairs(worths)
    pairs = [
        OutcomePair(
            was_in=olds[left].section,
            is_in=news[right].section,
            old=olds[left].outcome,
            new=news[right].outcome,
            kinship=candidates[left, right].kinship,
        )
        for left, right in sorted(partners.items())
    ]
    taken = set(partners.values())
    return (
        pairs,
        [each for left, each in enumerate(olds) if left not in partners],
        [each for right, each in enumerate(news) if right not in taken],
    )


def _same_words(olds: Sequence[_Placed], news: Sequence[_Placed]) -> _Candidates:
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for right, new in enumerate(news):
        if new.measure:
            places[_words(new)].append(right)
    return {
        (left, right): _Fit(worth=2.0 if old.section == news[right].section else 1.0, kinship=Kinship.SAME_WORDS)
        for left, old in enumerate(olds)
        if old.measure
        for right in places.get(_words(old), ())
    }


def _words(placed: _Placed) -> tuple[str, ...]:
    return (
        placed.measure,
        wording(text_of(placed.outcome, "timeFrame")),
        wording(text_of(placed.outcome, "description")),
    )


def _same_measures(olds: Sequence[_Placed], news: Sequence[_Placed]) -> _Candidates:
    old_counts, new_counts = (Counter(each.measure for each in side) for side in (olds, news))
    places = {(new.section, new.measure): right for right, new in enumerate(news) if new_counts[new.measure] == 1}
    return {
        (left, places[old.section, old.measure]): _Fit(worth=1.0, kinship=Kinship.SAME_MEASURE)
        for left, old in enumerate(olds)
        if old.measure and old_counts[old.measure] == 1 and (old.section, old.measure) in places
    }


def _most_alike(before: _Flat, after: _Flat) -> Callable[[Sequence[_Placed], Sequence[_Placed]], _Candidates]:
    """Return what finds candidates by their texts.

    Args:
        before, after: all outcomes, those that have a partner too: they say which words are common in this record.
    """

    def candidates(olds: Sequence[_Placed], news: Sequence[_Placed]) -> _Candidates:
        readings = read_outcomes([outcome for _, outcome in before], [outcome for _, outcome in after])
        found: _Candidates = {}
        for left, old in enumerate(olds):
            for right, new in enumerate(news):
                one, other = readings[0][old.place], readings[1][new.place]
                fit = _fit(old, new, alike=similarity(one, other))
                if fit is not None:
                    found[left, right] = replace(fit, kinship=Kinship.DOUBTFUL) if is_doubtful(one, other) else fit
        return found

    return candidates


def _fit(old: _Placed, new: _Placed, *, alike: float) -> _Fit | None:
    stays = old.section == new.section
    if not old.measure and not new.measure:
        # Nothing to tell them by: all that speaks for one outcome is that both say nothing.
        objects = isinstance(old.outcome, dict) and isinstance(new.outcome, dict)
        return _Fit(worth=alike**2 + _SAME_SECTION, kinship=Kinship.DOUBTFUL) if stays and objects else None
    if alike < (DOUBTFUL if stays else MOVED) or not ((old.measure and new.measure) or stays):
        return None
    # Squared, so that one pair that is the same beats two that are half alike.
    worth = alike**2 + _SAME_SECTION if stays else (_MOVE * alike) ** 2
    return _Fit(worth=worth, kinship=Kinship.ALIKE if alike >= REWORDED else Kinship.DOUBTFUL)
