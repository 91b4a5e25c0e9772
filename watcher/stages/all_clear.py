"""The weekly all-clear: who had nothing to hear for a week hears that, and that they were watched for.

Does not compose or send: the digest does, in a window that is told once.  Looks only when some reader's week has
ended, or an hour has passed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from watcher.core.proof import AllClear, Week, all_clear, last_week
from watcher.model import Schedule
from watcher.render.counts import plural
from watcher.render.letters import Coverage, Letter
from watcher.store.notices import ALL_CLEAR, Window
from watcher.store.noting import reader_schedules
from watcher.store.releases import latest_release
from watcher.store.weeks import Waiting, waiting, weeks_seen

PATIENCE = timedelta(hours=3)  # for the registry to be asked after the week's end; a check takes less
_LOOK_EVERY = timedelta(hours=1)  # at least: readers and their schedules change


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedWeek:
    """An all-clear that is due."""

    window: Window
    week: Week


class AllClears:
    """Finds who is due an all-clear, and what it says."""

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        """Wire it; ``wanted`` says of an address whether it gets all-clears at all."""
        self._wanted = wanted
        self._looked_at: datetime | None = None
        self._look_again_at: datetime | None = None

    def due(self, db: Connection, *, now: datetime) -> list[EndedWeek]:
        """Return the weeks that ended with nothing to tell and that have not been told, each reader's last one only."""
        if self._looked_at and self._look_again_at and self._looked_at <= now < self._look_again_at:
            return []
        people = {address: one for address, one in reader_schedules(db).items() if self._wanted(address)}
        seen = weeks_seen(db, now=now) if people else {}
        weeks: dict[Schedule, Week] = {}
        due, waits = [], False
        for address in sorted(people.keys() & seen.keys()):
            schedule = people[address]
            week = weeks.setdefault(schedule, last_week(schedule, now))
            verdict = all_clear(week, seen[address], now=now, patience=PATIENCE)
            waits |= verdict in {AllClear.WAITS_FOR_CHECK, AllClear.DUE}
            if verdict is AllClear.DUE:
                window = Window(
                    address=address, subject_matter=ALL_CLEAR, opens_at=week.opens_at, closes_at=week.closes_at
                )
                due.append(EndedWeek(window=window, week=week))
        self._looked_at = now
        ends = [now + _LOOK_EVERY, *(week.next_at for week in weeks.values())]
        self._look_again_at = now if waits else min(ends)  # what is due may fail to be composed
        return due


def letter_of_week(db: Connection, ended: EndedWeek, coverage: Coverage, *, now: datetime) -> Letter:
    """Return the all-clear for a week; one that says so, where all is not clear."""
    week, address = ended.week, ended.window.address
    found = waiting(db, address, week, now=now)
    release = latest_release(db)
    asked_at = release.confirmed_at if release else None
    until = _day(week.closes_at, week)
    count, trials = coverage.watched, plural(coverage.watched, "trial")
    unverified = coverage.watched - coverage.verified - found.gone
    if asked_at is None or asked_at < week.closes_at:
        since = f"since {asked_at:%Y-%m-%d %H:%M} UTC" if asked_at else "so far"
        subject = f"Not all clear: the registry could not be asked {since}"
    elif unverified > 0:
        subject = f"Not all clear: {unverified:,} of your {trials} could not be verified in the week to {until}"
    elif found.held or found.muted:
        subject = f"Nothing was mailed about your {trials} in the week to {until}, but changes wait"
    else:
        subject = f"All clear: nothing changed in your {trials} in the week to {until}"
    if found.gone and found.gone == count:
        subject = f"Your {trials} could not be watched in the week to {until}: gone from the registry"
    return Letter(
        template="all_clear",
        subject=subject,
        summary=f"{subject}.",
        coverage=coverage,
        lines=(
            *_lines(found),
            f"The next mail like this comes on {_day(week.next_at, week)}, if no digest does before.",
        ),
    )


def _lines(found: Waiting) -> list[str]:
    lines = []
    if found.held:
        since = f"{found.held_since:%Y-%m-%d %H:%M} UTC" if found.held_since else "lately"
        lines.append(
            f"Changes of {plural(found.held, 'trial')} are held back for a look by the operator since {since}."
        )
    if found.muted:
        lines.append(f"Changes of {plural(found.muted, 'trial')} wait because you muted them.")
    if found.unacknowledged:
        lines.append(f"Nobody has taken note of {plural(found.unacknowledged, 'critical change')} that you were told.")
    if found.gone:
        lines.append(f"The registry no longer serves {plural(found.gone, 'trial')} of yours, as you were told.")
    if found.not_told:
        lines.append(f"Recorded, and not worth telling by the rules: {plural(found.not_told, 'change')}.")
    return lines


def _day(moment: datetime, week: Week) -> str:
    return moment.astimezone(ZoneInfo(week.time_zone)).date().isoformat()
