"""Logging in by OAuth 2.0: a token is had once, renewed when it is void, and shown nowhere."""

import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from tests.edges.sample_mail import MINUTE, ignore_phase, message
from tests.edges.token_server import SECRET, TokenServer
from tests.smtp_server import Act, MailServer, Step, tls_context
from watcher.errors import ChannelDown, ChannelRefused, MailError, SettingsError
from watcher.notify.oauth2 import ANSWER_LIMIT, OAuth2Client, TokenSource
from watcher.notify.smtp import Security, SmtpChannel, SmtpServer

USER = "watcher@example.org"


class Clock:
    """Seconds that go by when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


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
def tokens() -> Iterator[TokenServer]:
    with TokenServer() as server:
        yield server


@pytest.fixture
def server(context: ssl.SSLContext) -> Iterator[MailServer]:
    with MailServer(tls=context, login=(USER, "token-1"), mechanisms=("LOGIN", "XOAUTH2")) as server:
        yield server


def source(tokens: TokenServer, clock: Clock | None = None) -> TokenSource:
    client = OAuth2Client(token_url=tokens.url, client_id="us", client_secret=SECRET, scope="mail.send")
    return TokenSource(client, monotonic=clock or Clock())


def channel(server: MailServer, tokens: TokenSource, bundle: Path) -> SmtpChannel:
    to = SmtpServer(
        host=server.host,
        port=server.port,
        security=Security.STARTTLS,
        username=USER,
        tokens=tokens,
        ca_bundle=bundle,
        connect_timeout=MINUTE,
        command_timeout=MINUTE,
        local_hostname="client.test",
    )
    return SmtpChannel(to)


def hand_over(by: SmtpChannel) -> None:
    with by.session() as session:
        session.send(message(), on_phase=ignore_phase)


def test_a_message_is_taken_after_a_login_with_a_token(server: MailServer, tokens: TokenServer, bundle: Path) -> None:
    hand_over(channel(server, source(tokens), bundle))

    assert len(server.accepted) == 1
    assert tokens.asked == [
        {"grant_type": "client_credentials", "client_id": "us", "client_secret": SECRET, "scope": "mail.send"}
    ]


def test_a_token_serves_several_sessions_until_shortly_before_it_expires(
    server: MailServer, tokens: TokenServer, bundle: Path
) -> None:
    clock = Clock()
    by = channel(server, source(tokens, clock), bundle)
    for _ in range(3):
        hand_over(by)
        clock.seconds += 1_000
    assert len(tokens.asked) == 1

    clock.seconds += 500  # 100 seconds are left of its hour
    server.login = (USER, "token-2")
    hand_over(by)

    assert len(tokens.asked) == 2
    assert len(server.accepted) == 4


def test_a_kept_token_that_is_refused_is_replaced_once_on_the_same_connection(
    server: MailServer, tokens: TokenServer, bundle: Path
) -> None:
    by = channel(server, source(tokens), bundle)
    hand_over(by)
    server.login = (USER, "token-2")  # the first was revoked
    hand_over(by)

    assert len(server.accepted) == 2
    assert len(tokens.asked) == 2
    server.wait_until_all_left()
    assert server.connections == 2


def test_a_new_token_that_is_refused_is_not_tried_again(server: MailServer, tokens: TokenServer, bundle: Path) -> None:
    server.login = (USER, "another")
    with pytest.raises(ChannelRefused, match=r"login of watcher@example.org by XOAUTH2: 535 5\.7\.3"):
        hand_over(channel(server, source(tokens), bundle))

    server.wait_until_all_left()
    # The refusal itself comes after an empty answer to the server's reasons.
    assert [command.split()[:2] for command in server.commands[-2:]] == [["AUTH", "XOAUTH2"], []]
    assert len(tokens.asked) == 1


def test_two_tokens_in_a_row_that_are_refused_are_the_operators(
    server: MailServer, tokens: TokenServer, bundle: Path
) -> None:
    by = channel(server, source(tokens), bundle)
    hand_over(by)
    server.login = (USER, "another")
    with pytest.raises(ChannelRefused):
        hand_over(by)

    assert len(tokens.asked) == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param("454 4.7.0 try later", ChannelDown, id="the server cannot check it now"),
        pytest.param("421 4.3.2 closing", ChannelDown, id="the server closes"),
        pytest.param(Act.HANG_UP, ChannelDown, id="the server hangs up"),
        pytest.param("501 5.5.2 too long", ChannelRefused, id="the server cannot read it"),
    ],
)
def test_an_answer_that_says_nothing_of_the_token_leaves_it_in_use(
    server: MailServer, tokens: TokenServer, bundle: Path, answer: str | Act, error: type[MailError]
) -> None:
    by = channel(server, source(tokens), bundle)
    server.answer(Step.AUTH, answer, times=1)
    with pytest.raises(error) as caught:
        hand_over(by)
    assert type(caught.value) is error
    hand_over(by)

    assert len(tokens.asked) == 1


def test_a_server_without_xoauth2_is_the_operators(context: ssl.SSLContext, tokens: TokenServer, bundle: Path) -> None:
    with (
        MailServer(tls=context, login=(USER, "token-1")) as server,
        pytest.raises(ChannelRefused, match="should offer a login by XOAUTH2; it offers PLAIN, LOGIN"),
    ):
        hand_over(channel(server, source(tokens), bundle))
    assert tokens.asked == []


# --- the token server -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        pytest.param(
            (401, b'{"error":"invalid_client","error_description":"bad ' + SECRET.encode() + b'"}'),
            ChannelRefused,
            r"HTTP 401 \(invalid_client: bad \*\*\*\)",
            id="it refuses us",
        ),
        pytest.param((503, b"busy"), ChannelDown, "HTTP 503", id="it is busy"),
        pytest.param((429, b"{}"), ChannelDown, "HTTP 429", id="it was asked too often"),
        pytest.param((200, b"<html>"), ChannelRefused, "holds no access_token", id="a page"),
        pytest.param((200, b'{"access_token": 7}'), ChannelRefused, "holds no access_token", id="not a text"),
        pytest.param((200, b'{"access_token": "a\\nb"}'), ChannelRefused, "holds no access_token", id="two lines"),
        pytest.param((200, b'["access_token"]'), ChannelRefused, "holds no access_token", id="a list"),
        pytest.param((200, b"x" * (ANSWER_LIMIT + 1)), ChannelDown, "too long", id="far too much"),
    ],
)
def test_an_answer_without_a_token_says_whether_to_wait_or_to_ask_the_operator(
    tokens: TokenServer, answer: tuple[int, bytes], error: type[MailError], words: str
) -> None:
    tokens.answer = answer
    with pytest.raises(error, match=words) as caught:
        source(tokens).token()
    assert type(caught.value) is error
    assert SECRET not in str(caught.value)


def test_a_redirect_is_not_followed_with_the_secret(tokens: TokenServer) -> None:
    with TokenServer() as elsewhere:
        tokens.answer, tokens.location = (307, b""), elsewhere.url
        with pytest.raises(ChannelRefused, match="HTTP 307"):
            source(tokens).token()
        assert elsewhere.asked == []


def test_a_token_server_that_does_not_listen_is_down(tokens: TokenServer) -> None:
    gone = source(tokens)
    tokens.__exit__()
    try:
        with pytest.raises(ChannelDown, match="token server http://127"):
            gone.token()
    finally:
        tokens.__enter__()


@pytest.mark.parametrize("expires_in", [None, -5, "3600", True, 10**12], ids=str)
def test_a_token_whose_life_is_not_told_is_kept_for_minutes(tokens: TokenServer, expires_in: object) -> None:
    tokens.expires_in = expires_in
    clock = Clock()
    had = source(tokens, clock)
    assert had.token() == ("token-1", True)
    clock.seconds += 100
    assert had.token() == ("token-1", False)
    clock.seconds += timedelta(minutes=5).total_seconds()
    assert had.token() == ("token-2", True)


def test_neither_secret_nor_token_shows_in_an_error_or_a_representation(
    server: MailServer, tokens: TokenServer, bundle: Path
) -> None:
    server.login = (USER, "another")
    server.answer(Step.AUTH, "535 5.7.3 no: token-1")
    had = source(tokens)
    by = channel(server, had, bundle)
    with pytest.raises(ChannelRefused) as caught:
        hand_over(by)

    shown = "".join(map(repr, (by, had, had._client, by._server, caught.value, caught.value.__context__)))
    assert "token-1" not in shown + str(caught.value)
    assert SECRET not in shown


def test_a_password_and_tokens_are_not_both_used(tokens: TokenServer) -> None:
    with pytest.raises(SettingsError, match="a password or OAuth 2.0, not both"):
        SmtpServer(
            host="mail.example.org",
            port=587,
            security=Security.STARTTLS,
            username=USER,
            password="x",
            tokens=source(tokens),
        )
