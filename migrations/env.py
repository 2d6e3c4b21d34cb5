"""Alembic's entry: runs migrations on the store whose URL ``incidents.migrate`` hands over."""

from alembic import context
from sqlalchemy import text

from incidents.tables import metadata
from incidents.transactions import connect

_LOCK = 5_505_056
_NO_LIMIT = "SET statement_timeout = 0; SET lock_timeout = 0"


def run() -> None:
    """Migrate in one transaction, alone."""
    engine = connect(context.config.attributes["url"])
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(_NO_LIMIT))
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=metadata,
            transaction_per_migration=False,
            render_as_batch=engine.dialect.name == "sqlite",
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    engine.dispose()


run()
