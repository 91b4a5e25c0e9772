"""Are the registry's answers from the release that they are taken for?

The registry does not say so in one place.  Each record is stamped with the day of its release, each list's ETag names
the dataset, and the order in which releases were seen is known.  The rules are in ``core/freshness.py``.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from watcher.core.freshness import lags, superseded
from watcher.errors import RegistryError
from watcher.model import Reason, Refusal, Release
from watcher.registry.client import Fetched
from watcher.store.releases import KnownRelease, known_release, latest_release
from watcher.store.watches import last_stamps


class Evidence:
    """What a pass saw of stamps and ETags.

    Neither is promised, so a mismatch proves nothing: it is the reason to ask which release it is now.
    """

    def __init__(self, release: Release) -> None:
        self._day = release.data_timestamp[:10]
        self._stamps: set[str] = set()
        self._etags: set[str] = set()
        self._unstamped = False

    def add(self, fetched: Fetched) -> None:
        self._stamps |= fetched.stamps
        self._etags |= fetched.etags
        self._unstamped |= not fetched.stamps and bool(fetched.records or fetched.unchanged)

    @property
    def consistent(self) -> bool:
        """Whether all that was seen agrees with the release that the pass began with."""
        return self._stamps <= {self._day} and len(self._etags) <= 1 and not self._unstamped


def refuse_superseded(db: Connection, release: Release, *, now: datetime) -> None:
    """Do not go back to a release that was replaced a moment ago.

    Raises:
        RegistryError: LAGGING; ask again at the next tick.
    """
    newest = latest_release(db)
    if newest is None or newest.release.data_timestamp == release.data_timestamp:
        return
    named = known_release(db, release.data_timestamp)
    if named and superseded(named.id, newest_place=newest.id, newest_age=_age(newest, now)):
        detail = f"the registry names {release.data_timestamp}, which it had replaced; one of its machines lags"
        raise RegistryError(Reason.LAGGING, detail)


def without_lagging(db: Connection, fetched: Fetched, release: KnownRelease, *, now: datetime) -> Fetched:
    """Return what was fetched, with the records of an older release refused."""
    day = release.release.data_timestamp[:10]
    if fetched.stamps <= {day}:
        return fetched
    last, age = last_stamps(db, list(fetched.stamp_of)), _age(release, now)
    late = {
        nct_id: stamp
        for nct_id, stamp in fetched.stamp_of.items()
        if lags(stamp, last_stamp=last.get(nct_id), release_day=day, release_age=age)
    }
    refusals = (
        Refusal(nct_id=nct_id, reason=Reason.LAGGING, detail=f"the answer is of {stamp}, the release of {day}")
        for nct_id, stamp in late.items()
    )
    return replace(
        fetched,
        unchanged=tuple(nct_id for nct_id in fetched.unchanged if nct_id not in late),
        records=tuple(record for record in fetched.records if record.nct_id not in late),
        refusals=(*fetched.refusals, *refusals),
    )


def _age(release: KnownRelease, now: datetime) -> timedelta:
    """Return how long a release is known; as long as the clock was ahead by, if it was when the release was seen."""
    return abs(now - release.first_seen_at)
