"""``trialwatch history``, ``show`` and ``diff``: what is known of one trial."""

import pytest

from tests.process.office import FIRST, UNKNOWN, Office
from tests.process.typed import CHANGE_KEYS


@pytest.fixture
def three_days(office: Office) -> Office:
    """Let three days of the registry be checked."""
    assert office.run("check").code == 0
    for _ in range(2):
        office.registry.advance()
        assert office.run("check").code == 0
    return office


def test_the_history_lists_every_change_with_its_day(three_days: Office) -> None:
    lines = three_days.run("history", FIRST, "--json").lines
    assert all(set(line) == CHANGE_KEYS | {"day", "acknowledgement"} for line in lines)
    told = [(line["day"], line["old"], line["new"]) for line in lines if line["told"]]
    assert told == [("2026-03-03", "RECRUITING", "SUSPENDED"), ("2026-03-05", 40, 400)]
    out = three_days.run("history", FIRST.lower()).out
    assert next(line for line in out.splitlines() if not line.startswith(" ")) == "2026-03-02  first seen"
    assert "    Study suspended: no reason given" in out


def test_a_record_is_shown_as_it_was(three_days: Office) -> None:
    for arguments, status, enrollment in (
        ([], "SUSPENDED", 400),
        (["--at", "2026-03-02"], "RECRUITING", 40),
        (["--at", "2026-03-03"], "SUSPENDED", 40),
        (["--at", "2026-03-04"], "SUSPENDED", 40),
        (["--at", "2030-01-01"], "SUSPENDED", 400),
    ):
        (record,) = three_days.run("show", FIRST, *arguments, "--json").lines
        assert (arguments, record["protocolSection"]["statusModule"]["overallStatus"]) == (arguments, status)
        assert record["protocolSection"]["designModule"]["enrollmentInfo"]["count"] == enrollment
        assert "Overall Recruitment Status: " in three_days.run("show", FIRST, *arguments).out


def test_a_diff_is_of_the_days_that_were_asked_for(three_days: Office) -> None:
    dates = {"lastUpdateSubmitDate", "date"}  # of both updates
    for days, leaves in (
        ([], {"count"}),  # of the last two versions
        (["2026-03-02"], {"count", "overallStatus", "statusVerifiedDate"}),
        (["2026-03-02", "2026-03-03"], {"overallStatus", "statusVerifiedDate"}),
    ):
        lines = three_days.run("diff", FIRST, *days, "--json").lines
        assert {line["kind"] for line in lines} == {"difference"}
        assert (days, {line["path"].rpartition(".")[2] for line in lines}) == (days, leaves | dates)

    ended = three_days.run("diff", FIRST, "2026-03-03", "2026-03-04")
    assert (ended.code, ended.out) == (0, "")
    assert "no difference" in ended.err


def test_what_is_not_there_to_be_read_is_said_to_be_missing(office: Office) -> None:
    office.run("check")
    for arguments, words in (
        (["history", UNKNOWN], "never been fetched"),
        (["show", UNKNOWN], "never been fetched"),
        (["show", FIRST, "--at", "2026-01-01"], "the first one is of 2026-03-02"),
        (["diff", FIRST], "only one version"),
    ):
        ended = office.run(*arguments)
        assert (arguments, ended.code, ended.out) == (arguments, 2, "")
        assert words in ended.err


@pytest.mark.parametrize("day", ["20260101", "2026-W01-1", "2026-02-30", "today", "2026-1-1"])
def test_a_day_is_written_in_one_way_only(office: Office, day: str) -> None:
    for arguments in (["show", FIRST, "--at", day], ["diff", FIRST, day], ["replay", "days", "--from", day]):
        ended = office.run(*arguments)
        assert (arguments, ended.code) == (arguments, 2)
        assert "2026-" in ended.err
        assert "write" in ended.err
