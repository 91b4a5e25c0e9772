"""Open a connection to a mail server: TCP, TLS with a verified certificate, login.

Built on ``smtplib``, but for two things: answers have a deadline and a size limit, and the login neither tries one
mechanism after the other (three wrong passwords lock an account) nor lets the password into an error.  Does not send
messages (``smtp.py``), does not fall back to a connection in clear, and does not get tokens (``oauth2.py``).

Sources: RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 8314 (implicit TLS), RFC 4954 (AUTH), Microsoft's and Google's pages
on XOAUTH2.
"""

import base64
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from watcher.errors import ChannelDown, ChannelRefused
from watcher.model import Phase
from watcher.notify.oauth2 import TokenSource
from watcher.notify.smtp_reply import LOGIN_CODES, Reply, channel_error, reply_of
from watcher.notify.smtp_server import Security, SmtpServer

REPLY_LIMIT = 65_536  # octets of one answer; RFC 5321 has 512 a line, and EHLO answers have some twenty lines
LOGGED_IN = 235
NO_SUCH_COMMAND = frozenset({500, 501, 502, 504})
GO_ON = 334  # the server asks for the next piece of a login
_LAST_LINE = re.compile(rb"^(?!\d{3}-)[^\n]*\n", re.MULTILINE)
_CODE = re.compile(rb"\d{3}(?=[ \r\n])")


class Connection(smtplib.SMTP):
    """A conversation in which no answer takes longer than ``timeout`` or grows without end.

    Every failure of the line is an ``SMTPServerDisconnected``, with the reason in words, and closes the connection.
    """

    def wait_at_most(self, patience: timedelta) -> None:
        """Set the deadline of each further answer, and of each further piece sent."""
        self.timeout = patience.total_seconds()
        if self.sock:
            self.sock.settimeout(self.timeout)

    def getreply(self) -> tuple[int, bytes]:
        """Return the next answer; what follows it unasked is thrown away, as RFC 3207 section 4.2 wants at STARTTLS."""
        deadline = time.monotonic() + self.timeout
        received = b""
        while (last := _LAST_LINE.search(received)) is None:
            if len(received) > REPLY_LIMIT:
                raise self._broken(f"an answer of more than {REPLY_LIMIT} octets")
            received += self._receive(deadline - time.monotonic())
        return _code_and_words(received[: last.end()])

    def early_answer(self) -> tuple[int, bytes] | None:
        """Return what the server said although it was not its turn; None = nothing.

        Raises:
            SMTPServerDisconnected: it has hung up.
        """
        if not self.sock:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        self.sock.settimeout(0)
        try:
            received = self.sock.recv(4096)
        except (BlockingIOError, ssl.SSLWantReadError):
            self.sock.settimeout(self.timeout)
            return None
        except OSError as error:
            raise self._broken(str(error)) from error
        if not received:
            raise self._broken("the server closed the connection")
        return _code_and_words(received)

    def _receive(self, remaining: float) -> bytes:
        if not self.sock:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        try:
            self.sock.settimeout(max(remaining, 0.001))  # 0 would mean: do not wait, which is another error
            received: bytes = self.sock.recv(4096)
            self.sock.settimeout(self.timeout)
        except TimeoutError as error:
            raise self._broken(f"no answer within {self.timeout:g} s") from error
        except OSError as error:
            raise self._broken(str(error)) from error
        if not received:
            raise self._broken("the server closed the connection")
        return received

    def _broken(self, why: str) -> smtplib.SMTPServerDisconnected:
        self.close()
        return smtplib.SMTPServerDisconnected(why)


class _TlsConnection(Connection, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


def open_connection(server: SmtpServer) -> Connection:
    """Connect, secure the connection, log in.

    Raises:
        ChannelDown: nobody answers, or the server says that it cannot now (4yz).
        ChannelRefused: no STARTTLS, a certificate that does not prove the host's name, a refused login, a 5yz.
    """
    with _connection_errors(server):
        context = None if server.security is Security.NONE else _tls_context(server)
        connection = _connect(server, context)
        try:
            connection.wait_at_most(server.command_timeout)
            if connection.sock:
                # The final dot is a small packet after a large one: without this it waits for a late acknowledgement.
                connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _introduce(connection, server)
            if server.security is Security.STARTTLS:
                connection.starttls(context=context)
                _introduce(connection, server)
            _log_in(connection, server)
        except BaseException:  # whatever it is, an interrupt too, goes on its way without an open line behind it
            connection.close()
            raise
    return connection


def _tls_context(server: SmtpServer) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=server.ca_bundle)
    except OSError as error:
        detail = f"CA bundle {server.ca_bundle} cannot be used ({error}); it should be a readable PEM file"
        raise ChannelRefused(Phase.CONNECT, detail) from error


def _connect(server: SmtpServer, context: ssl.SSLContext | None) -> Connection:
    timeout = server.connect_timeout.total_seconds()
    if server.security is Security.TLS:
        return _TlsConnection(server.host, server.port, server.local_hostname, timeout=timeout, context=context)
    return Connection(server.host, server.port, server.local_hostname, timeout=timeout)


