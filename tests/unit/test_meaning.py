"""From two records to changes: each with its meaning, and with a name that is the same wherever it is worked out."""

import random
import re
from collections import Counter
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import study
from tests.unit.full_records import changed, full_record, leaf_paths, table, without
from tests.unit.test_differences import records, shuffled, values
from watcher.core.meaning import compare
from watcher.core.words.past import Past
from watcher.model import Change, How, Json, Place, Severity

NCT = "NCT00000001"
STATUS = "protocolSection.statusModule.overallStatus"


def changes_of(before: Json, after: Json, *known: str) -> tuple[Change, ...]:
    return compare(before, after, table(), past=Past(ids=known))


# --- what is compared -------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(records)
def test_a_record_does_not_differ_from_itself(record: Json) -> None:
    assert changes_of(record, orjson.loads(orjson.dumps(record))) == ()


def test_a_full_record_does_not_differ_from_itself() -> None:
    assert changes_of(full_record(), full_record()) == ()


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(leaf_paths()), st.integers(0, 5), values)
def test_no_value_in_any_place_breaks_a_comparison(path: str, up: int, value: Json) -> None:
    before, after = full_record(), full_record()
    *way, last = path.split(".")[: max(len(path.split(".")) - up, 1)]
    holder: Any = after
    for key in way:
        holder = holder[key.removesuffix("[]")]
        holder = holder[0] if key.endswith("[]") else holder
    holder[last.removesuffix("[]")] = value

    for found in (changes_of(before, after), changes_of(after, before)):
        check_form(found)


@settings(deadline=None)
@given(records, records)
def test_every_change_has_the_form_that_programs_rely_on(before: Json, after: Json) -> None:
    check_form(changes_of(before, after))


def check_form(changes: tuple[Change, ...]) -> None:
    sentences: dict[str, str] = {}
    for change in changes:
        assert re.fullmatch("[0-9a-f]{16}", change.id)
        assert re.fullmatch("[0-9a-f]{16}", change.story)
        assert change.how is not How.ADDED or change.old is None
        assert change.how is not How.REMOVED or change.new is None
        assert change.label
        assert change.sentence
        assert change.headline
        assert len((change.sentence + change.headline).splitlines()) == 1
        assert sentences.setdefault(change.story, change.sentence) == change.sentence
        assert orjson.dumps([change.old, change.new])
    assert len({change.id for change in changes}) == len(changes)
    assert {change.story for change in changes} <= {change.id for change in changes}


def test_partial_records_are_compared_as_far_as_they_go() -> None:
    (change,) = changes_of(
        {"protocolSection": {}}, {"protocolSection": {"statusModule": {"overallStatus": "WITHHELD"}}}
    )

    assert (change.path, change.how, change.nct_id) == (STATUS, How.ADDED, None)
    assert changes_of({}, {}) == ()


# --- what a change means ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["protocolSection.newModule.newField", "newSection.x", "protocolSection.statusModule.newDateStruct.date"]
)
def test_an_unknown_field_is_told_as_unclassified_with_its_place(path: str) -> None:
    value: Json = "something new"
    for key in reversed(path.split(".")):
        value = {key: value}

    (change,) = changes_of({}, value)

    assert (change.path, change.category, change.severity) == (path, "unclassified", Severity.MINOR)
    assert change.told
    assert path in change.sentence
    assert path in change.headline


def test_an_unknown_list_is_told_as_unclassified_with_its_place() -> None:
    found = changes_of({"newList": [{"a": 1}]}, {"newList": [{"a": 2}, {"a": 3}]})

    assert [(change.path, change.category) for change in found] == [("newList[]", "unclassified")] * 3
    assert all("newList[]" in change.sentence for change in found)


def test_an_unknown_part_of_a_date_is_not_told_as_the_date() -> None:
    before, after = study(NCT), study(NCT)
    after["protocolSection"]["statusModule"]["startDateStruct"]["note"] = "approximate"

    (change,) = changes_of(before, after)

    assert change.path.endswith("startDateStruct.note")
    assert change.sentence == f"Unclassified field {change.path} added: approximate"


@pytest.mark.parametrize("transition", table().rules.statuses, ids=" to ".join)
def test_a_status_weighs_what_its_transition_weighs(transition: tuple[str, str]) -> None:
    before, after = (study(NCT, status=status) for status in transition)

    (change,) = changes_of(before, after)

    assert change.severity is table().rules.statuses[transition].severity


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("RECRUITING", "A_NEW_STATUS", id="to a status nobody knows"),
        pytest.param("A_NEW_STATUS", "RECRUITING", id="from a status nobody knows"),
        pytest.param("RECRUITING", None, id="to no text"),
        pytest.param(["RECRUITING"], {"a": "SUSPENDED"}, id="between things that are no status"),
    ],
)
def test_a_status_that_nobody_knows_is_critical(before: Json, after: Json) -> None:
    one, other = study(NCT), study(NCT)
    one["protocolSection"]["statusModule"]["overallStatus"] = before
    other["protocolSection"]["statusModule"]["overallStatus"] = after

    found = [change for change in changes_of(one, other) if change.path == STATUS]

    assert all(change.severity is Severity.CRITICAL for change in found)
    assert changes_of(one, other)


