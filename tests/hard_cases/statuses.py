"""Hard cases of the recruitment status: closed, stopped, reopened, unknown, withheld, expanded access."""

from tests.hard_cases.records import DESIGN, PLACES, STATUS, HardCase, edit, site, trial

CENTRAL = [{"name": "Trial Office", "phone": "555-0100", "email": "office@example.org"}]
OPEN = trial(
    {PLACES + "centralContacts": CENTRAL}, locations=[site(number, status="RECRUITING") for number in range(1, 50)]
)
CLOSED_SITES = [site(number) for number in range(1, 50)]
TERMINATED = trial({STATUS + "whyStopped": "Sponsor decision"}, status="TERMINATED")
SUSPENDED = trial(
    {STATUS + "whyStopped": "Drug supply", STATUS + "startDateStruct": {"date": "2026-04", "type": "ESTIMATED"}},
    status="SUSPENDED",
)
NOT_STARTED = trial({STATUS + "startDateStruct.type": "ESTIMATED"}, status="NOT_YET_RECRUITING", enrollment=30)
UNKNOWN = trial({STATUS + "lastKnownStatus": "RECRUITING"}, status="UNKNOWN")
ACCESS = trial({DESIGN + "studyType": "EXPANDED_ACCESS", DESIGN + "phases": None}, status="AVAILABLE", enrollment=None)

