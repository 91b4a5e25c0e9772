"""Routes in place of subscriptions; tags, mutes, acknowledgements, tokens, bounces, holds; other channels than mail.

Each subscription becomes a route of its watch list, which tells every change as before.  The table of subscriptions
goes: what it held is in the routes.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_MOMENT = sa.DateTime(timezone=True)
_NCT_ID, _ADDRESS = sa.String(11), sa.String(320)


def upgrade() -> None:
    _audience()
    _routes_of_subscriptions()
    _operations()
    _mail()
    _history()


def _audience() -> None:
    op.create_table(
        "tag",
        sa.Column("nct_id", _NCT_ID, nullable=False),
        sa.Column("tag", sa.String(100), nullable=False),
        sa.Column("origin", sa.String(10), nullable=False),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("nct_id", "tag", "origin", name="pk_tag"),
    )
    op.create_index("ix_tag_tag", "tag", ["tag"])
    op.create_table(
        "route",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(10), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("address", _ADDRESS, nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(10), nullable=False),
        sa.Column("categories", sa.Text()),
        sa.Column("countries", sa.Text()),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_route"),
    )
    op.create_index("ix_route_address", "route", ["address"])
    op.create_index("ix_route_origin", "route", ["origin"])
    op.create_table(
        "route_scope",
        sa.Column("route_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("value", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("route_id", "kind", "value", name="pk_route_scope"),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name="fk_route_scope_route_id", ondelete="CASCADE"),
    )
    op.create_index("ix_route_scope_kind_value", "route_scope", ["kind", "value"])
    op.create_table(
        "mute",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("address", _ADDRESS, nullable=False),
        sa.Column("nct_id", _NCT_ID),
        sa.Column("category", sa.String(20)),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("until", _MOMENT),
        sa.Column("reason", sa.Text()),
        sa.Column("ended_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_mute"),
    )
    op.create_index("ix_mute_address", "mute", ["address"])
    op.create_table(
        "opt_out",
        sa.Column("address", _ADDRESS, nullable=False),
        sa.Column("watchlist", sa.String(200), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("address", "watchlist", name="pk_opt_out"),
    )
    op.create_table(
        "token",
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("address", _ADDRESS, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("revoked_at", _MOMENT),
        sa.PrimaryKeyConstraint("hash", name="pk_token"),
    )


def _routes_of_subscriptions() -> None:
    db = op.get_bind()
    rows = db.execute(
        sa.text(
            "SELECT watchlist, address, origin, cadence, time_zone, hour, weekday, added_at FROM subscription "
            "ORDER BY watchlist, address, origin"
        )
    ).all()
    for number, row in enumerate(rows, start=1):
        schedule = {"cadence": row.cadence, "time_zone": row.time_zone, "hour": row.hour, "weekday": row.weekday}
        values = {
            "id": number,
            "origin": row.origin,
            "address": row.address,
            "schedule": json.dumps(schedule),
            "added_at": row.added_at,
            "watchlist": row.watchlist,
        }
        route = "INSERT INTO route (id, origin, name, address, schedule, severity, added_at) VALUES "
        db.execute(sa.text(route + "(:id, :origin, :watchlist, :address, :schedule, 'minor', :added_at)"), values)
        scope = "INSERT INTO route_scope (route_id, kind, value) VALUES (:id, 'watchlist', :watchlist)"
        db.execute(sa.text(scope), values)
    if rows and db.dialect.name == "postgresql":  # its numbers go on after those that were given
        db.execute(sa.text("SELECT setval(pg_get_serial_sequence('route', 'id'), (SELECT MAX(id) FROM route))"))
    op.drop_table("subscription")


def _operations() -> None:
    op.add_column("incident", sa.Column("target_told_at", _MOMENT))
    op.create_table(
        "hold",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.Column("decision", sa.String(15)),
        sa.PrimaryKeyConstraint("id", name="pk_hold"),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name="fk_hold_release_id"),
        sa.UniqueConstraint("release_id", "reason", name="uq_hold_release_id_reason"),
    )
    with op.batch_alter_table("release") as batch:
        batch.add_column(sa.Column("pass_begun_at", _MOMENT))
    op.create_table(
        "beginning",
        sa.Column("name", sa.String(30), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_beginning"),
    )
    with op.batch_alter_table("watch") as batch:
        batch.add_column(sa.Column("unverified_releases", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("unverified_told_at", _MOMENT))
        batch.add_column(sa.Column("doubted_hash", sa.LargeBinary(32)))


def _mail() -> None:
    with op.batch_alter_table("notice") as batch:
        batch.alter_column("nct_id", existing_type=_NCT_ID, nullable=True)
        batch.add_column(sa.Column("stories", sa.Text()))
        batch.add_column(sa.Column("severity", sa.String(10), nullable=False, server_default="minor"))
        batch.add_column(sa.Column("categories", sa.Text()))
        batch.add_column(sa.Column("pierces", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("why", sa.Text()))
        batch.add_column(sa.Column("wanted_at", _MOMENT))
        batch.add_column(sa.Column("hold_id", sa.Integer()))
        batch.add_column(sa.Column("delayed_since", _MOMENT))
        batch.add_column(sa.Column("drill", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("message_id", sa.String(32)))
        batch.create_foreign_key("fk_notice_hold_id", "hold", ["hold_id"], ["id"])
        batch.create_foreign_key("fk_notice_message_id", "message", ["message_id"], ["id"])
        batch.drop_index("ix_notice_digest_id_closes_at")
        batch.create_index("ix_notice_digest_id_address_closes_at", ["digest_id", "address", "closes_at"])
        batch.create_index("ix_notice_message_id", ["message_id"])
        batch.create_index("ix_notice_revision_id", ["revision_id"])
    with op.batch_alter_table("message") as batch:
        batch.add_column(sa.Column("channel", sa.String(200), nullable=False, server_default="mail"))
        batch.add_column(sa.Column("return_token", sa.String(32)))
        batch.add_column(sa.Column("unanswered", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("drill", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.create_index("ix_message_return_token", ["return_token"])
        batch.create_index("ix_message_digest_id", ["digest_id"])
        batch.drop_index("ix_message_state_next_attempt_at")
        due = ["state", "channel", "attempts", "composed_at", "id", "next_attempt_at"]
        batch.create_index("ix_message_due", due)
    op.create_table(
        "suspension",
        sa.Column("address", _ADDRESS, nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(32)),
        sa.PrimaryKeyConstraint("address", name="pk_suspension"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_suspension_message_id"),
    )
    op.create_table(
        "bounce",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(32)),
        sa.Column("address", _ADDRESS),
        sa.Column("permanent", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(30), nullable=False),
        sa.Column("status", sa.String(20)),
        sa.Column("diagnostic", sa.Text()),
        sa.Column("report_id", sa.Text(), nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bounce"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_bounce_message_id"),
        sa.UniqueConstraint("report_id", name="uq_bounce_report_id"),
    )
    op.create_index("ix_bounce_message_id", "bounce", ["message_id"])


def _history() -> None:
    op.create_index("ix_change_severity", "change", ["severity"])
    op.create_table(
        "acknowledgement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("story", sa.String(16), nullable=False),
        sa.Column("act", sa.String(15), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("assignee", _ADDRESS),
        sa.Column("comment", sa.Text()),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_acknowledgement"),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name="fk_acknowledgement_revision_id"),
    )
    op.create_index("ix_acknowledgement_revision_id_story", "acknowledgement", ["revision_id", "story"])
