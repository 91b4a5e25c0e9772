"""Writes the settings file that ``trialwatch init`` leaves: every option, its reason, and what was asked for.

The options, defaults and reasons are read from the models in ``config``, so that the file cannot fall behind them.

Does not ask questions, check answers or touch the disk: whoever calls it writes the text, with mode 600, and loads it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from watcher.config.rules import PORTS
from watcher.config.sections.acknowledge import AcknowledgeSettings
from watcher.config.sections.guards import GuardsSettings
from watcher.config.sections.imap import BouncesSettings, ImapSettings
from watcher.config.sections.mail import DkimSettings, JournalSettings, MailSettings, OAuth2Settings, SmtpSettings
from watcher.config.sections.other import ChangesSettings, LogSettings, TemplateSettings
from watcher.config.sections.people import PersonSettings, RecipientSettings, RouteSettings, WatchlistSettings
from watcher.config.sections.registry import DatabaseSettings, RegistrySettings
from watcher.config.sections.targets import TargetSettings
from watcher.config.sections.watching import WatchingSettings
from watcher.config.sections.web import WebSettings
from watcher.config.settings import Settings
from watcher.config.values import format_duration
from watcher.model import Cadence

Values = Mapping[str, object]  # by dotted key

_HEADER = """\
# The settings of trialwatch.
#
# "#" directly before a key: an option that is not set, with its default, or with an example where it has none.
# Take the "#" away to change it.  "trialwatch config check" names everything that is wrong, with its key.
#
# A duration is a whole number and s, m, h or d.  A relative path begins at the folder of this file.
# A variable of the environment is stronger than this file: TRIALWATCH_MAIL__SMTP__PORT sets port of [mail.smtp].
"""

_SECTIONS: tuple[tuple[str, str, type[BaseModel]], ...] = (
    ("registry", "How the registry is asked, and how politely.", RegistrySettings),
    ("database", "Where everything is remembered.", DatabaseSettings),
    ("mail", "What mail looks like, and when it is sent.", MailSettings),
    ("mail.smtp", "The mail server.  Without this section, mails are written to files.", SmtpSettings),
    ("mail.smtp.oauth2", "A login by OAuth 2.0, in place of a password, as Microsoft 365 wants it.", OAuth2Settings),
    ("mail.journal", "A mailbox that knows which mails were taken, so that none is sent twice.", JournalSettings),
    ("mail.journal.imap", "How that mailbox is asked.", ImapSettings),
    ("mail.bounces", "Mail that comes back.  Without this section, nobody reads why.", BouncesSettings),
    ("mail.bounces.imap", "The mailbox that it comes back to.", ImapSettings),
    ("mail.dkim", "Signing mail.  Without this section, the mail server signs, or nobody does.", DkimSettings),
    ("templates", "What a reader sees can be changed.", TemplateSettings),
    ("web", "The pages that links in mails lead to.", WebSettings),
    ("watching", "How you and your readers learn that the watching works, or does not.", WatchingSettings),
    ("guards", "What waits for a look of yours before readers hear of it.", GuardsSettings),
    ("acknowledge", "What becomes of critical changes that nobody acknowledges.", AcknowledgeSettings),
    ("log", "What the program says about its work, on standard error.", LogSettings),
)
_OPTIONAL = (
    "mail.smtp",
    "mail.journal",
    "mail.bounces",
    "mail.dkim",
)  # shown; in force only when something in them is wished
_OWN_SECTIONS = frozenset(section for section, _, _ in _SECTIONS)
_CHANGES = """\
# What a change weighs, and where a digest tells it, if you see that otherwise: by category, or by the path of a field,
# which is stronger.  "trialwatch severity" prints them all, with what is in force.
"""
_WATCHLISTS = """\
# Trials, and the people who hear about them; repeat [[watchlist]] for each list, and [[watchlist.recipients]] for
# each person.  Lists can also be kept in the database, by commands: "trialwatch watch --help".
"""
_PEOPLE = """\
# How one person wants mail, by whatever list or route it comes; repeat it for each person.
"""
_ROUTES = """\
# Who hears only of some trials or changes; repeat it for each route.  Each person hears of a change once, by the most
# urgent schedule.  "trialwatch config explain NCT01234567" shows who would hear what.
"""
_TARGETS = """\
# Chats, telephones and programs that hear of changes as well: name them among the recipients, as "target:NAME".
"""
_LONGEST_ROW = 5  # trials on one line


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is to be set; all else is shown with its default."""

    operator: str  # mail address of who runs the service
    trials: Sequence[str] = ()  # NCT IDs of the first watch list; without any, the list is shown as an example
    recipients: Sequence[str] = ()  # addresses of the first watch list; the same
    time_zone: str = "UTC"  # of all recipients, an IANA name
    cadence: Cadence | str = Cadence.DAILY  # of all recipients
    watchlist_name: str = "Our trials"
    sender: str | None = None  # address that mail comes from; None = the operator's
    smtp_host: str | None = None  # None = mails become files, and the other smtp_ wishes are not looked at
    smtp_port: int | None = None  # None = the usual one for the security
    smtp_security: str = "starttls"  # or "tls", or "none"
    smtp_username: str | None = None  # None = the server wants no login
    smtp_password_file: str | None = None  # path of the file with the password, which itself is never written
    base_url: str | None = None  # of the registry's API; None = the public one
    database_url: str | None = None  # None = SQLite beside the file


