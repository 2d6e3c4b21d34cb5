"""Known people from a file (CSV): read whole, refused row by row, added all at once.

A row is good or it is refused with the reason in words; nothing is guessed and nothing is
half added. It says no name and no number: reasons name the row and the column alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection, select

from incidents.addresses import address_of, put_address
from incidents.audit import Audit
from incidents.file_rows import Field, Refused, read_rows
from incidents.numbers import look_up_of
from incidents.person_numbers import put_number, whole_number
from incidents.persons import Facts, Persons, name_look_up, name_of, normal
from incidents.safe_contact import SafeContact
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import numbers, people, person_numbers
from incidents.told_facts import YES_NO, contact_of, facts_of, one_of
from incidents.transactions import reading, writing
from incidents.working import Unfit

COLUMNS: Final = (
    "name",
    "number",
    "number_safe",
    "safe_hours",
    "address",
    "born",
    "children",
    "code_word",
    "key_pattern",
    "marac",
    "orders",
    "language",
    "safe_words",
    "never_call",
    "repeat_victim",
    "notes",
)
"""What a file may hold. Only ``name`` must be there; an empty field is nothing known."""
KNOWN: Final = "this person is known already"
_TWICE: Final = "this person stands in the file twice"


@dataclass(frozen=True, slots=True)
class Row:
    """A good row. ``line``: as an editor counts, from 1. ``number``: E.164 or empty."""

    line: int
    name: str
    number: str
    contact: SafeContact
    facts: Facts
    repeat: bool
    address: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file would add, and what it would not. Lines in the order of the file."""

    good: tuple[Row, ...]
    refused: tuple[Refused, ...]


def read(data: bytes) -> Plan:
    """Read a file. Raises ``Unfit`` (field ``file``) when it cannot be read as a whole."""
    good, refused = read_rows(data, COLUMNS, "name", _row)
    return Plan(good, refused)


class Importing:
    """Adds the people of a file to one site. Every method raises ``StoreUnavailable``."""

    def __init__(self, store: Store, keys: Keys, audit: Audit) -> None:
        self._store = store
        self._keys = keys
        self._persons = Persons(store, keys, audit)

    def look(self, plan: Plan) -> Plan:
        """Return the plan with whoever is known already refused. Changes nothing."""
        with reading(self._store.engine) as connection:
            return self._without_known(connection, plan)

    def apply(self, plan: Plan, *, by: str, now: datetime) -> Plan:
        """Add every good row in one transaction; returns what was added and what was not."""
        with writing(self._store.engine) as connection:
            found = self._without_known(connection, plan)
            for row in found.good:
                self._add(connection, row, by, now)
        return found

    def _add(self, connection: Connection, row: Row, by: str, now: datetime) -> None:
        put = self._persons.put
        person = put(connection, row.name, row.facts, by=by, now=now, repeat=row.repeat)
        if row.number:
            put_number(connection, self._keys, person, row.number, row.contact, by=by, now=now)
        if row.address:
            put_address(connection, self._keys, person, row.address, by=by, now=now)

    def _without_known(self, connection: Connection, plan: Plan) -> Plan:
        good, refused = [], list(plan.refused)
        seen: set[tuple[str, str, date | None]] = set()
        for row in plan.good:
            # Two people may have one name: the number tells them apart, or the date of birth.
            who = (normal(row.name), row.number, None if row.number else row.facts.born)
            if who in seen:
                refused.append(Refused(row.line, _TWICE))
            elif self._known(connection, row):
                refused.append(Refused(row.line, KNOWN))
            else:
                good.append(row)
            seen.add(who)
        return Plan(tuple(good), tuple(sorted(refused, key=lambda one: one.line)))

    def _known(self, connection: Connection, row: Row) -> bool:
        named = people.c.look_up == name_look_up(self._keys, row.name)
        if row.number:
            owned = (
                select(people.c.id)
                .join(person_numbers, person_numbers.c.person_id == people.c.id)
                .join(numbers, numbers.c.id == person_numbers.c.number_id)
                .where(named, numbers.c.look_up == look_up_of(self._keys, row.number))
            )
            return connection.execute(owned.limit(1)).first() is not None
        same = connection.execute(select(people.c.id, people.c.facts).where(named)).all()
        return any(
            Facts.read(self._keys.open(one.facts, f"people|{one.id}|facts")).born == row.facts.born
            for one in same
        )


def _row(line: int, field: Field) -> Row:
    contact = contact_of(field)
    if contact != SafeContact() and not field("number"):
        raise Unfit("number", "number: number_safe and safe_hours need a number to stand with")
    facts = facts_of(field)
    return Row(
        line,
        _said("name", name_of, field("name")),
        whole_number(field("number")) if field("number") else "",
        contact,
        facts,
        one_of("repeat_victim", field("repeat_victim"), YES_NO),
        _said("address", address_of, field("address")) if field("address") else "",
    )


def _said(column: str, reads: Callable[[str], str], typed: str) -> str:
    """Read a field whose refusal may not name it; here it does."""
    try:
        return reads(typed)
    except Unfit as unfit:
        raise Unfit(column, f"{column}: {str(unfit).removeprefix(f'{column}: ')}") from None
