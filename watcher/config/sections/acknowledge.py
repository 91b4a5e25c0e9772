"""What becomes of critical changes that nobody acknowledges."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from watcher.config.sections.base import Section
from watcher.config.values import within


class AcknowledgeSettings(Section):
    remind: bool = Field(
        True, description="Whether readers are reminded of critical changes until somebody acknowledges them."
    )
    remind_every: Annotated[timedelta, within("1h", "30d")] = Field(
        timedelta(days=1),
        description="How long to wait after the telling, and between reminders; there is no last one.",
    )
