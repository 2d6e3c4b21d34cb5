"""Whose call a new one may be, and which officers are told: repeat victims, and who has a SPOC.

A match is an event of the call like any other: found twice, it counts once, and it stays
as it was although the point of contact changes hands later. It names people by their ids
alone, raises no urgency and reaches nobody outside the console.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from incidents.families import batches, families
from incidents.local import local_day
from incidents.recorded import Recorded, Sealed, event_key, seal
from incidents.roles import Roles
from incidents.sealed import Keys
from incidents.standing import Standing, standing
from incidents.tables import incidents, people, person_numbers

KIND: Final = "person_matched"


def recognised(
    connection: Connection, keys: Keys, roles: Roles, calls: Collection[str]
) -> tuple[Sealed, ...]:
    """Return the events that say whose number each of ``calls`` came from.

    For people known as repeat victims, and for whoever has a point of contact. Asked for every
    batch of the drain: one statement when nobody is known.
    """
    if not calls:
        return ()
    rows = connection.execute(
        select(
            incidents.c.call_key,
            incidents.c.month,
            incidents.c.started_at,
            person_numbers.c.person_id,
        )
        .join(person_numbers, person_numbers.c.number_id == incidents.c.number_id)
        .where(
            incidents.c.call_key.in_(sorted(calls)),
            incidents.c.purpose != "proof",
            person_numbers.c.ended_at.is_(None),
        )
        .order_by(incidents.c.call_key, person_numbers.c.id)
    ).all()
    if not rows:
        return ()
    repeat = _repeat_victims(connection, {row.person_id for row in rows})
    found = []
    for day in sorted({local_day(row.started_at) for row in rows}):
        mine = [row for row in rows if local_day(row.started_at) == day]
        stands = standing(connection, roles, {row.person_id for row in mine}, day)
        for row in mine:
            its = stands[row.person_id]
            if its.person in repeat or its.places:
                found.append(match(keys, row.call_key, row.month, row.started_at, its))
    return tuple({event.key: event for event in found}.values())


def match(keys: Keys, call_key: str, month: str, at: datetime, stands: Standing) -> Sealed:
    """Return the event of one call and one person: the same two give the same key."""
    return seal(
        Recorded(
            key=event_key(keys, call_key, "person", KIND, stands.person),
            call_key=call_key,
            call_sid="",
            month=month,
            step=0,
            kind=KIND,
            at=at,
            data={"person": stands.person, "officers": list(stands.to_tell)},
        ),
        keys,
    )


def _repeat_victims(connection: Connection, persons: Collection[str]) -> set[str]:
    """Return the ids that stand for those of ``persons`` who are known as repeat victims.

    Whichever of a person's rows says so: the person is one then.
    """
    kin = families(connection, persons)
    first = {member: members[0] for members in kin.values() for member in members}
    found: set[str] = set()
    for some in batches(first):
        query = select(people.c.id).where(
            people.c.id.in_(some), people.c.repeat_at.is_not(None), people.c.erased_at.is_(None)
        )
        found.update(first[one] for one in connection.scalars(query))
    return found
