"""A webhook: what is sent and signed, what each answer means, whom it talks to, and what it never says."""

import socket
import ssl
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from tests.edges.raw_server import RawServer, drops, http_answer
from tests.edges.sample_mail import ignore_phase, message
from tests.webhook_receiver import SECRET, Receiver
from watcher.errors import (
    ChannelDown,
    ChannelRefused,
    MailError,
    MessageDeferred,
    MessageRefused,
    MessageUncertain,
)
from watcher.model import Message, Phase, Receipt
from watcher.notify.webhook import Endpoint, Network, WebhookChannel, key_of, signature
from watcher.notify.webhook_line import HEAD_LIMIT

CANARY = "canary-4711"
SOON = timedelta(seconds=5)
PUBLIC = "93.184.215.14"


def now() -> datetime:
    return datetime.now(UTC)


def channel(
    url: str, *, timeout: timedelta = SOON, clock: Callable[[], datetime] = now, **more: object
) -> WebhookChannel:
    options = {"allow_private": True, "connect_timeout": SOON, "timeout": timeout, **more}
    return WebhookChannel(Endpoint(name="hook", url=url, **options), key_of(SECRET), now=clock)  # type: ignore[arg-type]


def send(through: WebhookChannel, what: Message | None = None) -> Receipt:
    with through.session() as session:
        return session.send(what or message(), on_phase=ignore_phase)


def failure(through: WebhookChannel) -> MailError:
    with pytest.raises(MailError) as caught:
        send(through)
    return caught.value


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_the_signature_is_the_one_that_the_standards_library_accepts() -> None:
    with Receiver() as receiver:
        send(channel(f"{receiver.url}/in?key=1"))

    [posted] = receiver.posted
    assert posted.path == "/in?key=1"
    assert posted.headers["content-type"] == "application/json"
    assert posted.headers["webhook-id"] == message().id
    Webhook(SECRET).verify(posted.body, dict(posted.headers), json_parse=False)


@given(st.binary(min_size=24, max_size=64), st.text("0123456789abcdef", min_size=1), st.text())
def test_any_signature_is_the_librarys(key: bytes, message_id: str, body: str) -> None:
    moment = datetime(2026, 3, 2, 12, 0, 0, 999_999, tzinfo=UTC)
    body = body.encode("utf-8", "replace").decode()
    assert signature(key, message_id, moment, body.encode()) == Webhook(key).sign(message_id, moment, body)


def test_a_second_attempt_has_the_same_id_and_the_time_of_its_own() -> None:
    moments = iter(datetime(2026, 3, 2, 12, minute, tzinfo=UTC) for minute in range(60))
    with Receiver() as receiver:
        through = channel(receiver.url, clock=lambda: next(moments))
        receiver.silent.set()
        assert isinstance(failure(through), MessageUncertain)
        receiver.silent.clear()
        send(through)

    assert receiver.ids == [message().id] * 2
    assert len({one.headers["webhook-timestamp"] for one in receiver.posted}) == 2


def test_a_receiver_behind_tls_is_reached_if_its_certificate_is_right(tmp_path: Path) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    for issuer, name, accepted in (
        (authority, "127.0.0.1", True),
        (authority, "x.test", False),
        (stranger, "127.0.0.1", False),
    ):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issuer.issue_cert(name).configure_cert(context)
        with Receiver(tls=context) as receiver:
            through = channel(f"{receiver.url}/{CANARY}", ca_bundle=bundle)
            if accepted:
                assert send(through).reply == "HTTP 204 No Content"
            else:
                error = failure(through)
                assert isinstance(error, ChannelRefused)
                assert "certificate is not accepted" in error.reply
                assert receiver.posted == []


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Receiver() as receiver:
        send(channel(receiver.url))
    assert len(receiver.posted) == 1


