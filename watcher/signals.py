"""What signals ask of this process: to end (SIGTERM, SIGINT), or to read its settings again (SIGHUP).

Only remembers it, and wakes whoever waits for it.  Imports nothing heavy, so that a signal is heard from the start on.
"""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TypeVar

Result = TypeVar("Result")


class Asked:
    """What signals have asked for since ``listen``."""

    def __init__(self) -> None:
        self.to_end = False
        self.to_reload = False
        # Not an Event: that may not be set within a signal that comes while the same thread waits for it.
        self._wakings: SimpleQueue[None] = SimpleQueue()

    def listen(self) -> None:
        """Take the signals from now on, in the main thread."""

        def on_end(_number: int, _frame: FrameType | None) -> None:
            self.to_end = True
            self.wake()

        def on_reload(_number: int, _frame: FrameType | None) -> None:
            self.to_reload = True
            self.wake()

        signal.signal(signal.SIGTERM, on_end)
        signal.signal(signal.SIGINT, on_end)
        signal.signal(signal.SIGHUP, on_reload)
        # Whoever started us may have held them back, so that they do not end a process that is not ready for them.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})

    def wake(self) -> None:
        """End a ``wait``, from any thread."""
        self._wakings.put(None)

    def wait(self, at_most: timedelta | None = None) -> None:
        """Return when a signal came, somebody called ``wake``, or the time is over."""
        with suppress(Empty):
            self._wakings.get(timeout=None if at_most is None else at_most.total_seconds())

    def unless_to_end(self, work: Callable[[], Result]) -> Result | None:
        """Return what a work returns, or None as soon as a signal has asked to end.

        The work has a thread of its own: one that waits for the database's lock does not hear signals.  With None, that
        thread is left where it stands, and the caller ends the process.
        """
        if self.to_end:
            return None
        thread = ThreadPoolExecutor(1, thread_name_prefix="begin")
        begun = thread.submit(work)
        begun.add_done_callback(lambda _: self.wake())
        while not begun.done() and not self.to_end:
            self.wait()
        thread.shutdown(wait=False)
        return begun.result() if begun.done() else None
