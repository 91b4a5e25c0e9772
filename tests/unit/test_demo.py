"""The demo's registry: what it promises to show, day by day, and the language in which its days are written.

Every kind of change stands in one table below; the README of the demo has the same rows, and a test keeps them equal.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

import pytest

from watcher.model import Json
from watcher.replay.demo import DEMO_DAYS, DEMO_TRIALS, DemoDay, DemoLine, build_demo_days

Check = Callable[[Json, Json], bool]

STATUS = "protocolSection.statusModule."
SPONSOR = "protocolSection.sponsorCollaboratorsModule."
DESIGN = "protocolSection.designModule."
ARMS = "protocolSection.armsInterventionsModule."
OUTCOMES = "protocolSection.outcomesModule."
ELIGIBILITY = "protocolSection.eligibilityModule."
PLACES = "protocolSection.contactsLocationsModule."
MISC = "derivedSection.miscInfoModule."
EVENTS = "annotationSection.annotationModule.unpostedAnnotation.unpostedEvents"
PRIMARY_COMPLETION = STATUS + "primaryCompletionDateStruct"


@cache
def demo_days() -> tuple[DemoDay, ...]:
    return build_demo_days()


def record_on(day: date, nct_id: str) -> Json:
    """The record as the registry serves it on that day; None where the trial is not there, or no longer."""
    lines = [line for demo_day in demo_days() if demo_day.day <= day for line in demo_day.lines]
    return next((line.record for line in reversed(lines) if line.nct_id == nct_id), None)


def pairs() -> Iterator[tuple[date, DemoLine, Json]]:
    """Every line with the record as of the day before."""
    for demo_day in demo_days():
        for line in demo_day.lines:
            yield demo_day.day, line, record_on(demo_day.day - timedelta(days=1), line.nct_id)


def get(record: Json, path: str) -> Json:
    """The value at a plain dotted path; None where it is absent."""
    for name in path.split("."):
        record = record.get(name) if isinstance(record, dict) else None
    return record


def went(path: str, old: Json, new: Json) -> Check:
    return lambda before, after: (get(before, path), get(after, path)) == (old, new)


def shows(holds: Callable[[Json], bool]) -> Check:
    return lambda _before, after: holds(after)


def both(*checks: Check) -> Check:
    return lambda before, after: all(check(before, after) for check in checks)


def only(path: str) -> Check:
    """Nothing but the value at ``path`` and the dates of a sponsor's update differs."""

    def check(before: Json, after: Json) -> bool:
        flat_before, flat_after = flat(before), flat(after)
        moved = {key for key in flat_before | flat_after if flat_before.get(key) != flat_after.get(key)}
        update_dates = (MISC, STATUS + "statusVerifiedDate", STATUS + "lastUpdate")
        told = {key for key in moved if not key.startswith(update_dates)}
        return bool(told) and all(key.startswith(path) for key in told)

    return check


def flat(value: Json, path: str = "") -> dict[str, Json]:
    if isinstance(value, dict):
        return {k: v for name, below in value.items() for k, v in flat(below, f"{path}.{name}".lstrip(".")).items()}
    if isinstance(value, list):
        return {k: v for index, below in enumerate(value) for k, v in flat(below, f"{path}.{index}").items()}
    return {path: value}


def sites(record: Json, field: str = "facility") -> list[Json]:
    return [site.get(field) for site in get(record, PLACES + "locations")]


def site_in(record: Json, city: str) -> Json:
    return next((site for site in get(record, PLACES + "locations") if site["city"] == city), None)


def measures(record: Json, section: str) -> set[str]:
    return {outcome["measure"] for outcome in get(record, OUTCOMES + section)}


def bullets(record: Json) -> list[str]:
    text = get(record, ELIGIBILITY + "eligibilityCriteria")
    return [line for line in text.splitlines() if line.startswith("* ")]


def reordered(path: str) -> Check:
    def check(before: Json, after: Json) -> bool:
        old, new = get(before, path), get(after, path)
        return bool(old != new and sorted(old, key=str) == sorted(new, key=str)) and only(path)(before, after)

    return check


def event_types(record: Json) -> list[str]:
    return [event["type"] for event in get(record, EVENTS) or []]


def no_open_sites(_before: Json, after: Json) -> bool:
    gone = get(after, PLACES + "centralContacts") is None
    return gone and not any("status" in site or "contacts" in site for site in get(after, PLACES + "locations"))


