"""By which lists does a reader hear of trials, and which do they not want to hear of?  Reads only.

``lists.py`` keeps the lists.
"""

from collections.abc import Collection, Sequence
from typing import TypeAlias

from sqlalchemy import Connection, or_, select

from watcher.store.tables import listing, opt_out, tag

_BATCH = 10_000  # IDs named in one statement; SQLite takes 32,766 parameters, PostgreSQL 65,535
Scope: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]  # of a route: its watch lists, its tags


def watchlists_of(db: Connection, scopes: Collection[Scope], nct_ids: Sequence[str]) -> set[str]:
    """Return the names of the watch lists that hold any of some trials, and that a reader is on by their routes."""
    names: set[str] = set()
    mine = {name for lists, _ in scopes for name in lists}
    for start in range(0, len(nct_ids), _BATCH):
        some = listing.c.nct_id.in_(nct_ids[start : start + _BATCH])
        names |= set(
            db.execute(select(listing.c.watchlist).where(listing.c.watchlist.in_(mine), some).distinct()).scalars()
        )
    return names


def lists_heard(db: Connection, scopes: Collection[Scope], nct_ids: Collection[str]) -> list[str]:
    """Return the watch lists by which a reader hears of any of some trials, or would if they had not opted out.

    Also by routes that name no list, or a tag.  Of all trials, when none are named.
    """
    names: set[str] = set()
    for lists, tags in scopes:
        query = select(listing.c.watchlist).distinct()
        if lists:
            query = query.where(listing.c.watchlist.in_(lists))
        if tags:
            query = query.where(listing.c.nct_id.in_(select(tag.c.nct_id).where(tag.c.tag.in_(tags))))
        if nct_ids:
            query = query.where(listing.c.nct_id.in_(sorted(nct_ids)[:_BATCH]))
        names |= set(db.execute(query).scalars())
    return sorted(names)


def has_opted_out(db: Connection, address: str, watchlist: str) -> bool:
    """Return whether a reader asked to hear no more of a list, or of all ("")."""
    here = or_(opt_out.c.watchlist == watchlist, opt_out.c.watchlist == "")
    return db.execute(select(opt_out.c.at).where(opt_out.c.address == address, here)).first() is not None
