"""What a letter depends on of whoever reads it, and nothing else: readers with equal facts are written the same.

Read for many readers in a few statements, because a change may be told to thousands.  Reads only.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, false, func, select

from watcher.model import Route
from watcher.store.reader_lists import Scope
from watcher.store.releases import latest_release
from watcher.store.routes import Origin, catch_all_route, stored_routes
from watcher.store.tables import opt_out, reader, route, watch
from watcher.store.watches import Coverage

_NOBODY = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderFacts:
    routes: tuple[Route, ...]  # without the address, those first that count first, without the catch-all
    coverage: Coverage  # of their trials
    opted_out: frozenset[str]  # the watch lists of which they asked to hear no more; "" = all
    hears_the_rest: bool  # what has no other reader comes to them

    @property
    def scopes(self) -> frozenset[Scope]:
        """Which trials they hear of."""
        return frozenset((one.watchlists, one.tags) for one in self.routes)

    def has_opted_out(self, watchlist: str) -> bool:
        """Return whether they asked to hear no more of a list, or of all ("")."""
        return not self.opted_out.isdisjoint({watchlist, ""})


def facts_of(db: Connection, addresses: Collection[str]) -> dict[str, ReaderFacts]:
    """Return the facts of some readers, at most a few thousand."""
    asked = sorted(set(addresses))
    routes: dict[str, list[Route]] = {}
    mine = (route.c.address.in_(asked), route.c.origin != Origin.CATCH_ALL)
    for one in stored_routes(db, *mine):
        routes.setdefault(one.route.address, []).append(replace(one.route, address=_NOBODY))
    unwanted: dict[str, set[str]] = {}
    for row in db.execute(select(opt_out).where(opt_out.c.address.in_(asked))):
        unwanted.setdefault(row.address, set()).add(row.watchlist)
    last, covered = catch_all_route(db), _coverage(db, asked)
    return {
        address: ReaderFacts(
            routes=tuple(routes.get(address, ())),
            coverage=covered.get(address, Coverage(watched=0, verified=0)),
            opted_out=frozenset(unwanted.get(address, ())),
            hears_the_rest=last is not None and last.address == address,
        )
        for address in asked
    }


def _coverage(db: Connection, addresses: Sequence[str]) -> dict[str, Coverage]:
    """Return how many trials of each reader are verified against the registry's current release."""
    release = latest_release(db)
    current = watch.c.release_id == release.id if release else false()
    query = (
        select(reader.c.address, func.count(), func.count().filter(current))
        .select_from(reader.join(watch, watch.c.nct_id == reader.c.nct_id))
        .where(reader.c.address.in_(addresses))
        .group_by(reader.c.address)
    )
    return {row[0]: Coverage(watched=row[1], verified=row[2]) for row in db.execute(query)}
