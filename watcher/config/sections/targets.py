"""Other places than mailboxes that hear of changes: chats and telephones through Apprise, programs by webhooks.

Does not check a URL against the other keys of its table: see ``config/target_rules.py``.
"""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from watcher.config.places import CertificateBundle, FilePath
from watcher.config.sections.base import Section
from watcher.config.values import Secret, normalise_address, quoted, within
from watcher.core.targets import TARGET, target_of

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?")

Kind = Literal["apprise", "webhook"]


def check_target_name(name: str) -> str:
    """Return the name of a target.

    Raises:
        ValueError: it is none.
    """
    if not _NAME.fullmatch(name):
        right = 'write at most 64 letters, digits and hyphens, as in "team-chat"'
        raise ValueError(f"{quoted(name)} is not the name of a target; {right}")
    return name


def normalise_reader(text: str) -> str:
    """Return who hears of something: a mail address, normalised, or ``target:NAME``.

    Whether the target is declared is not looked at here.

    Raises:
        ValueError: it is neither.
    """
    name = target_of(text.strip())
    return normalise_address(text) if name is None else TARGET + check_target_name(name)


Reader = Annotated[str, AfterValidator(normalise_reader)]


class TargetSettings(Section):
    name: Annotated[str, AfterValidator(check_target_name)] = Field(
        description='Name of the target: letters, digits, hyphens.  It hears what recipients named "target:NAME" hear.',
        examples=['name = "team-chat"'],
    )
    kind: Kind = Field(
        description="apprise (chats, push, SMS, by a URL of Apprise) or webhook (signed JSON, see docs/webhooks.md).",
        examples=['kind = "apprise"'],
    )
    url: Secret | None = Field(
        None,
        description="Where to.  It is a secret as a whole: only in a file with mode 600, and never shown.",
        examples=['url = "slack://TokenA/TokenB/TokenC/#trials"'],
    )
    url_file: FilePath | None = Field(
        None,
        description="File that holds the URL on one line instead.",
        examples=['url_file = "/run/secrets/team-chat-url"'],
    )
    secret: Secret | None = Field(
        None,
        description='What signs a webhook: "whsec_" and 24 to 64 random bytes in Base64; only in a file with mode 600.',
        examples=['secret = "whsec_…"'],
    )
    secret_file: FilePath | None = Field(
        None,
        description="File that holds the secret on one line instead.",
        examples=['secret_file = "/run/secrets/webhook-secret"'],
    )
    allow_private: bool = Field(
        False, description="Whether it may be this machine or one of its network, and at any port; true or false."
    )
    ca_bundle: CertificateBundle | None = Field(
        None,
        description="File of trusted certificates (PEM) for a webhook with one of its own; none means the usual ones.",
        examples=['ca_bundle = "house-ca.pem"'],
    )
    connect_timeout: Annotated[timedelta, within("1s", "2m")] = Field(
        timedelta(seconds=10), description="How long a webhook's receiver may take to let us connect."
    )
    timeout: Annotated[timedelta, within("1s", "10m")] = Field(
        timedelta(seconds=30), description="How long one message may take as a whole, however slowly the answer drips."
    )
