"""Which item continues which: by identity, as multisets, never by position."""

import random
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.core.items.matching import Matching, canonical, match_items, normalised
from watcher.model import Json

BY_NAME = (("name",),)
BY_NAME_AND_CITY_ELSE_NAME = (("name", "city"), ("name",))

items = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["A", "B", "a ", None, ""]),
        "city": st.sampled_from(["X", "Y"]),
        "status": st.sampled_from([True, 1, "1", None]),
        "tags": st.lists(st.sampled_from("pq"), max_size=2),
    },
)


def bag(values: Iterable[Json]) -> Counter[bytes]:
    return Counter(map(canonical, values))


def bags(matching: Matching) -> tuple[Counter[tuple[bytes, bytes]], Counter[bytes], Counter[bytes]]:
    pairs = Counter((canonical(old), canonical(new)) for old, new in matching.pairs)
    return pairs, bag(matching.removed), bag(matching.added)


@settings(deadline=None, max_examples=300)
@given(st.lists(items, max_size=6), st.lists(items, max_size=6))
def test_no_item_is_lost_and_none_is_counted_twice(before: list[Json], after: list[Json]) -> None:
    matching = match_items(before, after, BY_NAME_AND_CITY_ELSE_NAME)

    olds, news = bag(old for old, _ in matching.pairs), bag(new for _, new in matching.pairs)
    equal_before = bag(before) - olds - bag(matching.removed)
    equal_after = bag(after) - news - bag(matching.added)
    assert equal_before == equal_after
    assert equal_before == bag(before) & bag(after)
    assert all(canonical(old) != canonical(new) for old, new in matching.pairs)


@settings(deadline=None)
@given(st.lists(items, max_size=6), st.lists(items, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_the_lists_decides_nothing(before: list[Json], after: list[Json], chance: random.Random) -> None:
    matching = match_items(before, after, BY_NAME_AND_CITY_ELSE_NAME)
    other = match_items(
        chance.sample(before, len(before)), chance.sample(after, len(after)), BY_NAME_AND_CITY_ELSE_NAME
    )

    assert bags(matching) == bags(other)


@settings(deadline=None)
@given(st.lists(items, max_size=6))
def test_a_list_compared_with_itself_leaves_nothing(some: list[Json]) -> None:
    assert match_items(some, some[::-1], BY_NAME) == Matching(pairs=(), removed=(), added=())


def test_items_are_paired_by_the_best_identity_first() -> None:
    before = [{"name": "A", "city": "X", "n": 1}, {"name": "A", "city": "Y", "n": 1}]
    after = [{"name": "A", "city": "Y", "n": 2}, {"name": "A", "city": "Z", "n": 1}]

    matching = match_items(before, after, BY_NAME_AND_CITY_ELSE_NAME)

    assert matching.pairs == ((before[1], after[0]), (before[0], after[1]))


def test_an_identity_that_several_items_share_pairs_the_most_alike() -> None:
    before = [{"name": "Site", "a": 1, "b": 1}, {"name": "Site", "a": 2, "b": 2}]
    after = [{"name": "Site", "a": 2, "b": 3}, {"name": "Site", "a": 1, "b": 4}, {"name": "Site", "a": 9, "b": 9}]

    matching = match_items(before, after, BY_NAME)

    assert matching.pairs == ((before[0], after[1]), (before[1], after[0]))
    assert (matching.removed, matching.added) == ((), (after[2],))


def test_the_most_alike_pair_is_not_taken_apart_by_an_item_that_comes_earlier() -> None:
    before = [{"name": "S", "a": 1, "b": 0}, {"name": "S", "a": 1, "b": 2, "c": 3}]
    after = [{"name": "S", "a": 1, "b": 2, "c": 4}]

    matching = match_items(before, after, BY_NAME)

    assert matching.pairs == ((before[1], after[0]),)
    assert matching.removed == (before[0],)


def test_the_same_item_object_twice_in_a_list_counts_twice() -> None:
    old, first, second = {"name": "A", "n": 0}, {"name": "A", "n": 1}, {"name": "A", "n": 2}

    matching = match_items([old, old], [first, second], BY_NAME)

    assert bag(new for _, new in matching.pairs) == bag([first, second])
    assert (matching.removed, matching.added) == ((), ())


def test_equal_items_cancel_one_for_one() -> None:
    matching = match_items(["A", "A", "A", "B"], ["A", "C", "C"], ())

    assert matching.pairs == ()
    assert bag(matching.removed) == bag(["A", "A", "B"])
    assert bag(matching.added) == bag(["C", "C"])


def test_case_and_white_space_do_not_make_another_identity() -> None:
    before, after = {"name": "University  Hospital", "n": 1}, {"name": " university hospital\n", "n": 2}

    assert match_items([before], [after], BY_NAME).pairs == ((before, after),)
    assert normalised(" A\u00a0b\tSTRASSE ") == normalised("a B straße")


@pytest.mark.parametrize(
    "nameless",
    [
        pytest.param({"n": 1}, id="no name"),
        pytest.param({"name": None, "n": 1}, id="a null for a name"),
        pytest.param({"name": "", "n": 1}, id="an empty name"),
    ],
)
def test_things_without_a_name_are_paired_with_each_other(nameless: Json) -> None:
    other = {"name": "", "n": 2}

    assert match_items([nameless], [other], BY_NAME).pairs == ((nameless, other),)


@pytest.mark.parametrize("value", [pytest.param("text", id="text"), pytest.param(["list"], id="a list"), None])
def test_what_is_no_thing_is_never_paired(value: Json) -> None:
    matching = match_items([value], ["another"], BY_NAME)

    assert (matching.removed, matching.added) == ((value,), ("another",))


def test_the_values_of_an_identity_stay_with_their_fields() -> None:
    before, after = {"name": "X", "city": "Y", "n": 1}, {"name": "Y", "city": "X", "n": 1}

    assert match_items([before], [after], (("name", "city"),)).pairs == ()


@pytest.mark.parametrize("count", [40, 60, 300])
def test_any_number_of_items_may_share_an_identity(count: int) -> None:
    before = [{"name": "Site", "n": n} for n in range(count)]
    after = [{"name": "Site", "n": n, "status": "open"} for n in reversed(range(count))]

    matching = match_items(before, after, BY_NAME)

    assert sorted(old["n"] - new["n"] for old, new in matching.pairs) == [0] * count


def test_items_without_any_name_are_paired_with_each_other_not_replaced() -> None:
    before = [{"categories": [{"value": "12.3"}]}, {"title": "Arm A", "categories": []}]
    after = [{"title": "Arm A", "categories": []}, {"categories": [{"value": "13.2"}]}]
    matching = match_items(before, after, (("title",),))
    assert matching == Matching(pairs=((before[0], after[1]),), removed=(), added=())


def test_an_item_that_gets_a_name_is_not_taken_for_a_nameless_one() -> None:
    matching = match_items([{"value": 1}], [{"title": "Arm A", "value": 2}], (("title",),))
    assert matching.pairs == ()
