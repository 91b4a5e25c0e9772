"""When is a message tried again, and when is it given up?  Pure: no clock, no randomness."""

from datetime import datetime, timedelta

# After the first, second, … failed attempt; the last one repeats.
_DELAYS = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 120, 240))


def next_attempt(now: datetime, *, attempts: int, composed_at: datetime, give_up_after: timedelta) -> datetime | None:
    """Return when a message that was not taken may be tried again; None = give it up and tell somebody.

    Args:
        now: the moment of the failure.
        attempts: made so far, this one included; at least 1.
        composed_at: when the message was put into the outbox.
        give_up_after: how old a message may become.
    """
    later = now + _DELAYS[min(attempts, len(_DELAYS)) - 1]
    return later if later - composed_at <= give_up_after else None