CASES = (
    HardCase(
        name="recruitment closes at forty-nine sites",
        before=OPEN,
        after=edit(
            OPEN,
            {
                STATUS + "overallStatus": "ACTIVE_NOT_RECRUITING",
                PLACES + "centralContacts": None,
                PLACES + "locations": CLOSED_SITES,
            },
        ),
        told=(
            (
                "major: Recruitment status: Recruiting → Active, not recruiting; recruitment closed: 49 site "
                "statuses and 1 central contact removed"
            ),
        ),
        lines=(51, 52),
        stories=5,
        golden=True,
    ),
    HardCase(
        name="recruitment reopens",
        before=edit(OPEN, {STATUS + "overallStatus": "ACTIVE_NOT_RECRUITING", PLACES + "locations": CLOSED_SITES}),
        after=edit(OPEN, {}, day="2026-04-02"),
        told=(
            (
                "critical: Recruitment reopened: Active, not recruiting → Recruiting; recruitment open: 49 site "
                "statuses added"
            ),
        ),
        lines=(50, 52),
        stories=5,
    ),
    HardCase(
        name="a recruiting study goes back to not yet recruiting",
        before=OPEN,
        after=edit(
            OPEN,
            {
                STATUS + "overallStatus": "NOT_YET_RECRUITING",
                PLACES + "locations": [site(number, status="NOT_YET_RECRUITING") for number in range(1, 50)],
            },
        ),
        told=(
            (
                "critical: Recruitment status went back: Recruiting → Not yet recruiting; 49 locations: "
                "Recruiting → Not yet recruiting"
            ),
        ),
        lines=(50, 3),
        stories=4,
    ),
    HardCase(
        name="a study is withdrawn before anybody took part",
        before=NOT_STARTED,
        after=edit(
            NOT_STARTED,
            {
                STATUS + "overallStatus": "WITHDRAWN",
                STATUS + "whyStopped": "No funding",
                DESIGN + "enrollmentInfo": {"count": 0, "type": "ACTUAL"},
                STATUS + "startDateStruct": {"date": "2026-03-18", "type": "ACTUAL"},
                STATUS + "primaryCompletionDateStruct": {"date": "2026-03-18", "type": "ACTUAL"},
                STATUS + "completionDateStruct": {"date": "2026-03-18", "type": "ACTUAL"},
            },
        ),
        told=(
            (
                "critical: Study withdrawn: No funding (Recruitment status: Not yet recruiting → Withdrawn); "
                "Enrollment: 30 (estimated) → 0 (actual): no participants enrolled; start date (was 2026-01), "
                "primary completion date (was 2027-06-30), study completion date (was 2027-06-30) now "
                "2026-03-18 (actual)"
            ),
        ),
        lines=(10, 3),
        stories=4,
        golden=True,
    ),
    HardCase(
        name="a study is suspended before it began",
        before=NOT_STARTED,
        after=edit(
            NOT_STARTED,
            {STATUS + "overallStatus": "SUSPENDED", STATUS + "whyStopped": "The company was bought by another one"},
        ),
        told=(
            (
                "critical: Study suspended: The company was bought by another one (Recruitment status: Not yet "
                "recruiting → Suspended)"
            ),
        ),
        lines=(2, 3),
        stories=4,
    ),
    HardCase(
        name="the start moves while the study is suspended",
        before=SUSPENDED,
        after=edit(SUSPENDED, {STATUS + "startDateStruct.date": "2027-04"}),
        told=("major: Start date slipped 12 months: 2026-04 (estimated) → 2027-04 (estimated)",),
        lines=(1, 3),
        stories=4,
    ),
    HardCase(
        name="a terminated study is active again and of another type",
        before=TERMINATED,
        after=edit(
            TERMINATED,
            {
                STATUS + "overallStatus": "ACTIVE_NOT_RECRUITING",
                STATUS + "whyStopped": None,
                DESIGN + "studyType": "OBSERVATIONAL",
                DESIGN + "phases": None,
            },
        ),
        told=(
            (
                "critical: Study reopened: Terminated → Active, not recruiting; reason for stopping removed "
                "(was Sponsor decision)"
            ),
            "critical: Study Phase removed (was Phase 2)",
            "critical: Study Type: Interventional → Observational",
        ),
        lines=(4, 3),
        stories=6,
        golden=True,
    ),
    HardCase(
        name="the registry sets the status to unknown",
        before=trial(),
        after=edit(
            trial(), {STATUS + "overallStatus": "UNKNOWN", STATUS + "lastKnownStatus": "RECRUITING"}, by_registry=True
        ),
        told=(
            (
                "major: The registry now shows Unknown status (last known: Recruiting), because the record was "
                "not verified for over 2 years (Recruitment status: Recruiting → Unknown status)"
            ),
        ),
        lines=(2, 0),
        stories=1,
        golden=True,
    ),
    HardCase(
        name="the status is confirmed again",
        before=UNKNOWN,
        after=edit(UNKNOWN, {STATUS + "overallStatus": "RECRUITING", STATUS + "lastKnownStatus": None}),
        told=("minor: Status confirmed again: Unknown status → Recruiting",),
        lines=(2, 3),
        stories=4,
    ),
    HardCase(
        name="the status is confirmed as another one than was last known",
        before=UNKNOWN,
        after=edit(UNKNOWN, {STATUS + "overallStatus": "ACTIVE_NOT_RECRUITING", STATUS + "lastKnownStatus": None}),
        told=("major: Recruitment status: Unknown status → Active, not recruiting; last known was Recruiting",),
        lines=(2, 3),
        stories=4,
    ),
    HardCase(
        name="only the reason for stopping changes",
        before=TERMINATED,
        after=edit(TERMINATED, {STATUS + "whyStopped": "Interim analysis: futility"}),
        told=("major: Reason for stopping changed: Sponsor decision → Interim analysis: futility",),
        lines=(1, 3),
        stories=4,
    ),
    HardCase(
        name="expanded access is available no longer",
        before=ACCESS,
        after=edit(ACCESS, {STATUS + "overallStatus": "NO_LONGER_AVAILABLE"}),
        told=("major: Expanded access: Available → No longer available",),
        lines=(1, 3),
        stories=4,
    ),
    HardCase(
        name="the medicine of an expanded access is approved",
        before=ACCESS,
        after=edit(ACCESS, {STATUS + "overallStatus": "APPROVED_FOR_MARKETING"}),
        told=("critical: Expanded access: Available → Approved for marketing",),
        lines=(1, 3),
        stories=4,
    ),
    HardCase(
        name="expanded access to a trial's medicine opens",
        before=trial(),
        after=edit(
            trial(),
            {
                STATUS + "expandedAccessInfo": {
                    "hasExpandedAccess": True,
                    "nctId": "NCT00000002",
                    "statusForNctId": "AVAILABLE",
                }
            },
        ),
        told=(
            (
                "major: Availability of Expanded Access: No → Yes; Expanded Access Record NCT Number added: "
                "NCT00000002; Expanded Access Status (linked record) added: Available"
            ),
        ),
        lines=(3, 3),
        stories=4,
    ),
)
