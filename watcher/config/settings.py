"""The settings: every option with its unit, default and reason, and how they are loaded.

``load_settings`` builds them once and reports every error at once; after that they do not change.  The descriptions
below are also the comments of the file that ``trialwatch init`` writes, so they are written for operators.

Does not judge single values (``values``, ``places``) or values against each other (``rules``),
does not read the process's environment, and makes nothing: no folder, no connection, no log.

Keys in problems count from 0: ``watchlist[0]`` is the first list of the file.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from watcher.config.changes import Places, Severities
from watcher.config.places import BaseUrl, CertificateBundle, DatabaseUrl, FilePath, Folder, FolderToBe, Host, ProxyUrl
from watcher.config.problems import known_keys, sentences, value_problems
from watcher.config.rules import rule_problems, with_derived_defaults
from watcher.config.sources import (
    apply_environment,
    exposed_secrets,
    read_secret_files,
    read_settings_file,
)
from watcher.config.values import (
    LONGEST_LIST_NAME,
    Address,
    HeaderText,
    Line,
    NctId,
    Secret,
    TimeZone,
    normalise_address,
    within,
)
from watcher.errors import SettingsError
from watcher.model import Cadence, Recipient, Rules, Schedule, Watchlist
from watcher.tables.overrides import with_overrides

__all__ = ["Settings", "load_settings", "normalise_address"]

Security = Literal["starttls", "tls", "none"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

_DEFAULT_BASE_URL = "https://clinicaltrials.gov/api/v2"
_DEFAULT_USER_AGENT = "trialwatch/{version} (+mailto:{operator})"  # both are filled in, also in one of your own


class _Section(BaseModel):
    # Strict: "40" is not 40.  The input stays out of pydantic's own messages, for it may be a secret.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class RegistrySettings(_Section):
    base_url: BaseUrl = Field(
        _DEFAULT_BASE_URL, description="Where the registry's API answers; https, or this machine."
    )
    check_every: Annotated[timedelta, within("1s", "7d")] = Field(
        timedelta(minutes=30), description="How often to ask for a new release; one appears each working day at most."
    )
    user_agent: HeaderText = Field(
        _DEFAULT_USER_AGENT,
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


class DatabaseSettings(_Section):
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


class SmtpSettings(_Section):
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


class MailSettings(_Section):
    sender: Address = Field("", description="From address; the operator's unless given.  Needed with [mail.smtp].")
    sender_name: Line = Field("trialwatch", description="Name that mail programs show beside the sender's address.")
    reply_to: Address | None = Field(
        None,
        description="Where answers go, if not to the sender; none by default.",
        examples=['reply_to = "trials-team@example.org"'],
    )
    domain: Host = Field("", description="Domain in Message-IDs, kept when servers move; the sender's unless given.")
    directory: FolderToBe = Field(
        Path("state/mail"),
        validate_default=True,
        description="Folder for mails as .eml files; used as long as there is no [mail.smtp], to try things out.",
    )
    deliver_every: Annotated[timedelta, within("1s", "1h")] = Field(
        timedelta(minutes=1), description="How often to look for mail that is due; looking costs next to nothing."
    )
    give_up_after: Annotated[timedelta, within("1h", "30d")] = Field(
        timedelta(hours=72), description="How long to retry a mail before the operator is told; old alerts mislead."
    )
    smtp: SmtpSettings | None = None


class TemplateSettings(_Section):
    directory: Folder | None = Field(
        None,
        description="Folder with templates of your own, each replacing the built-in one of its name; none by default.",
        examples=['directory = "templates"'],
    )


class ChangesSettings(_Section):
    severity: Severities = Field(
        {},
        description="critical, major, minor, or noise, which is recorded and not told.",
        examples=['sites = "major"', '"protocolSection.eligibilityModule.eligibilityCriteria" = "critical"'],
    )
    place: Places = Field(
        {},
        description='line, clause (of the "Also:" line), footer or hidden; the last two are not told.',
        examples=['"data sharing" = "hidden"'],
    )

    def over(self, rules: Rules) -> Rules:
        """Return rules with these settings put over them."""
        return with_overrides(rules, severity=self.severity, place=self.place)


class LogSettings(_Section):
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error: the least that is logged.  info is a few lines a check."
    )
    format: Literal["text", "json"] = Field("text", description="text for people, json (one object a line) for tools.")


class RecipientSettings(_Section):
    address: Address = Field(description="Who hears of it.", examples=['address = "reader@example.org"'])
    cadence: Annotated[Cadence, Field(strict=False)] = Field(
        Cadence.DAILY,
        description="immediate, daily or weekly.  daily is one mail a day, and none when nothing changed.",
    )
    time_zone: TimeZone = Field("UTC", description="IANA name of the zone of hour and weekday, as in Europe/Berlin.")
    hour: int = Field(
        7, ge=0, le=23, description="Hour of the day, 0 to 23, at which daily and weekly mail is written."
    )
    weekday: Weekday = Field("monday", description="Day on which weekly mail is written.")

    def recipient(self) -> Recipient:
        weekday = get_args(Weekday).index(self.weekday)
        schedule = Schedule(cadence=self.cadence, time_zone=self.time_zone, hour=self.hour, weekday=weekday)
        return Recipient(address=self.address, schedule=schedule)


class WatchlistSettings(_Section):
    name: Line = Field(
        description="Name of the list, which mails and commands show.",
        examples=['name = "Our trials"'],
        max_length=LONGEST_LIST_NAME,
    )
    trials: Annotated[tuple[NctId, ...], Field(strict=False)] = Field(
        (), description="NCT IDs; more can be added by command.", examples=['trials = ["NCT01234567"]']
    )
    recipients: Annotated[tuple[RecipientSettings, ...], Field(strict=False)] = Field(
        min_length=1,
        description="One table for each person.",
        examples=['[[watchlist.recipients]] and, on the next line, address = "reader@example.org"'],
    )


class Settings(_Section):
    """All settings, complete and valid."""

    operator: Address = Field(
        description="Mail address of who runs this: named to the registry, and told when something is wrong.",
        examples=['operator = "operations@example.org"'],
    )
    registry: RegistrySettings = Field(default_factory=RegistrySettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    mail: MailSettings = Field(default_factory=MailSettings)
    templates: TemplateSettings = Field(default_factory=TemplateSettings)
    changes: ChangesSettings = Field(default_factory=ChangesSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    watchlist: Annotated[tuple[WatchlistSettings, ...], Field(strict=False)] = ()

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, tree: Any) -> Any:
        return with_derived_defaults(tree, user_agent=_DEFAULT_USER_AGENT) if isinstance(tree, dict) else tree

    def watchlists(self) -> tuple[Watchlist, ...]:
        """Return the watch lists of the file, as the rest of the program knows them."""
        return tuple(
            Watchlist(
                name=listed.name,
                trials=listed.trials,
                recipients=tuple(recipient.recipient() for recipient in listed.recipients),
            )
            for listed in self.watchlist
        )


def load_settings(path: Path, *, environ: Mapping[str, str]) -> Settings:
    """Read, complete and check the settings.

    Args:
        path: the TOML file; relative paths in it begin at its folder.
        environ: the process's environment.  ``TRIALWATCH_MAIL__SMTP__PORT`` overrides ``mail.smtp.port``, and so on.

    Raises:
        SettingsError: with every problem that there is, unless the file could not be read at all.
    """
    tree = read_settings_file(path)
    folder = path.absolute().parent
    problems = exposed_secrets(path, tree)
    set_by, unknown = apply_environment(tree, environ, known=dict(known_keys(Settings)))
    read_from, unread = read_secret_files(tree, folder)
    problems += [*unknown, *unread]
    settings = None
    try:
        settings = Settings.model_validate(tree, context={"folder": folder})
    except ValidationError as error:
        problems += value_problems(error, Settings)
    problems += rule_problems(tree, default_base_url=_DEFAULT_BASE_URL)
    if settings is None or problems:  # raised here and not above, so that no value is in the chain of causes
        raise SettingsError(sentences(problems, {**set_by, **read_from}))
    return settings