# --- what an answer means ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_success_is_a_receipt(status: int) -> None:
    with Receiver() as receiver:
        receiver.status = status
        assert send(channel(receiver.url)).reply.startswith(f"HTTP {status}")


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (301, ChannelRefused, "redirects are not followed"),
        (307, ChannelRefused, "redirects are not followed"),
        (400, MessageRefused, "Bad Request"),
        (401, ChannelRefused, "look at the URL of the target hook"),
        (403, ChannelRefused, "look at the URL of the target hook"),
        (404, ChannelRefused, "look at the URL of the target hook"),
        (408, MessageDeferred, "Request Timeout"),
        (410, MessageRefused, "take the target hook out of the settings"),
        (413, MessageRefused, "HTTP 413"),
        (422, MessageRefused, "HTTP 422"),
        (429, MessageDeferred, "Too Many Requests"),
        (500, MessageDeferred, "Internal Server Error"),
        (503, MessageDeferred, "Service Unavailable"),
        (599, MessageDeferred, "HTTP 599"),
    ],
)
def test_any_other_answer_says_what_is_to_be_done(status: int, kind: type[MailError], says: str) -> None:
    with Receiver() as receiver:
        receiver.status = status
        receiver.headers = {"Location": "http://127.0.0.1:9/"}
        error = failure(channel(receiver.url))
    assert type(error) is kind
    assert error.phase is Phase.DOT
    assert says in error.reply


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        pytest.param("120", timedelta(minutes=2), id="seconds"),
        pytest.param("Mon, 02 Mar 2026 12:10:00 GMT", timedelta(minutes=10), id="a date"),
        pytest.param("Mon, 02 Mar 2026 11:00:00 GMT", timedelta(0), id="a date that is past"),
        pytest.param("soon", None, id="words"),
        pytest.param("-1", None, id="less than nothing"),
        pytest.param("9" * 50, timedelta(seconds=10**7), id="for ever"),
    ],
)
def test_a_receiver_may_say_when_to_come_again(said: str, wait: timedelta | None) -> None:
    with Receiver() as receiver:
        receiver.status, receiver.headers = 503, {"Retry-After": said}
        error = failure(channel(receiver.url, clock=lambda: datetime(2026, 3, 2, 12, tzinfo=UTC)))
    assert isinstance(error, MessageDeferred)
    assert error.retry_after == wait


def test_announcements_before_the_answer_are_passed_over() -> None:
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    with RawServer(lambda _head: [early + http_answer(status=202)]) as server:
        assert send(channel(server.url)).reply == "HTTP 202 Accepted"


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param(drops(http_answer(b"x" * 100)), id="dripping"),
        pytest.param([b"HTTP/1.1 100 Continue\r\n\r\n"] * 1000, id="announcing for ever"),
        pytest.param([b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * (2 * HEAD_LIMIT)], id="a head without an end"),
        pytest.param([b"220 mail.example.org ESMTP\r\n\r\n"], id="not HTTP"),
        pytest.param([b"HTTP/1.1 200 OK\r\n"], id="cut off"),
        pytest.param([], id="none"),
    ],
)
def test_an_answer_that_does_not_come_leaves_it_uncertain(pieces: Iterable[bytes]) -> None:
    with RawServer(lambda _head: pieces, pause=timedelta(milliseconds=100)) as server:
        error = failure(channel(server.url, timeout=timedelta(milliseconds=600)))
    assert isinstance(error, MessageUncertain)
    assert error.reply.startswith("the answer was lost: ")


def test_a_huge_answer_is_not_read() -> None:
    with RawServer(lambda _head: [http_answer(told=10**12), *([b"x" * 65536] * 1000)]) as server:
        assert send(channel(server.url)).reply == "HTTP 200 OK"


def test_a_receiver_that_does_not_read_does_not_hold_us() -> None:
    large = message(body=b"x" * 50_000_000)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        through = channel(f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout=timedelta(milliseconds=300))
        with pytest.raises(MessageUncertain), through.session() as session:
            session.send(large, on_phase=ignore_phase)


