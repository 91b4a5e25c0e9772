"""When is a message tried again, and when is it given up?  Pure: no clock, no randomness."""

from datetime import datetime, timedelta

# After the first, second, … failed attempt; the last one repeats.
_DELAYS = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 120, 240))
_JITTER = 0.1  # of a delay, at most: messages that were deferred together should not all come back together
LONGEST_HINT = timedelta(hours=6)  # what a receiver may ask us to wait


def next_attempt(
    now: datetime,
    *,
    attempts: int,
    composed_at: datetime,
    give_up_after: timedelta,
    chance: float = 0.0,
    hint: timedelta | None = None,
) -> datetime | None:
    """Return when a message that was not taken may be tried again; None = give it up and tell somebody.

    Args:
        now: the moment of the failure.
        attempts: made so far, this one included; at least 1.
        composed_at: when the message was put into the outbox.
        give_up_after: how old a message may become.
        chance: 0 to 1, another one each time.
        hint: how long the receiver asked us to wait, if it did; it can make the wait longer, not shorter.
    """
    later = now + wait_after(attempts, chance=chance)
    if later - composed_at > give_up_after:
        return None
    return max(later, now + min(hint, LONGEST_HINT)) if hint else later


def wait_after(failures: int, *, chance: float = 0.0) -> timedelta:
    """Return how long to wait after so many failures in a row; at least 1."""
    return _DELAYS[min(failures, len(_DELAYS)) - 1] * (1 + _JITTER * chance)
