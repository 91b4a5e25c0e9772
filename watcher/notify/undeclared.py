"""The channel of messages whose target the settings do not declare any more: it takes nothing, and says so.

They wait until the target is declared again, or until they are too old; does not guess another way.
"""

from contextlib import AbstractContextManager

from watcher.errors import ChannelRefused
from watcher.model import Phase
from watcher.notify.channel import Session


class UndeclaredChannel:
    """Stands where a channel is missing."""

    def __init__(self, name: str) -> None:
        self.name = name

    def session(self) -> AbstractContextManager[Session]:
        """Raise ``ChannelRefused``."""
        raise ChannelRefused(Phase.CONNECT, f"the settings declare no [[target]] that is {self.name}; declare it again")
