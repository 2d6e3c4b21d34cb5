"""Who may be calling: people whose number it is, who typed their code, whose part was confirmed.

It shows why it names somebody and leaves the decision to a person. Nothing is searched: it
stands on the page of a call the moment it opens.
"""

import contextlib
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Connection, select

from incidents.addresses import address_in
from incidents.families import families
from incidents.fold import Incident
from incidents.persons import NoSuchPerson, Person, canonical, family, person_shown
from incidents.recognising import CONTACT_LINE
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import addresses, incidents, parts, person_numbers
from incidents.together import CONFIRMED
from incidents.transactions import reading
from incidents.unread import CANNOT, Unread

MARAC_COUNTS: Final = timedelta(days=365)
"""A repeat is any new event within 12 months of the last MARAC (domain.md, Standards)."""
REFUSED: Final = "refused"
"""State of a part when a person said that somebody has none."""
_BY_NUMBER: Final = "this number is theirs"
_BY_CODE: Final = "their code was typed"
_BY_HOME: Final = "lives at an address of somebody who has this number"


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who may be calling. ``why``: what says so, in words. ``part``: those confirmed.

    ``marac``: the dates of conferences about them in the year before the call, newest first.
    ``homes``: their addresses now, the earliest first; the caller need not be at any of them.
    """

    person: Person
    why: str
    part: str
    marac: tuple[date, ...]
    homes: tuple[str, ...]


def known(store: Store, keys: Keys, incident: Incident) -> tuple[Known, ...]:
    """Return who may be calling, those a person has confirmed first.

    Somebody a person refused for this call is not named again. Raises ``StoreUnavailable``.
    """
    with reading(store.engine) as connection:
        confirmed, refused = _parts(connection, incident.call_key)
        owners = _everyone(connection, _owners(connection, incident.call_key))
        typed = _everyone(connection, _typed(connection, incident.call_key))
        whys = {
            **dict.fromkeys(_household(connection, owners), _BY_HOME),
            **dict.fromkeys(typed, _BY_CODE),
            **dict.fromkeys(owners, _BY_NUMBER),
        }
        found = []
        for one in dict.fromkeys([*confirmed, *owners, *typed, *whys]):
            if one in refused:
                continue
            part = " and ".join(confirmed.get(one, ()))
            person = person_shown(connection, store.unread, one)
            why = f"confirmed as {part}" if part else whys[one]
            homes = _homes(connection, store.unread, keys, one)
            found.append(Known(person, why, part, _marac(person, incident), homes))
    return tuple(found)


def persons_of(connection: Connection, call_key: str) -> dict[str, tuple[str, ...]]:
    """Return the ids of those who called or have a part, and which parts were confirmed.

    Whose number it is, or whose code was typed, comes with none; who only lives there, or was
    refused, does not come.
    """
    confirmed, refused = _parts(connection, call_key)
    owners = _everyone(connection, _owners(connection, call_key))
    typed = _everyone(connection, _typed(connection, call_key))
    ordered = dict.fromkeys([*confirmed, *owners, *typed])
    return {one: tuple(confirmed.get(one, ())) for one in ordered if one not in refused}


def _owners(connection: Connection, call_key: str) -> list[str]:
    number = select(incidents.c.number_id).where(incidents.c.call_key == call_key)
    return list(
        connection.scalars(
            select(person_numbers.c.person_id)
            .where(
                person_numbers.c.number_id == number.scalar_subquery(),
                person_numbers.c.ended_at.is_(None),
            )
            .order_by(person_numbers.c.at)
        )
    )


def _typed(connection: Connection, call_key: str) -> list[str]:
    """Return whom the phone side knew on the contact line: by number, or by their code."""
    known = select(incidents.c.people).where(
        incidents.c.call_key == call_key, incidents.c.line == CONTACT_LINE
    )
    return list(connection.scalar(known) or ())


def _household(connection: Connection, owners: list[str]) -> list[str]:
    """Return the others who live where the number's people do."""
    if not owners:
        return []
    theirs = [row for one in owners for row in family(connection, one)]
    homes = select(addresses.c.look_up).where(
        addresses.c.person_id.in_(theirs), addresses.c.ended_at.is_(None)
    )
    there = (
        select(addresses.c.person_id)
        .where(addresses.c.look_up.in_(homes), addresses.c.ended_at.is_(None))
        .order_by(addresses.c.at, addresses.c.id)
    )
    return _everyone(connection, connection.scalars(there).all())


def _homes(connection: Connection, unread: Unread, keys: Keys, person: str) -> tuple[str, ...]:
    theirs = (addresses.c.person_id.in_(family(connection, person)), addresses.c.ended_at.is_(None))
    rows = connection.execute(
        select(addresses).where(*theirs).order_by(addresses.c.at, addresses.c.id)
    ).all()
    found = (
        unread.attempt(
            row.address,
            f"addresses|{row.id}|address",
            functools.partial(address_in, row, keys),
            CANNOT,
        )
        for row in rows
    )
    return tuple(dict.fromkeys(found))


def _parts(connection: Connection, call_key: str) -> tuple[dict[str, list[str]], set[str]]:
    """Return whose parts in a call were confirmed, and which, and whose was refused."""
    rows = connection.execute(
        select(parts)
        .where(parts.c.call_key == call_key, parts.c.ended_at.is_(None))
        .order_by(parts.c.at, parts.c.id)
    ).all()
    confirmed: dict[str, list[str]] = {}
    for row in rows:
        for person in _everyone(connection, [row.person_id] if row.state == CONFIRMED else []):
            told = confirmed.setdefault(person, [])
            told += [row.part] if row.part not in told else []
    kin = families(connection, (row.person_id for row in rows if row.state == REFUSED))
    return confirmed, {member for members in kin.values() for member in members}


def _everyone(connection: Connection, persons: Iterable[str]) -> list[str]:
    """Return the rows that stand for ``persons``, each once, in their order.

    Whoever is on record no more is left out: the page of a call opens without them.
    """
    found: dict[str, None] = {}
    for one in persons:
        with contextlib.suppress(NoSuchPerson):
            found[canonical(connection, one)] = None
    return list(found)


def _marac(person: Person, incident: Incident) -> tuple[date, ...]:
    day = incident.started_at.date()
    dates = (one for one in person.facts.marac if day - MARAC_COUNTS <= one <= day)
    return tuple(sorted(dates, reverse=True))
