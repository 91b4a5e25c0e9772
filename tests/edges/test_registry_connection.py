"""One request to the registry: what is sent, what is accepted, and whom it believes."""

import gzip
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from time import monotonic

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.edges.raw_server import RawServer, drops, http_answer
from tests.edges.registry_connections import CHUNKED, SOON, WHOLE, always, connection, get, refusal
from watcher.errors import RegistryError
from watcher.model import Reason
from watcher.registry.connection import Answer, Connection


@pytest.fixture
def client() -> Iterator[Connection]:
    opened = connection()
    yield opened
    opened.close()


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_a_request_names_its_operator_and_takes_gzip(client: Connection) -> None:
    with RawServer(always(http_answer(b"{}"))) as server:
        get(client, f"{server.url}/api/v2/studies", params={"filter.ids": "NCT00000001,NCT00000002"})

    (head,) = server.heads
    assert head.startswith("GET /api/v2/studies?filter.ids=NCT00000001%2CNCT00000002 HTTP/1.1\r\n")
    assert "User-Agent: trialwatch/0 (+mailto:operator@example.org)\r\n" in head
    assert "Accept-Encoding: gzip\r\n" in head
    assert "Authorization" not in head


def test_an_answer_comes_inflated_with_headers_in_any_case(client: Connection) -> None:
    packed = http_answer(gzip.compress(b'{"a":1}'), Content_Encoding="gzip", ETag='"x"')
    with RawServer(always(packed)) as server:
        answer = get(client, server.url)

    assert (answer.status, answer.body, answer.headers["etag"]) == (200, b'{"a":1}', '"x"')


@pytest.mark.parametrize("status", [204, 301, 304, 400, 403, 404, 429, 503])
def test_any_status_is_an_answer(client: Connection, status: int) -> None:
    with RawServer(always(http_answer(status=status))) as server:
        assert get(client, server.url).status == status


def test_proxies_and_passwords_of_the_environment_are_not_used(
    client: Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login operator password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))

    with RawServer(always(http_answer(b"{}"))) as server:
        assert get(client, server.url).body == b"{}"

    assert "Authorization" not in server.heads[0]


def test_a_proxy_of_the_settings_is_used() -> None:
    with RawServer(always(http_answer(b"from the proxy"))) as proxy:
        answer = get(connection(proxy=f"http://user:secret@{proxy.address}"), "http://registry.example/version")

    assert answer.body == b"from the proxy"
    assert proxy.heads[0].startswith("GET http://registry.example/version HTTP/1.1")


@pytest.mark.parametrize("url", ["http://registry.example/version", "https://registry.example/version"])
def test_the_password_of_a_proxy_is_in_no_error(url: str) -> None:
    with RawServer(always(b"")) as server:
        refusing = server.address

    error = refusal(connection(proxy=f"http://user:secret@{refusing}"), url)

    assert (error.reason, error.retry) == (Reason.UNREACHABLE, True)
    assert "secret" not in str(error)
    assert "proxy" in str(error)


# --- redirects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("/elsewhere", id="on the same site"),
        pytest.param("http://127.0.0.1:9/elsewhere", id="on another site"),
        pytest.param("http://[", id="which is no address"),
        pytest.param("//\x00\xff", id="which is no text"),
    ],
)
def test_a_redirect_is_an_answer_and_not_followed(client: Connection, location: str) -> None:
    with RawServer(always(http_answer(status=301, Location=location))) as server:
        assert get(client, server.url).status == 301

    assert len(server.heads) == 1


# --- broken answers ---------------------------------------------------------------------------------------------------


def test_nobody_at_the_address_is_worth_another_try(client: Connection) -> None:
    with RawServer(always(b"")) as server:
        url = server.url

    error = refusal(client, url)

    assert (error.reason, error.retry) == (Reason.UNREACHABLE, True)
    assert "ConnectionRefusedError" in error.detail
    assert "127.0.0.1" not in error.detail


@pytest.mark.parametrize("at", [0, 1, 4_999])
def test_a_body_shorter_than_was_told_is_no_answer(client: Connection, at: int) -> None:
    with RawServer(always(WHOLE[: len(WHOLE) - 5_000 + at])) as server:
        error = refusal(client, server.url)

    assert (error.reason, error.retry) == (Reason.UNREACHABLE, True)


def test_a_body_in_chunks_without_its_end_is_no_answer(client: Connection) -> None:
    with RawServer(always(CHUNKED)) as server:
        assert refusal(client, server.url).reason is Reason.UNREACHABLE


