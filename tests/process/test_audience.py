"""``trialwatch config explain``, ``mute``, ``unmute``, ``mutes`` and ``watch tag``: who would hear what, and why."""

import pytest

from tests.process.office import FIRST, READER, SECOND, Office

ROUTE = """
catch_all = "last@example.org"
[[route]]
name = "Safety"
recipients = ["safety@example.org"]
tags = ["x"]
severity = "critical"
"""


@pytest.fixture
def routed(office: Office) -> Office:
    """Give an office with a route, beside the list, for trials with a tag."""
    first, _, rest = ROUTE.strip().partition("\n")
    office.settings.write_text(f"{first}\n{office.settings.read_text()}{rest}\n", encoding="utf-8")
    return office


def test_a_trials_readers_are_shown_with_their_routes_and_the_catch_all(routed: Office) -> None:
    assert routed.run("watch", "tag", FIRST, "--tag", "x").code == 0
    ended = routed.run("config", "explain", FIRST)
    assert ended.code == 0
    assert f"{FIRST}  on Ours; tags: x" in ended.out
    assert '    by "Ours": every change, at once; the next window closes ' in ended.out
    assert '    by "Safety": critical changes, every day at 07:00 (UTC); the next window closes ' in ended.out
    assert "last@example.org  (the catch-all)" in ended.out
    assert "new: hears first where the trial stands" in ended.out
    [line] = routed.run("config", "explain", FIRST, "--json").lines
    assert [one["address"] for one in line["readers"]] == [READER, "safety@example.org"]
    assert line["catch_all"]["address"] == "last@example.org"
    assert line["only_catch_all"] == {}

    assert routed.run("watch", "untag", FIRST, "--tag", "x").code == 0
    [line] = routed.run("config", "explain", FIRST, "--json").lines
    assert [one["address"] for one in line["readers"]] == [READER]


def test_it_is_said_who_did_not_hear_of_the_last_change_and_why(routed: Office) -> None:
    routed.run("watch", "tag", FIRST, "--tag", "x")
    routed.run("check")
    routed.registry.advance()
    routed.registry.advance()
    routed.run("check")
    ended = routed.run("config", "explain", FIRST)
    assert f'        {READER} by "Ours": told\n' in ended.out
    assert '        safety@example.org by "Safety": not told: below your severity\n' in ended.out
    assert '        last@example.org by "catch-all": not told: others hear of it\n' in ended.out


def test_a_mute_is_shown_and_taken_back(office: Office) -> None:
    assert (
        office.run("mute", READER, "--trial", FIRST, "--category", "sites", "--until", "3d", "--reason", "away").code
        == 0
    )
    [mute] = office.run("mutes", "--json").lines
    assert (mute["address"], mute["nct_id"], mute["category"], mute["reason"]) == (READER, FIRST, "sites", "away")
    assert "(away); it is kept, and told afterwards" in office.run("config", "explain", FIRST).out
    assert office.run("unmute", READER, "--category", "sites").code == 0
    assert office.run("mutes", "--json").lines == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(
            ["raeder@example.org"], f'hears of nothing; did you mean "{READER}"?', id="nobody of that address"
        ),
        pytest.param(["reader"], "is not a mail address", id="no address"),
        pytest.param([READER, "--trial", "NCT1"], "NCT1", id="no ID"),
        pytest.param([READER, "--category", "sties"], 'did you mean "sites"?', id="no category"),
        pytest.param([READER, "--until", "soon"], "says not until when", id="no moment"),
        pytest.param([READER, "--until", "2026-01-01"], "is over", id="a moment that is over"),
    ],
)
def test_a_mute_that_makes_no_sense_ends_with_2(office: Office, arguments: list[str], says: str) -> None:
    ended = office.run("mute", *arguments)
    assert ended.code == 2
    assert says in ended.err
    assert office.run("mutes", "--json").lines == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["unmute", READER], "has no such mute", id="a mute that there is not"),
        pytest.param(["config", "explain", SECOND], "is on no watch list", id="a trial that nobody watches"),
        pytest.param(["watch", "tag", SECOND, "--tag", "x"], "is on no watch list; add it first", id="its tag"),
        pytest.param(["watch", "untag", FIRST, "--tag", "x"], 'is not tagged "x" by command', id="a tag it has not"),
        pytest.param(["watch", "tag", FIRST, "--tag", "x" * 101], "write at most 100", id="a tag that is too long"),
    ],
)
def test_what_is_not_there_ends_with_2(office: Office, arguments: list[str], says: str) -> None:
    ended = office.run(*arguments)
    assert ended.code == 2
    assert says in ended.err
