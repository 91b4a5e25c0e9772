"""Processes that tests start: a command that runs to its end, and the daemon, which is waited for, told and killed.

Nothing here waits for a time to go by: each wait is for something to come, and fails with what the daemon logged.
"""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path

PROGRAM = (sys.executable, "-m", "watcher")
PATIENCE = timedelta(seconds=20)  # that a test has with what must come
ENDS_WITHIN = timedelta(seconds=10)  # the daemon's promise
_LOOK_EVERY = timedelta(milliseconds=10)


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment without settings of trialwatch, with ``more``."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TRIALWATCH_")}
    if own.pop("PYTHONDONTWRITEBYTECODE", None):
        # Each start would compile everything: two seconds instead of half a one.
        own["PYTHONPYCACHEPREFIX"] = _byte_code()
    return own | more


@cache
def _byte_code() -> str:
    """Return a folder for byte code that lives as long as the tests."""
    folder = tempfile.mkdtemp(prefix="trialwatch-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def printed(*arguments: str, folder: Path, **variables: str) -> str:
    """Return what a command prints that ends well in a process of its own."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=folder,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=PATIENCE.total_seconds(),
    ).stdout


def until(condition: Callable[[], bool], what: str) -> None:
    """Return as soon as something is so that nobody announces; fail if that takes too long."""
    assert came(condition, within=PATIENCE), f"waited in vain: {what}"


def came(condition: Callable[[], bool], *, within: timedelta) -> bool:
    """Return True as soon as something is so that nobody announces, or False if that takes too long."""
    deadline = time.monotonic() + within.total_seconds()
    looks = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            return False
        looks.wait(_LOOK_EVERY.total_seconds())
    return True


class Daemon:
    """One process of the service, and what it logs."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [*PROGRAM, "run"], cwd=folder, stderr=subprocess.PIPE, text=True, env=environment()
        )
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as log:
            for line in log:
                with self._changed:
                    self.lines.append(line)
                    self._changed.notify_all()

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def logged(self, words: str, *, times: int = 1) -> str:
        """Return the line with these words as soon as it was logged so often."""

        def found() -> list[str]:
            return [line for line in self.lines if words in line]

        with self._changed:
            enough = self._changed.wait_for(lambda: len(found()) >= times, PATIENCE.total_seconds())
            assert enough, f"{words!r} was logged {len(found())} times, not {times}:\n{self.log}"
            return found()[-1]

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code; fail if it does not come in time."""
        self.tell(number)
        return self.ended()

    def ended(self) -> int:
        """Return the exit code of a process that ends; fail if it does not in time."""
        code = self.process.wait(ENDS_WITHIN.total_seconds())
        self._reader.join(PATIENCE.total_seconds())
        return code

    def kill(self) -> None:
        """End it where it stands; fail if it had ended by itself."""
        assert self.end(signal.SIGKILL) == -signal.SIGKILL, self.log

    def kill_after(self, seconds: float) -> None:
        """Let it live for a while, then end it where it stands; fail if it ended by itself."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        self.kill()
