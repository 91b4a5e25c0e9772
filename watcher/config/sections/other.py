"""Templates, what changes weigh, and what is logged."""

from typing import Literal

from pydantic import Field

from watcher.config.changes import Places, Severities
from watcher.config.places import Folder
from watcher.config.sections.base import Section
from watcher.model import Rules
from watcher.tables.overrides import with_overrides


class TemplateSettings(Section):
    directory: Folder | None = Field(
        None,
        description="Folder with templates of your own, each replacing the built-in one of its name; none by default.",
        examples=['directory = "templates"'],
    )


class ChangesSettings(Section):
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


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error: the least that is logged.  info is a few lines a check."
    )
    format: Literal["text", "json"] = Field("text", description="text for people, json (one object a line) for tools.")
