"""The visits of an operation, planned for everybody in its scope at once, and what came of them.

A visit is a follow-up that names the operation. Nobody gets a second one while the first is
open or led to somebody; whom nobody met may be planned for again. It visits nobody, and it
never chooses between people.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, or_, select

from incidents.audit import Audit
from incidents.families import batches, families
from incidents.figure_policy import FigurePolicy
from incidents.follow_up_kinds import New
from incidents.follow_ups import FollowUps
from incidents.operations import VISITS, NoSuchOperation
from incidents.owners import owner_id, owners
from incidents.periods import Period
from incidents.roles import Roles
from incidents.sealed import Keys
from incidents.standing import standing
from incidents.store import Store
from incidents.tables import (
    follow_ups,
    in_scope,
    operations,
    people,
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


class Visiting:
    """Plans and counts the visits of one site. Every method raises ``StoreUnavailable``."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        audit: Audit,
        roles: Roles,
        work: FollowUps,
        policy: FigurePolicy,
    ) -> None:
        self._store = store
        self._keys = keys
        self._audit = audit
        self._roles = roles
        self._work = work
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
            chosen = owner_id(connection, self._roles, owner), owner
            made = 0
            for new in self._wanting(connection, operation, day, chosen):
                due = due_at or now + timedelta(days=new.kind.due_days)
                text = f"{new.kind.name}: {name}"
                self._work.put(connection, replace(new, text=text, due_at=due), by=by, now=now)
                made += 1
            if made:
                what = f"planned {made} visits in an operation"
                self._audit.put(connection, by, "collection", what, operation, at=now)
        return made

    def _wanting(
        self, connection: Connection, operation: str, day: date, chosen: tuple[str, str]
    ) -> Iterable[New]:
        """Yield the visits that are wanted, each person once, without their time and text.

        ``chosen``: id and name of whoever owns those that no point of contact does.
        """
        scope = _scope(connection, operation)
        kin = families(connection, (one.person_id for one in scope))
        acting = standing(connection, self._roles, kin, day)
        had = self._had(connection, operation)
        for one in scope:
            kind = self._work.kinds.get(VISITS[one.part])
            if one.person_id not in kin or kind is None:
                continue
            person = kin[one.person_id][0]
            nth = had[person, kind.id]
            if nth is None:
                continue
            had[person, kind.id] = None
            stands = acting[one.person_id].acting if one.part == "victim" else None
            mine, name = chosen
            if stands is not None and self._fits(connection, stands.user_id):
                mine, name = stands.user_id, stands.name
            yield New(
                kind=kind,
                text="",
                owner_id=mine,
                owner=name,
                due_at=datetime.max.replace(tzinfo=UTC),
                call_key=None,
                person_id=person,
                once=self._keys.look_up(f"visit|{operation}|{person}|{kind.id}|{nth}"),
                operation_id=operation,
            )

    def owners(self) -> Sequence[str]:
        """Return the names of those who may own a visit."""
        with reading(self._store.engine) as connection:
            return owners(connection, self._roles)

    def offered(self, operation: str, period: Period) -> tuple[Offered, ...]:
        """Count contacts offered and taken up, by part: the operation's, and others with people of
        its scope, of no operation, that were closed in its days. Raises ``NoSuchOperation``."""
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
                or_(column.operation_id == operation, and_(column.operation_id.is_(None), within)),
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
            .join(people, people.c.id == in_scope.c.person_id)
            .where(
                in_scope.c.operation_id == operation,
                in_scope.c.removed_at.is_(None),
                people.c.erased_at.is_(None),
            )
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
