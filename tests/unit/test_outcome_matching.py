"""Which outcome continues which: promises that hold for any two versions."""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.full_records import table
from watcher.core.differences import differences
from watcher.core.items.matching import canonical
from watcher.core.items.outcomes import SECTIONS, Kinship, Lists, OutcomeMatching, match_outcomes
from watcher.core.meaning import compare
from watcher.core.rebuilding import bring_up_to_date
from watcher.model import Difference, How, Json

PRIMARY, SECONDARY, OTHER = SECTIONS
MEASURES = (
    "Overall survival",
    "Overall survival (OS)",
    "OS in patients with example disease",
    "Progression-free survival",
    "PFS",
    "Pain",
    "Pain intensity on a numeric rating scale",
    "Change in HbA1c at week 12",
    "Change in HbA1c at week 24",
    "Systolic blood pressure",
    "Diastolic blood pressure",
    "Efficacy",
    "Cmax of example-tinib",
    "AUC of example-tinib",
    "",
)
TIME_FRAMES = ("12 weeks", "24 weeks", "Up to 2 years", "")
DESCRIPTIONS = ("", "Time from randomisation to death from any cause", "Measured by a blinded assessor at each visit")
MIRRORED = {How.PROMOTED: How.DEMOTED, How.DEMOTED: How.PROMOTED, How.REWORDED: How.REWORDED}


def outcome(measure: str, time_frame: str = "", description: str = "") -> Json:
    texts = {"measure": measure, "timeFrame": time_frame, "description": description}
    return {name: text for name, text in texts.items() if text}


outcomes = st.builds(
    outcome, st.sampled_from(MEASURES), st.sampled_from(TIME_FRAMES), st.sampled_from(DESCRIPTIONS)
).filter(bool)
lists = st.fixed_dictionaries({}, optional={section: st.lists(outcomes, max_size=4) for section in SECTIONS})


@st.composite
def told_apart(draw: st.DrawFn) -> dict[str, list[Json]]:
    """Draw outcomes of one version, of which no two have the same measure and time frame."""
    drawn = draw(
        st.lists(
            st.tuples(st.sampled_from(SECTIONS), outcomes),
            max_size=9,
            unique_by=lambda pair: (pair[1].get("measure"), pair[1].get("timeFrame")),
        )
    )
    found: dict[str, list[Json]] = {}
    for section, each in drawn:
        found.setdefault(section, []).append(each)
    return found


def record(some: Lists) -> dict[str, Any]:
    module = {section.rpartition(".")[2].removesuffix("[]"): items for section, items in some.items() if items}
    return {
        "protocolSection": {
            "designModule": {"studyType": "INTERVENTIONAL"},
            **({"outcomesModule": module} if module else {}),
        }
    }


def bags(matching: OutcomeMatching) -> tuple[Counter[Any], Counter[Any], Counter[Any]]:
    pairs = Counter(
        (pair.how, pair.was_in, canonical(pair.old), pair.is_in, canonical(pair.new)) for pair in matching.pairs
    )
    removed, added = (
        Counter((section, canonical(each)) for section, each in items) for items in (matching.removed, matching.added)
    )
    return pairs, removed, added


def lines(some: list[Difference]) -> Counter[Any]:
    return Counter((line.path, line.item, line.how, canonical(line.old), canonical(line.new)) for line in some)


def contents(some: Lists) -> Counter[Any]:
    return Counter((section, canonical(each)) for section, items in some.items() for each in items)


def shuffled(some: Lists, chance: random.Random) -> Lists:
    return {section: chance.sample(list(items), len(items)) for section, items in some.items()}


@settings(deadline=None)
@given(lists, st.randoms(use_true_random=False))
def test_outcomes_compared_with_themselves_leave_nothing(some: Lists, chance: random.Random) -> None:
    assert match_outcomes(some, shuffled(some, chance)) == OutcomeMatching(pairs=(), removed=(), added=())


