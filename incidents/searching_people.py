"""Search for people: by a whole number, and by the words of their names and addresses.

By keyed hashes alone, as calls are searched. Everybody found stands once, as the row that
stands for them. It opens nobody's facts and does not decide who may search.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from incidents.families import families
from incidents.numbers import look_up_of
from incidents.sealed import Keys
from incidents.searching import MOST_ROWS, PEOPLE, newest, words_in
from incidents.store import Store
from incidents.tables import numbers, people, person_numbers
from incidents.transactions import reading
from incidents.unread import CANNOT

MOST_PEOPLE: Final = 50


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """Somebody who was found. ``where``: ``person`` (their name), ``address`` or ``number``."""

    id: str
    name: str
    repeat_at: datetime | None
    where: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FoundPeople:
    """Who was found, the latest written first. ``more``: others are not shown."""

    shown: tuple[FoundPerson, ...] = ()
    more: bool = False


class PeopleSearch:
    """Searches the people of one site. Every method raises ``StoreUnavailable``."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys

    def number(self, number: str) -> FoundPeople:
        """Return who has a number (E.164) now."""
        query = (
            select(person_numbers.c.person_id)
            .join(numbers, numbers.c.id == person_numbers.c.number_id)
            .where(
                numbers.c.look_up == look_up_of(self._keys, number),
                person_numbers.c.ended_at.is_(None),
            )
            .order_by(person_numbers.c.at.desc(), person_numbers.c.id)
            .limit(MOST_ROWS)
        )
        with reading(self._store.engine) as connection:
            found = [(one, "number") for one in connection.scalars(query)]
            return self._found(connection, found)

    def words(self, terms: str) -> FoundPeople:
        """Return whose name, or one of whose addresses, has every word of ``terms``.

        Raises ``Unfit`` when there is no word, or too many.
        """
        words = words_in(terms)
        with reading(self._store.engine) as connection:
            rows = newest(connection, self._keys, words, PEOPLE)
            return self._found(connection, ((row.person_id, row.kind) for row in rows))

    def _found(self, connection: Connection, found: Iterable[tuple[str, str]]) -> FoundPeople:
        """Put the rows of one person together, in the order in which they came."""
        listed = list(found)
        of = families(connection, {person for person, _ in listed})
        where: dict[str, dict[str, None]] = {}
        for person, kind in listed:
            if person in of:
                where.setdefault(of[person][0], {})[kind] = None
        some = list(where)[:MOST_PEOPLE]
        there = select(people).where(people.c.id.in_(some), people.c.erased_at.is_(None))
        rows: dict[str, Row[Any]] = {row.id: row for row in connection.execute(there)}
        unread = self._store.unread
        shown = tuple(
            FoundPerson(
                one,
                unread.read(rows[one].name, f"people|{one}|name", bytes.decode, CANNOT),
                rows[one].repeat_at,
                tuple(where[one]),
            )
            for one in some
            if one in rows
        )
        return FoundPeople(shown, len(where) > MOST_PEOPLE or len(listed) == MOST_ROWS)
