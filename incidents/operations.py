"""Operations: a named season of work, the people in its scope, and the visits it means.

People come in by a rule or by hand, each with a part; the visits are follow-ups that name
the operation. It visits nobody and chooses nobody by a score: the one rule there is takes
in everybody who is known as a repeat victim.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, case, func, select, update

from incidents.audit import Audit
from incidents.families import families
from incidents.identity import uuid7
from incidents.numbers import look_up_of
from incidents.person_lists import standing
from incidents.persons import family, names, normal
from incidents.sealed import Keys
from incidents.searching import number_of
from incidents.store import Store
from incidents.tables import (
    follow_ups,
    in_scope,
    numbers,
    operations,
    people,
    person_numbers,
)
from incidents.transactions import reading, writing
from incidents.working import Conflict, Unfit, text_of

LONGEST_NAME: Final = 80
LONGEST_AREA: Final = 200
PARTS: Final[Mapping[str, str]] = {"victim": "Victim", "offender": "Person responsible"}
VISITS: Final[Mapping[str, str]] = {"victim": "visit_victim", "offender": "visit_offender"}
"""The kind of follow-up that a person of each part is visited with."""
BY_RULE: Final = "rule"
BY_HAND: Final = "hand"
SEVERAL_NAME: Final = (
    "Several people have this name. Enter a whole number of the one you mean, from their page."
)
SEVERAL_NUMBER: Final = "Several people have this number. Enter the full name of the one you mean."


class NoSuchOperation(LookupError):
    """No operation, or nobody in its scope, has this id."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. Days are local and both belong to it. ``baseline``: to compare with."""

    id: str
    name: str
    from_day: date
    to_day: date
    area: str
    baseline: tuple[date, date] | None
    by: str
    closed_at: datetime | None

    def days_left(self, today: date) -> int | None:
        """Days until its last day; None when it has not begun or is over."""
        if self.closed_at is not None or not self.from_day <= today <= self.to_day:
            return None
        return (self.to_day - today).days


@dataclass(frozen=True, slots=True)
class InScope:
    """Somebody in the scope, with their visits in this operation. ``how``: by rule or by hand."""

    id: str
    person: str
    name: str
    part: str
    how: str
    by: str
    planned: int
    done: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Visits:
    """The visits of one part: people in scope, visits planned, done and overdue."""

    part: str
    people: int
    planned: int
    done: int
    overdue: int


def visits(scope: tuple[InScope, ...]) -> tuple[Visits, ...]:
    """Add the visits up, by part."""
    found = []
    for part in PARTS:
        mine = [one for one in scope if one.part == part]
        found.append(
            Visits(
                part,
                len(mine),
                sum(one.planned for one in mine),
                sum(one.done for one in mine),
                sum(one.overdue for one in mine),
            )
        )
    return tuple(found)