def render_settings(wishes: Wishes) -> str:
    """Return the text of a settings file in which what is wished is set and all else is shown."""
    author = wishes.sender or wishes.operator
    derived = {
        "catch_all": wishes.operator,
        "mail.sender": author,
        "mail.domain": author.rpartition("@")[2],
        "mail.dkim.domain": author.rpartition("@")[2],
        "mail.smtp.port": PORTS.get(wishes.smtp_security, 587),
    }
    given = {key: value for key, value in _asked(wishes).items() if value is not None}
    parts = [
        _CHANGES + _changes(),
        _TARGETS + _targets(),
        _WATCHLISTS + _watchlist(wishes),
        "",
        _PEOPLE + _example("recipient", PersonSettings),
    ]
    return "\n".join([_HEADER, *_sections(given, derived), *parts, "", _ROUTES + _example("route", RouteSettings), ""])


def _asked(wishes: Wishes) -> Values:
    """Return the wishes by the keys that they set, but for the watch list."""
    asked = {
        "operator": wishes.operator,
        "registry.base_url": wishes.base_url,
        "database.url": wishes.database_url,
        "mail.sender": wishes.sender or None,
    }
    if not wishes.smtp_host:
        return asked
    return {
        **asked,
        "mail.sender": wishes.sender or wishes.operator,
        "mail.smtp.host": wishes.smtp_host,
        "mail.smtp.port": wishes.smtp_port,
        "mail.smtp.security": wishes.smtp_security,
        "mail.smtp.username": wishes.smtp_username,
        "mail.smtp.password_file": wishes.smtp_password_file,
    }


def _sections(given: Values, derived: Values) -> Iterator[str]:
    for name in ("operator", "operator_target", "catch_all"):
        yield from _option(name, Settings.model_fields[name], given=given, derived=derived)
    for section, purpose, model in _SECTIONS:
        shown_only = section.startswith(_OPTIONAL) and f"{section}.host" not in given
        yield f"\n# {purpose}"
        yield f"#[{section}]" if shown_only else f"[{section}]"
        for name, field in model.model_fields.items():
            if f"{section}.{name}" not in _OWN_SECTIONS:
                yield from _option(f"{section}.{name}", field, given=given, derived=derived)
    yield ""


def _changes() -> str:
    """Return the tables of changes, as an example: their keys are free."""
    tables = []
    for name, field in ChangesSettings.model_fields.items():
        lines = [f"#[changes.{name}]", f"# {field.description}", *(f"#{example}" for example in field.examples or ())]
        tables.append("\n".join([*lines, ""]))
    return "\n".join(tables)


def _targets() -> str:
    """Return the table of a target, as an example: it has a secret, and is not needed."""
    lines = ["[[target]]"]
    for name, field in TargetSettings.model_fields.items():
        lines += _option(f"target.{name}", field, given={}, derived={})
    return "\n".join([*(line if line.startswith("#") else f"#{line}" for line in lines), ""])


def _option(key: str, field: FieldInfo, *, given: Values, derived: Values) -> Iterator[str]:
    name = key.rpartition(".")[2]
    yield f"# {field.description}"
    if key in given:
        yield f"{name} = {_toml(given[key])}"
    elif key in derived:
        yield f"#{name} = {_toml(derived[key])}"
    elif field.examples:
        yield f"#{field.examples[0]}"
    else:
        yield f"#{name} = {_toml(field.default)}"


def _watchlist(wishes: Wishes) -> str:
    """Return the tables of the first watch list, as an example only when trials or people are lacking."""
    trials = list(wishes.trials) or ["NCT01234567"]
    given: dict[str, object] = {"watchlist.name": wishes.watchlist_name, "watchlist.trials": trials}
    times = {"cadence": wishes.cadence, "time_zone": wishes.time_zone}
    people = [{"address": address, **times} for address in wishes.recipients]
    lines = ["[[watchlist]]"]
    for key in ("name", "trials", "tags"):
        lines += _option(f"watchlist.{key}", WatchlistSettings.model_fields[key], given=given, derived={})
    for index, person in enumerate(people or [{"address": "reader@example.org"}]):
        lines += ["", "[[watchlist.recipients]]"]
        for key, field in RecipientSettings.model_fields.items():
            option = list(_option(key, field, given=person, derived={}))
            lines += option if index == 0 else option[1:]  # the reasons are told for the first person
    text = "\n".join(lines)
    if wishes.trials and people:
        return text
    return "\n".join(line if line.startswith("#") or not line else f"#{line}" for line in text.split("\n"))


def _example(table: str, model: type[BaseModel]) -> str:
    """Return a table that may be repeated, as an example only."""
    lines = [f"#[[{table}]]"]
    for name, field in model.model_fields.items():
        lines += _option(f"{table}.{name}", field, given={}, derived={})
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, list):
        entries = [_toml(entry) for entry in value]
        row = f"[{', '.join(entries)}]"
        return row if len(entries) <= _LONGEST_ROW else "\n".join(["[", *(f"    {entry}," for entry in entries), "]"])
    if isinstance(value, timedelta):
        value = format_duration(value)
    elif isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value).lower()  # of true and false, too
    # A string of JSON is one of TOML, but for the one control character that JSON leaves as it is.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
