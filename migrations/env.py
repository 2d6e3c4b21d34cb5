"""Alembic's entry: runs migrations on the store whose URL ``incidents.migrate`` hands over."""

from alembic import context
from sqlalchemy import text

from incidents.tables import described, metadata
from incidents.transactions import connect

_LOCK = 5_505_056


def run() -> None:
    """Migrate in one transaction, alone."""
    engine = connect(context.config.attributes["url"], hurried=False)
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
            connection.commit()
        else:
            # The driver commits each statement by itself: killed half-way, the tables
            # would be there, their revision would not, and no later start could go on.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        context.configure(
            connection=connection,
            target_metadata=metadata,
            include_object=described,
            transaction_per_migration=False,
            render_as_batch=engine.dialect.name == "sqlite",
        )
        with context.begin_transaction():
            context.run_migrations()
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")
        connection.commit()
    engine.dispose()


run()
