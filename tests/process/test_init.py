"""``trialwatch init``: a settings file from options, or from answers to questions."""

import io
import stat
import sys
from pathlib import Path

import pytest

from tests.process.office import FIRST, SECOND
from tests.process.typed import Run


def test_settings_are_written_from_options_and_are_valid_and_closed_to_others(tmp_path: Path, run: Run) -> None:
    settings = tmp_path / "trialwatch.toml"
    options = ["--operator", "ops@example.org", "--trial", FIRST, "--trial", SECOND, "--to", "a@example.org"]
    options += ["--cadence", "weekly", "--time-zone", "Europe/Berlin", "--settings", str(settings)]
    ended = run("init", *options)
    assert (ended.code, ended.err) == (0, "")
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    (line,) = run("config", "check", "--settings", str(settings), "--json").lines
    assert (line["valid"], line["trials"]) == (True, 2)


def test_settings_that_are_there_are_replaced_only_by_force(tmp_path: Path, run: Run) -> None:
    settings = tmp_path / "trialwatch.toml"
    assert run("init", "--operator", "ops@example.org", "--settings", str(settings)).code == 0
    written = settings.read_text(encoding="utf-8")
    again = run("init", "--operator", "other@example.org", "--settings", str(settings))
    assert again.code == 2
    assert "--force" in again.err
    assert settings.read_text(encoding="utf-8") == written
    assert run("init", "--operator", "other@example.org", "--settings", str(settings), "--force").code == 0
    assert "other@example.org" in settings.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param([], "--operator", id="nobody to tell"),
        pytest.param(["--operator", "nobody"], "operator", id="an operator without an address"),
        pytest.param(["--operator", "a@example.org", "--trial", "NCT1", "--to", "b"], "NCT1", id="no ID, no address"),
    ],
)
def test_wishes_that_are_wrong_leave_nothing_behind(tmp_path: Path, run: Run, options: list[str], words: str) -> None:
    ended = run("init", *options, "--settings", str(tmp_path / "trialwatch.toml"))
    assert ended.code == 2
    assert words in ended.err
    assert list(tmp_path.iterdir()) == []


# --- asking -----------------------------------------------------------------------------------------------------------


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _answer(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    monkeypatch.setattr(sys, "stdin", _Terminal("".join(f"{answer}\n" for answer in answers)))


def test_a_wrong_answer_is_asked_again_and_the_right_ones_are_kept(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _answer(
        monkeypatch, "nobody", "ops@example.org", "NCT123", FIRST, "reader@example.org", "Mars", "Europe/Berlin", ""
    )
    ended = run("init")
    assert ended.code == 0, ended.err
    for wrong in ("nobody", "NCT123", "Mars"):
        assert wrong in ended.err
    written = (tmp_path / "trialwatch.toml").read_text(encoding="utf-8")
    for answer in ("ops@example.org", FIRST, "reader@example.org", "Europe/Berlin"):
        assert f'"{answer}"' in written


def test_answers_that_end_before_the_last_question_leave_nothing_behind(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _answer(monkeypatch, "ops@example.org", FIRST)
    ended = run("init")
    assert ended.code == 2
    assert "nothing was written" in ended.err
    assert list(tmp_path.iterdir()) == []
