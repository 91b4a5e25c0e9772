"""Hard cases of lists and texts: sites, outcomes, arms, criteria, references; drift, and a field nobody knows."""

from tests.hard_cases.records import (
    ARMS,
    CRITERIA,
    DESIGN,
    ELIGIBILITY,
    MISC,
    OUTCOMES,
    PLACES,
    REFERENCES,
    STATUS,
    HardCase,
    Json,
    edit,
    outcome,
    site,
    trial,
)

PLACEHOLDERS = [
    {"facility": "Local Institution - 0062", "city": "Birch Town", "country": "Norway"},
    {"facility": "Local Institution - 0063", "city": "Cedar Town", "country": "Norway"},
]
SITES = trial(locations=[site(1, status="RECRUITING"), site(2, status="RECRUITING"), *PLACEHOLDERS])
ELIGIBLE = trial({ELIGIBILITY + "eligibilityCriteria": CRITERIA})
MEASURED = trial(
    {
        OUTCOMES + "primaryOutcomes": [outcome("Change in pain score"), outcome("Days with fever")],
        OUTCOMES + "secondaryOutcomes": [
            outcome("Overall survival", frame="5 years"),
            outcome("Number of rescue doses", frame="Week 12"),
        ],
    }
)
REACHED = trial(
    {
        STATUS + "primaryCompletionDateStruct": {"date": "2026-01-31", "type": "ACTUAL"},
        OUTCOMES + "primaryOutcomes": [outcome("Change in pain score")],
    },
    status="ACTIVE_NOT_RECRUITING",
)
TREATED = trial(
    {
        ARMS + "armGroups": [
            {"label": "Examplomab (EX-514)", "type": "EXPERIMENTAL", "description": "Examplomab 40 mg once a week"},
            {"label": "Placebo", "type": "PLACEBO_COMPARATOR"},
        ],
        ARMS + "interventions": [{"type": "DRUG", "name": "Examplomab", "armGroupLabels": ["Examplomab (EX-514)"]}],
        DESIGN + "designInfo": {"allocation": "NON_RANDOMIZED", "maskingInfo": {"masking": "NONE"}},
    }
)
BACKGROUND = {"pmid": "1001", "type": "BACKGROUND", "citation": "Example A. First paper. Example J. 2020;1:1-2."}
MAPPED = trial(
    {REFERENCES: [BACKGROUND]},
    locations=[site(1, geoPoint={"lat": 40.85, "lon": 14.26}) | {"city": "Napoli", "country": "Italy"}],
)


def criteria(text: str) -> Json:
    return edit(ELIGIBLE, {ELIGIBILITY + "eligibilityCriteria": text})


