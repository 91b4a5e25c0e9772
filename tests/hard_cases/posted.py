"""Hard cases of results that are posted, and of what stands beside them: corrections, violations, documents."""

from tests.hard_cases.records import DOCUMENTS, STATUS, VIOLATIONS, HardCase, Json, edit, trial
from tests.hard_cases.results import (
    COMPLETED,
    CONSENT,
    NOT_POSTED,
    PAIN,
    PROTOCOL,
    SECTION,
    WITH_RESULTS,
    deaths,
    reported,
)


def results_with(**modules: Json) -> Json:
    """Return the posted results with other modules."""
    return edit(WITH_RESULTS, {"resultsSection": {**SECTION, **modules}})


CASES = (
    HardCase(
        name="posted results are corrected: a value, a p-value, deaths",
        before=WITH_RESULTS,
        after=results_with(
            outcomeMeasuresModule={
                "outcomeMeasures": [
                    reported("Change in pain score", "12.4", "9.8", kind="PRIMARY", p_value="0.06"),
                    NOT_POSTED,
                ]
            },
            adverseEventsModule=deaths(3),
        ),
        told=(
            "critical: Results corrected: All-Cause Mortality: number affected, Examplomab: 2 → 3",
            ("major: Results corrected: Outcome Measure Data: value, Change in pain score › Examplomab: 12.1 → 12.4"),
            "major: Results corrected: Statistical Analysis: P-Value, Change in pain score: 0.03 → 0.06",
        ),
        lines=(3, 3),
        stories=6,
        golden=True,
    ),
    HardCase(
        name="an outcome that had no results gets them",
        before=WITH_RESULTS,
        after=results_with(
            outcomeMeasuresModule={
                "outcomeMeasures": [PAIN, {**reported("Overall survival", "31.0", "24.5"), "timeFrame": "5 years"}]
            }
        ),
        told=("major: Results added for Overall survival",),
        lines=(6, 3),
        stories=4,
        golden=True,
    ),
    HardCase(
        name="posted results are removed",
        before=edit(WITH_RESULTS, {DOCUMENTS: [PROTOCOL]}, by_registry=True),
        after=edit(COMPLETED, {}),
        told=(("critical: Results removed from the public record, with Study Protocol and Statistical Analysis Plan"),),
        lines=(13, 4),
        stories=5,
        golden=True,
    ),
    HardCase(
        name="a certification or an extension request is filed",
        before=COMPLETED,
        after=edit(
            COMPLETED,
            {
                STATUS + "dispFirstSubmitDate": "2026-03-10",
                STATUS + "dispFirstSubmitQcDate": "2026-03-10",
                STATUS + "dispFirstPostDateStruct": {"date": "2026-03-20", "type": "ACTUAL"},
            },
        ),
        told=(
            (
                "major: Certification of delay or request for an extension filed on 2026-03-10 (the record does "
                "not say which)"
            ),
        ),
        lines=(3, 4),
        stories=5,
    ),
    HardCase(
        name="the FDA identifies a violation",
        before=COMPLETED,
        after=edit(
            COMPLETED,
            {
                "protocolSection.oversightModule.fdaaa801Violation": True,
                VIOLATIONS: [
                    {
                        "type": "VIOLATION_IDENTIFIED",
                        "description": "Failure to submit clinical trial information",
                        "creationDate": "2026-03-12",
                        "issuedDate": "2026-03-10",
                        "postedDate": "2026-03-20",
                    }
                ],
            },
            by_registry=True,
        ),
        told=(
            (
                "critical: FDAAA 801 Violation: Violation identified by FDA (issued 2026-03-10, posted "
                "2026-03-20): Failure to submit clinical trial information"
            ),
        ),
        lines=(2, 0),
        stories=1,
        golden=True,
    ),
    HardCase(
        name="the correction of a violation is confirmed",
        before=trial({VIOLATIONS: [{"type": "VIOLATION_IDENTIFIED", "issuedDate": "2026-03-10"}]}),
        after=edit(
            trial(),
            {
                VIOLATIONS: [
                    {"type": "CORRECTION_CONFIRMED", "issuedDate": "2026-04-20"},
                    {"type": "VIOLATION_IDENTIFIED", "issuedDate": "2026-03-10"},
                ]
            },
            by_registry=True,
        ),
        told=("critical: FDAAA 801 Violation: Correction confirmed by FDA (issued 2026-04-20)",),
        lines=(1, 0),
        stories=1,
    ),
    HardCase(
        name="a consent form is uploaded on its own",
        before=COMPLETED,
        after=edit(COMPLETED, {DOCUMENTS: [CONSENT]}),
        told=("major: Document added: Informed Consent Form, dated 2025-03-04",),
        lines=(1, 3),
        stories=4,
    ),
)
