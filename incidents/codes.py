"""Personal codes: what a known person types on any phone to reach their point of contact.

A code is made here and shown once; the store keeps its keyed hash alone. No code holds a 5.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select, update

from incidents.audit import Audit
from incidents.persons import NoSuchPerson, family
from incidents.routing import of_code
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import people
from incidents.transactions import reading, writing

DIGITS: Final = "012346789"
"""No 5: 5 5 asks for silent help at any moment."""
FEWEST_DIFFERENT: Final = 3
"""Different digits in a code at least: one that is easily guessed rings an officer for nothing."""


class Codes:
    """The codes of one site. ``length``: keys of a code. Raises ``StoreUnavailable``."""

    def __init__(self, store: Store, keys: Keys, audit: Audit, length: int) -> None:
        self._store = store
        self._keys = keys
        self._audit = audit
        self._length = length

    def give(self, person: str, *, by: str, now: datetime) -> str:
        """Give a person a new code in place of any before; returns it. Raises ``NoSuchPerson``."""
        with writing(self._store.engine) as connection:
            members = _here(connection, person)
            code = self._new(connection)
            _forget(connection, members)
            hashed = of_code(self._keys, code)
            first = people.c.id == members[0]
            connection.execute(update(people).where(first).values(code=hashed))
            self._audit.put(
                connection, by, "alteration", "gave a personal code", members[0], at=now
            )
        return code

    def take_back(self, person: str, *, by: str, now: datetime) -> None:
        """Let a person's code count no more. Raises ``NoSuchPerson``."""
        with writing(self._store.engine) as connection:
            members = _here(connection, person)
            _forget(connection, members)
            self._audit.put(
                connection, by, "alteration", "took a personal code back", members[0], at=now
            )

    def has_one(self, person: str) -> bool:
        """Say whether a person has a code. Raises ``NoSuchPerson``."""
        with reading(self._store.engine) as connection:
            having = select(people.c.id).where(
                people.c.id.in_(family(connection, person)), people.c.code.is_not(None)
            )
            return connection.scalar(having.limit(1)) is not None

    def _new(self, connection: Connection) -> str:
        """Make a code nobody has. Two made at once that are the same: the index refuses one."""
        while True:
            code = "".join(secrets.choice(DIGITS) for _ in range(self._length))
            taken = select(people.c.id).where(people.c.code == of_code(self._keys, code))
            if len(set(code)) >= FEWEST_DIFFERENT and connection.scalar(taken) is None:
                return code


def _here(connection: Connection, person: str) -> tuple[str, ...]:
    """Return every row that stands for a person, locked, theirs first."""
    members = family(connection, person)
    rows = connection.execute(
        select(people.c.id, people.c.erased_at)
        .where(people.c.id.in_(members))
        .order_by(people.c.id)
        .with_for_update()
    ).all()
    if any(row.id == members[0] and row.erased_at is not None for row in rows):
        raise NoSuchPerson(person)
    return members


def _forget(connection: Connection, members: tuple[str, ...]) -> None:
    connection.execute(update(people).where(people.c.id.in_(members)).values(code=None))
