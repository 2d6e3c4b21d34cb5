"""The numbers of people, each with whether and when it may be called.

A number that is ended stays on record and no longer says that its person may be calling.
It calls nobody.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from incidents.audit import Audit
from incidents.identity import uuid7
from incidents.lowering import Lowering
from incidents.numbers import look_up_of, number_in, number_row
from incidents.persons import NoSuchPerson, Persons, canonical, family
from incidents.safe_contact import SafeContact
from incidents.sealed import Keys
from incidents.searching import number_of
from incidents.store import Store
from incidents.tables import numbers, person_numbers
from incidents.transactions import writing
from incidents.working import Actor, Unfit


@dataclass(frozen=True, slots=True)
class Owned:
    """A number somebody has. ``id``: of the row that says so. ``number``: E.164."""

    id: str
    number: str
    contact: SafeContact
    by: str
    at: datetime


def put_number(
    connection: Connection,
    keys: Keys,
    person: str,
    number: str,
    contact: SafeContact,
    *,
    by: str,
    now: datetime,
) -> str:
    """Put ``number`` (E.164) down as a person's; returns the row's id. Only when writing."""
    row = uuid7(now)
    connection.execute(
        person_numbers.insert().values(
            id=row,
            person_id=person,
            number_id=number_row(connection, keys, number, now),
            data=contact.sealed(keys, row),
            by=by,
            at=now,
        )
    )
    return row


def numbers_of(connection: Connection, keys: Keys, persons: Collection[str]) -> tuple[Owned, ...]:
    """Return the numbers that ``persons`` have now, the earliest first."""
    rows = connection.execute(
        select(person_numbers, numbers.c.number)
        .join(numbers, numbers.c.id == person_numbers.c.number_id)
        .where(person_numbers.c.person_id.in_(persons), person_numbers.c.ended_at.is_(None))
        .order_by(person_numbers.c.at, person_numbers.c.id)
    )
    return tuple(
        Owned(
            row.id,
            number_in(row.number_id, row.number, keys),
            SafeContact.opened(keys, row.id, row.data),
            row.by,
            row.at,
        )
        for row in rows
    )


def whole_number(typed: str) -> str:
    """Return the number (E.164) somebody typed. Raises ``Unfit`` for the field ``number``."""
    try:
        number = number_of(typed)
    except Unfit as unfit:
        raise Unfit("number", f"number: {unfit}") from None
    if number is None:
        raise Unfit("number", "number: must be whole, with its country's code: +447700900123")
    return number


class PersonNumbers:
    """Who has which number, over one store. Every method raises ``StoreUnavailable``.

    ``lowering``: who may have a high-risk marker match fewer calls; unless given, nobody.
    """

    def __init__(
        self, store: Store, keys: Keys, audit: Audit, lowering: Lowering | None = None
    ) -> None:
        self._lowering = lowering or Lowering()
        self._store = store
        self._keys = keys
        self._audit = audit
        self._persons = Persons(store, keys, audit)

    def add_person(
        self,
        name: str,
        typed: str,
        contact: SafeContact,
        *,
        by: str,
        now: datetime,
        repeat: bool = False,
    ) -> str:
        """Add a person with their number, or without when none was typed; returns their id.

        Both or neither. Raises ``Unfit``.
        """
        number = whole_number(typed) if typed else ""
        if contact != SafeContact() and not number:
            raise Unfit("number", "Give the number that this is said of.")
        with writing(self._store.engine) as connection:
            person = self._persons.put(connection, name, by=by, now=now, repeat=repeat)
            if number:
                put_number(connection, self._keys, person, number, contact, by=by, now=now)
        return person

    def add(self, person: str, typed: str, contact: SafeContact, *, by: str, now: datetime) -> str:
        """Add a number to a person; returns its row's id. Raises ``NoSuchPerson`` and ``Unfit``."""
        number = whole_number(typed)
        with writing(self._store.engine) as connection:
            theirs = family(connection, person)
            known = (
                select(person_numbers.c.id)
                .join(numbers, numbers.c.id == person_numbers.c.number_id)
                .where(
                    numbers.c.look_up == look_up_of(self._keys, number),
                    person_numbers.c.person_id.in_(theirs),
                    person_numbers.c.ended_at.is_(None),
                )
            )
            if connection.scalar(known.limit(1)) is not None:
                raise Unfit("number", "number: this person has it already")
            row = put_number(connection, self._keys, theirs[0], number, contact, by=by, now=now)
            self._audit.put(connection, by, "collection", "added a number", theirs[0], at=now)
        return row

    def say(self, person: str, row: str, contact: SafeContact, *, by: str, now: datetime) -> None:
        """Say whether and when a number may be called. Raises ``NoSuchPerson``."""
        sealed = contact.sealed(self._keys, row)
        with writing(self._store.engine) as connection:
            self._change(connection, family(connection, person), row, data=sealed)
            self._log(connection, person, "said when a number is safe", "", by, now)

    def end(self, person: str, row: str, reason: str = "", *, by: Actor, now: datetime) -> None:
        """End a number: it is theirs no more.

        Raises ``NoSuchPerson``; where a high-risk marker would match fewer calls, ``Conflict``
        unless ``by`` is a supervisor, and ``Unfit`` without a ``reason``.
        """
        with writing(self._store.engine) as connection:
            theirs = family(connection, person)
            before = self._lowering.reach(connection, theirs)
            self._change(connection, theirs, row, ended_at=now)
            why = self._lowering.settle(connection, self._audit, before, reason, by=by, now=now)
            self._log(connection, person, "ended a number", why, by.name, now)

    @staticmethod
    def _change(
        connection: Connection, theirs: Collection[str], row: str, **columns: object
    ) -> None:
        changed = connection.execute(
            update(person_numbers)
            .where(
                person_numbers.c.id == row,
                person_numbers.c.person_id.in_(theirs),
                person_numbers.c.ended_at.is_(None),
            )
            .values(**columns)
        )
        if not changed.rowcount:
            raise NoSuchPerson(row)

    def _log(
        self, connection: Connection, person: str, what: str, why: str, by: str, now: datetime
    ) -> None:
        record = canonical(connection, person)
        self._audit.put(connection, by, "alteration", what, record, why, at=now)
