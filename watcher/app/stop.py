"""The signal that ends the service, and wakes up whatever waits."""

import threading
from datetime import timedelta

from watcher.errors import TrialwatchError


class Stopped(TrialwatchError):
    """The service is ending; what was under way is left as recorded."""


class StopSignal:
    """Set once, from any thread or signal; everything that waits wakes up."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, duration: timedelta) -> None:
        """Sleep, unless the service ends.

        Raises:
            Stopped: it does.
        """
        if self._event.wait(duration.total_seconds()):
            raise Stopped("the service is ending")
