"""Publishes the routing snapshot: who stands for whom today, for the phone side to read.

It writes phones of staff and keyed hashes, sealed; no number of a caller leaves the store, and
nobody is rung from here. Beside the drain, in turns.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, or_, select

from incidents.families import batches, families
from incidents.fold import as_text
from incidents.roles import Roles
from incidents.routing import Phone, Route, may_be_rung, write
from incidents.sealed import Keys
from incidents.standing import Standing, holds, standing
from incidents.store import Store
from incidents.tables import contacts, numbers, people, person_numbers, users
from incidents.transactions import reading
from incidents.unread import Unread

log = logging.getLogger(__name__)

EVERY: Final = 5.0
"""Seconds between two looks: a hand-over counts for the next call after that."""


def utc_now() -> datetime:
    """Return the time: aware UTC."""
    return datetime.now(UTC)


class Publisher:
    """Keeps the snapshot at ``path`` up to date. ``zone``: whose days contacts are counted in."""

    name = "routing"
    every = EVERY

    def __init__(
        self,
        store: Store,
        keys: Keys,
        roles: Roles,
        path: Path,
        zone: ZoneInfo,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._keys = keys
        self._roles = roles
        self._path = path
        self._zone = zone
        self._clock = clock
        self._written: Mapping[str, Route] | None = None
        self._seen: tuple[int, int, int] | None = None
        self._failed_since: datetime | None = None

    def turn(self, behind: float) -> None:
        """Publish what has changed, and vouch for what has not. Raises ``StoreUnavailable``."""
        day = self._clock().astimezone(self._zone).date()
        with reading(self._store.engine) as connection:
            routes = routes_on(connection, self._store.unread, self._roles, day)
        try:
            if routes != self._written or self._now_there() != self._seen:
                write(self._path, routes, self._keys)
                self._written = routes
            else:
                os.utime(self._path)
            self._seen = self._now_there()
            self._failed_since = None
        except OSError as error:
            self._written = None
            if self._failed_since is None:
                self._failed_since = self._clock()
                log.error("the routing snapshot cannot be written (%s)", type(error).__name__)

    def hear(self, datagram: bytes) -> None:
        """Hear nothing: what it publishes is in the store."""

    def alarms(self) -> list[dict[str, Any]]:
        """Return the alarm that the snapshot cannot be written, while that is so."""
        if self._failed_since is None:
            return []
        text = (
            "Who stands for whom cannot be written for the contact line: soon its callers reach "
            "the duty desk only. Free or mend the disk of the data folder."
        )
        return [{"id": "routing", "text": text, "since": as_text(self._failed_since)}]

    def _now_there(self) -> tuple[int, int, int] | None:
        """Tell the file that is there from one that somebody else put in its place or changed."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns


def routes_on(connection: Connection, unread: Unread, roles: Roles, day: date) -> dict[str, Route]:
    """Return, by keyed hash of a number or a code, whom each known person reaches on ``day``.

    Known are those who have, or had to have, a point of contact, and those with a code. A number
    that several of them use tells none of them apart: it is left out unless all reach the same.
    """
    known = _known(connection, day)
    found = standing(connection, roles, known, day)
    phones = _phones(connection, unread, found.values())
    kin = families(connection, [one.person for one in found.values()])
    routes: dict[str, Route] = {}
    of_member: dict[str, str] = {}
    for one in found.values():
        rung = tuple(phones[who.user_id] for who in one.order if who.user_id in phones)
        routes[one.person] = Route(one.person, rung)
        of_member |= dict.fromkeys(kin.get(one.person, ()), one.person)
    return {
        **_by_number(connection, of_member, routes),
        **{code: routes[of_member[who]] for who, code in _codes(connection, of_member)},
    }


def _known(connection: Connection, day: date) -> list[str]:
    placed = select(contacts.c.person_id).where(holds(day))
    query = select(people.c.id).where(
        people.c.erased_at.is_(None),
        or_(people.c.repeat_at.is_not(None), people.c.code.is_not(None), people.c.id.in_(placed)),
    )
    return list(connection.scalars(query))


def _phones(connection: Connection, unread: Unread, all_: Iterable[Standing]) -> dict[str, Phone]:
    """Return the phone of each officer who acts for somebody and has one that may be rung."""
    found = {}
    for some in batches(who.user_id for one in all_ for who in one.order):
        query = select(users.c.id, users.c.name, users.c.phone).where(
            users.c.id.in_(some), users.c.phone.is_not(None), users.c.disabled_at.is_(None)
        )
        for row in connection.execute(query):
            number = unread.read(row.phone, f"users|{row.id}|phone", bytes.decode, "")
            if may_be_rung(number):
                found[row.id] = Phone(row.name, number)
    return found


def _by_number(
    connection: Connection, of_member: Mapping[str, str], routes: Mapping[str, Route]
) -> dict[str, Route]:
    reached: dict[str, set[str]] = {}
    for some in batches(of_member):
        query = (
            select(person_numbers.c.person_id, numbers.c.look_up)
            .join(numbers, numbers.c.id == person_numbers.c.number_id)
            .where(person_numbers.c.person_id.in_(some), person_numbers.c.ended_at.is_(None))
        )
        for row in connection.execute(query):
            reached.setdefault(row.look_up, set()).add(of_member[row.person_id])
    found = {}
    for look_up, persons in reached.items():
        same = {routes[one].phones for one in persons}
        if len(persons) == 1:
            found[look_up] = routes[next(iter(persons))]
        elif len(same) == 1:
            found[look_up] = Route("", next(iter(same)))
    return found


def _codes(connection: Connection, of_member: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for some in batches(of_member):
        query = select(people.c.id, people.c.code).where(
            people.c.id.in_(some), people.c.code.is_not(None)
        )
        for row in connection.execute(query):
            yield row.id, row.code
