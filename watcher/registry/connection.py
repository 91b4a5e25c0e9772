"""One HTTP request with a deadline for the whole transfer and a cap on what is accepted.

``requests`` times each read, so a server that drips bytes holds a call for ever, and it inflates whatever it is sent.
Here a timer cuts the socket when the transfer as a whole takes too long, and the body is counted while it is inflated.

Does not retry and does not look into the body.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from socket import SHUT_RDWR
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
_here = local()  # .connection: the one that this thread's request uses


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    connect_timeout: timedelta
    read_timeout: timedelta  # between two pieces of an answer
    deadline: timedelta  # for the whole transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in any case
    body: bytes  # inflated


class Connection:
    """A session with the registry.  Threads may share it."""

    def __init__(self, *, user_agent: str, proxy: str | None, ca_bundle: str | None, limits: Limits) -> None:
        """Prepare; nothing is sent yet.  Proxies and certificates of the environment are never used."""
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update({"User-Agent": user_agent, "Accept-Encoding": "gzip", "Accept": "*/*"})
        if proxy:
            self.session.proxies.update({"http": proxy, "https": proxy})
        self.session.verify = ca_bundle or True
        self._limits = limits
        self._open: set[Any] = set()
        self._lock = Lock()
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, _TrackingAdapter(max_retries=0))

    def get(self, url: str, *, params: Mapping[str, str], cap: int) -> Answer:
        """Send one request and return the whole answer.

        Args:
            url: absolute.
            params: the query.
            cap: bytes; what inflates beyond is refused.

        Raises:
            RegistryError: UNREACHABLE (retry), or TOO_LARGE (do not).
        """
        _here.connection = None
        with self._deadline(), _reported(url):
            timeouts = (self._limits.connect_timeout.total_seconds(), self._limits.read_timeout.total_seconds())
            with self.session.get(url, params=params, timeout=timeouts, stream=True, allow_redirects=False) as response:
                body = _read(response, cap)
                return Answer(status=response.status_code, headers=response.headers, body=body)

    def abort(self) -> None:
        """Cut every transfer that is under way; each ends as UNREACHABLE."""
        with self._lock:
            under_way = list(self._open)
        for cut in under_way:
            cut()

    def close(self) -> None:
        self.session.close()

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        holder = vars(_here)  # this thread's, also when the timer's thread looks into it

        def cut() -> None:
            _shut_down(holder.get("connection"))

        timer = Timer(self._limits.deadline.total_seconds(), cut)
        timer.daemon = True
        timer.start()
        with self._lock:
            self._open.add(cut)
        try:
            yield
        finally:
            timer.cancel()
            with self._lock:
                self._open.discard(cut)


def _read(response: requests.Response, cap: int) -> bytes:
    pieces = []
    size = 0
    for piece in response.raw.stream(_CHUNK, decode_content=True):
        size += len(piece)
        if size > cap:
            raise RegistryError(Reason.TOO_LARGE, f"the answer is larger than {cap // 2**20} MiB")
        pieces.append(piece)
    return b"".join(pieces)


@contextmanager
def _reported(url: str) -> Iterator[None]:
    """Say every failure of the network in one way.  The library's texts may hold a proxy's password: not ours."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        detail = f"the certificate of {url} was not accepted: {_cause(error)}"
        raise RegistryError(Reason.UNREACHABLE, detail) from error
    except requests.exceptions.ConnectTimeout as error:
        raise RegistryError(Reason.UNREACHABLE, "no connection in time", retry=True) from error
    except requests.exceptions.ProxyError as error:
        detail = "the proxy did not connect us; see registry.proxy"
        raise RegistryError(Reason.UNREACHABLE, detail, retry=True) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        detail = f"the connection failed or broke: {_cause(error)}"
        raise RegistryError(Reason.UNREACHABLE, detail, retry=True) from error


def _cause(error: BaseException) -> str:
    """Return the kind of the innermost failure, in its own name, without addresses and arguments."""
    while error.__context__ is not None:
        error = error.__context__
    return type(error).__name__


def _shut_down(connection: Any) -> None:
    sock = getattr(connection, "sock", None)
    if sock is not None:
        try:
            sock.shutdown(SHUT_RDWR)
        except OSError:
            return  # it is closed already


def _tracking(base: type[HTTPConnection]) -> type[HTTPConnection]:
    class Tracked(base):  # type: ignore[valid-type, misc]  # one subclass for each of urllib3's two connections
        def request(self, *args: Any, **kwargs: Any) -> None:
            _here.connection = self
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
