"""Why a change weighs what it does: what was told and what was not, the rules behind it, and what settings reach."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.factories import study, write_days
from tests.process.office import FIRST, Office
from tests.process.typed import Run
from watcher.replay.folder import load_dataset
from watcher.replay.server import RegistryServer
from watcher.tables import load_rules

STATUS = "protocolSection.statusModule.overallStatus"
MANY = 20  # more changes than there are hexadecimal digits: two of their IDs begin alike
EVIL = "\x1b[31mred\x07 \u202eturned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """A folder with one trial that changed once, in many places."""

    folder: Path
    run: Run
    changes: list[dict[str, Any]]

    def change(self, path: str) -> dict[str, Any]:
        return next(change for change in self.changes if change["path"] == path)

    def record_rules(self, path: str, *codes: str) -> None:
        """Let the recorded changes of a path have been made by other rules."""
        (file,) = self.folder.glob("**/*.sqlite3")
        with closing(sqlite3.connect(file)) as db, db:
            db.execute("UPDATE change SET rules = ? WHERE path = ?", [json.dumps(codes), path])


@pytest.fixture
def ward(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    keywords = [f"Keyword {number}" for number in range(MANY)]
    contact = {"name": "Casey Example", "phone": "555-0100"}
    modules = {
        "conditionsModule": {"keywords": keywords},
        "contactsLocationsModule": {"centralContacts": [contact]},
        "newModule": {"value": EVIL},
    }
    after = study(FIRST, status="SUSPENDED", updated="2026-03-03", extra={"protocolSection": modules})
    days = {"2026-03-02": [study(FIRST)], "2026-03-03": [after]}
    with RegistryServer(load_dataset(write_days(tmp_path / "days", days))) as registry:
        settings = {"operator": "operations@example.org", "registry.base_url": registry.url}
        lines = [f'{key} = "{value}"' for key, value in settings.items()]
        lines.append("registry.requests_per_minute = 0")
        lines.append(f'[[watchlist]]\nname = "Ours"\ntrials = ["{FIRST}"]')
        lines.append('recipients = [{address = "reader@example.org", cadence = "immediate"}]\n')
        (tmp_path / "trialwatch.toml").write_text("\n".join(lines), encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("TRIALWATCH_LOG__LEVEL", "error")
        assert run("check").code == 0
        registry.advance()
        assert run("check").code == 0
        yield Ward(folder=tmp_path, run=run, changes=run("history", FIRST, "--json").lines)


def overrides(folder: Path, text: str) -> None:
    """Add to the settings."""
    with (folder / "trialwatch.toml").open("a", encoding="utf-8") as file:
        file.write(text)


# --- explain ----------------------------------------------------------------------------------------------------------


def test_a_change_is_explained_with_its_rules_one_a_line(ward: Ward) -> None:
    change = ward.change(STATUS)
    ward.record_rules(STATUS, "field", "T1", "of-old")
    out = ward.run("explain", change["id"]).out
    explanations = load_rules().explanations
    assert out.splitlines()[0] == f"{FIRST}, registry data of 2026-03-03: change {change['id']}"
    assert out.splitlines()[1] == change["sentence"]
    assert [line for line in out.splitlines() if line.startswith(("  field", "  T1", "  of-old"))] == [
        f"  field: {explanations['field']}",
        f"  T1: {explanations['T1']}",
        "  of-old: not among the rules of this version",
    ]
    for words in (STATUS, "Overall Recruitment Status (status)", "Recruiting", "Suspended", "critical", "line", "yes"):
        assert words in out
    assert f"(watcher/tables/fields.tsv):\n  {STATUS}: status, critical, line" in out


def test_a_change_is_explained_to_programs(ward: Ward) -> None:
    change = ward.change(STATUS)
    ward.record_rules(STATUS, "field", "T1")
    (line,) = ward.run("explain", change["id"], "--json").lines
    assert {key: line[key] for key in change} == {**change, "kind": "explanation", "rules": ["field", "T1"]}
    assert [spoken["rule"] for spoken in line["explanations"]] == ["field", "T1"]
    assert (line["place"], line["row"]["path"], line["set_by"]) == ("line", STATUS, [])


def test_every_recorded_change_is_explained_with_rules_that_are_known(ward: Ward) -> None:
    for change in ward.changes:
        (line,) = ward.run("explain", change["id"], "--json").lines
        assert line["id"] == change["id"]
        assert set(line["rules"]) <= set(load_rules().explanations)


def test_what_was_recorded_before_rules_were_kept_says_so(ward: Ward) -> None:
    ward.record_rules(STATUS)
    assert "none was kept" in ward.run("explain", ward.change(STATUS)["id"]).out


def test_the_others_of_the_same_sentence_are_named(ward: Ward) -> None:
    stories = Counter(change["story"] for change in ward.changes)
    story = next(story for story, count in stories.items() if count > 1)
    first, *others = [change["id"] for change in ward.changes if change["story"] == story]
    (line,) = ward.run("explain", first, "--json").lines
    assert line["same_sentence"] == others
    assert f"  {others[0]}  " in ward.run("explain", first).out


def test_contacts_are_not_shown(ward: Ward) -> None:
    contacts = [change for change in ward.changes if "centralContacts" in change["path"]]
    assert contacts
    for change in contacts:
        plain, (line,) = ward.run("explain", change["id"]).out, ward.run("explain", change["id"], "--json").lines
        assert "contact details" in plain
        assert "Casey" not in plain
        assert (line["old"], line["new"], line["item"]) == (None, None, None)


def test_no_record_steers_the_terminal(ward: Ward) -> None:
    change = next(change for change in ward.changes if "newModule" in change["path"])
    for arguments in (["explain", change["id"]], ["history", FIRST, "--not-told"], ["explain", change["id"], "--json"]):
        out = ward.run(*arguments).out
        assert "turned" in out
        assert all(char.isprintable() for char in out.replace("\n", ""))


def test_the_beginning_of_an_id_will_do_where_no_other_change_begins_so(ward: Ward) -> None:
    change = ward.change(STATUS)
    (line,) = ward.run("explain", f" {change['id'][:12].upper()} ", "--json").lines
    assert line["id"] == change["id"]


def test_several_changes_that_begin_so_are_named(ward: Ward) -> None:
    digits = Counter(change["id"][0] for change in ward.changes)
    digit, count = digits.most_common(1)[0]
    assert count > 1
    ended = ward.run("explain", digit)
    assert (ended.code, ended.out) == (2, "")
    named = [change["id"] for change in ward.changes if change["id"][0] == digit]
    assert sum(each in ended.err for each in named) == min(count, 10)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("0123456789abcdef", "no recorded change has the ID 0123456789abcdef", id="an unknown ID"),
        pytest.param("NCT00000001", "is not the ID of a change", id="an NCT ID"),
        pytest.param("", "is not the ID of a change", id="nothing"),
        pytest.param("%", "is not the ID of a change", id="a wildcard"),
        pytest.param("0123456789abcdef0", "is not the ID of a change", id="a digit too many"),
    ],
)
def test_what_is_no_id_of_a_change_is_bad_input(office: Office, text: str, words: str) -> None:
    assert office.run("check").code == 0
    for form in ([], ["--json"]):
        ended = office.run("explain", text, *form)
        assert (ended.code, ended.out) == (2, "")
        assert words in ended.err


# --- history ----------------------------------------------------------------------------------------------------------


def test_what_was_not_told_is_counted_by_the_rule_that_had_the_last_word(ward: Ward) -> None:
    silent = [change for change in ward.changes if not change["told"]]
    paths = Counter(change["path"] for change in silent)
    assert len(paths) > 2
    for number, path in enumerate(paths):
        ward.record_rules(path, *(["field", "M8"] if number > 1 else ["field", "M9"] if number else []))
    first, second, *others = paths.values()
    (line,) = [line for line in ward.run("history", FIRST).out.splitlines() if line.startswith("2026-03-03")]
    head, _, counts = line.partition(" recorded and not told: ")
    assert head == f"2026-03-03  {len(ward.changes)} changes, {len(silent)}"
    expected = {f"{first} without a recorded rule", f"{second} M9", f"{sum(others)} M8"}
    assert set(counts.split(", ")) == expected


def test_what_was_not_told_is_listed_when_asked_for(ward: Ward) -> None:
    silent = [change["id"] for change in ward.changes if not change["told"]]
    plain, whole = ward.run("history", FIRST).out, ward.run("history", FIRST, "--not-told").out
    listed = [line for line in whole.splitlines() if line.strip().startswith("not told, ")]
    assert [line.rpartition("(")[2].rstrip(")") for line in listed] == silent
    assert [line for line in whole.splitlines() if line not in listed] == plain.splitlines()
    assert ward.run("history", FIRST, "--json", "--not-told").lines == ward.changes


def test_each_sentence_has_the_id_of_a_change_that_it_tells(ward: Ward) -> None:
    told = {change["id"]: change["sentence"] for change in ward.changes if change["told"]}
    lines = [line for line in ward.run("history", FIRST).out.splitlines() if line.startswith("    ")]
    assert {line.rpartition("  (")[0].strip() for line in lines} == {" ".join(one.split()) for one in told.values()}
    assert {line.rpartition("(")[2].rstrip(")") for line in lines} <= set(told)


# --- what settings reach -------------------------------------------------------------------------------------------


def test_a_replay_and_a_comparison_tell_what_the_default_settings_would(ward: Ward) -> None:
    (ward.folder / "before.json").write_bytes(orjson.dumps(study(FIRST)))
    (ward.folder / "after.json").write_bytes(orjson.dumps(study(FIRST, status="SUSPENDED", enrollment=400)))
    commands = [["replay", "days", "--json"], ["compare", "before.json", "after.json", "--json"]]
    plain = [ward.run(*command).lines for command in commands]
    assert all(any(line.get("told") for line in lines) for lines in plain)
    categories = {row.category for row in load_rules().fields.values()}
    noise = "".join(f'"{category}" = "noise"\n' for category in sorted(categories))
    overrides(ward.folder, f"[changes.severity]\n{noise}")
    assert {line["severity"] for line in ward.run("severity", "--json").lines} == {"noise"}
    assert [ward.run(*command).lines for command in commands] == plain


def test_the_settings_weigh_what_comes_and_leave_what_was_recorded(office: Office) -> None:
    assert office.run("check").code == 0
    office.registry.advance()
    assert office.run("check").code == 0
    before = office.run("history", FIRST, "--json").lines
    assert any(line["told"] for line in before)
    overrides(office.folder, '[changes.severity]\nstatus = "noise"\nenrolment = "critical"\n')
    assert office.run("history", FIRST, "--json").lines == before
    office.registry.advance()
    assert office.run("check").code == 0
    later = office.run("history", FIRST, "--json").lines[len(before) :]
    assert {line["severity"] for line in later if line["category"] == "enrolment"} == {"critical"}
