"""What reaches a terminal: nothing that a record holds steers it, and it need not speak UTF-8."""

import io
import json
import sys
import unicodedata
from pathlib import Path

import orjson
import pytest

from tests.factories import Json, study, write_days
from tests.process.office import FIRST, SECOND, Office, opened_office
from tests.process.typed import Run

EVIL = (
    "\x1b[31mred\x1b]0;title\x07 \x9b2J \x00\x08\x7f \u202eturned\u2069\u200b \u2028end\x85 [link=file:///etc/passwd]"
)


def hostile(text: str) -> Json:
    """Return a record in which this text stands in every kind of place, keys too."""
    return study(
        FIRST,
        title=text,
        status=text,
        start=text,
        completion=text,
        locations=[{"facility": text, "city": text, "country": text, "status": text}],
        extra={
            "protocolSection": {
                "descriptionModule": {"briefSummary": text, "detailedDescription": text * 20},
                "conditionsModule": {"conditions": [text], "keywords": [text, f"{text} 2"]},
                "eligibilityModule": {"sex": text, "eligibilityCriteria": text},
                "sponsorCollaboratorsModule": {"leadSponsor": {"name": text, "class": text}},
                "outcomesModule": {"primaryOutcomes": [{"measure": text, "timeFrame": text}]},
                "unknownModule": {f"key{text}": [{f"key{text}": text}]},
            }
        },
    )


HOSTILE_DAYS = {"2026-03-02": [hostile(EVIL)], "2026-03-03": [hostile(f"{EVIL} again")]}


def assert_harmless(output: str) -> None:
    found = {
        repr(char) for char in output if char != "\n" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    }
    assert found == set()


def test_no_command_about_watched_trials_prints_a_control_character(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_office(tmp_path, HOSTILE_DAYS, run, monkeypatch) as office:
        office.settle(trials=[FIRST, SECOND])
        printed = [run("check")]
        office.registry.advance()
        printed += [run("check", "--json")]
        for command in (["history", FIRST], ["show", FIRST], ["diff", FIRST], ["watch", "list"], ["status"], ["check"]):
            printed += [run(*command), run(*command, "--json")]
        printed += [run("watch", "export"), run("doctor"), run("watch", "add", "\x1b[31mNCT\x07")]
    assert {ended.code for ended in printed} == {0, 1, 2}  # 1: the second trial is not there; 2: the last one
    for ended in printed:
        assert_harmless(ended.out)
        assert_harmless(ended.err)
    everything = "".join(ended.out for ended in printed)
    assert "turned" in everything
    assert "[link=file:///etc/passwd]" in everything


def test_no_command_about_files_prints_a_control_character(tmp_path: Path, run: Run) -> None:
    days = write_days(tmp_path / "days", HOSTILE_DAYS)
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    before.write_bytes(orjson.dumps(study(FIRST)))
    after.write_bytes(orjson.dumps(hostile(EVIL)))
    for command in (["replay", str(days)], ["compare", str(before), str(after)]):
        for form in ([], ["--json"]):
            ended = run(*command, *form)
            assert ended.code == 0
            assert "turned" in ended.out
            assert_harmless(ended.out)
            assert_harmless(ended.err)


def test_what_is_printed_for_programs_still_says_what_the_record_says(tmp_path: Path, run: Run) -> None:
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    before.write_bytes(orjson.dumps({"protocolSection": {"identificationModule": {"acronym": "A"}}}))
    after.write_bytes(orjson.dumps({"protocolSection": {"identificationModule": {"acronym": f"{EVIL}\U000e0001é"}}}))
    (change,) = run("compare", str(before), str(after), "--json").lines
    assert change["new"] == f"{EVIL}\U000e0001é"


@pytest.mark.parametrize("arguments", [["watch", "list"], ["watch", "list", "--json"], ["--help"]], ids=" ".join)
def test_an_output_that_is_not_utf8_is_no_reason_to_fail(
    office: Office, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    office.settle(name="Ōurs → ours")
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1", write_through=True))
    ended = office.run(*arguments)
    assert (ended.code, ended.err) == (0, "")
    if "--json" in arguments:
        assert json.loads(written.getvalue())["name"] == "Ōurs → ours"
    else:
        assert b"ours" in written.getvalue() or b"Usage: trialwatch" in written.getvalue()
