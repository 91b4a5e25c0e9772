"""The settings: every option with its unit, default and reason, and how they are loaded.

``load_settings`` builds them once and reports every error at once; after that they do not change.  The descriptions
in ``sections`` are also the comments of the file that ``trialwatch init`` writes, so they are written for operators.

Does not judge single values (``values``, ``places``) or values against each other (``rules``),
does not read the process's environment, and makes nothing: no folder, no connection, no log.

Keys in problems count from 0: ``watchlist[0]`` is the first list of the file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from watcher.config.problems import known_keys, sentences, value_problems
from watcher.config.rules import rule_problems, with_derived_defaults
from watcher.config.sections.acknowledge import AcknowledgeSettings
from watcher.config.sections.base import Section
from watcher.config.sections.mail import MailSettings
from watcher.config.sections.other import ChangesSettings, LogSettings, TemplateSettings
from watcher.config.sections.people import WatchlistSettings
from watcher.config.sections.registry import DEFAULT_BASE_URL, DEFAULT_USER_AGENT, DatabaseSettings, RegistrySettings
from watcher.config.sections.web import WebSettings
from watcher.config.sources import (
    apply_environment,
    exposed_secrets,
    read_secret_files,
    read_settings_file,
)
from watcher.config.values import Address, normalise_address
from watcher.errors import SettingsError
from watcher.model import Watchlist

__all__ = ["Settings", "load_settings", "normalise_address"]


class Settings(Section):
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
    web: WebSettings = Field(default_factory=WebSettings)
    acknowledge: AcknowledgeSettings = Field(default_factory=AcknowledgeSettings)
    watchlist: Annotated[tuple[WatchlistSettings, ...], Field(strict=False)] = ()

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, tree: Any) -> Any:
        return with_derived_defaults(tree, user_agent=DEFAULT_USER_AGENT) if isinstance(tree, dict) else tree

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
    problems += rule_problems(tree, default_base_url=DEFAULT_BASE_URL)
    if settings is None or problems:  # raised here and not above, so that no value is in the chain of causes
        raise SettingsError(sentences(problems, {**set_by, **read_from}))
    return settings
