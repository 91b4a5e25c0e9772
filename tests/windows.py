"""Follow every digest window of two years in every time zone, and print what was found.

python -m tests.windows           a sample of zones and hours; seconds
python -m tests.windows --all     every zone, each with every hour that its clocks make special; minutes

The windows of a schedule must follow each other without a gap and be half-open, so that each moment is in exactly one;
each local working date must close exactly one daily window, and each week one.  Exits with 1 where one does not.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from watcher.core.windows import Window, is_quiet, is_working, window_at
from watcher.model import Cadence, Schedule

BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = tuple(sorted(available_timezones() - {"localtime", "Factory"}))
WORKING_DAYS = (0, 1, 2, 3, 4)
HOLIDAYS = tuple(
    date(year, month, day) for year in (2026, 2027) for month, day in ((1, 1), (3, 29), (10, 25), (12, 25))
)
QUIET = (time(22), time(6))
_SAMPLE = 23  # each so many-th zone is in the sample


@dataclass(slots=True)
class Figures:
    zones: int = 0
    schedules: int = 0
    windows: int = 0
    moments: int = 0
    clock_changes: int = 0
    wrong: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Yield what was run, and what was wrong."""
        yield f"time zones: {self.zones:,} of {len(ZONES):,}; from {BEGIN:%Y-%m-%d} to {END:%Y-%m-%d}"
        yield f"changes of clocks in them: {self.clock_changes:,}"
        yield f"schedules: {self.schedules:,}; windows followed: {self.windows:,}; moments asked for: {self.moments:,}"
        yield f"wrong: {len(self.wrong):,}"
        yield from self.wrong[:20]


def run(*, everything: bool) -> Figures:
    """Follow the windows of all zones, or of a sample."""
    figures = Figures()
    for number, zone in enumerate(ZONES):
        if everything or not number % _SAMPLE:
            figures.zones += 1
            figures.clock_changes += len(clock_changes(zone))
            _follow_zone(zone, number, figures, everything=everything)
    return figures


@cache
def clock_changes(zone_name: str) -> tuple[datetime, ...]:
    """Return the hours in the two years after which the zone's clocks show another offset."""
    zone = ZoneInfo(zone_name)
    days = [BEGIN + n * DAY for n in range((END - BEGIN).days + 1)]
    offsets = [day.astimezone(zone).utcoffset() for day in days]
    changed = [day for (day, old), (_, new) in pairwise(zip(days, offsets, strict=True)) if old != new]
    hours = [day + n * HOUR for day in changed for n in range(24)]
    return tuple(h for h in hours if h.astimezone(zone).utcoffset() != (h + HOUR).astimezone(zone).utcoffset())


def _follow_zone(zone: str, number: int, figures: Figures, *, everything: bool) -> None:
    special = {hour % 24 for change in clock_changes(zone) for hour in _hours_around(change, zone)}
    hours = sorted({number % 24, 7, *special}) if everything else [number % 24]
    for hour in hours:
        daily = Schedule(cadence=Cadence.DAILY, time_zone=zone, hour=hour)
        weekly = replace(daily, cadence=Cadence.WEEKLY, weekday=number % 7)
        for schedule, check in ((daily, _check_dates), (weekly, _check_weeks)):
            check(schedule, figures)
            check(_with_free_days(schedule), figures)
    immediate = _with_free_days(Schedule(cadence=Cadence.IMMEDIATE, time_zone=zone, quiet=QUIET))
    spots = [*clock_changes(zone), BEGIN + (number * 37 % 700) * DAY, datetime(2026, 12, 25, tzinfo=UTC)]
    for spot in spots if everything else spots[-2:]:
        _check_immediate(immediate, spot - DAY, spot + 2 * DAY, figures)


def _with_free_days(schedule: Schedule) -> Schedule:
    return replace(schedule, working_days=WORKING_DAYS, holidays=HOLIDAYS)


def _hours_around(change: datetime, zone: str) -> range:
    local = change.astimezone(ZoneInfo(zone)).hour
    return range(local - 1, local + 4)


def _follow(schedule: Schedule, since: datetime, until: datetime, figures: Figures) -> list[Window]:
    """Return the windows from one to the next, after a look whether they share their ends and are half-open."""
    figures.schedules += 1
    found = [window_at(schedule, since)]
    while found[-1][0] < until:
        opens, closes = found[-1]
        for moment in (opens, opens + (closes - opens) / 2, closes - timedelta.resolution):
            figures.moments += 1
            if window_at(schedule, moment) != (opens, closes):
                figures.wrong.append(f"{schedule}: {moment} is in two windows")
        following = window_at(schedule, closes)
        if following[0] != closes or following[1] <= closes:
            figures.wrong.append(f"{schedule}: a gap at {closes}")
            break
        found.append(following)
    figures.windows += len(found)
    return found


def _check_dates(schedule: Schedule, figures: Figures) -> None:
    """Look whether each local working date closes one window, at the hour that the reader wants if there is one."""
    zone = ZoneInfo(schedule.time_zone)
    closed = [_closing_date(schedule, closes) for _, closes in _follow(schedule, BEGIN, END, figures)]
    expected = [closed[0] + n * DAY for n in range((closed[-1] - closed[0]).days + 1)]
    if closed != [day for day in expected if is_working(schedule, day)]:
        figures.wrong.append(f"{schedule}: some working date closes no window, or two")
    for day in closed:
        wished = datetime.combine(day, time(schedule.hour), tzinfo=zone)
        if window_at(schedule, wished)[0] != wished.astimezone(UTC):
            figures.wrong.append(f"{schedule}: the window of {day} closes at another hour")


def _check_weeks(schedule: Schedule, figures: Figures) -> None:
    """Look whether each week closes one window, on its day or on the first working day after it."""
    closed = [_closing_date(schedule, closes) for _, closes in _follow(schedule, BEGIN, END, figures)]
    week = closed[0] - (closed[0].weekday() - schedule.weekday) % 7 * DAY
    expected = []
    while week <= closed[-1]:
        day = week
        while not is_working(schedule, day):
            day += DAY
        expected.append(day)
        week += 7 * DAY
    if closed != [day for day in sorted(set(expected)) if day <= closed[-1]]:
        figures.wrong.append(f"{schedule}: some week closes no window, or two")


def _closing_date(schedule: Schedule, closes: datetime) -> date:
    # Where the clocks skip the last hour of a day, that day closes as it ends, at the next one's midnight.
    local = closes.astimezone(ZoneInfo(schedule.time_zone))
    return (local - HOUR if local.hour == 0 < schedule.hour else local).date()


def _check_immediate(schedule: Schedule, since: datetime, until: datetime, figures: Figures) -> None:
    """Look whether windows close every five minutes, none of them in quiet hours or on free days."""
    followed = _follow(schedule, since, until, figures)
    for opens, closes in followed:
        if is_quiet(schedule, closes):
            figures.wrong.append(f"{schedule}: closes in quiet hours at {closes}")
        if closes - opens > schedule.merged_for and not is_quiet(schedule, opens + schedule.merged_for):
            figures.wrong.append(f"{schedule}: nothing held {opens} back until {closes}")


def main() -> int:
    """Print the figures; return 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.windows", description="Follow digest windows.")
    parser.add_argument("--all", action="store_true", help="every time zone, not a sample")
    figures = run(everything=parser.parse_args().all)
    for line in figures.lines():
        sys.stdout.write(f"{line}\n")
    return 1 if figures.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
