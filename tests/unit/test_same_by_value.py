"""Values that say the same in another way are recorded and not told; what looks alike and is not, is told."""

from typing import Any

import pytest

from tests.unit.full_records import table
from watcher.core.meaning import compare
from watcher.core.texts.durations import in_smallest_units
from watcher.model import Change, How, Json, Severity


def outcomes(section: str = "primaryOutcomes", **fields: str) -> Json:
    return {"outcomesModule": {section: [{"measure": "Response", "timeFrame": "24 weeks", **fields}]}}


def eligibility(text: str) -> Json:
    return {"eligibilityModule": {"eligibilityCriteria": text}}


def arm(label: str) -> Json:
    return {"armsInterventionsModule": {"armGroups": [{"label": label, "type": "EXPERIMENTAL"}]}}


def changes(before: Json, after: Json) -> tuple[Change, ...]:
    return compare({"protocolSection": before}, {"protocolSection": after}, table())


_IN = "Inclusion Criteria:\n\n* Age of 18 years or more at the time of consent, with written informed consent\n"
_OUT = "\nExclusion Criteria:\n\n* Pregnancy\n* Active brain metastases\n"
_TURNED = "\nExclusion Criteria:\n\n* Active brain metastases\n* Pregnancy\n"

SAME: dict[str, tuple[Json, Json]] = {
    "a title with a capital behind a hyphen": (
        outcomes(measure="Progression-free survival"),
        outcomes(measure="Progression-Free Survival"),
    ),
    "a title in capitals": (
        {"identificationModule": {"officialTitle": "An open-label, dose-escalation study"}},
        {"identificationModule": {"officialTitle": "AN OPEN-LABEL, DOSE-ESCALATION STUDY"}},
    ),
    "an arm with a capital behind a hyphen": (arm("Dose-escalation"), arm("Dose-Escalation")),
    "criteria in another order": (eligibility(_IN + _OUT), eligibility(_IN + _TURNED)),
    "criteria under a heading that says no more": (eligibility(_IN + _OUT), eligibility("Key " + _IN + _OUT)),
    "thousands with a comma": (eligibility("* Platelets > 100,000"), eligibility("* Platelets > 100000")),
    "a year as twelve months": (outcomes(timeFrame="12 months"), outcomes(timeFrame="1 year")),
    "up to two years": (outcomes(timeFrame="up to 24 months"), outcomes(timeFrame="Up to two years")),
    "two weeks as fourteen days": (outcomes(timeFrame="14 days"), outcomes(timeFrame="2 weeks")),
    "nothing in place of an empty list": ({"outcomesModule": {"primaryOutcomes": []}}, {"outcomesModule": {}}),
    "nothing in place of a null": (
        {"descriptionModule": {"briefSummary": None}},
        {"descriptionModule": {}},
    ),
}
OTHER: dict[str, tuple[Json, Json]] = {
    "another result behind a hyphen": (eligibility("* ER-PR+ disease"), eligibility("* ER PR+ disease")),
    "months that are not weeks": (outcomes(timeFrame="6 months"), outcomes(timeFrame="24 weeks")),
    "a time that is no whole year": (outcomes(timeFrame="13 months"), outcomes(timeFrame="1 year")),
    "a decimal comma": (eligibility("* Dose of 1,5 mg"), eligibility("* Dose of 15 mg")),
    "a criterion on the other side": (
        eligibility(_IN + "* Pregnancy\n" + "\nExclusion Criteria:\n\n* Active brain metastases\n"),
        eligibility(_IN + _OUT),
    ),
}


@pytest.mark.parametrize(("before", "after"), SAME.values(), ids=SAME)
def test_the_same_in_another_way_is_not_told(before: Json, after: Json) -> None:
    assert [change.severity for change in changes(before, after)] == [Severity.NOISE]


@pytest.mark.parametrize(("before", "after"), OTHER.values(), ids=OTHER)
def test_what_only_looks_alike_is_told(before: Json, after: Json) -> None:
    assert [change.told for change in changes(before, after)] == [True]


def test_durations_are_written_in_months_or_in_minutes() -> None:
    assert (
        in_smallest_units("1 year, one week and 1.5 hours; Day 1") == "12 months, 10080 minutes and 90 minutes; Day 1"
    )


@pytest.mark.parametrize(
    ("new", "severity"),
    [
        pytest.param("Overall response rate", Severity.MAJOR, id="other words"),
        pytest.param("Efficacy response", Severity.CRITICAL, id="perhaps another outcome"),
    ],
)
def test_a_primary_outcome_in_other_words_is_major_and_critical_where_it_may_be_another_one(
    new: str, severity: Severity
) -> None:
    (change,) = changes(outcomes(measure="Overall response"), outcomes(measure=new))
    assert (change.how, change.severity) == (How.REWORDED, severity)


# --- results ----------------------------------------------------------------------------------------------------------


def posted(**modules: Any) -> Json:
    return {"hasResults": True, "resultsSection": modules}


def deaths(first: str, second: str) -> Json:
    groups = [
        {"id": "EG000", "title": "Examplemab", "deathsNumAffected": first},
        {"id": "EG001", "title": "Placebo", "deathsNumAffected": second},
    ]
    return posted(adverseEventsModule={"eventGroups": groups})


def test_corrected_results_are_told_with_their_values() -> None:
    (one, other) = compare(deaths("4", "2"), deaths("5", "12"), table())
    assert one.sentence == other.sentence
    assert "Examplemab: 4 → 5; Placebo: 2 → 12" in one.sentence


def submitted(*events: tuple[str, str | None]) -> Json:
    listed = [{"type": kind, **({"date": date} if date else {"dateUnknown": True})} for kind, date in events]
    return {"annotationSection": {"annotationModule": {"unpostedAnnotation": {"unpostedEvents": listed}}}}


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        pytest.param(
            submitted(("RELEASE", "2025-02-25")),
            submitted(("RELEASE", "2025-02-26")),
            "Results submission corrected: Results submitted to ClinicalTrials.gov on 2025-02-25 → "
            "Results submitted to ClinicalTrials.gov on 2025-02-26",
            id="a corrected day is no second submission",
        ),
        pytest.param(
            submitted(("RELEASE", "2025-02-25"), ("RESET", "2025-03-01")),
            submitted(("RELEASE", "2025-02-25")),
            "No longer shown: Results returned to the sponsor after quality control review on 2025-03-01",
            id="an event that went",
        ),
        pytest.param(
            submitted(("RELEASE", "2025-02-25")),
            submitted(("RELEASE", "2025-02-25"), ("FOO", None)),
            "Results submission event FOO (date not recorded)",
            id="an event of no known kind",
        ),
    ],
)
def test_the_log_of_submissions_is_told_as_it_reads_now(before: Json, after: Json, sentence: str) -> None:
    assert {change.sentence for change in compare(before, after, table())} == {sentence}


def test_a_record_that_did_not_say_whether_it_has_results_had_none() -> None:
    dated = {"protocolSection": {"statusModule": {"resultsFirstPostDateStruct": {"date": "2026-03-01"}}}}
    found = compare({}, {**deaths("1", "2"), **dated}, table())
    assert {change.sentence for change in found if change.told} == {"Results posted (first posted 2026-03-01)"}
