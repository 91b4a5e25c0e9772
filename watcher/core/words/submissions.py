"""In which order did the events of a results submission happen?  Pure.

The registry dates them to the day, and several may share one.  Results can be returned or cancelled only while they are
submitted, and be submitted only while they are not; that decides among the events of a day.

Source: domain rules 1.4 as ``docs/changes.md`` states them.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from watcher.model import Json

Event = Mapping[str, Json]
SUBMITTED = "RELEASE"


def in_order(events: Iterable[Event], *, after: Sequence[Event]) -> list[Event]:
    """Return new events in the order in which they happened; one without a date stays behind the one it stood behind.

    Args:
        events: as the registry lists them.
        after: the events that were recorded before.
    """
    earlier = sorted(after, key=_day)
    pending = bool(earlier) and earlier[-1].get("type") == SUBMITTED
    ordered: list[Event] = []
    for _, group in groupby(sorted(_dated(events), key=lambda pair: pair[0]), key=lambda pair: pair[0]):
        left = [event for _, event in group]
        while left:
            fitting = (event for event in left if (event.get("type") == SUBMITTED) is not pending)
            event = next(fitting, left[0])
            left.remove(event)
            ordered.append(event)
            pending = event.get("type") == SUBMITTED
    return ordered


def _dated(events: Iterable[Event]) -> list[tuple[str, Event]]:
    """Return the events with the day that each is to stand at."""
    dated: list[tuple[str, Event]] = []
    for event in events:
        before = dated[-1][0] if dated else ""
        dated.append((_day(event) or before, event))
    return dated


def _day(event: Event) -> str:
    return str(event.get("date", ""))
