"""Follow-ups as they are read: one, somebody's, a call's, a person's, the overdue, nobody's.

It changes nothing (``follow_ups`` does).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, case, func, or_, select

from incidents.audit import Audit
from incidents.families import families
from incidents.follow_up_kinds import Counts, FollowUp, Kinds, Listed, Move
from incidents.owners import owners
from incidents.persons import names
from incidents.roles import Roles
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import follow_ups, operations, users
from incidents.transactions import reading
from incidents.unread import CANNOT

CLOSED_SHOWN: Final = 20
"""Closed follow-ups of a person that are shown, the latest first."""
MOST_SHOWN: Final = 200
"""Open follow-ups one list shows, those due first; how many there are is said beside it."""


_NOBODYS: Final = or_(follow_ups.c.owner_id.is_(None), users.c.disabled_at.is_not(None))


class NoSuchFollowUp(LookupError):
    """No follow-up has this id."""


class FollowUpLists:
    """Reads the follow-ups of one site. Every method raises ``StoreUnavailable``."""

    def __init__(self, store: Store, keys: Keys, audit: Audit, kinds: Kinds, roles: Roles) -> None:
        self._store = store
        self._keys = keys
        self._audit = audit
        self._roles = roles
        self.kinds = kinds

    def one(self, id_: str) -> FollowUp:
        """Return one. Raises ``NoSuchFollowUp``."""
        with reading(self._store.engine) as connection:
            return self._read(row_of(connection, id_))

    def of_owner(self, name: str) -> Listed:
        """Return what one person has open."""
        with reading(self._store.engine) as connection:
            return self._listed(connection, users.c.name == name)

    def overdue(self, now: datetime) -> Listed:
        """Return everybody's open ones whose time has passed."""
        with reading(self._store.engine) as connection:
            return self._listed(connection, follow_ups.c.due_at < now)

    def nobodys(self) -> Listed:
        """Return the open ones that nobody owns, or only somebody whose account was ended."""
        with reading(self._store.engine) as connection:
            return self._listed(connection, _NOBODYS)

    def counts(self, name: str, now: datetime, until: datetime) -> Counts:
        """Count what ``name`` has open that is due before ``until``, late, and everybody's."""
        due, owner = follow_ups.c.due_at, follow_ups.c.owner_id
        opened = follow_ups.c.closed_at.is_(None)
        me = select(users.c.id).where(users.c.name == name).scalar_subquery()
        mine = select(func.count(), _how_many(due < now)).where(owner == me, opened, due < until)
        joined = follow_ups.outerjoin(users, users.c.id == owner)
        all_ = select(_how_many(due < now), _how_many(_NOBODYS)).select_from(joined).where(opened)
        with reading(self._store.engine) as connection:
            due_count, late = connection.execute(mine).one()
            overdue, unowned = connection.execute(all_).one()
        return Counts(int(due_count), int(late or 0), int(overdue or 0), int(unowned or 0))

    def of_call(self, reference: str) -> Sequence[FollowUp]:
        """Return the follow-ups of a call, open and closed. Raises ``NoSuchIncident``."""
        with reading(self._store.engine) as connection:
            call = self._store.find(connection, reference).call_key
            query = query_all().where(follow_ups.c.call_key == call).order_by(follow_ups.c.id)
            return [self._read(row) for row in connection.execute(query)]

    def of_person(self, ids: Collection[str]) -> Sequence[FollowUp]:
        """Return the follow-ups of a person's rows: the open ones, then the latest closed."""
        query = query_all().where(follow_ups.c.person_id.in_(ids))
        closed = follow_ups.c.closed_at
        with reading(self._store.engine) as connection:
            opened = query.where(closed.is_(None)).order_by(follow_ups.c.due_at, follow_ups.c.id)
            rest = query.where(closed.is_not(None)).order_by(closed.desc(), follow_ups.c.id)
            rows = connection.execute(opened.limit(MOST_SHOWN)).all()
            past = connection.execute(rest.limit(CLOSED_SHOWN)).all()
            return [self._read(row) for row in [*rows, *past]]

    def names(self, all_: Iterable[FollowUp]) -> dict[str, str]:
        """Return the names of the people and operations of follow-ups, by their ids."""
        found = list(all_)
        persons = {one.person_id for one in found if one.person_id}
        seasons = {one.operation_id for one in found if one.operation_id}
        with reading(self._store.engine) as connection:
            kin = families(connection, persons)
            first = names(connection, self._store.unread, (all_[0] for all_ in kin.values()))
            named = {one: first[all_[0]] for one, all_ in kin.items()}
            rows = connection.execute(
                select(operations.c.id, operations.c.name).where(operations.c.id.in_(seasons))
            )
            return {**named, **{row.id: row.name for row in rows}}

    def owners(self) -> Sequence[str]:
        """Return the names of those who may own one."""
        with reading(self._store.engine) as connection:
            return owners(connection, self._roles)

    def _listed(self, connection: Connection, which: Any) -> Listed:
        where = (follow_ups.c.closed_at.is_(None), which)
        query = query_all().where(*where).order_by(follow_ups.c.due_at, follow_ups.c.id)
        shown = tuple(self._read(row) for row in connection.execute(query.limit(MOST_SHOWN)))
        counting = select(func.count()).select_from(follow_ups)
        counting = counting.outerjoin(users, users.c.id == follow_ups.c.owner_id).where(*where)
        return Listed(shown, int(connection.scalar(counting) or 0))

    def _opened(self, row: Row[Any]) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._keys.open(row.data, f"follow_ups|{row.id}|data"))
        return found

    def _read(self, row: Row[Any]) -> FollowUp:
        place = f"follow_ups|{row.id}|data"
        text, said, moves = self._store.unread.read(row.data, place, _told, _UNREAD)
        return FollowUp(
            id=row.id,
            kind=row.kind,
            text=text,
            owner=row.owner,
            due_at=row.due_at,
            reference=self._keys.reference(row.call_key) if row.call_key else None,
            person_id=row.person_id,
            created_by=row.created_by or "",
            created_at=row.created_at,
            closed_by=row.closed_by,
            closed_at=row.closed_at,
            outcome=row.outcome,
            said=said,
            moves=moves,
            rule=row.rule or "",
            operation_id=row.operation_id,
        )


_Told = tuple[str, str, tuple[Move, ...]]
_UNREAD: Final[_Told] = (CANNOT, "", ())


def _told(plain: bytes) -> _Told:
    data = json.loads(plain)
    moves = tuple(Move(**one) for one in data.get("moves", ()))
    return str(data.get("text", "")), str(data.get("said", "")), moves


def _how_many(which: Any) -> Any:
    return func.sum(case((which, 1), else_=0))


def query_all() -> Select[Any]:
    """Select follow-ups with the names of their owners."""
    owner = users.c.name.label("owner")
    return select(follow_ups, owner).outerjoin(users, users.c.id == follow_ups.c.owner_id)


def row_of(connection: Connection, id_: str) -> Row[Any]:
    """Return the row of one. Raises ``NoSuchFollowUp``."""
    row = connection.execute(query_all().where(follow_ups.c.id == id_)).first()
    if row is None:
        raise NoSuchFollowUp(id_)
    return row
