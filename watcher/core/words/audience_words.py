"""What a route tells and when, in words for its reader.  Pure.

Does not say what happens to a given change: see ``core/routing.py``.
"""

from datetime import timedelta

from watcher.model import Cadence, Route, Schedule, Severity

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MINUTE = timedelta(minutes=1)


def schedule_words(schedule: Schedule) -> str:
    """Return when mail comes by a schedule: ``every day at 07:00 (Europe/Berlin)``."""
    place = f"({schedule.time_zone})"
    if schedule.cadence is Cadence.IMMEDIATE:
        words = f"within {schedule.merged_for // _MINUTE} minutes" if schedule.merged_for >= _MINUTE else "at once"
        if schedule.quiet is not None:
            words += f", but from {schedule.quiet[0]:%H:%M} to {schedule.quiet[1]:%H:%M} {place} not before the end"
        if len(schedule.working_days) < len(_DAYS):
            words += f", on {_listed(schedule.working_days)} {place}"
    elif schedule.cadence is Cadence.DAILY:
        every = len(schedule.working_days) == len(_DAYS)
        days = "every day" if every else f"on {_listed(schedule.working_days)}"
        words = f"{days} at {schedule.hour:02}:00 {place}"
    else:
        words = f"on {_DAYS[schedule.weekday]}s at {schedule.hour:02}:00 {place}"
    if schedule.holidays:
        words += ", after holidays on the next working day"
    return words + (", critical changes within minutes" if schedule.critical_pierces else "")


def filter_words(route: Route) -> str:
    """Return what a route tells: ``changes from major up of status and results``."""
    words = {
        Severity.CRITICAL: "critical changes",
        Severity.MAJOR: "changes from major up",
    }.get(route.severity, "every change")
    if route.categories is not None:
        words += f" of {_joined(route.categories)}"
    if route.countries is not None:
        words += f" that concerns sites in {_joined(route.countries)}"
    return words


def route_words(route: Route) -> str:
    """Return what a route tells and when, as a reader is told it when they join."""
    return f'By "{route.name}" you hear of {filter_words(route)}, {schedule_words(route.schedule)}.'


def _listed(days: tuple[int, ...]) -> str:
    runs = len(days) > 2 and days == tuple(range(days[0], days[-1] + 1))
    return f"{_DAYS[days[0]]} to {_DAYS[days[-1]]}" if runs else _joined([f"{_DAYS[day]}s" for day in days])


def _joined(words: tuple[str, ...] | list[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
