"""Stores and machines for the tests of the record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from incidents.store import Store
from tests.incidents.making import KEYS, Machine


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """A migrated store, once of each kind."""
    store = Store(store_url, KEYS)
    yield store
    store.engine.dispose()


@pytest.fixture
def machine(data: Path, store: Store) -> Machine:
    """One machine with a store of each kind."""
    return Machine(data, store)


@pytest.fixture
def sqlite_machine(data: Path, sqlite_url: str) -> Iterator[Machine]:
    """One machine with an SQLite store: for what the kind of store cannot change."""
    store = Store(sqlite_url, KEYS)
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
