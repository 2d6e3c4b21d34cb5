"""Which markers a call matches: those on its number, and on the people who have that number.

A match is an event of the call like any other, so that it counts once however often it is
found, and stays although the marker ends later: machines only raise. It reads hashes and
ids; what a marker says is for ``markers`` to open.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, or_, select

from incidents.families import batches, families
from incidents.marker_kinds import MarkerKinds
from incidents.persons import family
from incidents.recognising import CONTACT_LINE
from incidents.recorded import Recorded, Sealed, event_key, seal
from incidents.sealed import Keys
from incidents.tables import addresses, incidents, markers, person_numbers

_MARKERS: Final = (
    select(markers).where(markers.c.ended_at.is_(None)).order_by(markers.c.created_at, markers.c.id)
)

_ASKED_AGAIN: Final = incidents.c.alerted_at > incidents.c.closed_at
_OPEN: Final = select(
    incidents.c.call_key,
    incidents.c.month,
    incidents.c.number_id,
    incidents.c.people,
    incidents.c.closed_at,
    _ASKED_AGAIN.label("asked_again"),
).where(or_(incidents.c.closed_at.is_(None), _ASKED_AGAIN, incidents.c.connection == "open"))
"""Calls nobody has closed, or that need somebody again."""
RECENT: Final = timedelta(days=1)


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


def matches_of_persons(
    connection: Connection, calls: Collection[tuple[str, str, datetime, str]]
) -> tuple[Match, ...]:
    """Return what calls match by the person they are of: call, month, from when, person's id.

    Whoever typed their personal code carries their markers, and those on their numbers, to any
    phone (rule 4).
    """
    on = of_persons(connection, (person for *_, person in calls), numbers=True)
    return tuple(
        Match(call, month, at, one.marker, one.kind)
        for call, month, at, person in calls
        for one in on.get(person, ())
        if one.until > at
    )


def of_numbers(connection: Connection, numbers: Collection[str]) -> dict[str, list[On]]:
    """Return the markers nobody ended on numbers and on their people, by number's id.

    Those past their last day are among them: ``until`` tells. A person who is on record no more
    is no error here: a call must reach the board whatever became of its number's people.
    """
    found: dict[str, list[On]] = {}
    owners: list[Any] = []
    for some in batches(numbers):
        for row in connection.execute(_MARKERS.where(markers.c.number_id.in_(some))):
            found.setdefault(row.number_id, []).append(_on(row))
        theirs = select(person_numbers.c.number_id, person_numbers.c.person_id).where(
            person_numbers.c.number_id.in_(some), person_numbers.c.ended_at.is_(None)
        )
        owners += connection.execute(theirs).all()
    theirs_on = of_persons(connection, (owner.person_id for owner in owners))
    for owner in owners:
        on = found.setdefault(owner.number_id, [])
        on += [one for one in theirs_on.get(owner.person_id, ()) if one not in on]
    return found


def of_persons(
    connection: Connection, persons: Iterable[str], *, numbers: bool = False
) -> dict[str, list[On]]:
    """Return the markers nobody ended on people and on where they live, by the id asked for.

    ``numbers``: also those on the numbers they have. An id that nobody has is left out.
    """
    kin = families(connection, persons)
    rows = [row for members in kin.values() for row in members]
    on_rows = _of_rows(connection, rows)
    if numbers:
        for row, on in _on_their_numbers(connection, rows):
            on_rows.setdefault(row, []).append(on)
    return {
        person: list(dict.fromkeys(on for row in members for on in on_rows.get(row, ())))
        for person, members in kin.items()
    }


def of_person(connection: Connection, person: str) -> list[On]:
    """Return the markers nobody ended on a person and on where they live.

    Raises ``NoSuchPerson``.
    """
    found = _of_rows(connection, family(connection, person))
    return list(dict.fromkeys(one for on in found.values() for one in on))


def _of_rows(connection: Connection, rows: Iterable[str]) -> dict[str, list[On]]:
    """Return the markers nobody ended on rows of people and on their homes, by the row's id."""
    found: dict[str, list[On]] = {}
    homes: dict[str, list[str]] = {}
    for some in batches(rows):
        for row in connection.execute(_MARKERS.where(markers.c.person_id.in_(some))):
            found.setdefault(row.person_id, []).append(_on(row))
        for home in connection.execute(_living(addresses.c.person_id.in_(some))):
            homes.setdefault(home.look_up, []).append(home.person_id)
    for some in batches(homes):
        for row in connection.execute(_MARKERS.where(markers.c.address.in_(some))):
            for person in homes[row.address]:
                found.setdefault(person, []).append(_on(row))
    return found


