"""How fast may the registry be asked, and how long to wait before asking again?

One limiter for all requests of a process, retries included.  Waiting goes through the ``wait`` that is passed in, so
that a service that is told to stop does not sleep on.
"""

from collections.abc import Callable
from datetime import timedelta
from threading import Lock

FIRST_BACKOFF = timedelta(seconds=2)
LONGEST_BACKOFF = timedelta(minutes=2)
LONGEST_RETRY_AFTER = timedelta(minutes=5)  # what asks for more is left for the next tick
LONGEST_SILENCE = timedelta(days=1)  # for which the registry is left alone at its own wish


class Limiter:
    """Let at most so many requests begin in a minute, evenly spaced after a burst of two."""

    def __init__(
        self, requests_per_minute: int, *, monotonic: Callable[[], float], wait: Callable[[timedelta], None]
    ) -> None:
        """Set the pace.

        Args:
            requests_per_minute: 0 = no limit.
            monotonic: seconds of a clock that only runs forward.
            wait: sleeps that long, or raises to stop.
        """
        self._spacing = 60 / requests_per_minute if requests_per_minute else 0.0  # seconds
        self._monotonic = monotonic
        self._wait = wait
        self._lock = Lock()
        self._next = float("-inf")

    def pass_one(self) -> None:
        """Return when the next request may begin."""
        with self._lock:
            now = self._monotonic()
            # One request may come early, so that "which release?" and the first batch are not held apart.
            begin = max(now, self._next - self._spacing)
            self._next = max(now, self._next) + self._spacing
        if begin > now:
            self._wait(timedelta(seconds=begin - now))


def backoff(failures: int, *, chance: float) -> timedelta:
    """Return how long to wait after that many failures in a row: doubling, with full jitter above one half.

    Args:
        failures: 1 after the first.
        chance: random, 0 to 1.
    """
    doubled = FIRST_BACKOFF * float(2 ** min(failures - 1, 16))
    return min(doubled, LONGEST_BACKOFF) * (0.5 + chance / 2)
