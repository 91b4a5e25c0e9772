"""What the registry serves: its releases, the versions of records, and what is watched."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, UniqueConstraint, false

from watcher.store.tables.types import NCT_ID, Moment, Words, metadata

release = Table(
    "release",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("data_timestamp", String(40), nullable=False, unique=True),  # as the registry writes it
    Column("api_version", String(40), nullable=False),
    Column("first_seen_at", Moment, nullable=False),
    Column("confirmed_at", Moment, nullable=False),  # when the registry last said that this is the current one
    Column("current", Boolean, nullable=False),  # the one that the registry was at when it was last asked
    Column("checked_at", Moment),  # when every watch had last been asked for in it; None = not yet
    Column("pass_begun_at", Moment),  # a check is recording what changed, or died of it; None = none is under way
)

snapshot = Table(
    "snapshot",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("nct_id", NCT_ID, nullable=False),
    Column("content_hash", LargeBinary(32), nullable=False),  # SHA-256 of the body without the daily stamp
    Column("base_id", ForeignKey("snapshot.id")),  # the version that the body is compressed against; None = none
    Column("depth", Integer, nullable=False),  # how many versions must be read before this one
    Column("body", LargeBinary, nullable=False),  # zstandard
    Column("size", Integer, nullable=False),  # bytes, uncompressed
    Column("release_id", ForeignKey("release.id"), nullable=False),  # the first release that it was seen in
    Column("recorded_at", Moment, nullable=False),
    Column("quarantined_at", Moment),  # None = readable, as far as is known
    Column("quarantine_reason", Words),
    UniqueConstraint("nct_id", "content_hash"),
)

watch = Table(
    "watch",
    metadata,
    Column("nct_id", NCT_ID, primary_key=True),
    Column("watched", Boolean, nullable=False),  # some list names it; the row is kept when none does any more
    Column("snapshot_id", ForeignKey("snapshot.id")),  # the current one; None = never fetched
    Column("content_hash", LargeBinary(32)),  # of the current snapshot, so that "unchanged" needs one look-up
    Column("release_id", ForeignKey("release.id")),  # the last one that the record was verified against
    Column("withheld", Boolean, nullable=False, server_default=false()),  # the current version is a placeholder
    Column("stamp", String(10)),  # the day that the record was stamped with then; None = it carried none
    Column("reason", String(20)),  # why the last attempt failed; None = it did not
    Column("detail", Words),  # the registry's words
    Column("failing_since", Moment),
    Column("absent_release_id", ForeignKey("release.id")),  # the last release in which the registry had no such record
    Column("absent_releases", Integer, nullable=False),  # how many releases in a row
    Column("gone_told", Boolean, nullable=False),  # readers were told that the record is gone
    Column("unverified_releases", Integer, nullable=False, server_default="0"),  # in a row, the current one included
    Column("unverified_told_at", Moment),  # when readers were last told so; None = they were not, or it is over
    Column("doubted_hash", LargeBinary(32)),  # of an answer that is believed only when it comes again; None = none
    Index("ix_watch_watched_release_id", "watched", "release_id"),
)
