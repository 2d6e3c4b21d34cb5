"""What handlers do, the ladder, the audit chain and the second factor"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def _incident_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("called", sa.String(length=40)),
        sa.Column("language", sa.String(length=40)),
        sa.Column("bridged", sa.String(length=200)),
        sa.Column("last_step", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("alerted_at", _MOMENT),
        sa.Column("answers", sa.LargeBinary()),
        sa.Column("graded_at", _MOMENT),
        sa.Column("set_urgency", sa.SmallInteger()),
        sa.Column("set_urgency_at", _MOMENT),
        sa.Column("away_at", _MOMENT),
        sa.Column("rung", sa.SmallInteger()),
    ]


def _alert_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("climb", sa.String(length=36), nullable=False, server_default=""),
        sa.Column("why", sa.String(length=40), nullable=False, server_default="waiting"),
        sa.Column("boot", sa.String(length=36), nullable=False, server_default=""),
        sa.Column("began_ms", sa.BigInteger(), nullable=False, server_default="0"),
    ]


def _user_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("totp", sa.LargeBinary()),
        sa.Column("totp_step", sa.BigInteger()),
        sa.Column("phone", sa.LargeBinary()),
        sa.Column("shift", sa.String(length=11)),
        sa.Column("invitation", sa.String(length=64)),
        sa.Column("invited_until", _MOMENT),
    ]


def _columns() -> list[tuple[str, list[sa.Column[Any]]]]:
    return [
        ("incidents", _incident_columns()),
        ("alerts", _alert_columns()),
        ("users", _user_columns()),
    ]


_NEW = ("presence", "orders", "requests", "proposals", "handovers", "rungs", "audit")


def upgrade() -> None:
    """Add columns the release before does not name, and tables of their own.

    The audit table was never written to before: it is made anew, with its numbers.
    """
    for table, columns in _columns():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.add_column(column)
            if table == "users":
                batch.create_unique_constraint("uq_users_invitation", ["invitation"])
    op.create_index("ix_incidents_handler_closed_at", "incidents", ["handler", "closed_at"])
    op.create_table(
        "presence",
        sa.Column("name", sa.String(length=200), primary_key=True),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("heard_at", _MOMENT, nullable=False),
        sa.Column("feed_at", _MOMENT),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.String(length=36), primary_key=True),
        sa.Column("call_key", sa.String(length=40), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("once", sa.String(length=40), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("problem", sa.Text()),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("done_at", _MOMENT),
        sa.UniqueConstraint("once", name="uq_orders_once"),
    )
    op.create_index("ix_orders_call_key", "orders", ["call_key"])
    op.create_index("ix_orders_state_at", "orders", ["state", "at"])
    op.create_table(
        "requests",
        sa.Column("id", sa.String(length=40), primary_key=True),
        sa.Column("content", sa.String(length=40), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
    )
    op.create_table(
        "proposals",
        sa.Column("id", sa.String(length=36), primary_key=True),
        sa.Column("call_key", sa.String(length=40), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=40), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("decided_at", _MOMENT),
        sa.Column("decided_by", sa.String(length=200)),
    )
    op.create_index("ix_proposals_call_key", "proposals", ["call_key"])
    op.create_table(
        "handovers",
        sa.Column("id", sa.String(length=36), primary_key=True),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
    )
    op.create_table(
        "rungs",
        sa.Column("id", sa.String(length=40), primary_key=True),
        sa.Column("call_key", sa.String(length=40), nullable=False),
        sa.Column("climb", sa.String(length=36), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("rung", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
    )
    op.create_index("ix_rungs_call_key", "rungs", ["call_key"])
    op.drop_table("audit")
    op.create_table(
        "audit",
        sa.Column("id", sa.String(length=36), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("operation", sa.String(length=40), nullable=False),
        sa.Column("what", sa.String(length=200), nullable=False),
        sa.Column("record", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.LargeBinary()),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.UniqueConstraint("number", name="uq_audit_number"),
        sa.UniqueConstraint("previous", name="uq_audit_previous"),
        sa.UniqueConstraint("hash", name="uq_audit_hash"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_actor_at", "audit", ["actor", "at"])
    op.create_index("ix_audit_record_at", "audit", ["record", "at"])


def downgrade() -> None:
    """Go back to the tables of the first release."""
    for table in reversed(_NEW):
        op.drop_table(table)
    op.create_table(
        "audit",
        sa.Column("id", sa.String(length=36), primary_key=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("operation", sa.String(length=40), nullable=False),
        sa.Column("record", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.LargeBinary()),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.UniqueConstraint("previous", name="uq_audit_previous"),
        sa.UniqueConstraint("hash", name="uq_audit_hash"),
    )
    op.drop_index("ix_incidents_handler_closed_at", "incidents")
    with op.batch_alter_table("users") as batch:
        batch.drop_constraint("uq_users_invitation", type_="unique")
    for table, columns in _columns():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
