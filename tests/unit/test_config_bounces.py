"""The settings of mail that comes back."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.unit.settings_files import CANARY, SMTP, load, problems
from watcher.config.sections.imap import BouncesSettings

BOUNCES = SMTP + '[mail.bounces]\naddress = "Bounces@Example.org"\n'
IMAP = '[mail.bounces.imap]\nhost = "imap.example.org"\nusername = "bounces"\n'


def bounces(folder: Path, text: str) -> BouncesSettings:
    section = load(folder, text).mail.bounces
    assert section is not None
    return section


def test_nothing_comes_back_unless_a_mailbox_is_named(tmp_path: Path) -> None:
    assert load(tmp_path, SMTP).mail.bounces is None


def test_a_mailbox_needs_a_host_a_login_and_a_password(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    section = bounces(tmp_path, BOUNCES + IMAP + 'password_file = "password"')
    assert section.address == "Bounces@example.org"
    assert (section.imap.port, section.imap.security, section.imap.folder) == (993, "tls", "INBOX")
    assert section.imap.password == SecretStr("secret")

    assert [each.partition(":")[0] for each in problems(tmp_path, BOUNCES)] == ["mail.bounces.imap"]
    assert [each.partition(":")[0] for each in problems(tmp_path, BOUNCES + "[mail.bounces.imap]")] == [
        "mail.bounces.imap.host",
        "mail.bounces.imap.username",
    ]
    (problem,) = problems(tmp_path, BOUNCES + IMAP)
    assert problem == (
        "mail.bounces.imap.username: is given without a password; add mail.bounces.imap.password_file (or password)"
    )


def test_without_tls_from_the_first_byte_the_port_is_another(tmp_path: Path) -> None:
    section = bounces(tmp_path, BOUNCES + IMAP + 'password = "x"\nsecurity = "starttls"')
    assert section.imap.port == 143


def test_a_password_never_goes_over_the_network_in_clear(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, BOUNCES + IMAP + f'password = "{CANARY}"\nsecurity = "none"')
    assert problem.startswith('mail.bounces.imap.security: "none" would send the password to "imap.example.org"')
    assert CANARY not in problem
    here = IMAP.replace("imap.example.org", "127.0.0.1")
    assert bounces(tmp_path, BOUNCES + here + 'password = "x"\nsecurity = "none"').imap.port == 143


def test_a_password_in_a_file_that_others_may_open_is_a_problem(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, BOUNCES + IMAP + f'password = "{CANARY}"', mode=0o644)
    assert problem.startswith("mail.bounces.imap.password: holds a password in a file that other users")
    assert CANARY not in problem


def test_a_password_may_come_from_the_environment(tmp_path: Path) -> None:
    environ = {"TRIALWATCH_MAIL__BOUNCES__IMAP__PASSWORD": CANARY}
    settings = load(tmp_path, BOUNCES + IMAP, environ=environ)
    assert settings.mail.bounces is not None
    assert settings.mail.bounces.imap.password == SecretStr(CANARY)
    assert CANARY not in repr(settings)


@pytest.mark.parametrize(
    "address", ["b" * 40 + "@example.org", "zurück@example.org"], ids=["too long", "not ASCII before the @"]
)
def test_an_address_must_leave_room_for_the_word_that_each_mail_adds(tmp_path: Path, address: str) -> None:
    text = BOUNCES.replace("Bounces@Example.org", address) + IMAP + 'password = "x"'
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(f'mail.bounces.address: "{address}" should have at most 39 ASCII characters')
    right = BOUNCES.replace("Bounces@Example.org", "b" * 39 + "@example.org")
    assert bounces(tmp_path, right + IMAP + 'password = "x"').delimiter == "+"
