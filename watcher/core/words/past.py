"""What a trial's earlier changes say about a change of today.  Pure: they are passed in.

A value that returns is said to be back; a date that slips again is measured from where it stood when it was first seen.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from watcher.core.weights.dates import cumulative
from watcher.model import Difference, How, Json

_LONG = 60  # characters: of longer texts nobody knows by heart what they were


@dataclass(frozen=True, slots=True, kw_only=True)
class PastValue:
    """A change of one value that stands in no list, as it was recorded."""

    path: str
    old: Json
    new: Json
    day: str  # of the registry's data, "yyyy-MM-dd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """All that was recorded of a trial before."""

    ids: Collection[str] = ()  # of its changes
    values: Sequence[PastValue] = ()  # oldest first

    def returned_to(self, differences: Sequence[Difference]) -> str | None:
        """Say until when a new value had stood before, if it had."""
        values = [one for one in differences if one.how is How.CHANGED and one.item is None]
        for difference in values:
            until = self._left_on(difference)
            if until is not None:
                return f"back to the value of before {until}"
        return None

    def _left_on(self, difference: Difference) -> str | None:
        if isinstance(difference.new, str) and len(difference.new) > _LONG:
            return None
        left = [one.day for one in self.values if one.path == difference.path and one.old == difference.new]
        return left[-1] if left else None

    def slipped(self, path: str, now: Json) -> str | None:
        """Say how often a date has moved, and how far from where it was first seen; None for the first move."""
        earlier = [one for one in self.values if one.path == path]
        return cumulative([earlier[0].old, *(one.new for one in earlier), now]) if earlier else None
