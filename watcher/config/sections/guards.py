"""What is looked at by somebody before readers hear of it."""

from pydantic import Field

from watcher.config.sections.base import Section
from watcher.core.guards import Thresholds


class GuardsSettings(Section):
    hold_share: int = Field(
        20,
        ge=0,
        le=100,
        description="Percent of the watches; if more change in one release, digests wait for you.  0 means never.",
    )
    hold_least: int = Field(
        25, ge=1, description="Watches that must have changed at least for that; few trials change together easily."
    )
    hold_new_api_version: bool = Field(
        True, description="Whether what changes with another version of the registry's API waits for you, too."
    )

    def thresholds(self) -> Thresholds:
        return Thresholds(share=self.hold_share, least=self.hold_least, new_api_version=self.hold_new_api_version)
