"""Hand mails over by SMTP, one recipient at a time, so that it is always known how far the conversation had gone.

A journal mailbox, where there is one, is named as a second recipient once the first was accepted.  It gets what the
reader gets or nothing does, so that it can be asked later what became of a message.  A journal that is not accepted
keeps no mail from its reader.

Does not write mails, keep a queue or try again: it says what happened, in the terms of ``errors.py``, and the pipeline
decides.  ``smtplib.sendmail`` is not used: it reports a line that broke before the message was taken, and one that
broke after, by the same error, and only in the first case may the message be sent again without a doubt.

Sources: RFC 5321, RFC 1870 (SIZE), RFC 6531 (SMTPUTF8).  What the answers mean: ``smtp_reply.py``.
"""

import re
import smtplib
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from watcher.core.domains import a_labels
from watcher.errors import ChannelDown, LineBroken, MailError, MessageDeferred, MessageRefused, MessageUncertain
from watcher.model import Message, Phase, Receipt
from watcher.notify.smtp_connection import Connection, open_connection
from watcher.notify.smtp_reply import CLOSING, Reply, message_error, reply_of
from watcher.notify.smtp_server import Security, SmtpServer

__all__ = ["Security", "SmtpChannel", "SmtpServer", "SmtpSession"]

MESSAGES_A_CONNECTION = 100  # large receivers slow down or cut off a connection that goes on for longer
CONNECTION_AGE = timedelta(seconds=60)
FAREWELL = timedelta(seconds=5)  # for the answer to QUIT, which nobody needs
SEND_IT = 354
_UNFIT = re.compile(r"[<>\x00-\x20\x7f]")  # in an address on the line
_DONE = frozenset({250, 251, 252})

OnPhase = Callable[[Phase], None]


