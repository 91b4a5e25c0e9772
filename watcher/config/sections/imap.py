"""A mailbox that is read: the journal's, and the one that reports of undelivered mail come to."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from watcher.config.places import CertificateBundle, FilePath, Host
from watcher.config.sections.base import Section
from watcher.config.values import Address, Line, Secret, within

Security = Literal["tls", "starttls", "none"]


class ImapSettings(Section):
    host: Host = Field(description="The server that the mailbox is read from.", examples=['host = "imap.example.org"'])
    port: int = Field(993, ge=1, le=65535, description="993 for tls, 143 for starttls and none, unless given.")
    security: Security = Field(
        "tls", description="tls (from the first byte), starttls, or none (only to a server on this machine)."
    )
    username: Line = Field(description="Login name.", examples=['username = "trialwatch-bounces"'])
    password: Secret | None = Field(
        None,
        description="Password; only in a file with mode 600.  A variable of the environment, or a file, is better.",
        examples=['password = "…"'],
    )
    password_file: FilePath | None = Field(
        None,
        description="File that holds the password on one line, so that it is not in this one; none by default.",
        examples=['password_file = "/run/secrets/imap-password"'],
    )
    ca_bundle: CertificateBundle | None = Field(
        None,
        description="File of trusted certificates (PEM) for a server with one of its own; none means the usual ones.",
        examples=['ca_bundle = "mail-ca.pem"'],
    )
    folder: Line = Field("INBOX", description="Folder that is read; nothing in it is deleted.")
    timeout: Annotated[timedelta, within("1s", "10m")] = Field(
        timedelta(seconds=30), description="How long to wait for a connection, and for the next bytes of an answer."
    )
    deadline: Annotated[timedelta, within("1s", "1h")] = Field(
        timedelta(minutes=5), description="How long one look into the mailbox may take as a whole."
    )


class BouncesSettings(Section):
    address: Address = Field(
        description="Where mail comes back that cannot be delivered: a mailbox for this alone, read by this program.",
        examples=['address = "bounces@example.org"'],
    )
    delimiter: Literal["+", "-", "="] = Field(
        "+",
        description="What the server takes between an address and an addition (recipient_delimiter of Postfix).",
    )
    look_every: Annotated[timedelta, within("1s", "1d")] = Field(
        timedelta(minutes=5), description="How often to look for what came back."
    )
    fallback: Address | None = Field(
        None,
        description="Who gets the mail of a reader whom mail does not reach any more; the operator unless given.",
        examples=['fallback = "deputy@example.org"'],
    )
    imap: ImapSettings
