"""What readers must hear, and the outbox."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, UniqueConstraint, false

from watcher.store.tables.types import ADDRESS, NCT_ID, Moment, Value, Words, metadata

# Something that one reader must hear.
notice = Table(
    "notice",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", ADDRESS, nullable=False),
    Column("nct_id", NCT_ID),  # None = it is about the registry as a whole
    Column("kind", String(20), nullable=False),
    Column("revision_id", ForeignKey("revision.id")),  # CHANGED and UNACKNOWLEDGED only
    Column("stories", Value),  # of these: those of the revision's stories that it is about; None = all
    Column("severity", String(10), nullable=False, server_default="minor"),  # the worst that it tells
    Column("categories", Value),  # CHANGED: under which a digest tells the stories; None = it is about no story
    Column("pierces", Boolean, nullable=False, server_default=false()),  # critical, and told although it is muted
    Column("why", Words),  # the routes that it came by, in words
    Column("detail", Words),  # in words, where the kind needs some: the registry's, or who cannot be reached
    Column("created_at", Moment, nullable=False),
    Column("opens_at", Moment, nullable=False),  # the digest window it belongs to, half-open: from here …
    Column("closes_at", Moment, nullable=False),  # … to just before here
    Column("wanted_at", Moment),  # when it would be told if no quiet hours and free days held it; None = closes_at
    Column("digest_id", ForeignKey("digest.id")),  # None = not yet told
    Column("message_id", ForeignKey("message.id")),  # what tells it; None = nothing yet, or told before 0003
    Column("hold_id", ForeignKey("hold.id")),  # told only when this hold has ended; None = nothing holds it back
    Column("delayed_since", Moment),  # when a mail that told it was first composed; None = it was in none before
    Column("drill", Boolean, nullable=False, server_default=false()),  # of a change that was only played
    Index("ix_notice_digest_id_address_closes_at", "digest_id", "address", "closes_at"),
    Index("ix_notice_message_id", "message_id"),
    Index("ix_notice_revision_id", "revision_id"),
)

digest = Table(
    "digest",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", ADDRESS, nullable=False),
    Column("subject_matter", String(20), nullable=False),  # see notices.py: each has mails and windows of its own
    Column("opens_at", Moment, nullable=False),
    Column("closes_at", Moment, nullable=False),
    Column("composed_at", Moment, nullable=False),
    # A window is told once, however late and however often the service restarts.
    UniqueConstraint("address", "subject_matter", "closes_at"),
)

# The outbox.  A row leaves it only as sent, as folded into a later message, or as failed with the operator told.
message = Table(
    "message",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("digest_id", ForeignKey("digest.id")),  # None = a notice to the operator, or a drill
    Column("channel", String(200), nullable=False, server_default="mail"),  # or the name of a target
    Column("return_token", String(32)),  # in the envelope sender, by which a bounce is known; None = none
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
    # Attempts whose final dot was not answered, and of which nothing more is known: each may have been taken.
    Column("unanswered", Integer, nullable=False, server_default="0"),
    Column("drill", Boolean, nullable=False, server_default=false()),  # of a change that was only played
    Index("ix_message_return_token", "return_token"),
    Index("ix_message_digest_id", "digest_id"),
    # All that is asked to find what is due: a row itself is long.
    Index("ix_message_due", "state", "channel", "attempts", "composed_at", "id", "next_attempt_at"),
)

# Addresses that mail does not reach any more.  Nothing is sent there until the suspension is lifted.
suspension = Table(
    "suspension",
    metadata,
    Column("address", ADDRESS, primary_key=True),
    Column("since", Moment, nullable=False),
    Column("reason", Words, nullable=False),  # the receiving server's words
    Column("message_id", ForeignKey("message.id")),  # the message that came back
)

# Reports that came back about messages that a server had taken.
bounce = Table(
    "bounce",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message_id", ForeignKey("message.id")),  # None = no message of ours could be told from it
    Column("address", ADDRESS),  # that it could not be delivered to; None = it does not say
    Column("permanent", Boolean, nullable=False),  # the address is of no use any more
    Column("why", String(30), nullable=False),  # what the report means: see core/bounces.py
    Column("status", String(20)),  # RFC 3463, "5.1.1"
    Column("diagnostic", Words),
    Column("report_id", Words, nullable=False),  # the report's own Message-ID, so that it is read once
    Column("received_at", Moment, nullable=False),
    UniqueConstraint("report_id"),
    Index("ix_bounce_message_id", "message_id"),
)
