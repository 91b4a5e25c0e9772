"""What went is paired with what came: the best first, one with one, whatever the order."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.core.items.matching import Matching
from watcher.core.items.pairing import MOST_PAIRS, Candidate, choose, joined, match_by_likeness, paired
from watcher.model import Json


def number(item: Json) -> int | None:
    return item if isinstance(item, int) else None


def nearness(one: int, other: int) -> float:
    return 1 / (1 + abs(one - other))


def matched(removed: list[Json], added: list[Json], *, at_least: float = 0.2) -> Matching:
    return match_by_likeness(removed, added, look=number, likeness=nearness, at_least=at_least)


def test_the_most_alike_come_first() -> None:
    assert matched([10, 13], [12, 30]) == Matching(pairs=((13, 12),), removed=(10,), added=(30,))


def test_what_is_not_alike_enough_stays_alone() -> None:
    assert matched([10], [12], at_least=0.5) == Matching(pairs=(), removed=(10,), added=(12,))


def test_what_cannot_be_looked_at_stays_alone() -> None:
    assert matched(["x", 1], [1.5, 1]) == Matching(pairs=((1, 1),), removed=("x",), added=(1.5,))


@pytest.mark.parametrize("seen", [0, 1])
def test_lists_rewritten_as_a_whole_are_left_as_they_are(seen: int) -> None:
    side = int(MOST_PAIRS**0.5) + seen

    assert len(matched(list(range(side)), list(range(side))).pairs) == (0 if seen else side)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(
    st.lists(st.integers(0, 9), max_size=7), st.lists(st.integers(0, 9), max_size=7), st.randoms(use_true_random=False)
)
def test_the_order_decides_nothing_and_nothing_is_lost(
    removed: list[Json], added: list[Json], chance: random.Random
) -> None:
    matching = matched(removed, added)
    other = matched(chance.sample(removed, len(removed)), chance.sample(added, len(added)))

    assert sorted(matching.pairs) == sorted(other.pairs)
    assert sorted([*matching.removed, *(old for old, _ in matching.pairs)]) == sorted(removed)
    assert sorted([*matching.added, *(new for _, new in matching.pairs)]) == sorted(added)


def test_a_chosen_one_is_not_chosen_again() -> None:
    candidates = [Candidate(score=score, old=old, new=new) for score, old, new in ((1, 0, 0), (2, 0, 1), (3, 1, 1))]

    assert choose(["a", "b"], ["c", "d"], candidates) == {0: 0, 1: 1}


def test_leftovers_that_were_matched_further_are_left_over_no_more() -> None:
    first = paired(["a", "b"], ["c", "d"], {0: 1})

    assert joined(first, paired(first.removed, first.added, {0: 0})) == Matching(
        pairs=(("a", "d"), ("b", "c")), removed=(), added=()
    )
