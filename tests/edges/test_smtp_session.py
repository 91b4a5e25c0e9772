"""Handing several mails over by SMTP in one session; what goes over the line, and what never does."""

from collections.abc import Iterator

import pytest

from tests.edges.sample_mail import ignore_phase, message, plain_settings
from tests.smtp_server import Act, MailServer, Step
from watcher.errors import ChannelDown, ChannelRefused, MailError, MessageDeferred, MessageRefused, MessageUncertain
from watcher.model import Message, Phase
from watcher.notify.smtp import MESSAGES_A_CONNECTION, SmtpChannel


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


def hand_over(server: MailServer, what: Message) -> None:
    with SmtpChannel(plain_settings(server)).session() as session:
        session.send(what, on_phase=ignore_phase)


# --- several messages -------------------------------------------------------------------------------------------------


def test_a_connection_serves_several_messages_and_is_cleared_in_between(server: MailServer) -> None:
    with SmtpChannel(plain_settings(server)).session() as session:
        for number in range(3):
            session.send(message(number), on_phase=ignore_phase)

    server.wait_until_all_left()
    assert server.connections == 1
    assert [command.split()[0] for command in server.commands] == [
        "ehlo",
        *("MAIL", "RCPT", "DATA", "rset") * 2,
        *("MAIL", "RCPT", "DATA", "quit"),
    ]


def test_a_connection_is_replaced_after_a_hundred_messages(server: MailServer) -> None:
    phases: list[Phase] = []

    with SmtpChannel(plain_settings(server)).session() as session:
        for number in range(MESSAGES_A_CONNECTION + 1):
            session.send(message(number), on_phase=phases.append)

    assert server.connections == 2
    assert phases[-5:] == [Phase.CONNECT, Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.DOT]
    assert phases.count(Phase.CONNECT) == 1
    assert len(server.accepted) == MESSAGES_A_CONNECTION + 1


def test_a_connection_is_replaced_after_a_minute(server: MailServer) -> None:
    seconds = [0.0]

    with SmtpChannel(plain_settings(server), monotonic=lambda: seconds[0]).session() as session:
        for now in (0.0, 59.9, 60.0, 61.0):
            seconds[0] = now
            session.send(message(int(now)), on_phase=ignore_phase)

    assert server.connections == 2
    assert len(server.accepted) == 4


@pytest.mark.parametrize(
    ("step", "answer", "error", "connections"),
    [
        pytest.param(Step.MAIL, "550 5.1.8 no", MessageRefused, 1, id="a refused sender"),
        pytest.param(Step.RCPT, "450 4.2.0 later", MessageDeferred, 1, id="a deferred recipient"),
        pytest.param(Step.DATA, "451 4.3.0 later", MessageDeferred, 1, id="a deferred message"),
        pytest.param(Step.DOT, "554 5.6.0 no", MessageRefused, 1, id="a refused message"),
        pytest.param(Step.RCPT, "354 go on", MessageDeferred, 2, id="an answer to something else"),
        pytest.param(Step.RCPT, Act.HANG_UP, MessageDeferred, 2, id="a line that broke before the dot"),
    ],
)
def test_after_a_failure_of_one_message_the_session_goes_on_with_the_next(
    server: MailServer, step: Step, answer: str | Act, error: type[MailError], connections: int
) -> None:
    server.answer(step, answer, times=1)

    with SmtpChannel(plain_settings(server)).session() as session:
        with pytest.raises(error):
            session.send(message(1), on_phase=ignore_phase)
        session.send(message(2), on_phase=ignore_phase)

    assert [mail.mime for mail in server.accepted] == [message(2).mime]
    assert server.connections == connections


@pytest.mark.parametrize(
    ("step", "answer", "error"),
    [
        pytest.param(Step.RCPT, "421 4.3.2 closing", ChannelDown, id="the server closes"),
        pytest.param(Step.MAIL, "530 5.7.0 log in first", ChannelRefused, id="the operator must act"),
        pytest.param(Step.DOT, Act.TAKE_AND_HANG_UP, MessageUncertain, id="it is uncertain what was taken"),
    ],
)
def test_after_a_failure_of_the_channel_the_session_is_over(
    server: MailServer, step: Step, answer: str | Act, error: type[MailError]
) -> None:
    server.answer(step, answer, times=1)
    phases: list[Phase] = []

    with SmtpChannel(plain_settings(server)).session() as session:
        with pytest.raises(error):
            session.send(message(1), on_phase=ignore_phase)
        with pytest.raises(ChannelDown, match="is over; open a new one"):
            session.send(message(2), on_phase=phases.append)

    assert phases == []
    assert server.connections == 1
    hand_over(server, message(2))
    assert server.accepted[-1].mime == message(2).mime


