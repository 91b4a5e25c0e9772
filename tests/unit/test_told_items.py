"""What is told of items of lists and of what belongs together: outcomes, documents, publications, names, events."""

import pytest

from tests.unit.telling import at, recorded, step, told
from watcher.model import Json

PROTOCOL = "protocolSection."
TREATED = PROTOCOL + "armsInterventionsModule.interventions"
REPORTED = "resultsSection.outcomeMeasuresModule.outcomeMeasures"
CAVEATS = "resultsSection.moreInfoModule.limitationsAndCaveats.description"
REFERENCES = PROTOCOL + "referencesModule.references"
PARTY = PROTOCOL + "sponsorCollaboratorsModule.responsibleParty"
DOCUMENTS = "documentSection.largeDocumentModule.largeDocs"
PRIMARY = PROTOCOL + "outcomesModule.primaryOutcomes"
PEDIATRIC = PROTOCOL + "oversightModule.isPpsd"
VIOLATIONS = "annotationSection.annotationModule.violationAnnotation.violationEvents"
NOTICE = [{"pmid": "9", "source": "Example J. 2024"}]
PERSON = {
    "type": "PRINCIPAL_INVESTIGATOR",
    "investigatorFullName": "Ann Example",
    "investigatorTitle": "Professor",
    "investigatorAffiliation": "Example Institute",
}


def outcome(measure: str, frame: str = "28 days") -> Json:
    return {"measure": measure, "timeFrame": frame}


def reported(title: str) -> Json:
    return {"type": "PRIMARY", "title": title, "timeFrame": "1 year"}


def paper(citation: str = "C", **fields: Json) -> Json:
    return {"pmid": citation * 2, "type": "DERIVED", "citation": citation, **fields}


