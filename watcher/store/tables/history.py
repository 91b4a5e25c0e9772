"""What changed, and who has taken note of it."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from watcher.store.tables.types import ADDRESS, NCT_ID, Moment, Value, Words, metadata

# One step of a record from one version to the next.
revision = Table(
    "revision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("nct_id", NCT_ID, nullable=False),
    Column("before_id", ForeignKey("snapshot.id")),  # None = the first sight of the record
    Column("after_id", ForeignKey("snapshot.id"), nullable=False),
    Column("release_id", ForeignKey("release.id"), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Index("ix_revision_nct_id", "nct_id"),
)

change = Table(
    "change",
    metadata,
    Column("revision_id", ForeignKey("revision.id"), primary_key=True),
    Column("position", Integer, primary_key=True),  # 0, 1, … within the revision
    Column("id", String(16), nullable=False),
    Column("path", Words, nullable=False),
    Column("item", Words),
    Column("how", String(10), nullable=False),
    Column("label", Words, nullable=False),
    Column("category", String(20), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("place", String(10), nullable=False),
    # Codes of the rules that made severity and place; empty also in what was recorded before 0002.
    Column("rules", Value, nullable=False, server_default="[]"),
    Column("story", String(16), nullable=False),
    Column("sentence", Words, nullable=False),
    Column("headline", Words, nullable=False),
    Column("old", Value),
    Column("new", Value),
    Index("ix_change_id", "id"),
    Index("ix_change_severity", "severity"),  # for the few that are critical
)

# Who has taken note of a story, or was asked to.  Rows are added and never changed: the newest one counts.
acknowledgement = Table(
    "acknowledgement",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("revision_id", ForeignKey("revision.id"), nullable=False),
    Column("story", String(16), nullable=False),
    Column("act", String(15), nullable=False),  # "acknowledged", "assigned" or "reopened"
    Column("by", Words, nullable=False),  # an address, or the login name of who typed the command
    Column("assignee", ADDRESS),  # ASSIGNED: who is to look after it
    Column("comment", Words),
    Column("at", Moment, nullable=False),
    Index("ix_acknowledgement_revision_id_story", "revision_id", "story"),
)
