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

from pydantic import AfterValidator, Field, ValidationError, model_validator

from watcher.config.audience import audience_problems
from watcher.config.problems import known_keys, sentences, value_problems
from watcher.config.rules import rule_problems, with_derived_defaults
from watcher.config.sections.acknowledge import AcknowledgeSettings
from watcher.config.sections.base import Section
from watcher.config.sections.guards import GuardsSettings
from watcher.config.sections.mail import MailSettings
from watcher.config.sections.other import ChangesSettings, LogSettings, TemplateSettings
from watcher.config.sections.people import People, PersonSettings, RouteSettings, WatchlistSettings
from watcher.config.sections.registry import DEFAULT_BASE_URL, DEFAULT_USER_AGENT, DatabaseSettings, RegistrySettings
from watcher.config.sections.targets import TargetSettings, check_target_name
from watcher.config.sections.watching import WatchingSettings
from watcher.config.sections.web import WebSettings
from watcher.config.sources import (
    apply_environment,
    exposed_secrets,
    read_secret_files,
    read_settings_file,
)
from watcher.config.target_rules import exposed_target_secrets, read_target_secrets, target_problems
from watcher.config.values import Address, normalise_address
from watcher.errors import SettingsError
from watcher.model import Cadence, Recipient, Route, Watchlist

__all__ = ["Settings", "load_settings", "normalise_address"]


class Settings(Section):
    """All settings, complete and valid."""

    operator: Address = Field(
        description="Mail address of who runs this: named to the registry, and told when something is wrong.",
        examples=['operator = "operations@example.org"'],
    )
    catch_all: Address = Field(
        "", description="Who hears, once a day, of changes that no list and no route takes; the operator unless given."
    )
    operator_target: Annotated[str, AfterValidator(check_target_name)] | None = Field(
        None,
        description="Name of a [[target]] that also hears what is wrong, also when mail itself fails; none by default.",
        examples=['operator_target = "team-chat"'],
    )
    registry: RegistrySettings = Field(default_factory=RegistrySettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    mail: MailSettings = Field(default_factory=MailSettings)
    templates: TemplateSettings = Field(default_factory=TemplateSettings)
    changes: ChangesSettings = Field(default_factory=ChangesSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    watching: WatchingSettings = Field(default_factory=WatchingSettings)
    guards: GuardsSettings = Field(default_factory=GuardsSettings)
    target: Annotated[tuple[TargetSettings, ...], Field(strict=False)] = ()
    acknowledge: AcknowledgeSettings = Field(default_factory=AcknowledgeSettings)
    watchlist: Annotated[tuple[WatchlistSettings, ...], Field(strict=False)] = ()
    recipient: Annotated[tuple[PersonSettings, ...], Field(strict=False)] = ()
    route: Annotated[tuple[RouteSettings, ...], Field(strict=False)] = ()

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
                recipients=tuple(recipient.recipient(self.people()) for recipient in listed.recipients),
                tags=listed.tags,
            )
            for listed in self.watchlist
        )

    def routes(self) -> tuple[Route, ...]:
        """Return the routes of the file, one for each of their people."""
        return tuple(route for each in self.route for route in each.routes(self.people()))

    def last_reader(self) -> Recipient:
        """Return who hears of what no route takes."""
        schedule = self.people().schedule(self.catch_all, cadence=Cadence.DAILY)
        return Recipient(address=self.catch_all, schedule=schedule)

    def people(self) -> People:
        """Return how people want their mail."""
        known = {person.address.casefold(): person for person in self.recipient}
        return People(known, merged_for=self.mail.merge_for)


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
    problems = [*exposed_secrets(path, tree), *exposed_target_secrets(path, tree)]
    set_by, unknown = apply_environment(tree, environ, known=dict(known_keys(Settings)))
    read_from, unread = read_secret_files(tree, folder)
    target_secrets, unread_secrets = read_target_secrets(tree, folder)
    problems += [*unknown, *unread, *unread_secrets]
    settings = None
    try:
        settings = Settings.model_validate(tree, context={"folder": folder})
    except ValidationError as error:
        problems += value_problems(error, Settings)
    problems += rule_problems(tree, default_base_url=DEFAULT_BASE_URL)
    problems += audience_problems(tree)
    problems += target_problems(tree)
    if settings is None or problems:  # raised here and not above, so that no value is in the chain of causes
        raise SettingsError(sentences(problems, {**set_by, **read_from, **target_secrets}))
    return settings
