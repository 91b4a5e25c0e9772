"""Where a mail server is, and how it is spoken to; refuses what must not be, as a password in clear."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from watcher.errors import SettingsError
from watcher.notify.oauth2 import TokenSource


class Security(StrEnum):
    """How the connection is kept from being read and changed on its way."""

    STARTTLS = "starttls"  # begins in clear and must be secured before anything else; usual on port 587
    TLS = "tls"  # from the first byte; usual on port 465
    NONE = "none"  # for a relay on the same machine


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where mails are handed over, and as whom.

    Raises:
        SettingsError: a combination that must not be used.
    """

    host: str  # also the name that the certificate must be for
    port: int
    security: Security
    username: str | None = None  # None = no login
    password: str | None = field(default=None, repr=False)
    tokens: TokenSource | None = field(default=None, repr=False)  # in place of a password
    ca_bundle: Path | None = None  # PEM; None = the system's authorities
    connect_timeout: timedelta = timedelta(seconds=60)  # for the connection and the server's greeting, each
    command_timeout: timedelta = timedelta(minutes=5)  # for each answer: RFC 5321 section 4.5.3.2
    dot_timeout: timedelta = timedelta(minutes=10)  # for the answer to the final dot: section 4.5.3.2.6
    local_hostname: str | None = None  # what EHLO says; None = this machine's full name

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise SettingsError(problems)

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port}"

    def _problems(self) -> Iterator[str]:
        if not self.host or not self.host.isprintable() or " " in self.host:
            yield f"mail server host {self.host!r}: it should be a host name or an address"
        if not 0 < self.port < 65_536:
            yield f"mail server port {self.port}: it should be 1 to 65535"
        if self.local_hostname is not None and not re.fullmatch(r"[!-~]+", self.local_hostname):
            yield f"local host name {self.local_hostname!r}: it should be printable ASCII without spaces"
        if (self.username is None) != (self.password is None and self.tokens is None):
            yield "mail server login: it should have both a user name and a password, or neither"
        if self.password is not None and self.tokens is not None:
            yield "mail server login: it should have a password or OAuth 2.0, not both"
        if self.username is not None and self.security is Security.NONE:
            yield "mail server login: a password is never sent in clear; security should be starttls or tls"
        if min(self.connect_timeout, self.command_timeout, self.dot_timeout) <= timedelta(0):
            yield "mail server time-outs: each should be more than zero"
