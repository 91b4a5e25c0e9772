"""Groups of posted results keep their identity when they are numbered otherwise.

Only what refers to a group is renumbered; the groups keep their own IDs, so that a new numbering is recorded.
"""

import random
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.full_records import table
from watcher.core.items.groups import group_titles, numbering, renumbered
from watcher.core.items.matching import canonical
from watcher.core.meaning import compare
from watcher.model import How, Json, Place


def in_numbering_of(before: dict[str, Json], after: dict[str, Json]) -> Json:
    ids = numbering(before, after)
    return renumbered(after, ids) if ids else after


def outcome(*titles: str, ids: list[str] | None = None) -> dict[str, Json]:
    """Return a reported outcome whose values name their groups, so that a mix-up is seen."""
    numbered = list(zip(ids or [f"OG{number:03}" for number in range(len(titles))], titles, strict=True))
    return {
        "title": "Response",
        "groups": [{"id": number, "title": title, "description": f"Text of {title}"} for number, title in numbered],
        "denoms": [{"units": "Participants", "counts": [{"groupId": number, "value": t} for number, t in numbered]}],
        "classes": [{"categories": [{"measurements": [{"groupId": n, "value": f"v {t}"} for n, t in numbered]}]}],
        "analyses": [{"groupIds": [number for number, _ in numbered], "pValue": "0.05"}],
    }


def same_but_for_groups(one: dict[str, Json], other: dict[str, Json]) -> bool:
    return canonical({**one, "groups": []}) == canonical({**other, "groups": []})


def test_groups_in_another_order_are_referred_to_as_before() -> None:
    before, after = outcome("Placebo", "Examplemab"), outcome("Examplemab", "Placebo")

    compared = in_numbering_of(before, after)

    assert same_but_for_groups(compared, before)
    assert compared["groups"] == after["groups"]


def test_a_group_put_in_front_gets_the_next_free_number() -> None:
    before = outcome("Placebo", "Examplemab")
    after = in_numbering_of(before, outcome("Otherinib", "Placebo", "Examplemab"))

    assert same_but_for_groups(after, outcome("Otherinib", "Placebo", "Examplemab", ids=["OG002", "OG000", "OG001"]))
    assert group_titles(after) == {"OG000": "Otherinib", "OG001": "Placebo", "OG002": "Examplemab"}


def test_a_group_that_went_leaves_its_number_free_of_another() -> None:
    before = outcome("Placebo", "Examplemab")
    after = in_numbering_of(before, outcome("Otherinib", "Placebo"))

    assert after["denoms"][0]["counts"] == [
        {"groupId": "OG002", "value": "Otherinib"},
        {"groupId": "OG000", "value": "Placebo"},
    ]
    assert group_titles(after) == {"OG000": "Otherinib", "OG001": "Placebo"}


def test_a_new_group_keeps_a_number_that_nothing_else_has() -> None:
    before = outcome("Placebo")
    after = outcome("Placebo", "Examplemab")

    assert in_numbering_of(before, after) is after


def test_groups_of_adverse_events_are_groups_as_well() -> None:
    def module(first: str, second: str) -> dict[str, Json]:
        groups = [{"id": "EG000", "title": first, "deathsNumAffected": 1}, {"id": "EG001", "title": second}]
        stats = [{"groupId": "EG000", "numAffected": first}, {"groupId": "EG001", "numAffected": second}]
        return {"eventGroups": groups, "seriousEvents": [{"term": "Fall", "stats": stats}]}

    after = in_numbering_of(module("Placebo", "Examplemab"), module("Examplemab", "Placebo"))

    (event,) = after["seriousEvents"]
    assert {one["groupId"]: one["numAffected"] for one in event["stats"]} == {"EG000": "Placebo", "EG001": "Examplemab"}
    assert group_titles(after) == {"EG000": "Examplemab", "EG001": "Placebo"}


