"""A TCP proxy on loopback that passes on what a server answers, with one fault at a time.

Knows of HTTP only where a request ends, and how to leave out a header.  Serves one connection after the other from one
thread; closing breaks what is open.
"""

import re
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from threading import Event, Thread
from types import TracebackType
from typing import Self

_RESET = struct.pack("ii", 1, 0)  # linger for no time: closing sends RST
_PATIENCE = timedelta(seconds=10)  # no test waits for it unless it fails


class End(StrEnum):
    """How an answer ends."""

    WHOLE = "whole"
    CLOSED = "closed"  # FIN after so many bytes
    RESET = "reset"  # RST after so many bytes
    BLACK_HOLE = "black hole"  # nothing more after so many bytes, and no end


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to the answers to requests whose target contains ``part``; all others pass."""

    part: str
    end: End = End.WHOLE
    after: int = 0  # bytes of the answer, its head included
    latency: timedelta = timedelta(0)  # before the first byte
    piece: int = 0  # bytes between two pauses; 0 = all at once
    pause: timedelta = timedelta(0)
    packed: bool = True  # whether the server is told that the client takes gzip
    length_told: bool = True


class FaultProxy:
    """A context manager that listens in front of a server at ``host:port`` on loopback."""

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._closing = Event()
        self._thread = Thread(target=self._serve, daemon=True)
        self._line: socket.socket | None = None
        self.fault: Fault | None = None
        self.played = 0  # answers with a fault
        self.last_size = 0  # bytes of the last answer that a fault was for, before it

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(_PATIENCE.total_seconds())
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                line, _ = self._listening.accept()
            except OSError:
                return
            with line, suppress(OSError):
                line.settimeout(_PATIENCE.total_seconds())
                self._pass_on(line)

    def _pass_on(self, line: socket.socket) -> None:
        head = _read_head(line)
        fault = self.fault
        if not head or fault is None or fault.part not in head.split("\r\n", 1)[0]:
            line.sendall(self._answer(head))
            return
        answer = self._answer(head if fault.packed else re.sub("Accept-Encoding: [^\r]*", "X-Plain: yes", head))
        if not fault.length_told:
            answer = re.sub(rb"Content-Length: [0-9]+\r\n", b"", answer, count=1, flags=re.IGNORECASE)
        self.last_size = len(answer)
        self.played += 1
        self._closing.wait(fault.latency.total_seconds())
        self._send(line, answer if fault.end is End.WHOLE else answer[: fault.after], fault)
        if fault.end is End.RESET:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        elif fault.end is End.BLACK_HOLE:
            _wait_for_hang_up(line)

    def _send(self, line: socket.socket, answer: bytes, fault: Fault) -> None:
        size = fault.piece or len(answer) or 1
        for start in range(0, len(answer), size):
            line.sendall(answer[start : start + size])
            if fault.piece:
                self._closing.wait(fault.pause.total_seconds())

    def _answer(self, head: str) -> bytes:
        """Return the server's whole answer."""
        closing = re.sub("Connection: [^\r]*", "Connection: close", head)
        with socket.create_connection(self._server, _PATIENCE.total_seconds()) as server:
            server.sendall(closing.encode("latin-1"))
            answer = b""
            while piece := server.recv(65536):
                answer += piece
        return re.sub(rb"Connection: [^\r]*\r\n", b"", answer, count=1).replace(
            b"\r\n", b"\r\nConnection: close\r\n", 1
        )


def closed_port() -> int:
    """Return a port that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _read_head(line: socket.socket) -> str:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = line.recv(65536)
        if not piece:
            return ""
        head += piece
    return head.decode("latin-1")


def _wait_for_hang_up(line: socket.socket) -> None:
    while line.recv(65536):
        pass
