"""Brings the store's tables to this release. Imports Alembic, so only where it is needed."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from incidents.transactions import connect, reading

FOLDER = Path(__file__).resolve().parent.parent / "migrations"


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> None:
    """Migrate the store at ``url`` to the newest tables; nothing happens when it has them."""
    command.upgrade(_config(url), "head")


def revisions(url: str) -> tuple[str | None, str | None]:
    """Return the store's revision and the newest one."""
    engine = connect(url)
    with reading(engine) as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    return present, ScriptDirectory.from_config(_config(url)).get_current_head()
