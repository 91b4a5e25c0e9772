"""Mail that comes back, by command and in the service; the addresses that mail does not reach."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.imap_server import ScriptedImapServer
from tests.process.office import READER, Office
from tests.reports import BOUNCES, delivery_status
from watcher.store.database import Database
from watcher.store.incidents import open_incident
from watcher.store.suspensions import suspend, suspension_incident

REPORT = delivery_status()
ONE_REPORT = {
    b"UID SEARCH": b"* SEARCH 1\r\n",
    b"UID FETCH": b"* 1 FETCH (UID 1 BODY[]<0> {%d}\r\n%s)\r\n" % (len(REPORT), REPORT),
}
SINCE = datetime(2026, 3, 2, 12, tzinfo=UTC)


def lose(office: Office) -> None:
    database = Database(f"sqlite:///{office.folder}/store.sqlite3")
    with database.writing() as db:
        suspend(db, READER, reason="550 5.1.1 \x1b[31mno such user", message_id=None, now=SINCE)
        open_incident(db, suspension_incident(READER), f"Mail to {READER} comes back.", now=SINCE)
    database.close()


def test_where_mail_reaches_everybody_nothing_is_listed(office: Office) -> None:
    assert office.run("suspensions").out == "Mail is not known to miss anybody.\n"
    assert office.run("suspensions", "--json").lines == []


def test_a_suspended_address_is_listed_with_its_reason_until_it_is_resumed(office: Office) -> None:
    office.run("check")
    lose(office)
    assert office.run("suspensions").out.startswith(f"{READER}  since 2026-03-02 12:00 UTC: 550 5.1.1 ")
    assert "\x1b" not in office.run("suspensions").out
    (line,) = office.run("suspensions", "--json").lines
    assert (line["kind"], line["address"], line["since"]) == ("suspension", READER, "2026-03-02T12:00:00+00:00")
    assert f"Mail to {READER} comes back." in office.run("status").out

    assert office.run("resume", READER).out == f"Mail goes to {READER} again, from the next one on.\n"
    assert office.run("suspensions", "--json").lines == []
    assert office.run("status", "--json").lines[0]["incidents"] == []


def test_what_cannot_be_resumed_is_named_with_what_would_be_right(office: Office) -> None:
    ended = office.run("resume", READER)
    assert ended.code == 2
    assert f"{READER}: mail goes there already; `trialwatch suspensions` shows where it does not" in ended.err
    assert "is not a mail address" in office.run("resume", "nobody").err


@pytest.fixture
def mailbox(office: Office) -> Iterator[ScriptedImapServer]:
    """Give the server of a mailbox with one report, which the settings name."""
    with ScriptedImapServer(ONE_REPORT) as server:
        imap = f'{{host = "127.0.0.1", port = {server.port}, security = "none", username = "b", password = "secret"}}'
        bounces = f'bounces = {{address = "{BOUNCES}", look_every = "1s", imap = {imap}}}'
        office.settings.write_text(
            office.settings.read_text().replace('deliver_every = "1s"', f'deliver_every = "1s", {bounces}')
        )
        office.settings.chmod(0o600)
        yield server


def test_a_check_reads_what_came_back(office: Office, mailbox: ScriptedImapServer) -> None:
    (done,) = office.run("check", "--json").lines
    assert (done["reports"], done["suspended"], done["reports_trouble"]) == ({"not_ours": 1}, [], None)
    assert any(b"STORE 1 +FLAGS" in line for line in mailbox.heard)


def test_a_check_goes_on_when_the_mailbox_cannot_be_read_and_says_so(
    office: Office, mailbox: ScriptedImapServer
) -> None:
    mailbox.stop()
    ended = office.run("check")
    assert ended.code == 1
    assert "reports of mail that came back cannot be read: imap 127.0.0.1" in ended.err
    assert "1 mail composed" in ended.out


def test_the_doctor_looks_at_the_mailbox(office: Office, mailbox: ScriptedImapServer) -> None:
    assert "lets us in; 1 mail is unread there" in office.run("doctor").out
    mailbox.stop()
    ended = office.run("doctor")
    assert ended.code == 4
    assert "see [mail.bounces.imap]" in ended.out


def test_the_service_reads_what_came_back_again_and_again(office: Office, mailbox: ScriptedImapServer) -> None:
    daemon = office.started()
    daemon.logged('"read reports"', times=2)
    assert daemon.end() == 0
