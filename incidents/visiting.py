"""The visits of an operation, planned for everybody in its scope at once, and what came of them.

A visit is a follow-up that names the operation. Nobody gets a second one while the first is
open or led to somebody; whom nobody met may be planned for again. It visits nobody, and it
never chooses between people.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, or_, select

from incidents.audit import Audit
from incidents.families import batches, families
from incidents.figure_policy import FigurePolicy
from incidents.follow_up_kinds import Kind, Kinds
from incidents.identity import uuid7
from incidents.operations import VISITS, NoSuchOperation
from incidents.periods import Period
from incidents.roles import Roles
from incidents.sealed import Keys
from incidents.standing import standing
from incidents.store import Store
from incidents.tables import (
    follow_ups,
    in_scope,
    operations,
    users,
)
from incidents.transactions import reading, writing
from incidents.working import Conflict, Unfit

LATEST: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Offered:
    """Contacts of one part. ``contacts``: follow-ups with which support was offered, ``taken``: it
    was taken up. ``reached`` and ``took``: people, each once, of ``people`` in scope."""

    part: str
    people: int
    contacts: int
    taken: int
    reached: int
    took: int


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A visit that is to be planned. ``nth``: how many before it led to nobody."""

    kind: Kind
    person: str
    owner_id: str
    nth: int


