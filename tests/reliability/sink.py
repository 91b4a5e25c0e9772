"""Postfix's ``smtp-sink``: takes every mail as fast as it comes, and says afterwards what it was given."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SINK = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin")
_PATIENCE = 20.0  # seconds until it listens
_LINE = re.compile(rb"^(X-Rcpt-Args|Message-ID): (?:<)?([^>\r\n]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sink:
    port: int
    dump: Path

    def received(self) -> dict[str, list[str]]:
        """Return the Message-IDs of all mails that were taken whole, by recipient."""
        received: dict[str, list[str]] = {}
        recipient = ""
        if not self.dump.exists():
            return received
        with self.dump.open("rb") as dumped:
            for line in dumped:
                found = _LINE.match(line)
                if found is None:
                    continue
                value = found[2].decode("ascii")
                if found[1].lower() == b"x-rcpt-args":
                    recipient = value
                else:
                    received.setdefault(recipient, []).append(value)
        return received


@contextmanager
def smtp_sink(folder: Path) -> Iterator[Sink]:
    """Run ``smtp-sink``, which appends what it takes to a file.

    Args:
        folder: for that file; of this proof's own.
    """
    if SINK is None:
        raise FileNotFoundError("smtp-sink is needed; Debian has it in the package postfix")
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)  # it runs as somebody else, if we are root
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    as_user = ["-u", "nobody"] if os.geteuid() == 0 else []
    dump = folder / "mails"
    command = [SINK, *as_user, "-c", "-D", str(dump), f"127.0.0.1:{port}", "16"]
    with subprocess.Popen(command, cwd="/", stdout=subprocess.DEVNULL) as process:
        try:
            _wait_until_it_listens(port)
            yield Sink(port=port, dump=dump)
        finally:
            process.terminate()


def _wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            continue
        return
    raise TimeoutError("smtp-sink did not begin to listen")