class SmtpChannel:
    """A mail server to hand messages over to."""

    def __init__(
        self, server: SmtpServer, *, journal: str | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Name a server.

        Args:
            server: where it is, and as whom we come.
            journal: address of the journal mailbox; None = there is none.
            monotonic: seconds, for how long a connection has been in use.
        """
        self._server = server
        self._journal = journal
        self._monotonic = monotonic

    @property
    def name(self) -> str:
        return f"smtp {self._server.where}"

    @contextmanager
    def session(self) -> Iterator["SmtpSession"]:
        """Connect and log in; say goodbye at the end.  Raises ``ChannelDown`` or ``ChannelRefused``."""
        session = SmtpSession(self._server, journal=self._journal, monotonic=self._monotonic)
        session.open()
        try:
            yield session
        finally:
            session.close()


class SmtpSession:
    """A conversation with one server, over as many connections as its messages need, one after the other."""

    def __init__(self, server: SmtpServer, *, journal: str | None, monotonic: Callable[[], float]) -> None:
        self._server = server
        self._journal = wire_address(journal) if journal else None
        self._monotonic = monotonic
        self._connection: Connection | None = None
        self._opened_at = 0.0  # seconds on the monotonic clock
        self._begun = 0  # messages begun on this connection
        self._over = False

    def open(self) -> Connection:
        """Connect and log in."""
        connection = open_connection(self._server)
        self._connection = connection
        self._opened_at = self._monotonic()
        self._begun = 0
        return connection

    def close(self) -> None:
        """Say goodbye; whether the server answers does not matter: what it took is in its own keeping."""
        self._over = True
        self._leave()

    def send(self, message: Message, *, on_phase: OnPhase) -> Receipt:
        """Hand one message over; see ``channel.Session.send``."""
        if self._over:
            raise ChannelDown(Phase.CONNECT, f"the session with {self._server.where} is over; open a new one")
        check_mime(message.mime)
        envelope = wire_address(message.sender), wire_address(message.recipient)
        try:
            connection = self._ready_connection(on_phase)
            self._begun += 1
            transaction = _Transaction(connection, self._server, message.mime, on_phase=on_phase)
            return transaction.run(envelope, journal=self._journal)
        except (MessageDeferred, MessageRefused):
            raise
        except BaseException as error:
            # Not QUIT: after anything unforeseen, on_phase's own errors included, nothing more is said.
            self._over = isinstance(error, MailError)
            self._drop()
            raise

    def _ready_connection(self, on_phase: OnPhase) -> Connection:
        """Return a connection on which a message can begin: the present one if it is fresh and alive, or a new one."""
        if self._begun and not (self._fresh() and self._reset()):
            self._leave()
        if self._connection is not None:
            return self._connection
        on_phase(Phase.CONNECT)
        return self.open()

    def _fresh(self) -> bool:
        age = timedelta(seconds=self._monotonic() - self._opened_at)
        return self._begun < MESSAGES_A_CONNECTION and age < CONNECTION_AGE

    def _reset(self) -> bool:
        """Clear the last message's envelope; False = this connection is of no more use."""
        if self._connection is None or self._connection.sock is None:
            return False
        try:
            return self._connection.rset()[0] in _DONE
        except smtplib.SMTPServerDisconnected:
            return False

    def _leave(self) -> None:
        if self._connection is not None and self._connection.sock is not None:
            with suppress(OSError):
                self._connection.wait_at_most(FAREWELL)
                self._connection.quit()
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
        self._connection = None


class _Transaction:
    """One message on one connection, step by step."""

    def __init__(self, connection: Connection, server: SmtpServer, mime: bytes, *, on_phase: OnPhase) -> None:
        self._connection = connection
        self._server = server
        self._mime = mime
        self._on_phase = on_phase

    def run(self, envelope: tuple[str, str], *, journal: str | None) -> Receipt:
        sender, recipient = envelope
        options = self._options(envelope)
        self._ask(Phase.MAIL, f"MAIL FROM:<{sender}>{options}")
        self._ask(Phase.RCPT, f"RCPT TO:<{recipient}>")
        refusal = self._name_journal(journal) if journal and journal != recipient else None
        self._ask(Phase.DATA, "DATA", hoped_for=frozenset({SEND_IT}))
        self._write_body()
        self._on_phase(Phase.JOURNALLED if journal and refusal is None else Phase.DOT)
        self._check_still_listening()
        return Receipt(reply=str(self._dot()), journal_refusal=refusal)

    def _name_journal(self, journal: str) -> str | None:
        """Name the journal as a second recipient; return the server's words if it does not take that."""
        try:
            reply = reply_of(self._connection.docmd(f"RCPT TO:<{journal}>"))
        except smtplib.SMTPServerDisconnected as error:
            raise self._broken_before_dot(Phase.RCPT, error) from error
        if reply.code in _DONE:
            return None
        if reply.code == CLOSING or not (reply.transient or reply.permanent):
            self._connection.close()
            raise message_error(Phase.RCPT, reply, size=len(self._mime))
        return str(reply)

    def _options(self, envelope: tuple[str, str]) -> str:
        options = f" SIZE={len(self._mime)}" if self._connection.has_extn("size") else ""
        if all(address.isascii() for address in envelope):
            return options
        if not self._connection.has_extn("smtputf8"):
            detail = f"server lacks SMTPUTF8, without which {' or '.join(envelope)} cannot be written"
            raise MessageRefused(Phase.CONNECT, detail)
        self._connection.command_encoding = "utf-8"  # until the next RSET
        return f"{options} SMTPUTF8"

    def _ask(self, phase: Phase, command: str, *, hoped_for: frozenset[int] = _DONE) -> None:
        self._on_phase(phase)
        try:
            reply = reply_of(self._connection.docmd(command))
        except smtplib.SMTPServerDisconnected as error:
            raise self._broken_before_dot(phase, error) from error
        if reply.code not in hoped_for:
            if not (reply.transient or reply.permanent):
                self._connection.close()  # question and answer no longer match: nothing heard here can be trusted
            raise message_error(phase, reply, size=len(self._mime))

    def _write_body(self) -> None:
        try:
            self._connection.send(stuffed(self._mime))
        except smtplib.SMTPServerDisconnected as error:
            raise self._broken_before_dot(Phase.DATA, error) from error

    def _check_still_listening(self) -> None:
        """Notice a server that hung up or gave its verdict before the dot: then nothing is uncertain."""
        try:
            answer = self._connection.early_answer()
        except smtplib.SMTPServerDisconnected as error:
            raise self._broken_before_dot(Phase.DATA, error) from error
        if answer is not None:
            self._connection.close()
            raise message_error(Phase.DATA, reply_of(answer), size=len(self._mime))

    def _dot(self) -> Reply:
        self._connection.wait_at_most(self._server.dot_timeout)
        try:
            self._connection.send(b".\r\n")
            reply = reply_of(self._connection.getreply())
        except smtplib.SMTPServerDisconnected as error:
            raise MessageUncertain(Phase.DOT, f"the answer to the final dot was lost: {error}") from error
        self._connection.wait_at_most(self._server.command_timeout)
        if not reply.positive:
            raise message_error(Phase.DOT, reply, size=len(self._mime))
        return reply

    def _broken_before_dot(self, phase: Phase, error: smtplib.SMTPServerDisconnected) -> LineBroken:
        return LineBroken(phase, f"the line broke before the message was complete: {error}")


def check_mime(mime: bytes) -> None:
    """Refuse a message that servers could read in different ways, and so as two (SMTP smuggling).

    Raises:
        MessageRefused: a line end other than CRLF, or a byte that is not 7-bit.
    """
    if not mime.count(b"\r\n") == mime.count(b"\r") == mime.count(b"\n"):
        raise MessageRefused(Phase.CONNECT, "the message has a CR or an LF alone; all its line ends should be CRLF")
    if not mime.isascii():
        raise MessageRefused(Phase.CONNECT, "the message has bytes above 127; it should be encoded as 7-bit text")


def stuffed(mime: bytes) -> bytes:
    """Return the message as it goes over the line: dots at line starts doubled, a line end at its end."""
    doubled = (b"." if mime.startswith(b".") else b"") + mime.replace(b"\r\n.", b"\r\n..")
    return doubled if doubled.endswith(b"\r\n") else doubled + b"\r\n"


def wire_address(address: str) -> str:
    """Return an envelope address with its domain in ASCII.

    Raises:
        MessageRefused: it is not an address, or would be more than one command.
    """
    local, _, domain = address.rpartition("@")
    if _UNFIT.search(address) or any(unicodedata.category(char)[0] in "CZ" for char in address if not char.isascii()):
        raise MessageRefused(Phase.CONNECT, f"{address!r} is not an address; it should read local@domain")
    if not local or not domain:
        raise MessageRefused(Phase.CONNECT, f"{address!r} is not an address; it should read local@domain")
    if domain.isascii():
        return address
    try:
        return f"{local}@{a_labels(domain)}"
    except ValueError as error:
        raise MessageRefused(Phase.CONNECT, f"{address!r}: {error}") from error
