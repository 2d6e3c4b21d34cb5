"""Absences of officers: days away, with somebody who covers for them.

Absences may overlap, and a cover may be away too: who acts on a day follows from all of
them (``standing``). An absence that ends early keeps its row. It asks nobody why they are
away, and has no place to write it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, select, update

from incidents.audit import Audit
from incidents.identity import uuid7
from incidents.roles import Roles
from incidents.standing import Absence, Officer, absence_in, absence_rows, officers
from incidents.store import Store
from incidents.tables import absences
from incidents.transactions import reading, writing
from incidents.working import Conflict, Unfit

LONGEST: Final = timedelta(days=366)
EARLIEST: Final = timedelta(days=31)
"""How long ago an absence that is entered now may have begun."""
ONE_DAY: Final = timedelta(days=1)


class NoSuchAbsence(LookupError):
    """No absence has this id."""


class Absences:
    """The absences of one site. Every method raises ``StoreUnavailable``. ``day``: local."""

    def __init__(self, store: Store, audit: Audit, roles: Roles) -> None:
        self._store = store
        self._audit = audit
        self._roles = roles

    def enter(
        self,
        name: str,
        from_day: date,
        to_day: date,
        cover: str = "",
        *,
        by: str,
        now: datetime,
        day: date,
    ) -> str:
        """Enter days on which a user is away, both included; returns the id. Raises ``Unfit``."""
        _days(from_day, to_day, day)
        with writing(self._store.engine) as connection:
            away = self._officer(connection, "officer", name)
            covers = self._officer(connection, "cover", cover) if cover else None
            if covers is not None and covers.id == away.id:
                raise Unfit("cover", "Nobody covers for themselves: choose somebody else.")
            same = select(absences.c.id).where(
                absences.c.user_id == away.id,
                absences.c.from_day == from_day,
                absences.c.to_day == to_day,
                absences.c.ended_at.is_(None),
                absences.c.cover_id == covers.id if covers else absences.c.cover_id.is_(None),
            )
            if connection.scalar(same):
                raise Unfit("from_day", "This absence is entered already.")
            row = uuid7(now)
            connection.execute(
                absences.insert().values(
                    id=row,
                    user_id=away.id,
                    from_day=from_day,
                    to_day=to_day,
                    cover_id=covers.id if covers else None,
                    by=by,
                    at=now,
                )
            )
            self._audit.put(connection, by, "collection", "entered an absence", name, at=now)
        return row

    def end(self, id_: str, *, by: str, now: datetime, day: date) -> None:
        """End an absence: they are back on ``day``. One that has not begun is taken back.

        Raises ``NoSuchAbsence``, and ``Conflict`` when it is over.
        """
        with writing(self._store.engine) as connection:
            found = self._one(connection, id_)
            if found.ended_at is not None or found.to_day < day:
                raise Conflict("This absence is over already.")
            connection.execute(
                update(absences)
                .where(absences.c.id == id_)
                .values(ended_at=now, to_day=day - ONE_DAY)
            )
            self._audit.put(connection, by, "alteration", "ended an absence", found.officer, at=now)

    def one(self, id_: str) -> Absence:
        """Return an absence. Raises ``NoSuchAbsence``."""
        with reading(self._store.engine) as connection:
            return self._one(connection, id_)

    def coming(self, day: date, name: str | None = None) -> tuple[Absence, ...]:
        """Return the absences of ``day`` and after it, those that begin first first.

        ``name``: of this user only.
        """
        query = absence_rows().where(absences.c.to_day >= day, absences.c.ended_at.is_(None))
        with reading(self._store.engine) as connection:
            rows = connection.execute(query.order_by(absences.c.from_day, absences.c.id))
            found = [absence_in(row) for row in rows]
        return tuple(one for one in found if name is None or one.officer == name)

    def _one(self, connection: Connection, id_: str) -> Absence:
        row: Any = connection.execute(absence_rows().where(absences.c.id == id_)).first()
        if row is None:
            raise NoSuchAbsence(id_)
        return absence_in(row)

    def _officer(self, connection: Connection, field: str, name: str) -> Officer:
        for one in officers(connection, self._roles).values():
            if one.name == name and not one.gone:
                return one
        raise Unfit(field, "Choose somebody who is here and may be a point of contact.")


def _days(from_day: date, to_day: date, day: date) -> None:
    if to_day < from_day:
        raise Unfit("to_day", "It cannot end before it begins: change one of the days.")
    if to_day < day:
        raise Unfit("to_day", "These days have passed: enter days that are still to come.")
    if from_day < day - EARLIEST:
        raise Unfit("from_day", f"It may have begun {EARLIEST.days} days ago at most.")
    if to_day - from_day > LONGEST:
        raise Unfit("to_day", f"Enter at most {LONGEST.days} days.")
