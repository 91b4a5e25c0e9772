"""What mail looks like, when it is sent, and by which server."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from watcher.config.places import BaseUrl, CertificateBundle, DkimKeyFile, DnsName, FilePath, FolderToBe, Host
from watcher.config.sections.base import Section
from watcher.config.sections.imap import BouncesSettings, ImapSettings
from watcher.config.values import Address, AddressPattern, Line, Secret, within

Security = Literal["starttls", "tls", "none"]


class OAuth2Settings(Section):
    token_url: BaseUrl = Field(
        description="Where tokens are had; https.  Of Microsoft 365, with the ID of your tenant in place of TENANT.",
        examples=['token_url = "https://login.microsoftonline.com/TENANT/oauth2/v2.0/token"'],
    )
    client_id: Line = Field(
        description="ID of the application that is registered there for this service.",
        examples=['client_id = "00000000-0000-0000-0000-000000000000"'],
    )
    client_secret: Secret = Field(
        description="Its secret; only in a file with mode 600.  A file of its own is better.",
        examples=['client_secret = "…"'],
    )
    client_secret_file: FilePath | None = Field(
        None,
        description="File that holds the secret on one line, so that it is not in this one; none by default.",
        examples=['client_secret_file = "/run/secrets/smtp-client"'],
    )
    scope: Line = Field(
        "https://outlook.office365.com/.default", description="What the token is for; this one is Microsoft 365's."
    )
    ca_bundle: CertificateBundle | None = Field(
        None,
        description="File of trusted certificates (PEM) for a token server of your own; none means the usual ones.",
        examples=['ca_bundle = "ca.pem"'],
    )


class SmtpSettings(Section):
    host: Host = Field(description="The mail server that takes our mail.", examples=['host = "mail.example.org"'])
    port: int = Field(587, ge=1, le=65535, description="587 for starttls, 465 for tls, 25 for none, unless given.")
    security: Security = Field(
        "starttls", description="starttls, tls (from the first byte), or none (only to a server on this machine)."
    )
    username: Line | None = Field(
        None, description="Login name, if the server wants one; none by default.", examples=['username = "trialwatch"']
    )
    password: Secret | None = Field(
        None,
        description="Password; only in a file with mode 600.  TRIALWATCH_MAIL__SMTP__PASSWORD or a file is better.",
        examples=['password = "…"'],
    )
    password_file: FilePath | None = Field(
        None,
        description="File that holds the password on one line, so that it is not in this one; none by default.",
        examples=['password_file = "/run/secrets/smtp-password"'],
    )
    ca_bundle: CertificateBundle | None = Field(
        None,
        description="File of trusted certificates (PEM) for a server with one of its own; none means the usual ones.",
        examples=['ca_bundle = "mail-ca.pem"'],
    )
    connect_timeout: Annotated[timedelta, within("1s", "10m")] = Field(
        timedelta(seconds=60), description="How long to wait for a connection."
    )
    command_timeout: Annotated[timedelta, within("1s", "1h")] = Field(
        timedelta(minutes=5), description="How long to wait for the answer to a command (RFC 5321, 4.5.3.2)."
    )
    dot_timeout: Annotated[timedelta, within("1s", "1h")] = Field(
        timedelta(minutes=10), description="The same after a message's end: giving up early may send it twice."
    )
    oauth2: OAuth2Settings | None = None


class JournalSettings(Section):
    address: Address = Field(
        description="Mailbox that gets a copy of every mail: after a broken line it is asked what the server took.",
        examples=['address = "trialwatch-journal@example.org"'],
    )
    wait: Annotated[timedelta, within("10s", "1h")] = Field(
        timedelta(minutes=2),
        description="How long a mail may be on its way there; twice what your mail server's queue usually takes.",
    )
    imap: ImapSettings


class DkimSettings(Section):
    domain: Host = Field(
        "", description="Domain that answers for the mail: the sender's, or one above it; the sender's unless given."
    )
    selector: DnsName = Field(
        description="Name of the key, whose public half stands in DNS at <selector>._domainkey.<domain>.",
        examples=['selector = "trialwatch"'],
    )
    key_file: DkimKeyFile = Field(
        description="File of the private key (PEM): RSA of 2048 bits or more, or Ed25519; readable by its owner only.",
        examples=['key_file = "dkim.pem"'],
    )


class MailSettings(Section):
    sender: Address = Field("", description="From address; the operator's unless given.  Needed with [mail.smtp].")
    sender_name: Line = Field("trialwatch", description="Name that mail programs show beside the sender's address.")
    reply_to: Address | None = Field(
        None,
        description="Where answers go, if not to the sender; none by default.",
        examples=['reply_to = "trials-team@example.org"'],
    )
    domain: Host = Field("", description="Domain in Message-IDs, kept when servers move; the sender's unless given.")
    subject_style: Literal["informative", "stable"] = Field(
        "informative",
        description="informative says what changed; stable is one for all mails on a trial, which Gmail needs.",
    )
    calendar: bool = Field(
        False,
        description="true attaches completion dates that moved as calendar events (.ics); some find that a nuisance.",
    )
    directory: FolderToBe = Field(
        Path("state/mail"),
        validate_default=True,
        description="Folder for mails as .eml files; used as long as there is no [mail.smtp], to try things out.",
    )
    deliver_every: Annotated[timedelta, within("1s", "1h")] = Field(
        timedelta(minutes=1), description="How often to look for mail that is due; looking costs next to nothing."
    )
    give_up_after: Annotated[timedelta, within("1h", "30d")] = Field(
        timedelta(hours=72),
        description="How long to retry a mail; then you are told, and a new one says that it is delayed.",
    )
    only_to: Annotated[tuple[AddressPattern, ...], Field(strict=False)] = Field(
        (),
        description="Outside production: nobody else gets mail, the operator included.  * stands for any characters.",
        examples=['only_to = ["*@example.org", "reader@example.com"]'],
    )
    merge_for: Annotated[timedelta, within("0s", "5m")] = Field(
        timedelta(minutes=5), description="How long immediate mail waits for more, so that it is one; 0s = not at all."
    )
    smtp: SmtpSettings | None = None
    bounces: BouncesSettings | None = None
    journal: JournalSettings | None = None
    dkim: DkimSettings | None = None
