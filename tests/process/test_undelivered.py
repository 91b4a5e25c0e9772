"""Commands about addresses that mail does not reach."""

from datetime import UTC, datetime

from tests.process.office import READER, Office
from watcher.store.database import Database
from watcher.store.incidents import open_incident
from watcher.store.suspensions import suspend, suspension_incident

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
