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
from incidents.recognising import CONTACT_LINE
from incidents.store import Store
from incidents.tables import addresses, follow_ups, incidents, parts, person_numbers
from incidents.transactions import reading

CONFIRMED: Final = "confirmed"
"""State of a part that a person has confirmed."""
_Whose = tuple[datetime | None, set[str], set[str]]
"""When they were visited last, their numbers, and calls they have a part in."""
COUNTED_AT_MOST: Final = 200
"""Calls looked at for one page; a flood need not be counted to its end: the sentence says so."""

_MOST_TYPED: Final = 500
"""Follow-ups looked at for calls on the contact line, the latest."""


def groups_of(
    store: Store,
    incident: Incident,
    back: timedelta,
    visits: Collection[tuple[str, str]] = (),
) -> list[Group]:
    """Return the calls this one may belong with: its number's, its people's, their households'.

    Its people: who has the number; on the contact line who was known there, by number or by code.

    ``back``: how far back. ``visits``: which follow-ups were visits, by kind and outcome. Withheld
    callers never match each other; calls of another purpose and calls that came later do not
    count. Raises ``StoreUnavailable``.
    """
    with reading(store.engine) as connection:
        call = connection.execute(
            select(incidents.c.number_id, incidents.c.line, incidents.c.people).where(
                incidents.c.call_key == incident.call_key
            )
        ).first()
        if call is None:
            return []
        number = {call.number_id} if call.number_id else set[str]()
        # Whoever was known on the contact line is known by their code, whatever phone it is.
        known = call.people if call.line == CONTACT_LINE else None
        owners = _families(connection, known) if known else _owners(connection, number)
        wanted: list[tuple[Over, _Whose]] = []
        if number:
            visited = _visited(connection, owners, visits, incident)
            wanted.append(("number", (visited, number, set())))
        household = _household(connection, owners)
        wider: tuple[tuple[Over, set[str]], ...] = (
            ("person", owners),
            ("household", household - owners),
        )
        for over, persons in wider:
            if persons:
                everybody = owners | persons
                numbers = _numbers(connection, everybody) | number
                visited = _visited(connection, everybody, visits, incident)
                calls = _calls(connection, everybody) | {incident.call_key}
                wanted.append((over, (visited, numbers, calls)))
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


def _owners(connection: Connection, number: Collection[str]) -> set[str]:
    """Return the people who have a number, with every row that stands for one of them."""
    return _families(
        connection,
        connection.scalars(
            select(person_numbers.c.person_id).where(
                person_numbers.c.number_id.in_(number), person_numbers.c.ended_at.is_(None)
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
    """Return the calls in which somebody confirmed that one of ``persons`` has a part, and those of
    the contact line on which they were known.
    """
    return typed_calls(connection, persons, None) | set(
        connection.scalars(
            select(parts.c.call_key).where(
                parts.c.person_id.in_(persons),
                parts.c.state == CONFIRMED,
                parts.c.ended_at.is_(None),
            )
        )
    )


def typed_calls(connection: Connection, ids: Collection[str], since: datetime | None) -> set[str]:
    """Return the calls on the contact line in which their code was typed, or their number known.

    Those that are over have left a follow-up; others are looked for from ``since`` on.
    """
    ours = incidents.c.line == CONTACT_LINE
    told = select(incidents.c.call_key, incidents.c.people).where(ours)
    left = (
        select(follow_ups.c.call_key)
        .where(follow_ups.c.person_id.in_(ids), follow_ups.c.call_key.is_not(None))
        .order_by(follow_ups.c.id.desc())
        .limit(_MOST_TYPED)
    )
    keys = connection.scalars(left).all()
    rows = list(connection.execute(told.where(incidents.c.call_key.in_(keys))))
    if since is not None:
        rows += connection.execute(told.where(incidents.c.started_at >= since))
    return {row.call_key for row in rows if set(row.people or ()) & set(ids)}
