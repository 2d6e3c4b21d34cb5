"""Which calls belong together: those of one number, of a person, of a household.

It reads and matches by keyed hashes; what repeats among the calls is for ``patterns`` to say.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, and_, or_, select

from incidents.fold import Incident
from incidents.patterns import Group, Over
from incidents.persons import family
from incidents.store import Store
from incidents.tables import addresses, follow_ups, incidents, parts, person_numbers
from incidents.transactions import reading

CONFIRMED: Final = "confirmed"
"""State of a part that a person has confirmed."""
_Whose = tuple[datetime | None, set[str], set[str]]
"""When they were visited last, their numbers, and calls they have a part in."""
COUNTED_AT_MOST: Final = 200
"""Calls looked at for one page; a flood need not be counted to its end: the sentence says so."""


def groups_of(
    store: Store,
    incident: Incident,
    back: timedelta,
    visits: Collection[tuple[str, str]] = (),
) -> list[Group]:
    """Return the calls this one may belong with: its number's, its people's, their households'.

    ``back``: how far back. ``visits``: which follow-ups were visits, by kind and outcome. Withheld
    callers never match each other; calls of another purpose and calls that came later do not
    count. Raises ``StoreUnavailable``.
    """
    with reading(store.engine) as connection:
        number = connection.scalar(
            select(incidents.c.number_id).where(incidents.c.call_key == incident.call_key)
        )
        if number is None:
            return []
        owners = _owners(connection, number)
        first = (_visited(connection, owners, visits, incident), {number}, set[str]())
        wanted: list[tuple[Over, _Whose]] = [("number", first)]
        household = _household(connection, owners)
        wider: tuple[tuple[Over, set[str]], ...] = (
            ("person", owners),
            ("household", household - owners),
        )
        for over, persons in wider:
            if persons:
                everybody = owners | persons
                numbers = _numbers(connection, everybody) | {number}
                visited = _visited(connection, everybody, visits, incident)
                wanted.append((over, (visited, numbers, _calls(connection, everybody))))
    found = []
    for over, (visited, numbers, calls) in wanted:
        read = store.calls_of(numbers, calls, incident, back, COUNTED_AT_MOST + 1)
        shown, cut = tuple(read[:COUNTED_AT_MOST]), len(read) > COUNTED_AT_MOST
        found.append(Group(over, shown, cut, visited))
    return found


def _visited(
    connection: Connection,
    persons: set[str],
    visits: Collection[tuple[str, str]],
    incident: Incident,
) -> datetime | None:
    """Return when the latest visit to one of ``persons`` before a call was closed, or None."""
    if not persons or not visits:
        return None
    was_one = [
        and_(follow_ups.c.kind == kind, follow_ups.c.outcome == outcome) for kind, outcome in visits
    ]
    latest = select(follow_ups.c.closed_at).where(
        follow_ups.c.person_id.in_(persons),
        follow_ups.c.closed_at <= incident.started_at,
        or_(*was_one),
    )
    return connection.scalar(latest.order_by(follow_ups.c.closed_at.desc()).limit(1))


def _owners(connection: Connection, number: str) -> set[str]:
    """Return the people who have a number, with every row that stands for one of them."""
    return _families(
        connection,
        connection.scalars(
            select(person_numbers.c.person_id).where(
                person_numbers.c.number_id == number, person_numbers.c.ended_at.is_(None)
            )
        ),
    )


def _household(connection: Connection, persons: set[str]) -> set[str]:
    """Return the people who share an address with one of ``persons``."""
    shared = select(addresses.c.look_up).where(
        addresses.c.person_id.in_(persons), addresses.c.ended_at.is_(None)
    )
    return _families(
        connection,
        connection.scalars(
            select(addresses.c.person_id).where(
                addresses.c.look_up.in_(shared), addresses.c.ended_at.is_(None)
            )
        ),
    )


def _families(connection: Connection, persons: Iterable[str]) -> set[str]:
    return {row for person in set(persons) for row in family(connection, person)}


def _numbers(connection: Connection, persons: set[str]) -> set[str]:
    return set(
        connection.scalars(
            select(person_numbers.c.number_id).where(
                person_numbers.c.person_id.in_(persons), person_numbers.c.ended_at.is_(None)
            )
        )
    )


def _calls(connection: Connection, persons: set[str]) -> set[str]:
    """Return the calls in which somebody confirmed that one of ``persons`` has a part."""
    return set(
        connection.scalars(
            select(parts.c.call_key).where(
                parts.c.person_id.in_(persons),
                parts.c.state == CONFIRMED,
                parts.c.ended_at.is_(None),
            )
        )
    )
