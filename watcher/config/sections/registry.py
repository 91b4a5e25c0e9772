"""How the registry is asked, and where everything is remembered."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, SecretStr

from watcher.config.places import BaseUrl, CertificateBundle, DatabaseUrl, FilePath, ProxyUrl
from watcher.config.sections.base import Section
from watcher.config.values import HeaderText, within

DEFAULT_BASE_URL = "https://clinicaltrials.gov/api/v2"
DEFAULT_USER_AGENT = "trialwatch/{version} (+mailto:{operator})"  # both are filled in, also in one of your own


class RegistrySettings(Section):
    base_url: BaseUrl = Field(DEFAULT_BASE_URL, description="Where the registry's API answers; https, or this machine.")
    check_every: Annotated[timedelta, within("1s", "7d")] = Field(
        timedelta(minutes=30), description="How often to ask for a new release; one appears each working day at most."
    )
    user_agent: HeaderText = Field(
        DEFAULT_USER_AGENT,
        description="How requests name themselves; the registry blocks some clients, so say who can be asked.",
    )
    proxy: ProxyUrl | None = Field(
        None,
        description="Proxy to the registry; none unless named here: *_proxy variables are ignored, to be predictable.",
        examples=['proxy = "http://proxy.example.org:3128"'],
    )
    ca_bundle: CertificateBundle | None = Field(
        None,
        description="File of trusted certificates (PEM) if a proxy opens TLS; none means the usual public ones.",
        examples=['ca_bundle = "ca.pem"'],
    )
    requests_per_minute: int = Field(
        40, ge=0, le=6000, description="Most requests a minute; others report a limit near 50.  0 means no limiter."
    )
    connections: int = Field(2, ge=1, le=2, description="Connections at the same time; more would be impolite.")
    batch_size: int = Field(
        400, ge=1, le=400, description="Trials asked for in one request; more make an address that may be too long."
    )
    connect_timeout: Annotated[timedelta, within("1s", "5m")] = Field(
        timedelta(seconds=10), description="How long to wait for a connection."
    )
    read_timeout: Annotated[timedelta, within("1s", "10m")] = Field(
        timedelta(seconds=60), description="How long to wait for the next bytes of an answer."
    )
    transfer_deadline: Annotated[timedelta, within("1s", "1h")] = Field(
        timedelta(minutes=5), description="How long one answer may take as a whole, however slowly it drips."
    )
    attempts: int = Field(
        5, ge=1, le=20, description="Tries of one request before it waits for the next check; they grow further apart."
    )


class DatabaseSettings(Section):
    url: DatabaseUrl = Field(
        SecretStr("sqlite:///state/trialwatch.sqlite3"),
        validate_default=True,
        description="sqlite:///FILE for one machine, or postgresql+psycopg://USER@HOST/NAME to share the work.",
    )
    url_file: FilePath | None = Field(
        None,
        description="File that holds the URL instead, when there is a password in it; none by default.",
        examples=['url_file = "/run/secrets/database-url"'],
    )
