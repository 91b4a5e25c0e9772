"""The server's side of one SMTP conversation, for ``smtp_server.py``, which is what tests use.

Strict where a client could be wrong: only CRLF.CRLF ends a message, and a message begins where no other is under way.
"""

import base64
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import Enum, StrEnum
from typing import NamedTuple, Protocol


class Step(StrEnum):
    """Where in a conversation an answer can be scripted."""

    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"  # the answer to the command DATA
    BODY = "body"  # while the message comes in, before its final dot
    DOT = "dot"  # the answer to the final dot
    RSET = "rset"
    QUIT = "quit"


class Act(Enum):
    """What a server can do other than answer."""

    HANG_UP = "closes the connection without an answer; a message that is coming in is not taken"
    TAKE_AND_HANG_UP = "takes the message, then closes the connection: the answer is lost (only at DOT)"
    TAKE_AND_BE_SILENT = "takes the message, then says nothing, and waits until the client hangs up (only at DOT)"
    SILENCE = "says nothing, and waits until the client hangs up; a message that came in is not taken"


_AFTER_TAKING = {Act.TAKE_AND_HANG_UP: Act.HANG_UP, Act.TAKE_AND_BE_SILENT: Act.SILENCE}


class Accepted(NamedTuple):
    """A message that the server took."""

    sender: str
    recipient: str
    mime: bytes  # as it was before it went over the line: dots at line starts are single again
    copies: tuple[str, ...] = ()  # the further recipients

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.mime, policy=policy.default)

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def words(self) -> str:
        """The text on one line, to look for sentences in it."""
        return " ".join(self.text.split())

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        return str(part.get_content()).replace("\r\n", "\n") if part else ""


class Keeper(Protocol):
    """What a conversation needs of its server; called from the conversation's own thread."""

    tls: ssl.SSLContext | None
    implicit_tls: bool
    login: tuple[str, str] | None
    mechanisms: tuple[str, ...]
    offers: tuple[str, ...]
    accepted: list[Accepted]

    def scripted(self, step: Step, recipient: str | None) -> str | Act | None: ...

    def heard(self, command: str) -> None: ...

    def connected(self) -> None: ...

    def disconnected(self) -> None: ...

    def take(self, mail: Accepted) -> None: ...

    def has_interrupted(self) -> None: ...


class HungUp(Exception):
    """The conversation is over."""


