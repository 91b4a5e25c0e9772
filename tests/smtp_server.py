"""A mail server for tests: speaks SMTP on loopback, keeps what it takes, and misbehaves on request.

    with MailServer() as server:
        server.answer(Step.RCPT, "450 4.2.1 come back later", times=1)
        server.answer(Step.DOT, Act.TAKE_AND_HANG_UP, recipient="reader@example.org")
        server.down = True
        ...
        assert [mail.subject for mail in server.accepted] == ["[NCT00000001] Study terminated"]

Every connection has a thread of its own, so that processes under test may connect as well.  Does not do: pipelining,
queues, relaying.  Of several recipients the first is the one that a mail is for.
"""

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import trustme

from tests.smtp_conversation import Accepted, Act, Conversation, Step

__all__ = ["Accepted", "Act", "MailServer", "Step", "tls_context"]

HOST = "127.0.0.1"
PATIENCE = 20.0  # seconds that a test waits for what must come, from a process that has yet to start as well


@dataclass(kw_only=True)
class _Rule:
    step: Step
    answer: str | Act
    times: int | None  # left; None = for ever
    recipient: str | None  # None = for all


@dataclass(kw_only=True, eq=False)
class MailServer:
    """The server; a context manager that listens from its entry to its exit.

    Attributes:
        tls: offers STARTTLS; see ``tls_context``.
        implicit_tls: encrypts from the first byte instead.
        login: user name and password, or token, that MAIL needs; None = no login.
        mechanisms: the ways of logging in that it offers.
        offers: further lines of the EHLO answer.
        accepted: what it took, in order.
        commands: what clients said, in order, without the messages.
        connections: how many there have been.
        interrupted: set as soon as something scripted for ``BODY`` has happened, or an act at ``DOT`` begins.
    """

    tls: ssl.SSLContext | None = None
    implicit_tls: bool = False
    login: tuple[str, str] | None = None
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")
    offers: tuple[str, ...] = ("SIZE 10240000", "SMTPUTF8")
    host: str = HOST
    port: int = 0  # 0 = any; known after entry, and kept when the server goes down and comes back
    accepted: list[Accepted] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    interrupted: threading.Event = field(default_factory=threading.Event)
    _rules: list[_Rule] = field(default_factory=list, init=False)
    _reached: set[Step] = field(default_factory=set, init=False)  # scripted steps that a client has come to
    _changed: threading.Condition = field(default_factory=threading.Condition, init=False)
    _listener: "_Listener | None" = field(default=None, init=False)
    _talking: int = field(default=0, init=False)  # connections that are open

    def __enter__(self) -> Self:
        self.down = False
        return self

    def __exit__(self, *_: object) -> None:
        self.down = True

    @property
    def down(self) -> bool:
        """Whether connections are refused; going down cuts those that there are."""
        return self._listener is None

    @down.setter
    def down(self, down: bool) -> None:
        if down and self._listener is not None:
            self._listener.stop()
            self._listener = None
        elif not down and self._listener is None:
            self._listener = _Listener(self)
            self.port = self._listener.server_address[1]

    def answer(self, step: Step, answer: str | Act, *, times: int | None = None, recipient: str | None = None) -> None:
        """Script what happens at ``step`` from now on; the rule that was made first goes first.

        Args:
            answer: the answer's lines, codes included ("450-a\\r\\n450 b"), or what is done instead.
            times: how often; None = until ``behave``.
            recipient: only for messages to this address; meaningful from RCPT to DOT.
        """
        with self._changed:
            self._reached.discard(step)
            self._rules.append(_Rule(step=step, answer=answer, times=times, recipient=recipient))

    def behave(self) -> None:
        """Forget all scripted answers."""
        with self._changed:
            self._rules.clear()

    def wait_for(self, count: int) -> list[Accepted]:
        """Return what was taken, as soon as it is ``count`` messages or more; fail if that takes too long."""
        with self._changed:
            enough = self._changed.wait_for(lambda: len(self.accepted) >= count, PATIENCE)
            assert enough, f"{len(self.accepted)} messages arrived within {PATIENCE:g} s; {count} should have"
            return list(self.accepted)

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Return as soon as something is so that comes with a mail, a connection or a scripted step; or fail."""
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE), f"waited {PATIENCE:g} s in vain: {what}"

    def wait_until_reached(self, step: Step) -> None:
        """Return as soon as a client has come to a step, since that was scripted; fail if that takes too long."""
        self.wait_until(lambda: step in self._reached, f"a client that comes to {step}")

    def wait_until_all_left(self) -> None:
        """Return as soon as no connection is open, so that nothing more can arrive; fail if that takes too long."""
        self.wait_until(lambda: self._talking == 0, "the last client that leaves")

    # What conversations call, each in its own thread:

    def scripted(self, step: Step, recipient: str | None) -> str | Act | None:
        with self._changed:
            for rule in self._rules:
                if rule.step is step and rule.recipient in {None, recipient} and rule.times != 0:
                    rule.times = None if rule.times is None else rule.times - 1
                    self._reached.add(step)
                    self._changed.notify_all()
                    return rule.answer
        return None

    def heard(self, command: str) -> None:
        with self._changed:
            self.commands.append(command)

    def connected(self) -> None:
        with self._changed:
            self.connections += 1
            self._talking += 1
            self._changed.notify_all()

    def disconnected(self) -> None:
        with self._changed:
            self._talking -= 1
            self._changed.notify_all()

    def take(self, mail: Accepted) -> None:
        with self._changed:
            self.accepted.append(mail)
            self._changed.notify_all()

    def has_interrupted(self) -> None:
        self.interrupted.set()


def tls_context(authority: trustme.CA, *names: str, expired: bool = False) -> ssl.SSLContext:
    """Return what a server needs to prove that it is ``names`` (host names or addresses)."""
    not_after = datetime(2020, 1, 2, tzinfo=UTC) if expired else None
    not_before = datetime(2020, 1, 1, tzinfo=UTC) if expired else None
    certificate = authority.issue_cert(*names, not_after=not_after, not_before=not_before)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, mail_server: MailServer) -> None:
        self._mail_server = mail_server
        self._conversations: set[Conversation] = set()
        self._stopped = False
        self._lock = threading.Lock()
        super().__init__((mail_server.host, mail_server.port), socketserver.BaseRequestHandler)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def finish_request(self, request: Any, client_address: Any) -> None:
        assert isinstance(request, socket.socket), client_address
        conversation = Conversation(self._mail_server, request)
        with self._lock:
            if self._stopped:
                return
            self._conversations.add(conversation)
        try:
            conversation.run()
        finally:
            with self._lock:
                self._conversations.discard(conversation)

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join(PATIENCE)
        with self._lock:
            self._stopped = True
            for conversation in self._conversations:
                conversation.cut()
