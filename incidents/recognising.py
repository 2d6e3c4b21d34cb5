"""Whose call a new one may be, and which officers are told: repeat victims, and who has a SPOC.

A match is an event of the call like any other: found twice, it counts once, and it stays
as it was although the point of contact changes hands later. It names people by their ids
alone, raises no urgency and reaches nobody outside the console.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import ColumnElement, Connection, select

from incidents.families import batches, families
from incidents.fold import Incident
from incidents.local import local_day
from incidents.recorded import Recorded, Sealed, event_key, seal
from incidents.roles import Roles
from incidents.sealed import Keys
from incidents.standing import Standing, standing
from incidents.tables import incidents, people, person_numbers

KIND: Final = "person_matched"
How = Literal["number", "code", "part"]
"""By the number the call came from, by a personal code, or because a handler confirmed a part."""
CONTACT_LINE: Final = "contact"
"""The one line on which a code is typed."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that may be of somebody. ``at``: from when the match counts."""

    key: str
    month: str
    at: datetime
    person: str


def recognised(
    connection: Connection, keys: Keys, roles: Roles, calls: Collection[str]
) -> list[Sealed]:
    """Return the events that say whose number each of ``calls`` came from.

    For people known as repeat victims, and for whoever has a point of contact. Asked for every
    batch of the drain: one statement when nobody is known.
    """
    if not calls:
        return []
    return _by_number(connection, keys, roles, incidents.c.call_key.in_(sorted(calls)))


def recognised_since(
    connection: Connection, keys: Keys, roles: Roles, since: datetime
) -> list[Sealed]:
    """Return the same for every call that began at ``since`` or later."""
    return _by_number(connection, keys, roles, incidents.c.started_at >= since)


def _by_number(
    connection: Connection, keys: Keys, roles: Roles, which: ColumnElement[bool]
) -> list[Sealed]:
    rows = connection.execute(
        select(
            incidents.c.call_key,
            incidents.c.month,
            incidents.c.started_at,
            person_numbers.c.person_id,
        )
        .join(person_numbers, person_numbers.c.number_id == incidents.c.number_id)
        .where(
            which,
            incidents.c.purpose != "proof",
            person_numbers.c.ended_at.is_(None),
        )
    ).all()
    found = [Call(row.call_key, row.month, row.started_at, row.person_id) for row in rows]
    return matches(connection, keys, roles, found, how="number")


def coded(
    connection: Connection, keys: Keys, roles: Roles, folded: Iterable[Incident]
) -> list[Sealed]:
    """Return the events that say who typed their code in the calls of ``folded``.

    Whom the number told already has that event, and no second one.
    """
    return matches(connection, keys, roles, typed_in(folded), how="code")


def typed_in(folded: Iterable[Incident]) -> list[Call]:
    """Return whose call each of ``folded`` may be by a code, or a number the phone side knew."""
    return [
        Call(one.call_key, f"{one.started_at:%Y-%m}", one.started_at, person)
        for one in folded
        if one.line == CONTACT_LINE and one.purpose != "proof"
        for person in one.people
    ]


def matches(
    connection: Connection, keys: Keys, roles: Roles, calls: Sequence[Call], *, how: How
) -> list[Sealed]:
    """Return the events of calls and people: the same call and person give the same key, and
    another when a handler confirms a part.

    Whoever is neither known as a repeat victim nor has a point of contact gives none.
    """
    if not calls:
        return []
    repeat = _repeat_victims(connection, {call.person for call in calls})
    found: dict[str, Sealed] = {}
    for day in sorted({local_day(call.at) for call in calls}):
        mine = [call for call in calls if local_day(call.at) == day]
        stands = standing(connection, roles, {call.person for call in mine}, day)
        for call in mine:
            its = stands.get(call.person)
            if its is not None and (its.person in repeat or its.places):
                event = _event(keys, call, its, how)
                found.setdefault(event.key, event)
    return list(found.values())


def _event(keys: Keys, call: Call, stands: Standing, how: How) -> Sealed:
    return seal(
        Recorded(
            key=event_key(keys, call.key, _key_of(how), KIND, stands.person),
            call_key=call.key,
            call_sid="",
            month=call.month,
            step=0,
            kind=KIND,
            at=call.at,
            data={"person": stands.person, "officers": list(stands.to_tell), "how": how},
        ),
        keys,
    )


def _key_of(how: How) -> str:
    return "part" if how == "part" else "person"


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