class Visiting:
    """Plans and counts the visits of one site. Every method raises ``StoreUnavailable``."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        audit: Audit,
        roles: Roles,
        kinds: Kinds,
        policy: FigurePolicy,
    ) -> None:
        self._store = store
        self._keys = keys
        self._audit = audit
        self._roles = roles
        self._kinds = kinds
        self._policy = policy

    def plan(
        self,
        operation: str,
        owner: str,
        *,
        by: str,
        now: datetime,
        day: date,
        due_at: datetime | None = None,
    ) -> int:
        """Plan a visit for everybody in the scope who has none; returns how many.

        It is owned by who acts as the person's point of contact on ``day``, else by ``owner``, and
        due as its kind says unless ``due_at`` says otherwise. Raises ``NoSuchOperation``,
        ``Conflict`` when it is closed, and ``Unfit``.
        """
        if due_at is not None and not now <= due_at <= now + LATEST:
            raise Unfit("due", f"Give a day from today on, within {LATEST.days} days.")
        with writing(self._store.engine) as connection:
            name = _open_name(connection, operation)
            owner_id = self._owner_id(connection, owner)
            made = 0
            for wanted in self._wanting(connection, operation, day, owner_id):
                due = due_at or now + timedelta(days=wanted.kind.due_days)
                self._put(connection, operation, name, wanted, due, by, now)
                made += 1
            if made:
                what = f"planned {made} visits in an operation"
                self._audit.put(connection, by, "collection", what, operation, at=now)
        return made

    def _wanting(
        self, connection: Connection, operation: str, day: date, owner_id: str
    ) -> Iterable[_Wanted]:
        """Yield the visits that are wanted, each person once, with whose it is."""
        scope = _scope(connection, operation)
        kin = families(connection, (one.person_id for one in scope))
        acting = standing(connection, self._roles, kin, day)
        had = self._had(connection, operation)
        for one in scope:
            kind = self._kinds.get(VISITS[one.part])
            if one.person_id not in kin or kind is None:
                continue
            place = kin[one.person_id][0], kind.id
            nth = had[place]
            if nth is None:
                continue
            had[place] = None
            stands = acting[one.person_id].acting if one.part == "victim" else None
            fits = stands is not None and self._fits(connection, stands.user_id)
            theirs = stands.user_id if stands is not None and fits else owner_id
            yield _Wanted(kind, place[0], theirs, nth)

    def _put(
        self,
        connection: Connection,
        operation: str,
        name: str,
        wanted: _Wanted,
        due: datetime,
        by: str,
        now: datetime,
    ) -> None:
        row, kind, person = uuid7(now), wanted.kind, wanted.person
        told = json.dumps({"text": f"{kind.name}: {name}", "moves": []}).encode()
        connection.execute(
            follow_ups.insert().values(
                id=row,
                kind=kind.id,
                person_id=person,
                operation_id=operation,
                owner_id=wanted.owner_id,
                due_at=due,
                data=self._keys.seal(told, f"follow_ups|{row}|data"),
                created_by=by,
                created_at=now,
                once=self._keys.look_up(f"visit|{operation}|{person}|{kind.id}|{wanted.nth}"),
            )
        )

    def owners(self) -> tuple[str, ...]:
        """Return the names of those who may own a visit."""
        query = select(users.c.name).where(
            users.c.disabled_at.is_(None), users.c.role.in_(self._roles.with_right("people"))
        )
        with reading(self._store.engine) as connection:
            return tuple(connection.scalars(query.order_by(users.c.name)))

    def offered(self, operation: str, period: Period) -> tuple[Offered, ...]:
        """Count contacts offered and taken up, by part: the operation's, and others with people of
        its scope that were closed in its days. Raises ``NoSuchOperation``."""
        with reading(self._store.engine) as connection:
            _row(connection, operation)
            scope = _scope(connection, operation)
            kin = families(connection, (one.person_id for one in scope))
            same = {one: kin[each][0] for each in kin for one in kin[each]}
            ended = self._ended(connection, operation, same, period)
        found = []
        for part in VISITS:
            mine = {
                kin[one.person_id][0] for one in scope if one.part == part and one.person_id in kin
            }
            theirs = [
                (f"{row.kind}.{row.outcome}", same[row.person_id])
                for row in ended
                if same.get(row.person_id) in mine
            ]
            told = [one for one in theirs if one[0] in self._policy.offered]
            took = [one for one in told if one[0] in self._policy.taken]
            reached, took_up = {who for _, who in told}, {who for _, who in took}
            found.append(Offered(part, len(mine), len(told), len(took), len(reached), len(took_up)))
        return tuple(found)

    def _ended(
        self, connection: Connection, operation: str, persons: Iterable[str], period: Period
    ) -> list[Row[Any]]:
        column = follow_ups.c
        found: list[Row[Any]] = []
        for some in batches(persons):
            within = and_(column.closed_at >= period.since, column.closed_at < period.until)
            query = select(column.kind, column.outcome, column.person_id).where(
                column.person_id.in_(some),
                column.closed_at.is_not(None),
                or_(column.operation_id == operation, within),
            )
            found += connection.execute(query)
        return found

    def _had(self, connection: Connection, operation: str) -> _Had:
        """Look up who has a visit: one that is open, or that led to somebody."""
        rows = connection.execute(
            select(follow_ups.c.person_id, follow_ups.c.kind, follow_ups.c.outcome).where(
                follow_ups.c.operation_id == operation, follow_ups.c.person_id.is_not(None)
            )
        ).all()
        kin = families(connection, (row.person_id for row in rows))
        found = _Had()
        for row in rows:
            place = kin[row.person_id][0], row.kind
            if f"{row.kind}.{row.outcome}" in self._policy.again:
                found.again(place)
            else:
                found[place] = None
        return found

    def _owner_id(self, connection: Connection, name: str) -> str:
        row = connection.execute(
            select(users.c.id).where(users.c.name == name, users.c.disabled_at.is_(None))
        ).first()
        if row is None or not self._fits(connection, row.id):
            raise Unfit("owner", "Choose somebody who is here and may work with people.")
        return str(row.id)

    def _fits(self, connection: Connection, user: str) -> bool:
        role = connection.scalar(
            select(users.c.role).where(users.c.id == user, users.c.disabled_at.is_(None))
        )
        return role is not None and self._roles.may(role, "people")


class _Had(dict[tuple[str, str], int | None]):
    """How many visits led to nobody, by person and kind; None: there is one that stands."""

    def __missing__(self, place: tuple[str, str]) -> int:
        return 0

    def again(self, place: tuple[str, str]) -> None:
        """Count one more that led to nobody."""
        count = self[place]
        if count is not None:
            self[place] = count + 1


def _scope(connection: Connection, operation: str) -> list[Row[Any]]:
    return list(
        connection.execute(
            select(in_scope.c.person_id, in_scope.c.part)
            .where(in_scope.c.operation_id == operation, in_scope.c.removed_at.is_(None))
            .order_by(in_scope.c.id)
        )
    )


def _row(connection: Connection, operation: str) -> Row[Any]:
    row = connection.execute(select(operations).where(operations.c.id == operation)).first()
    if row is None:
        raise NoSuchOperation(operation)
    return row


def _open_name(connection: Connection, operation: str) -> str:
    row = _row(connection, operation)
    if row.closed_at is not None:
        raise Conflict("This operation is closed: make a new one for what is to come.")
    return str(row.name)
