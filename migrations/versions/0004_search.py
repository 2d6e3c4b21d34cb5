"""The blind index: keyed hashes of words, in each database's own full-text search"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table, and what finds its words."""
    op.create_table(
        "searchable",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("row", sa.String(length=36), nullable=False),
        sa.Column("call_key", sa.String(length=40)),
        sa.Column("person_id", sa.String(length=36)),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_searchable"),
        sa.UniqueConstraint("row", name="uq_searchable_row"),
    )
    op.create_index("ix_searchable_call_key", "searchable", ["call_key"])
    op.create_index("ix_searchable_person_id", "searchable", ["person_id"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE searchable_fts USING fts5("
            "words, content='searchable', content_rowid='number', detail='none')"
        )
        op.execute(
            "CREATE TRIGGER searchable_fts_in AFTER INSERT ON searchable BEGIN "
            "INSERT INTO searchable_fts(rowid, words) VALUES (new.number, new.words); END"
        )
        op.execute(
            "CREATE TRIGGER searchable_fts_out AFTER DELETE ON searchable BEGIN "
            "INSERT INTO searchable_fts(searchable_fts, rowid, words) "
            "VALUES ('delete', old.number, old.words); END"
        )
    else:
        # No pending list: a search never pays for the notes before it.
        op.execute(
            "CREATE INDEX searchable_fts ON searchable USING gin "
            "(array_to_tsvector(string_to_array(words, ' '))) WITH (fastupdate = off)"
        )


def downgrade() -> None:
    """Take it away; what people wrote stays."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER searchable_fts_in")
        op.execute("DROP TRIGGER searchable_fts_out")
        op.execute("DROP TABLE searchable_fts")
    op.drop_table("searchable")