def same_words(before: Json, after: Json) -> bool:
    def words(record: Json) -> list[str]:
        texts = [get(record, "protocolSection.descriptionModule"), get(record, ELIGIBILITY + "eligibilityCriteria")]
        plain = str(texts).replace("&amp;", "&").replace("&#x27;", "'")
        return re.findall(r"\w+", plain)

    return before != after and words(before) == words(after)


def dates(old: str, new: str, *, old_type: str = "ESTIMATED", new_type: str = "ESTIMATED") -> Check:
    return went(PRIMARY_COMPLETION, {"date": old, "type": old_type}, {"date": new, "type": new_type})


def enrolment(old: tuple[int, str], new: tuple[int, str]) -> Check:
    counts = [{"count": count, "type": kind} for count, kind in (old, new)]
    return went(DESIGN + "enrollmentInfo", counts[0], counts[1])


# What the day shows (as in the README), the day in March 2026, the trial's last digit, the proof.
KINDS: list[tuple[str, int, int, Check]] = [
    ("Recruiting → Suspended, with the reason", 3, 1, both(
        went(STATUS + "overallStatus", "RECRUITING", "SUSPENDED"),
        lambda old, new: get(old, STATUS + "whyStopped") is None and "paused" in get(new, STATUS + "whyStopped"),
        no_open_sites)),
    ("Suspended → Recruiting", 9, 1, both(
        went(STATUS + "overallStatus", "SUSPENDED", "RECRUITING"),
        shows(lambda new: get(new, STATUS + "whyStopped") is None and set(sites(new, "status")) == {"RECRUITING"}))),
    ("Terminated, with the reason", 12, 3, both(
        went(STATUS + "overallStatus", "RECRUITING", "TERMINATED"),
        shows(lambda new: bool(get(new, STATUS + "whyStopped"))), no_open_sites)),
    ("Recruitment closed at sixty sites", 12, 2, both(
        went(STATUS + "overallStatus", "RECRUITING", "ACTIVE_NOT_RECRUITING"), no_open_sites,
        lambda old, new: len(sites(new)) == 60 and bool(get(old, PLACES + "centralContacts")))),
    ("Not yet recruiting → Recruiting, start date actual", 12, 4, both(
        went(STATUS + "overallStatus", "NOT_YET_RECRUITING", "RECRUITING"),
        went(STATUS + "startDateStruct.type", "ESTIMATED", "ACTUAL"))),
    ("Completed, with actual dates", 9, 6, both(
        went(STATUS + "overallStatus", "UNKNOWN", "COMPLETED"),
        went(STATUS + "completionDateStruct.type", "ESTIMATED", "ACTUAL"))),
    ("Unknown status, set by the registry", 3, 6, both(
        went(STATUS + "overallStatus", "RECRUITING", "UNKNOWN"), went(STATUS + "lastKnownStatus", None, "RECRUITING"))),
    ("Primary completion slips by months", 9, 0, dates("2027-12-01", "2028-04-01")),
    ("Primary completion A → B", 6, 4, dates("2026-09", "2027-03")),
    ("Primary completion B → A again", 10, 4, dates("2027-03", "2026-09")),
    ("Primary completion more precise", 13, 4, dates("2026-09", "2026-09-15")),
    ("Primary completion reached", 9, 6, dates("2025-06", "2025-04-11", new_type="ACTUAL")),
    ("Enrolment target +25 %", 9, 2, enrolment((1200, "ESTIMATED"), (1500, "ESTIMATED"))),
    ("Enrolment estimated → actual", 12, 2, enrolment((1500, "ESTIMATED"), (1512, "ACTUAL"))),
    ("Enrolment ends below half its target", 12, 3, enrolment((90, "ESTIMATED"), (41, "ACTUAL"))),
    ("New site", 3, 2, lambda old, new: set(sites(new)) - set(sites(old)) == {"Ústí Heart Trials Unit"}),
    ("One site's status", 3, 2, lambda old, new: (
        site_in(old, "Recife")["status"], site_in(new, "Recife")["status"]) == ("NOT_YET_RECRUITING", "RECRUITING")),
    ("Placeholder site gets its name", 4, 2, lambda old, new: (
        site_in(old, "León")["facility"] == "Local Institution - 0012"
        and site_in(new, "León")["facility"] == "Hospital de Investigación Río Bernesga")),
    ("Site removed, and its country", 4, 2, both(
        lambda old, new: site_in(old, "Esbjerg") is not None and site_in(new, "Esbjerg") is None,
        went(MISC + "removedCountries", None, ["Denmark"]))),
    ("Primary outcome reworded", 9, 4, shows(lambda new: (
        "Change from baseline in the Insomnia Severity Index total score" in measures(new, "primaryOutcomes")))),
    ("Secondary outcome becomes primary", 9, 4, lambda old, new: (
        "Glucose time in range" in measures(old, "secondaryOutcomes") & measures(new, "primaryOutcomes")
        and "Glucose time in range" not in measures(new, "secondaryOutcomes"))),
    ("Secondary outcome dropped", 9, 4, lambda old, new: (
        "Sleep efficiency by wrist sensor" in measures(old, "secondaryOutcomes") - measures(new, "secondaryOutcomes")
        and "Sleep efficiency by wrist sensor" not in measures(new, "primaryOutcomes"))),
    ("Eligibility: age ≥ 18 → ≥ 16 years", 10, 1, both(
        went(ELIGIBILITY + "minimumAge", "18 Years", "16 Years"),
        lambda old, new: get(new, ELIGIBILITY + "eligibilityCriteria")
        == get(old, ELIGIBILITY + "eligibilityCriteria").replace("Age ≥ 18 years", "Age ≥ 16 years"))),
    ("Eligibility: criteria reworded, moved, added, dropped", 9, 2, lambda old, new: (
        [bullets(old)[1], bullets(old)[0]] == bullets(new)[:2]
        and len(bullets(old)) == len(bullets(new))
        and len(set(bullets(new)) - set(bullets(old))) == 2)),
    ("Arm added", 6, 3, lambda old, new: len(get(new, ARMS + "armGroups")) == len(get(old, ARMS + "armGroups")) + 1),
    ("Intervention renamed, old name kept", 6, 3, lambda old, new: (
        get(old, ARMS + "interventions")[0]["name"] == "BWB-9"
        and get(new, ARMS + "interventions")[0]["name"] == "Orvantamig"
        and get(new, ARMS + "interventions")[0]["otherNames"] == ["BWB-9"])),
    ("Phase 1 → Phase 1/Phase 2", 4, 3, went(DESIGN + "phases", ["PHASE1"], ["PHASE1", "PHASE2"])),
    ("Masking Double → Quadruple", 12, 1, went(DESIGN + "designInfo.maskingInfo.masking", "DOUBLE", "QUADRUPLE")),
    ("Officials changed", 9, 2, lambda old, new: (
        get(old, PLACES + "overallOfficials") != get(new, PLACES + "overallOfficials"))),
    ("A contact's telephone number only", 4, 0, only(PLACES + "locations.0.contacts.0.phone")),
    ("Sponsor renamed by its legal suffix", 6, 1, went(
        SPONSOR + "leadSponsor.name", "Quillmere Therapeutics", "Quillmere Therapeutics, Inc.")),
    ("Another sponsor", 9, 3, went(SPONSOR + "leadSponsor.name", "Brackwater Biologics", "Halden Ridge Oncology")),
    ("Collaborators added", 4, 3, lambda old, new: (
        get(old, SPONSOR + "collaborators") is None and len(get(new, SPONSOR + "collaborators")) == 2)),
    ("Results submitted", 3, 5, lambda old, new: (event_types(old), event_types(new)) == ([], ["RELEASE"])),
    ("Results returned after quality control", 6, 5, shows(lambda new: (
        event_types(new) == ["RELEASE", "RESET"]
        and get(new, MISC + "submissionTracking.submissionInfos")[-1]["resetDate"] == "2026-03-05"))),
    ("Results submitted again", 10, 5, shows(lambda new: (
        event_types(new) == ["RELEASE", "RESET", "RELEASE"]
        and len(get(new, MISC + "submissionTracking.submissionInfos")) == 2))),
    ("Results posted, with documents", 13, 5, both(
        went("hasResults", False, True),
        shows(lambda new: len(new["resultsSection"]) == 5 and "annotationSection" not in new),
        shows(lambda new: get(new, "documentSection.largeDocumentModule.largeDocs")[0]["typeAbbrev"] == "Prot_SAP"))),
    ("Outcome reworded for the results form", 13, 5, lambda old, new: (
        len(measures(old, "primaryOutcomes") | measures(new, "primaryOutcomes")) == 2)),
    ("Certification or extension request", 12, 6, went(STATUS + "dispFirstSubmitDate", None, "2026-03-09")),
    ("Site placed anew on the map", 6, 2, lambda old, new: (
        site_in(old, "Kochi")["geoPoint"] != site_in(new, "Kochi")["geoPoint"])),
    ("City respelled", 6, 2, lambda old, new: (
        site_in(old, "Napoli")["facility"] == site_in(new, "Naples")["facility"])),
    ("MeSH terms derived anew", 6, 6, only("derivedSection.conditionBrowseModule")),
    ("Publication linked by the registry", 4, 6, both(
        only("protocolSection.referencesModule"),
        shows(lambda new: get(new, "protocolSection.referencesModule.references")[-1]["type"] == "DERIVED"))),
    ("Cited publication retracted", 10, 6, lambda old, new: (
        "retractions" in str(get(new, "protocolSection.referencesModule")) and "retractions" not in str(old))),
    ("Cosmetic edit of texts only", 6, 7, same_words),
    ("Sites in another order only", 10, 2, reordered(PLACES + "locations")),
    ("Keywords in another order only", 10, 7, reordered("protocolSection.conditionsModule.keywords")),
    ("New trial in the registry", 4, 4, lambda old, new: old is None and new is not None),
    ("Record gone for good", 12, 7, lambda old, new: old is not None and new is None),
]  # fmt: skip