class Conversation:
    """One connection, from the greeting to its end."""

    def __init__(self, server: Keeper, connection: socket.socket) -> None:
        self._server = server
        self._socket = connection
        self._received = b""
        self._logged_in = server.login is None
        self._encrypted = False
        self._sender: str | None = None
        self._recipient: str | None = None
        self._copies: tuple[str, ...] = ()

    def run(self) -> None:
        self._server.connected()
        with suppress(HungUp, OSError):
            try:
                if self._server.implicit_tls:
                    self._encrypt()
                self._say(Step.GREETING, "220 mail.test ESMTP")
                for command in self._lines():
                    self._server.heard(command)
                    self._obey(command)
            finally:
                self._socket.close()
                self._server.disconnected()

    def cut(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _obey(self, command: str) -> None:
        match command.upper().split(maxsplit=1)[:1]:
            case ["EHLO"]:
                self._say(Step.EHLO, self._welcome())
            case ["STARTTLS"]:
                self._start_tls()
            case ["AUTH"]:
                self._authenticate(command)
            case ["MAIL"]:
                self._mail(command)
            case ["RCPT"]:
                self._rcpt(command)
            case ["DATA"]:
                self._data()
            case ["RSET"]:
                self._forget()
                self._say(Step.RSET, "250 2.0.0 cleared")
            case ["QUIT"]:
                self._say(Step.QUIT, "221 2.0.0 goodbye")
                raise HungUp
            case _:
                self._write("500 5.5.2 unknown command")

    def _welcome(self) -> str:
        lines = ["mail.test", *self._server.offers]
        if self._server.tls and not self._encrypted:
            lines.append("STARTTLS")
        if self._server.login:
            lines.append("AUTH " + " ".join(self._server.mechanisms))
        return "\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"])

    def _start_tls(self) -> None:
        if self._say(Step.STARTTLS, "220 2.0.0 go ahead"):
            self._encrypt()

    def _encrypt(self) -> None:
        assert self._server.tls is not None
        self._received = b""
        self._socket = self._server.tls.wrap_socket(self._socket, server_side=True)
        self._encrypted = True

    def _authenticate(self, command: str) -> None:
        _, mechanism, *initial = command.split()
        if mechanism.upper() == "XOAUTH2":
            self._authenticate_by_token(base64.b64decode(initial[0]).decode())
            return
        if mechanism.upper() == "PLAIN":
            pieces = base64.b64decode(initial[0]).decode().split("\0")[1:]
        else:
            pieces = [self._ask("VXNlcm5hbWU6"), self._ask("UGFzc3dvcmQ6")]
        if tuple(pieces) != self._server.login:
            self._say(Step.AUTH, "535 5.7.8 wrong user name or password")
        elif self._say(Step.AUTH, "235 2.7.0 welcome"):
            self._logged_in = True

    def _authenticate_by_token(self, answer: str) -> None:
        """Say yes, or say why not, and no only when that was answered, as Microsoft and Google do."""
        user, token = self._server.login or ("", "")
        if answer == f"user={user}\x01auth=Bearer {token}\x01\x01":
            if self._say(Step.AUTH, "235 2.7.0 welcome"):
                self._logged_in = True
            return
        self._write("334 " + base64.b64encode(b'{"status":"401","schemes":"bearer"}').decode())
        self._server.heard(next(self._lines()))
        self._say(Step.AUTH, "535 5.7.3 authentication unsuccessful")

    def _ask(self, question: str) -> str:
        self._write(f"334 {question}")
        return base64.b64decode(next(self._lines())).decode()

    def _mail(self, command: str) -> None:
        address = re.fullmatch(r"(?i)MAIL FROM:<([^<>]*)>( .*)?", command)
        if not self._logged_in:
            self._write("530 5.7.0 log in first")
        elif address is None or self._sender is not None:
            self._write("503 5.5.1 not now, or not so")
        elif self._say(Step.MAIL, "250 2.1.0 sender ok"):
            self._sender = address.group(1)

    def _rcpt(self, command: str) -> None:
        address = re.fullmatch(r"(?i)RCPT TO:<([^<>]+)>", command)
        if address is None or self._sender is None:
            self._write("503 5.5.1 not now, or not so")
        elif self._say(Step.RCPT, "250 2.1.5 recipient ok", recipient=address.group(1)):
            if self._recipient is None:
                self._recipient = address.group(1)
            else:
                self._copies += (address.group(1),)

    def _forget(self) -> None:
        self._sender = self._recipient = None
        self._copies = ()

    def _data(self) -> None:
        if self._sender is None or self._recipient is None:
            self._write("503 5.5.1 not now")
            return
        recipient = self._recipient
        if not self._say(Step.DATA, "354 end with a dot", recipient=recipient):
            return
        mail = Accepted(self._sender, recipient, self._message(), self._copies)
        self._forget()
        scripted = self._server.scripted(Step.DOT, recipient)
        positive = scripted is None or (isinstance(scripted, str) and scripted.startswith("2"))
        if positive or scripted in _AFTER_TAKING:
            self._server.take(mail)
        self._perform(scripted or f"250 2.0.0 queued as {len(self._server.accepted)}")

    def _message(self) -> bytes:
        lines: list[bytes] = []
        while (line := self._line()) != b".\r\n" or (lines and not lines[-1].endswith(b"\r\n")):
            if not lines and (scripted := self._server.scripted(Step.BODY, self._recipient)) is not None:
                try:
                    self._perform(scripted)
                finally:
                    self._server.has_interrupted()
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def _say(self, step: Step, otherwise: str, *, recipient: str | None = None) -> bool:
        """Give the scripted answer, or the usual one; return whether it was positive."""
        answer = self._server.scripted(step, recipient) or otherwise
        self._perform(answer)
        return isinstance(answer, str) and answer[0] in "23"

    def _perform(self, answer: str | Act) -> None:
        if isinstance(answer, str):
            self._write(answer)
            return
        if _AFTER_TAKING.get(answer, answer) is Act.SILENCE:
            while self._socket.recv(65_536):
                pass
        self._socket.close()
        raise HungUp

    def _write(self, answer: str) -> None:
        self._socket.sendall(f"{answer}\r\n".encode())

    def _lines(self) -> Iterator[str]:
        while True:
            yield self._line().decode("utf-8", "replace").rstrip("\r\n")

    def _line(self) -> bytes:
        while b"\n" not in self._received:
            piece = self._socket.recv(65_536)
            if not piece:
                raise HungUp
            self._received += piece
        line, _, self._received = self._received.partition(b"\n")
        return line + b"\n"
