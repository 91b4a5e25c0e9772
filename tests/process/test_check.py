"""``trialwatch check`` and ``test-mail``: what was done, and by name what was not."""

import pytest

from tests.process.office import READER, UNKNOWN, Office
from tests.smtp_server import Step


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
    assert words in office.run("check").out


def test_a_check_names_refused_trials_for_programs(office: Office) -> None:
    office.settle(trials=[UNKNOWN])
    ended = office.run("check", "--json")
    assert ended.code == 1
    (refused,) = ended.lines[0]["refused_trials"]
    assert refused["nct_id"] == UNKNOWN
    assert refused["reason"] == "not_found"
    assert refused["detail"]


def test_a_mail_that_is_given_up_makes_one_check_fail_by_name(posting_office: Office) -> None:
    posting_office.mail.answer(Step.RCPT, "550 5.1.1 no such user", recipient=READER)
    ended = posting_office.run("check")
    assert ended.code == 1
    assert f"to {READER} was given up: 550 5.1.1 no such user" in ended.err
    assert "was given up" not in posting_office.run("check").err


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
