"""``trialwatch replay``: each day's changes and messages, the same in every process, to the byte."""

import json
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.process.office import Office
from tests.process.processes import printed
from tests.process.typed import CHANGE_KEYS, Run
from watcher.replay.demo import DEMO_DAYS, write_demo_days


@pytest.fixture(scope="module")
def demo_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("days")
    write_demo_days(folder)
    return folder


@pytest.fixture(scope="module")
def replayed(demo_days: Path) -> str:
    """Give what a process of its own prints, whose hashes are not those of this one."""
    return printed("replay", str(demo_days), "--json", folder=demo_days, PYTHONHASHSEED="1")


@pytest.fixture
def lines(replayed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in replayed.splitlines()]


def test_a_replay_prints_the_same_bytes_in_another_process(demo_days: Path, replayed: str, run: Run) -> None:
    assert replayed.count('"kind":"change"') > 100
    assert run("replay", str(demo_days), "--json").out == replayed


def test_a_replay_tells_each_day_its_changes_and_its_messages(lines: list[dict[str, Any]]) -> None:
    days = [(day, list(of_day)) for day, of_day in groupby(lines, key=lambda line: line["day"])]
    assert [day for day, _ in days] == [day.isoformat() for day in DEMO_DAYS]
    for _, (head, *rest) in days:
        assert set(head) == {"kind", "day", "records", "verified", "changed"}
        assert head["kind"] == "day"
        assert [line["kind"] for line in rest] == sorted(line["kind"] for line in rest)  # changes, then messages
        changes = [line for line in rest if line["kind"] == "change"]
        assert all(set(line) == CHANGE_KEYS | {"day"} for line in changes)
        assert len({line["nct_id"] for line in changes}) == head["changed"]
        messages = [line for line in rest if line["kind"] == "message"]
        assert {line["to"] for line in messages} <= {"replay@example.org"}
        assert any(line["told"] for line in changes) is any("watching" not in each["subject"] for each in messages)
    (first, *seen), quiet = days[0][1], dict(days)["2026-03-11"]
    assert (first["records"], first["verified"], first["changed"]) == (7, 7, 0)
    assert [line["subject"] for line in seen] == ["Now watching 7 trials"]
    assert len(quiet) == 1
    ids = [line["id"] for line in lines if line["kind"] == "change"]
    assert len(set(ids)) == len(ids)


def test_contacts_are_null_in_what_leaves_a_trial_s_own_page(lines: list[dict[str, Any]]) -> None:
    contacts = [line for line in lines if line["kind"] == "change" and "ontacts[]" in line["path"]]
    assert contacts
    assert {(line["old"], line["new"], line["item"]) for line in contacts} == {(None, None, None)}


def test_a_replay_from_a_day_on_tells_the_same_of_those_days(
    demo_days: Path, lines: list[dict[str, Any]], run: Run
) -> None:
    later = run("replay", str(demo_days), "--json", "--from", "2026-03-09").lines
    assert later == [line for line in lines if line["day"] >= "2026-03-09"]
    assert later


def test_a_replay_for_people_shows_days_mails_and_sentences(demo_days: Path, run: Run) -> None:
    out = run("replay", str(demo_days)).out
    assert "2026-03-02  7 records, 7 verified, 0 changed" in out
    assert "    mail: Now watching 7 trials" in out
    assert "Recruitment status: Recruiting → Suspended" in out


@pytest.mark.parametrize(
    ("start", "days"),
    [
        pytest.param("2026-03-04", ["2026-03-05"], id="between two days"),
        pytest.param("2026-03-03", ["2026-03-03", "2026-03-05"], id="a day"),
        pytest.param("2026-01-01", ["2026-03-02", "2026-03-03", "2026-03-05"], id="before the first"),
    ],
)
def test_a_replay_begins_at_the_next_day_that_there_is(office: Office, start: str, days: list[str]) -> None:
    ended = office.run("replay", "days", "--from", start, "--json")
    assert ended.code == 0
    assert [line["day"] for line in ended.lines if line["kind"] == "day"] == days


def test_a_replay_cannot_begin_after_the_last_day(office: Office) -> None:
    ended = office.run("replay", "days", "--from", "2026-03-06")
    assert ended.code == 2
    assert "2026-03-05" in ended.err
