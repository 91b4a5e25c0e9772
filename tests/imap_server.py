"""An IMAP server in this process that says what a script says, to test what a real one cannot be made to do.

    with ScriptedImapServer({b"UID SEARCH": HANG_UP}) as server: …

It answers ``OK`` to every command that the script does not know.  Speaks in clear, to one client after the other.
"""

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

PATIENCE = 20.0  # seconds
HANG_UP = b"\x00hang up"
SILENCE = b"\x00silence"
DRIP = b"\x00drip"  # a byte now and then, without a line end

_USUAL = {
    b"CAPABILITY": b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
    b"AUTHENTICATE": b"+ \r\n",
    b"SELECT": b"* 1 EXISTS\r\n",
    b"EXAMINE": b"* 1 EXISTS\r\n",
    b"LOGOUT": b"* BYE\r\n",
}


class ScriptedImapServer:
    """Answers commands by their first word, or their first two where the first is UID."""

    def __init__(self, script: Mapping[bytes, bytes] | None = None, *, greeting: bytes = b"* OK ready\r\n") -> None:
        """Begin to listen.

        Args:
            script: by command: what is said before its ``OK``; ``HANG_UP``, ``SILENCE`` and ``DRIP`` act, and what
                begins with ``NO`` or ``BAD`` stands in its place.
            greeting: what is said first.
        """
        self._script = {**_USUAL, **(script or {})}
        self._greeting = greeting
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ended = threading.Event()
        self.port: int = self._listener.getsockname()[1]
        self.heard: list[bytes] = []  # lines
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Listen no more."""
        self._ended.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE)

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.settimeout(PATIENCE)
            with client, suppress(OSError):
                self._converse(client)

    def _converse(self, client: socket.socket) -> None:
        if self._greeting == DRIP:
            self._dawdle(client, drip=True)
        client.sendall(self._greeting)
        lines = client.makefile("rb")
        for line in lines:
            self.heard.append(line.rstrip())
            tag, _, command = line.strip().partition(b" ")
            words = command.upper().split()
            name = b" ".join(words[: 2 if words[:1] == [b"UID"] else 1])
            said = self._script.get(name, b"")
            if said == HANG_UP:
                return
            if said in {SILENCE, DRIP}:
                self._dawdle(client, drip=said == DRIP)
                return
            if said.startswith((b"NO", b"BAD")):
                client.sendall(tag + b" " + said)
                continue
            client.sendall(said)
            if said.startswith(b"+"):
                self.heard.append(lines.readline().rstrip())
            client.sendall(tag + b" OK done\r\n")

    def _dawdle(self, client: socket.socket, *, drip: bool) -> None:
        while not self._ended.wait(0.02):
            if drip:
                client.sendall(b"x")
            elif client.recv(1) == b"":
                return
