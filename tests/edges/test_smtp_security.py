"""TLS and login: nothing is sent in clear, to the wrong server, or twice with a wrong password."""

import base64
import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from tests.edges.sample_mail import ignore_phase, message
from tests.smtp_server import Act, MailServer, Step, tls_context
from watcher.errors import ChannelDown, ChannelRefused, MailError, SettingsError
from watcher.model import Phase
from watcher.notify.smtp import Security, SmtpChannel, SmtpServer

MINUTE = timedelta(minutes=1)
USER = "watcher@example.org"
PASSWORD = "canary-pässword"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture(scope="module")
def context(authority: trustme.CA) -> ssl.SSLContext:
    return tls_context(authority, "127.0.0.1")


@pytest.fixture
def server(context: ssl.SSLContext) -> Iterator[MailServer]:
    with MailServer(tls=context, login=(USER, PASSWORD)) as server:
        yield server


def settings(
    server: MailServer,
    bundle: Path | None,
    *,
    security: Security = Security.STARTTLS,
    username: str | None = None,
    password: str | None = None,
) -> SmtpServer:
    return SmtpServer(
        host=server.host,
        port=server.port,
        security=security,
        username=username,
        password=password,
        ca_bundle=bundle,
        connect_timeout=MINUTE,
        command_timeout=MINUTE,
        local_hostname="client.test",
    )


def with_login(server: MailServer, bundle: Path, *, password: str = PASSWORD) -> SmtpServer:
    return settings(server, bundle, username=USER, password=password)


def hand_over(to: SmtpServer) -> None:
    with SmtpChannel(to).session() as session:
        session.send(message(), on_phase=ignore_phase)


def commands(server: MailServer) -> list[str]:
    server.wait_until_all_left()
    return [command.split()[0].upper() for command in server.commands]


# --- TLS --------------------------------------------------------------------------------------------------------------


def test_nothing_but_a_greeting_is_said_before_the_line_is_encrypted(context: ssl.SSLContext, bundle: Path) -> None:
    with MailServer(tls=context) as server:
        hand_over(settings(server, bundle))

        assert commands(server) == ["EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
        assert [mail.mime for mail in server.accepted] == [message().mime]


def test_a_line_can_be_encrypted_from_its_first_byte(context: ssl.SSLContext, bundle: Path) -> None:
    with MailServer(tls=context, implicit_tls=True) as server:
        hand_over(settings(server, bundle, security=Security.TLS))

        assert [mail.mime for mail in server.accepted] == [message().mime]


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS], ids=lambda security: security.value)
@pytest.mark.parametrize(
    ("certificate", "complaint"),
    [
        pytest.param(lambda _: tls_context(trustme.CA(), "127.0.0.1"), "issuer certificate", id="unknown authority"),
        pytest.param(lambda ours: tls_context(ours, "mail.example.net"), "IP address mismatch", id="another host's"),
        pytest.param(lambda ours: tls_context(ours, "127.0.0.1", expired=True), "expired", id="expired"),
    ],
)
def test_a_certificate_that_proves_nothing_is_refused(
    authority: trustme.CA,
    bundle: Path,
    certificate: Callable[[trustme.CA], ssl.SSLContext],
    complaint: str,
    security: Security,
) -> None:
    with MailServer(tls=certificate(authority), implicit_tls=security is Security.TLS, login=("u", "p")) as server:
        with pytest.raises(ChannelRefused, match=f"certificate is not accepted: .*{complaint}") as caught:
            hand_over(settings(server, bundle, security=security, username=USER, password=PASSWORD))

        assert caught.value.phase is Phase.CONNECT
        assert "AUTH" not in commands(server)


def test_without_a_bundle_the_systems_authorities_decide(server: MailServer) -> None:
    with pytest.raises(ChannelRefused, match="certificate is not accepted"):
        hand_over(settings(server, None))


def test_a_server_without_starttls_is_refused_rather_than_spoken_to_in_clear(bundle: Path) -> None:
    with MailServer(login=(USER, PASSWORD)) as server:
        with pytest.raises(ChannelRefused, match="offers no STARTTLS, and nothing is sent in clear"):
            hand_over(with_login(server, bundle))

        assert commands(server) == ["EHLO"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param("454 4.7.0 TLS not available", ChannelDown, id="not now"),
        pytest.param("501 5.5.2 no", ChannelRefused, id="never"),
        pytest.param(Act.HANG_UP, ChannelDown, id="hangs up"),
    ],
)
def test_a_line_that_cannot_be_encrypted_is_not_used(
    server: MailServer, bundle: Path, answer: str | Act, error: type[MailError]
) -> None:
    server.answer(Step.STARTTLS, answer)

    with pytest.raises(error) as caught:
        hand_over(with_login(server, bundle))

    assert type(caught.value) is error
    assert commands(server) == ["EHLO", "STARTTLS"]


