"""By which lists does a reader hear of trials?  Reads only; ``lists.py`` keeps the lists."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from watcher.store.routes import routes_of_reader
from watcher.store.tables import listing

_BATCH = 10_000  # IDs named in one statement; SQLite takes 32,766 parameters, PostgreSQL 65,535


def watchlists_of(db: Connection, address: str, nct_ids: Sequence[str]) -> set[str]:
    """Return the names of the watch lists that hold any of some trials, and that a reader is on."""
    names: set[str] = set()
    mine = {name for route in routes_of_reader(db, address) for name in route.watchlists}
    for start in range(0, len(nct_ids), _BATCH):
        some = listing.c.nct_id.in_(nct_ids[start : start + _BATCH])
        names |= set(
            db.execute(select(listing.c.watchlist).where(listing.c.watchlist.in_(mine), some).distinct()).scalars()
        )
    return names