pieces = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 301 Moved\r\nLocation: http://[\r\n",
            b"HTTP/9 -7 \xff\r\n",
            b"Content-Length: 5\r\n",
            b"Content-Length: -5\r\n",
            b"Content-Length: 5, 6\r\n",
            b"Content-Length: \xb2\r\n",
            b"Content-Encoding: gzip\r\n",
            b"Content-Encoding: deflate, gzip, x\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Set-Cookie: \xff=;=; expires=Thu, 99 Foo 9999; domain=.; path=\x00\r\n",
            b"Retry-After: \xff\r\n",
            b"Connection: keep-alive\r\n",
            b"X: y\r\n z\r\n",
            b"no colon\r\n",
            b"\r\n",
            b"\r\n\r\n",
            b"5\r\nhello\r\n",
            b"0\r\n\r\n",
            b"ffffffffffffffffffff\r\n",
            gzip.compress(b"hello"),
            gzip.compress(b"hello")[:-6],
            b"x" * 70_000,
        ]
    ),
)


def test_no_answer_whatever_breaks_more_than_itself(client: Connection) -> None:
    sent = b""
    with RawServer(lambda _head: [sent]) as server:

        @settings(deadline=None, max_examples=250)
        @given(st.lists(pieces, max_size=8), st.booleans())
        def asked(answer: list[bytes], begins_well: bool) -> None:  # noqa: FBT001 (hypothesis passes it)
            nonlocal sent
            sent = (b"HTTP/1.1 200 OK\r\n" if begins_well else b"") + b"".join(answer)
            with suppress(RegistryError):
                assert isinstance(get(client, server.url), Answer)

        asked()


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def served_with(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def bundle(authority: trustme.CA, folder: Path) -> str:
    path = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def test_a_certificate_of_the_settings_authority_is_accepted(authority: trustme.CA, tmp_path: Path) -> None:
    context = served_with(authority.issue_cert("127.0.0.1"))
    with RawServer(always(http_answer(b"{}")), tls=context) as server:
        assert get(connection(ca_bundle=bundle(authority, tmp_path)), server.url).body == b"{}"


def test_an_unknown_certificate_is_refused_whatever_the_environment_says(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, bundle(authority, tmp_path))
    with RawServer(always(http_answer(b"{}")), tls=served_with(authority.issue_cert("127.0.0.1"))) as server:
        error = refusal(connection(), server.url)

    assert (error.reason, error.retry) == (Reason.UNREACHABLE, False)
    assert "certificate" in error.detail
    assert server.heads == []


def test_a_certificate_of_another_host_is_refused(authority: trustme.CA, tmp_path: Path) -> None:
    context = served_with(authority.issue_cert("registry.example"))
    with RawServer(always(http_answer(b"{}")), tls=context) as server:
        error = refusal(connection(ca_bundle=bundle(authority, tmp_path)), server.url)

    assert (error.reason, error.retry) == (Reason.UNREACHABLE, False)


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28"])
def test_a_greeting_that_fails_is_not_put_down_to_the_certificate(client: Connection, greeting: bytes) -> None:
    with RawServer(always(greeting), greets=True) as server:
        error = refusal(client, f"https://{server.address}")

    assert (error.reason, error.retry) == (Reason.UNREACHABLE, True)
    assert "certificate" not in error.detail


def test_a_dripping_server_is_cut_off_behind_tls_too(authority: trustme.CA, tmp_path: Path) -> None:
    context = served_with(authority.issue_cert("127.0.0.1"))
    dripping = connection(ca_bundle=bundle(authority, tmp_path), deadline=timedelta(milliseconds=300))
    begun = monotonic()
    for head in (http_answer(told=-1), http_answer(told=5_000)):
        answer = [head, *drops(b"x" * 5_000)]
        with RawServer(always(*answer), tls=context, pause=timedelta(milliseconds=5)) as server:
            assert "longer than" in refusal(dripping, server.url).detail

    assert monotonic() - begun < SOON


# --- threads ----------------------------------------------------------------------------------------------------------


def test_threads_may_share_a_connection(client: Connection) -> None:
    both = Barrier(2, timeout=SOON)

    def answer(head: str) -> list[bytes]:
        both.wait()
        return [http_answer(head.split(" ")[1].encode())]

    with RawServer(answer) as server, ThreadPoolExecutor(2) as executor:
        bodies = list(executor.map(lambda n: get(client, f"{server.url}/{n}").body, range(6)))

    assert bodies == [f"/{n}".encode() for n in range(6)]
