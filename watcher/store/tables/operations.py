"""What the operator has to know and to decide, who does the work, and since when what is done."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from watcher.store.tables.types import Moment, Words, metadata

# What the operator has to know.  Open incidents are told once.
incident = Table(
    "incident",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(100), nullable=False),  # what it is about, e.g. "registry" or "snapshot 12"
    Column("summary", Words, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("told_at", Moment),  # when the mail to the operator was put into the outbox
    Column("target_told_at", Moment),  # when a message to the operator's target was; it is not told there again
    Column("closed_at", Moment),  # None = still so
    Index("ix_incident_key_closed_at", "key", "closed_at"),
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("token", String(32), nullable=False),  # random; whoever knows it holds the lease
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", String(40)),  # tells a process from a later one with the same number; None = unknown
    Column("acquired_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)

# A release whose changes are told only when the operator has looked at them.
hold = Table(
    "hold",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("release_id", ForeignKey("release.id"), nullable=False),
    Column("reason", String(20), nullable=False),  # "many_changes" or "new_api_version"
    Column("summary", Words, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("ended_at", Moment),  # None = its notices wait
    Column("decision", String(15)),  # "released" or "reclassified"
    UniqueConstraint("release_id", "reason"),
)

# Since when the service does what it did not always do, so that it does not begin with what is long past.
beginning = Table(
    "beginning",
    metadata,
    Column("name", String(30), primary_key=True),
    Column("at", Moment, nullable=False),
)