class Operations:
    """The operations of one site. Every method raises ``StoreUnavailable``."""

    def __init__(self, store: Store, keys: Keys, audit: Audit) -> None:
        self._store = store
        self._keys = keys
        self._audit = audit

    def make(
        self,
        name: str,
        from_day: date,
        to_day: date,
        *,
        area: str = "",
        baseline: tuple[date, date] | None = None,
        by: str,
        now: datetime,
    ) -> str:
        """Make an operation; returns its id. Raises ``Unfit``."""
        tidy = " ".join(text_of("name", name, "its name", LONGEST_NAME).split())
        where = " ".join(text_of("area", area, "it", LONGEST_AREA).split()) if area.strip() else ""
        if to_day < from_day:
            raise Unfit("to_day", "It cannot end before it begins: change one of the days.")
        if baseline is not None and baseline[1] < baseline[0]:
            raise Unfit("baseline_to", "The baseline cannot end before it begins.")
        if baseline is not None and baseline[1] >= from_day:
            raise Unfit("baseline_to", "The baseline must end before the operation begins.")
        days = [day.isoformat() for day in baseline] if baseline else None
        row = uuid7(now)
        with writing(self._store.engine) as connection:
            if connection.scalar(select(operations.c.id).where(operations.c.name == tidy)):
                raise Unfit("name", "There is an operation of this name: add a year to it.")
            connection.execute(
                operations.insert().values(
                    id=row,
                    name=tidy,
                    from_day=from_day,
                    to_day=to_day,
                    scope={"area": where, "baseline": days},
                    created_by=by,
                    created_at=now,
                )
            )
            self._log(connection, row, "made an operation", by, now)
        return row

    def all(self) -> list[Operation]:
        """Return all operations, the latest first."""
        with reading(self._store.engine) as connection:
            rows = connection.execute(
                select(operations).order_by(operations.c.from_day.desc(), operations.c.name)
            ).all()
        return [_operation(row) for row in rows]

    def one(self, operation: str) -> Operation:
        """Return an operation. Raises ``NoSuchOperation``."""
        with reading(self._store.engine) as connection:
            return _operation(_row(connection, operation))

    def scope(self, operation: str, now: datetime) -> tuple[InScope, ...]:
        """Return who is in the scope, those with something overdue first, then by name."""
        with reading(self._store.engine) as connection:
            rows = connection.execute(
                select(in_scope).where(
                    in_scope.c.operation_id == operation, in_scope.c.removed_at.is_(None)
                )
            ).all()
            named = names(connection, self._store.unread, (row.person_id for row in rows))
            counted = {
                (row.person_id, row.kind): row
                for row in connection.execute(_counted(operation, now))
            }
        found = []
        for row in rows:
            count = counted.get((row.person_id, VISITS.get(row.part, "")))
            planned, done, late = (count.planned, count.done, count.late) if count else (0, 0, 0)
            found.append(
                InScope(
                    row.id,
                    row.person_id,
                    named[row.person_id],
                    row.part,
                    row.how,
                    row.by,
                    planned,
                    done,
                    late,
                )
            )
        return tuple(sorted(found, key=lambda one: (-one.overdue, normal(one.name), one.id)))

    def add(self, operation: str, who: str, part: str, *, by: str, now: datetime) -> str:
        """Put somebody in by hand; returns the id of their place in it.

        ``who``: their full name or a whole number of theirs. Two people of one name stay two:
        a number tells them apart. Raises ``NoSuchOperation``, ``Conflict`` when it is closed,
        and ``Unfit``.
        """
        words = text_of("person", who, "the full name, or a whole number")
        try:
            number = number_of(words)
        except Unfit as unfit:
            raise Unfit("person", str(unfit)) from None
        if part not in PARTS:
            raise Unfit("part", "Choose the part this person has.")
        with writing(self._store.engine) as connection:
            _open(connection, operation)
            named = people.c.look_up == self._keys.look_up(f"name|{normal(words)}")
            having = people.c.id.in_(_holders(connection, self._keys, number) if number else ())
            found = connection.scalars(
                select(people.c.id).where(
                    having if number else named,
                    people.c.merged_into.is_(None),
                    people.c.erased_at.is_(None),
                )
            ).all()
            if not found:
                what = "number" if number else "name"
                raise Unfit("person", f"Nobody on record has this {what}: add the person first.")
            if len(found) > 1:
                raise Unfit("person", SEVERAL_NUMBER if number else SEVERAL_NAME)
            row = _put(connection, operation, found[0], part, BY_HAND, by, now)
            if row is None:
                raise Unfit("person", "This person is in it already, with this part.")
            self._log(connection, operation, "put somebody into an operation", by, now)
        return row

    def bring_in(self, operation: str, *, by: str, now: datetime) -> int:
        """Bring in everybody known as a repeat victim; returns how many are new.

        Whoever was taken out by hand stays out. Raises ``NoSuchOperation`` and ``Conflict``.
        """
        with writing(self._store.engine) as connection:
            _open(connection, operation)
            ever = select(in_scope.c.person_id).where(in_scope.c.operation_id == operation)
            # One row of a person in it is the person in it, whichever row was joined to which.
            theirs = families(connection, connection.scalars(ever)).values()
            known = connection.scalars(
                select(people.c.id).where(
                    people.c.repeat_at.is_not(None),
                    people.c.merged_into.is_(None),
                    people.c.erased_at.is_(None),
                )
            ).all()
            there = {one for ids in theirs for one in ids}
            found = [one for one in known if one not in there]
            for person in found:
                _put(connection, operation, person, "victim", BY_RULE, by, now)
            if found:
                what = f"brought {len(found)} people into an operation by rule"
                self._log(connection, operation, what, by, now)
        return len(found)

    def take_out(self, operation: str, place: str, *, by: str, now: datetime) -> None:
        """Take somebody out; what was done for them stays.

        Raises ``NoSuchOperation``, and ``Conflict`` when it is closed: its figures stay.
        """
        with writing(self._store.engine) as connection:
            _open(connection, operation)
            gone = connection.execute(
                update(in_scope)
                .where(
                    in_scope.c.id == place,
                    in_scope.c.operation_id == operation,
                    in_scope.c.removed_at.is_(None),
                )
                .values(removed_at=now, removed_by=by)
            )
            if not gone.rowcount:
                raise NoSuchOperation(place)
            self._log(connection, operation, "took somebody out of an operation", by, now)

    def close(self, operation: str, *, by: str, now: datetime) -> None:
        """Close it: nobody comes in any more, and it can still be read. Raises ``Conflict``."""
        with writing(self._store.engine) as connection:
            _open(connection, operation)
            change = update(operations).where(operations.c.id == operation)
            connection.execute(change.values(closed_at=now))
            self._log(connection, operation, "closed an operation", by, now)

    def _log(
        self, connection: Connection, operation: str, what: str, by: str, now: datetime
    ) -> None:
        self._audit.put(connection, by, "alteration", what, operation, at=now)


