"""Hard cases of records that the registry withholds: a placeholder stands for nearly everything."""

from tests.hard_cases.records import (
    ARMS,
    CRITERIA,
    DESIGN,
    ELIGIBILITY,
    NCT,
    OUTCOMES,
    PLACES,
    STATUS,
    HardCase,
    edit,
    outcome,
    site,
    trial,
)

PUBLIC = trial(
    {
        DESIGN + "designInfo": {"allocation": "RANDOMIZED", "maskingInfo": {"masking": "NONE"}},
        ARMS + "armGroups": [{"label": "Example stent", "type": "EXPERIMENTAL"}],
        ARMS + "interventions": [{"type": "DEVICE", "name": "Example stent"}],
        OUTCOMES + "primaryOutcomes": [outcome("Patency of the vessel")],
        OUTCOMES + "secondaryOutcomes": [outcome(f"Example score {number}") for number in range(12)],
        ELIGIBILITY + "eligibilityCriteria": CRITERIA,
        PLACES + "centralContacts": [{"name": "Trial Office", "phone": "555-0100"}],
        PLACES + "overallOfficials": [{"name": "Example Official", "role": "STUDY_CHAIR"}],
    },
    title="Example Stent in Example Disease",
    locations=[site(number, status="RECRUITING") for number in range(1, 120)],
)
PLACEHOLDER = {
    "protocolSection": {
        "identificationModule": {
            "nctId": NCT,
            "orgStudyIdInfo": {"id": "[Redacted]"},
            "organization": {"fullName": "[Redacted]"},
            "briefTitle": "[Trial of a device that is not public]",
        },
        "statusModule": {
            "overallStatus": "WITHHELD",
            "delayedPosting": True,
            "studyFirstSubmitDate": "2025-12-01",
            "studyFirstPostDateStruct": {"date": "2025-12-10", "type": "ACTUAL"},
            "lastUpdateSubmitDate": "2026-03-20",
            "lastUpdatePostDateStruct": {"date": "2026-03-20", "type": "ACTUAL"},
        },
        "sponsorCollaboratorsModule": {"leadSponsor": {"name": "[Redacted]"}},
        "descriptionModule": {"briefSummary": "[Redacted]"},
    },
    "derivedSection": {"miscInfoModule": {"versionHolder": "2026-03-02"}},
    "hasResults": False,
}

CASES = (
    HardCase(
        name="the registry withholds a record",
        before=PUBLIC,
        after=PLACEHOLDER,
        told=(
            (
                "critical: Record now withheld (Recruitment status: Recruiting → Withheld); Post Prior to U.S. "
                "FDA Approval or Clearance (Delayed Posting): Yes (was not stated); a placeholder stands for it: 154 "
                "values removed, 4 values changed"
            ),
        ),
        lines=(160, 8),
        stories=2,
        golden=True,
    ),
    HardCase(
        name="a withheld record becomes public",
        before=PLACEHOLDER,
        after=edit(PUBLIC, {STATUS + "delayedPosting": None}, day="2026-04-20"),
        told=(
            (
                "critical: Record now public: Withheld → Recruiting; Post Prior to U.S. FDA Approval or "
                "Clearance (Delayed Posting) is not stated any more (was Yes); no placeholder any more: 154 values "
                "added, 4 values changed"
            ),
        ),
        lines=(160, 8),
        stories=2,
    ),
)
