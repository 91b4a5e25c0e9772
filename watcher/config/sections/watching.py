"""How readers and the operator learn that the watching itself works, or does not."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from watcher.config.sections.base import Section
from watcher.config.values import within
from watcher.core.proof import Limits


class WatchingSettings(Section):
    all_clear: bool = Field(
        True,
        description="Whether who had no digest of changes in a week gets a short mail that says so; see [[recipient]].",
    )
    unverified_after: Annotated[timedelta, within("1h", "30d")] = Field(
        timedelta(hours=24), description="How long a trial may stay unverified before its readers are told."
    )
    unverified_releases: int = Field(
        3, ge=1, le=100, description="The same in releases of the registry in a row; what comes first counts."
    )
    remind_every: Annotated[timedelta, within("1d", "90d")] = Field(
        timedelta(days=7), description="How often they are told again while it lasts."
    )
    stale_after: int = Field(
        3, ge=0, le=30, description="Working days without new registry data until you are told; 0 means never."
    )

    def limits(self) -> Limits:
        return Limits(after=self.unverified_after, releases=self.unverified_releases, remind_every=self.remind_every)
