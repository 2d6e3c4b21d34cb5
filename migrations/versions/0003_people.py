"""People and what is done for them: numbers, markers, contacts, follow-ups, operations, reviews"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_NEW = (
    "absences",
    "addresses",
    "in_scope",
    "merges",
    "person_numbers",
    "callbacks",
    "parts",
    "reviews",
)


def upgrade() -> None:
    """Add tables of their own, and columns the release before does not name."""
    _make_tables()
    _add_columns()


def _make_tables() -> None:
    op.create_table(
        "absences",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=False),
        sa.Column("cover_id", sa.String(length=36)),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.ForeignKeyConstraint(["cover_id"], ["users.id"], name="fk_absences_cover_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_absences_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_absences"),
    )
    op.create_index("ix_absences_user_id", "absences", ["user_id"])
    op.create_table(
        "addresses",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("look_up", sa.String(length=40), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_addresses_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_addresses"),
    )
    op.create_index("ix_addresses_look_up", "addresses", ["look_up"])
    op.create_index("ix_addresses_person_id", "addresses", ["person_id"])
    op.create_table(
        "in_scope",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("operation_id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("part", sa.String(length=40), nullable=False),
        sa.Column("how", sa.String(length=40), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("removed_at", _MOMENT),
        sa.Column("removed_by", sa.String(length=200)),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name="fk_in_scope_operation_id"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_in_scope_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_in_scope"),
    )
    op.create_index("ix_in_scope_operation_id", "in_scope", ["operation_id"])
    op.create_index("ix_in_scope_person_id", "in_scope", ["person_id"])
    op.create_table(
        "merges",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kept_id", sa.String(length=36), nullable=False),
        sa.Column("merged_id", sa.String(length=36), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("undone_at", _MOMENT),
        sa.Column("undone_by", sa.String(length=200)),
        sa.ForeignKeyConstraint(["kept_id"], ["people.id"], name="fk_merges_kept_id"),
        sa.ForeignKeyConstraint(["merged_id"], ["people.id"], name="fk_merges_merged_id"),
        sa.PrimaryKeyConstraint("id", name="pk_merges"),
    )
    op.create_index("ix_merges_kept_id", "merges", ["kept_id"])
    op.create_index("ix_merges_merged_id", "merges", ["merged_id"])
    op.create_table(
        "person_numbers",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("number_id", sa.String(length=36), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.ForeignKeyConstraint(["number_id"], ["numbers.id"], name="fk_person_numbers_number_id"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_person_numbers_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_person_numbers"),
    )
    op.create_index("ix_person_numbers_number_id", "person_numbers", ["number_id"])
    op.create_index("ix_person_numbers_person_id", "person_numbers", ["person_id"])
    op.create_table(
        "callbacks",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("number_id", sa.String(length=36), nullable=False),
        sa.Column("call_key", sa.String(length=40)),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=40)),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.ForeignKeyConstraint(["call_key"], ["incidents.call_key"], name="fk_callbacks_call_key"),
        sa.ForeignKeyConstraint(["number_id"], ["numbers.id"], name="fk_callbacks_number_id"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_callbacks_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_callbacks"),
    )
    op.create_index("ix_callbacks_person_id", "callbacks", ["person_id"])
    op.create_table(
        "parts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("call_key", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("part", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.ForeignKeyConstraint(["call_key"], ["incidents.call_key"], name="fk_parts_call_key"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_parts_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_parts"),
    )
    op.create_index("ix_parts_call_key", "parts", ["call_key"])
    op.create_index("ix_parts_person_id", "parts", ["person_id"])
    op.create_table(
        "reviews",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("call_key", sa.String(length=40), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("decision", sa.String(length=40), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("sampled", sa.Boolean(), nullable=False),
        sa.Column("second_by", sa.String(length=200)),
        sa.Column("second_decision", sa.String(length=40)),
        sa.Column("second_at", _MOMENT),
        sa.Column("data", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["call_key"], ["incidents.call_key"], name="fk_reviews_call_key"),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
    )
    op.create_index("ix_reviews_call_key", "reviews", ["call_key"])
    op.create_index("ix_reviews_sampled_second_at", "reviews", ["sampled", "second_at"])


def _add_columns() -> None:
    with op.batch_alter_table("contacts") as batch:
        batch.add_column(sa.Column("by", sa.String(length=200)))
        batch.add_column(sa.Column("at", _MOMENT))
        batch.add_column(sa.Column("reason", sa.LargeBinary()))
        batch.create_index("ix_contacts_user_id", ["user_id"])

    with op.batch_alter_table("follow_ups") as batch:
        batch.add_column(sa.Column("created_by", sa.String(length=200)))
        batch.add_column(sa.Column("created_at", _MOMENT))
        batch.add_column(sa.Column("closed_by", sa.String(length=200)))
        batch.add_column(sa.Column("rule", sa.String(length=40)))
        batch.add_column(sa.Column("once", sa.String(length=40)))
        batch.create_index("ix_follow_ups_call_key", ["call_key"])
        batch.create_index("ix_follow_ups_closed_at_due_at", ["closed_at", "due_at"])
        batch.create_index("ix_follow_ups_operation_id", ["operation_id"])
        batch.create_index("ix_follow_ups_owner_id_closed_at", ["owner_id", "closed_at"])
        batch.create_index("ix_follow_ups_person_id", ["person_id"])
        batch.create_unique_constraint("uq_follow_ups_once", ["once"])

    with op.batch_alter_table("incidents") as batch:
        batch.add_column(sa.Column("people", sa.JSON(none_as_null=True)))
        batch.add_column(sa.Column("contacts", sa.JSON(none_as_null=True)))
        batch.add_column(sa.Column("proposed_grade", sa.String(length=40)))
        batch.add_column(sa.Column("chosen", sa.String(length=40)))

    with op.batch_alter_table("markers") as batch:
        batch.add_column(sa.Column("created_by", sa.String(length=200)))
        batch.add_column(sa.Column("ended_by", sa.String(length=200)))
        batch.add_column(sa.Column("address", sa.String(length=40)))
        batch.create_index("ix_markers_address", ["address"])
        batch.create_index("ix_markers_number_id", ["number_id"])
        batch.create_index("ix_markers_person_id", ["person_id"])

    with op.batch_alter_table("operations") as batch:
        batch.add_column(sa.Column("created_by", sa.String(length=200)))
        batch.add_column(sa.Column("created_at", _MOMENT))
        batch.add_column(sa.Column("closed_at", _MOMENT))

    with op.batch_alter_table("people") as batch:
        batch.add_column(sa.Column("created_by", sa.String(length=200)))
        batch.add_column(sa.Column("code", sa.String(length=40)))
        batch.add_column(sa.Column("repeat_at", _MOMENT))
        batch.add_column(sa.Column("merged_into", sa.String(length=36)))
        batch.create_index("ix_people_merged_into", ["merged_into"])
        batch.create_unique_constraint("uq_people_code", ["code"])
        batch.create_foreign_key("fk_people_merged_into", "people", ["merged_into"], ["id"])


def downgrade() -> None:
    """Go back to the tables of the release before."""
    with op.batch_alter_table("people") as batch:
        batch.drop_constraint("fk_people_merged_into", type_="foreignkey")
        batch.drop_constraint("uq_people_code", type_="unique")
        batch.drop_index("ix_people_merged_into")
        batch.drop_column("merged_into")
        batch.drop_column("repeat_at")
        batch.drop_column("code")
        batch.drop_column("created_by")
    with op.batch_alter_table("operations") as batch:
        batch.drop_column("closed_at")
        batch.drop_column("created_at")
        batch.drop_column("created_by")
    with op.batch_alter_table("markers") as batch:
        batch.drop_index("ix_markers_person_id")
        batch.drop_index("ix_markers_number_id")
        batch.drop_index("ix_markers_address")
        batch.drop_column("address")
        batch.drop_column("ended_by")
        batch.drop_column("created_by")
    with op.batch_alter_table("incidents") as batch:
        batch.drop_column("chosen")
        batch.drop_column("proposed_grade")
        batch.drop_column("contacts")
        batch.drop_column("people")
    with op.batch_alter_table("follow_ups") as batch:
        batch.drop_constraint("uq_follow_ups_once", type_="unique")
        batch.drop_index("ix_follow_ups_person_id")
        batch.drop_index("ix_follow_ups_owner_id_closed_at")
        batch.drop_index("ix_follow_ups_operation_id")
        batch.drop_index("ix_follow_ups_closed_at_due_at")
        batch.drop_index("ix_follow_ups_call_key")
        batch.drop_column("once")
        batch.drop_column("rule")
        batch.drop_column("closed_by")
        batch.drop_column("created_at")
        batch.drop_column("created_by")
    with op.batch_alter_table("contacts") as batch:
        batch.drop_index("ix_contacts_user_id")
        batch.drop_column("reason")
        batch.drop_column("at")
        batch.drop_column("by")
    for table in reversed(_NEW):
        op.drop_table(table)