def _holders(connection: Connection, keys: Keys, number: str) -> list[str]:
    """Return the rows that stand for those who have a number (E.164) now."""
    having = select(person_numbers.c.person_id).where(
        person_numbers.c.number_id.in_(
            select(numbers.c.id).where(numbers.c.look_up == look_up_of(keys, number))
        ),
        person_numbers.c.ended_at.is_(None),
    )
    return standing(connection, connection.scalars(having))


def _counted(operation: str, now: datetime) -> Any:
    """Select the visits of each person in an operation."""
    closed, due = follow_ups.c.closed_at, follow_ups.c.due_at
    return (
        select(
            follow_ups.c.person_id,
            follow_ups.c.kind,
            func.count().label("planned"),
            func.count(closed).label("done"),
            func.sum(case((closed.is_(None) & (due < now), 1), else_=0)).label("late"),
        )
        .where(follow_ups.c.operation_id == operation)
        .group_by(follow_ups.c.person_id, follow_ups.c.kind)
    )


def _put(
    connection: Connection,
    operation: str,
    person: str,
    part: str,
    how: str,
    by: str,
    now: datetime,
) -> str | None:
    """Put a person in, or return None when they are in already with this part."""
    there = select(in_scope.c.id).where(
        in_scope.c.operation_id == operation,
        in_scope.c.person_id.in_(family(connection, person)),
        in_scope.c.part == part,
        in_scope.c.removed_at.is_(None),
    )
    if connection.scalar(there):
        return None
    row = uuid7(now)
    connection.execute(
        in_scope.insert().values(
            id=row, operation_id=operation, person_id=person, part=part, how=how, by=by, at=now
        )
    )
    return row


def _open(connection: Connection, operation: str) -> None:
    if _row(connection, operation).closed_at is not None:
        raise Conflict("This operation is closed: make a new one for what is to come.")


def _row(connection: Connection, operation: str) -> Row[Any]:
    row = connection.execute(select(operations).where(operations.c.id == operation)).first()
    if row is None:
        raise NoSuchOperation(operation)
    return row


def _operation(row: Row[Any]) -> Operation:
    days = row.scope.get("baseline")
    baseline = (date.fromisoformat(days[0]), date.fromisoformat(days[1])) if days else None
    return Operation(
        row.id,
        row.name,
        row.from_day,
        row.to_day,
        row.scope.get("area", ""),
        baseline,
        row.created_by or "",
        row.closed_at,
    )
