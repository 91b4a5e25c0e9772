"""Is a release too unusual to be told unseen, and is a record's shrinking plausible?  Pure: no store, no clock.

A new version of the registry's API, or a fault in it, may make every record look different.  Telling that to every
reader cannot be taken back, so that somebody looks first.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """When a release's changes wait for somebody's look."""

    share: int  # percent of the watches; more than that is suspicious; 0 = no number is
    least: int  # watches that must have changed at least
    new_api_version: bool  # whether changes that come with another version of the API are suspicious


class Suspicion(StrEnum):
    """Why a release's changes wait; as it is stored in ``hold.reason``."""

    MANY_CHANGES = "many_changes"
    NEW_API_VERSION = "new_api_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upheaval:
    """What a release changed."""

    changed: int  # watches with at least one change that is told
    watched: int
    api_version: str
    version_before: str | None  # of the release before; None = there was none


def suspicion(upheaval: Upheaval, thresholds: Thresholds) -> Suspicion | None:
    """Return why a release's changes must wait for somebody's look; None = they need not.

    First sights change nothing, so that the first release that is ever seen is never suspicious.
    """
    if not upheaval.changed:
        return None
    enough = upheaval.changed >= thresholds.least
    if thresholds.share and enough and upheaval.changed * 100 > upheaval.watched * thresholds.share:
        return Suspicion.MANY_CHANGES
    another = upheaval.version_before is not None and upheaval.version_before != upheaval.api_version
    return Suspicion.NEW_API_VERSION if thresholds.new_api_version and another else None


def suspicion_words(reason: Suspicion, upheaval: Upheaval) -> str:
    """Return the suspicion as the operator reads it; without a full stop."""
    counted = f"{upheaval.changed:,} of {upheaval.watched:,} watched trials changed in one release"
    if reason is Suspicion.MANY_CHANGES:
        return counted
    return f"{counted}, the first of API version {upheaval.api_version} (it was {upheaval.version_before})"


# --- a single record --------------------------------------------------------------------------------------------------

LEAST_LOSS = 2048  # bytes; small records lose a large part of themselves when one text is cut
_HALF = 2


class Belief(StrEnum):
    """Whether an answer is taken for the record, and why."""

    USUAL = "usual"  # not implausibly smaller than the last one
    WITHHELD = "withheld"  # it says itself why it is smaller
    RESULTS_REMOVED = "results_removed"  # the same
    CAME_AGAIN = "came_again"  # it was doubted before, and is still so
    DOUBTED = "doubted"  # asked for again before it is believed


def shrinks(size: int, *, last_size: int) -> bool:
    """Return whether a record has lost so much that the answer may be a part of it only; sizes in bytes."""
    return size * _HALF < last_size and last_size - size >= LEAST_LOSS


def believe(*, shrunk: bool, withheld: bool, results_removed: bool, came_again: bool) -> Belief:
    """Return whether an answer is taken for the record.

    Args:
        shrunk: see ``shrinks``.
        withheld: the record says that the registry holds the rest back.
        results_removed: the last version had results, and this one says that there are none.
        came_again: the same content was doubted when it came last.
    """
    if not shrunk:
        return Belief.USUAL
    if withheld:
        return Belief.WITHHELD
    if results_removed:
        return Belief.RESULTS_REMOVED
    return Belief.CAME_AGAIN if came_again else Belief.DOUBTED
