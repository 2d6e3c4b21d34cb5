"""All that is on record of one person together, and whether they are somebody's own work.

It is read over every row that stands for them. What it shows is logged by whoever asks.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, func, or_, select

from incidents.addresses import Address, addresses_of
from incidents.handled import state_of
from incidents.known import REFUSED
from incidents.person_lists import worked_with
from incidents.person_numbers import Owned, numbers_of
from incidents.persons import Person, family, person_of
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import incidents, parts, people, person_numbers, timeline
from incidents.together import CONFIRMED, typed_calls
from incidents.transactions import reading

CALLS_SHOWN: Final = 50
_TAKING: Final = ("claimed", "taken_over")
"""Entries that say who held a call."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A call of theirs. ``part``: if one was confirmed.

    Else the call came from their number, or (``by_code``) they were known on the contact line.
    """

    reference: str
    started_at: datetime
    signal: str
    connection: str
    state: str
    grade: str | None
    outcome: str | None
    part: str
    by_code: bool


@dataclass(frozen=True, slots=True)
class PersonFile:
    """A person with what belongs to them. ``ids``: every row that stands for them, theirs first.

    ``calls``: the latest, newest first; ``call_count``: how many there are.
    """

    person: Person
    ids: tuple[str, ...]
    numbers: tuple[Owned, ...]
    addresses: tuple[Address, ...]
    calls: tuple[Earlier, ...]
    call_count: int


class PersonFiles:
    """The files of one site's people. Every method raises ``StoreUnavailable``."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys

    def one(self, person: str) -> PersonFile:
        """Return a person's file. Raises ``NoSuchPerson``."""
        with reading(self._store.engine) as connection:
            ids = family(connection, person)
            calls, count = self._calls(connection, ids, typed_calls(connection, ids, None))
            return PersonFile(
                person_of(connection, self._keys, ids[0]),
                ids,
                numbers_of(connection, self._keys, ids),
                addresses_of(connection, self._keys, ids),
                calls,
                count,
            )

    def own_work(self, person: str, user: str, today: date) -> bool:
        """Say whether a person is a user's own work. Raises ``NoSuchPerson``.

        They added them, are their SPOC or deputy today or cover for one, own an open follow-up
        of theirs, or hold or held an open call they may be of.
        """
        with reading(self._store.engine) as connection:
            ids = family(connection, person)
            theirs = select(people.c.id).where(people.c.id.in_(ids), worked_with(user, today))
            if connection.scalar(theirs.limit(1)) is not None:
                return True
            # A day and a night back: no line is open for longer.
            since = datetime.combine(today, time(), UTC) - timedelta(days=1)
            of = _of(connection, ids, typed_calls(connection, ids, since))
            return self._holds_call(connection, of, user)

    def _holds_call(self, connection: Connection, of: Any, user: str) -> bool:
        unended = or_(
            and_(incidents.c.handler == user, incidents.c.closed_at.is_(None)),
            incidents.c.connection == "open",
        )
        calls = connection.execute(
            select(incidents.c.call_key, incidents.c.handler).where(of, unended)
        ).all()
        return any(
            call.handler == user or user in self._holders(connection, call.call_key)
            for call in calls
        )

    def _holders(self, connection: Connection, call_key: str) -> set[str]:
        rows = connection.execute(
            select(timeline).where(timeline.c.call_key == call_key, timeline.c.kind.in_(_TAKING))
        )
        opened = (self._keys.open(row.data, f"timeline|{row.id}|data") for row in rows)
        return {str(json.loads(one).get("by")) for one in opened}

    def _calls(
        self, connection: Connection, ids: Collection[str], typed: Collection[str]
    ) -> tuple[tuple[Earlier, ...], int]:
        wanted = (_of(connection, ids, typed), incidents.c.purpose != "proof")
        columns = incidents.c
        rows = connection.execute(
            select(
                columns.call_key,
                columns.reference,
                columns.started_at,
                columns.signal,
                columns.connection,
                columns.grade,
                columns.outcome,
                state_of().label("state"),
            )
            .where(*wanted)
            .order_by(columns.started_at.desc())
            .limit(CALLS_SHOWN)
        ).all()
        count = len(rows)
        if count == CALLS_SHOWN:
            every = select(func.count()).select_from(incidents).where(*wanted)
            count = int(connection.scalar(every) or 0)
        confirmed = _confirmed(connection, ids, [row.call_key for row in rows])
        found = (
            _earlier(row, confirmed.get(row.call_key, ""), by_code=row.call_key in typed)
            for row in rows
        )
        return tuple(found), count


def _of(connection: Connection, ids: Collection[str], typed: Collection[str]) -> Any:
    """Say in SQL whether a call is of these rows: their number's, by a part somebody confirmed, or
    one of ``typed``. Where somebody said that it was not them, it is not.

    The ids are fetched first: with them as values both databases use their indexes.
    """
    now = person_numbers.c.ended_at.is_(None)
    numbers = select(person_numbers.c.number_id).where(person_numbers.c.person_id.in_(ids), now)
    said = connection.execute(
        select(parts.c.call_key, parts.c.state).where(
            parts.c.person_id.in_(ids), parts.c.ended_at.is_(None)
        )
    ).all()
    refused = {row.call_key for row in said if row.state == REFUSED}
    calls = {row.call_key for row in said if row.state == CONFIRMED} | set(typed)
    return and_(
        or_(
            incidents.c.number_id.in_(connection.scalars(numbers).all()),
            incidents.c.call_key.in_(sorted(calls - refused)),
        ),
        incidents.c.call_key.not_in(sorted(refused)),
    )


def _confirmed(
    connection: Connection, ids: Collection[str], calls: Collection[str]
) -> dict[str, str]:
    rows = connection.execute(
        select(parts.c.call_key, parts.c.part)
        .where(
            parts.c.person_id.in_(ids),
            parts.c.call_key.in_(calls),
            parts.c.state == CONFIRMED,
            parts.c.ended_at.is_(None),
        )
        .order_by(parts.c.at, parts.c.id)
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.call_key, []).append(row.part)
    return {call: " and ".join(dict.fromkeys(told)) for call, told in found.items()}


def _earlier(row: Row[Any], part: str, *, by_code: bool) -> Earlier:
    return Earlier(
        row.reference,
        row.started_at,
        row.signal,
        row.connection,
        row.state,
        row.grade,
        row.outcome,
        part,
        by_code,
    )
