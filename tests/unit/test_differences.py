"""What differs between two records: nothing is missed, nothing is made up, and position says nothing."""

import random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.full_records import STAMP, changed, full_record, leaf_paths, table, without
from watcher.core.depth import DEEPEST
from watcher.core.differences import differences
from watcher.model import Difference, How, Json

SITES = "protocolSection.contactsLocationsModule.locations[]"
CONDITIONS = "protocolSection.conditionsModule.conditions[]"

AWKWARD_KEYS = ["a", "b", "c", "", "__class__", "__x", "a.b", "it's", '"q"', "[]", "a[]", "root['a']", "\n", "名", "1"]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from([0.0, -0.0, 1.0, 2.5, 1e22]),
    st.sampled_from(["", "1", "1.0", "true", "2026-01-01", "2026-01-01T00:00:00Z", "text", "é", "e\u0301"]),
)
values = st.recursive(
    scalars,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.sampled_from(AWKWARD_KEYS), below, max_size=4),
    max_leaves=12,
)
records = st.dictionaries(st.sampled_from(AWKWARD_KEYS), values, max_size=5)


def found(before: Json, after: Json) -> list[Difference]:
    return differences(before, after, table())


def same(one: Json, other: Json) -> bool:
    """Say what the registry's promise amounts to, in the plainest way: two values hold the same."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        rest = list(other)
        for item in one:
            place = next((place for place, candidate in enumerate(rest) if same(item, candidate)), None)
            if place is None:
                return False
            del rest[place]
        return not rest
    return bool(one == other)


def shuffled(value: Json, chance: random.Random) -> Json:
    if isinstance(value, dict):
        keys = chance.sample(list(value), len(value))
        return {key: shuffled(value[key], chance) for key in keys}
    if isinstance(value, list):
        return [shuffled(item, chance) for item in chance.sample(value, len(value))]
    return value


# --- nothing is missed, nothing is made up ----------------------------------------------------------------------------


@settings(deadline=None, max_examples=400)
@given(records, records)
def test_there_are_differences_exactly_where_two_records_do_not_hold_the_same(before: Json, after: Json) -> None:
    assert bool(found(before, after)) is not same(before, after)


@settings(deadline=None)
@given(records, st.data())
def test_one_value_that_becomes_another_is_found_wherever_it_stands(record: dict[str, Json], data: Any) -> None:
    copy: Json = orjson.loads(orjson.dumps(record))
    holder: Any = copy
    while True:
        if not holder:
            return
        key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        if not isinstance(holder[key], dict | list) or not holder[key] or data.draw(st.booleans()):
            break
        holder = holder[key]
    old = holder[key]
    holder[key] = data.draw(values)

    assert bool(found(record, copy)) is not same(old, holder[key])


@settings(deadline=None)
@given(records, st.randoms(use_true_random=False))
def test_the_order_of_keys_and_of_lists_does_not_matter(record: Json, chance: random.Random) -> None:
    assert found(record, shuffled(record, chance)) == []


@settings(deadline=None, max_examples=5)
@given(st.randoms(use_true_random=False))
def test_a_full_record_in_another_order_is_the_same(chance: random.Random) -> None:
    assert found(full_record(), shuffled(full_record(), chance)) == []


@pytest.mark.parametrize("path", leaf_paths())
def test_every_field_of_a_record_is_seen_when_it_changes_comes_or_goes(path: str) -> None:
    whole, other, missing = full_record(), changed(full_record(), path), without(full_record(), path)

    for before, after in ((whole, other), (missing, whole), (whole, missing)):
        paths = {difference.path for difference in found(before, after)}

        assert any(names(path, each) for each in paths) is (path != STAMP)


def names(field: str, path: str) -> bool:
    """Tell whether a path names the field, or the list item that the field makes another one."""
    return path == field or (path.endswith("[]") and field.startswith(f"{path}."))


def test_the_daily_stamp_is_no_difference() -> None:
    before, after = ({"derivedSection": {"miscInfoModule": {"versionHolder": day}}} for day in ("2026-02-02", 7))

    assert found(before, after) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(True, 1, id="true and one"),
        pytest.param(False, 0, id="false and zero"),
        pytest.param(1, 1.0, id="an integer and a number"),
        pytest.param(1, "1", id="a number and a text"),
        pytest.param(None, "", id="null and an empty text"),
        pytest.param(None, False, id="null and false"),
        pytest.param({}, [], id="an empty object and an empty list"),
        pytest.param({}, None, id="an empty object and null"),
        pytest.param("2026-01-01", "2026-01-01T00:00:00", id="a date and a moment"),
        pytest.param("é", "e\u0301", id="two spellings of a letter"),
    ],
)
@pytest.mark.parametrize(
    "wrapped",
    [
        pytest.param(lambda value: {"a": value}, id="in a record"),
        pytest.param(lambda value: {"a": [value]}, id="in a list"),
        pytest.param(lambda value: {"a": {"b": value, "c": 1}}, id="in an object"),
        pytest.param(lambda value: {"a": [{"b": value}]}, id="in an object in a list"),
        pytest.param(lambda value: {"a": {"b": [{"c": [value]}], "d": [1]}}, id="in a list in a list"),
    ],
)
def test_values_that_look_alike_differ_at_any_depth(before: Json, after: Json, wrapped: Any) -> None:
    assert found(wrapped(before), wrapped(after))
    assert found(wrapped(after), wrapped(before))


def test_the_sign_of_a_zero_is_no_difference() -> None:
    assert found({"a": 0.0, "b": [0.0], "c": {"d": -0.0}}, {"a": -0.0, "b": [-0.0], "c": {"d": 0.0}}) == []


@pytest.mark.parametrize("empty", [pytest.param({}, id="an object"), pytest.param([], id="a list")])
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_something_empty_is_not_the_same_as_nothing(empty: Json, depth: int) -> None:
    with_it: dict[str, Json] = {"a": empty, "z": 1}
    bare: dict[str, Json] = {"z": 1}
    for _ in range(depth):
        with_it, bare = {"m": with_it}, {"m": bare}

    assert [(d.how, d.old, d.new) for d in found(bare, with_it)] == [(How.ADDED, None, empty)]
    assert [(d.how, d.old, d.new) for d in found(with_it, bare)] == [(How.REMOVED, empty, None)]


def test_null_is_not_the_same_as_nothing() -> None:
    assert [(d.path, d.how) for d in found({}, {"a": None})] == [("a", How.ADDED)]
    assert [(d.path, d.how) for d in found({"a": {"b": None}}, {"a": {}})] == [("a.b", How.REMOVED)]


def test_a_value_in_place_of_a_section_tells_every_leaf_that_went_and_came() -> None:
    before = {"a": {"b": 1, "c": [2, 3]}}
    after = {"a": "text"}

    lines = {(d.path, d.how, orjson.dumps([d.old, d.new])) for d in found(before, after)}

    assert lines == {
        ("a.b", How.REMOVED, b"[1,null]"),
        ("a.c[]", How.REMOVED, b"[2,null]"),
        ("a.c[]", How.REMOVED, b"[3,null]"),
        ("a", How.ADDED, b'[null,"text"]'),
    }


# --- one line for each leaf, and for each item ------------------------------------------------------------------------


def test_a_new_section_is_told_leaf_by_leaf_and_item_by_item() -> None:
    module = {"x": 1, "y": {"z": "2", "w": None}, "list": [{"p": 1, "q": 2}, {"p": 3}], "words": ["a", "b", "a"]}

    paths = sorted(difference.path for difference in found({}, {"m": module}))

    assert paths == ["m.list[]", "m.list[]", "m.words[]", "m.words[]", "m.words[]", "m.x", "m.y.w", "m.y.z"]


def test_of_two_equal_items_one_that_goes_is_one_line() -> None:
    item = {"facility": "Example Hospital", "city": "Example City"}
    before, after = sites(item, dict(item), dict(item)), sites(item)

    assert [(d.path, d.how, d.old, d.new) for d in found(before, after)] == [
        (SITES, How.REMOVED, item, None),
        (SITES, How.REMOVED, item, None),
    ]
    assert [d.how for d in found(conditions("A", "B"), conditions("A", "A", "B"))] == [How.ADDED]


def test_an_object_with_awkward_keys_is_compared_key_by_key() -> None:
    before = {"m": {key: 1 for key in AWKWARD_KEYS if key}}
    after = {"m": {key: 2 for key in AWKWARD_KEYS if key}}

    assert {(d.path, d.old, d.new) for d in found(before, after)} == {(f"m.{key}", 1, 2) for key in AWKWARD_KEYS if key}


def test_objects_that_share_few_keys_are_still_compared_key_by_key() -> None:
    before = {"m": {"keep": {"n": 1}, **{f"old{n}": n for n in range(40)}}}
    after = {"m": {"keep": {"n": 2}, **{f"new{n}": n for n in range(40)}}}

    lines = found(before, after)

    assert len(lines) == 81
    assert [(d.path, d.old, d.new) for d in lines if d.how is How.CHANGED] == [("m.keep.n", 1, 2)]


# --- items and their names --------------------------------------------------------------------------------------------


def test_a_leaf_within_an_item_names_the_item() -> None:
    before = sites(
        {"facility": "Example Hospital", "city": "Example City", "country": "Norway", "status": "RECRUITING"}
    )
    after = sites({"facility": "Example Hospital", "city": "Example City", "country": "Norway", "status": "COMPLETED"})

    (line,) = found(before, after)

    assert (line.path, line.item) == (f"{SITES}.status", "Example Hospital, Example City, Norway")
    assert (line.how, line.old, line.new) == (How.CHANGED, "RECRUITING", "COMPLETED")


def test_an_item_within_an_item_is_named_by_both() -> None:
    path = "resultsSection.participantFlowModule"
    period = {"title": "Overall Study", "milestones": [{"type": "STARTED", "comment": "a"}]}
    other = {"title": "Overall Study", "milestones": [{"type": "STARTED", "comment": "b"}]}

    (line,) = found(at(path, {"periods": [period]}), at(path, {"periods": [other]}))

    assert (line.path, line.item) == (f"{path}.periods[].milestones[].comment", "Overall Study › STARTED")


@pytest.mark.parametrize(
    ("item", "name"),
    [
        pytest.param("PHASE2", "PHASE2", id="a text is its own name"),
        pytest.param("two\nlines", "two lines", id="a text of two lines stands on one"),
        pytest.param(True, "Yes", id="a truth value in words"),
        pytest.param(1200, "1,200", id="a number in words"),
        pytest.param(None, "none", id="null in words"),
        pytest.param(["b", "a"], "a; b", id="a list by its values"),
        pytest.param({"x": "y", "a": [{"b": 2}]}, "a.b: 2; x: y", id="an object of an unknown list by its values"),
    ],
)
def test_an_item_is_named(item: Json, name: str | None) -> None:
    assert [line.item for line in found({"unknown": []}, {"unknown": [item]})] == [name]


@pytest.mark.parametrize(
    ("path", "before", "after", "how"),
    [
        pytest.param(
            "protocolSection.armsInterventionsModule.armGroups",
            {"label": "Arm A", "type": "EXPERIMENTAL", "interventionNames": ["Drug: X", "Drug: Y"]},
            {"label": "Arm 1", "type": "EXPERIMENTAL", "interventionNames": ["Drug: Y", "Drug: X"]},
            How.RENAMED,
            id="an item with another name is renamed",
        ),
        pytest.param(
            "protocolSection.outcomesModule.primaryOutcomes",
            {"measure": "Survival", "timeFrame": "1 year"},
            {"measure": "Survival", "timeFrame": "2 years"},
            How.REWORDED,
            id="another text of an outcome is a rewording",
        ),
        pytest.param(
            "protocolSection.armsInterventionsModule.armGroups",
            {"label": "Arm A", "type": "EXPERIMENTAL"},
            {"label": "Arm A", "type": "NO_INTERVENTION"},
            How.CHANGED,
            id="another value of an item is a change",
        ),
    ],
)
def test_a_matched_item_tells_how_it_changed(path: str, before: Json, after: Json, how: How) -> None:
    assert [line.how for line in found(at(path, [before]), at(path, [after]))] == [how]


# --- sizes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [DEEPEST - 1, DEEPEST, DEEPEST + 1, 300, 900])
@pytest.mark.parametrize("wrap", [pytest.param("object", id="objects"), pytest.param("list", id="lists")])
def test_a_difference_is_found_at_any_depth(levels: int, wrap: str) -> None:
    before, after = nested(1, levels, wrap), nested(2, levels, wrap)

    assert found(before, after)
    assert found(before, nested(1, levels, wrap)) == []
    assert orjson.dumps([(line.path, line.old, line.new) for line in found(before, after)])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"a": 1, "b": 1}, {"a": 1, "b": 2}, id="another value"),
        pytest.param({"a": 1}, {"b": 1}, id="another key"),
        pytest.param({"a": [1, [2]]}, {"a": [[1], 2]}, id="another shape"),
        pytest.param({"a": [1, 2]}, {"a": [12]}, id="another number of items"),
        pytest.param({"a": "1"}, {"a": 1}, id="another type"),
        pytest.param({}, [], id="another kind of emptiness"),
    ],
)
def test_below_all_depth_any_difference_counts(one: Json, other: Json) -> None:
    assert found(nested(one, DEEPEST + 20, "object"), nested(other, DEEPEST + 20, "object"))
    assert found(nested(one, DEEPEST + 20, "list"), nested(one, DEEPEST + 20, "list")) == []


def test_a_list_of_many_items_is_compared_in_time_that_grows_with_its_length() -> None:
    items = [{"facility": f"Hospital {n}", "city": "Example City", "status": "RECRUITING"} for n in range(5_000)]
    after = [{**item, "status": "COMPLETED"} for item in reversed(items)]

    assert len(found(sites(*items), sites(*after))) == 5_000


def test_many_items_that_share_an_identity_are_paired_all_the_same() -> None:
    site = {"facility": "Research Site", "city": "Example City", "zip": "0000", "geoPoint": {"lat": 1.5, "lon": 2.5}}
    before = [{**site, "state": str(n // 2)} for n in range(400)]
    after = [{**each, "status": "RECRUITING"} for each in reversed(before)]

    lines = found(sites(*before), sites(*after))

    assert {(line.path, line.how) for line in lines} == {(f"{SITES}.status", How.ADDED)}
    assert len(lines) == 400


def nested(value: Json, levels: int, wrap: str) -> Json:
    for _ in range(levels - 1):
        value = {"a": value} if wrap == "object" else [value]
    return {"a": value}


def at(path: str, value: Json) -> Json:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def sites(*items: Json) -> Json:
    return at(SITES.removesuffix("[]"), list(items))


def conditions(*items: str) -> Json:
    return at(CONDITIONS.removesuffix("[]"), list(items))