# On these lines the registry acts, so that the dates of the sponsor's last update must not move.
REGISTRY_SIDE = {(3, 5), (3, 6), (4, 6), (6, 2), (6, 5), (6, 6), (10, 2), (10, 5), (10, 6)}


@pytest.mark.parametrize(("day", "digit", "check"), [kind[1:] for kind in KINDS], ids=[kind[0] for kind in KINDS])
def test_the_demo_shows(day: int, digit: int, check: Check) -> None:
    today = date(2026, 3, day)

    assert check(record_on(today - timedelta(days=1), DEMO_TRIALS[digit]), record_on(today, DEMO_TRIALS[digit]))


def test_the_readme_lists_every_kind_with_its_day_and_trial() -> None:
    readme = files("watcher.replay.demo").joinpath("README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| (.+?) \| 2026-03-(\d\d) \| (NCT\d{8}) \|$", readme, flags=re.MULTILINE))

    assert listed == {(text, f"{day:02}", DEMO_TRIALS[digit]) for text, day, digit, _ in KINDS}


def test_the_days_are_the_weekdays_of_two_weeks_but_one() -> None:
    fortnight = [date(2026, 3, 2) + timedelta(days=offset) for offset in range(12)]
    weekdays = [day for day in fortnight if day.weekday() < 5]

    assert tuple(demo_day.day for demo_day in demo_days()) == DEMO_DAYS
    assert set(weekdays) - set(DEMO_DAYS) == {date(2026, 3, 5)}


