"""The newest of a kind in the blind index, without going through the other kinds"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_KINDS = {"entries": "kind = 'entry'", "people": "kind IN ('person', 'address')"}
_FULL_TEXT = "gin (array_to_tsvector(string_to_array(words, ' '))) WITH (fastupdate = off)"


def upgrade() -> None:
    """Index each kind by itself."""
    for name, kind in _KINDS.items():
        op.create_index(
            f"ix_searchable_newest_{name}",
            "searchable",
            ["number"],
            sqlite_where=sa.text(kind),
            postgresql_where=sa.text(kind),
        )
    if op.get_bind().dialect.name == "postgresql":
        for name, kind in _KINDS.items():
            op.execute(
                f"CREATE INDEX searchable_fts_{name} ON searchable USING {_FULL_TEXT} WHERE {kind}"
            )
        op.execute("DROP INDEX searchable_fts")


def downgrade() -> None:
    """Index all kinds together."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"CREATE INDEX searchable_fts ON searchable USING {_FULL_TEXT}")
        for name in _KINDS:
            op.execute(f"DROP INDEX searchable_fts_{name}")
    for name in _KINDS:
        op.drop_index(f"ix_searchable_newest_{name}", "searchable")
