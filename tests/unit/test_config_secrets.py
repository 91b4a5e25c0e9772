"""Secrets in settings: where they may come from, and that they are never shown."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.unit.settings_files import CANARY, OPERATOR, SMTP, load, problems, write
from watcher.config.settings import load_settings
from watcher.errors import SettingsError


def test_secrets_are_read_from_files(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(" s p a c e s \n")
    (tmp_path / "url").write_text("postgresql://w:secret@db/x\n")
    text = 'username = "watch"\npassword_file = "password"\n[database]\nurl_file = "url"'

    settings = load(tmp_path, SMTP + text)

    assert settings.mail.smtp is not None
    assert settings.mail.smtp.password == SecretStr(" s p a c e s ")
    assert settings.database.url == SecretStr("postgresql+psycopg://w:secret@db/x")


def test_a_variable_can_name_the_file_of_a_secret(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret")
    environ = {"TRIALWATCH_MAIL__SMTP__PASSWORD_FILE": str(tmp_path / "password")}
    smtp = load(tmp_path, SMTP + 'username = "watch"', environ=environ).mail.smtp
    assert smtp is not None
    assert smtp.password == SecretStr("secret")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(None, "cannot be read (no such file or directory)", id="not there"),
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\n", "is empty", id="a line end only"),
        pytest.param(b"\xff" + CANARY.encode(), "is not UTF-8 text", id="not text"),
        pytest.param(CANARY.encode() * 1000, "is larger than 8192 bytes", id="far too large"),
    ],
)
def test_a_secret_file_that_holds_none_is_a_problem(tmp_path: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    [problem] = problems(tmp_path, SMTP + 'username = "watch"\npassword_file = "secret"')
    assert problem.startswith(f'mail.smtp.password_file: "{tmp_path}/secret" {says}')
    assert problem.endswith("; name a file that holds the secret on one line")
    assert CANARY not in problem


def test_what_is_wrong_with_a_secret_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"mysql://w:{CANARY}@db/x")
    [problem] = problems(tmp_path, OPERATOR + '[database]\nurl_file = "url"')
    assert problem.startswith(f'database.url (read from {tmp_path}/url): is the URL of something else ("mysql")')
    assert CANARY not in problem


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"TRIALWATCH_MAIL__SMTP__PASSWORD": CANARY}, id="by a variable and a file"),
        pytest.param({}, id="both in the settings file"),
    ],
)
def test_a_secret_given_twice_is_a_problem(tmp_path: Path, environ: dict[str, str]) -> None:
    (tmp_path / "secret").write_text(CANARY)
    inline = "" if environ else f'password = "{CANARY}"'
    text = SMTP + f'username = "watch"\npassword_file = "secret"\n{inline}'
    [problem] = problems(tmp_path, text, environ=environ)
    assert problem.startswith("mail.smtp.password")
    assert "is given twice, here and by mail.smtp.password_file; keep one of them" in problem


@pytest.mark.parametrize("mode", [0o640, 0o644, 0o604, 0o660])
@pytest.mark.parametrize(
    ("key", "text"),
    [
        pytest.param("mail.smtp.password", SMTP + f'username = "w"\npassword = "{CANARY}"', id="a mail password"),
        pytest.param("database.url", OPERATOR + f'[database]\nurl = "postgresql://w:{CANARY}@db/x"', id="a database's"),
        pytest.param("registry.proxy", OPERATOR + f'[registry]\nproxy = "http://w:{CANARY}@p:3128"', id="a proxy's"),
    ],
)
def test_a_password_in_a_file_that_others_may_open_is_a_problem(tmp_path: Path, key: str, text: str, mode: int) -> None:
    [problem] = problems(tmp_path, text, mode=mode)
    assert problem.startswith(f"{key}: holds a password in a file that other users of this machine may open")
    assert f"(mode {mode:04o}); run chmod 600 {tmp_path}/trialwatch.toml" in problem
    assert CANARY not in problem
    load(tmp_path, text)


def test_a_file_without_passwords_may_be_open_to_others(tmp_path: Path) -> None:
    path = write(tmp_path, SMTP + '[database]\nurl = "postgresql://w@db/x"', mode=0o644)
    load_settings(path, environ={"TRIALWATCH_REGISTRY__PROXY": f"http://w:{CANARY}@proxy.example.org:3128"})


def test_secrets_are_not_shown_by_settings(tmp_path: Path) -> None:
    text = (
        SMTP + f'username = "w"\npassword = "{CANARY}"\n[database]\nurl = "postgresql://w:{CANARY}@db/x"\n'
        f'[registry]\nproxy = "http://w:{CANARY}@proxy.example.org:3128"\n'
    )
    settings = load(tmp_path, text)
    assert CANARY not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f'operator = 1\n[mail.smtp]\npassword = ["{CANARY}"]', id="of a wrong type"),
        pytest.param(f'[mail.smtp]\npassword = "{CANARY}\\n"', id="with a line end"),
        pytest.param(f'[mail.smtp]\npasword = "{CANARY}"', id="under a misspelt key"),
        pytest.param(f'[mail]\nsmtp = "{CANARY}"', id="in place of a section"),
        pytest.param(f'[database]\nurl = "postgresql://w:{CANARY}/@:x"', id="in a broken URL of a database"),
        pytest.param(f'[database]\nurl = "mysql://w:{CANARY}@db/x"', id="in the URL of an unknown database"),
        pytest.param(f'[database]\nurl = "sqlite://w:{CANARY}@db/x"', id="in the URL of a file"),
        pytest.param(f'[registry]\nproxy = "ftp://w:{CANARY}@proxy"', id="in the URL of a proxy"),
        pytest.param(f'[registry]\nproxy = "http://w:{CANARY}@proxy:x"', id="in a broken URL of a proxy"),
        pytest.param(f"[mail.smtp]\npassword = {CANARY}", id="without quotation marks"),
    ],
)
def test_a_secret_is_not_shown_by_an_error_or_its_causes(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text, mode=0o644)
    with pytest.raises(SettingsError) as caught:
        load_settings(path, environ={})
    error: BaseException | None = caught.value
    while error is not None:
        assert CANARY not in f"{error!r} {error}"
        error = error.__cause__ or error.__context__
