"""Points of contact: a repeat victim's named officer, the deputy, and how they change hands.

Nothing is deleted: a place that ends keeps its row, with who ended it and why, so that
it can be read later who stood for whom on which day. Who acts when somebody is away
follows from ``standing``; nobody is called, written to or chosen from here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from incidents.audit import Audit
from incidents.families import families
from incidents.fold import as_text
from incidents.identity import uuid7
from incidents.local import local_day
from incidents.persons import NoSuchPerson
from incidents.roles import Roles
from incidents.sealed import Keys
from incidents.standing import DEPUTY, PARTS, SPOC, Part, Standing, holds, officers, standing
from incidents.store import Store
from incidents.tables import contacts, people, users
from incidents.transactions import reading, writing
from incidents.working import Conflict, Unfit, text_of

LONGEST_REASON: Final = 500
LONGEST_AHEAD: Final = timedelta(days=366)
"""How far ahead a hand-over may be planned."""
ONE_DAY: Final = timedelta(days=1)
CHANGED: Final = "Somebody changed this since your page was loaded: look at who stands here now."


@dataclass(frozen=True, slots=True)
class Kept:
    """A planned end of a place that was taken back, by whom, when and why."""

    by: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Held:
    """One place with a person, as it was held. ``to_day``: the last day; None: it is held now.

    ``from_day`` and ``to_day`` may lie ahead: it is planned. ``why``: why it began. ``ended_by``,
    ``ended_at``, ``ended_why``: how it ended. One that was given on with the day it began, or was
    taken back before that, was held on no day: ``to_day`` lies before ``from_day``. ``kept``: ends
    that were planned and taken back.
    """

    officer: str
    part: Part
    from_day: date
    to_day: date | None
    by: str
    at: datetime | None
    why: str
    ended_by: str
    ended_at: datetime | None
    ended_why: str
    kept: tuple[Kept, ...] = ()

    @property
    def taken_back(self) -> bool:
        """Say whether it was planned and taken back before it began."""
        return self.ended_at is not None and local_day(self.ended_at) < self.from_day


class Contacts:
    """The points of contact of one site. Every method raises ``StoreUnavailable``.

    ``day``: the local day on which it is done or asked about.
    """

    def __init__(self, store: Store, keys: Keys, audit: Audit, roles: Roles) -> None:
        self._store = store
        self._keys = keys
        self._audit = audit
        self._roles = roles

    def assign(
        self,
        person: str,
        spoc: str,
        deputy: str = "",
        reason: str = "",
        *,
        by: str,
        now: datetime,
        day: date,
        starts: date | None = None,
        seen: Iterable[str] | None = None,
    ) -> None:
        """Give a person this SPOC and this deputy from ``starts`` on; an empty deputy is none.

        ``starts``: ``day`` unless given, or a later one. Whoever stood there before has the day
        before it as their last. ``seen``: the ids of the places the form showed; others there now
        are not overwritten. Raises ``NoSuchPerson``, ``Conflict`` when others are there now or a
        change is planned already, and ``Unfit``: a change of hands needs a reason.
        """
        why = _reason(reason, needed=False)
        first_day = starts or day
        if not day <= first_day <= day + LONGEST_AHEAD:
            raise Unfit("starts", f"Give today or a day within {LONGEST_AHEAD.days} days from it.")
        with writing(self._store.engine) as connection:
            first, held = self._locked(connection, person, day, seen)
            self._refuse_planned(connection, first, day)
            spoc_id = self._officer_id(connection, SPOC, spoc)
            deputy_id = self._officer_id(connection, DEPUTY, deputy) if deputy else None
            if spoc_id == deputy_id:
                raise Unfit(DEPUTY, f"{spoc} is the SPOC: the deputy must be somebody else.")
            wanted: tuple[tuple[Part, str | None], ...] = ((SPOC, spoc_id), (DEPUTY, deputy_id))
            ends = [row for row in held if (row.part, row.user_id) not in wanted]
            ends += _twice(held)
            there = {(row.part, row.user_id) for row in held}
            begins = [(part, one) for part, one in wanted if one and (part, one) not in there]
            if not ends and not begins:
                raise Unfit(SPOC, "This is how it stands already: change one of them.")
            if ends and not why:
                raise Unfit("reason", "Say why it changes hands: it is read later.")
            for row in ends:
                self._end(connection, row, why, by, now, first_day)
            for part, user in begins:
                self._begin(connection, first, user, part, why, by, now, first_day)
            what = "handed a point of contact over" if ends else "appointed a point of contact"
            if first_day > day:
                what += f" from {first_day.isoformat()}"
            self._audit.put(connection, by, "alteration", what, first, why, at=now)

    def end(
        self,
        person: str,
        reason: str,
        *,
        by: str,
        now: datetime,
        day: date,
        seen: Iterable[str] | None = None,
    ) -> None:
        """Leave a person without SPOC and deputy from ``day`` on: they need none any more.

        Raises ``NoSuchPerson``, ``Conflict`` and ``Unfit``.
        """
        why = _reason(reason, needed=True)
        with writing(self._store.engine) as connection:
            first, held = self._locked(connection, person, day, seen)
            self._refuse_planned(connection, first, day)
            if not held:
                raise Conflict("Nobody is this person's point of contact.")
            for row in held:
                self._end(connection, row, why, by, now, day)
            self._audit.put(
                connection, by, "alteration", "ended a point of contact", first, why, at=now
            )

    def take_back(self, person: str, reason: str, *, by: str, now: datetime, day: date) -> None:
        """Take back whatever is planned for after ``day``: who stands there now stays.

        What was planned is kept in the history, as held on no day. Raises ``NoSuchPerson``,
        ``Conflict`` when nothing is planned, and ``Unfit`` without a reason.
        """
        why = _reason(reason, needed=True)
        with writing(self._store.engine) as connection:
            first, _ = self._locked(connection, person, day, None)
            begins, ends = _planned(connection, _family(connection, first), day)
            if not begins and not ends:
                raise Conflict("Nothing is planned here any more: look at who stands here now.")
            for row in begins:
                self._end(connection, row, why, by, now, row.from_day)
            for row in ends:
                told = self._opened(row)
                back = {"by": by, "at": as_text(now), "why": why, "ended": told.pop("ended", {})}
                told["taken_back"] = [*told.get("taken_back", ()), back]
                change = update(contacts).where(contacts.c.id == row.id)
                sealed = self._sealed(row.id, told)
                connection.execute(change.values(to_day=None, reason=sealed))
            what = "took a planned hand-over back"
            self._audit.put(connection, by, "alteration", what, first, why, at=now)

    def coming(self, person: str, day: date) -> tuple[Standing, ...]:
        """Return who stands for a person from each later day on which that changes, in order.

        Raises ``NoSuchPerson``.
        """
        with reading(self._store.engine) as connection:
            begins, ends = _planned(connection, _family(connection, person), day)
            days = {row.from_day for row in begins} | {row.to_day + ONE_DAY for row in ends}
            return tuple(
                standing(connection, self._roles, [person], one)[person] for one in sorted(days)
            )

    def standing(self, person: str, day: date) -> Standing:
        """Return who stands for one person. Raises ``NoSuchPerson``."""
        with reading(self._store.engine) as connection:
            found = standing(connection, self._roles, [person], day)
        if person not in found:
            raise NoSuchPerson(person)
        return found[person]

    def standings(self, persons: Iterable[str], day: date) -> dict[str, Standing]:
        """Return who stands for each person, by the id asked for."""
        with reading(self._store.engine) as connection:
            return standing(connection, self._roles, persons, day)

    def history(self, person: str) -> tuple[Held, ...]:
        """Return every place there was with a person, the latest first. Raises ``NoSuchPerson``."""
        with reading(self._store.engine) as connection:
            members = _family(connection, person)
            rows = connection.execute(
                select(contacts, users.c.name)
                .join(users, users.c.id == contacts.c.user_id)
                .where(contacts.c.person_id.in_(members))
                .order_by(contacts.c.from_day.desc(), contacts.c.at.desc(), contacts.c.part.desc())
            ).all()
        return tuple(self._held(row) for row in rows)

    def officers(self) -> tuple[str, ...]:
        """Return the names of those who may be a point of contact, by name."""
        with reading(self._store.engine) as connection:
            known = officers(connection, self._roles).values()
        return tuple(sorted(one.name for one in known if not one.gone))

    def _locked(
        self, connection: Connection, person: str, day: date, seen: Iterable[str] | None
    ) -> tuple[str, list[Row[Any]]]:
        """Lock a person; return the id that stands for them and the places held now."""
        members = _family(connection, person)
        while True:
            # A merge may have moved the person before the lock was ours: look again after it.
            row = select(people.c.id, people.c.erased_at).where(people.c.id == members[0])
            locked = connection.execute(row.with_for_update()).one()
            again = _family(connection, person)
            if again[0] == members[0]:
                break
            members = again
        if locked.erased_at is not None:
            raise NoSuchPerson(person)
        query = select(contacts).where(contacts.c.person_id.in_(again), holds(day))
        held = list(connection.execute(query.order_by(contacts.c.id)))
        if seen is not None and set(seen) != {row.id for row in held}:
            raise Conflict(CHANGED)
        return members[0], held

    @staticmethod
    def _refuse_planned(connection: Connection, person: str, day: date) -> None:
        """Two plans could contradict each other: one is taken back before the next is made."""
        begins, ends = _planned(connection, _family(connection, person), day)
        for planned in [row.from_day for row in begins] + [row.to_day + ONE_DAY for row in ends]:
            raise Conflict(
                f"A change from {planned.day} {planned:%b %Y} on is planned: take it back first."
            )

    def _officer_id(self, connection: Connection, part: Part, name: str) -> str:
        for one in officers(connection, self._roles).values():
            if one.name == name and not one.gone:
                return one.id
        raise Unfit(part, f"Choose as {PARTS[part]} somebody who is here and may be one.")

    def _begin(
        self,
        connection: Connection,
        person: str,
        user: str,
        part: Part,
        why: str,
        by: str,
        now: datetime,
        day: date,
    ) -> None:
        row = uuid7(now)
        connection.execute(
            contacts.insert().values(
                id=row,
                person_id=person,
                user_id=user,
                part=part,
                from_day=day,
                by=by,
                at=now,
                reason=self._sealed(row, {"why": why}),
            )
        )

    def _end(
        self, connection: Connection, row: Row[Any], why: str, by: str, now: datetime, day: date
    ) -> None:
        told = {**self._opened(row), "ended": {"by": by, "at": as_text(now), "why": why}}
        change = update(contacts).where(contacts.c.id == row.id)
        connection.execute(change.values(to_day=day - ONE_DAY, reason=self._sealed(row.id, told)))

    def _sealed(self, row: str, told: dict[str, Any]) -> bytes:
        return self._keys.seal(json.dumps(told).encode(), f"contacts|{row}|reason")

    def _opened(self, row: Row[Any]) -> dict[str, Any]:
        if row.reason is None:
            return {}
        told: dict[str, Any] = json.loads(self._keys.open(row.reason, f"contacts|{row.id}|reason"))
        return told

    def _held(self, row: Row[Any]) -> Held:
        told = self._opened(row)
        ended = told.get("ended", {})
        at = ended.get("at")
        return Held(
            row.name,
            row.part,
            row.from_day,
            row.to_day,
            row.by or "",
            row.at,
            told.get("why", ""),
            ended.get("by", ""),
            datetime.fromisoformat(at) if at else None,
            ended.get("why", ""),
            tuple(
                Kept(one["by"], datetime.fromisoformat(one["at"]), one["why"])
                for one in told.get("taken_back", ())
            ),
        )


def _family(connection: Connection, person: str) -> tuple[str, ...]:
    found = families(connection, [person])
    if person not in found:
        raise NoSuchPerson(person)
    return found[person]


def _planned(
    connection: Connection, members: Collection[str], day: date
) -> tuple[list[Row[Any]], list[Row[Any]]]:
    """Return the places that begin after ``day``, and those held on it that have a last day."""
    query = select(contacts).where(contacts.c.person_id.in_(members)).order_by(contacts.c.id)
    until = contacts.c.to_day
    begins = (contacts.c.from_day > day) & (until.is_(None) | (until >= contacts.c.from_day))
    ends = (contacts.c.from_day <= day) & (until >= day)
    return list(connection.execute(query.where(begins))), list(
        connection.execute(query.where(ends))
    )


def _twice(held: Iterable[Row[Any]]) -> list[Row[Any]]:
    """Return the rows that say what an earlier one says: a merge may bring one officer twice."""
    known: set[tuple[str, str]] = set()
    found = []
    for row in held:
        if (row.part, row.user_id) in known:
            found.append(row)
        known.add((row.part, row.user_id))
    return found


def _reason(reason: str, *, needed: bool) -> str:
    if not needed and not reason.strip():
        return ""
    return " ".join(text_of("reason", reason, "why", LONGEST_REASON).split())
