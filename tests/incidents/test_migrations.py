"""Alembic and the tables in step, on both databases, whatever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from incidents import migrate
from incidents.tables import FULL_TEXT, described, metadata
from incidents.transactions import connect, reading
from tests.waiting import eventually


def tables(url: str) -> set[str]:
    """The tables there are, without Alembic's own and the full-text search's."""
    engine = connect(url)
    found = set(inspect(engine).get_table_names()) - {"alembic_version"}
    engine.dispose()
    return {name for name in found if not name.startswith(FULL_TEXT)}


def test_migrations_make_exactly_the_tables_of_the_design(empty_url: str) -> None:
    """Autogenerate finds nothing to add: types, indexes, unique keys and foreign keys included."""
    migrate.upgrade(empty_url)
    engine = connect(empty_url)
    with reading(engine) as connection:
        opts = {"compare_type": True, "include_object": described}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, metadata) == []
    engine.dispose()
    assert tables(empty_url) == set(metadata.tables)


def test_the_check_for_tables_out_of_step_catches_a_missing_column(empty_sqlite_url: str) -> None:
    """Planted: without one column autogenerate has something to say."""
    migrate.upgrade(empty_sqlite_url)
    engine = connect(empty_sqlite_url)
    with engine.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE incidents DROP COLUMN grade")
        assert compare_metadata(MigrationContext.configure(connection), metadata) != []
    engine.dispose()


def test_migrating_twice_changes_nothing(empty_url: str) -> None:
    """Every start migrates; only the first has something to do."""
    migrate.upgrade(empty_url)
    migrate.upgrade(empty_url)
    present, newest = migrate.revisions(empty_url)
    assert present == newest is not None


def test_every_migration_can_be_taken_back_and_made_again(empty_url: str) -> None:
    """A release that must be rolled back leaves nothing that stops the next one."""
    migrate.upgrade(empty_url)
    command.downgrade(migrate._config(empty_url), "base")
    assert tables(empty_url) == set()
    migrate.upgrade(empty_url)
    assert tables(empty_url) == set(metadata.tables)


def test_a_revision_is_told_before_and_after(empty_url: str) -> None:
    """What doctor asks: which revision is here, and which is the newest."""
    assert migrate.revisions(empty_url)[0] is None
    migrate.upgrade(empty_url)
    present, newest = migrate.revisions(empty_url)
    assert present == newest


_UPGRADE = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from incidents import migrate
left = int(sys.argv[2])
@event.listens_for(Engine, "before_cursor_execute")
def stop(connection, cursor, statement, *rest):
    global left
    if statement.lstrip().upper().startswith(("CREATE", "INSERT", "UPDATE")):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
migrate.upgrade(sys.argv[1])
"""


@pytest.mark.parametrize("statement", [2, 9, 21])
def test_a_migration_killed_half_way_is_made_by_the_next_start(
    empty_url: str, statement: int
) -> None:
    """One transaction: tables without their revision would stop every later start."""
    root = Path(migrate.__file__).resolve().parent.parent
    killed = subprocess.run(
        [sys.executable, "-c", _UPGRADE, empty_url, str(statement)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    # PostgreSQL notices that its client is gone a moment later, and gives its lock back.
    eventually(lambda: tables(empty_url) == set(), 10)
    migrate.upgrade(empty_url)
    assert tables(empty_url) == set(metadata.tables)


def test_two_starts_at_once_migrate_one_after_the_other(empty_url: str) -> None:
    """Two machines are started on one empty store."""
    root = Path(migrate.__file__).resolve().parent.parent
    made = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys; from incidents import migrate; migrate.upgrade(sys.argv[1])",
                empty_url,
            ],
            cwd=root,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for one in made:
        _, said = one.communicate(timeout=60)
        assert one.returncode == 0, said.decode()
    assert tables(empty_url) == set(metadata.tables)
