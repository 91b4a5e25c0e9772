"""Who hears of which trials: lists, tags, routes, readers, and what they asked to hear no more of."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from watcher.store.tables.types import ADDRESS, NCT_ID, Moment, Value, Words, metadata

# Who watches what: the settings file (origin "file") and commands (origin "command") side by side.
listing = Table(
    "listing",
    metadata,
    Column("watchlist", String(200), primary_key=True),
    Column("nct_id", NCT_ID, primary_key=True),
    Column("origin", String(10), primary_key=True),
    Column("added_at", Moment, nullable=False),
    Index("ix_listing_nct_id", "nct_id"),
)

# Who hears of which trial: what follows from listings, tags, routes and opt-outs, kept so that joining and leaving are
# noticed.
reader = Table(
    "reader",
    metadata,
    Column("address", ADDRESS, primary_key=True),
    Column("nct_id", NCT_ID, primary_key=True),
    Column("since", Moment, nullable=False),
    Column("welcomed_at", Moment),  # when "now watching" was noted; None = the record has not been seen since
    Index("ix_reader_welcomed_at", "welcomed_at"),
    Index("ix_reader_nct_id", "nct_id"),
)

# A word that trials share, for routes; a trial may have any number.
tag = Table(
    "tag",
    metadata,
    Column("nct_id", NCT_ID, primary_key=True),
    Column("tag", String(100), primary_key=True),
    Column("origin", String(10), primary_key=True),
    Column("added_at", Moment, nullable=False),
    Index("ix_tag_tag", "tag"),
)

# Who hears what, and when: one person, one schedule, and which changes of which trials it is for.
route = Table(
    "route",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("origin", String(10), nullable=False),  # "file", "command", or "catch-all" for what no other route takes
    Column("name", String(200), nullable=False),  # as ``config explain`` shows it
    Column("address", ADDRESS, nullable=False),
    Column("schedule", Value, nullable=False),  # see model.Schedule
    Column("severity", String(10), nullable=False),  # the least one that is heard of
    Column("categories", Value),  # of changes; None = all
    Column("countries", Value),  # of sites, as the registry writes them; None = all
    Column("added_at", Moment, nullable=False),
    Index("ix_route_address", "address"),
    Index("ix_route_origin", "origin"),  # for the one that is the catch-all
)

# Which trials a route is for: those of any of its watch lists that also have any of its tags.  Without a row of a kind,
# that kind does not matter.
route_scope = Table(
    "route_scope",
    metadata,
    Column("route_id", ForeignKey("route.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(10), primary_key=True),  # "watchlist" or "tag"
    Column("value", String(200), primary_key=True),
    Index("ix_route_scope_kind_value", "kind", "value"),
)

# What a reader does not want to hear for a while; it is kept, and told afterwards.
mute = Table(
    "mute",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", ADDRESS, nullable=False),
    Column("nct_id", NCT_ID),  # None = every trial
    Column("category", String(20)),  # None = every category
    Column("since", Moment, nullable=False),
    Column("until", Moment),  # None = until it is taken back
    Column("reason", Words),
    Column("ended_at", Moment),  # when it was taken back; None = it was not
    Index("ix_mute_address", "address"),
)

# Who asked by the link in a mail to hear no more of a watch list, whatever the settings file says.
opt_out = Table(
    "opt_out",
    metadata,
    Column("address", ADDRESS, primary_key=True),
    Column("watchlist", String(200), primary_key=True),  # "" = of all
    Column("at", Moment, nullable=False),
)

# Random words in links, which allow what they are for.  Only their hashes are kept.
token = Table(
    "token",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),  # SHA-256
    Column("purpose", String(20), nullable=False),  # "unsubscribe", "acknowledge" or "feed"
    Column("address", ADDRESS, nullable=False),  # whom it was given to
    Column("subject", Value, nullable=False),  # what it is about, an object whose keys depend on the purpose
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),  # None = in force
)
