"""What happened to the eligibility criteria is told criterion by criterion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.texts.criteria import SectionKind
from watcher.core.texts.criteria_changes import CriterionChange, CriterionHow, criteria_changes, summary_of
from watcher.core.texts.likeness import likeness


def text(inclusion: list[str], exclusion: list[str]) -> str:
    lists = ("\n".join(f"* {item}" for item in items) for items in (inclusion, exclusion))
    return "Inclusion Criteria:\n\n{}\n\nExclusion Criteria:\n\n{}".format(*lists)


def told(change: CriterionChange) -> tuple[str, str, str | None, str | None]:
    return change.how.value, change.section.kind.value, change.old, change.new


BASE = text(["Age of at least 18 years", "Able to give written consent"], ["Pregnancy", "Known allergy to the drug"])
CASES = {
    "an added criterion": (
        text(
            ["Age of at least 18 years", "Able to give written consent", "Non-smoker"],
            ["Pregnancy", "Known allergy to the drug"],
        ),
        [("added", "inclusion", None, "Non-smoker")],
    ),
    "a removed criterion": (
        text(["Age of at least 18 years", "Able to give written consent"], ["Known allergy to the drug"]),
        [("removed", "exclusion", "Pregnancy", None)],
    ),
    "a changed number": (
        text(["Age of at least 12 years", "Able to give written consent"], ["Pregnancy", "Known allergy to the drug"]),
        [("reworded", "inclusion", "Age of at least 18 years", "Age of at least 12 years")],
    ),
    "a removed not": (
        text(
            ["Age of at least 18 years", "Not able to give written consent"], ["Pregnancy", "Known allergy to the drug"]
        ),
        [("reworded", "inclusion", "Able to give written consent", "Not able to give written consent")],
    ),
    "a criterion that goes on": (
        text(
            ["Age of at least 18 years", "Able to give written consent, or with a legal representative who is able to"],
            ["Pregnancy", "Known allergy to the drug"],
        ),
        [
            (
                "reworded",
                "inclusion",
                "Able to give written consent",
                "Able to give written consent, or with a legal representative who is able to",
            )
        ],
    ),
    "one in place of another": (
        text(
            ["Age of at least 18 years", "Able to give written consent"],
            ["Breast-feeding", "Known allergy to the drug"],
        ),
        [("removed", "exclusion", "Pregnancy", None), ("added", "exclusion", None, "Breast-feeding")],
    ),
    "a criterion that changed sides": (
        text(["Age of at least 18 years"], ["Pregnancy", "Able to give written consent", "Known allergy to the drug"]),
        [("moved", "exclusion", "Able to give written consent", "Able to give written consent")],
    ),
    "one that changed sides and words": (
        text(
            ["Age of at least 18 years"], ["Pregnancy", "Not able to give written consent", "Known allergy to the drug"]
        ),
        [("moved", "exclusion", "Able to give written consent", "Not able to give written consent")],
    ),
    "the same criterion twice": (
        text(
            ["Age of at least 18 years", "Able to give written consent"],
            ["Pregnancy", "Pregnancy", "Known allergy to the drug"],
        ),
        [("added", "exclusion", None, "Pregnancy")],
    ),
    "another order": (
        text(["Able to give written consent", "Age of at least 18 years"], ["Known allergy to the drug", "Pregnancy"]),
        [],
    ),
    "another appearance": (BASE.replace("* ", "1. ").upper(), []),
    "another appearance of all but one": (
        text(
            ["AGE OF AT LEAST 18 YEARS;", "Able to give written consent."], ["Pregnancy", "Known allergy to the drugs"]
        ),
        [("reworded", "exclusion", "Known allergy to the drug", "Known allergy to the drugs")],
    ),
    "headings in other words for the same": (
        BASE.replace("Inclusion Criteria:", "KEY INCLUSION CRITERIA").replace("Pregnancy", "Lactation"),
        [("removed", "exclusion", "Pregnancy", None), ("added", "exclusion", None, "Lactation")],
    ),
}


@pytest.mark.parametrize(("after", "expected"), CASES.values(), ids=CASES)
def test_criteria_change(after: str, expected: list[tuple[str, str, str | None, str | None]]) -> None:
    assert [told(change) for change in criteria_changes(BASE, after)] == expected


@pytest.mark.parametrize(("after", "expected"), CASES.values(), ids=CASES)
def test_the_way_back_says_the_opposite(after: str, expected: list[tuple[str, str, str | None, str | None]]) -> None:
    opposite = {"added": "removed", "removed": "added"}
    back = sorted((opposite.get(how, how), str(new), str(old)) for how, _, old, new in expected)
    assert sorted((c.how.value, str(c.old), str(c.new)) for c in criteria_changes(after, BASE)) == back


def test_a_moved_criterion_knows_where_it_came_from() -> None:
    (change,) = criteria_changes(BASE, CASES["a criterion that changed sides"][0])
    assert change.came_from is not None
    assert (change.came_from.kind, change.section.kind) == (SectionKind.INCLUSION, SectionKind.EXCLUSION)


def test_a_nested_criterion_is_told_with_what_introduces_it() -> None:
    before = "* Adequate liver function, defined as:\n\n  * ALT ≤ 2.5 × ULN\n  * bilirubin ≤ 1.5 × ULN"
    (change,) = criteria_changes(before, before.replace("2.5", "3"))
    assert (change.under, change.old, change.new) == (
        "Adequate liver function, defined as:",
        "ALT ≤ 2.5 × ULN",
        "ALT ≤ 3 × ULN",
    )


def test_a_criterion_that_changed_its_list_has_moved() -> None:
    before = "* Washout of four weeks:\n  * aspirin\n* Allowed throughout:\n  * paracetamol\n  * insulin"
    after = "* Washout of four weeks:\n  * aspirin\n  * insulin\n* Allowed throughout:\n  * paracetamol"
    (change,) = criteria_changes(before, after)
    assert (change.how, change.under, change.new) == (CriterionHow.MOVED, "Washout of four weeks:", "insulin")


def test_a_reworded_introduction_moves_none_of_its_list() -> None:
    before = "* Adequate organ function within 14 days:\n  * ANC > 1.5\n  * platelets > 100"
    (change,) = criteria_changes(before, before.replace("14", "28"))
    assert (change.how, change.new) == (CriterionHow.REWORDED, "Adequate organ function within 28 days:")


def test_a_criterion_of_one_group_that_now_holds_for_another_has_moved() -> None:
    before = "Inclusion Criteria for Adults:\n\n* asthma\n* smokers\n\nInclusion Criteria for Children:\n\n* asthma"
    after = "Inclusion Criteria for Adults:\n\n* asthma\n\nInclusion Criteria for Children:\n\n* asthma\n* smokers"
    (change,) = criteria_changes(before, after)
    assert (change.how, change.section.title) == (CriterionHow.MOVED, "Inclusion Criteria for Children")


def test_a_heading_that_narrows_its_section_is_told_once() -> None:
    after = BASE.replace("Inclusion Criteria:", "Inclusion Criteria for Screening:")
    (change,) = criteria_changes(BASE, after)
    assert change.is_heading
    assert (change.old, change.new) == ("Inclusion Criteria", "Inclusion Criteria for Screening")


def test_a_heading_that_was_missing_moves_nothing() -> None:
    assert criteria_changes(BASE.replace("Inclusion Criteria:", ""), BASE) == ()


def test_sentences_are_compared_where_there_are_no_lists() -> None:
    before = "Healthy adults between 18 and 65 years. Able to give consent. No history of seizures."
    after = "Healthy adults between 18 and 75 years. Able to give consent. No history of seizures."
    assert [(c.old, c.new) for c in criteria_changes(before, after)] == [
        ("Healthy adults between 18 and 65 years.", "Healthy adults between 18 and 75 years.")
    ]


def test_changes_are_counted_in_words() -> None:
    before = text(["adults of any age", "asthma", "able to give consent"], ["smoking within a year"])
    after = text(["COPD", "able to give written consent"], ["adults of any age", "smoking within a year"])
    assert summary_of(criteria_changes(before, after)) == (
        "1 criterion added, 1 removed, 1 reworded, 1 moved from inclusion to exclusion"
    )


def test_changes_of_headings_are_counted_apart() -> None:
    after = BASE.replace("Inclusion Criteria:", "Inclusion Criteria for Screening:")
    assert summary_of(criteria_changes(BASE, after)) == "1 heading reworded"
    assert summary_of(criteria_changes(BASE, after.replace("Pregnancy", "Lactation"))) == (
        "1 criterion added, 1 removed, 1 heading reworded"
    )


def test_a_text_that_continues_another_is_like_it() -> None:
    assert likeness("known allergy to the drug", "known allergy to the drug " + "or others " * 50) > 0.9
    assert likeness("pregnancy", "able to read") < 0.5


_ITEMS = st.lists(
    st.sampled_from(["adults", "smokers", "able to read", "age ≥ 18", "age ≥ 12", "pregnancy", "no pregnancy"]),
    max_size=5,
)


@given(_ITEMS, _ITEMS, _ITEMS, _ITEMS)
def test_nothing_is_lost_and_nothing_is_invented(
    inclusion: list[str], exclusion: list[str], new_inclusion: list[str], new_exclusion: list[str]
) -> None:
    """What the changes take away and bring is exactly what one text has and the other has not."""
    before, after = text(inclusion, exclusion), text(new_inclusion, new_exclusion)
    had = [("inclusion", item) for item in inclusion] + [("exclusion", item) for item in exclusion]
    for change in criteria_changes(before, after):
        if change.old is not None:
            had.remove(((change.came_from or change.section).kind.value, change.old))
        if change.new is not None:
            had.append((change.section.kind.value, change.new))
    assert sorted(had) == sorted(
        [("inclusion", item) for item in new_inclusion] + [("exclusion", item) for item in new_exclusion]
    )


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_two_texts_can_be_compared(old: str, new: str) -> None:
    assert criteria_changes(old, old) == ()
    criteria_changes(old, new)