@settings(deadline=None, max_examples=200)
@given(lists, lists)
def test_no_outcome_is_lost_and_none_is_counted_twice(before: Lists, after: Lists) -> None:
    matching = match_outcomes(before, after)

    olds = Counter((pair.was_in, canonical(pair.old)) for pair in matching.pairs)
    news = Counter((pair.is_in, canonical(pair.new)) for pair in matching.pairs)
    _, removed, added = bags(matching)
    assert contents(before) - olds - removed == contents(after) - news - added == contents(before) & contents(after)


@settings(deadline=None, max_examples=200)
@given(lists, lists, st.randoms(use_true_random=False))
def test_the_order_of_the_outcomes_decides_nothing(before: Lists, after: Lists, chance: random.Random) -> None:
    assert bags(match_outcomes(shuffled(before, chance), shuffled(after, chance))) == bags(
        match_outcomes(before, after)
    )


@settings(deadline=None, max_examples=200)
@given(lists, lists)
def test_the_other_way_round_the_answer_is_the_mirror_image(before: Lists, after: Lists) -> None:
    pairs, removed, added = bags(match_outcomes(before, after))

    mirrored = Counter({(MIRRORED[how], at, new, was, old): n for (how, was, old, at, new), n in pairs.items()})
    assert bags(match_outcomes(after, before)) == (mirrored, added, removed)


@settings(deadline=None, max_examples=200)
@given(told_apart(), told_apart())
def test_the_changes_lead_from_one_version_to_the_other(before: Lists, after: Lists) -> None:
    old, new = record(before), record(after)

    rebuilt, lost = bring_up_to_date(old, compare(old, new, table()), table())

    assert lost == []
    assert differences(rebuilt, new, table()) == []


@settings(deadline=None)
@given(told_apart())
def test_primary_and_secondary_outcomes_that_change_places_are_found(some: Lists) -> None:
    first, second = some.get(PRIMARY, []), some.get(SECONDARY, [])
    before, after = record({**some}), record({**some, PRIMARY: second, SECONDARY: first})

    found = differences(before, after, table())

    named = Counter({How.DEMOTED: 0, How.PROMOTED: 0})
    named.update({How.DEMOTED: sum("measure" in each for each in first)})
    named.update({How.PROMOTED: sum("measure" in each for each in second)})
    assert {how: sum(line.how is how for line in found) for how in named} == named


@settings(deadline=None)
@given(told_apart(), told_apart(), st.randoms(use_true_random=False))
def test_a_record_in_another_order_tells_the_same_changes(before: Lists, after: Lists, chance: random.Random) -> None:
    found = differences(record(before), record(after), table())

    again = differences(record(shuffled(before, chance)), record(shuffled(after, chance)), table())
    assert lines(again) == lines(found)


# --- what fits best goes first ----------------------------------------------------------------------------------------


def test_an_equal_outcome_in_its_section_is_not_taken_for_a_move() -> None:
    pain = outcome("Pain", "1 year")
    matching = match_outcomes({PRIMARY: [pain], SECONDARY: [pain]}, {PRIMARY: [pain], OTHER: [pain]})

    assert [(pair.how, pair.was_in, pair.is_in) for pair in matching.pairs] == [(How.DEMOTED, SECONDARY, OTHER)]


def test_the_same_words_elsewhere_go_before_other_words_in_the_section() -> None:
    week_12, week_24 = outcome("Change in HbA1c", "Week 12"), outcome("Change in HbA1c", "Week 24")
    matching = match_outcomes({PRIMARY: [week_12], SECONDARY: [week_24]}, {PRIMARY: [week_24], SECONDARY: [week_12]})

    assert sorted(pair.how for pair in matching.pairs) == [How.DEMOTED, How.PROMOTED]


def test_two_pairs_that_are_half_alike_do_not_break_one_that_is_the_same() -> None:
    before = {PRIMARY: [outcome("Leg pain"), outcome("Leg swelling")]}
    after = {PRIMARY: [outcome("Leg pain at rest"), outcome("Arm pain")]}
    matching = match_outcomes(before, after)

    assert (before[PRIMARY][0], after[PRIMARY][0]) in [(pair.old, pair.new) for pair in matching.pairs]


