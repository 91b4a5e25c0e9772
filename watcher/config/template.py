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
from watcher.config.sections.mail import MailSettings, SmtpSettings
from watcher.config.sections.other import ChangesSettings, LogSettings, TemplateSettings
from watcher.config.sections.people import RecipientSettings, WatchlistSettings
from watcher.config.sections.registry import DatabaseSettings, RegistrySettings
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
    ("templates", "What a reader sees can be changed.", TemplateSettings),
    ("web", "The pages that links in mails lead to.", WebSettings),
    ("acknowledge", "What becomes of critical changes that nobody acknowledges.", AcknowledgeSettings),
    ("log", "What the program says about its work, on standard error.", LogSettings),
)
_CHANGES = """\
# What a change weighs, and where a digest tells it, if you see that otherwise: by category, or by the path of a field,
# which is stronger.  "trialwatch severity" prints them all, with what is in force.
"""
_WATCHLISTS = """\
# Trials, and the people who hear about them; repeat [[watchlist]] for each list, and [[watchlist.recipients]] for
# each person.  Lists can also be kept in the database, by commands: "trialwatch watch --help".
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
        "mail.sender": author,
        "mail.domain": author.rpartition("@")[2],
        "mail.smtp.port": PORTS.get(wishes.smtp_security, 587),
    }
    given = {key: value for key, value in _asked(wishes).items() if value is not None}
    return "\n".join([_HEADER, *_sections(given, derived), _CHANGES + _changes(), _WATCHLISTS + _watchlist(wishes), ""])


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
    yield from _option("operator", Settings.model_fields["operator"], given=given, derived=derived)
    for section, purpose, model in _SECTIONS:
        shown_only = section == "mail.smtp" and "mail.smtp.host" not in given
        yield f"\n# {purpose}"
        yield f"#[{section}]" if shown_only else f"[{section}]"
        for name, field in model.model_fields.items():
            if name != "smtp":  # has a section of its own
                yield from _option(f"{section}.{name}", field, given=given, derived=derived)
    yield ""


def _changes() -> str:
    """Return the tables of changes, as an example: their keys are free."""
    tables = []
    for name, field in ChangesSettings.model_fields.items():
        lines = [f"#[changes.{name}]", f"# {field.description}", *(f"#{example}" for example in field.examples or ())]
        tables.append("\n".join([*lines, ""]))
    return "\n".join(tables)


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
    for key in ("name", "trials"):
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
        return str(value)
    # A string of JSON is one of TOML, but for the one control character that JSON leaves as it is.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