def _introduce(connection: Connection, server: SmtpServer) -> None:
    """Say EHLO.  Not left to ``smtplib``, which takes "421 closing" for a reason to try HELO."""
    reply = reply_of(connection.ehlo())
    if reply.code in NO_SUCH_COMMAND:
        reply = reply_of(connection.helo())
    if not reply.positive:
        raise channel_error(server.where, reply)


@contextmanager
def _connection_errors(server: SmtpServer) -> Iterator[None]:
    where = server.where
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        detail = f"{where}: its certificate is not accepted: {error.verify_message or error}"
        raise ChannelRefused(Phase.CONNECT, detail) from error
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        raise ChannelDown(Phase.CONNECT, f"{where}: the connection broke while TLS was set up") from error
    except ssl.SSLError as error:
        detail = f"{where}: TLS cannot be set up ({error.reason or error}); are port and security right?"
        raise ChannelRefused(Phase.CONNECT, detail) from error
    except smtplib.SMTPNotSupportedError as error:
        detail = f"{where}: the server offers no STARTTLS, and nothing is sent in clear; use tls, or another port"
        raise ChannelRefused(Phase.CONNECT, detail) from error
    except smtplib.SMTPResponseException as error:
        words = error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
        raise channel_error(where, reply_of((error.smtp_code, words))) from error
    except UnicodeError as error:
        raise ChannelRefused(Phase.CONNECT, f"{where}: this is not a host name") from error
    except OSError as error:  # the last and widest: smtplib's own errors are OSErrors too
        raise ChannelDown(Phase.CONNECT, f"{where}: {error}") from error


def _log_in(connection: Connection, server: SmtpServer) -> None:
    if server.username is None:
        return
    if server.tokens is not None:
        _log_in_by_token(connection, server, server.username, server.tokens)
    elif server.password is not None:
        _log_in_by_password(connection, server, server.username, server.password)


def _log_in_by_token(connection: Connection, server: SmtpServer, username: str, tokens: TokenSource) -> None:
    """Log in by XOAUTH2.  A token that was kept may be void by now: another one is tried, once."""
    offered = connection.esmtp_features.get("auth", "").upper().split()
    if "XOAUTH2" not in offered:
        offer = ", ".join(offered) or "none"
        detail = f"{server.where}: the server should offer a login by XOAUTH2; it offers {offer}"
        raise ChannelRefused(Phase.CONNECT, detail)
    for _ in range(2):
        token, is_new = tokens.token()
        secret = _base64(f"user={username}\x01auth=Bearer {token}\x01\x01")
        reply = reply_of(connection.docmd("AUTH", f"XOAUTH2 {secret}"))
        if reply.code == GO_ON:  # why it is refused, as JSON in base64; an empty answer leads to the refusal itself
            reply = reply_of(connection.docmd(""))
        if reply.code == LOGGED_IN:
            return
        if reply.code not in LOGIN_CODES:
            break
        tokens.forget(token)
        if is_new:
            break
    raise channel_error(f"{server.where}, login of {username} by XOAUTH2", _without(reply, [token, secret]))


def _log_in_by_password(connection: Connection, server: SmtpServer, username: str, password: str) -> None:
    offered = connection.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" in offered:
        secret = _base64(f"\0{username}\0{password}")
        reply = reply_of(connection.docmd("AUTH", f"PLAIN {secret}"))
    elif "LOGIN" in offered:
        secret = _base64(password)
        reply = _log_in_by_questions(connection, [_base64(username), secret])
    else:
        offer = ", ".join(offered) or "none"
        detail = f"{server.where}: the server should offer a login by PLAIN or LOGIN; it offers {offer}"
        raise ChannelRefused(Phase.CONNECT, detail)
    if reply.code != LOGGED_IN:
        raise channel_error(f"{server.where}, login of {username}", _without(reply, [password, secret]))


def _log_in_by_questions(connection: Connection, answers: list[str]) -> Reply:
    reply = reply_of(connection.docmd("AUTH", "LOGIN"))
    for answer in answers:
        if reply.code != GO_ON:
            break
        reply = reply_of(connection.docmd(answer))
    return reply


def _without(reply: Reply, secrets: list[str]) -> Reply:
    """Return the answer without secrets: some servers quote the command that they refuse."""
    words = reply.words
    for secret in filter(None, secrets):
        words = words.replace(secret, "***")
    return Reply(code=reply.code, words=words)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")


def _code_and_words(answer: bytes) -> tuple[int, bytes]:
    """Take an answer apart; the code of its last line counts, -1 where there is none."""
    lines = answer.rstrip(b"\r\n").split(b"\n")
    code = _CODE.match(lines[-1] + b"\n")
    words = [line[4:].strip() if code else line.strip() for line in lines]
    return (int(code.group()) if code else -1), b"\n".join(words)
