"""Hard cases of results: submitted, returned, posted, passed, corrected, removed; certifications and violations."""

from tests.hard_cases.records import (
    ARMS,
    DESIGN,
    DOCUMENTS,
    EVENTS,
    MISC,
    OUTCOMES,
    STATUS,
    HardCase,
    Json,
    edit,
    outcome,
    trial,
)

POSTED_ON = {
    STATUS + "resultsFirstSubmitDate": "2026-02-10",
    STATUS + "resultsFirstSubmitQcDate": "2026-03-10",
    STATUS + "resultsFirstPostDateStruct": {"date": "2026-03-20", "type": "ACTUAL"},
}
PROTOCOL = {
    "typeAbbrev": "Prot_SAP",
    "hasProtocol": True,
    "hasSap": True,
    "label": "Study Protocol and Statistical Analysis Plan",
    "date": "2025-01-10",
    "uploadDate": "2026-02-10T08:00",
    "filename": "Prot_SAP_000.pdf",
}
CONSENT = {"typeAbbrev": "ICF", "label": "Informed Consent Form", "date": "2025-03-04", "filename": "ICF_001.pdf"}
SUBMITTED = {"type": "RELEASE", "date": "2026-02-10"}


def reported(title: str, *values: str, kind: str = "SECONDARY", p_value: str = "0.03") -> Json:
    """Return an outcome with posted values, one for each of two groups."""
    measurements = [{"groupId": f"OG00{number}", "value": value} for number, value in enumerate(values)]
    return {
        "type": kind,
        "title": title,
        "timeFrame": "Week 24",
        "reportingStatus": "POSTED",
        "groups": [{"id": "OG000", "title": "Examplomab"}, {"id": "OG001", "title": "Placebo"}],
        "classes": [{"categories": [{"measurements": measurements}]}],
        "analyses": [{"groupIds": ["OG000", "OG001"], "pValue": p_value}],
    }


def deaths(treated: int, *, serious: int = 4) -> Json:
    return {
        "timeFrame": "24 weeks",
        "eventGroups": [
            {"id": "EG000", "title": "Examplomab", "deathsNumAffected": treated, "seriousNumAffected": serious},
            {"id": "EG001", "title": "Placebo", "deathsNumAffected": 1, "seriousNumAffected": 3},
        ],
    }


NOT_POSTED = {
    "type": "SECONDARY",
    "title": "Overall survival",
    "timeFrame": "5 years",
    "reportingStatus": "NOT_POSTED",
    "anticipatedPostingDate": "2026-03",
}
PAIN = reported("Change in pain score", "12.1", "9.8", kind="PRIMARY")
SECTION = {
    "participantFlowModule": {"groups": [{"id": "FG000", "title": "Examplomab"}]},
    "baselineCharacteristicsModule": {"groups": [{"id": "BG000", "title": "Examplomab"}]},
    "outcomeMeasuresModule": {"outcomeMeasures": [PAIN, NOT_POSTED]},
    "adverseEventsModule": deaths(2),
    "moreInfoModule": {"certainAgreement": {"piSponsorEmployee": False}},
}
COMPLETED = trial(
    {
        OUTCOMES + "primaryOutcomes": [outcome("Change in pain score", description="On a scale of 0 to 10")],
        OUTCOMES + "secondaryOutcomes": [
            outcome("Overall survival", frame="5 years"),
            outcome("Number of days with fever"),
        ],
        ARMS + "armGroups": [{"label": "Examplomab", "type": "EXPERIMENTAL"}],
    },
    status="COMPLETED",
)
WITH_RESULTS = edit(COMPLETED, {**POSTED_ON, "hasResults": True, "resultsSection": SECTION}, by_registry=True)
WITH_COMMENTS = edit(
    COMPLETED,
    {
        STATUS + "resultsFirstSubmitDate": "2026-02-10",
        "hasResults": True,
        "resultsSection": SECTION,
        MISC + "submissionTracking.firstMcpInfo.postDateStruct": {"date": "2026-03-05", "type": "ACTUAL"},
    },
    by_registry=True,
)
FOLDED = {
    DESIGN + "enrollmentInfo": {"count": 41, "type": "ACTUAL"},
    ARMS + "armGroups": [{"label": "Examplomab 40 mg", "type": "EXPERIMENTAL"}],
}


