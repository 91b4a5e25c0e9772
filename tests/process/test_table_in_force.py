"""The table that says what a change weighs, as it is in force: shown whole, in part, and as the settings have it."""

from pathlib import Path

import pytest

from tests.process.office import Office
from watcher.tables import load_rules

STATUS = "protocolSection.statusModule.overallStatus"


def overrides(folder: Path, text: str) -> None:
    """Add to the settings."""
    with (folder / "trialwatch.toml").open("a", encoding="utf-8") as file:
        file.write(text)


def test_the_table_is_shown_whole(office: Office) -> None:
    lines = office.run("severity", "--json").lines
    assert [line["path"] for line in lines] == list(load_rules().fields)
    assert {line["kind"] for line in lines} == {"field"}
    assert not any(line["overridden"] for line in lines)
    out = office.run("severity").out
    assert len(out.splitlines()) == len(lines)
    assert "*" not in out.replace("**", "")


def test_the_table_is_shown_as_the_settings_have_it(office: Office) -> None:
    overrides(office.folder, f'[changes.severity]\nsites = "critical"\n[changes.place]\n{STATUS} = "clause"\n')
    lines = {line["path"]: line for line in office.run("severity", "--json").lines}
    assert {line["severity"] for line in lines.values() if line["category"] == "sites"} == {"critical"}
    assert lines[STATUS]["place_set_by"] == f"changes.place.{STATUS}"
    assert {line["category"] for line in lines.values() if line["overridden"]} == {"sites", "status"}
    out = office.run("severity", "overallstatus").out
    assert out.splitlines()[0].split()[:2] == ["critical", "clause*"]
    assert out.splitlines()[-1].startswith("* set by ")


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        pytest.param(["--category", "enrolment"], {"enrolment"}, id="of a category"),
        pytest.param(["enrollmentInfo"], {"enrolment"}, id="with a word in the path"),
        pytest.param(["ENROLLMENT"], {"enrolment"}, id="with a word in the label"),
        pytest.param(["status", "--category", "dates"], {"dates"}, id="with both"),
    ],
)
def test_the_table_is_shown_in_part(office: Office, arguments: list[str], shown: set[str]) -> None:
    lines = office.run("severity", *arguments, "--json").lines
    assert shown <= {line["category"] for line in lines}
    assert 0 < len(lines) < 40


def test_the_transitions_of_the_status_are_shown(office: Office) -> None:
    lines = office.run("severity", "--status", "--json").lines
    built_in = load_rules().statuses
    assert {(line["from"], line["to"]): line["severity"] for line in lines} == {
        pair: rule.severity.value for pair, rule in built_in.items()
    }
    some = office.run("severity", "--status", "withdrawn").out.splitlines()
    assert 0 < len(some) < len(lines)
    assert all("Withdrawn" in line for line in some)


def test_the_transitions_are_shown_as_the_settings_have_them(office: Office) -> None:
    overrides(office.folder, '[changes.severity]\nstatus = "minor"\n')
    lines = office.run("severity", "--status", "--json").lines
    assert {(line["severity"], line["severity_set_by"]) for line in lines} == {("minor", "changes.severity.status")}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["--category", "site"], 'did you mean "sites"?', id="a misspelt category"),
        pytest.param(["--category", "xyzzy"], "there are identity, ", id="no category"),
        pytest.param(["--status", "--category", "sites"], "leave it out with --status", id="a category of transitions"),
    ],
)
def test_what_cannot_be_shown_is_bad_input(office: Office, arguments: list[str], words: str) -> None:
    ended = office.run("severity", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err


def test_a_word_that_nothing_has_is_said(office: Office) -> None:
    ended = office.run("severity", "xyzzy")
    assert (ended.code, ended.out) == (0, "")
    assert 'nothing has "xyzzy" in it' in ended.err


def test_wrong_settings_of_changes_are_told_with_the_others(office: Office) -> None:
    overrides(office.folder, '[changes.severity]\nsite = "minor"\n[changes.place]\nsites = "minor"\n')
    for arguments in (["config", "check"], ["severity"], ["check"]):
        ended = office.run(*arguments)
        assert ended.code == 2
        for key in ("changes.severity.site", "changes.place.sites"):
            assert f"trialwatch: {key}: " in ended.err