def _on_their_numbers(connection: Connection, rows: Iterable[str]) -> Iterable[tuple[str, On]]:
    for some in batches(rows):
        theirs = (
            _MARKERS.add_columns(person_numbers.c.person_id.label("whose"))
            .join(person_numbers, person_numbers.c.number_id == markers.c.number_id)
            .where(person_numbers.c.person_id.in_(some), person_numbers.c.ended_at.is_(None))
        )
        yield from ((row.whose, _on(row)) for row in connection.execute(theirs))


def _on(row: Row[Any]) -> On:
    return On(row.id, row.kind, row.expires_at)


def _living(wanted: ColumnElement[bool]) -> Select[tuple[str, str]]:
    """Select who lives where now."""
    return select(addresses.c.look_up, addresses.c.person_id).where(
        wanted, addresses.c.ended_at.is_(None)
    )


def marked_numbers(connection: Connection, now: datetime) -> set[tuple[str, str, str]]:
    """Return (number's id, marker's id, kind) of every marker that stands, however it is reached.

    There are as many rows as there are markers times the numbers of their people: few.
    """
    pairs: set[tuple[str, str, str]] = set()
    carried: dict[str, set[tuple[str, str]]] = {}
    homes: dict[str, set[tuple[str, str]]] = {}
    for row in connection.execute(_MARKERS.where(markers.c.expires_at > now)):
        if row.number_id is not None:
            pairs.add((row.number_id, row.id, row.kind))
        if row.person_id is not None:
            carried.setdefault(row.person_id, set()).add((row.id, row.kind))
        if row.address is not None:
            homes.setdefault(row.address, set()).add((row.id, row.kind))
    for some in batches(homes):
        for home in connection.execute(_living(addresses.c.look_up.in_(some))):
            carried.setdefault(home.person_id, set()).update(homes[home.look_up])
    by_row: dict[str, set[tuple[str, str]]] = {}
    for person, members in families(connection, carried).items():
        for member in members:
            by_row.setdefault(member, set()).update(carried[person])
    for some in batches(by_row):
        theirs = select(person_numbers.c.number_id, person_numbers.c.person_id).where(
            person_numbers.c.person_id.in_(some), person_numbers.c.ended_at.is_(None)
        )
        for owner in connection.execute(theirs):
            pairs |= {(owner.number_id, *one) for one in by_row[owner.person_id]}
    return pairs


def matches_of_open(
    connection: Connection, pairs: Iterable[tuple[str, str, str]], now: datetime
) -> tuple[Match, ...]:
    """Return what calls nobody has closed match of ``pairs``, counted from ``now``.

    One that was closed and asked again waits, and is among them. So is one that was closed with
    its line open, counted from then: it stays closed, and is now again if the caller asks.
    """
    by_number: dict[str, list[tuple[str, str]]] = {}
    for number, marker, kind in sorted(pairs):
        by_number.setdefault(number, []).append((marker, kind))
    return tuple(
        Match(row.call_key, row.month, _since(row, now), marker, kind)
        for some in batches(by_number)
        for row in connection.execute(_OPEN.where(incidents.c.number_id.in_(some)))
        for marker, kind in by_number[row.number_id]
    )


def matches_of_known(connection: Connection, now: datetime) -> tuple[Match, ...]:
    """Return what such calls of the contact line match by whom they are of, whatever the number.

    Of those that began within a day: a look must not read every call there is.
    """
    known = incidents.c.line == CONTACT_LINE, incidents.c.people.is_not(None)
    rows = connection.execute(_OPEN.where(*known, incidents.c.started_at > now - RECENT)).all()
    on = of_persons(connection, {one for row in rows for one in row.people}, numbers=True)
    return tuple(
        Match(row.call_key, row.month, _since(row, now), one.marker, one.kind)
        for row in rows
        for person in row.people
        for one in on.get(person, ())
        if one.until > now
    )


def _since(row: Row[Any], now: datetime) -> datetime:
    return now if row.closed_at is None or row.asked_again else row.closed_at


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
