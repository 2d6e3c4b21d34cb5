"""Puts into the index what an older release wrote: entries, names, addresses.

It works in small steps beside everything else, may be stopped at any time and run again, and
puts nothing in twice.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, exists, select

from incidents.addresses import address_words
from incidents.indexing import TEXTS, entry_text, index
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import addresses, people, searchable, timeline
from incidents.transactions import writing

AT_ONCE: Final = 500
"""Rows indexed in one transaction: a handler's deed waits no longer than that takes."""


def index_earlier(store: Store, keys: Keys) -> int:
    """Index every row that is not in the index; returns how many.

    Raises ``StoreUnavailable`` and ``CannotOpen``.
    """

    def entry(connection: Connection, row: Row[Any]) -> None:
        told = json.loads(keys.open(row.data, f"timeline|{row.id}|data"))
        said = entry_text(row.kind, told)
        index(connection, keys, "entry", row.id, said, at=row.at, call_key=row.call_key)

    def person(connection: Connection, row: Row[Any]) -> None:
        name = keys.open(row.name, f"people|{row.id}|name").decode()
        index(connection, keys, "person", row.id, name, at=row.created_at, person_id=row.id)

    def address(connection: Connection, row: Row[Any]) -> None:
        text = address_words(keys.open(row.address, f"addresses|{row.id}|address").decode())
        index(connection, keys, "address", row.id, text, at=row.at, person_id=row.person_id)

    entries = select(timeline).where(timeline.c.kind.in_(tuple(TEXTS)))
    return (
        _all(store, timeline, entries, entry)
        + _all(store, people, select(people).where(people.c.erased_at.is_(None)), person)
        + _all(store, addresses, select(addresses).where(addresses.c.ended_at.is_(None)), address)
    )


def _all(
    store: Store, table: Any, rows: Select[Any], put: Callable[[Connection, Row[Any]], None]
) -> int:
    """Index the rows of one table, in the order of their ids."""
    indexed, after = 0, ""
    while True:
        query = rows.where(table.c.id > after, ~exists().where(searchable.c.row == table.c.id))
        with writing(store.engine) as connection:
            some = connection.execute(query.order_by(table.c.id).limit(AT_ONCE)).all()
            for row in some:
                put(connection, row)
        if not some:
            return indexed
        indexed, after = indexed + len(some), some[-1].id