def test_what_is_compared_is_left_as_it_is() -> None:
    before, after = outcome("Placebo", "Examplemab"), outcome("Examplemab", "Placebo")
    copies = deepcopy((before, after))

    in_numbering_of(before, after)

    assert (before, after) == copies


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"groups": []}, {"groups": []}, id="no groups"),
        pytest.param({}, outcome("Placebo"), id="groups on one side"),
        pytest.param({"groups": "x"}, {"groups": {"id": "OG000"}}, id="no lists"),
        pytest.param({"groups": [{"id": "OG000"}, 5]}, outcome("Placebo"), id="what is no group"),
        pytest.param({"groups": [{"id": 1}]}, {"groups": [{"id": 2}]}, id="IDs that are numbers"),
        pytest.param(
            {"groups": [{"id": "OG000", "title": "A"}, {"id": "OG000", "title": "B"}]},
            {"groups": [{"id": "OG001", "title": "A"}]},
            id="two groups with one ID",
        ),
    ],
)
def test_what_cannot_be_told_apart_is_left_alone(before: dict[str, Json], after: dict[str, Json]) -> None:
    assert in_numbering_of(before, after) is after


@settings(deadline=None, derandomize=True, max_examples=200)
@given(
    st.lists(st.sampled_from(["Placebo", "Examplemab", "Otherinib", "Arm A", "Arm B"]), max_size=5, unique=True),
    st.lists(st.sampled_from(["Placebo", "Examplemab", "Otherinib", "Arm A", "Arm C"]), max_size=5, unique=True),
    st.randoms(use_true_random=False),
)
def test_every_value_stays_with_its_group(before: list[str], after: list[str], chance: random.Random) -> None:
    old = outcome(*chance.sample(before, len(before)))
    new = in_numbering_of(old, outcome(*after))

    assert new["groups"] == outcome(*after)["groups"]
    titles: dict[str, Any] = {one["groupId"]: one["value"] for one in new["denoms"][0]["counts"]}
    assert sorted(titles.values()) == sorted(after)
    assert [titles[number] for number in new["analyses"][0]["groupIds"]] == after
    for number, title in group_titles(old).items():
        if title in after:
            assert titles[number] == title


# --- in a record ------------------------------------------------------------------------------------------------------


def posted(*outcomes: dict[str, Json]) -> Json:
    return {"hasResults": True, "resultsSection": {"outcomeMeasuresModule": {"outcomeMeasures": list(outcomes)}}}


def test_groups_put_in_another_order_are_recorded_once_each_and_not_told() -> None:
    before, after = posted(outcome("Placebo", "Examplemab")), posted(outcome("Examplemab", "Placebo"))

    changes = compare(before, after, table())

    path = "resultsSection.outcomeMeasuresModule.outcomeMeasures[].groups[].id"
    assert sorted((one.path, one.how, one.old, one.new) for one in changes) == [
        (path, How.CHANGED, "OG000", "OG001"),
        (path, How.CHANGED, "OG001", "OG000"),
    ]
    assert {one.place for one in changes} == {Place.HIDDEN}
    assert not any(one.told for one in changes)


def test_a_value_that_changes_in_groups_of_another_order_is_the_only_thing_told() -> None:
    before, after = outcome("Placebo", "Examplemab"), outcome("Examplemab", "Placebo")
    after["classes"][0]["categories"][0]["measurements"][0]["value"] = "v corrected"

    (told,) = [one for one in compare(posted(before), posted(after), table()) if one.told]

    assert (told.path.rpartition(".")[2], told.old, told.new) == ("value", "v Examplemab", "v corrected")


def test_what_was_measured_in_a_new_group_is_named_by_its_title_and_shown_as_recorded() -> None:
    before, after = outcome("Placebo", "Examplemab"), outcome("Otherinib", "Placebo", "Examplemab")

    found = compare(with_outcome(before), with_outcome(after), table())

    measured = {change.item: change.new for change in found if change.path.endswith("measurements[]")}
    assert measured == {"Response › Otherinib": {"groupId": "OG000", "value": "v Otherinib"}}


def with_outcome(reported: Json) -> Json:
    return {"hasResults": True, "resultsSection": {"outcomeMeasuresModule": {"outcomeMeasures": [reported]}}}