CASES = (
    HardCase(
        name="results are submitted, returned, cancelled and submitted again on one day",
        before=COMPLETED,
        after=edit(
            COMPLETED,
            {
                EVENTS: [
                    SUBMITTED,
                    {"type": "UNRELEASE", "date": "2026-03-02"},
                    {"type": "RELEASE", "date": "2026-03-02"},
                    {"type": "RESET", "date": "2026-03-16"},
                ],
                MISC + "submissionTracking": {
                    "estimatedResultsFirstSubmitDate": "2026-02-10",
                    "submissionInfos": [
                        {"releaseDate": "2026-02-10", "unreleaseDate": "2026-03-02"},
                        {"releaseDate": "2026-03-02", "resetDate": "2026-03-16"},
                    ],
                },
            },
            by_registry=True,
        ),
        told=(
            (
                "major: Results submitted to ClinicalTrials.gov on 2026-02-10; Submission of results cancelled "
                "by the sponsor on 2026-03-02; Results submitted again to ClinicalTrials.gov on 2026-03-02; "
                "Results returned to the sponsor after quality control review on 2026-03-16"
            ),
        ),
        lines=(7, 0),
        stories=1,
        golden=True,
    ),
    HardCase(
        name="results are posted with documents, and texts reshaped for them",
        before=edit(COMPLETED, {EVENTS: [SUBMITTED]}, by_registry=True),
        after=edit(
            COMPLETED,
            {
                **POSTED_ON,
                **FOLDED,
                "hasResults": True,
                "resultsSection": SECTION,
                DOCUMENTS: [PROTOCOL, CONSENT],
                OUTCOMES + "primaryOutcomes": [outcome("Change in Pain Score at Week 24", description="Scale 0 to 10")],
                OUTCOMES + "secondaryOutcomes": [
                    outcome("Overall Survival (OS)", frame="5 years"),
                    outcome("Number of days with fever"),
                ],
                "annotationSection": None,
            },
        ),
        told=(
            (
                "critical: Results posted (first posted 2026-03-20), with Study Protocol and Statistical "
                "Analysis Plan, Informed Consent Form; edited together with it: 1 primary outcome measure, 1 "
                "secondary outcome measure, 1 arm; Enrollment: 40 (estimated) → 41 (actual), 102 % of target"
            ),
        ),
        lines=(21, 4),
        stories=5,
        golden=True,
    ),
    HardCase(
        name="results are posted, and a primary outcome is dropped and another one promoted with them",
        before=COMPLETED,
        after=edit(
            COMPLETED,
            {
                **POSTED_ON,
                "hasResults": True,
                "resultsSection": SECTION,
                OUTCOMES + "primaryOutcomes": [outcome("Overall survival", frame="5 years")],
                OUTCOMES + "secondaryOutcomes": [outcome("Number of days with fever")],
            },
        ),
        told=(
            "critical: Results posted (first posted 2026-03-20)",
            (
                "critical: Outcome measure promoted from secondary to primary: Overall survival; edited "
                "together with the posting of results"
            ),
            (
                "critical: Primary Outcome Measure removed: Change in pain score; edited together with the "
                "posting of results"
            ),
        ),
        lines=(14, 4),
        stories=7,
        golden=True,
    ),
    HardCase(
        name="results are posted with comments",
        before=edit(COMPLETED, {EVENTS: [SUBMITTED]}, by_registry=True),
        after=edit(WITH_COMMENTS, {}),
        told=("critical: Results posted with quality control comments (quality control not yet passed)",),
        lines=(12, 4),
        stories=5,
    ),
    HardCase(
        name="results that were posted with comments pass quality control",
        before=WITH_COMMENTS,
        after=edit(WITH_RESULTS, {}),
        told=("critical: Results have passed quality control (first posted 2026-03-20)",),
        lines=(3, 5),
        stories=5,
        golden=True,
    ),
    HardCase(
        name="results pass quality control with a corrected value",
        before=WITH_COMMENTS,
        after=edit(WITH_RESULTS, {"resultsSection": {**SECTION, "adverseEventsModule": deaths(2, serious=5)}}),
        told=(
            "critical: Results have passed quality control (first posted 2026-03-20)",
            "major: Results corrected: Serious Adverse Events: number affected, Examplomab: 4 → 5",
        ),
        lines=(4, 5),
        stories=6,
    ),
)
