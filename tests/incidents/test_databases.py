"""What one test put into a store is not there for the next."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from incidents.accounts import Accounts
from incidents.migrate import revisions
from incidents.tables import metadata
from incidents.transactions import StoreUnavailable, connect, reading, writing
from tests.databases import Shared, sqlite_at
from tests.incidents.making import KEYS, NOW, ROLES


def counted(engine: sa.Engine) -> dict[str, int]:
    """How many rows each table has that has any."""
    with reading(engine) as connection:
        rows = {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }
    return {name: count for name, count in rows.items() if count}


def next_number(engine: sa.Engine) -> int:
    """The number that the next row of the search index gets."""
    sequence = sa.text("SELECT nextval(pg_get_serial_sequence('searchable', 'number'))")
    with writing(engine) as connection:
        return int(connection.scalar(sequence) or 0)


def test_a_database_is_handed_on_as_it_was_made(shared: Shared) -> None:
    """No rows, the same revision, numbers from 1; and nobody of an earlier test gets at it."""
    before = connect(shared.emptied())
    Accounts(before, KEYS, ROLES).add_user("anna", now=NOW)
    first = next_number(before)
    assert counted(before) == {"users": 1, "audit": 1}
    with writing(before) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
    url = shared.emptied()
    after = connect(url)
    assert counted(after) == {}
    assert revisions(url)[0] == revisions(url)[1]
    assert next_number(after) == first == 1
    with pytest.raises(StoreUnavailable):
        counted(before)
    before.dispose()
    after.dispose()


def test_a_file_is_a_copy_of_its_own(tmp_path: Path) -> None:
    """What goes into one is not in another."""
    one, other = (connect(sqlite_at(tmp_path / name)) for name in ("one.db", "other.db"))
    Accounts(one, KEYS, ROLES).add_user("anna", now=NOW)
    assert (counted(one), counted(other)) == ({"users": 1, "audit": 1}, {})
    one.dispose()
    other.dispose()
