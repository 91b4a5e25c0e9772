"""``trialwatch check`` and ``test-mail``: what was done, and by name what was not."""

from contextlib import closing

import pytest

from tests.imap_server import ScriptedImapServer
from tests.process.office import FIRST, READER, SECOND, UNKNOWN, Office
from tests.smtp_server import Step
from tests.store.factories import message
from watcher.app import open_application
from watcher.config import load_settings
from watcher.store.outbox import add_message


def test_a_check_says_what_it_did(office: Office) -> None:
    first = office.run("check", "--json").lines[0]
    office.registry.advance()
    second = office.run("check", "--json").lines[0]
    third = office.run("check", "--json").lines[0]

    lines = (first, second, third)
    assert [line["kind"] for line in lines] == ["check"] * 3
    assert [line["data_timestamp"][:10] for line in lines] == ["2026-03-02", "2026-03-03", "2026-03-03"]
    assert [line["asked"] for line in lines] == [1, 1, 0]
    assert [line["first_seen"] for line in lines] == [1, 0, 0]
    assert [line["changed"] for line in lines] == [0, 1, 0]
    assert [line["mails"].get("sent", 0) for line in lines] == [1, 1, 0]


def test_a_check_for_people_says_the_same(office: Office) -> None:
    office.run("check")
    office.registry.advance()
    words = "Registry data of 2026-03-03T09:00:04: 0 unchanged, 0 seen for the first time, 1 changed"
    said = office.run("check").out
    assert words in said
    assert "1 mail composed, 1 handed over or tried" in said


def test_a_check_names_refused_trials_for_programs(office: Office) -> None:
    office.settle(trials=[UNKNOWN])
    ended = office.run("check", "--json")
    assert ended.code == 1
    (refused,) = ended.lines[0]["refused_trials"]
    assert refused["nct_id"] == UNKNOWN
    assert refused["reason"] == "not_found"
    assert refused["detail"]


def test_a_mail_that_is_given_up_makes_one_check_fail_by_name(posting_office: Office) -> None:
    posting_office.mail.answer(Step.RCPT, "554 5.6.0 not this mail", recipient=READER)
    ended = posting_office.run("check")
    assert ended.code == 1
    assert f"to {READER} was given up: 554 5.6.0 not this mail" in ended.err
    assert "was given up" not in posting_office.run("check").err


@pytest.mark.parametrize("answer", ["450 4.2.1 come back later", "550 5.7.1 relaying denied"])
def test_a_mail_that_is_not_taken_yet_makes_every_check_fail_by_name_until_it_is(
    posting_office: Office, answer: str
) -> None:
    posting_office.mail.answer(Step.RCPT, answer, recipient=READER)
    for _ in range(2):  # tried, then waiting for its time
        ended = posting_office.run("check")
        assert ended.code == 1
        assert f'the mail "Now watching {FIRST}" to {READER} is not handed over yet' in ended.err
        assert answer in ended.err
    (waiting,) = posting_office.run("check", "--json").lines[0]["mails_waiting"]
    assert (waiting["to"], waiting["reply"]) == (READER, answer)


def test_more_mails_than_one_run_takes_are_all_handed_over_by_one_check(posting_office: Office) -> None:
    app = open_application(load_settings(posting_office.settings, environ={}))
    with closing(app), app.database.writing() as db:
        for number in range(1100):
            add_message(db, message(number), digest_id=None, sizes=(1, 1), now=app.now())
    (line,) = posting_office.run("check", "--json").lines
    assert line["mails"] == {"sent": 1101}
    assert line["mails_waiting"] == []


@pytest.mark.parametrize("fault", ["server_error", "rate_limited"])
def test_a_registry_that_serves_no_record_ends_with_4(office: Office, fault: str) -> None:
    office.registry.fault(fault, times=None, path="/studies")
    ended = office.run("check")
    assert ended.code == 4
    assert f"{FIRST} not verified" in ended.err
    assert "none of the records that were asked for could be had" in ended.err
    assert office.run("check", "--json").lines[0]["registry_trouble"]


def test_a_registry_that_serves_some_records_ends_with_1(office: Office) -> None:
    office.settle(trials=[FIRST, SECOND])
    office.registry.fault("server_error", times=None, path=f"/studies/{SECOND}")
    office.registry.fault("missing", times=None, nct_id=SECOND)
    ended = office.run("check")
    assert f"{SECOND} not verified" in ended.err
    assert ended.code == 1


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        pytest.param("250 2.1.5 welcome", 0, "250 2.0.0 queued as", id="taken"),
        pytest.param("550 5.1.1 no such user", 1, "550 5.1.1 no such user", id="refused for good"),
        pytest.param("450 4.2.1 come back later", 1, "450 4.2.1 come back later", id="refused for now"),
        pytest.param(None, 4, "127.0.0.1", id="not reached"),
    ],
)
def test_a_test_mail_tells_in_the_server_s_words_what_became_of_it(
    posting_office: Office, answer: str | None, code: int, words: str
) -> None:
    if answer is None:
        posting_office.mail.down = True
    else:
        posting_office.mail.answer(Step.RCPT, answer)
    ended = posting_office.run("test-mail", READER)
    assert ended.code == code
    assert words in (ended.out if code == 0 else ended.err)
    (line,) = posting_office.run("test-mail", READER, "--json").lines
    assert (line["kind"], line["to"], line["sent"]) == ("test_mail", READER, code == 0)
    assert words in line["reply"]


def test_a_test_mail_is_looked_for_in_the_journal_and_the_doctor_asks_it(posting_office: Office) -> None:
    office = posting_office
    with ScriptedImapServer({b"UID SEARCH": b"* SEARCH\r\n"}) as journal:
        imap = f'{{host = "127.0.0.1", port = {journal.port}, security = "none", username = "j", password = "secret"}}'
        section = f'journal = {{address = "journal@example.org", imap = {imap}}}'
        text = office.settings.read_text().replace('deliver_every = "1s"', f'deliver_every = "1s", {section}')
        office.settings.write_text(text)
        office.settings.chmod(0o600)
        assert "journal@example.org can be asked; `trialwatch test-mail ADDRESS` shows" in office.run("doctor").out

        office.mail.answer(Step.RCPT, "550 5.1.1 no such mailbox", recipient="journal@example.org")
        ended = office.run("test-mail", READER)
        assert ended.code == 1
        assert "Handed over to" in ended.out
        assert "does not take the journal mailbox journal@example.org: 550 5.1.1" in ended.err
        office.mail.behave()
    ended = office.run("test-mail", READER, "--json")
    assert ended.code == 4
    assert "journal@example.org cannot be asked: imap 127.0.0.1" in ended.err
    assert ended.lines[0]["sent"] is True
    assert ended.lines[0]["journal"] == "unreachable"
    assert "see [mail.journal.imap]" in office.run("doctor").out
