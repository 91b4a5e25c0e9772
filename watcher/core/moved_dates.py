"""Which dates of a study did a digest say to have moved, for a reader's calendar?  Pure.

Only those that a study works towards: primary completion and completion.  The registry lets sponsors give a month
alone; such a date stands on the month's last day, for until then it may still come, and the event says so.
"""

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from watcher.core.weights.date_words import Milestone
from watcher.model import Change, Json

_NAMES = {
    f"{Milestone.PRIMARY_COMPLETION}.date": ("primary-completion", "Primary completion"),
    f"{Milestone.COMPLETION}.date": ("study-completion", "Study completion"),
}
PATHS = frozenset(_NAMES)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedDate:
    nct_id: str
    title: str
    milestone: str  # "primary-completion" or "study-completion": part of the event's identity
    words: str  # "Primary completion"
    day: date  # where it stands now; of a date that was taken away, where it stood
    whole_month: bool  # the record gives only the month
    was: str | None  # as it stood in the record before
    gone: bool  # the record gives no such date any more
    sequence: int  # how often it has moved as far as is recorded: a later event replaces an earlier one


def moved_dates(changes: Iterable[Change], *, title: str, moves: Mapping[str, int]) -> list[MovedDate]:
    """Return the dates that one trial's told changes moved, each as it stands after the last of them.

    Args:
        changes: of one trial, oldest first.
        title: of the trial.
        moves: how many changes of each path are recorded of the trial, these included.
    """
    moved: dict[str, MovedDate] = {}
    for change in changes:
        if change.path not in PATHS or not change.told or change.nct_id is None:
            continue
        place = read_day(change.new if change.new is not None else change.old)
        if place is None:
            continue
        milestone, words = _NAMES[change.path]
        moved[change.path] = MovedDate(
            nct_id=change.nct_id,
            title=title,
            milestone=milestone,
            words=words,
            day=place[0],
            whole_month=place[1],
            was=change.old if isinstance(change.old, str) else None,
            gone=change.new is None,
            sequence=moves.get(change.path, 1),
        )
    return list(moved.values())


def read_day(value: Json) -> tuple[date, bool] | None:
    """Return the day on which a date of a record stands, and whether it is a whole month; None when it is no date."""
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    year, month, day = int(found[1]), int(found[2]), found[3]
    if year == 0 or not 1 <= month <= 12:
        return None
    last = monthrange(year, month)[1]
    if day is None:
        return date(year, month, last), True
    return (date(year, month, int(day)), False) if 1 <= int(day) <= last else None
