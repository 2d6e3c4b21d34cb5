"""Which people are shown in a list: repeat victims, and those somebody works with.

A row that was merged into another is shown as that other, once. It opens nobody's facts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from incidents.persons import NoSuchPerson, canonical
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import (
    absences,
    contacts,
    follow_ups,
    people,
    users,
)
from incidents.transactions import reading

MOST_SHOWN: Final = 200
"""People one list shows, the newest first; how many there are is said beside it."""


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody in a list. ``repeat_at``: since when a repeat victim, or None."""

    id: str
    name: str
    repeat_at: datetime | None


@dataclass(frozen=True, slots=True)
class People:
    """A list of people, and how many there are in all."""

    shown: tuple[Named, ...]
    count: int


class PersonLists:
    """Lists of one site's people. Every method raises ``StoreUnavailable``."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys

    def repeat_victims(self) -> People:
        """Return everybody known as a repeat victim, the latest known first."""
        query = select(people.c.id).where(people.c.repeat_at.is_not(None))
        return self._list(query, people.c.repeat_at.desc())

    def of(self, user: str, today: date) -> People:
        """Return those a user added or works with, the latest added first."""
        return self._list(select(people.c.id).where(worked_with(user, today)))

    def _list(self, which: Select[Any], order: ColumnElement[Any] | None = None) -> People:
        last = people.c.created_at.desc() if order is None else order
        with reading(self._store.engine) as connection:
            merged = select(people.c.id).where(
                people.c.id.in_(which), people.c.merged_into.is_not(None)
            )
            ids = standing(connection, connection.scalars(merged).all())
            wanted = or_(people.c.id.in_(which), people.c.id.in_(ids))
            there = (wanted, people.c.merged_into.is_(None), people.c.erased_at.is_(None))
            rows = connection.execute(
                select(people).where(*there).order_by(last, people.c.id).limit(MOST_SHOWN)
            ).all()
            count = len(rows)
            if count == MOST_SHOWN:
                query = select(func.count()).select_from(people).where(*there)
                count = int(connection.scalar(query) or 0)
        named = (
            Named(
                row.id,
                self._keys.open(row.name, f"people|{row.id}|name").decode(),
                row.repeat_at,
            )
            for row in rows
        )
        return People(tuple(named), count)


def worked_with(user: str, today: date) -> ColumnElement[bool]:
    """Say in SQL whether a row of ``people`` is a user's own work.

    They added it, own an open follow-up of it, or are its SPOC or deputy today, or cover for one.
    """
    me = select(users.c.id).where(users.c.name == user).scalar_subquery()
    covered = select(absences.c.user_id).where(
        absences.c.cover_id == me,
        absences.c.ended_at.is_(None),
        absences.c.from_day <= today,
        absences.c.to_day >= today,
    )
    contact = select(contacts.c.person_id).where(
        or_(contacts.c.user_id == me, contacts.c.user_id.in_(covered)),
        contacts.c.from_day <= today,
        or_(contacts.c.to_day.is_(None), contacts.c.to_day >= today),
    )
    owned = select(follow_ups.c.person_id).where(
        follow_ups.c.owner_id == me,
        follow_ups.c.closed_at.is_(None),
        follow_ups.c.person_id.is_not(None),
    )
    return or_(people.c.created_by == user, people.c.id.in_(contact), people.c.id.in_(owned))


def standing(connection: Connection, ids: Iterable[str]) -> list[str]:
    """Return the rows that stand for ``ids``, each once; those that are gone are left out."""
    found: dict[str, None] = {}
    for one in ids:
        try:
            found[canonical(connection, one)] = None
        except NoSuchPerson:
            continue
    return list(found)
