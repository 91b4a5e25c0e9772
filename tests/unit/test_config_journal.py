"""The settings of the journal mailbox."""

from pathlib import Path

from pydantic import SecretStr

from tests.unit.settings_files import CANARY, SMTP, load, problems
from watcher.config.sections.mail import JournalSettings

JOURNAL = SMTP + '[mail.journal]\naddress = "Journal@Example.org"\n'
IMAP = '[mail.journal.imap]\nhost = "imap.example.org"\nusername = "journal"\n'


def journal(folder: Path, text: str, **environ: str) -> JournalSettings:
    section = load(folder, text, environ=environ).mail.journal
    assert section is not None
    return section


def test_there_is_no_journal_unless_a_mailbox_is_named(tmp_path: Path) -> None:
    assert load(tmp_path, SMTP).mail.journal is None


def test_a_journal_is_read_by_imap(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    section = journal(tmp_path, JOURNAL + IMAP + 'password_file = "password"')
    assert section.address == "Journal@example.org"
    assert (section.imap.port, section.imap.security, section.imap.folder) == (993, "tls", "INBOX")
    assert section.imap.password == SecretStr("secret")


def test_a_journal_that_could_not_be_asked_is_refused_with_what_is_lacking(tmp_path: Path) -> None:
    assert problems(tmp_path, JOURNAL) == [
        "mail.journal.imap: is missing; write [mail.journal.imap] on a line of its own, and below it host and username"
    ]
    assert [each.partition(":")[0] for each in problems(tmp_path, JOURNAL + "[mail.journal.imap]")] == [
        "mail.journal.imap.host",
        "mail.journal.imap.username",
    ]
    assert problems(tmp_path, JOURNAL + IMAP) == [
        "mail.journal.imap.username: is given without a password; add mail.journal.imap.password_file (or password)"
    ]


def test_a_password_never_goes_over_the_network_in_clear(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, JOURNAL + IMAP + f'password = "{CANARY}"\nsecurity = "none"')
    assert problem.startswith('mail.journal.imap.security: "none" would send the password to "imap.example.org"')
    assert CANARY not in problem
    assert journal(tmp_path, JOURNAL + IMAP + 'password = "x"\nsecurity = "starttls"').imap.port == 143


def test_a_password_may_come_from_the_environment_and_is_not_shown(tmp_path: Path) -> None:
    section = journal(tmp_path, JOURNAL + IMAP, TRIALWATCH_MAIL__JOURNAL__IMAP__PASSWORD=CANARY)
    assert section.imap.password == SecretStr(CANARY)
    assert CANARY not in repr(section)
