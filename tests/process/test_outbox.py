"""``trialwatch outbox``: what is on its way, and what the operator decides about what was given up."""

from tests.process.office import FIRST, READER, Office
from tests.smtp_server import Act, Step


def give_up(office: Office) -> str:
    """Let a mail be refused for good, and return its ID."""
    office.mail.answer(Step.RCPT, "554 5.6.0 not this mail", recipient=READER)
    office.run("check")
    (failed,) = [line for line in office.run("outbox", "--json").lines if line["state"] == "failed"]
    return str(failed["id"])


def test_an_outbox_in_which_nothing_waits_says_so(posting_office: Office) -> None:
    assert posting_office.run("outbox").out == "Nothing waits, and nothing was given up.\n"
    assert posting_office.run("outbox", "--json").lines == []


def test_a_mail_is_listed_with_how_far_it_came(posting_office: Office) -> None:
    posting_office.mail.answer(Step.RCPT, "450 4.2.0 greylisted", recipient=READER)
    posting_office.run("check")
    (line,) = posting_office.run("outbox", "--json").lines

    assert (line["state"], line["phase"], line["attempts"]) == ("deferred", "rcpt", 1)
    assert (line["channel"], line["to"], line["reply"]) == ("mail", READER, "450 4.2.0 greylisted")
    assert line["subject"] == f"Now watching {FIRST}"
    said = posting_office.run("outbox").out
    assert f"to {READER}  tried 1 times, as far as rcpt: 450 4.2.0 greylisted" in said


def test_what_is_done_is_listed_on_request(posting_office: Office) -> None:
    posting_office.run("check")
    assert posting_office.run("outbox", "--json").lines == []
    (line,) = posting_office.run("outbox", "--all", "--json").lines
    assert line["state"] == "sent"


def test_an_uncertain_mail_is_shown_by_the_outbox_the_status_and_the_check(posting_office: Office) -> None:
    posting_office.mail.answer(Step.DOT, Act.TAKE_AND_HANG_UP, times=1)
    checked = posting_office.run("check")
    assert checked.code == 1
    assert "was perhaps taken; that is settled from" in checked.err
    (line,) = posting_office.run("outbox", "--json").lines
    assert (line["state"], line["phase"]) == ("uncertain", "dot")
    (status,) = posting_office.run("status", "--json").lines
    assert [one["to"] for one in status["uncertain"]] == [READER]
    assert status["settled"] is False
    assert f'uncertain: "Now watching {FIRST}" to {READER}' in posting_office.run("status").out


def test_the_status_ends_with_1_until_the_operator_has_decided(posting_office: Office) -> None:
    message_id = give_up(posting_office)
    ended = posting_office.run("status", "--json")
    assert (ended.code, ended.lines[0]["mail_trouble"]) == (1, True)

    assert posting_office.run("outbox", "dismiss", message_id[:8]).code == 0
    assert posting_office.run("status").code == 0
    (left,) = [line for line in posting_office.run("outbox", "--json").lines if line["state"] == "failed"]
    assert left["id"] == message_id


def test_a_mail_that_was_given_up_is_tried_again_when_the_operator_says_so(posting_office: Office) -> None:
    message_id = give_up(posting_office)
    posting_office.mail.behave()
    posting_office.run("check")
    assert READER not in [mail.recipient for mail in posting_office.mail.accepted]

    assert posting_office.run("outbox", "retry", message_id).code == 0
    assert posting_office.run("status").code == 0
    posting_office.run("check")
    [mail] = [mail for mail in posting_office.mail.accepted if mail.recipient == READER]
    assert mail.message_id.startswith(f"<{message_id}@")


def test_only_what_was_given_up_can_be_decided_about(posting_office: Office) -> None:
    posting_office.run("check")
    (line,) = posting_office.run("outbox", "--all", "--json").lines
    for arguments in (["retry", line["id"]], ["dismiss", line["id"]], ["retry", "nonsense"], ["retry", "%"]):
        ended = posting_office.run("outbox", *arguments)
        assert (arguments, ended.code) == (arguments, 2)
        assert "no message that was given up begins so" in ended.err


def test_a_line_that_breaks_before_the_final_dot_costs_no_time(posting_office: Office) -> None:
    posting_office.mail.answer(Step.BODY, Act.HANG_UP, times=1)
    assert posting_office.run("check").code == 0
    assert len(posting_office.mail.accepted) == 1
    assert posting_office.mail.connections == 2
    assert posting_office.run("outbox").out == "Nothing waits, and nothing was given up.\n"
