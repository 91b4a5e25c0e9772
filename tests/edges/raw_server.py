"""A server that answers with bytes of the test's choosing: whole, in pieces, cut, dripping, or not at all.

Knows of HTTP only where a request ends.  Serves from its own threads; closing breaks whatever is open.
"""

import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from http.client import responses
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Self

Pieces = Iterable[bytes]
_PATIENCE = timedelta(seconds=10)  # no test waits for it unless it fails


class RawServer:
    """Calls ``answer`` with the head of each request and sends the pieces, one after each ``pause``; then closes.

    Args:
        answer: returns the pieces; may block on an event of the test, never on anything else.
        pause: before each piece but the first.
        tls: serves TLS with it.
        hangs: keeps the connection open after the last piece.
        greets: sends its pieces at once, without waiting for a request: ``answer`` gets an empty head.
    """

    def __init__(
        self,
        answer: Callable[[str], Pieces],
        *,
        pause: timedelta = timedelta(0),
        tls: ssl.SSLContext | None = None,
        hangs: bool = False,
        greets: bool = False,
    ) -> None:
        self._answer = answer
        self._pause = pause
        self._tls = tls
        self._hangs = hangs
        self._greets = greets
        self._closing = Event()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._open: set[socket.socket] = set()
        self._threads: list[Thread] = []
        self._changed = Condition()
        self.heads: list[str] = []  # of the requests, oldest first
        self.most_at_once = 0  # connections with a request that was not answered to its end
        self._at_once = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listening.getsockname()[1]}"

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://{self.address}"

    @property
    def targets(self) -> list[str]:
        return [head.split(" ", 2)[1] for head in self.heads]

    def wait_for_requests(self, count: int) -> None:
        """Return when so many requests have come."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.heads) >= count, _PATIENCE.total_seconds())

    def __enter__(self) -> Self:
        self._threads.append(Thread(target=self._accept, daemon=True))
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        _break(self._listening)
        self._listening.close()
        with self._changed:
            for line in self._open:
                _break(line)
        for thread in self._threads:
            thread.join(_PATIENCE.total_seconds())
            assert not thread.is_alive()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                line, _ = self._listening.accept()
            except OSError:
                return
            with self._changed:
                self._open.add(line)
            thread = Thread(target=self._serve, args=(line,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, line: socket.socket) -> None:
        with line, suppress(OSError):
            wrapped = self._tls.wrap_socket(line, server_side=True) if self._tls else line
            with wrapped:
                self._exchange(wrapped)
                if self._hangs:
                    self._closing.wait()
                with suppress(OSError):
                    wrapped.shutdown(socket.SHUT_WR)
                    while wrapped.recv(65536):  # closing with unread bytes would break what was sent
                        pass
        with self._changed:
            self._open.discard(line)

    def _exchange(self, line: socket.socket) -> None:
        head = "" if self._greets else _read_head(line)
        if not head and not self._greets:
            return
        with self._changed:
            self.heads.append(head)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self._changed.notify_all()
        try:
            for place, piece in enumerate(self._answer(head)):
                if place and self._closing.wait(self._pause.total_seconds()):
                    return
                line.sendall(piece)
        finally:
            with self._changed:
                self._at_once -= 1


def http_answer(body: bytes = b"", *, status: int = 200, told: int | None = None, **headers: str) -> bytes:
    """Return a whole answer; ``told`` is another Content-Length than the right one, -1 for none."""
    lines = [f"HTTP/1.1 {status} {responses.get(status, 'Unknown')}", "Connection: close"]
    if told != -1:
        lines.append(f"Content-Length: {len(body) if told is None else told}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def drops(answer: bytes) -> list[bytes]:
    """Return an answer byte by byte."""
    return [answer[place : place + 1] for place in range(len(answer))]


def _read_head(line: socket.socket) -> str:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = line.recv(65536)
        if not piece:
            return ""
        head += piece
    return head.decode("latin-1")


def _break(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
