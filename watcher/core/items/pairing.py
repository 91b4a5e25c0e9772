"""Which of what went belongs to which of what came?  The best pairs first, one with one.  Pure.

Does not know how good a pair is: candidates come with their scores.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from watcher.core.items.matching import Matching, canonical
from watcher.model import Json

Look = TypeVar("Look")

MOST_PAIRS = 2_500  # leftovers are compared each with each up to this many pairs: about 50 ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Two things that may be the same one, by their places in the lists of what went and what came."""

    score: float  # any scale; the higher, the more alike
    old: int
    new: int


def match_by_likeness(
    removed: Sequence[Json],
    added: Sequence[Json],
    *,
    look: Callable[[Json], Look | None],
    likeness: Callable[[Look, Look], float],
    at_least: float,
) -> Matching:
    """Pair what went with what came where they are alike enough, the most alike first.

    More than ``MOST_PAIRS`` possible pairs are left as they are: a list rewritten like that has no renamed items.

    Args:
        removed, added: what other ways of matching left over.
        look: makes an item ready to be compared; None = it cannot be.
        likeness: of two looks; called for each pair.
        at_least: below this a pair is none.
    """
    if len(removed) * len(added) > MOST_PAIRS:
        return Matching(pairs=(), removed=tuple(removed), added=tuple(added))
    looks_after = [look(item) for item in added]
    candidates = [
        Candidate(score=score, old=place, new=place_after)
        for place, before in enumerate(map(look, removed))
        if before is not None
        for place_after, after in enumerate(looks_after)
        if after is not None and (score := likeness(before, after)) >= at_least
    ]
    return paired(removed, added, choose(removed, added, candidates))


def choose(removed: Sequence[Json], added: Sequence[Json], candidates: Iterable[Candidate]) -> dict[int, int]:
    """Return which of what came continues which of what went, by their places: the best candidates first.

    Where candidates are equally good, the content of the items decides, so that the order of the lists does not.
    """
    partners: dict[int, int] = {}
    taken: set[int] = set()
    olds, news = _Contents(removed), _Contents(added)
    ranking = sorted(candidates, key=lambda candidate: -candidate.score)
    for _, equally_good in groupby(ranking, key=lambda candidate: candidate.score):
        free = [one for one in equally_good if one.old not in partners and one.new not in taken]
        if _compete(free):
            free.sort(key=lambda one: (olds[one.old], news[one.new]))
        for candidate in free:
            if candidate.old not in partners and candidate.new not in taken:
                partners[candidate.old] = candidate.new
                taken.add(candidate.new)
    return partners


class _Contents(dict[int, bytes]):
    """The content of the items that compete, by their places; looked at once each."""

    def __init__(self, items: Sequence[Json]) -> None:
        super().__init__()
        self._items = items

    def __missing__(self, place: int) -> bytes:
        self[place] = canonical(self._items[place])
        return self[place]


def _compete(candidates: Sequence[Candidate]) -> bool:
    olds, news = {one.old for one in candidates}, {one.new for one in candidates}
    return len(olds) < len(candidates) or len(news) < len(candidates)


def paired(removed: Sequence[Json], added: Sequence[Json], partners: Mapping[int, int]) -> Matching:
    """Return the matching in which some places of what went go with places of what came."""
    taken = set(partners.values())
    return Matching(
        pairs=tuple((removed[old], added[new]) for old, new in sorted(partners.items())),
        removed=tuple(item for place, item in enumerate(removed) if place not in partners),
        added=tuple(item for place, item in enumerate(added) if place not in taken),
    )


def joined(first: Matching, second: Matching) -> Matching:
    """Return a matching whose leftovers were matched further."""
    return Matching(pairs=first.pairs + second.pairs, removed=second.removed, added=second.added)