def test_after_a_lost_answer_the_session_is_over() -> None:
    with Receiver() as receiver, channel(receiver.url).session() as session:
        receiver.silent.set()
        with pytest.raises(MessageUncertain):
            session.send(message(), on_phase=ignore_phase)
        with pytest.raises(ChannelDown, match="is over"):
            session.send(message(1), on_phase=ignore_phase)
    assert len(receiver.posted) == 1


def test_nobody_at_the_port_means_that_the_channel_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = failure(channel(f"http://127.0.0.1:{port}"))
    assert (type(error), error.phase) == (ChannelDown, Phase.CONNECT)


# --- whom it talks to -------------------------------------------------------------------------------------------------

LOOPBACK = [
    "127.0.0.1",
    "127.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "localhost",
    "localhost.",
    "0.0.0.0",
]


@pytest.mark.parametrize("spelled", LOOPBACK)
def test_this_machine_is_not_reached_however_it_is_spelled(spelled: str) -> None:
    for in_two_steps in (False, True):
        with Receiver() as receiver:
            through = to_port(receiver.port, f"https://{spelled}:8443/{CANARY}", port=8443)
            if in_two_steps:
                endpoint = Endpoint(name="hook", url=f"https://{spelled}:8443/{CANARY}")
                through = WebhookChannel(endpoint, key_of(SECRET), now=now)
            error = failure(through)
            receiver.wait_until_idle()
            if "looked up" in error.reply:
                pytest.skip("nobody knows this name here")
            assert isinstance(error, ChannelRefused)
            assert "is this machine itself" in error.reply or "of no single machine" in error.reply
            assert receiver.posted == []


@pytest.mark.parametrize("spelled", ["[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"])
def test_this_machine_is_not_reached_by_ipv6_either(spelled: str) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    try:
        listening = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listening:
        error = failure(to_port(listening.getsockname()[1], f"https://{spelled}/{CANARY}", port=443))
    assert isinstance(error, ChannelRefused)
    assert "is this machine itself" in error.reply


def to_port(real: int, url: str, *, port: int) -> WebhookChannel:
    """Return a channel that may only talk to others; its names mean something public, its connections end here."""

    def connect(address: tuple[str, int], seconds: float) -> socket.socket:
        assert address == (PUBLIC, port)
        return socket.create_connection((urlsplit(url).hostname or "", real), seconds)

    network = Network(look_up=lambda _host, _port: [PUBLIC], connect=connect)
    return WebhookChannel(Endpoint(name="hook", url=url), key_of(SECRET), now=now, network=network)


def test_a_name_that_changes_its_meaning_after_it_was_looked_up_does_not_help() -> None:
    """First a public address, for whoever checks it; then, for the connection, this machine."""
    with Receiver() as receiver:
        error = failure(to_port(receiver.port, "https://127.0.0.1/", port=443))
        receiver.wait_until_idle()

    assert isinstance(error, ChannelRefused)
    assert receiver.posted == []


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fe80::1%lo"]
)
def test_a_name_that_leads_to_a_private_address_is_not_even_connected_to(address: str) -> None:
    def connect(_address: tuple[str, int], _seconds: float) -> socket.socket:
        raise AssertionError("connected")

    network = Network(look_up=lambda _host, _port: [address], connect=connect)
    endpoint = Endpoint(name="hook", url=f"https://{CANARY}.example.org/")
    error = failure(WebhookChannel(endpoint, key_of(SECRET), now=now, network=network))
    assert isinstance(error, ChannelRefused)
    assert CANARY not in error.reply


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    with Receiver() as receiver:
        tried = []

        def connect(address: tuple[str, int], seconds: float) -> socket.socket:
            tried.append(address[0])
            if len(tried) == 1:
                raise TimeoutError
            return socket.create_connection(address, seconds)

        network = Network(look_up=lambda _host, _port: ["127.0.0.2", "127.0.0.1"], connect=connect)
        endpoint = Endpoint(name="hook", url=f"http://localhost:{receiver.port}/", allow_private=True)
        send(WebhookChannel(endpoint, key_of(SECRET), now=now, network=network))
    assert tried == ["127.0.0.2", "127.0.0.1"]


