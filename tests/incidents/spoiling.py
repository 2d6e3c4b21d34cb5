"""Rows that cannot be read any more: damaged on a disk, or kept under another key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Column, select, update

from incidents.store import Store
from incidents.transactions import writing

DAMAGED: Final = b"damaged on the disk" * 4


@contextmanager
def spoilt(store: Store, column: Column[Any], *only: Any, with_: Any = DAMAGED) -> Iterator[None]:
    """Spoil a column of the one row that ``only`` names; on leaving it is mended."""
    with writing(store.engine) as connection:
        (key,) = column.table.primary_key
        row, whole = connection.execute(select(key, column).where(*only)).one()
    _put(store, column, key == row, with_)
    yield
    _put(store, column, key == row, whole)


def _put(store: Store, column: Column[Any], which: Any, value: Any) -> None:
    with writing(store.engine) as connection:
        connection.execute(update(column.table).where(which).values({column.name: value}))
