"""The questions of a first start: only a wrong answer is asked for again, and what is right is kept."""

import io
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from watcher.actions.first_settings import problems_with, write_settings
from watcher.cli.questions import ask
from watcher.config import load_settings
from watcher.config.template import Wishes
from watcher.errors import SettingsError

OPERATOR, READER = "ops@example.org", "reader@example.org"
FIRST, SECOND = "NCT01234567", "NCT01234568"
RIGHT = (OPERATOR, FIRST, READER, "Europe/Berlin", "mail.example.org")
NOTHING = Wishes(operator="")

Answer = Callable[..., Wishes]


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Give a function that answers the questions line by line."""

    def answered(*lines: str, given: Wishes = NOTHING) -> Wishes:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        return ask(given, partial(problems_with, tmp_path / "trialwatch.toml"))

    return answered


def _wished(wishes: Wishes) -> tuple[object, ...]:
    return (wishes.operator, " ".join(wishes.trials), " ".join(wishes.recipients), wishes.time_zone, wishes.smtp_host)


def test_right_answers_are_asked_for_once(answer: Answer) -> None:
    assert _wished(answer(*RIGHT)) == RIGHT


@pytest.mark.parametrize(
    ("position", "wrong", "words"),
    [
        pytest.param(0, "", "an address is needed", id="no operator"),
        pytest.param(0, "ops", '"ops" is not a mail address', id="an operator without an address"),
        pytest.param(0, "öps@example.org", "before the @", id="an operator whom not everybody can answer"),
        pytest.param(1, "", "at least one ID is needed", id="no trial"),
        pytest.param(1, f"{FIRST} NCT123", "'NCT123' has 3 digits", id="a wrong ID among right ones"),
        pytest.param(2, f"{READER} reader@", '"reader@" is not a mail address', id="a wrong address among right ones"),
        pytest.param(3, "Berlin", 'did you mean "Europe/Berlin"?', id="a city"),
        pytest.param(4, "smtp://mail.example.org", "write the name alone", id="a URL"),
    ],
)
def test_only_a_wrong_answer_is_asked_for_again(
    answer: Answer, capsys: pytest.CaptureFixture[str], position: int, wrong: str, words: str
) -> None:
    assert _wished(answer(*RIGHT[:position], wrong, *RIGHT[position:])) == RIGHT
    assert words in capsys.readouterr().err


def test_a_list_may_be_separated_in_any_way_and_name_things_twice(answer: Answer) -> None:
    wishes = answer(OPERATOR, f"{FIRST}, {SECOND};{FIRST}", f"{READER},{READER}", "UTC", "")
    assert (wishes.trials, wishes.recipients) == ((FIRST, SECOND), (READER,))


def test_an_empty_answer_takes_the_default(answer: Answer) -> None:
    assert _wished(answer(OPERATOR, FIRST, "", "", "")) == (OPERATOR, FIRST, OPERATOR, "UTC", None)


def test_options_are_the_answers_to_confirm(answer: Answer) -> None:
    given = Wishes(
        operator="", trials=(FIRST,), recipients=(READER,), time_zone="Europe/Berlin", smtp_host="mail.example.org"
    )
    assert _wished(answer(OPERATOR, "", "", "", "", given=given)) == RIGHT


def test_a_wrong_option_is_asked_for_again(answer: Answer) -> None:
    assert answer(OPERATOR, FIRST, "", "", "UTC", "", given=Wishes(operator="", time_zone="Berlin")).time_zone == "UTC"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param(Wishes(operator="", sender="nobody"), "mail.sender", id="the sender"),
        pytest.param(Wishes(operator="", smtp_username="watch"), "mail.smtp.password_file", id="a login in part"),
    ],
)
def test_what_no_answer_can_mend_is_told_before_the_first_question(answer: Answer, given: Wishes, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        answer(given=given)


def test_answers_that_end_early_leave_nothing(answer: Answer, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nothing was written"):
        answer(*RIGHT[:3])
    assert list(tmp_path.iterdir()) == []


def test_what_was_answered_can_be_written(answer: Answer, tmp_path: Path) -> None:
    settings = tmp_path / "trialwatch.toml"
    write_settings(settings, answer(*RIGHT))
    assert load_settings(settings, environ={}).operator == OPERATOR
    assert [path.name for path in tmp_path.iterdir()] == ["trialwatch.toml"]
    assert settings.stat().st_mode & 0o777 == 0o600


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    [problem] = problems_with(tmp_path / "file" / "trialwatch.toml", Wishes(operator=OPERATOR))
    assert problem.startswith(f"{tmp_path / 'file' / 'trialwatch.toml'} cannot be written (not a directory)")
