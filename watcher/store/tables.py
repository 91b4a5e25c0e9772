"""The tables.  Every column says what it means where its name does not.

Does not query.  The schema in force is what ``migrations/`` makes; a test holds the two against each other.
Moments are UTC.  Bodies are compressed, see ``bodies.py``.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)

from watcher.model import Json


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime, also in databases that do not keep a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        if not isinstance(value, datetime):
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Words(TypeDecorator[str]):
    """Text from outside, whatever characters it holds.

    PostgreSQL stores no NUL, and no database half a surrogate pair, but JSON and a server's reply may hold both.  Each
    is stored as SUBSTITUTE and its code in four hexadecimal digits, and so is SUBSTITUTE itself.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        return None if value is None else _UNSTORABLE.sub(lambda found: f"{_SUBSTITUTE}{ord(found[0]):04x}", value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> str | None:
        return None if value is None else _STORED_CODE.sub(lambda found: chr(int(found[1], 16)), value)


_SUBSTITUTE = "\x1a"
_UNSTORABLE = re.compile(f"[\x00{_SUBSTITUTE}\ud800-\udfff]")
_STORED_CODE = re.compile(f"{_SUBSTITUTE}([0-9a-f]{{4}})")


class Value(TypeDecorator[Json]):
    """A JSON value as text, ASCII only; None is NULL.

    Not a column of the database's JSON type: in SQLite that one stores 1.0 as 1, and 10^40 as 1e40.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Json, _dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Json:
        return None if value is None else json.loads(value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NCT_ID = String(11)
ADDRESS = String(320)

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
    Index("ix_watch_watched_release_id", "watched", "release_id"),
)

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

subscription = Table(
    "subscription",
    metadata,
    Column("watchlist", String(200), primary_key=True),
    Column("address", ADDRESS, primary_key=True),
    Column("origin", String(10), primary_key=True),
    Column("cadence", String(10), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("hour", Integer, nullable=False),  # local, 0 to 23
    Column("weekday", Integer, nullable=False),  # 0 = Monday
    Column("added_at", Moment, nullable=False),
)

# Who hears of which trial: what follows from listing and subscription, kept so that joining and leaving are noticed.
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
)

# Something that one reader must hear.
notice = Table(
    "notice",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", ADDRESS, nullable=False),
    Column("nct_id", NCT_ID, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("revision_id", ForeignKey("revision.id")),  # CHANGED only
    Column("detail", Words),  # GONE: the registry's words
    Column("created_at", Moment, nullable=False),
    Column("opens_at", Moment, nullable=False),  # the digest window it belongs to, half-open: from here …
    Column("closes_at", Moment, nullable=False),  # … to just before here
    Column("digest_id", ForeignKey("digest.id")),  # None = not yet told
    Index("ix_notice_digest_id_closes_at", "digest_id", "closes_at"),
)

digest = Table(
    "digest",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", ADDRESS, nullable=False),
    Column("subject_matter", String(20), nullable=False),  # "changes" or "watching": two mails, two windows
    Column("opens_at", Moment, nullable=False),
    Column("closes_at", Moment, nullable=False),
    Column("composed_at", Moment, nullable=False),
    # A window is told once, however late and however often the service restarts.
    UniqueConstraint("address", "subject_matter", "closes_at"),
)

# The outbox.  A row leaves it only as sent, or as failed with the operator told.
message = Table(
    "message",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("digest_id", ForeignKey("digest.id")),  # None = a notice to the operator
    Column("message_id", String(400), nullable=False, unique=True),  # the header; the same on every attempt
    Column("sender", ADDRESS, nullable=False),
    Column("recipient", ADDRESS, nullable=False),
    Column("subject", Words, nullable=False),
    Column("mime", LargeBinary, nullable=False),  # zstandard
    Column("text_size", Integer, nullable=False),  # bytes of the text part
    Column("html_size", Integer, nullable=False),  # bytes of the HTML part
    Column("composed_at", Moment, nullable=False),
    Column("state", String(10), nullable=False),
    Column("phase", String(10)),  # how far the last attempt came; written before the step begins
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Moment, nullable=False),
    Column("reply", Words),  # the server's last words
    Column("finished_at", Moment),  # when it was sent or given up
    Index("ix_message_state_next_attempt_at", "state", "next_attempt_at"),
)

# What the operator has to know.  Open incidents are told once.
incident = Table(
    "incident",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(100), nullable=False),  # what it is about, e.g. "registry" or "snapshot 12"
    Column("summary", Words, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("told_at", Moment),  # when the mail to the operator was put into the outbox
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
