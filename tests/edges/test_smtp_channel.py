"""Handing one mail over by SMTP: what each answer, and each silence, means.

TLS and logins: ``test_smtp_security.py``.  Several mails, addresses and bytes: ``test_smtp_session.py``.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.edges.sample_mail import MINUTE, ignore_phase, message, plain_settings
from tests.smtp_server import PATIENCE, Act, MailServer, Step
from watcher.errors import (
    ChannelDown,
    ChannelRefused,
    LineBroken,
    MailError,
    MessageDeferred,
    MessageRefused,
    MessageUncertain,
    SettingsError,
)
from watcher.model import Message, Phase
from watcher.notify.smtp import Security, SmtpChannel, SmtpServer

MOMENT = timedelta(milliseconds=100)  # a time-out that a test can wait for


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


def hand_over(server: MailServer, what: Message | None = None, *, patience: timedelta = MINUTE) -> str:
    with SmtpChannel(plain_settings(server, patience=patience)).session() as session:
        return session.send(what or message(), on_phase=ignore_phase).reply


def test_a_message_is_taken_and_the_servers_words_are_the_receipt(server: MailServer) -> None:
    assert hand_over(server) == "250 2.0.0 queued as 1"
    assert [(mail.sender, mail.recipient) for mail in server.accepted] == [
        ("watcher@example.org", "reader@example.org")
    ]


def test_the_conversation_is_the_one_that_the_standard_describes(server: MailServer) -> None:
    hand_over(server)
    server.wait_until_all_left()

    assert server.commands == [
        "ehlo client.test",
        f"MAIL FROM:<watcher@example.org> SIZE={len(message().mime)}",
        "RCPT TO:<reader@example.org>",
        "DATA",
        "quit",
    ]


def test_each_phase_is_announced_before_it_begins(server: MailServer) -> None:
    heard: list[tuple[Phase, str]] = []

    with SmtpChannel(plain_settings(server)).session() as session:
        session.send(message(), on_phase=lambda phase: heard.append((phase, server.commands[-1].split()[0])))

    assert heard == [(Phase.MAIL, "ehlo"), (Phase.RCPT, "MAIL"), (Phase.DATA, "RCPT"), (Phase.DOT, "DATA")]


# --- what the server answers ------------------------------------------------------------------------------------------

ANSWERS = [
    pytest.param(Step.MAIL, "552 5.3.4 too big", MessageRefused, id="the message is larger than the server takes"),
    pytest.param(Step.MAIL, "550 5.1.8 unknown sender", MessageRefused, id="the sender is refused"),
    pytest.param(Step.MAIL, "451 4.3.0 try later", MessageDeferred, id="the sender is deferred"),
    pytest.param(Step.MAIL, "530 5.7.0 log in first", ChannelRefused, id="the server wants a login"),
    pytest.param(Step.MAIL, "550 5.7.515 not authenticated", ChannelRefused, id="a bulk rule at the sender"),
    pytest.param(Step.MAIL, "421 4.3.2 closing", ChannelDown, id="the server closes at the sender"),
    pytest.param(Step.RCPT, "450 4.2.0 greylisted", MessageDeferred, id="greylisting"),
    pytest.param(Step.RCPT, "452 4.2.2 mailbox full", MessageDeferred, id="a full mailbox"),
    pytest.param(Step.RCPT, "450 4.7.1 greylisted", MessageDeferred, id="greylisting as a passing matter of policy"),
    pytest.param(Step.RCPT, "550 5.1.1 no such user", MessageRefused, id="no such user"),
    pytest.param(Step.RCPT, "550 no such user", MessageRefused, id="no such user, without an enhanced code"),
    pytest.param(Step.RCPT, "554 5.7.1 relay access denied", ChannelRefused, id="relaying is refused"),
    pytest.param(Step.RCPT, "421 4.3.2 closing", ChannelDown, id="the server closes at the recipient"),
    pytest.param(Step.DATA, "451 4.3.0 try later", MessageDeferred, id="the message is deferred"),
    pytest.param(Step.DATA, "554 5.5.1 no", MessageRefused, id="the message is refused"),
    pytest.param(Step.DATA, "421 4.3.2 closing", ChannelDown, id="the server closes at the message"),
    pytest.param(Step.DOT, "452 4.3.1 disk full", MessageDeferred, id="the whole message is deferred"),
    pytest.param(Step.DOT, "554 5.6.0 not liked", MessageRefused, id="the whole message is refused"),
    pytest.param(Step.DOT, "550 5.7.26 no SPF", ChannelRefused, id="a bulk rule at the whole message"),
    pytest.param(Step.DOT, "421 4.3.2 closing", ChannelDown, id="the server closes instead of taking the message"),
    pytest.param(Step.RCPT, "what?", MessageDeferred, id="words that are no answer, before the dot"),
    pytest.param(Step.RCPT, "354 go on", MessageDeferred, id="an answer that does not fit, before the dot"),
    pytest.param(Step.DOT, "what?", MessageUncertain, id="words that are no answer, after the dot"),
    pytest.param(Step.DOT, "354 go on", MessageUncertain, id="an answer that does not fit, after the dot"),
]


@pytest.mark.parametrize(("step", "answer", "error"), ANSWERS)
def test_an_answer_says_what_becomes_of_the_message(
    server: MailServer, step: Step, answer: str, error: type[MailError]
) -> None:
    server.answer(step, answer)

    with pytest.raises(error) as caught:
        hand_over(server)

    assert type(caught.value) is error
    assert caught.value.phase is Phase(step.value)
    assert answer in caught.value.reply
    assert server.accepted == []


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        pytest.param("450 4.2.0 greylisted, try again in 299 seconds", timedelta(seconds=299), id="seconds"),
        pytest.param("451 4.7.1 Greylisted for 5 minutes", timedelta(minutes=5), id="minutes"),
        pytest.param("450 4.7.1 please retry after 300s", timedelta(minutes=5), id="abbreviated"),
        pytest.param("421 4.7.0 try again in 1 hour", None, id="the channel as a whole"),
        pytest.param("450 4.2.0 greylisted", None, id="no time"),
        pytest.param("450 4.2.1 mailbox full for 3 users", None, id="another number"),
    ],
)
def test_how_long_a_server_asks_us_to_wait_is_passed_on(
    server: MailServer, answer: str, wait: timedelta | None
) -> None:
    server.answer(Step.RCPT, answer)
    with pytest.raises((MessageDeferred, ChannelDown)) as caught:
        hand_over(server)
    assert getattr(caught.value, "retry_after", None) == wait


@pytest.mark.parametrize(
    ("step", "answer", "by_size"),
    [
        pytest.param(Step.MAIL, "552 5.3.4 message too big", True, id="its size was announced"),
        pytest.param(Step.MAIL, "552 message size exceeds limit", True, id="without an enhanced code"),
        pytest.param(Step.DOT, "552 5.2.3 longer than the administrator allows", True, id="the whole was too much"),
        pytest.param(Step.RCPT, "552 5.2.2 mailbox full", False, id="the mailbox is full"),
        pytest.param(Step.RCPT, "552 mailbox full", False, id="the mailbox is full, without an enhanced code"),
    ],
)
def test_a_message_that_is_too_large_is_refused_with_its_size(
    server: MailServer, step: Step, answer: str, *, by_size: bool
) -> None:
    server.answer(step, answer)
    with pytest.raises(MessageRefused) as caught:
        hand_over(server, message(body=b"x" * 98 + b"\r\n" if not by_size else b"0123456\r\n" * 137_000))
    words = f"the mail server refuses mails of this size (1,233 KB): {answer}"
    assert caught.value.reply == (words if by_size else answer)


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA], ids=lambda step: f"at {step.value}")
@pytest.mark.parametrize("act", [Act.HANG_UP, Act.SILENCE], ids=["hangs up", "says nothing"])
def test_a_line_lost_before_the_dot_means_not_taken(server: MailServer, step: Step, act: Act) -> None:
    server.answer(step, act)

    with pytest.raises(LineBroken, match="the line broke before the message was complete") as caught:
        hand_over(server, patience=MOMENT if act is Act.SILENCE else MINUTE)

    assert caught.value.phase is Phase(step.value)
    server.wait_until_all_left()
    assert server.accepted == []


@pytest.mark.parametrize(
    ("act", "taken"),
    [
        pytest.param(Act.TAKE_AND_HANG_UP, 1, id="the message was taken and the answer lost"),
        pytest.param(Act.HANG_UP, 0, id="the message was lost with the line"),
        pytest.param(Act.SILENCE, 0, id="no answer in time"),
    ],
)
def test_a_line_lost_after_the_dot_leaves_it_uncertain(server: MailServer, act: Act, taken: int) -> None:
    server.answer(Step.DOT, act)

    with pytest.raises(MessageUncertain, match="the answer to the final dot was lost") as caught:
        hand_over(server, patience=MOMENT if act is Act.SILENCE else MINUTE)

    assert caught.value.phase is Phase.DOT
    server.wait_until_all_left()
    assert len(server.accepted) == taken


@pytest.mark.parametrize(
    ("act", "error"),
    [
        pytest.param(Act.HANG_UP, LineBroken, id="hangs up"),
        pytest.param("421 4.3.2 closing", ChannelDown, id="says that it closes"),
        pytest.param("552 5.3.4 too big", MessageRefused, id="has had enough of the message"),
    ],
)
def test_what_a_server_does_while_the_message_comes_in_leaves_nothing_uncertain(
    server: MailServer, act: str | Act, error: type[MailError]
) -> None:
    server.answer(Step.BODY, act)

    def wait_for_the_server(phase: Phase) -> None:
        if phase is Phase.DOT:  # as long as it takes to store the phase
            assert server.interrupted.wait(PATIENCE)

    with pytest.raises(error) as caught, SmtpChannel(plain_settings(server)).session() as session:
        session.send(message(), on_phase=wait_for_the_server)

    assert type(caught.value) is error
    assert caught.value.phase is Phase.DATA
    server.wait_until_all_left()
    assert server.accepted == []


def test_an_answer_without_end_is_cut_off(server: MailServer) -> None:
    server.answer(Step.RCPT, "250-more\r\n" * 20_000 + "250 done")

    with pytest.raises(MessageDeferred, match="an answer of more than 65536 octets"):
        hand_over(server)


def test_a_servers_words_are_safe_to_show(server: MailServer) -> None:
    server.answer(Step.RCPT, "550-5.1.1 no \x1b[31msuch\r\n550 5.1.1 \u202euser\x07 " + "x" * 2_000)

    with pytest.raises(MessageRefused) as caught:
        hand_over(server)

    assert caught.value.reply.startswith("550 5.1.1 no [31msuch 5.1.1 user xxx")
    assert len(caught.value.reply) < 600


def test_a_farewell_that_fails_does_not_matter(server: MailServer) -> None:
    server.answer(Step.QUIT, Act.HANG_UP)

    assert hand_over(server).startswith("250")


# --- connecting -------------------------------------------------------------------------------------------------------


def test_a_server_that_does_not_listen_is_down(server: MailServer) -> None:
    server.down = True

    with pytest.raises(ChannelDown, match=rf"127\.0\.0\.1:{server.port}: .*refused") as caught:
        hand_over(server)

    assert caught.value.phase is Phase.CONNECT


@pytest.mark.parametrize(
    ("step", "answer", "error"),
    [
        pytest.param(Step.GREETING, "421 4.3.2 too busy", ChannelDown, id="closing at once"),
        pytest.param(Step.GREETING, "450 4.3.2 too busy", ChannelDown, id="busy"),
        pytest.param(Step.GREETING, "554 5.7.1 not you", ChannelRefused, id="does not want this client"),
        pytest.param(Step.GREETING, "HTTP/1.1 400 Bad Request", ChannelDown, id="not a mail server"),
        pytest.param(Step.GREETING, Act.HANG_UP, ChannelDown, id="hangs up without a greeting"),
        pytest.param(Step.GREETING, Act.SILENCE, ChannelDown, id="never greets"),
        pytest.param(Step.EHLO, "421 4.3.2 closing", ChannelDown, id="closing after the greeting"),
        pytest.param(Step.EHLO, Act.HANG_UP, ChannelDown, id="hangs up after the greeting"),
        pytest.param(Step.EHLO, "550 5.7.1 bad name", ChannelRefused, id="does not like our name"),
    ],
)
def test_a_server_that_does_not_let_us_in_stops_the_channel_and_blames_no_message(
    server: MailServer, step: Step, answer: str | Act, error: type[MailError]
) -> None:
    server.answer(step, answer)

    with pytest.raises(error) as caught:
        hand_over(server, patience=MOMENT if answer is Act.SILENCE else MINUTE)

    assert type(caught.value) is error
    assert caught.value.phase is Phase.CONNECT
    assert f"127.0.0.1:{server.port}" in caught.value.reply


def test_a_host_that_cannot_exist_is_the_operators() -> None:
    nowhere = SmtpServer(host="mail..example", port=25, security=Security.NONE, local_hostname="client.test")

    with pytest.raises(ChannelRefused, match="not a host name"), SmtpChannel(nowhere).session():
        pass


def test_settings_that_cannot_work_are_all_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        SmtpServer(host="a b", port=0, security=Security.NONE, username="u", local_hostname="x\r\ny")

    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "mail server host 'a b'",
        "mail server port 0",
        "local host name 'x\\r\\ny'",
        "mail server login",
        "mail server login",
    ]