def document(**fields: Json) -> Json:
    whole = {"typeAbbrev": "Prot_SAP", "date": "2023-01-05", "filename": "Prot_SAP_000.pdf", "size": 1234567, **fields}
    return {key: value for key, value in whole.items() if value is not None}


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        pytest.param(
            step(PROTOCOL + "conditionsModule.conditions", ["Breast Cancer", "B"], ["B", "Breast cancer"]),
            [],
            id="a condition in other letter cases",
        ),
        pytest.param(
            step(
                TREATED,
                [{"type": "DRUG", "name": "ABC-123", "otherNames": ["brandname"]}],
                [{"type": "DRUG", "name": "Brandname", "otherNames": ["ABC-123"]}],
            ),
            ["minor: Intervention renamed: ABC-123 → Brandname"],
            id="an intervention by its other name, in other letter cases",
        ),
        pytest.param(
            step(REPORTED, [reported("PFS")], [reported("PFS"), reported("OS")], has_results=True),
            ["major: Results: outcome added: OS"],
            id="an outcome more in the results",
        ),
        pytest.param(
            step(REPORTED, [reported(name) for name in ("PFS", "OS", "Pain")], [reported("PFS")], has_results=True),
            ["major: Results: 2 outcomes removed: OS; Pain"],
            id="two outcomes less in the results",
        ),
        pytest.param(
            step(REPORTED, [reported("Overall survival")], [reported("Overall survival at 1 year")], has_results=True),
            ["major: Results: outcome reworded: Overall survival → Overall survival at 1 year"],
            id="an outcome of the results under another title",
        ),
        pytest.param(
            (at("hasResults", True), at(CAVEATS, "Too few took part.", has_results=True)),
            ["major: Results updated: Limitations and Caveats added: Too few took part."],
            id="a short text that comes into the results",
        ),
        pytest.param(
            step(CAVEATS, "Too few.", "Too few took part.", has_results=True),
            ["major: Results updated: Limitations and Caveats: Too few. → Too few took part."],
            id="a short text in the results",
        ),
        pytest.param(
            step(CAVEATS, "Few. " * 50, "Few took part. " * 50, has_results=True),
            ["major: Results updated: Limitations and Caveats reworded (+100/−0 words)"],
            id="a long text in the results",
        ),
        pytest.param(
            step(REFERENCES, [], [paper(retractions=NOTICE)]),
            ["critical: Retracted publication added (Linked automatically by NLM): C (retraction notice PMID 9)"],
            id="a publication that is retracted when it comes",
        ),
        pytest.param(
            step(REFERENCES, [], [paper("A", type="RESULT"), paper("B", type="RESULT", retractions=NOTICE)]),
            ["critical: 2 publications added: A; B (retracted, retraction notice PMID 9)"],
            id="a publication among others that is retracted when it comes",
        ),
        pytest.param(
            step(REFERENCES, [paper()], [paper(retractions=NOTICE)]),
            ["critical: Retraction added: C (retraction notice PMID 9)"],
            id="a publication that is retracted later",
        ),
        pytest.param(
            step(REFERENCES, [paper()], [paper(retractions=[{"source": "Example J. 2024"}])]),
            ["critical: Retraction added: C"],
            id="a retraction without a notice",
        ),
        pytest.param(
            step(PARTY, {"type": "SPONSOR"}, PERSON),
            [
                (
                    "major: Responsible Party, by Official Title: "
                    "Sponsor → Principal Investigator (Ann Example, Professor, Example Institute)"
                )
            ],
            id="a responsible party of another kind",
        ),
        pytest.param(
            step(PARTY, PERSON, {"type": "SPONSOR"}),
            [
                (
                    "major: Responsible Party, by Official Title: "
                    "Principal Investigator (Ann Example, Professor, Example Institute) → Sponsor"
                )
            ],
            id="a sponsor who is responsible again",
        ),
        pytest.param(
            step(DOCUMENTS, [document()], [document(date="2024-05-01", filename="Prot_SAP_001.pdf", size=99)]),
            ["minor: Study Protocol and Statistical Analysis Plan: new version, document date 2023-01-05 → 2024-05-01"],
            id="a new version of a document",
        ),
        pytest.param(
            step(DOCUMENTS, [document()], [document(filename="Prot_SAP_001.pdf", size=99)]),
            ["minor: Study Protocol and Statistical Analysis Plan: file replaced"],
            id="another file for a document",
        ),
        pytest.param(
            step(DOCUMENTS, [], [document(label="Protocol, amended")]),
            ["major: Document added: Protocol, amended, dated 2023-01-05"],
            id="a document with a label",
        ),
        pytest.param(
            step(DOCUMENTS, [document(typeAbbrev="ICF", date=None)], []),
            ["major: Document removed: Informed Consent Form"],
            id="a document without a label or a date",
        ),
        pytest.param(
            (at("hasResults", False), at(PEDIATRIC, True)),
            ["minor: Pediatric Postmarket Surveillance of a Device Product: Yes (was not stated)"],
            id="a yes where nothing was said",
        ),
        pytest.param(
            (at(PEDIATRIC, True), at("hasResults", False)),
            ["minor: Pediatric Postmarket Surveillance of a Device Product is not stated any more (was Yes)"],
            id="a yes that is not said any more",
        ),
        pytest.param(
            step("newModule.newList", [], [{"y": "z", "x": 1, "w": {"v": [True]}}]),
            ["minor: Unclassified field newModule.newList[] added: w.v: Yes; x: 1; y: z"],
            id="an item of an unknown list by its values",
        ),
        pytest.param(
            step("newModule.newList", [], [["b", "a"]]),
            ["minor: Unclassified field newModule.newList[] added: a; b"],
            id="a list in a list by its values",
        ),
        pytest.param(
            step(
                VIOLATIONS,
                [],
                [
                    {"type": "CORRECTION_CONFIRMED", "issuedDate": "2026-03-01"},
                    {"type": "VIOLATION_IDENTIFIED", "creationDate": "2026-01-01"},
                ],
            ),
            [
                (
                    "critical: FDAAA 801 Violation: Violation identified by FDA; "
                    "FDAAA 801 Violation: Correction confirmed by FDA (issued 2026-03-01)"
                )
            ],
            id="events in the order of their dates",
        ),
        pytest.param(
            step(PRIMARY, [outcome("Mortality", "30 d"), outcome("Mortality", "90 d")], [outcome("Mortality", "30 d")]),
            ["critical: Primary Outcome Measure removed: Mortality, 90 d"],
            id="one of two outcomes of one measure that goes",
        ),
        pytest.param(
            step(PRIMARY, [outcome("Mortality", "30 d")], [outcome("Mortality", "30 d"), outcome("Mortality", "90 d")]),
            ["critical: Primary Outcome Measure added: Mortality, 90 d"],
            id="one of two outcomes of one measure that comes",
        ),
    ],
)
def test_a_step_is_told_so(pair: tuple[Json, Json], said: list[str]) -> None:
    assert told(*pair) == said


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(
            "Part A: Number of participants with DLTs", "Phase 1: Number of participants with DLTs", id="another part"
        ),
        pytest.param("Cohort 1: Response rate", "Cohort 3: Response rate", id="another cohort"),
        pytest.param("Safety", "Efficacy", id="what names nothing"),
        pytest.param("Safety", "Tolerability", id="a synonym"),
    ],
)
def test_an_outcome_that_may_be_another_one_is_reworded_and_to_be_checked(old: str, new: str) -> None:
    (sentence,) = told(*step(PRIMARY, [outcome(old)], [outcome(new)]))

    assert f"Primary Outcome Measure reworded: {old} → {new}; reworded substantially, please check" in sentence


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("PFS", "Progression free survival", id="an abbreviation written out"),
        pytest.param("Part A: Overall survival", "Overall survival", id="without the part of the study"),
        pytest.param("Overall survival", "Overal survival", id="a typing error"),
    ],
)
def test_an_outcome_in_other_words_is_surely_the_same(old: str, new: str) -> None:
    (sentence,) = told(*step(PRIMARY, [outcome(old)], [outcome(new)]))

    assert "reworded" in sentence
    assert "please check" not in sentence


def test_a_text_in_other_letter_cases_is_recorded_once() -> None:
    pair = step(PROTOCOL + "conditionsModule.conditions", ["Breast Cancer"], ["Breast cancer"])

    assert recorded(*pair) == [("Breast Cancer", "M9")]
