"""Which numbers a known person may be called at now, and who may answer.

What is said of a number is read over everybody who has it: if it is marked never to be called for
one of them, it is for all. It rings nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from callflow.lines import EMERGENCY
from incidents.numbers import number_in
from incidents.persons import NoSuchPerson, Person, canonical, family, names, person_of
from incidents.safe_contact import NEVER, SafeContact
from incidents.sealed import Keys
from incidents.tables import addresses, numbers, people, person_numbers
from incidents.unread import Unread


@dataclass(frozen=True, slots=True)
class CallNumber:
    """A number of a person. ``row``: its id. ``never``: marked never to be called.

    ``problem``: why no call may be started now without a supervisor's reason; empty: one may.
    ``barred``: an emergency number, which is never called, whoever says so.
    """

    row: str
    number: str
    contact: SafeContact
    never: bool
    problem: str
    barred: bool


@dataclass(frozen=True, slots=True)
class Answering:
    """Who may answer a number: names, of those who have it and of those at the same address."""

    owners: tuple[str, ...]
    household: tuple[str, ...]


def numbers_of(
    connection: Connection, keys: Keys, person: Person, now: datetime
) -> tuple[CallNumber, ...]:
    """Return a person's numbers, those that may be called now first."""
    rows = connection.execute(
        select(person_numbers, numbers.c.number)
        .join(numbers, numbers.c.id == person_numbers.c.number_id)
        .where(
            person_numbers.c.person_id.in_(family(connection, person.id)),
            person_numbers.c.ended_at.is_(None),
        )
        .order_by(person_numbers.c.at, person_numbers.c.id)
    ).all()
    latest = {row.number_id: row for row in rows}  # the last word on each stands
    found = [_callable(connection, keys, person, row, now) for row in latest.values()]
    return tuple(sorted(found, key=lambda one: (bool(one.problem), one.never)))


def _callable(
    connection: Connection, keys: Keys, person: Person, row: Row[Any], now: datetime
) -> CallNumber:
    number = number_in(row.number_id, row.number, keys)
    contact = SafeContact.opened(keys, row.id, row.data)
    never = person.facts.never_call or any(
        one.safe == "never" for one in _said_by_all(connection, keys, row.number_id)
    )
    problem = NEVER if never else contact.problem(now)
    return CallNumber(
        row.number_id, number, contact, never, problem, EMERGENCY.match(number) is not None
    )


def _said_by_all(connection: Connection, keys: Keys, number: str) -> list[SafeContact]:
    rows = connection.execute(
        select(person_numbers.c.id, person_numbers.c.data).where(
            person_numbers.c.number_id == number, person_numbers.c.ended_at.is_(None)
        )
    )
    return [SafeContact.opened(keys, row.id, row.data) for row in rows]


def may_answer(connection: Connection, keys: Keys, person: str, number: str) -> Answering:
    """Return who may answer a number (its row's id) besides ``person``."""
    own = set(family(connection, person))
    owners = _others(
        connection,
        own,
        connection.scalars(
            select(person_numbers.c.person_id).where(
                person_numbers.c.number_id == number, person_numbers.c.ended_at.is_(None)
            )
        ),
    )
    shared = select(addresses.c.look_up).where(
        addresses.c.person_id.in_(own), addresses.c.ended_at.is_(None)
    )
    household = _others(
        connection,
        own | set(owners),
        connection.scalars(
            select(addresses.c.person_id).where(
                addresses.c.look_up.in_(shared), addresses.c.ended_at.is_(None)
            )
        ),
    )
    called = names(connection, Unread(keys), (*owners, *household))
    return Answering(
        tuple(sorted(called[one] for one in owners)),
        tuple(sorted(called[one] for one in household)),
    )


def known_person(connection: Connection, keys: Keys, person: str) -> Person:
    """Return a person who was not erased. Raises ``NoSuchPerson``."""
    found = person_of(connection, keys, person)
    erased = connection.scalar(select(people.c.erased_at).where(people.c.id == found.id))
    if erased is not None:
        raise NoSuchPerson(person)
    return found


def _others(connection: Connection, own: set[str], persons: Iterable[str]) -> list[str]:
    """Return the rows that stand for ``persons``, each once, without ``own`` and the erased."""
    rows = dict.fromkeys(canonical(connection, one) for one in set(persons) - own)
    alive = connection.scalars(
        select(people.c.id).where(people.c.id.in_(list(rows)), people.c.erased_at.is_(None))
    )
    return sorted(set(alive) - own)
