"""Stores and machines for the tests of the record."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from incidents.migrate import upgrade
from incidents.store import Store
from incidents.tables import metadata
from tests.incidents.making import KEYS, Machine

_SHARED = "quietline_incidents"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied: migrating is tested once and costs a second."""
    path = tmp_path_factory.mktemp("template") / "quietline.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_store(postgresql: str) -> str:
    """The URL of one migrated PostgreSQL database, which the tests empty and use in turn."""
    with psycopg.connect(postgresql.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {_SHARED}".encode())
    upgrade(postgresql.format(_SHARED))
    return postgresql.format(_SHARED)


@pytest.fixture
def migrated_sqlite(tmp_path: Path, sqlite_template: Path) -> str:
    """The URL of a migrated SQLite file of the test's own."""
    path = tmp_path / "quietline.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def migrated_postgresql(postgresql_store: str) -> str:
    """The URL of a migrated PostgreSQL database with nothing in it."""
    names = ", ".join(table.name for table in metadata.sorted_tables)
    with psycopg.connect(postgresql_store, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {names} CASCADE".encode())
    return postgresql_store


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A migrated store, once of each kind."""
    store = Store(request.getfixturevalue(f"migrated_{request.param}"), KEYS)
    yield store
    store.engine.dispose()


@pytest.fixture
def machine(data: Path, store: Store) -> Machine:
    """One machine with a store of each kind."""
    return Machine(data, store)


@pytest.fixture
def sqlite_machine(data: Path, migrated_sqlite: str) -> Iterator[Machine]:
    """One machine with an SQLite store: for what the kind of store cannot change."""
    store = Store(migrated_sqlite, KEYS)
    yield Machine(data, store)
    store.engine.dispose()


@pytest.fixture
def machine_of(data: Path) -> Iterator[Callable[[str], Machine]]:
    """Make a machine with the store at a URL."""
    stores = []

    def make(url: str) -> Machine:
        stores.append(Store(url, KEYS))
        return Machine(data, stores[-1])

    yield make
    for store in stores:
        store.engine.dispose()
