"""When does a reader's digest window open and close?  Pure: no clock.

A window is half-open: what happened at its end belongs to the next one.  It closes at an hour of the reader's own day,
so each local date closes exactly one window, on days with 23 and 25 hours too.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from watcher.model import Cadence, Schedule

_DAY = timedelta(days=1)


def window_at(schedule: Schedule, moment: datetime) -> tuple[datetime, datetime]:
    """Return the beginning and end of the window that ``moment`` falls into, UTC.

    An immediate reader has no window to wait for: it closes as it opens.

    Args:
        schedule: cadence, time zone and local hour.
        moment: timezone-aware.
    """
    if schedule.cadence is Cadence.IMMEDIATE:
        return moment, moment
    closes = _closes_around(schedule, moment)
    return max(close for close in closes if close <= moment), min(close for close in closes if close > moment)


def _closes_around(schedule: Schedule, moment: datetime) -> list[datetime]:
    zone = ZoneInfo(schedule.time_zone)
    today = moment.astimezone(zone).date()
    # A week and a day to either side hold a close of every cadence, whatever the clocks do in between.
    dates = [today + offset * _DAY for offset in range(-8, 9)]
    if schedule.cadence is Cadence.WEEKLY:
        dates = [date for date in dates if date.weekday() == schedule.weekday]
    # An hour that the clocks skip is read as if they had not; of an hour that comes twice the first counts.
    return [datetime.combine(date, time(schedule.hour), tzinfo=zone).astimezone(UTC) for date in dates]
