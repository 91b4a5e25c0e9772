"""Open a connection to an IMAP server: TLS with a verified certificate, login, one folder.

Built on ``imaplib``, but for three things: what a server sends has a size limit, a connection has a deadline however
slowly the server drips, and every failure is one of the ``MailError`` family that says what the operator can do.

Does not know what is read or looked for (``mailbox.py``, ``journal.py``) and never falls back to a connection in clear.

Sources: RFC 3501 (IMAP4rev1), RFC 8314 (implicit TLS), RFC 4616 (PLAIN), RFC 5530 (codes of refusals).
"""

import imaplib
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from watcher.core.text import one_line
from watcher.errors import ChannelDown, ChannelRefused
from watcher.model import Phase

ANSWER_LIMIT = 4 * 2**20  # bytes of one piece that a server sends; a mail is asked for in less
_WORDS_LIMIT = 300  # characters of a server's words that are kept
_NOT_NOW = re.compile(r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\]", re.IGNORECASE)  # RFC 5530: try again later

Answer = tuple[str, list[bytes | tuple[bytes, bytes] | None]]


class ImapSecurity(StrEnum):
    """How the connection is kept from being read and changed on its way."""

    TLS = "tls"  # from the first byte; usual on port 993
    STARTTLS = "starttls"  # begins in clear and is secured before anything else; usual on port 143
    NONE = "none"  # for a server on the same machine


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapServer:
    """A folder of a mailbox, and as whom it is opened."""

    host: str  # also the name that the certificate must be for
    port: int
    security: ImapSecurity
    username: str
    password: str = field(repr=False)
    ca_bundle: Path | None = None  # PEM; None = the system's authorities
    folder: str = "INBOX"
    timeout: timedelta = timedelta(seconds=30)  # for the connection, and for the next bytes of an answer
    deadline: timedelta = timedelta(minutes=5)  # for everything that is done on one connection

    @property
    def where(self) -> str:
        return f"imap {self.host}:{self.port}"


