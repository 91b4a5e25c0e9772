"""When does a reader's digest window open and close?  Pure: no clock.

A window is half-open: what happened at its end belongs to the next one.  The windows of a schedule follow each other
without a gap, so that every moment is in exactly one of them, however late somebody asks.

- Daily and weekly windows close at an hour of the reader's own day, so each local working date closes exactly one daily
  window, on days with 23 and 25 hours too.  A weekly one whose day is free closes on the next working day.
- Immediate windows are five minutes of UTC, always the same ones, so that a restart in the middle of one changes
  nothing.  (They may be shorter, or only a moment, where the settings say so.)  One that would close in quiet hours or
  on a free day closes when those are over.
- A critical change of a reader who wants it so waits five minutes at most, whatever the schedule.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import count
from zoneinfo import ZoneInfo

from watcher.model import Cadence, Schedule

Window = tuple[datetime, datetime]  # from … to just before …, UTC

LONGEST_MERGE = timedelta(minutes=5)  # and what quiet hours are measured in, so that a window closes between any two
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_MARGIN = 2  # days by which the close of a local date may lie on the other side of a moment, whatever the clocks do


@lru_cache(maxsize=1024)  # everything that one check finds was seen at the same moment
def window_at(schedule: Schedule, moment: datetime, *, critical: bool = False) -> Window:
    """Return the beginning and end of the window that ``moment`` falls into, UTC.

    Args:
        schedule: when the reader wants mail.
        moment: timezone-aware.
        critical: whether it is for something critical, which may pierce.

    Raises:
        ValueError: the schedule has no working day.
    """
    if not schedule.working_days:
        raise ValueError("a schedule without a working day never closes a window")
    if critical and schedule.critical_pierces:
        return merged_at(schedule, moment)
    if schedule.cadence is Cadence.IMMEDIATE:
        return _merged_outside_quiet(schedule, moment)
    opens = next(close for close in _closes(schedule, moment, step=-1) if close <= moment)
    return opens, next(close for close in _closes(schedule, moment, step=1) if close > moment)


def merged_at(schedule: Schedule, moment: datetime) -> Window:
    """Return the few minutes that ``moment`` falls into, UTC: the window of what nothing holds back."""
    return _part_of_grid(moment, schedule.merged_for)


def is_working(schedule: Schedule, day: date) -> bool:
    """Return whether a local date is a working day and no holiday."""
    return day.weekday() in schedule.working_days and day not in schedule.holidays


def is_quiet(schedule: Schedule, moment: datetime) -> bool:
    """Return whether immediate mail is held at a moment: in quiet hours, and on free days."""
    local = moment.astimezone(ZoneInfo(schedule.time_zone))
    if not is_working(schedule, local.date()):
        return True
    if schedule.quiet is None:
        return False
    begin, end = schedule.quiet
    clock = local.time()
    return begin <= clock < end if begin <= end else clock >= begin or clock < end


def _merged_outside_quiet(schedule: Schedule, moment: datetime) -> Window:
    if not schedule.merged_for and not is_quiet(schedule, moment):
        return moment.astimezone(UTC), moment.astimezone(UTC)
    step = schedule.merged_for or LONGEST_MERGE
    opens, closes = _part_of_grid(moment, step)
    while is_quiet(schedule, opens):
        opens -= step
    while is_quiet(schedule, closes):
        closes += step
    return opens, closes


def _part_of_grid(moment: datetime, step: timedelta) -> Window:
    opens = moment.astimezone(UTC) - ((moment - _EPOCH) % step if step else step)
    return opens, opens + step


def _closes(schedule: Schedule, moment: datetime, *, step: int) -> Iterator[datetime]:
    """Yield the moments at which digest windows close: forward (1) from before a moment, or back (-1) from after it."""
    zone = ZoneInfo(schedule.time_zone)
    begin = moment.astimezone(zone).date() - step * _MARGIN * _DAY
    for number in count():
        day = begin + step * number * _DAY
        if _closes_on(schedule, day):
            # An hour that the clocks skip is read as if they had not; of an hour that comes twice the first counts.
            yield datetime.combine(day, time(schedule.hour), tzinfo=zone).astimezone(UTC)


def _closes_on(schedule: Schedule, day: date) -> bool:
    """Return whether a window closes on a local date; a week's on the first working day from its weekday on."""
    if not is_working(schedule, day):
        return False
    if schedule.cadence is Cadence.DAILY:
        return True
    while day.weekday() != schedule.weekday:
        day -= _DAY
        if is_working(schedule, day):
            return False
    return True