def test_nothing_is_said_to_a_peer_that_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        failure(to_port(listening.getsockname()[1], "https://127.0.0.1/", port=443))
        line, _ = listening.accept()
        with line:
            line.settimeout(SOON.total_seconds())
            assert line.recv(1) == b""


def test_another_port_is_refused_before_anything_is_looked_up() -> None:
    def look_up(_host: str, _port: int) -> list[str]:
        raise AssertionError("looked up")

    endpoint = Endpoint(name="hook", url="https://hooks.example.org:25/")
    error = failure(WebhookChannel(endpoint, key_of(SECRET), now=now, network=Network(look_up=look_up)))
    assert isinstance(error, ChannelRefused)
    assert "port" in error.reply


def test_a_redirect_to_this_machine_is_not_followed() -> None:
    with Receiver() as inner, Receiver() as outer:
        outer.status, outer.headers = 307, {"Location": inner.url}
        assert isinstance(failure(channel(outer.url)), ChannelRefused)
        assert len(outer.posted) == 1
        assert inner.posted == []


# --- what it never says -----------------------------------------------------------------------------------------------


def quoting(answer: bytes) -> RawServer:
    return RawServer(lambda head: [answer + head.encode("latin-1")])


@pytest.mark.parametrize(
    "trouble",
    [
        "down",
        "lost",
        "quoted",
        "broken head",
        "redirected",
        "refused",
        "certificate",
        "unknown host",
        "impossible host",
        "private",
        "port",
        "clear",
    ],
)
def test_no_error_or_log_or_cause_holds_the_url_or_the_secret(
    trouble: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(0)
    host = f"{CANARY}.invalid"
    with quoting(_ANSWERS.get(trouble, b"")) as server:
        urls = {
            "down": f"http://127.0.0.1:1/{CANARY}",
            "certificate": f"https://{server.address}/{CANARY}",
            "unknown host": f"https://{host}/{CANARY}",
            "impossible host": f"https://{'x' * 64}.{CANARY}/",
            "private": f"https://127.0.0.1/{CANARY}",
            "port": f"https://{host}:25/",
            "clear": f"http://127.0.0.1/{CANARY}",
        }
        through = channel(
            urls.get(trouble, f"{server.url}/{CANARY}?token={CANARY}"),
            allow_private=trouble not in {"private", "port", "clear"},
        )
        error: BaseException | None = failure(through)
    seen = f"{through!r} {through.name} {caplog.text} {''.join(capfd.readouterr())}"
    while error is not None:
        seen += f"{error!r} {error} {getattr(error, 'reply', '')}"
        error = error.__cause__ or error.__context__
    assert CANARY not in seen
    assert SECRET not in seen
    assert SECRET.removeprefix("whsec_") not in seen


_ANSWERS = {
    "lost": b"",
    "quoted": f"HTTP/1.1 400 {CANARY}\r\nX: {CANARY}\r\n\r\n{CANARY} {SECRET}".encode(),
    "broken head": f"HTTP/1.1 404 Not Found\r\n{CANARY}\r\n : {CANARY}\r\n\r\n".encode(),
    "redirected": f"HTTP/1.1 301 Moved\r\nLocation: https://x/{CANARY}\r\n\r\n".encode(),
    "refused": f"HTTP/1.1 403 Forbidden\r\nRetry-After: {CANARY}\r\n\r\n".encode(),
    "certificate": b"",
}


def test_an_endpoint_shows_no_url() -> None:
    assert CANARY not in repr(Endpoint(name="hook", url=f"https://hooks.example.org/{CANARY}"))


@pytest.mark.parametrize("secret", ["", CANARY, f"whsec_{CANARY}", "whsec_" + "AAAA" * 5, "whsec_" + "AAAA" * 30])
def test_what_is_no_secret_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="is not the secret of a webhook") as caught:
        partial(key_of, secret)()
    assert not secret or secret not in str(caught.value)
    assert caught.value.__cause__ is None