class _Limited(imaplib.IMAP4):
    """A conversation that ends in time, and in which nothing that the server sends grows without end.

    Time-outs are for each read: a server that sends a byte now and then would keep us for ever.
    """

    def __init__(self, host: str, port: int, *, deadline: timedelta, timeout: float, **tls: ssl.SSLContext) -> None:
        self._watchdog = threading.Timer(deadline.total_seconds(), self._cut)
        self._watchdog.daemon = True
        super().__init__(host, port, timeout=timeout, **tls)

    def open(self, *where: Any, **options: Any) -> None:  # whose defaults differ between the two that are inherited
        super().open(*where, **options)
        self._watchdog.start()

    def shutdown(self) -> None:
        self._watchdog.cancel()
        with suppress(OSError):  # where it is closed already, by us or by a TLS that could not be set up
            super().shutdown()

    def _cut(self) -> None:
        """End the conversation from another thread: whoever reads hears that nothing more comes."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def read(self, size: int) -> bytes:
        if size > ANSWER_LIMIT:
            raise self.abort(f"it sends {size:,} bytes at once, of which {ANSWER_LIMIT:,} were asked for at most")
        return super().read(size)


class _LimitedTls(_Limited, imaplib.IMAP4_SSL):
    """The same, encrypted from the first byte."""


@contextmanager
def opened_folder(server: ImapServer, *, readonly: bool) -> Iterator[imaplib.IMAP4]:
    """Connect, log in and open the folder; log out at the end of the block.

    Raises:
        ChannelDown: nobody answers, or not in time.  Try again later.
        ChannelRefused: it will not work until the operator changes something.
    """
    with imap_errors(server):
        connection = _connect(server)
    try:
        with imap_errors(server):
            _log_in(connection, server)
            _open_folder(connection, server, readonly=readonly)
        yield connection  # not within ``imap_errors``: what goes wrong there may be of the caller's making
        with suppress(OSError, imaplib.IMAP4.error):  # whether it says goodbye does not matter
            connection.logout()
    finally:
        connection.shutdown()


def asked(answer: Answer, what: str, server: ImapServer) -> list[bytes | tuple[bytes, bytes]]:
    """Return what a server answered, if it did what it was asked to.

    Raises:
        ChannelDown: it did not, although it knows us and the folder.
    """
    verdict, found = answer
    if verdict != "OK":
        raise ChannelDown(Phase.CONNECT, f"{server.where} does not {what}: {_words(found)}")
    return [one for one in found if one is not None]


@contextmanager
def imap_errors(server: ImapServer) -> Iterator[None]:
    """Turn every failure into one of ours."""
    where = server.where
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        detail = (
            f"{where}: its certificate is not accepted: {error.verify_message or error}; "
            "the host must be the name in it, and ca_bundle the file of who signed it if that is not a public authority"
        )
        raise ChannelRefused(Phase.CONNECT, detail) from error
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        raise ChannelDown(Phase.CONNECT, f"{where}: the connection broke") from error
    except ssl.SSLError as error:
        detail = f"{where}: TLS cannot be set up ({error.reason or error}); are port and security right?"
        raise ChannelRefused(Phase.CONNECT, detail) from error
    except UnicodeError as error:
        raise ChannelRefused(Phase.CONNECT, f"{where}: this is not a host name") from error
    except (OSError, imaplib.IMAP4.error) as error:  # ``error`` is the base of ``abort``, which is a broken line
        words = one_line(str(error), _WORDS_LIMIT) or type(error).__name__
        raise ChannelDown(Phase.CONNECT, f"{where}: {words}") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        # What imaplib does with answers that are not IMAP, or when the watchdog has closed its file.
        raise ChannelDown(Phase.CONNECT, f"{where}: its answer is not understood, or came too late") from error


def _connect(server: ImapServer) -> imaplib.IMAP4:
    timeout, deadline = server.timeout.total_seconds(), server.deadline
    if server.security is ImapSecurity.NONE:
        return _Limited(server.host, server.port, deadline=deadline, timeout=timeout)
    context = _tls_context(server)
    if server.security is ImapSecurity.TLS:
        return _LimitedTls(server.host, server.port, deadline=deadline, timeout=timeout, ssl_context=context)
    connection = _Limited(server.host, server.port, deadline=deadline, timeout=timeout)
    if "STARTTLS" not in connection.capabilities:
        connection.shutdown()
        detail = (
            f"{server.where}: the server offers no STARTTLS, and nothing is sent in clear; use tls, or another port"
        )
        raise ChannelRefused(Phase.CONNECT, detail)
    try:
        connection.starttls(ssl_context=context)
    except BaseException:  # whatever it is goes on its way without an open line behind it
        connection.shutdown()
        raise
    return connection


def _tls_context(server: ImapServer) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=server.ca_bundle)
    except OSError as error:
        detail = f"CA bundle {server.ca_bundle} cannot be used ({error}); it should be a readable PEM file"
        raise ChannelRefused(Phase.CONNECT, detail) from error


def _log_in(connection: imaplib.IMAP4, server: ImapServer) -> None:
    """Log in by PLAIN, which takes any character, or by LOGIN where the server knows nothing else; once only."""
    try:
        if "AUTH=PLAIN" in connection.capabilities:
            secret = f"\0{server.username}\0{server.password}".encode()
            connection.authenticate("PLAIN", lambda _challenge: secret)
        elif "LOGINDISABLED" in connection.capabilities:
            detail = f"{server.where}: the server lets nobody in over this connection; use security tls or starttls"
            raise ChannelRefused(Phase.CONNECT, detail)
        else:
            connection.login(server.username, server.password)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        words = one_line(str(error), _WORDS_LIMIT).replace(server.password, "***")
        detail = f"{server.where}, login of {server.username}: {words}"
        if _NOT_NOW.search(words):
            raise ChannelDown(Phase.CONNECT, detail) from error
        raise ChannelRefused(Phase.CONNECT, f"{detail}; are user name and password right?") from error


def _open_folder(connection: imaplib.IMAP4, server: ImapServer, *, readonly: bool) -> None:
    quoted = '"' + server.folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
    try:
        verdict, found = connection.select(quoted, readonly=readonly)
    except imaplib.IMAP4.readonly as error:
        detail = f"{server.where}: {server.username} may read the folder {server.folder}, and not mark what was read"
        raise ChannelRefused(Phase.CONNECT, detail) from error
    if verdict != "OK":
        detail = f"{server.where}: the folder {server.folder} cannot be opened: {_words(found)}; name one that is there"
        raise ChannelRefused(Phase.CONNECT, detail)


def _words(found: list[bytes | tuple[bytes, bytes] | None] | list[bytes | None]) -> str:
    said = [one for one in found if isinstance(one, bytes)]
    return one_line(b" ".join(said).decode("ascii", "replace"), _WORDS_LIMIT) or "no reason given"
