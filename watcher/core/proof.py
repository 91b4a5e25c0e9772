"""When must readers hear that something is not watched as it should be, or that all is well?  Pure: no clock, no store.

Silence must not look like peace: a trial that cannot be verified is told, and so is a week in which nothing happened.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from watcher.core.windows import window_at
from watcher.core.working_days import working_days_between
from watcher.model import Cadence, Schedule

REGISTRY_ZONE = ZoneInfo("America/New_York")  # the registry's days are those of Bethesda, Maryland


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long something may stay unverified before readers hear of it, and how often they hear it again."""

    after: timedelta
    releases: int  # in a row
    remind_every: timedelta


class Word(StrEnum):
    """What readers have to hear about something that cannot be verified."""

    NOTHING = "nothing"
    UNVERIFIED = "unverified"
    REMINDER = "reminder"
    VERIFIED_AGAIN = "verified_again"


def word_on(*, overdue: bool, failing: bool, told_at: datetime | None, now: datetime, remind_every: timedelta) -> Word:
    """Return what readers have to hear now.

    Args:
        overdue: it cannot be verified, and has not been for too long.
        failing: it cannot be verified.
        told_at: when they last heard so; None = they have not, or it was over since.
        now: the moment.
        remind_every: how long after they heard it they hear it again.
    """
    if told_at is None:
        return Word.UNVERIFIED if overdue else Word.NOTHING
    if not failing:
        return Word.VERIFIED_AGAIN
    # A moment ahead of the clock is one of a clock that was ahead: it holds no reminder back for ever.
    return Word.REMINDER if abs(now - told_at) >= remind_every else Word.NOTHING


def is_overdue(since: datetime, *, releases: int, now: datetime, limits: Limits) -> bool:
    """Return whether a trial has not been verified for too long.

    Args:
        since: when the first attempt failed.
        releases: of the registry, in a row, in which it was not verified.
        now: the moment.
        limits: how long is too long.
    """
    return releases >= limits.releases or now - since >= limits.after


def is_stale(data_day: date, *, now: datetime, working_days: int) -> bool:
    """Return whether the registry has published nothing for so many whole working days of its own.

    Args:
        data_day: of the newest dataset.
        now: the moment.
        working_days: how many make it stale; 0 = none do.
    """
    today = now.astimezone(REGISTRY_ZONE).date()
    return working_days > 0 and working_days_between(data_day, today) >= working_days


# --- the weekly all-clear ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """A reader's week, half-open, and when the next one ends."""

    opens_at: datetime
    closes_at: datetime
    next_at: datetime
    time_zone: str


def last_week(schedule: Schedule, now: datetime) -> Week:
    """Return the week that ended last, at the reader's own weekday and hour."""
    weekly = replace(schedule, cadence=Cadence.WEEKLY)
    closes_at, next_at = window_at(weekly, now)
    opens_at, _ = window_at(weekly, closes_at - timedelta(microseconds=1))
    return Week(opens_at=opens_at, closes_at=closes_at, next_at=next_at, time_zone=schedule.time_zone)


class AllClear(StrEnum):
    """Whether a reader's week ends with an all-clear, and why not."""

    DUE = "due"
    TOLD = "told"  # it has been said, if perhaps by another schedule of the reader's
    NEW = "new"  # they have not been a reader for the whole week
    HEARD_OTHERWISE = "heard_otherwise"  # a digest of changes has told them, or is about to, that they are watched for
    WAITS_FOR_CHECK = "waits_for_check"  # the registry has not been asked since the week ended


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekSeen:
    """What is known of a reader at the end of their week."""

    reader_since: datetime | None  # when they first heard that a trial is watched for them; None = not yet
    last_all_clear: datetime | None  # the end of the week that the last one was about
    last_digest: datetime | None  # the end of the window of the last digest of changes
    about_to_hear: bool  # a digest of changes is due
    asked_at: datetime | None  # when the registry last said which release it is at


def all_clear(week: Week, seen: WeekSeen, *, now: datetime, patience: timedelta) -> AllClear:
    """Return whether an all-clear is due for the week that ended last; earlier ones are never made up for.

    Args:
        week: see ``last_week``.
        seen: what is known.
        now: the moment.
        patience: how long it waits for the registry to be asked again; then it says that it was not.
    """
    # Not "the same end": a reader who moves to another zone, hour or weekday has no second week of the same days.
    told = seen.last_all_clear
    if told is not None and week.closes_at - timedelta(days=6) < told <= week.closes_at:
        return AllClear.TOLD
    if seen.reader_since is None or seen.reader_since > week.opens_at:
        return AllClear.NEW
    heard = seen.last_digest is not None and week.opens_at < seen.last_digest
    if heard or seen.about_to_hear:
        return AllClear.HEARD_OTHERWISE
    asked = seen.asked_at is not None and seen.asked_at >= week.closes_at
    return AllClear.DUE if asked or now - week.closes_at >= patience else AllClear.WAITS_FOR_CHECK
