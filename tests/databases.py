"""Stores for the tests: migrated once in a run, then handed on with nothing in them.

Migrating takes longer than most tests, and so do making and dropping a PostgreSQL database; both
are tested by themselves. Deleting the rows of one takes some milliseconds.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from incidents.migrate import upgrade
from incidents.tables import metadata

_numbers = itertools.count(1)


def unused() -> str:
    """A name that no database of the server has."""
    return f"quietline_{os.getpid()}_{next(_numbers)}"


def sqlite_at(path: Path) -> str:
    """Write a migrated, empty SQLite file at ``path``; returns its URL."""
    path.write_bytes(_migrated())
    return f"sqlite:///{path}"


@cache
def _migrated() -> bytes:
    with TemporaryDirectory(prefix="quietline-") as folder:
        path = Path(folder) / "quietline.db"
        upgrade(f"sqlite:///{path}")
        return path.read_bytes()


@dataclass(slots=True)
class Shared:
    """One migrated database of a PostgreSQL ``server`` (its URL, with ``{}`` for the name)."""

    server: str
    _name: str = field(init=False, default_factory=unused)
    _revision: str = field(init=False)

    def __post_init__(self) -> None:
        with psycopg.connect(self.server.format("postgres"), autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{self._name}"'.encode())
        upgrade(self.server.format(self._name))
        with psycopg.connect(self.server.format(self._name)) as inside:
            rows = inside.execute("SELECT version_num FROM alembic_version")
            [(self._revision,)] = rows.fetchall()

    def emptied(self) -> str:
        """Empty it, as it was when it was made; returns its URL, which holds until the next call.

        It gets another name each time: what an earlier test left running finds no database.
        """
        before, self._name = self._name, unused()
        with psycopg.connect(self.server.format("postgres"), autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s",
                [before],
            )
            admin.execute(f'ALTER DATABASE "{before}" RENAME TO "{self._name}"'.encode())
        with psycopg.connect(self.server.format(self._name)) as inside:
            for table in reversed(metadata.sorted_tables):
                inside.execute(f"DELETE FROM {table.name}".encode())
            inside.execute("UPDATE alembic_version SET version_num = %s", [self._revision])
            inside.execute("SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence")
        return self.server.format(self._name)
