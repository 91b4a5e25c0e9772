"""Are the registry's answers from the release that they are taken for, and are the records whole?

The registry does not say so in one place.  Each record is stamped with the day of its release, each list's ETag names
the dataset, and the order in which releases were seen is known.  A record that was cut short on its way may still be
one that can be read.  The rules are in ``core/freshness.py`` and ``core/guards.py``.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
from sqlalchemy import Connection

from watcher.core.freshness import lags, superseded
from watcher.core.guards import Belief, believe, shrinks
from watcher.errors import BodyUnreadable, RegistryError
from watcher.model import Reason, Record, Refusal, Release
from watcher.registry.client import Fetched
from watcher.store.releases import KnownRelease, known_release, latest_release
from watcher.store.snapshots import read_body, sizes
from watcher.store.watches import current_snapshots, doubted_hashes, last_stamps


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


def without_shrunk(db: Connection, fetched: Fetched) -> tuple[Fetched, Mapping[str, bytes]]:
    """Return what was fetched without the records that are implausibly small, and the hashes of those."""
    ids = [record.nct_id for record in fetched.records]
    current = {nct_id: snapshot for nct_id, snapshot in current_snapshots(db, ids).items() if snapshot is not None}
    last_sizes = sizes(db, list(current.values()))
    small = [
        record
        for record in fetched.records
        if record.nct_id in current and shrinks(len(record.body), last_size=last_sizes[current[record.nct_id]])
    ]
    if not small:
        return fetched, {}
    before = doubted_hashes(db, [record.nct_id for record in small])
    doubted: dict[str, Refusal] = {}
    for record in small:
        belief = believe(
            shrunk=True,
            withheld=record.nct_id in fetched.withheld,
            results_removed=_results_removed(db, record, current[record.nct_id]),
            came_again=before.get(record.nct_id) == record.content_hash,
        )
        if belief is Belief.DOUBTED:
            size, last_size = len(record.body), last_sizes[current[record.nct_id]]
            detail = f"{size:,} bytes instead of {last_size:,}; believed when the same content comes again"
            doubted[record.nct_id] = Refusal(nct_id=record.nct_id, reason=Reason.SHRUNK, detail=detail)
    believed = tuple(record for record in fetched.records if record.nct_id not in doubted)
    hashes = {record.nct_id: record.content_hash for record in small if record.nct_id in doubted}
    return replace(fetched, records=believed, refusals=(*fetched.refusals, *doubted.values())), hashes


def _results_removed(db: Connection, record: Record, snapshot_id: int) -> bool:
    """Whether the last version had results, and this one says that there are none."""
    try:
        before = orjson.loads(read_body(db, snapshot_id).body)
    except BodyUnreadable:
        return False  # nothing is known of it; what is compared with it finds that out again, and reports it
    after = orjson.loads(record.body)
    return before.get("hasResults") is True and after.get("hasResults") is False


def _age(release: KnownRelease, now: datetime) -> timedelta:
    """Return how long a release is known; as long as the clock was ahead by, if it was when the release was seen."""
    return abs(now - release.first_seen_at)