def test_answers_slipped_in_before_the_encryption_are_thrown_away(context: ssl.SSLContext, bundle: Path) -> None:
    with MailServer(tls=context, offers=()) as server:
        server.answer(Step.STARTTLS, "220 go ahead\r\n250-mail.test\r\n250 SMTPUTF8")
        hand_over(settings(server, bundle))

        assert len(server.accepted) == 1


def test_encryption_from_the_first_byte_against_a_port_in_clear_is_the_operators(bundle: Path) -> None:
    with MailServer() as server, pytest.raises(ChannelRefused, match="are port and security right"):
        hand_over(settings(server, bundle, security=Security.TLS))


@pytest.mark.parametrize("content", [None, "not a certificate"], ids=["missing", "not a certificate"])
def test_a_bundle_that_cannot_be_used_is_named(server: MailServer, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ChannelRefused, match="CA bundle .*bundle.pem cannot be used"):
        hand_over(settings(server, path))


# --- login ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mechanisms", [("PLAIN", "LOGIN"), ("LOGIN",), ("XOAUTH2", "LOGIN")], ids=" ".join)
def test_a_message_is_taken_after_a_login(context: ssl.SSLContext, bundle: Path, mechanisms: tuple[str, ...]) -> None:
    with MailServer(tls=context, login=(USER, PASSWORD), mechanisms=mechanisms) as server:
        hand_over(with_login(server, bundle))

        assert len(server.accepted) == 1


def test_a_wrong_password_is_tried_once(server: MailServer, bundle: Path) -> None:
    with pytest.raises(ChannelRefused, match="login of watcher@example.org: 535 5.7.8"):
        hand_over(with_login(server, bundle, password="wrong"))

    assert commands(server).count("AUTH") == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param("535 5.7.8 wrong", ChannelRefused, id="wrong password"),
        pytest.param("534 5.7.9 too weak", ChannelRefused, id="mechanism too weak"),
        pytest.param("530 5.7.0 no", ChannelRefused, id="something else is required"),
        pytest.param("454 4.7.0 try later", ChannelDown, id="the server cannot check it now"),
        pytest.param("421 4.3.2 closing", ChannelDown, id="the server closes"),
        pytest.param(Act.HANG_UP, ChannelDown, id="the server hangs up"),
    ],
)
def test_an_answer_to_a_login_says_whether_to_wait_or_to_ask_the_operator(
    server: MailServer, bundle: Path, answer: str | Act, error: type[MailError]
) -> None:
    server.answer(Step.AUTH, answer)

    with pytest.raises(error) as caught:
        hand_over(with_login(server, bundle))

    assert type(caught.value) is error
    assert caught.value.phase is Phase.CONNECT


@pytest.mark.parametrize(
    ("mechanisms", "offer"), [(("CRAM-MD5", "GSSAPI"), "CRAM-MD5, GSSAPI"), ((), "none")], ids=["others", "none"]
)
def test_a_server_without_a_known_login_is_the_operators(
    context: ssl.SSLContext, bundle: Path, mechanisms: tuple[str, ...], offer: str
) -> None:
    with (
        MailServer(tls=context, login=(USER, PASSWORD), mechanisms=mechanisms) as server,
        pytest.raises(ChannelRefused, match=f"it offers {offer}"),
    ):
        hand_over(with_login(server, bundle))


def test_a_missing_login_is_the_operators(server: MailServer, bundle: Path) -> None:
    with pytest.raises(ChannelRefused, match="530 5.7.0 log in first"):
        hand_over(settings(server, bundle))


def test_a_password_is_never_sent_in_clear() -> None:
    with pytest.raises(SettingsError, match="never sent in clear"):
        SmtpServer(host="mail.example.org", port=25, security=Security.NONE, username=USER, password=PASSWORD)


def test_a_password_shows_in_no_error_and_in_no_representation(server: MailServer, bundle: Path) -> None:
    plain = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
    server.answer(Step.AUTH, f"501 5.5.2 cannot decode {plain} or {PASSWORD}")
    to = with_login(server, bundle)

    with pytest.raises(ChannelRefused) as caught:
        hand_over(to)

    shown = "".join(map(repr, (to, SmtpChannel(to), caught.value, caught.value.__cause__, caught.value.__context__)))
    assert PASSWORD not in shown + str(caught.value)
    assert plain not in shown + str(caught.value)
    assert "501 5.5.2 cannot decode *** or ***" in caught.value.reply
