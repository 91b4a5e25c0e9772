"""What goes wrong with an IMAP server: always an error that says what the operator can do, and never for ever."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from tests.imap_server import DRIP, HANG_UP, SILENCE, ScriptedImapServer
from tests.mail_office.servers import MailOffice
from watcher.errors import ChannelDown, ChannelRefused
from watcher.notify.imap_connection import ImapSecurity, ImapServer
from watcher.notify.journal import ImapJournal
from watcher.notify.mailbox import ImapMailbox

SECRET = "a secret that nobody may see"
ID = "<0123@example.org>"


def settings(port: int, *, timeout: float = 20, deadline: float = 20) -> ImapServer:
    return ImapServer(
        host="127.0.0.1",
        port=port,
        security=ImapSecurity.NONE,
        username="bounces",
        password=SECRET,
        timeout=timedelta(seconds=timeout),
        deadline=timedelta(seconds=deadline),
    )


def read_all(server: ImapServer) -> list[bytes | None]:
    with ImapMailbox(server).reading() as reading:
        return [reading.fetch(key) for key in reading.unread()]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({b"AUTHENTICATE": b"NO [AUTHENTICATIONFAILED] wrong\r\n"}, "are user name and password right?"),
        ({b"SELECT": b"NO [NONEXISTENT] no such folder\r\n"}, "the folder INBOX cannot be opened"),
        ({b"SELECT": b"* 1 EXISTS\r\n* OK [READ-ONLY] you may look\r\n"}, "not mark what was read"),
        ({b"CAPABILITY": b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n"}, "use security tls or starttls"),
    ],
    ids=["a wrong password", "a folder that is not there", "a folder that only may be read", "no login in clear"],
)
def test_what_only_the_operator_can_put_right_is_refused_with_what_to_do(
    script: Mapping[bytes, bytes], words: str
) -> None:
    with ScriptedImapServer(script) as server, pytest.raises(ChannelRefused) as refused:
        read_all(settings(server.port))
    assert words in refused.value.reply
    assert SECRET not in refused.value.reply


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({b"AUTHENTICATE": b"NO [UNAVAILABLE] later\r\n"}, "later"),
        ({b"AUTHENTICATE": HANG_UP}, "imap 127.0.0.1"),
        ({b"UID SEARCH": HANG_UP}, "imap 127.0.0.1"),
        ({b"UID SEARCH": b"NO not now\r\n"}, "does not search its folder: not now"),
        ({b"UID SEARCH": b"BAD what?\r\n"}, "imap 127.0.0.1"),
        ({b"UID SEARCH": b"* SEARCH 1\r\n", b"UID FETCH": HANG_UP}, "imap 127.0.0.1"),
        ({b"UID SEARCH": b"\xff\x00 nonsense\r\n"}, "imap 127.0.0.1"),
        ({b"UID SEARCH": b"* BYE shutting down\r\n"}, "imap 127.0.0.1"),
    ],
    ids=[
        "a login that is unavailable",
        "a line that breaks at the login",
        "a line that breaks later",
        "a refused search",
        "a search that is not understood",
        "a line that breaks at a mail",
        "an answer that is not IMAP",
        "a goodbye in between",
    ],
)
def test_what_may_pass_is_tried_again_later(script: Mapping[bytes, bytes], words: str) -> None:
    with ScriptedImapServer(script) as server, pytest.raises(ChannelDown) as down:
        read_all(settings(server.port))
    assert words in down.value.reply
    assert SECRET not in down.value.reply


def test_a_server_that_is_not_there_is_tried_again_later() -> None:
    with ScriptedImapServer() as server:
        port = server.port
    with pytest.raises(ChannelDown, match="refused"):
        read_all(settings(port))


@pytest.mark.parametrize("greeting", [b"220 smtp.example.org ESMTP\r\n", b"* BYE too busy\r\n", b"\x16\x03\x01\x00"])
def test_a_server_that_does_not_greet_as_imap_does_is_tried_again_later(greeting: bytes) -> None:
    with ScriptedImapServer(greeting=greeting) as server, pytest.raises(ChannelDown):
        read_all(settings(server.port, timeout=0.5))


def test_a_silent_server_is_left_after_the_time_out() -> None:
    began = time.monotonic()
    with ScriptedImapServer({b"UID SEARCH": SILENCE}) as server, pytest.raises(ChannelDown, match="timed out"):
        read_all(settings(server.port, timeout=0.3))
    assert time.monotonic() - began < 10


def test_a_server_that_drips_is_left_after_the_deadline() -> None:
    began = time.monotonic()
    with ScriptedImapServer({b"UID SEARCH": DRIP}) as server, pytest.raises(ChannelDown):
        read_all(settings(server.port, timeout=5, deadline=0.5))
    assert time.monotonic() - began < 10


def test_a_server_that_drips_its_greeting_is_left_after_the_deadline() -> None:
    began = time.monotonic()
    with ScriptedImapServer(greeting=DRIP) as server, pytest.raises(ChannelDown):
        read_all(settings(server.port, timeout=5, deadline=0.5))
    assert time.monotonic() - began < 10


def test_a_mail_that_is_announced_with_a_huge_size_is_not_waited_for() -> None:
    script = {b"UID SEARCH": b"* SEARCH 1\r\n", b"UID FETCH": b"* 1 FETCH (UID 1 BODY[]<0> {99999999999}\r\n"}
    with ScriptedImapServer(script) as server, pytest.raises(ChannelDown, match="asked for at most"):
        read_all(settings(server.port))


def test_a_mail_that_has_gone_meanwhile_is_none() -> None:
    with ScriptedImapServer({b"UID SEARCH": b"* SEARCH 1\r\n"}) as server:
        assert read_all(settings(server.port)) == [None]


def test_a_password_is_never_sent_before_a_connection_is_secured() -> None:
    with ScriptedImapServer() as server, pytest.raises(ChannelRefused, match="offers no STARTTLS"):
        read_all(replace(settings(server.port), security=ImapSecurity.STARTTLS))
    assert not any(b"AUTHENTICATE" in line or b"LOGIN" in line for line in server.heard)


def test_what_the_caller_does_wrong_is_not_put_down_to_the_server() -> None:
    with (
        ScriptedImapServer() as server,
        pytest.raises(AttributeError, match="ours"),
        ImapMailbox(settings(server.port)).reading(),
    ):
        raise AttributeError("ours")


def test_an_id_that_could_be_a_command_is_not_asked_for() -> None:
    with ScriptedImapServer() as server:
        journal = ImapJournal(settings(server.port), address="journal@example.org")
        assert not journal.holds('<x"\r\nA1 DELETE INBOX\r\n@example.org>')
        assert not server.heard


@pytest.mark.parametrize("security", [ImapSecurity.TLS, ImapSecurity.STARTTLS])
def test_a_certificate_of_another_authority_is_refused(
    mail_office: MailOffice, tmp_path: Path, security: ImapSecurity
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    server = mail_office.imap_server(mail_office.new_address("bounces"), security=security)
    with pytest.raises(ChannelRefused, match="its certificate is not accepted"):
        read_all(replace(server, ca_bundle=other))
    with pytest.raises(ChannelRefused, match="its certificate is not accepted"):
        read_all(replace(server, ca_bundle=None))
    assert read_all(server) == []


def test_a_bundle_that_is_no_bundle_is_named(tmp_path: Path, mail_office: MailOffice) -> None:
    (tmp_path / "ca.pem").write_text("nonsense")
    server = replace(mail_office.imap_server("x@y"), ca_bundle=tmp_path / "ca.pem")
    with pytest.raises(ChannelRefused, match="should be a readable PEM file"):
        read_all(server)


def test_a_wrong_password_at_a_real_server_is_refused_once(mail_office: MailOffice) -> None:
    server = replace(mail_office.imap_server(mail_office.new_address("bounces")), password="wrong")
    with pytest.raises(ChannelRefused, match="are user name and password right"):
        read_all(server)