@pytest.mark.parametrize(
    ("old", "new", "kinship"),
    [
        pytest.param("Overall survival", "OVERALL SURVIVAL.", Kinship.SAME_WORDS, id="case and punctuation"),
        pytest.param("Patients&#x27; view", "Patients' view", Kinship.SAME_WORDS, id="an entity"),
        pytest.param("Pain", "Pain on a visual analogue scale", Kinship.ALIKE, id="a longer form"),
        pytest.param("Leg pain", "Back pain", Kinship.DOUBTFUL, id="another place"),
        pytest.param("Efficacy", "Relapses per year", Kinship.DOUBTFUL, id="a measure that named nothing"),
    ],
)
def test_a_pair_says_why_it_was_taken_for_one_outcome(old: str, new: str, kinship: Kinship) -> None:
    (pair,) = match_outcomes({PRIMARY: [outcome(old)]}, {PRIMARY: [outcome(new)]}).pairs

    assert (pair.how, pair.kinship) == (How.REWORDED, kinship)


def test_the_same_measure_with_other_details_is_the_same_outcome() -> None:
    old, new = outcome("Efficacy", "1 year", "By questionnaire"), outcome("Efficacy", "2 days", "Relapses")
    (pair,) = match_outcomes({PRIMARY: [old]}, {PRIMARY: [new]}).pairs

    assert pair.kinship is Kinship.SAME_MEASURE


def test_rewordings_that_a_reader_should_check_are_marked() -> None:
    before, after = (
        record({PRIMARY: [outcome(primary)], SECONDARY: [outcome(secondary)]})
        for primary, secondary in (("Leg pain", "Quality of life"), ("Back pain", "Quality of life (SF-36)"))
    )
    doubtful = [(one.old, one.new) for one in differences(before, after, table()) if one.doubtful]

    assert doubtful == [("Leg pain", "Back pain")]


# --- as differences ---------------------------------------------------------------------------------------------------


def test_a_reworded_outcome_is_a_line_for_each_text_and_a_moved_one_is_one_line() -> None:
    before = record({PRIMARY: [outcome("OS", "1 year")], SECONDARY: [outcome("Pain", "1 day", "At rest")]})
    after = record({PRIMARY: [outcome("Overall survival", "2 years"), outcome("Pain at rest", "2 days")]})

    found = {
        (line.path, line.item, line.how, str(line.old), str(line.new)) for line in differences(before, after, table())
    }

    assert found == {
        (f"{PRIMARY}.measure", "OS", How.REWORDED, "OS", "Overall survival"),
        (f"{PRIMARY}.timeFrame", "OS", How.REWORDED, "1 year", "2 years"),
        (
            PRIMARY,
            "Pain at rest",
            How.PROMOTED,
            str(outcome("Pain", "1 day", "At rest")),
            str(outcome("Pain at rest", "2 days")),
        ),
    }


def test_outcomes_of_one_name_are_told_apart_by_their_time_frames() -> None:
    before = record({SECONDARY: [outcome("Cmax", "Day 1", "Plasma"), outcome("Cmax", "Day 8", "Plasma")]})
    after = record({SECONDARY: [outcome("Cmax", "Day 1", "Plasma"), outcome("Cmax", "Day 8", "Serum")]})

    assert [line.item for line in differences(before, after, table())] == ["Cmax, Day 8"]


@pytest.mark.parametrize("empty", [pytest.param([], id="a list"), pytest.param({}, id="an object")])
def test_a_section_that_is_empty_is_not_the_same_as_none(empty: Json) -> None:
    pain = outcome("Pain")
    module = {"primaryOutcomes": [pain], "secondaryOutcomes": empty}
    before, after = ({"protocolSection": {"outcomesModule": each}} for each in (module, {"primaryOutcomes": [pain]}))

    assert [(line.how, line.old) for line in differences(before, after, table())] == [(How.REMOVED, empty)]


def test_what_is_no_outcome_list_is_compared_as_anything_else() -> None:
    before, after = (
        {"protocolSection": {"outcomesModule": {"primaryOutcomes": [outcome("Pain")], "notes": notes}}}
        for notes in (["a"], ["b"])
    )

    assert {(line.path, line.how) for line in differences(before, after, table())} == {
        ("protocolSection.outcomesModule.notes[]", How.REMOVED),
        ("protocolSection.outcomesModule.notes[]", How.ADDED),
    }
