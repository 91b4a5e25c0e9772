"""The journal mailbox as a second recipient: it never keeps a mail from its reader, and its absence is known."""

from collections.abc import Iterator

import pytest

from tests.edges.sample_mail import ignore_phase, message, plain_settings
from tests.smtp_server import Act, MailServer, Step
from watcher.errors import ChannelDown, LineBroken, MailError, MessageDeferred, MessageRefused, MessageUncertain
from watcher.model import Message, Phase, Receipt
from watcher.notify.smtp import SmtpChannel

JOURNAL = "journal@example.org"
READER = "reader@example.org"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


def hand_over(server: MailServer, *what: Message) -> tuple[list[Phase], Receipt]:
    """Hand messages over; return the phases that were announced, and the last receipt."""
    phases: list[Phase] = []
    with SmtpChannel(plain_settings(server), journal=JOURNAL).session() as session:
        for one in what or (message(),):
            receipt = session.send(one, on_phase=phases.append)
    return phases, receipt


def test_the_journal_is_named_after_the_reader_was_accepted_and_before_the_message(server: MailServer) -> None:
    phases, receipt = hand_over(server)

    server.wait_until_all_left()
    assert [command.partition(" SIZE")[0] for command in server.commands] == [
        "ehlo client.test",
        "MAIL FROM:<watcher@example.org>",
        f"RCPT TO:<{READER}>",
        f"RCPT TO:<{JOURNAL}>",
        "DATA",
        "quit",
    ]
    assert [(mail.recipient, mail.copies, mail.mime) for mail in server.accepted] == [
        (READER, (JOURNAL,), message().mime)
    ]
    assert phases == [Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.JOURNALLED]
    assert receipt.journal_refusal is None


@pytest.mark.parametrize("answer", ["550 5.1.1 no such user", "450 4.2.0 greylisted", "550 5.7.1 not for you"])
def test_a_journal_that_is_not_accepted_keeps_no_mail_from_its_reader(server: MailServer, answer: str) -> None:
    server.answer(Step.RCPT, answer, recipient=JOURNAL)
    phases, receipt = hand_over(server)

    assert [(mail.recipient, mail.copies) for mail in server.accepted] == [(READER, ())]
    assert phases[-1] is Phase.DOT
    assert receipt.journal_refusal == answer


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param("550 5.1.1 no such user", MessageRefused, id="refused"),
        pytest.param("450 4.2.0 greylisted", MessageDeferred, id="deferred"),
    ],
)
def test_without_its_reader_a_message_does_not_go_to_the_journal_either(
    server: MailServer, answer: str, error: type[MailError]
) -> None:
    server.answer(Step.RCPT, answer, recipient=READER)
    with pytest.raises(error):
        hand_over(server)

    server.wait_until_all_left()
    assert not any(JOURNAL in command for command in server.commands)
    assert server.accepted == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param("421 4.3.2 closing", ChannelDown, id="closes"),
        pytest.param("what?", MessageDeferred, id="says what is no answer"),
        pytest.param(Act.HANG_UP, LineBroken, id="hangs up"),
    ],
)
def test_a_server_that_ends_the_conversation_at_the_journal_has_taken_nothing(
    server: MailServer, answer: str | Act, error: type[MailError]
) -> None:
    server.answer(Step.RCPT, answer, recipient=JOURNAL)
    with pytest.raises(error) as caught:
        hand_over(server)

    assert type(caught.value) is error
    assert caught.value.phase is Phase.RCPT
    assert server.accepted == []


def test_a_refused_journal_is_named_again_with_the_next_message(server: MailServer) -> None:
    server.answer(Step.RCPT, "450 4.2.0 later", recipient=JOURNAL, times=1)
    hand_over(server, message(1), message(2))

    assert [mail.copies for mail in server.accepted] == [(), (JOURNAL,)]


def test_a_mail_to_the_journal_itself_is_sent_once(server: MailServer) -> None:
    phases, _ = hand_over(server, message(recipient=JOURNAL))

    assert [(mail.recipient, mail.copies) for mail in server.accepted] == [(JOURNAL, ())]
    assert phases[-1] is Phase.JOURNALLED


def test_a_lost_answer_is_uncertain_with_a_journal_too(server: MailServer) -> None:
    server.answer(Step.DOT, Act.TAKE_AND_HANG_UP)
    with pytest.raises(MessageUncertain):
        hand_over(server)
    assert server.accepted[0].copies == (JOURNAL,)


def test_without_a_journal_there_is_one_recipient_a_message(server: MailServer) -> None:
    with SmtpChannel(plain_settings(server)).session() as session:
        session.send(message(), on_phase=ignore_phase)
    assert [command for command in server.commands if command.startswith("RCPT")] == [f"RCPT TO:<{READER}>"]
