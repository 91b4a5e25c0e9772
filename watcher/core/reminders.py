"""Is it time to remind somebody of a critical change that nobody has taken note of?  Pure: no clock, no I/O.

Intervals are counted from the moment from which the story waits for that person: a service that was down for five of
them reminds once when it is back, and one that restarts does not remind again.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from watcher.core.windows import window_at
from watcher.model import Cadence, Schedule

# Who reads once a day was told at seven and a little.  Without some lead, the reminder would belong to the digest after
# next, and also on the day on which the clocks go forward.
_LEAD = 12  # parts of the interval of which one is the lead


class Timing(StrEnum):
    """Whether to remind, and why not."""

    DUE = "due"
    FIRST_INTERVAL = "first_interval"  # it has not waited for one interval yet
    REMINDED = "reminded"  # in this interval already
    WAITING = "waiting"  # a reminder waits for the person's next digest


def timing(
    waits_since: datetime,
    *,
    every: timedelta,
    schedule: Schedule | None,
    reminded_at: datetime | None,
    untold: bool,
    now: datetime,
) -> Timing:
    """Return whether a person is to be reminded now.

    Args:
        waits_since: when this person was told, or asked to look after it.
        every: the interval; more than zero.
        schedule: the person's; None = they have none for this trial, and hear at once.
        reminded_at: the last reminder, not later than ``now``; None = there was none.
        untold: a reminder is written down and waits for the person's digest.
        now: timezone-aware.

    Raises:
        ValueError: an interval that is not positive.
    """
    if every <= timedelta(0):
        raise ValueError("an interval between reminders must be more than zero")
    if untold:
        return Timing.WAITING
    if waits_since > now:  # a clock was ahead; that must not silence the reminders until it is so late again
        return Timing.DUE if reminded_at is None or now - reminded_at >= every else Timing.REMINDED
    begun = _intervals(waits_since, every, schedule, now)
    if begun < 1:
        return Timing.FIRST_INTERVAL
    if reminded_at is not None and _intervals(waits_since, every, schedule, reminded_at) >= begun:
        return Timing.REMINDED
    return Timing.DUE


def told_before(*, every: timedelta, now: datetime) -> datetime:
    """Return before when somebody must have been told of what they can be reminded of now, whoever they are."""
    return now - every + every / _LEAD


def window_of_reminder(
    waits_since: datetime, *, every: timedelta, schedule: Schedule | None, now: datetime
) -> tuple[datetime, datetime]:
    """Return the digest window that a reminder that is due belongs to: the one in which it became so.

    After an outage that one has closed, so that it is told at once.  Takes what ``timing`` takes.
    """
    if schedule is None:
        return now, now
    lead = _lead(every, schedule)
    became_due = waits_since - lead + every * _intervals(waits_since, every, schedule, now)
    return window_at(schedule, min(max(became_due, waits_since), now))


def _intervals(waits_since: datetime, every: timedelta, schedule: Schedule | None, moment: datetime) -> int:
    return (moment + _lead(every, schedule) - waits_since) // every


def _lead(every: timedelta, schedule: Schedule | None) -> timedelta:
    return timedelta(0) if schedule is None or schedule.cadence is Cadence.IMMEDIATE else every / _LEAD