def test_a_server_that_restarts_between_two_messages_is_met_again(server: MailServer) -> None:
    with SmtpChannel(plain_settings(server)).session() as session:
        session.send(message(1), on_phase=ignore_phase)
        server.down = True
        server.down = False
        session.send(message(2), on_phase=ignore_phase)

    assert [mail.mime for mail in server.accepted] == [message(1).mime, message(2).mime]


def test_a_server_that_goes_away_between_two_messages_is_down(server: MailServer) -> None:
    with SmtpChannel(plain_settings(server)).session() as session:
        session.send(message(1), on_phase=ignore_phase)
        server.down = True
        with pytest.raises(ChannelDown, match="refused"):
            session.send(message(2), on_phase=ignore_phase)


@pytest.mark.parametrize("fatal", [Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.DOT], ids=lambda phase: phase.value)
def test_where_a_phase_cannot_be_stored_the_line_is_dropped_without_another_word(
    server: MailServer, fatal: Phase
) -> None:
    begun: list[Phase] = []

    def store(phase: Phase) -> None:
        if phase is fatal:
            raise OSError("database is locked")
        begun.append(phase)

    with pytest.raises(OSError, match="database is locked"), SmtpChannel(plain_settings(server)).session() as session:
        session.send(message(), on_phase=store)

    server.wait_until_all_left()
    assert server.accepted == []
    assert [command.split()[0].lower() for command in server.commands] == ["ehlo", *(phase.value for phase in begun)]


# --- addresses and bytes ----------------------------------------------------------------------------------------------


def test_an_address_in_another_script_is_sent_where_the_server_can_take_it(server: MailServer) -> None:
    with SmtpChannel(plain_settings(server)).session() as session:
        session.send(message(1, recipient="müller@bücher.example"), on_phase=ignore_phase)
        session.send(message(2), on_phase=ignore_phase)

    assert [mail.recipient for mail in server.accepted] == ["müller@xn--bcher-kva.example", "reader@example.org"]
    assert [command.endswith(" SMTPUTF8") for command in server.commands if command.startswith("MAIL")] == [True, False]


def test_an_address_in_another_script_is_refused_where_the_server_lacks_smtputf8() -> None:
    with MailServer(offers=()) as server, SmtpChannel(plain_settings(server)).session() as session:
        with pytest.raises(MessageRefused, match="server lacks SMTPUTF8"):
            session.send(message(1, recipient="müller@example.org"), on_phase=ignore_phase)
        session.send(message(2, recipient="reader@bücher.example"), on_phase=ignore_phase)

        assert [mail.recipient for mail in server.accepted] == ["reader@xn--bcher-kva.example"]
        assert "MAIL FROM:<watcher@example.org>" in server.commands


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("reader@example.org>\r\nRCPT TO:<x@y", id="another command"),
        pytest.param("reader@example.org> ORCPT=rfc822;x@y <", id="another parameter"),
        pytest.param("reader@exam\u2028ple.org", id="a line separator"),
        pytest.param("reader@exam\x00ple.org", id="a control character"),
        pytest.param("reader@\ud800.org", id="half a surrogate pair"),
        pytest.param("reader@bü..example", id="no domain name"),
        pytest.param("reader", id="no domain"),
        pytest.param("@example.org", id="nobody"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_no_address_never_reaches_the_server(server: MailServer, address: str) -> None:
    with SmtpChannel(plain_settings(server)).session() as session:
        with pytest.raises(MessageRefused):
            session.send(message(recipient=address), on_phase=ignore_phase)
        with pytest.raises(MessageRefused):
            session.send(message(sender=address), on_phase=ignore_phase)

    server.wait_until_all_left()
    assert server.commands == ["ehlo client.test", "quit"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"a\n.\nb\r\n", id="bare line feeds around a dot"),
        pytest.param(b"a\r.\rb\r\n", id="bare carriage returns around a dot"),
        pytest.param(b"a\n.\r\nb\r\n", id="a line feed before the dot only"),
        pytest.param(b"a\r\n.\rb\r\n", id="a carriage return after the dot only"),
        pytest.param("é\r\n".encode(), id="bytes above 127"),
    ],
)
def test_a_message_that_servers_could_read_as_two_is_not_sent(server: MailServer, body: bytes) -> None:
    with pytest.raises(MessageRefused):
        hand_over(server, message(body=body))

    assert server.accepted == []


def test_a_message_that_lacks_its_last_line_end_is_given_one(server: MailServer) -> None:
    hand_over(server, message(body=b"no end"))

    assert server.accepted[0].mime == message(body=b"no end\r\n").mime
