"""Eligibility criteria are one text, and read as sections and single criteria."""

import pytest

from watcher.core.texts.criteria import SectionKind, criteria_of

HEADINGS = {
    "the usual one": ("Inclusion Criteria:", SectionKind.INCLUSION, "Inclusion Criteria"),
    "capitals, as a list item": ("* EXCLUSION CRITERIA:", SectionKind.EXCLUSION, "EXCLUSION CRITERIA"),
    "without a colon": ("Exclusion criteria", SectionKind.EXCLUSION, "Exclusion criteria"),
    "with a full stop": ("Exclusion criteria.", SectionKind.EXCLUSION, "Exclusion criteria"),
    "a space before the colon": ("Inclusion criteria :", SectionKind.INCLUSION, "Inclusion criteria"),
    "a word before it": ("Key Inclusion Criteria:", SectionKind.INCLUSION, "Key Inclusion Criteria"),
    "for a group": ("Exclusion Criteria for Siblings:", SectionKind.EXCLUSION, "Exclusion Criteria for Siblings"),
    "for a part, without a colon": (
        "Key Inclusion Criteria - Arms 1a, 1b, and 3",
        SectionKind.INCLUSION,
        "Key Inclusion Criteria - Arms 1a, 1b, and 3",
    ),
    "in brackets": ("Inclusion Criteria (to consent):", SectionKind.INCLUSION, "Inclusion Criteria (to consent)"),
    "pre-inclusion": ("Pre-inclusion criteria:", SectionKind.INCLUSION, "Pre-inclusion criteria"),
    "non-inclusion": ("Non-inclusion criteria:", SectionKind.EXCLUSION, "Non-inclusion criteria"),
    "the noun alone": ("General Medical Exclusions:", SectionKind.EXCLUSION, "General Medical Exclusions"),
    "a sentence": (
        "Subjects will be excluded if they:",
        SectionKind.EXCLUSION,
        "Subjects will be excluded if they",
    ),
}
NO_HEADINGS = {
    "a criterion that refers to them": "* Not fulfilling the inclusion criteria",
    "a criterion about time": "* Stable medication for two weeks prior to inclusion",
    "a note on both": "Other protocol-defined inclusion/exclusion criteria may apply.",
    "a rule within the text": "* Pregnant women will be excluded.",
    "a condition": "Cardiac disease that would preclude the use of the drugs included in the regimen:",
}


@pytest.mark.parametrize(("line", "kind", "title"), HEADINGS.values(), ids=HEADINGS)
def test_a_heading_begins_a_section(line: str, kind: SectionKind, title: str) -> None:
    (criterion,) = criteria_of(f"{line}\n\n* smokers")
    assert (criterion.section.kind, criterion.section.title, criterion.text) == (kind, title, "smokers")


@pytest.mark.parametrize("line", NO_HEADINGS.values(), ids=NO_HEADINGS)
def test_what_only_speaks_of_inclusion_is_a_criterion(line: str) -> None:
    criteria = criteria_of(f"Inclusion Criteria:\n\n* adults\n\n{line}\n\n* smokers")
    assert len(criteria) == 3
    assert {criterion.section.title for criterion in criteria} == {"Inclusion Criteria"}


def test_a_criterion_on_the_line_of_its_heading_is_found() -> None:
    assert [(c.section.kind, c.text) for c in criteria_of("Exclusion criteria: none")] == [
        (SectionKind.EXCLUSION, "none")
    ]


def test_nested_criteria_stand_alone_and_know_what_introduces_them() -> None:
    text = "Inclusion Criteria:\n\n* one of:\n\n  * asthma\n  * COPD\n* able to read"
    assert [(c.under, c.text) for c in criteria_of(text)] == [
        (None, "one of:"),
        ("one of:", "asthma"),
        ("one of:", "COPD"),
        (None, "able to read"),
    ]


def test_a_line_of_text_introduces_the_list_below_it() -> None:
    text = "Inclusion Criteria:\n\nAll of the following:\n\n* adults\n* readers\n\nIn part B also.\n\n* smokers"
    assert [(c.under, c.text) for c in criteria_of(text)] == [
        (None, "All of the following:"),
        ("All of the following:", "adults"),
        ("All of the following:", "readers"),
        (None, "In part B also."),
        (None, "smokers"),
    ]


def test_text_without_lists_is_read_sentence_by_sentence() -> None:
    text = "Healthy adults. Able to read, e.g. English; ≥ 18 years old. No growth of E. coli in vs. out of hospital."
    assert [c.text for c in criteria_of(text)] == [
        "Healthy adults.",
        "Able to read, e.g. English;",
        "≥ 18 years old.",
        "No growth of E. coli in vs. out of hospital.",
    ]
    assert {c.section.kind for c in criteria_of(text)} == {SectionKind.OTHER}


def test_no_text_has_no_criteria() -> None:
    assert criteria_of("") == criteria_of("\n\\-\n") == ()
