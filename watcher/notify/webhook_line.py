"""One HTTPS request of a webhook on the wire: connect, judge the peer, send, read the head of the answer.

Every step has a deadline and the answer a size limit.  There are no redirects, proxies, netrc files or kept
connections here, and no library that logs addresses: a webhook's whole URL is a secret, so no error repeats any part of
it, and none carries the library's own error, which may.  Does not decide what an answer means (``webhook.py``).

Sources: RFC 9112 (HTTP/1.1), RFC 9110 section 10.2.3 (Retry-After).
"""

import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from watcher.errors import ChannelDown, ChannelRefused, MailError
from watcher.model import Phase
from watcher.notify.peers import PUBLIC_PORTS, is_this_machine, why_refused

HEAD_LIMIT = 32_768  # bytes of an answer's head, with whatever interim answers come before it
_MOST_TRIED = 4  # addresses of one host
_PIECE = 16_384  # bytes sent under one look at the clock; what TLS puts into one record
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?=[ \r\n])")
_RETRY_AFTER = re.compile(rb"^retry-after:[ \t]*([^\r\n]{1,60}?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


def look_up(host: str, port: int) -> list[str]:
    """Return the addresses that a host has now, in any of their spellings."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How names are looked up and connections made; tests have others."""

    look_up: Callable[[str, int], list[str]] = look_up
    connect: Callable[[tuple[str, int], float], socket.socket] = socket.create_connection  # address, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a webhook is, and how it may be reached."""

    name: str  # of the target
    url: str = field(repr=False)  # https; http only to this machine
    allow_private: bool = False  # whether it may be this machine, or one of its network, at any port
    ca_bundle: Path | None = None  # PEM; None = the system's authorities
    connect_timeout: timedelta = timedelta(seconds=10)  # for the connection, and for TLS
    timeout: timedelta = timedelta(seconds=30)  # from a message's first byte to the end of the answer's head

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or (443 if self.encrypted else 80)

    @property
    def encrypted(self) -> bool:
        return self.url.startswith("https:")

    @property
    def path(self) -> str:
        parts = urlsplit(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    @property
    def authority(self) -> str:
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    retry_after: str | None  # as it was written: seconds, or a date


class Broken(OSError):
    """The line broke, or took too long; the words are ours."""


class Line:
    """A connection on which everything is over by its deadline."""

    def __init__(self, wire: socket.socket, *, monotonic: Callable[[], float]) -> None:
        self._wire = wire
        self._monotonic = monotonic
        self._deadline = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._wire.close()

    def allow(self, duration: timedelta) -> None:
        """Set the deadline."""
        self._deadline = self._monotonic() + duration.total_seconds()

    def send(self, content: bytes) -> None:
        """Raise ``Broken`` unless all of it went out."""
        for start in range(0, len(content), _PIECE):
            self._on_time()
            try:
                self._wire.sendall(content[start : start + _PIECE])
            except OSError as error:
                broken = _broken(error)
            else:
                continue
            raise broken

    def answer(self) -> Answer:
        """Return the answer, as far as its head goes; raise ``Broken`` when it does not come, or is none."""
        received = b""
        while True:
            head, end, rest = received.partition(b"\r\n\r\n")
            if not end:
                received += self._receive(HEAD_LIMIT - len(received))
                continue
            status = _STATUS.match(head)
            if status is None:
                raise Broken("the answer is not HTTP")
            if int(status[1]) >= 200:
                asked = _RETRY_AFTER.search(head)
                return Answer(status=int(status[1]), retry_after=asked[1].decode("latin-1") if asked else None)
            received = rest

    def _receive(self, room: int) -> bytes:
        if room <= 0:
            raise Broken(f"the head of the answer is larger than {HEAD_LIMIT:,} bytes")
        self._on_time()
        received, broken = b"", Broken("the receiver closed the connection")
        try:
            received = self._wire.recv(min(room, 4096))
        except OSError as error:
            broken = _broken(error)
        if not received:
            raise broken
        return received

    def _on_time(self) -> None:
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise Broken("it took too long")
        self._wire.settimeout(left)


def open_line(endpoint: Endpoint, *, network: Network, monotonic: Callable[[], float]) -> Line:
    """Connect, refuse a peer that nothing may be sent to, and set up TLS.

    The address is judged before anything goes there, and again on the connection, of which alone it is sure.

    Raises:
        ChannelDown: nobody answers.
        ChannelRefused: a peer, port or certificate that is not accepted.
    """
    seconds = endpoint.connect_timeout.total_seconds()
    if endpoint.port not in PUBLIC_PORTS and not endpoint.allow_private:
        ports = " and ".join(map(str, PUBLIC_PORTS))
        raise _refused(endpoint, f"its port is none of {ports}; allow_private lifts that")
    wire = None
    try:
        wire = _connected(endpoint, network)
        wire.settimeout(seconds)
        _judge(endpoint, str(wire.getpeername()[0]))
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if endpoint.encrypted:
            wire = _tls(endpoint).wrap_socket(wire, server_hostname=endpoint.host.rstrip("."))
    except (OSError, UnicodeError, MailError) as error:
        if wire is not None:
            wire.close()
        failure = error if isinstance(error, MailError) else _failure(endpoint, error)
    else:
        return Line(wire, monotonic=monotonic)
    raise failure


def _connected(endpoint: Endpoint, network: Network) -> socket.socket:
    """Connect to the first of the host's addresses that may be talked to and answers."""
    failure: Exception = _down(endpoint, "the name of its host has no address")
    for address in network.look_up(endpoint.host, endpoint.port)[:_MOST_TRIED]:
        try:
            _judge(endpoint, address)
            return network.connect((address, endpoint.port), endpoint.connect_timeout.total_seconds())
        except (OSError, MailError) as error:
            failure = error
    raise failure


def _judge(endpoint: Endpoint, peer: str) -> None:
    """Look at whom we are connected to, before anything is said."""
    why = why_refused(peer, allow_private=endpoint.allow_private)
    if why is not None:
        raise _refused(endpoint, f"the address that its host leads to {why}; see allow_private")
    if not endpoint.encrypted and not (endpoint.allow_private and is_this_machine(peer)):
        raise _refused(endpoint, "nothing is sent unencrypted to another machine; write https://")


def _tls(endpoint: Endpoint) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=endpoint.ca_bundle)
    except OSError:
        failure = _refused(endpoint, "its ca_bundle cannot be used; it should be a readable PEM file")
    raise failure


def _failure(endpoint: Endpoint, error: OSError | UnicodeError) -> MailError:
    if isinstance(error, ssl.SSLCertVerificationError):
        # Not its words: they name the host.
        return _refused(endpoint, f"the receiver's certificate is not accepted (OpenSSL's reason {error.verify_code})")
    if isinstance(error, socket.gaierror):
        return _down(endpoint, "the name of its host cannot be looked up")
    if isinstance(error, UnicodeError):
        return _refused(endpoint, "the name of its host is none")
    return _down(endpoint, f"no connection: {_broken(error)}")


def _broken(error: OSError) -> Broken:
    """Say what happened in words that hold nothing of the address."""
    if isinstance(error, Broken):
        return error
    if isinstance(error, TimeoutError):
        return Broken("it took too long")
    if isinstance(error, ssl.SSLError):
        return Broken("TLS failed")
    known = isinstance(error, ConnectionError)
    return Broken(type(error).__name__ if known else f"the network failed (error {error.errno})")


def _down(endpoint: Endpoint, why: str) -> ChannelDown:
    return ChannelDown(Phase.CONNECT, f"webhook {endpoint.name}: {why}")


def _refused(endpoint: Endpoint, why: str) -> ChannelRefused:
    return ChannelRefused(Phase.CONNECT, f"webhook {endpoint.name}: {why}")