CASES = (
    HardCase(
        name="placeholder sites get their names, one is spelled out, one opens",
        before=SITES,
        after=edit(
            SITES,
            {
                PLACES + "locations": [
                    {**site(1, status="RECRUITING"), "facility": "Birch University Hospital 1"},
                    site(2, status="COMPLETED"),
                    {**PLACEHOLDERS[0], "facility": "University Hospital of Birch Town"},
                    PLACEHOLDERS[1],
                    site(3, status="RECRUITING"),
                ]
            },
        ),
        told=(
            "major: Cedar Hospital 2, Cedar Town 2, Norway: Individual Site Status: Recruiting → Completed",
            (
                "minor: 2 locations renamed: Birch Hospital 1 → Birch University Hospital 1; Local Institution "
                "- 0062 → University Hospital of Birch Town"
            ),
            "minor: Location added: Elm Hospital 3, Elm Town 3, Norway",
        ),
        lines=(4, 3),
        stories=6,
        golden=True,
    ),
    HardCase(
        name="a placeholder site gets its name",
        before=SITES,
        after=edit(
            SITES,
            {
                PLACES + "locations": [
                    site(1, status="RECRUITING"),
                    site(2, status="RECRUITING"),
                    {**PLACEHOLDERS[0], "facility": "University Hospital of Birch Town"},
                    PLACEHOLDERS[1],
                ]
            },
        ),
        told=(
            (
                "minor: Location renamed: Local Institution - 0062, Birch Town, Norway → University Hospital of "
                "Birch Town"
            ),
        ),
        lines=(1, 3),
        stories=4,
    ),
    HardCase(
        name="the first site in a country, and the last one in another",
        before=trial(locations=[site(1), site(2), site(3, country="Sweden")]),
        after=edit(trial(), {PLACES + "locations": [site(1), site(2), site(4, country="Denmark")]}),
        told=(
            "major: Location removed: Elm Hospital 3, Elm Town 3, Sweden; no location in Sweden any more",
            "major: Location added: Fir Hospital 4, Fir Town 4, Denmark; first location in Denmark",
        ),
        lines=(2, 3),
        stories=5,
    ),
    HardCase(
        name="outcomes are promoted, demoted, reworded, added and dropped",
        before=MEASURED,
        after=edit(
            MEASURED,
            {
                OUTCOMES + "primaryOutcomes": [
                    outcome("Change in pain score", frame="Week 48"),
                    outcome("Overall survival", frame="5 years"),
                ],
                OUTCOMES + "secondaryOutcomes": [
                    outcome("Days with fever"),
                    outcome("Concentration of examplomab in plasma"),
                ],
            },
        ),
        told=(
            "critical: Outcome measure demoted from primary to secondary: Days with fever",
            "critical: Outcome measure promoted from secondary to primary: Overall survival",
            "major: Change in pain score: Primary Outcome Measure: Time Frame: Week 24 → Week 48",
            "minor: Secondary Outcome Measure removed: Number of rescue doses",
            "minor: Secondary Outcome Measure added: Concentration of examplomab in plasma",
        ),
        lines=(5, 3),
        stories=8,
        golden=True,
    ),
    HardCase(
        name="a primary outcome is replaced after primary completion",
        before=REACHED,
        after=edit(REACHED, {OUTCOMES + "primaryOutcomes": [outcome("Rate of relapse", frame="12 months")]}),
        told=(
            "critical: Primary Outcome Measure removed: Change in pain score; after primary completion",
            "critical: Primary Outcome Measure added: Rate of relapse; after primary completion",
        ),
        lines=(2, 3),
        stories=5,
    ),
    HardCase(
        name="an arm is renamed, a dose changes, and the study is randomized",
        before=TREATED,
        after=edit(
            TREATED,
            {
                ARMS + "armGroups": [
                    {"label": "Examplomab", "type": "EXPERIMENTAL", "description": "Examplomab 80 mg once a week"},
                    {"label": "Placebo", "type": "PLACEBO_COMPARATOR"},
                ],
                ARMS + "interventions": [{"type": "DRUG", "name": "Examplomab", "armGroupLabels": ["Examplomab"]}],
                DESIGN + "designInfo": {
                    "allocation": "RANDOMIZED",
                    "maskingInfo": {"masking": "DOUBLE", "whoMasked": ["PARTICIPANT", "INVESTIGATOR"]},
                },
            },
        ),
        told=(
            "major: Masking: None (Open Label) → Double (Participant, Investigator)",
            "major: Allocation: Non-Randomized → Randomized",
            (
                "major: Arm renamed: Examplomab (EX-514) → Examplomab; Arm Description: Examplomab 40 mg once a "
                "week → Examplomab 80 mg once a week"
            ),
        ),
        lines=(6, 5),
        stories=7,
        golden=True,
    ),
    HardCase(
        name="criteria are moved, reworded, added and dropped",
        before=ELIGIBLE,
        after=criteria(
            """Inclusion Criteria:

* Able to give written consent
* Example disease for at least 3 months
* Body weight above 45 kg
* At least two earlier treatments

Exclusion Criteria:

* Treatment with examplomycin within 8 weeks before the first dose
"""
        ),
        told=(
            (
                "major: Eligibility Criteria: 1 criterion added, 1 removed, 2 reworded; figures before: at "
                "least 6 months, within 4 weeks; now: at least 3 months, At least two earlier, within 8 weeks"
            ),
        ),
        lines=(1, 3),
        stories=4,
        golden=True,
    ),
    HardCase(
        name="criteria in another form and with the same words",
        before=ELIGIBLE,
        after=criteria(CRITERIA.replace("* ", "- ").replace("above", "ABOVE").replace("\n\n", "\n")),
        told=(),
        lines=(0, 4),
        stories=4,
    ),
    HardCase(
        name="publications: one linked by the registry, one of the results, one retracted",
        before=MAPPED,
        after=edit(
            MAPPED,
            {
                REFERENCES: [
                    {**BACKGROUND, "retractions": [{"pmid": "1009", "source": "Example J. 2026;7:1."}]},
                    {"pmid": "1002", "type": "RESULT", "citation": "Example B. Results. Example J. 2026;6:1-9."},
                    {"pmid": "1003", "type": "DERIVED", "citation": "Example C. Linked. Example J. 2026;6:10-19."},
                ]
            },
        ),
        told=(
            "critical: Retraction added: Example A. First paper. Example J. 2020;1:1-2. (retraction notice PMID 1009)",
            "major: Publication added (Results publication): Example B. Results. Example J. 2026;6:1-9.",
        ),
        lines=(2, 4),
        stories=6,
        golden=True,
    ),
    HardCase(
        name="the registry respells a city, moves it on the map and derives terms anew",
        before=MAPPED,
        after=edit(
            MAPPED,
            {
                PLACES + "locations": [
                    site(1, geoPoint={"lat": 40.86, "lon": 14.25}) | {"city": "Naples", "country": "Italy"}
                ],
                REFERENCES: [{**BACKGROUND, "citation": "EXAMPLE A: First paper. Example Journal. 2020;1:1-2."}],
                "derivedSection.conditionBrowseModule.meshes": [{"id": "D000001", "term": "Example Disease"}],
                MISC + "removedCountries": ["Sweden"],
            },
            by_registry=True,
        ),
        told=(),
        lines=(0, 6),
        stories=6,
    ),
    HardCase(
        name="a field that is new to the registry",
        before=trial(),
        after=edit(trial(), {"protocolSection.exampleModule.exampleField": "an example"}),
        told=("minor: Unclassified field protocolSection.exampleModule.exampleField added: an example",),
        lines=(1, 3),
        stories=4,
        golden=True,
    ),
)
