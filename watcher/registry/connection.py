"""One HTTP request with a deadline for the whole transfer and a cap on what is accepted.

``requests`` times each read, so a server that drips bytes holds a call for ever, and it inflates whatever it is sent.
Here a timer cuts the socket when the transfer as a whole takes too long, and the body is counted while it is inflated.

Does not retry, does not follow redirects and does not look into the body.
"""

import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from threading import Lock, Timer, local
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from watcher.errors import RegistryError
from watcher.model import Reason

_CHUNK = 256 * 1024  # bytes
_here = local()  # .transfer: the one that this thread makes


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    connect_timeout: timedelta
    read_timeout: timedelta  # between two pieces of an answer
    deadline: timedelta  # for the whole transfer


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer whose body is still on its way: take it whole, or piece by piece, before the request is left."""

    status: int
    headers: Mapping[str, str]  # names in any case
    pieces: Iterator[bytes]  # of the body, inflated; raises as ``Connection.get`` does

    @cached_property
    def body(self) -> bytes:
        return b"".join(self.pieces)


class Connection:
    """A session with the registry.  Threads may share it."""

    def __init__(self, *, user_agent: str, proxy: str | None, ca_bundle: str | None, limits: Limits) -> None:
        """Prepare; nothing is sent yet.  Proxies and certificates of the environment are never used."""
        self.session = _Session()
        self.session.trust_env = False
        self.session.headers.update({"User-Agent": user_agent, "Accept-Encoding": "gzip", "Accept": "*/*"})
        if proxy:
            self.session.proxies.update({"http": proxy, "https": proxy})
        self.session.verify = ca_bundle or True
        self._limits = limits
        self._under_way: set[_Transfer] = set()
        self._lock = Lock()
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, _TrackingAdapter(max_retries=0))

    @contextmanager
    def get(self, url: str, *, params: Mapping[str, str], cap: int) -> Iterator[Answer]:
        """Send one request and give the answer, to be read within the block.

        Args:
            url: absolute.
            params: the query.
            cap: bytes; what inflates beyond is refused.

        Raises:
            RegistryError: UNREACHABLE (retry, unless the certificate is to blame), or TOO_LARGE (do not).
        """
        timeouts = (self._limits.connect_timeout.total_seconds(), self._limits.read_timeout.total_seconds())
        with (
            self._transfer() as transfer,
            _reported(url, transfer),
            self.session.get(url, params=params, timeout=timeouts, stream=True, allow_redirects=False) as response,
        ):
            pieces = _pieces(response, cap, transfer)
            yield Answer(status=response.status_code, headers=response.headers, pieces=pieces)

    def abort(self) -> None:
        """Cut every transfer that is under way; each ends as UNREACHABLE."""
        with self._lock:
            under_way = list(self._under_way)
        for transfer in under_way:
            transfer.cut("this program is ending")

    def close(self) -> None:
        self.session.close()

    @contextmanager
    def _transfer(self) -> Iterator["_Transfer"]:
        """Let a transfer be cut by its deadline and by ``abort``."""
        transfer = _Transfer()
        deadline = self._limits.deadline
        timer = Timer(deadline.total_seconds(), transfer.cut, [f"it took longer than {deadline.total_seconds():g} s"])
        timer.daemon = True
        with self._lock:
            self._under_way.add(transfer)
        _here.transfer = transfer
        timer.start()
        try:
            yield transfer
        finally:
            timer.cancel()
            with self._lock:
                self._under_way.discard(transfer)
            transfer.let_go()


class _Transfer:
    """A request under way, and how other threads cut it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lines: list[socket.socket] = []
        self._why: str | None = None  # it was cut

    def hold(self, line: socket.socket) -> None:
        """Keep a second handle of a socket: TLS takes over the first, and an answer without a length lets go of it."""
        handle = socket.socket(fileno=os.dup(line.fileno()))
        with self._lock:
            self._lines.append(handle)
            if self._why:
                _shut_down(handle)

    def cut(self, why: str) -> None:
        """Cut what there is of the transfer, and at once what comes."""
        with self._lock:
            self._why = self._why or why
            for line in self._lines:
                _shut_down(line)

    def check(self) -> None:
        """Raise RegistryError if the transfer was cut."""
        if self._why:
            raise RegistryError(Reason.UNREACHABLE, f"the transfer was cut off: {self._why}", retry=True)

    def let_go(self) -> None:
        with self._lock:
            for line in self._lines:
                line.close()
            self._lines.clear()


def _shut_down(line: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        line.shutdown(socket.SHUT_RDWR)


def _pieces(response: requests.Response, cap: int, transfer: _Transfer) -> Iterator[bytes]:
    size = 0
    for piece in response.raw.stream(_CHUNK, decode_content=True):
        size += len(piece)
        if size > cap:
            raise RegistryError(Reason.TOO_LARGE, f"the answer is larger than {cap:,} bytes")
        yield piece
    transfer.check()  # a body without a length seems to end where it was cut


@contextmanager
def _reported(url: str, transfer: _Transfer) -> Iterator[None]:
    """Say every failure of the network in one way.  The library's texts may hold a proxy's password: not ours."""
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        transfer.check()
        detail = _detail(url, error)
        refused = isinstance(_cause(error), ssl.SSLCertVerificationError)  # until somebody changes something
        raise RegistryError(Reason.UNREACHABLE, detail, retry=not refused) from error


def _detail(url: str, error: Exception) -> str:
    cause = _cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate of {url} was not accepted: {type(cause).__name__}"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy did not connect us; see registry.proxy"
    return f"the connection failed or broke: {type(cause).__name__}"


def _cause(error: BaseException) -> BaseException:
    """Return the innermost failure; its kind says what happened, without addresses and arguments."""
    while error.__context__ is not None:
        error = error.__context__
    return error


class _Session(requests.Session):
    """Looks at no redirect: ``requests`` would read the body of one without a limit, even where it does not follow."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 (the library's signature)
        return None


def _tracking(base: type[HTTPConnection]) -> type[HTTPConnection]:
    class Tracked(base):  # type: ignore[valid-type, misc]  # one subclass for each of urllib3's two connections
        def _new_conn(self) -> socket.socket:
            line: socket.socket = super()._new_conn()
            _here.transfer.hold(line)
            return line

        def request(self, *args: Any, **kwargs: Any) -> None:
            if self.sock is not None:  # kept open since an earlier request
                _here.transfer.hold(self.sock)
            super().request(*args, **kwargs)

    return Tracked


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _tracking(HTTPConnection)


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _tracking(HTTPSConnection)  # type: ignore[assignment]


class _TrackingAdapter(HTTPAdapter):
    """Lets a deadline reach the socket of a request that is under way, through a proxy too."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
        return manager