def test_on_one_day_nothing_but_the_stamp_changes() -> None:
    assert [demo_day.day for demo_day in demo_days() if not demo_day.lines] == [date(2026, 3, 11)]


def test_a_line_stands_only_where_more_than_the_stamp_differs() -> None:
    for day, line, before in pairs():
        if before is not None and line.record is not None:
            assert only("")(before, line.record), (day, line.nct_id)


def test_a_record_that_left_the_registry_does_not_come_back() -> None:
    gone = {(day, line.nct_id) for day, line, _ in pairs() if line.record is None}

    assert not [line for day, line, _ in pairs() for since, nct_id in gone if nct_id == line.nct_id and day > since]


def test_the_dates_of_the_last_update_move_with_the_sponsor_and_not_with_the_registry() -> None:
    by_registry = set()
    for day, line, before in pairs():
        if before is None or line.record is None:
            continue
        moved = [get(before, STATUS + key) != get(line.record, STATUS + key) for key in
                 ("lastUpdateSubmitDate", "lastUpdatePostDateStruct")]  # fmt: skip
        assert moved == [line.by_sponsor] * 2, (day, line.nct_id)
        if not line.by_sponsor:
            by_registry.add((day.day, DEMO_TRIALS.index(line.nct_id)))

    assert by_registry == REGISTRY_SIDE