def test_a_change_carries_what_the_table_says_of_its_field() -> None:
    for path in leaf_paths():
        for change in changes_of(full_record(), changed(full_record(), path)):
            rule = table().rule(change.path)
            assert (change.label, change.category) == (rule.label, rule.category)
            if change.rules == ("field",):
                assert (change.severity, change.place) == (rule.severity, rule.place)


def test_noise_and_what_is_hidden_is_recorded_and_not_told() -> None:
    before, after = study(NCT), study(NCT, updated="2026-03-02")

    found = changes_of(before, after)

    assert len(found) == 3
    assert [change for change in found if change.told] == []
    assert {change.place for change in found} == {Place.FOOTER}


def test_results_with_their_documents_are_one_story() -> None:
    after = full_record()
    before = {key: value for key, value in after.items() if key not in {"resultsSection", "documentSection"}}
    before, after = {**before, "hasResults": False}, {**after, "hasResults": True}

    told = {change.story for change in changes_of(before, after) if change.category in {"results", "documents"}}

    # The point of contact is a contact: it stands with the other contacts.
    assert len(told) == 2


# --- the name of a change ---------------------------------------------------------------------------------------------


def ids(before: Json, after: Json, *known: str) -> Counter[str]:
    return Counter(change.id for change in changes_of(before, after, *known))


@settings(deadline=None)
@given(records, records, st.randoms(use_true_random=False))
def test_ids_are_the_same_again_and_in_any_order_of_the_lists(one: Json, other: Json, chance: random.Random) -> None:
    found = changes_of(one, other)

    assert found == changes_of(one, other)
    again = changes_of(shuffled(one, chance), shuffled(other, chance))
    assert {change.id: change.story for change in again} == {change.id: change.story for change in found}


def test_each_field_that_changes_has_an_id_of_its_own() -> None:
    record = full_record()
    pairs = [(record, changed(record, path)) for path in leaf_paths()]
    pairs += [(record, without(record, path)) for path in leaf_paths()]
    pairs += [(without(record, path), record) for path in leaf_paths() if "nctId" not in path]

    taken = Counter((c.id, c.path, c.item, c.how) for before, after in pairs for c in changes_of(before, after))

    assert len({change_id for change_id, *_ in taken}) == len(taken)


def test_an_id_does_not_depend_on_what_else_changed() -> None:
    before = study(NCT)
    alone, among_others = study(NCT, status="COMPLETED"), study(NCT, status="COMPLETED", title="Another", start="2026")

    (change,) = changes_of(before, alone)

    assert change.id in ids(before, among_others)


def test_an_id_tells_records_versions_and_values_apart() -> None:
    before, after = study(NCT), study(NCT, status="COMPLETED")
    others = [
        (study("NCT00000002"), study("NCT00000002", status="COMPLETED")),
        (study(NCT, updated="2026-02-27"), study(NCT, updated="2026-02-27", status="COMPLETED")),
        (before, study(NCT, status="SUSPENDED")),
        (study(NCT, status="SUSPENDED"), after),
        (after, before),
    ]

    assert sum((ids(*pair) for pair in [(before, after), *others]), Counter()).most_common(1)[0][1] == 1


def test_an_id_does_not_depend_on_the_daily_stamp() -> None:
    assert ids(study(NCT), study(NCT, status="COMPLETED")) == ids(
        study(NCT, stamp="2026-02-02"), study(NCT, status="COMPLETED", stamp=None)
    )


def test_a_value_that_comes_back_is_a_new_change_each_time() -> None:
    one, other = study(NCT), study(NCT, status="UNKNOWN")
    known: list[str] = []

    for _ in range(4):
        for before, after in ((one, other), (other, one)):
            (change,) = changes_of(before, after, *known)
            known.append(change.id)

    assert len(set(known)) == len(known)
    assert ids(one, other) == Counter(known[:1])


def test_equal_items_that_go_together_have_an_id_each_and_soon() -> None:
    site = {"facility": "Example Hospital", "city": "Example City"}

    found = changes_of(study(NCT, locations=[site] * 4_000), study(NCT, locations=[site]))

    assert len({change.id for change in found}) == 3_999
    assert len({change.story for change in found}) == 1


def test_the_ids_are_those_of_the_first_day() -> None:
    """A golden name: readers' programs and databases keep them, so that they must not change."""
    (change,) = changes_of(study(NCT), study(NCT, status="COMPLETED"))

    assert change.id == "50b9ce4c7adff1ba"
