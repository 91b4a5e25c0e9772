"""Outcome measures that move between the sections: one change, as heavy as the better one of the two sections."""

from typing import Any

import pytest

from tests.unit.full_records import table
from watcher.core.meaning import compare
from watcher.model import Change, How, Json, Place, Severity

SURVIVAL = {"measure": "Overall survival", "description": "From first dose", "timeFrame": "2 years"}
SAFETY = {"measure": "Number of participants with adverse events", "timeFrame": "90 days"}
MODULE = "protocolSection.outcomesModule"


def record(*, primary: Any = (), secondary: Any = (), other: Any = ()) -> Json:
    sections = {"primaryOutcomes": primary, "secondaryOutcomes": secondary, "otherOutcomes": other}
    module = {name: list(items) for name, items in sections.items() if items}
    return {"protocolSection": {"outcomesModule": module, "statusModule": {"overallStatus": "RECRUITING"}}}


def only(before: Json, after: Json) -> Change:
    (change,) = compare(before, after, table())
    return change


@pytest.mark.parametrize(
    ("source", "target", "how", "severity"),
    [
        pytest.param("secondary", "primary", How.PROMOTED, Severity.CRITICAL, id="secondary to primary"),
        pytest.param("other", "primary", How.PROMOTED, Severity.CRITICAL, id="other to primary"),
        pytest.param("other", "secondary", How.PROMOTED, Severity.MINOR, id="other to secondary"),
        pytest.param("primary", "secondary", How.DEMOTED, Severity.CRITICAL, id="primary to secondary"),
        pytest.param("primary", "other", How.DEMOTED, Severity.CRITICAL, id="primary to other"),
        pytest.param("secondary", "other", How.DEMOTED, Severity.MINOR, id="secondary to other"),
    ],
)
def test_an_outcome_that_moves_is_one_change(source: str, target: str, how: How, severity: Severity) -> None:
    now = {**SURVIVAL, "timeFrame": "3 years", "measure": "overall  SURVIVAL"}
    before: Any = {source: [SURVIVAL], target: [SAFETY]}
    after: Any = {target: [SAFETY, now]}

    change = only(record(**before), record(**after))

    assert (change.path, change.how) == (f"{MODULE}.{target}Outcomes[]", how)
    assert (change.old, change.new) == (SURVIVAL, now)
    assert (change.severity, change.place) == (severity, Place.LINE)
    assert change.told
    assert change.sentence == f"Outcome measure {how.value} from {source} to {target}: overall SURVIVAL"


def test_an_outcome_that_leaves_and_another_that_comes_are_no_move() -> None:
    changes = compare(record(primary=[SURVIVAL]), record(secondary=[SAFETY]), table())

    assert {(change.path, change.how) for change in changes} == {
        (f"{MODULE}.primaryOutcomes[]", How.REMOVED),
        (f"{MODULE}.secondaryOutcomes[]", How.ADDED),
    }


def test_an_outcome_that_is_copied_has_not_moved() -> None:
    change = only(record(primary=[SURVIVAL]), record(primary=[SURVIVAL], secondary=[SURVIVAL]))

    assert (change.path, change.how) == (f"{MODULE}.secondaryOutcomes[]", How.ADDED)


def test_each_move_takes_one_outcome_away() -> None:
    changes = compare(record(primary=[SURVIVAL]), record(secondary=[SURVIVAL], other=[SURVIVAL]), table())

    assert sorted(change.how.value for change in changes) == ["added", "demoted"]


def test_two_outcomes_that_change_places_are_two_moves() -> None:
    before = record(primary=[SURVIVAL], secondary=[SAFETY])
    after = record(primary=[SAFETY], secondary=[SURVIVAL])

    assert {(change.path, change.how) for change in compare(before, after, table())} == {
        (f"{MODULE}.primaryOutcomes[]", How.PROMOTED),
        (f"{MODULE}.secondaryOutcomes[]", How.DEMOTED),
    }


@pytest.mark.parametrize(
    "nameless",
    [
        pytest.param({"timeFrame": "2 years"}, id="without a measure"),
        pytest.param({"measure": "", "timeFrame": "2 years"}, id="with an empty one"),
        pytest.param({"measure": ["a"]}, id="with a list for one"),
        pytest.param("a text", id="which is no object"),
    ],
)
def test_outcomes_that_do_not_say_what_they_measure_do_not_move(nameless: Json) -> None:
    other = nameless if isinstance(nameless, str) else {**nameless, "timeFrame": "9 years"}

    changes = compare(record(primary=[nameless]), record(secondary=[other]), table())

    assert sorted(change.how.value for change in changes) == ["added", "removed"]


def test_a_move_is_told_even_where_a_section_is_no_list() -> None:
    before = record(secondary=[SURVIVAL])
    before["protocolSection"]["outcomesModule"]["primaryOutcomes"] = "none"

    changes = compare(before, record(other=[SURVIVAL]), table())

    assert How.DEMOTED in {change.how for change in changes}
