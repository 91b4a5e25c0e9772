"""The best set of pairs, as a whole."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.items.assignment import best_pairs

rows = st.lists(st.dictionaries(st.integers(0, 5), st.integers(1, 20), max_size=6), max_size=6)


def greatest_worth(worths: Sequence[Mapping[int, int]], taken: frozenset[int] = frozenset()) -> int:
    """Return what the best set of pairs is worth, by trying all of them."""
    if not worths:
        return 0
    alone = greatest_worth(worths[1:], taken)
    paired = (
        worth + greatest_worth(worths[1:], taken | {right}) for right, worth in worths[0].items() if right not in taken
    )
    return max([alone, *paired])


@given(rows)
def test_no_other_set_of_pairs_is_worth_more(worths: list[dict[int, int]]) -> None:
    partners = best_pairs(worths)

    assert len(set(partners.values())) == len(partners)
    assert sum(worths[left][right] for left, right in partners.items()) == greatest_worth(worths)


@pytest.mark.parametrize(
    ("worths", "partners"),
    [
        pytest.param([], {}, id="nothing at all"),
        pytest.param([{}, {}], {}, id="nothing that fits"),
        pytest.param([{0: 5, 1: 4}, {0: 4}], {0: 1, 1: 0}, id="the best pair gives way to two good ones"),
        pytest.param([{0: 9, 1: 1}, {0: 2}], {0: 0}, id="but not to two poor ones"),
        pytest.param([{0: 3}, {0: 4}], {1: 0}, id="one partner for two"),
    ],
)
def test_pairs_are_chosen_as_a_whole(worths: list[dict[int, int]], partners: dict[int, int]) -> None:
    assert best_pairs(worths) == partners


def test_many_that_all_fit_each_other_are_paired() -> None:
    worths = [{right: 1_000 - abs(left - right) for right in range(120)} for left in range(120)]

    assert best_pairs(worths) == {place: place for place in range(120)}
