"""Is an answer from the release that it is taken for?  Pure: no clock.

The registry answers from several machines, and for some minutes after a release some of them still serve the one
before.  Believed, such an answer would turn changes back and forth, or make a watch look verified that is not.

Every release moves the stamp in every record.  So a record that is asked for because there is a new release, and whose
stamp has not moved, comes from a machine that lags.
"""

from datetime import timedelta

# If stamps do not move for that long after a release, it is the stamps that have changed their meaning.
PATIENCE = timedelta(hours=6)


def lags(stamp: str | None, *, last_stamp: str | None, release_day: str, release_age: timedelta) -> bool:
    """Return whether a record comes from an older release than the registry's current one.

    Args:
        stamp: the record's day, "yyyy-MM-dd"; None = it carries none, and nothing can be said.
        last_stamp: the one that it had when it was last verified, in another release; None = never, or it had none.
        release_day: the day of the current release; a second release on one day does not move the stamp.
        release_age: how long ago the current release was first seen.
    """
    if stamp is None or last_stamp is None or release_age >= PATIENCE:
        return False
    return stamp <= last_stamp and last_stamp != release_day


def superseded(place: int, *, newest_place: int, newest_age: timedelta) -> bool:
    """Return whether a release that the registry names is one that it had already replaced.

    A registry that really goes back says so for longer than ``PATIENCE``.

    Args:
        place: of the named release in the order in which releases were seen.
        newest_place: of the newest one.
        newest_age: how long ago the newest one was first seen.
    """
    return place < newest_place and newest_age < PATIENCE
