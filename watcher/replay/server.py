"""A dataset served over HTTP as the registry serves it: a registry for tests, demonstrations and trying things out.

Speaks HTTP/1.1 with connections that stay open, and plays the faults that break connections.  Does not log, does not
speak TLS, and does not decide what to answer: see ``answers``.
"""

import socket
import socketserver
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from email.utils import formatdate
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Any, Self

from watcher.replay import control
from watcher.replay.answers import PREFIX, Answer, text_answer
from watcher.replay.days import Dataset, DatasetError
from watcher.replay.faults import Fault, FaultKind
from watcher.replay.playback import Asked, Playback

_CLOSING_TAKES_AT_MOST = timedelta(seconds=5)
_LOOKS_FOR_SHUTDOWN_EVERY = timedelta(milliseconds=20)


class RegistryServer:
    """A replay that other programs reach over HTTP; a context manager that serves from its own threads."""

    def __init__(
        self,
        dataset: Dataset,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        start_day: str | None = None,
        every: timedelta | None = None,
    ) -> None:
        """Take the port; ``start`` or ``with`` begins to answer.

        Args:
            dataset: the days to serve.
            port: 0 takes any free one; see ``url``.
            host: an IPv4 address of this machine, or its name; commands are taken on loopback only.
            start_day: the day to stand on; None = the first.
            every: go to the next day after each such time, until the last; None = only when told.

        Raises:
            DatasetError: no dataset of ``start_day``.
            OSError: the port is taken, or the address is not of this machine.
        """
        self._playback = Playback(dataset, start_day=start_day)
        self._http = _HttpServer((host, port), self._playback)
        self._every = every
        self._closing = Event()
        self._threads: list[Thread] = []

    @property
    def url(self) -> str:
        """The base of the API, as in ``https://clinicaltrials.gov/api/v2``."""
        return f"{self.site}{PREFIX}"

    @property
    def site(self) -> str:
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def day(self) -> str:
        return self._playback.day

    @property
    def requests(self) -> tuple[Asked, ...]:
        """The last requests to the API, oldest first: (method, target, status)."""
        return self._playback.requests

    def advance(self) -> str:
        """Go to the next day and return it; raises DatasetError on the last."""
        return self._playback.advance()

    def go_to(self, day: str) -> None:
        """Stand on another day; raises DatasetError where there is no dataset of that day."""
        self._playback.go_to(day)

    def fault(self, kind: FaultKind | str, **details: Any) -> None:
        """Misbehave: ``fault("cut", times=2, path="/studies")``; the details are the fields of ``Fault``."""
        self._playback.add_fault(Fault(kind=FaultKind(kind), **details))

    def clear_faults(self) -> None:
        """Behave from now on, and let go of requests that hang or drip."""
        self._playback.clear_faults()

    def start(self) -> None:
        """Begin to answer, from threads that do not keep the process alive."""
        poll = _LOOKS_FOR_SHUTDOWN_EVERY.total_seconds()
        self._threads = [Thread(target=self._http.serve_forever, args=(poll,), name="replay-server", daemon=True)]
        if self._every is not None:
            self._threads.append(Thread(target=self._keep_time, args=(self._every,), name="replay-clock", daemon=True))
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop answering, break what is open, and wait for all threads to end."""
        self._closing.set()
        if self._threads:
            self._http.shutdown()
        self._http.server_close()
        self.clear_faults()
        self._http.break_connections()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def wait(self) -> None:
        """Return when the server is closed, or at a KeyboardInterrupt."""
        self._closing.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _keep_time(self, every: timedelta) -> None:
        while not self._closing.wait(every.total_seconds()):
            with suppress(DatasetError):  # the last day stays, unless somebody goes back
                self._playback.advance()


class _HttpServer(ThreadingHTTPServer):
    """The sockets: knows its open connections, so that closing does not wait for clients that keep theirs."""

    request_queue_size = 128

    def __init__(self, address: tuple[str, int], playback: Playback) -> None:
        self.playback = playback
        self.takes_commands = control.is_loopback(address[0])
        self._open: set[socket.socket] = set()
        self._changed = Condition()
        super().__init__(address, _Exchange)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer would ask a name server for this machine's name

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # a client that went away is no error of ours
            super().handle_error(request, client_address)

    def break_connections(self) -> None:
        """Wake up every thread that reads or writes, and wait until all have closed their connection."""
        with self._changed:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, timeout=_CLOSING_TAKES_AT_MOST.total_seconds())


class _Exchange(BaseHTTPRequestHandler):
    """One connection: reads requests, and sends the answers or breaks them."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _HttpServer

    def _exchange(self) -> None:
        path = self.path.partition("?")[0]
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.server.takes_commands and (path == control.PATH or path.startswith(f"{control.PATH}/")):
            self._send(self._obeyed(path, headers))
            return
        if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            self.close_connection = True  # a body that nobody reads must not be taken for the next request
        reply = self.server.playback.ask(self.command, self.path, headers)
        if reply.fault is None:
            self._send(reply.answer)
        else:
            self._break(reply.answer, reply.fault, released=reply.released)

    do_GET = do_HEAD = do_OPTIONS = do_POST = do_PUT = do_PATCH = do_DELETE = _exchange  # noqa: N815 (http.server's)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (http.server's)
        """Stay silent: the requests are in ``RegistryServer.requests``."""

    def _obeyed(self, path: str, headers: Mapping[str, str]) -> Answer:
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > control.LARGEST_COMMAND or "transfer-encoding" in headers:
            self.close_connection = True
            return text_answer(413, f"a command has a Content-Length, of at most {control.LARGEST_COMMAND} bytes")
        body = self.rfile.read(int(length))
        return control.obey(self.server.playback, self.command, path, headers=headers, body=body)

    def _send(self, answer: Answer) -> None:
        head = self._head(answer)
        self.wfile.write(head if self.command == "HEAD" else head + answer.body)

    def _head(self, answer: Answer, *, length_told: bool = True) -> bytes:
        lines = [f"HTTP/1.1 {answer.status} {responses.get(answer.status, '')}", f"Date: {formatdate(usegmt=True)}"]
        headers = dict(answer.headers)
        if answer.status != 304:
            headers.setdefault("Content-Length", str(len(answer.body)))
        if not length_told:
            del headers["Content-Length"]
        if self.close_connection:
            headers["Connection"] = "close"
        return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode("latin-1")

    def _break(self, answer: Answer, fault: Fault, *, released: Event) -> None:
        self.close_connection = fault.kind is not FaultKind.SLOW
        match fault.kind:
            case FaultKind.HANG:
                released.wait()
            case FaultKind.CUT_HEADERS:
                head = self._head(answer)
                self.wfile.write(head[: len(head) // 2])
            case FaultKind.CUT:
                end = len(answer.body) // 2 if fault.after is None else fault.after
                self.wfile.write(self._head(answer, length_told=fault.length_told) + answer.body[:end])
            case _:
                self.wfile.write(self._head(answer))
                for start in range(0, len(answer.body), fault.drop):
                    if released.wait(fault.pause.total_seconds()):
                        self.close_connection = True
                        return
                    self.wfile.write(answer.body[start : start + fault.drop])
