"""Which eligibility criteria came, went, were reworded or moved to another section?  Pure.

Criteria are matched in the order in which a mistake is least likely: the same words in the same section and list, then
the same words anywhere, then similar words, the most similar pair first.  A criterion that changes sides between
inclusion and exclusion says the opposite, so it is told as moved even when not a word of it changed.

Differences in appearance (``prose.py``), in numbering and in order are none.  Does not say which words of a criterion
changed (``worddiff.py``) nor which numbers (``quantities.py``), and does not weigh.
"""

import re
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import chain
from operator import itemgetter

from watcher.core.texts.criteria import Criterion, Section, SectionKind, criteria_of
from watcher.core.texts.likeness import likeness
from watcher.core.texts.prose import comparable, is_cosmetic

SIMILAR = 0.5  # from here on two texts of one section are one criterion, reworded
SIMILAR_ELSEWHERE = 0.7  # the same across sections: a wrong pair would say that a criterion changed sides
_MOST_PAIRS = 5_000  # of criteria, or sections, without a partner; beyond that they are told as removed and added
_FILLERS = re.compile(r"\b(?:key|main|major|general|the|criteria|criterion|requirements?)\b")

_Placed = tuple[int, Criterion]  # a criterion and its place in its text


class CriterionHow(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    REWORDED = "reworded"
    MOVED = "moved"  # to another section or list; its words may have changed as well


_ORDER = tuple(CriterionHow)  # in which a summary counts


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionChange:
    how: CriterionHow
    section: Section  # where it stands now; removed: where it stood
    under: str | None  # the line that introduces its list, for context; None = it stands alone
    came_from: Section | None  # moved: where it stood; the same section when only its list is another one
    old: str | None  # None = added
    new: str | None  # None = removed
    is_heading: bool = False  # the heading of a section was reworded; the criteria below it stand on their own


def criteria_changes(old: str, new: str) -> tuple[CriterionChange, ...]:
    """Return what changed between two texts of criteria: headings first, then in the order of the new text.

    Nothing for texts that differ in appearance or in the order of their criteria only.

    Args:
        old, new: as the record holds them; Markdown, or HTML on both sides.
    """
    if is_cosmetic(old, new):
        return ()
    matching = _Matching(criteria_of(old), criteria_of(new))
    return (*_headings(matching.counterparts), *_in_order(matching))


def summary_of(changes: Sequence[CriterionChange]) -> str:
    """Return the changes counted: "2 criteria added, 1 removed, 1 moved from exclusion to inclusion".

    Args:
        changes: at least one.
    """
    criteria = sorted(
        (change for change in changes if not change.is_heading), key=lambda change: _ORDER.index(change.how)
    )
    counts = [(count, words) for words, count in Counter(map(_words, criteria)).items()]
    headings = len(changes) - len(criteria)
    parts = [f"{count} {words}" for count, words in counts]
    if counts:
        count, words = counts[0]
        parts[0] = f"{count} {'criterion' if count == 1 else 'criteria'} {words}"
    if headings:
        parts.append(f"{headings} {'heading' if headings == 1 else 'headings'} reworded")
    return ", ".join(parts)


class _Matching:
    """The criteria of two texts, and which of them correspond.

    Attributes:
        counterparts: the section of the new text that each section of the old one continues in.
        pairs: criteria that correspond, the old one first.
        gone, come: those without a partner.
    """

    def __init__(self, before: Sequence[Criterion], after: Sequence[Criterion]) -> None:
        self.counterparts = _counterparts(*(dict.fromkeys(one.section for one in side) for side in (before, after)))
        self.pairs: list[tuple[_Placed, _Placed]] = []
        self.gone, self.come = list(enumerate(before)), list(enumerate(after))
        self._words = words = cache(comparable)  # most texts are never asked for: equal ones pair at once
        self._pair_by(lambda section, one: (section, one.under, one.text))
        self._pair_by(lambda section, one: (section, words(one.under or ""), words(one.text)))
        self._pair_by(lambda section, one: (section, words(one.text)))
        self._pair_by(lambda _section, one: words(one.text))
        self._pair_similar()

    def likeness(self, old: str, new: str, *, least: float) -> float:
        return likeness(self._words(old), self._words(new), least=least)

    def _section(self, old: Criterion) -> Section:
        """Return where an old criterion stands in the new text if it did not move."""
        return self.counterparts.get(old.section, old.section)

    def _pair_by(self, key: Callable[[Section, Criterion], Hashable]) -> None:
        waiting: dict[Hashable, list[_Placed]] = defaultdict(list)
        for place, new in self.come:
            waiting[key(new.section, new)].append((place, new))
        unpaired = []
        for place, old in self.gone:
            partners = waiting[key(self._section(old), old)]
            if partners:
                self.pairs.append(((place, old), partners.pop(0)))
            else:
                unpaired.append((place, old))
        self.gone, self.come = unpaired, sorted(chain.from_iterable(waiting.values()), key=itemgetter(0))

    def _pair_similar(self) -> None:
        """Pair what is left by likeness, the most alike first; where two are equally alike, the order decides."""
        if len(self.gone) * len(self.come) > _MOST_PAIRS:
            return
        ranking = []
        for place, old in self.gone:
            for new_place, new in self.come:
                least = SIMILAR if self._section(old) == new.section else SIMILAR_ELSEWHERE
                if score := self.likeness(old.text, new.text, least=least):
                    ranking.append((-score, place, new_place))
        gone, come = dict(self.gone), dict(self.come)
        for _, place, new_place in sorted(ranking):
            if place in gone and new_place in come:
                self.pairs.append(((place, gone.pop(place)), (new_place, come.pop(new_place))))
        self.gone, self.come = list(gone.items()), list(come.items())


def _counterparts(before: Iterable[Section], after: Iterable[Section]) -> dict[Section, Section]:
    """Return which section continues which: those of one kind with the same heading, then with the most alike."""
    waiting = {(new.kind, _title(new)): new for new in reversed(list(after))}
    found: dict[Section, Section] = {}
    others = []
    for old in before:
        if same := waiting.pop((old.kind, _title(old)), None):
            found[old] = same
        else:
            others.append(old)
    if len(others) * len(waiting) <= _MOST_PAIRS:
        found |= _by_likeness(others, list(reversed(waiting.values())))
    return found


def _by_likeness(before: Sequence[Section], after: Sequence[Section]) -> dict[Section, Section]:
    ranking = sorted(
        (-likeness(_title(old), _title(new)), place, new_place)
        for place, old in enumerate(before)
        for new_place, new in enumerate(after)
        if old.kind is new.kind
    )
    found: dict[Section, Section] = {}
    for _, place, new_place in ranking:
        if before[place] not in found and after[new_place] not in found.values():
            found[before[place]] = after[new_place]
    return found


def _title(section: Section) -> str:
    """Return a heading as it is compared: "Key Inclusion Criteria" says no more than "Inclusion criteria"."""
    return " ".join(_FILLERS.sub("", comparable(section.title or "")).split())


def _headings(counterparts: dict[Section, Section]) -> Iterator[CriterionChange]:
    for old, new in counterparts.items():
        if old.title and new.title and _title(old) != _title(new):
            yield CriterionChange(
                how=CriterionHow.REWORDED,
                section=new,
                under=None,
                came_from=None,
                old=old.title,
                new=new.title,
                is_heading=True,
            )


def _in_order(matching: _Matching) -> Iterator[CriterionChange]:
    """Return the changes of criteria in the order of the new text; what is gone stands where it would stand now."""
    pairs = sorted(matching.pairs, key=lambda pair: pair[0][0])
    old_places = [old_place for (old_place, _), _ in pairs]
    told: list[tuple[float, CriterionChange]] = []
    for (_, old), (place, new) in pairs:
        if change := _between(matching, old, new):
            told.append((place, change))
    for place, new in matching.come:
        told.append((place, _one_sided(new, CriterionHow.ADDED)))
    for place, old in matching.gone:
        before = bisect(old_places, place)
        told.append((pairs[before - 1][1][0] + 0.5 if before else -1, _one_sided(old, CriterionHow.REMOVED)))
    return (change for _, change in sorted(told, key=itemgetter(0)))


def _between(matching: _Matching, old: Criterion, new: Criterion) -> CriterionChange | None:
    """Return what happened to a criterion; None when it is what it was."""
    moved = _changed_section(matching, old, new) or _changed_list(matching, old, new)
    if not moved and is_cosmetic(old.text, new.text):
        return None
    return CriterionChange(
        how=CriterionHow.MOVED if moved else CriterionHow.REWORDED,
        section=new.section,
        under=new.under,
        came_from=old.section if moved else None,
        old=old.text,
        new=new.text,
    )


def _changed_section(matching: _Matching, old: Criterion, new: Criterion) -> bool:
    """A section that only got or lost its heading, or was merged into another, moves none of its criteria."""
    if matching.counterparts.get(old.section) == new.section:
        return False
    kinds = {old.section.kind, new.section.kind}
    if len(kinds) > 1:
        return SectionKind.OTHER not in kinds
    return old.section in matching.counterparts and new.section in matching.counterparts.values()


def _changed_list(matching: _Matching, old: Criterion, new: Criterion) -> bool:
    """What introduced its list and what introduces it now have nothing in common."""
    if old.under is None or new.under is None:
        return False
    return old.under != new.under and not matching.likeness(old.under, new.under, least=SIMILAR)


def _one_sided(criterion: Criterion, how: CriterionHow) -> CriterionChange:
    return CriterionChange(
        how=how,
        section=criterion.section,
        under=criterion.under,
        came_from=None,
        old=criterion.text if how is CriterionHow.REMOVED else None,
        new=criterion.text if how is CriterionHow.ADDED else None,
    )


def _words(change: CriterionChange) -> str:
    if change.came_from and change.came_from.kind is not change.section.kind:
        return f"moved from {change.came_from.kind} to {change.section.kind}"
    return str(change.how)
