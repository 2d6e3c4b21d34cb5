"""Which markers a call matches: those on its number, and on the people who have that number.

A match is an event of the call like any other, so that it counts once however often it is
found, and stays although the marker ends later: machines only raise. It reads hashes and
ids; what a marker says is for ``markers`` to open.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, or_, select

from incidents.marker_kinds import MarkerKinds
from incidents.persons import family
from incidents.recorded import Recorded, Sealed, event_key, seal
from incidents.sealed import Keys
from incidents.tables import addresses, incidents, markers, person_numbers

_AT_ONCE: Final = 500
"""Ids asked for in one statement: databases bound how many a statement may hold."""
_MARKERS: Final = (
    select(markers).where(markers.c.ended_at.is_(None)).order_by(markers.c.created_at, markers.c.id)
)


@dataclass(frozen=True, slots=True)
class Match:
    """A call and a marker it matches. ``at``: from when the match counts."""

    call_key: str
    month: str
    at: datetime
    marker: str
    kind: str


@dataclass(frozen=True, slots=True)
class On:
    """A marker somebody carries. ``until``: the moment from which it stands no longer."""

    marker: str
    kind: str
    until: datetime


def matches_of_new(connection: Connection, calls: Collection[str]) -> tuple[Match, ...]:
    """Return what calls that just reached the store match, counted from their start.

    Asked for every batch of the drain: three statements when nobody is known.
    """
    if not calls:
        return ()
    rows = connection.execute(
        select(
            incidents.c.call_key, incidents.c.month, incidents.c.started_at, incidents.c.number_id
        ).where(incidents.c.call_key.in_(sorted(calls)), incidents.c.number_id.is_not(None))
    ).all()
    found = of_numbers(connection, {row.number_id for row in rows})
    return tuple(
        Match(row.call_key, row.month, row.started_at, on.marker, on.kind)
        for row in rows
        for on in found.get(row.number_id, ())
        if on.until > row.started_at
    )


def of_numbers(connection: Connection, numbers: Collection[str]) -> dict[str, list[On]]:
    """Return the markers nobody ended on numbers and on their people, by number's id.

    Those past their last day are among them: ``until`` tells.
    """
    found: dict[str, list[On]] = {}
    wanted = sorted(numbers)
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        for row in connection.execute(_MARKERS.where(markers.c.number_id.in_(some))):
            found.setdefault(row.number_id, []).append(On(row.id, row.kind, row.expires_at))
        owners = connection.execute(
            select(person_numbers.c.number_id, person_numbers.c.person_id).where(
                person_numbers.c.number_id.in_(some), person_numbers.c.ended_at.is_(None)
            )
        ).all()
        for owner in owners:
            on = found.setdefault(owner.number_id, [])
            on += [one for one in of_person(connection, owner.person_id) if one not in on]
    return found


def of_person(connection: Connection, person: str) -> list[On]:
    """Return the markers nobody ended on a person and on where they live, the oldest first."""
    members = family(connection, person)
    homes = select(addresses.c.look_up).where(
        addresses.c.person_id.in_(members), addresses.c.ended_at.is_(None)
    )
    on_them = or_(markers.c.person_id.in_(members), markers.c.address.in_(homes))
    rows = connection.execute(_MARKERS.where(on_them))
    return [On(row.id, row.kind, row.expires_at) for row in rows]


def marked_numbers(connection: Connection, now: datetime) -> set[tuple[str, str, str]]:
    """Return (number's id, marker's id, kind) of every marker that stands, however it is reached.

    There are as many rows as there are markers times the numbers of their people: few.
    """
    pairs: set[tuple[str, str, str]] = set()
    for row in connection.execute(_MARKERS.where(markers.c.expires_at > now)):
        persons: set[str] = set()
        if row.number_id is not None:
            pairs.add((row.number_id, row.id, row.kind))
        if row.person_id is not None:
            persons.update(family(connection, row.person_id))
        if row.address is not None:
            for one in connection.scalars(
                select(addresses.c.person_id).where(
                    addresses.c.look_up == row.address, addresses.c.ended_at.is_(None)
                )
            ):
                persons.update(family(connection, one))
        for number in connection.scalars(
            select(person_numbers.c.number_id).where(
                person_numbers.c.person_id.in_(sorted(persons)),
                person_numbers.c.ended_at.is_(None),
            )
        ):
            pairs.add((number, row.id, row.kind))
    return pairs


def matches_of_open(
    connection: Connection, pairs: Iterable[tuple[str, str, str]], now: datetime
) -> tuple[Match, ...]:
    """Return what calls nobody has closed match of ``pairs``, counted from ``now``."""
    by_number: dict[str, list[tuple[str, str]]] = {}
    for number, marker, kind in sorted(pairs):
        by_number.setdefault(number, []).append((marker, kind))
    wanted = sorted(by_number)
    found: list[Match] = []
    for at in range(0, len(wanted), _AT_ONCE):
        rows = connection.execute(
            select(incidents.c.call_key, incidents.c.month, incidents.c.number_id).where(
                incidents.c.number_id.in_(wanted[at : at + _AT_ONCE]),
                incidents.c.closed_at.is_(None),
            )
        )
        found += [
            Match(row.call_key, row.month, now, marker, kind)
            for row in rows
            for marker, kind in by_number[row.number_id]
        ]
    return tuple(found)


def as_event(match: Match, kinds: MarkerKinds, keys: Keys) -> Sealed:
    """Return the event of a match: the same call and marker give the same key."""
    kind = kinds.of(match.kind)
    key = event_key(keys, match.call_key, "marker", "marker_matched", match.marker)
    return seal(
        Recorded(
            key=key,
            call_key=match.call_key,
            call_sid="",
            month=match.month,
            step=0,
            kind="marker_matched",
            at=match.at,
            data={
                "marker": match.marker,
                "name": kind.name,
                "high_risk": kind.high_risk,
                "grade": kind.proposes,
            },
        ),
        keys,
    )
