"""Every record of the demo, on every day it is served: whole, well-formed, and free of anything real but places."""

import json
import re
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from watcher.model import Json
from watcher.replay.demo import DEMO_DAYS, DEMO_TRIALS, build_demo_days, write_demo_days

RECORDS = [(day.day, line) for day in build_demo_days() for line in day.lines if line.record is not None]
EACH = pytest.mark.parametrize(
    ("day", "nct_id", "record"),
    [(day, line.nct_id, line.record) for day, line in RECORDS],
    ids=[f"{line.nct_id} on {day}" for day, line in RECORDS],
)

REQUIRED = ("identification", "status", "sponsorCollaborators", "description", "conditions", "design", "eligibility")
STATUSES = {"NOT_YET_RECRUITING", "RECRUITING", "ENROLLING_BY_INVITATION", "ACTIVE_NOT_RECRUITING", "SUSPENDED",
            "TERMINATED", "COMPLETED", "UNKNOWN"}  # fmt: skip
PHASES = {"NA", "EARLY_PHASE1", "PHASE1", "PHASE2", "PHASE3", "PHASE4"}
PEOPLE = re.compile(
    r"(Trial Office|Site) Contact \d+"
    r"|(Principal Investigator|Study Chair|Study Director|Medical Director|Medical Monitor) [A-C]"
    r"|Principal Investigator"
)


def leaves(value: Json, name: str = "") -> Iterator[tuple[str, Json]]:
    """Every leaf with the name of the nearest field above it."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from leaves(below, key)
    elif isinstance(value, list):
        for below in value:
            yield from leaves(below, name)
    else:
        yield name, value


@EACH
def test_a_record_is_whole_and_carries_its_id_and_the_stamp_of_its_day(day: date, nct_id: str, record: Json) -> None:
    protocol = record["protocolSection"]

    assert protocol["identificationModule"]["nctId"] == nct_id
    assert all(protocol.get(f"{module}Module") for module in REQUIRED)
    assert record["derivedSection"]["miscInfoModule"]["versionHolder"] == day.isoformat()
    assert record["hasResults"] == ("resultsSection" in record)


@EACH
def test_dates_are_well_formed_and_updates_are_posted_after_they_were_submitted(
    day: date, nct_id: str, record: Json
) -> None:
    status = record["protocolSection"]["statusModule"]

    for name, value in leaves(record):
        if (name.endswith("Date") or name == "date") and name != "uploadDate":
            assert re.fullmatch(r"\d{4}-\d\d(-\d\d)?", value), f"{nct_id}: {name} is {value}"
            assert date.fromisoformat(f"{value}-01"[:10])
    assert status["lastUpdateSubmitDate"] <= status["lastUpdatePostDateStruct"]["date"] <= day.isoformat()
    assert status["studyFirstSubmitDate"] <= status["studyFirstPostDateStruct"]["date"]


@EACH
def test_status_and_phase_are_values_that_the_registry_knows(day: date, nct_id: str, record: Json) -> None:
    protocol = record["protocolSection"]
    open_status = protocol["statusModule"]["overallStatus"] in {"RECRUITING", "UNKNOWN"}
    site_statuses = {site.get("status") for site in protocol["contactsLocationsModule"]["locations"]}

    assert protocol["statusModule"]["overallStatus"] in STATUSES
    assert set(protocol["designModule"].get("phases", [])) <= PHASES
    assert site_statuses <= ({"RECRUITING", "NOT_YET_RECRUITING"} if open_status else {None})


@EACH
def test_nothing_in_a_record_leads_to_a_real_person(day: date, nct_id: str, record: Json) -> None:
    text = json.dumps(record)

    assert set(re.findall(r"@([\w.-]+\w)", text)) <= {"example.org"}
    assert all(re.fullmatch(r"(.+\.)?example\.org", host) for host in re.findall(r"https?://([^/\"]+)", text))
    for name, value in leaves(record):
        if name == "phone":
            assert re.fullmatch(r"555-01\d\d", value)
        if name == "investigatorFullName":
            assert PEOPLE.fullmatch(value)
    places = record["protocolSection"]["contactsLocationsModule"]
    people = [*places.get("centralContacts", []), *places.get("overallOfficials", [])]
    people += [contact for site in places["locations"] for contact in site.get("contacts", [])]
    assert all(PEOPLE.fullmatch(person["name"]) for person in people)


def test_all_trials_but_one_have_ids_that_the_registry_cannot_have() -> None:
    assert DEMO_TRIALS[0] == "NCT07298239"
    assert all(re.fullmatch(r"NCT9900000[1-7]", nct_id) for nct_id in DEMO_TRIALS[1:])


def test_every_file_of_a_trial_is_named_after_it_and_every_trial_has_one() -> None:
    folder = files("watcher.replay.demo").joinpath("trials")
    named = {entry.name: json.loads(entry.read_bytes()) for entry in folder.iterdir()}

    assert set(named) == {f"{nct_id}.json" for nct_id in DEMO_TRIALS}
    assert all(f"{get_id(record)}.json" == name for name, record in named.items())


def get_id(record: Json) -> str:
    return str(record["protocolSection"]["identificationModule"]["nctId"])


def test_the_written_files_hold_one_compact_record_a_line_and_nothing_for_the_day_without_dataset(
    tmp_path: Path,
) -> None:
    write_demo_days(tmp_path / "days")

    written = {path.name: path.read_bytes() for path in (tmp_path / "days").iterdir()}
    assert set(written) == {f"{day}.jsonl" for day in DEMO_DAYS}
    assert written["2026-03-11.jsonl"] == b""
    assert written["2026-03-12.jsonl"].endswith(b'\n{"removed":"NCT99000007"}\n')
    for body in written.values():
        for line in body.decode("utf-8").splitlines():
            assert line == json.dumps(json.loads(line), ensure_ascii=False, separators=(",", ":"))
