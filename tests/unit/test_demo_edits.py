"""The language in which the demo's days are written."""

import copy
from datetime import date

import pytest

from watcher.model import Json
from watcher.replay.demo import _build_line
from watcher.replay.demo.edits import DemoError, apply_edits, parse_edit

RECORD = {
    "title": "A study of one drug",
    "phases": ["PHASE1"],
    "sites": [
        {"name": "Research Site", "city": "Recife", "status": "RECRUITING"},
        {"name": "Research Site", "city": "Curitiba", "status": "RECRUITING"},
        {"name": "St. Olga [East]", "city": "Pau"},
    ],
}
SITES: list[Json] = RECORD["sites"]  # type: ignore[assignment] # the dict's values are of several types


def applied(*raw: Json) -> Json:
    edits = [parse_edit(edit, where="here") for edit in raw]
    return apply_edits(RECORD, edits, where="demo day 2026-03-03, NCT99000001")


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        pytest.param({"set": "title", "to": "B"}, RECORD | {"title": "B"}, id="set replaces a value"),
        pytest.param({"set": "acronym", "to": "B"}, RECORD | {"acronym": "B"}, id="set gives a field"),
        pytest.param({"append": "phases", "value": "PHASE2"}, RECORD | {"phases": ["PHASE1", "PHASE2"]}, id="append"),
        pytest.param(
            {"replace": "title", "old": "one", "new": "a"}, RECORD | {"title": "A study of a drug"}, id="replace words"
        ),
        pytest.param({"reverse": "sites"}, RECORD | {"sites": SITES[::-1]}, id="reverse"),
        pytest.param({"remove": "sites[1]"}, RECORD | {"sites": [SITES[0], SITES[2]]}, id="remove by position"),
        pytest.param({"remove": "sites[city=Pau]"}, RECORD | {"sites": SITES[:2]}, id="remove by a field"),
        pytest.param(
            {"set": "sites[name=Research Site][city=Curitiba].status", "to": "X"},
            RECORD | {"sites": [SITES[0], SITES[1] | {"status": "X"}, SITES[2]]},
            id="set in the item that meets both",
        ),
        pytest.param(
            {"remove": "sites[*].status"},
            RECORD | {"sites": [{k: v for k, v in site.items() if k != "status"} for site in SITES]},
            id="remove from all items that have it",
        ),
    ],
)
def test_an_edit_makes_its_change_in_a_copy(edit: Json, expected: Json) -> None:
    untouched = copy.deepcopy(RECORD)

    assert applied(edit) == expected
    assert untouched == RECORD


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        pytest.param({"set": "title", "to": "A study of one drug"}, "already that", id="a set that changes nothing"),
        pytest.param({"set": "module.title", "to": "B"}, "there is no 'module'; there are title", id="a wrong branch"),
        pytest.param({"remove": "acronym"}, "there is no 'acronym'; there are title", id="nothing to remove"),
        pytest.param({"remove": "sites[*].zip"}, "there is no 'zip'", id="nothing to remove in any item"),
        pytest.param({"append": "title", "value": 1}, "'title' is not a list", id="append to a text"),
        pytest.param({"reverse": "phases"}, "same in reverse order", id="a reversal that changes nothing"),
        pytest.param({"remove": "sites[name=Research Site]"}, "2 of the 3 items", id="a pick that is ambiguous"),
        pytest.param({"remove": "sites[city=Rome]"}, "0 of the 3 items", id="a pick that meets nothing"),
        pytest.param({"set": "title[0]", "to": 1}, "'title' is not a list", id="a pick from a text"),
        pytest.param({"set": "title.text", "to": 1}, "not an object", id="a field of a text"),
        pytest.param({"replace": "title", "old": "d", "new": "t"}, "stands 2 times", id="words that stand twice"),
        pytest.param({"set": "sites[city=Pau", "to": 1}, "not of the form", id="a bracket that is not closed"),
        pytest.param({"set": "", "to": 1}, "not of the form", id="an empty path"),
    ],
)
def test_an_edit_that_does_not_fit_names_day_trial_and_edit(edit: Json, why: str) -> None:
    with pytest.raises(DemoError) as caught:
        applied({"set": "fits", "to": True}, edit)

    verb = next(iter(edit))
    assert caught.value.where == f"demo day 2026-03-03, NCT99000001, edit 2 ({verb} {edit[verb]})"
    assert why in caught.value.why


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        pytest.param({"put": "title"}, "one of set, remove, append, reverse, replace", id="an unknown verb"),
        pytest.param({"set": "title", "remove": "title"}, "one of set", id="two verbs"),
        pytest.param("title", "an edit is an object", id="not an object"),
        pytest.param({"set": "title"}, "has the keys ['set', 'to']; this has ['set']", id="a set without a value"),
        pytest.param({"remove": "title", "to": 1}, "has the keys ['remove']", id="a value that nobody asked for"),
    ],
)
def test_an_edit_that_is_not_in_the_language_is_refused(raw: Json, why: str) -> None:
    with pytest.raises(DemoError) as caught:
        parse_edit(raw, where="demo day 2026-03-03, NCT99000001, edit 1")

    assert str(caught.value).startswith("demo day 2026-03-03, NCT99000001, edit 1: ")
    assert why in caught.value.why


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        pytest.param({"edits": []}, "this has the keys ['edits']", id="without a why"),
        pytest.param({"why": "w"}, "one of appears, edits, removed_from_registry", id="without anything that happens"),
        pytest.param({"why": "w", "appears": True, "edits": []}, "one of appears", id="two happenings"),
        pytest.param({"why": "w", "appears": True, "sponsor_update": True}, "beside edits only", id="an idle flag"),
        pytest.param({"why": "w", "appears": True}, "was there before", id="a trial that appears twice"),
    ],
)
def test_an_entry_that_makes_no_sense_names_day_and_trial(entry: Json, why: str) -> None:
    with pytest.raises(DemoError) as caught:
        _build_line(date(2026, 3, 3), "NCT99000001", entry, current={"NCT99000001": RECORD})

    assert caught.value.where == "demo day 2026-03-03, NCT99000001"
    assert why in caught.value.why


def test_an_edit_of_a_trial_that_is_not_there_is_refused() -> None:
    with pytest.raises(DemoError, match="2026-03-03, NCT99000001: the trial is not in the registry"):
        _build_line(date(2026, 3, 3), "NCT99000001", {"why": "w", "edits": []}, current={"NCT99000001": None})
