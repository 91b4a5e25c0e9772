"""Hard cases of dates, of enrolment and of values that come back."""

from tests.hard_cases.records import DESIGN, ELIGIBILITY, STATUS, HardCase, Json, edit, trial
from watcher.core.words.past import Past, PastValue

PRIMARY = STATUS + "primaryCompletionDateStruct"


def primary(date: str, kind: str = "ESTIMATED") -> Json:
    return trial({PRIMARY: {"date": date, "type": kind}})


def enrolled(count: int, kind: str = "ESTIMATED") -> Json:
    return trial({DESIGN + "enrollmentInfo": {"count": count, "type": kind}})


def moved(old: str, new: str, day: str) -> PastValue:
    return PastValue(path=f"{PRIMARY}.date", old=old, new=new, day=day)


def to(record: Json, path: str, value: Json) -> Json:
    return edit(record, {path: value})


CASES = (
    HardCase(
        name="primary completion slips by more than a year",
        before=primary("2026-03"),
        after=to(primary("2026-03"), PRIMARY, {"date": "2027-05", "type": "ESTIMATED"}),
        told=("critical: Primary completion date slipped 14 months: 2026-03 (estimated) → 2027-05 (estimated)",),
        lines=(1, 3),
        stories=4,
    ),
    HardCase(
        name="primary completion slips a third time",
        before=primary("2027-03"),
        after=to(primary("2027-03"), PRIMARY, {"date": "2027-06", "type": "ESTIMATED"}),
        past=Past(values=(moved("2026-07", "2026-12", "2025-05-02"), moved("2026-12", "2027-03", "2025-11-17"))),
        told=(
            (
                "major: Primary completion date slipped 3 months: 2027-03 (estimated) → 2027-06 (estimated); "
                "third change, 11 months later than first seen"
            ),
        ),
        lines=(1, 3),
        stories=4,
        golden=True,
    ),
    HardCase(
        name="primary completion goes back to what it was",
        before=primary("2027-03"),
        after=to(primary("2027-03"), PRIMARY, {"date": "2026-09", "type": "ESTIMATED"}),
        past=Past(values=(moved("2026-09", "2027-03", "2026-03-03"),)),
        told=(
            (
                "major: Primary completion date brought forward 6 months: 2027-03 (estimated) → 2026-09 "
                "(estimated); second change (back to the value of before 2026-03-03)"
            ),
        ),
        lines=(1, 3),
        stories=4,
        golden=True,
    ),
    HardCase(
        name="primary completion is brought forward",
        before=primary("2027-06-30"),
        after=to(primary("2027-06-30"), PRIMARY, {"date": "2027-03-31", "type": "ESTIMATED"}),
        told=(
            (
                "major: Primary completion date brought forward 3 months: 2027-06-30 (estimated) → 2027-03-31 "
                "(estimated)"
            ),
        ),
        lines=(1, 3),
        stories=4,
    ),
    HardCase(
        name="primary completion is known to the day",
        before=primary("2026-03"),
        after=to(primary("2026-03"), PRIMARY, {"date": "2026-03-17", "type": "ESTIMATED"}),
        told=("minor: Primary completion date now to the day: 2026-03 (estimated) → 2026-03-17 (estimated)",),
        lines=(1, 3),
        stories=4,
    ),
    HardCase(
        name="primary completion is reached",
        before=primary("2026-03"),
        after=to(primary("2026-03"), PRIMARY, {"date": "2026-02-27", "type": "ACTUAL"}),
        told=(("major: Primary completion reached 2026-02-27 (estimate was 2026-03), 1 month earlier than estimated"),),
        lines=(2, 3),
        stories=4,
    ),
    HardCase(
        name="primary completion is actual no longer",
        before=primary("2026-02-27", "ACTUAL"),
        after=to(primary("2026-02-27", "ACTUAL"), PRIMARY, {"date": "2026-09", "type": "ESTIMATED"}),
        told=("major: Primary completion no longer reported as actual: 2026-02-27 (actual) → 2026-09 (estimated)",),
        lines=(2, 3),
        stories=4,
    ),
    HardCase(
        name="all three dates slip at once",
        before=trial({STATUS + "startDateStruct": {"date": "2026-04", "type": "ESTIMATED"}}, completion="2027-06"),
        after=edit(
            trial(),
            {
                STATUS + "startDateStruct": {"date": "2026-09", "type": "ESTIMATED"},
                PRIMARY: {"date": "2027-11", "type": "ESTIMATED"},
                STATUS + "completionDateStruct": {"date": "2028-07", "type": "ESTIMATED"},
            },
        ),
        told=(
            "critical: Study completion date slipped 13 months: 2027-06 (estimated) → 2028-07 (estimated)",
            "major: Primary completion date slipped 5 months: 2027-06 (estimated) → 2027-11 (estimated)",
            "minor: Start date slipped 5 months: 2026-04 (estimated) → 2026-09 (estimated)",
        ),
        lines=(3, 3),
        stories=6,
        golden=True,
    ),
    HardCase(
        name="the target of enrolment grows by a fifth",
        before=enrolled(100),
        after=to(enrolled(100), DESIGN + "enrollmentInfo.count", 120),
        told=("major: Enrollment: 100 (estimated) → 120 (estimated), +20 %",),
        lines=(1, 3),
        stories=4,
    ),
    HardCase(
        name="the target of enrolment grows by less",
        before=enrolled(100),
        after=to(enrolled(100), DESIGN + "enrollmentInfo.count", 119),
        told=("minor: Enrollment: 100 (estimated) → 119 (estimated), +19 %",),
        lines=(1, 3),
        stories=4,
    ),
    HardCase(
        name="enrolment ends just short of eighty-five percent of its target",
        before=enrolled(1000),
        after=to(enrolled(1000), DESIGN + "enrollmentInfo", {"count": 849, "type": "ACTUAL"}),
        told=("major: Enrollment: 1,000 (estimated) → 849 (actual), 84 % of target",),
        lines=(2, 3),
        stories=4,
    ),
    HardCase(
        name="enrolment ends below half its target",
        before=enrolled(1000),
        after=to(enrolled(1000), DESIGN + "enrollmentInfo", {"count": 499, "type": "ACTUAL"}),
        told=("critical: Enrollment: 1,000 (estimated) → 499 (actual), 49 % of target",),
        lines=(2, 3),
        stories=4,
    ),
    HardCase(
        name="an actual enrolment changes",
        before=enrolled(500, "ACTUAL"),
        after=to(enrolled(500, "ACTUAL"), DESIGN + "enrollmentInfo.count", 501),
        told=("major: Enrollment: 500 (actual) → 501 (actual)",),
        lines=(1, 3),
        stories=4,
    ),
    HardCase(
        name="the same age in months",
        before=trial(),
        after=to(trial(), ELIGIBILITY + "minimumAge", "216 Months"),
        told=(),
        lines=(0, 4),
        stories=4,
    ),
    HardCase(
        name="a lower age",
        before=trial(),
        after=to(trial(), ELIGIBILITY + "minimumAge", "12 Years"),
        told=("major: Minimum Age: 18 Years → 12 Years",),
        lines=(1, 3),
        stories=4,
    ),
)
