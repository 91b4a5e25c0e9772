"""What the commands promise whoever types them: exit codes, words on standard error, no trace of what was refused.

In the process, through the program's own entry; against a registry and a mail server on loopback.  Does not test what
the registry's answers mean, nor the wording of mails.
"""

import gzip
import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.factories import study, write_days
from tests.smtp_server import MailServer, Step
from watcher.cli import main
from watcher.replay.folder import load_dataset
from watcher.replay.server import RegistryServer

FIRST, SECOND, THIRD = "NCT01234567", "NCT01234568", "NCT01234569"
UNKNOWN = "NCT09999999"
SETTINGS = f"""operator = "operations@example.org"
[[watchlist]]
name = "Ours"
trials = ["{FIRST}"]
[[watchlist.recipients]]
address = "reader@example.org"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    code: object
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ended]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with settings, at which the registry answers; the current folder."""
    days = {day: [study(FIRST, title=f"Title of {day}"), study(SECOND), study(THIRD)] for day in _DAYS}
    write_days(tmp_path / "days", days)
    (tmp_path / "trialwatch.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "trialwatch.toml").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    with RegistryServer(load_dataset(tmp_path / "days")) as registry:
        monkeypatch.setenv("TRIALWATCH_REGISTRY__BASE_URL", registry.url)
        monkeypatch.setenv("TRIALWATCH_REGISTRY__REQUESTS_PER_MINUTE", "0")
        monkeypatch.setenv("TRIALWATCH_REGISTRY__ATTEMPTS", "1")
        monkeypatch.setenv("TRIALWATCH_LOG__LEVEL", "error")
        yield tmp_path


_DAYS = ("2026-03-02", "2026-03-03", "2026-03-05")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def typed(*arguments: str) -> Ended:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["trialwatch", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        caught = capsys.readouterr()
        return Ended(code=ended.value.code, out=caught.out, err=caught.err)

    return typed


def _listed(run: Run) -> dict[str, list[str]]:
    return {
        each["name"]: [trial["nct_id"] for trial in each["trials"]] for each in run("watch", "list", "--json").lines
    }


def _csv(desk: Path, text: str) -> str:
    (desk / "trials.csv").write_text(text, encoding="utf-8")
    return "trials.csv"


# --- watch import and export ------------------------------------------------------------------------------------------

SOME_WRONG = f"""nct_id,watchlist
{SECOND},First list
NCT123,First list
{THIRD},Second list

{UNKNOWN},Second list
{UNKNOWN},First list
"""


def test_an_import_with_wrong_rows_names_each_and_adds_nothing(desk: Path, run: Run) -> None:
    ended = run("watch", "import", _csv(desk, SOME_WRONG))
    assert ended.code == 2
    assert "trials.csv, line 3: 'NCT123' has 3 digits" in ended.err
    assert f"trials.csv, line 6: {UNKNOWN}" in ended.err
    assert f"trials.csv, line 7: {UNKNOWN}" in ended.err
    assert _listed(run) == {"Ours": [FIRST]}


def test_an_import_that_skips_wrong_rows_names_each_and_adds_the_rest(desk: Path, run: Run) -> None:
    ended = run("watch", "import", _csv(desk, SOME_WRONG), "--skip-wrong")
    assert ended.code == 1
    assert [line.split(":")[1].strip() for line in ended.err.splitlines() if ", line " in line] == [
        f"trials.csv, line {number}" for number in (3, 6, 7)
    ]
    assert _listed(run) == {"First list": [SECOND], "Ours": [FIRST], "Second list": [THIRD]}


def test_a_dry_run_says_what_would_be_added_and_adds_nothing(desk: Path, run: Run) -> None:
    ended = run("watch", "import", _csv(desk, SOME_WRONG), "--skip-wrong", "--dry-run")
    assert ended.code == 1
    assert ended.out == f'Would add to "First list": {SECOND}\nWould add to "Second list": {THIRD}\n'
    assert _listed(run) == {"Ours": [FIRST]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(f"nct_id;watchlist\n{SECOND};A\n", "save the file with commas", id="semicolons"),
        pytest.param(
            f'nct_id,watchlist\n{THIRD},A\n{SECOND},"B\n{THIRD},C\n', "line 3: this is not CSV", id="open quote"
        ),
        pytest.param(
            f"nct_id,watchlist\n{SECOND},{'x' * 201}\n", "line 2: the name of the watch list has 201", id="long"
        ),
        pytest.param(f'nct_id,watchlist\n{SECOND},"a\nb"\n', "line 2: the name of the watch list", id="two lines"),
        pytest.param("trial\nNCT1\n", 'no column "nct_id"', id="no such column"),
        pytest.param("", 'no column "nct_id"', id="empty file"),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(desk: Path, run: Run, text: str, words: str) -> None:
    ended = run("watch", "import", _csv(desk, text))
    assert ended.code == 2
    assert words in ended.err
    assert _listed(run) == {"Ours": [FIRST]}


@pytest.mark.parametrize("name", ["=cmd", "'=cmd", "'quoted", "-dash", "a, b", 'a "b"'])
def test_what_was_exported_is_imported_under_the_same_name(desk: Path, run: Run, name: str) -> None:
    assert run("watch", "add", SECOND, "--list", name).code == 0
    exported = _csv(desk, run("watch", "export").out)
    assert run("watch", "remove", SECOND, "--list", name).code == 0
    assert run("watch", "import", exported).code == 0
    assert _listed(run)[name] == [SECOND]


@pytest.mark.parametrize("name", [" ", "a\nb", "x" * 201])
def test_a_list_cannot_be_given_a_name_that_the_settings_file_refuses(desk: Path, run: Run, name: str) -> None:
    ended = run("watch", "add", SECOND, "--list", name)
    assert ended.code == 2
    assert "the name of the watch list" in ended.err


# --- watch remove -----------------------------------------------------------------------------------------------------


def test_a_trial_on_another_list_is_not_removed_and_the_list_is_named(desk: Path, run: Run) -> None:
    run("watch", "add", SECOND, "--list", "Elsewhere")
    ended = run("watch", "remove", SECOND)
    assert ended.code == 2
    assert '"Elsewhere" (by command); name the list with --list' in ended.err


def test_a_trial_declared_on_another_list_is_not_removed_and_its_origin_is_named(desk: Path, run: Run) -> None:
    ended = run("watch", "remove", FIRST)
    assert ended.code == 2
    assert '"Ours" (declared in the settings file)' in ended.err


def test_a_person_who_was_named_by_command_is_taken_off_by_command(desk: Path, run: Run) -> None:
    run("watch", "add", SECOND, "--to", "other@example.org", "--list", "Mine")
    assert run("watch", "remove", "--to", "other@example.org", "--list", "Mine").code == 0
    hearing = {each["name"]: each["recipients"] for each in run("watch", "list", "--json").lines}
    assert hearing["Mine"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["--to", "nobody@example.org"], "hears of no list", id="hears nothing"),
        pytest.param(["--to", "reader@example.org"], 'of "Ours"', id="hears of another list"),
        pytest.param(["--to", "reader@example.org", "--list", "Ours"], "declared in the settings file", id="declared"),
        pytest.param(["--to", "nobody"], "not a mail address", id="no address"),
        pytest.param([], "--to ADDRESS", id="nothing named"),
    ],
)
def test_a_person_who_is_not_on_the_list_by_command_stays(
    desk: Path, run: Run, arguments: list[str], words: str
) -> None:
    ended = run("watch", "remove", *arguments)
    assert ended.code == 2
    assert words in ended.err


def test_a_removal_that_is_wrong_in_part_removes_nothing(desk: Path, run: Run) -> None:
    run("watch", "add", SECOND)
    assert run("watch", "remove", SECOND, "--to", "nobody@example.org").code == 2
    assert _listed(run)["Watched by command"] == [SECOND]


# --- check and mail ---------------------------------------------------------------------------------------------------


@pytest.fixture
def mail_server(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with MailServer() as server:
        more = f'[mail]\nsender = "watch@example.org"\n[mail.smtp]\nhost = "127.0.0.1"\nport = {server.port}\n'
        (desk / "trialwatch.toml").write_text(SETTINGS + more + 'security = "none"\n', encoding="utf-8")
        yield server


def test_a_mail_that_is_given_up_makes_the_check_fail_by_name(run: Run, mail_server: MailServer) -> None:
    mail_server.answer(Step.RCPT, "550 5.1.1 no such user", recipient="reader@example.org")
    ended = run("check")
    assert ended.code == 1
    assert "to reader@example.org was given up: 550 5.1.1 no such user" in ended.err
    assert "was given up" not in run("check").err


def test_a_check_names_refused_trials_for_programs(desk: Path, run: Run) -> None:
    text = SETTINGS.replace(FIRST, UNKNOWN)
    (desk / "trialwatch.toml").write_text(text, encoding="utf-8")
    ended = run("check", "--json")
    assert ended.code == 1
    (refused,) = ended.lines[0]["refused_trials"]
    assert refused["nct_id"] == UNKNOWN
    assert refused["reason"] == "not_found"
    assert refused["detail"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param("550 5.1.1 no such user", 1, id="refused for good"),
        pytest.param("450 4.2.1 come back later", 1, id="refused for now"),
        pytest.param(None, 4, id="not reached"),
    ],
)
def test_a_test_mail_tells_a_refusal_from_a_server_that_is_down(
    run: Run, mail_server: MailServer, answer: str | None, code: int
) -> None:
    if answer is None:
        mail_server.down = True
    else:
        mail_server.answer(Step.RCPT, answer)
    assert run("test-mail", "reader@example.org").code == code


# --- days and differences ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", ["20260101", "2026-W01-1", "2026-02-30", "today", "2026-1-1"])
def test_a_day_is_written_in_one_way_only(desk: Path, run: Run, day: str) -> None:
    run("check")
    for arguments in (["show", FIRST, "--at", day], ["diff", FIRST, day], ["replay", "days", "--from", day]):
        ended = run(*arguments)
        assert (arguments, ended.code) == (arguments, 2)
        assert "2026-" in ended.err
        assert "write" in ended.err


def test_a_diff_without_a_difference_says_so(desk: Path, run: Run) -> None:
    run("check")
    ended = run("diff", FIRST, "2026-03-02", "2026-03-02")
    assert (ended.code, ended.out) == (0, "")
    assert "no difference" in ended.err


@pytest.mark.parametrize(
    ("start", "days"),
    [
        pytest.param("2026-03-04", ["2026-03-05"], id="between two days"),
        pytest.param("2026-03-03", ["2026-03-03", "2026-03-05"], id="a day"),
        pytest.param("2026-01-01", list(_DAYS), id="before the first"),
    ],
)
def test_a_replay_begins_at_the_next_day_that_there_is(desk: Path, run: Run, start: str, days: list[str]) -> None:
    ended = run("replay", "days", "--from", start, "--json")
    assert ended.code == 0
    assert [line["day"] for line in ended.lines if line["kind"] == "day"] == days


def test_a_replay_cannot_begin_after_the_last_day(desk: Path, run: Run) -> None:
    ended = run("replay", "days", "--from", "2026-03-06")
    assert ended.code == 2
    assert "2026-03-05" in ended.err


def _pair(title: str) -> bytes:
    return orjson.dumps({"before": study(FIRST, title="Before"), "after": study(FIRST, title=title)})


def test_a_blank_line_does_not_shift_the_numbers_of_pairs(tmp_path: Path, run: Run) -> None:
    (tmp_path / "pairs.jsonl").write_bytes(_pair("One") + b"\n\n" + _pair("Two") + b"\n \nwrong\n")
    ended = run("compare", "--pairs", str(tmp_path / "pairs.jsonl"), "--json")
    assert {line["pair"] for line in ended.lines} == {0, 2}
    assert ended.code == 2
    assert "pairs.jsonl, line 5: not JSON" in ended.err


def test_damaged_packed_pairs_are_named(tmp_path: Path, run: Run) -> None:
    packed = bytearray(gzip.compress(_pair("One") * 50))
    packed[20:60] = b"\xff" * 40
    (tmp_path / "pairs.jsonl.gz").write_bytes(packed)
    ended = run("compare", "--pairs", str(tmp_path / "pairs.jsonl.gz"), "--json")
    assert ended.code == 2
    assert "pairs.jsonl.gz" in ended.err


# --- settings, doctor, output -----------------------------------------------------------------------------------------


def test_settings_that_are_wrong_are_told_to_programs(desk: Path, run: Run) -> None:
    (desk / "trialwatch.toml").write_text('operator = "nobody"\n', encoding="utf-8")
    ended = run("config", "check", "--json")
    assert ended.code == 2
    (line,) = ended.lines
    assert (line["settings"], line["valid"]) == ("trialwatch.toml", False)
    assert any("operator" in problem for problem in line["problems"])


def test_the_doctor_finds_a_broken_database_and_says_where(desk: Path, run: Run) -> None:
    (desk / "broken").write_bytes(b"this is no database" * 100)
    (desk / "trialwatch.toml").write_text(SETTINGS + '[database]\nurl = "sqlite:///broken"\n', encoding="utf-8")
    ended = run("doctor", "--json")
    assert ended.code == 1
    (finding,) = ended.lines
    assert (finding["subject"], finding["verdict"]) == ("database", "bad")
    assert "broken" in finding["words"]


def test_a_database_that_cannot_be_opened_is_named_with_what_would_be_right(desk: Path, run: Run) -> None:
    (desk / "folder").mkdir()
    (desk / "trialwatch.toml").write_text(SETTINGS + '[database]\nurl = "sqlite:///folder"\n', encoding="utf-8")
    ended = run("status")
    assert ended.code == 1
    assert f"{desk}/folder" in ended.err
    assert "let the user that runs this write" in ended.err


@pytest.mark.parametrize("arguments", [["watch", "list"], ["watch", "list", "--json"], ["--help"]])
def test_an_output_that_is_not_utf8_is_no_reason_to_fail(desk: Path, arguments: list[str]) -> None:
    text = SETTINGS.replace("Ours", "Ōurs → ours")
    (desk / "trialwatch.toml").write_text(text, encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    command = [sys.executable, "-m", "watcher", *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, b"")
    if "--json" in arguments:
        assert json.loads(ended.stdout)["name"] == "Ōurs → ours"
    else:
        assert ended.stdout.decode("latin-1")


def test_a_port_in_use_is_named_and_another_asked_for(desk: Path, run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("registry", "serve", "days", "--port", str(port))
    assert ended.code == 2
    assert f"port {port}" in ended.err
    assert "--port" in ended.err


# --- commands that only look ------------------------------------------------------------------------------------------


def test_a_new_user_sees_the_declared_lists_at_once(desk: Path, run: Run) -> None:
    assert run("status", "--json").lines[0]["watched"] == 1


@pytest.mark.parametrize(
    "looking",
    [
        pytest.param(["status"], id="status"),
        pytest.param(["show", FIRST], id="show"),
        pytest.param(["history", FIRST], id="history"),
        pytest.param(["diff", FIRST, "2026-03-02"], id="diff"),
        pytest.param(["watch", "list"], id="watch list"),
        pytest.param(["watch", "export"], id="watch export"),
        pytest.param(["doctor"], id="doctor"),
        pytest.param(["test-mail", "reader@example.org"], id="test-mail"),
    ],
)
def test_looking_does_not_take_over_an_edited_settings_file(desk: Path, run: Run, looking: list[str]) -> None:
    run("check")
    (desk / "trialwatch.toml").write_text(SETTINGS.replace(FIRST, SECOND), encoding="utf-8")
    assert run(*looking).code == 0
    assert _listed(run) == {"Ours": [FIRST]}
    run("check")
    assert _listed(run) == {"Ours": [SECOND]}


# --- init -------------------------------------------------------------------------------------------------------------


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _answer(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    monkeypatch.setattr(sys, "stdin", _Terminal("".join(f"{answer}\n" for answer in answers)))


def test_a_wrong_answer_is_asked_again_and_the_right_ones_are_kept(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = ("ops@example.org", "NCT123", "reader@example.org", "Europe/Berlin", "")
    _answer(monkeypatch, *wrong, "", FIRST, "", "", "")
    ended = run("init")
    assert ended.code == 0, ended.err
    assert "NCT123" in ended.err
    written = (tmp_path / "trialwatch.toml").read_text(encoding="utf-8")
    for answer in ("ops@example.org", FIRST, "reader@example.org", "Europe/Berlin"):
        assert f'"{answer}"' in written


def test_the_same_wrong_answers_twice_end_the_asking(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _answer(monkeypatch, "ops@example.org", "NCT123", "", "", "", *[""] * 5)
    ended = run("init")
    assert ended.code == 2
    assert not (tmp_path / "trialwatch.toml").exists()
