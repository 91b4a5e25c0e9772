"""Hand messages over to chats, telephones and push services, through Apprise in a process of its own.

What Apprise says is only whether all went well, so that "no" means: try again later, and a service that took the
message and lost the answer shows it twice.  Its process, and why it has one: ``apprise_child.py``.  It lives as long as
a session; when it does not answer in time it is killed.

The URL goes to the process by a pipe: it is in no list of processes, environment, log or error.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from watcher.errors import (
    ChannelDown,
    ChannelRefused,
    MailError,
    MessageDeferred,
    MessageRefused,
    MessageUncertain,
)
from watcher.model import Json, Message, Phase, Receipt

START = timedelta(seconds=60)  # for Python to start and to load Apprise, on a busy machine
_CHILD = "watcher.notify.apprise_child"
_PACKAGE = str(Path(__file__).parents[2])  # where this program's own package lies
_ANSWER_LIMIT = 65_536  # bytes
# All else of the environment stays here: proxies, passwords of other services, settings of Python and of requests.
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV")

OnPhase = Callable[[Phase], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppriseTarget:
    name: str
    url: str = field(repr=False)
    allow_private: bool = False
    timeout: timedelta = timedelta(seconds=30)  # for one message as a whole


class AppriseChannel:
    """One URL of Apprise."""

    def __init__(self, target: AppriseTarget, *, start: timedelta = START) -> None:
        self._target = target
        self._start = start

    @property
    def name(self) -> str:
        return f"apprise {self._target.name}"

    @contextmanager
    def session(self) -> Iterator["AppriseSession"]:
        """Start the process and let it take the URL apart.  Raises ``ChannelDown`` or ``ChannelRefused``."""
        target = self._target
        with _started() as child:
            seconds = target.timeout.total_seconds()
            order = {"url": target.url, "allow_private": target.allow_private, "seconds": seconds}
            answer = child.ask(order, within=self._start)
            if answer is None:
                raise ChannelDown(Phase.CONNECT, f"apprise {target.name}: its process does not answer")
            if answer.get("problem"):
                raise ChannelRefused(Phase.CONNECT, f"apprise {target.name}: {answer['problem']}")
            yield AppriseSession(target, child)


class AppriseSession:
    """Messages to one URL, one after the other."""

    def __init__(self, target: AppriseTarget, child: "_Child") -> None:
        self._target = target
        self._child = child
        self._over = False

    def send(self, message: Message, *, on_phase: OnPhase) -> Receipt:
        """Hand one message over; see ``channel.Session.send``.  The steps are DATA and DOT, one after the other."""
        if self._over:
            raise ChannelDown(Phase.CONNECT, f"the session with apprise {self._target.name} is over; open a new one")
        order = _order(message)
        on_phase(Phase.DATA)
        on_phase(Phase.DOT)
        try:
            return self._receipt(self._child.ask(order, within=self._target.timeout))
        except MessageDeferred:
            raise
        except MailError:
            self._over = True
            raise

    def _receipt(self, answer: dict[str, Json] | None) -> Receipt:
        if answer is None:
            raise MessageUncertain(Phase.DOT, f"no answer within {self._target.timeout.total_seconds():g} s")
        if answer.get("sent") is True:
            return Receipt(reply="taken by the service")
        if answer.get("blocked"):
            raise ChannelRefused(Phase.DOT, f"apprise {self._target.name}: {answer['blocked']}")
        raise MessageDeferred(Phase.DOT, "the service did not take it; Apprise does not say why")


def _order(message: Message) -> dict[str, object]:
    """Return title and text of a target's document."""
    try:
        document = json.loads(message.mime)["data"]
        return {"title": str(document["subject"]), "body": str(document["text"])}
    except (ValueError, LookupError, TypeError):
        failure = MessageRefused(Phase.CONNECT, "the message is not the document of a target")
    raise failure


class _Child:
    """The process, and the two pipes to it."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._received = b""

    def ask(self, order: dict[str, object], *, within: timedelta) -> dict[str, Json] | None:
        """Give an order and return the answer; None = there is none, and the process is dead."""
        deadline = time.monotonic() + within.total_seconds()
        answer = None
        if self._write(json.dumps(order).encode() + b"\n"):
            answer = self._read(deadline)
        if answer is None:
            self.end()
        return answer

    def end(self) -> None:
        with suppress(OSError):
            self._process.kill()
        self._process.wait()

    def _write(self, line: bytes) -> bool:
        """Write an order; the process reads one whenever it is not at another, so that this does not wait."""
        assert self._process.stdin is not None  # noqa: S101 it was started with pipes
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except OSError:
            return False
        return True

    def _read(self, deadline: float) -> dict[str, Json] | None:
        assert self._process.stdout is not None  # noqa: S101 the same
        pipe = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        while b"\n" not in self._received:
            left = deadline - time.monotonic()
            if left <= 0 or len(self._received) > _ANSWER_LIMIT or not poll.poll(left * 1000):
                return None
            piece = os.read(pipe, 4096)
            if not piece:
                return None
            self._received += piece
        line, _, self._received = self._received.partition(b"\n")
        try:
            answer = json.loads(line)
        except ValueError:
            return None
        return answer if isinstance(answer, dict) else None


@contextmanager
def _started() -> Iterator[_Child]:
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    environment |= {"PYTHONPATH": _PACKAGE, "HOME": os.devnull, "NETRC": os.devnull, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-P", "-m", _CHILD]
    try:
        process = subprocess.Popen(  # noqa: S603 no word of the command comes from outside
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C ends the service, which then ends its session in order
        )
    except OSError as error:
        raise ChannelDown(Phase.CONNECT, f"the process for Apprise cannot be started: {error.strerror}") from error
    with process:
        child = _Child(process)
        try:
            yield child
        finally:
            child.end()
