"""What supervisors and officers read about points of contact: what is to be mended, the load.

Counts are of people, however many rows stand for one. It compares nobody with anybody
and hands nothing over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, case, func, select

from incidents.families import families
from incidents.persons import names, normal
from incidents.roles import Roles
from incidents.sealed import Keys
from incidents.standing import (
    DEPUTY,
    PARTS,
    SPOC,
    Absence,
    Officer,
    Standing,
    absent_on,
    holds,
    officers,
    standing,
)
from incidents.store import Store
from incidents.tables import contacts, follow_ups, people, users
from incidents.transactions import reading

MOST_SHOWN: Final = 200
Fault = Literal["no_spoc", "spoc_left", "two_spocs", "nobody_acts", "no_deputy"]
FAULTS: Final[tuple[Fault, ...]] = (
    *("no_spoc", "spoc_left", "two_spocs", "nobody_acts", "no_deputy"),
)
"""What may be wrong with who stands for a repeat victim, the worst first."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """A repeat victim for whom something is to be mended. ``since``: known as one since then."""

    person: str
    name: str
    since: datetime
    fault: Fault
    standing: Standing


@dataclass(frozen=True, slots=True)
class ToMend:
    """Those for whom something is to be mended, the worst first, and how many there are."""

    shown: tuple[Lacking, ...]
    count: int
    without: int
    """How many of them have no SPOC."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one officer carries. ``spoc``, ``deputy``: people. ``covers``: officers they cover."""

    officer: Officer
    spoc: int
    deputy: int
    open: int
    overdue: int
    away: tuple[Absence, ...]
    covers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mine:
    """A person of an officer's. ``why``: ``SPOC``, ``deputy``, or for whom the officer covers."""

    person: str
    name: str
    why: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class Coming:
    """A person an officer will stand for from ``day`` on, as ``part``."""

    person: str
    name: str
    part: str
    day: date


class ContactLists:
    """Lists of one site. Every method raises ``StoreUnavailable``. ``day``: local."""

    def __init__(self, store: Store, keys: Keys, roles: Roles) -> None:
        self._store = store
        self._keys = keys
        self._roles = roles

    def to_mend(self, day: date) -> ToMend:
        """Return the repeat victims without a SPOC, and others whose standing has a fault."""
        with reading(self._store.engine) as connection:
            since = _repeat_victims(connection)
            found = standing(connection, self._roles, since, day)
            faulty = {one: fault for one, its in found.items() if (fault := fault_of(its))}
            worst = sorted(faulty, key=lambda one: (FAULTS.index(faulty[one]), since[one], one))
            named = names(connection, self._store.unread, worst[:MOST_SHOWN])
        shown = tuple(
            Lacking(one, named[one], since[one], faulty[one], found[one])
            for one in worst[:MOST_SHOWN]
        )
        without = sum(fault in ("no_spoc", "spoc_left") for fault in faulty.values())
        return ToMend(shown, len(faulty), without)

    def load(self, day: date, now: datetime) -> tuple[Load, ...]:
        """Return what each officer carries, by name; of those who left, whoever still stands."""
        with reading(self._store.engine) as connection:
            counted = _people_by_officer(connection, day)
            work = {row.owner_id: row for row in connection.execute(_follow_ups(now))}
            away = absent_on(connection, day)
            found = []
            for one in officers(connection, self._roles).values():
                spoc, deputy = (len(counted.get((one.id, part), ())) for part in (SPOC, DEPUTY))
                if one.gone and not spoc and not deputy:
                    continue
                row = work.get(one.id)
                open_, late = (row.open, row.late) if row else (0, 0)
                covers = _covered_by(one.id, away)
                mine = away.get(one.id, ())
                found.append(Load(one, spoc, deputy, open_, late, mine, covers))
        return tuple(sorted(found, key=lambda one: one.officer.name))

    def load_of(self, name: str, day: date, now: datetime) -> Load:
        """Return what one user carries; nothing for whoever may not be a point of contact."""
        for one in self.load(day, now):
            if one.officer.name == name:
                return one
        return Load(Officer("", name, "", True), 0, 0, 0, 0, (), ())

    def people_of(self, name: str, day: date) -> tuple[Mine, ...]:
        """Return the people an officer stands for on ``day``, or covers for, by name."""
        with reading(self._store.engine) as connection:
            known = officers(connection, self._roles)
            me = next((one for one in known.values() if one.name == name), None)
            if me is None:
                return ()
            whose = {me.id: ""}
            for absent, all_ in absent_on(connection, day).items():
                if any(one.cover_id == me.id for one in all_):
                    whose[absent] = f"covers for {all_[0].officer}"
            rows = connection.execute(
                select(contacts.c.person_id, contacts.c.user_id, contacts.c.part)
                .where(contacts.c.user_id.in_(whose), holds(day))
                .order_by(contacts.c.part.desc(), contacts.c.id)
            ).all()
            kin = families(connection, (row.person_id for row in rows))
            why: dict[str, str] = {}
            for row in sorted(rows, key=lambda row: row.user_id != me.id):
                word = whose[row.user_id] or ("SPOC" if row.part == SPOC else "deputy")
                why.setdefault(kin[row.person_id][0], word)
            found = standing(connection, self._roles, why, day)
            named = names(connection, self._store.unread, why)
        mine = (Mine(one, named[one], word, found[one]) for one, word in why.items())
        return tuple(sorted(mine, key=lambda one: (normal(one.name), one.person)))

    def coming_to(self, name: str, day: date) -> tuple[Coming, ...]:
        """Return the places planned for an officer after ``day``, the first to begin first."""
        column = contacts.c
        planned = (column.from_day > day) & (
            column.to_day.is_(None) | (column.to_day >= column.from_day)
        )
        with reading(self._store.engine) as connection:
            rows = connection.execute(
                select(column.person_id, column.part, column.from_day)
                .join(users, users.c.id == column.user_id)
                .where(users.c.name == name, planned)
                .order_by(column.from_day, column.id)
            ).all()
            kin = families(connection, (row.person_id for row in rows))
            firsts = {one: kin[one][0] for one in kin}
            named = names(connection, self._store.unread, firsts.values())
        return tuple(
            Coming(first, named[first], PARTS[row.part], row.from_day)
            for row in rows
            if (first := firsts.get(row.person_id)) in named
        )


def fault_of(found: Standing) -> Fault | None:
    """Return the worst that is wrong with who stands for a repeat victim, or None."""
    if not found.spocs:
        return "no_spoc"
    if all(place.officer.gone for place in found.spocs):
        return "spoc_left"
    if len(found.spocs) > 1:
        return "two_spocs"
    if found.acting is None:
        return "nobody_acts"
    if all(place.officer.gone for place in found.deputies):
        return "no_deputy"
    return None


def _repeat_victims(connection: Connection) -> dict[str, datetime]:
    """Return the people known as repeat victims, and since when.

    One of several rows of a person may say so: the person is one then.
    """
    rows = connection.execute(
        select(people.c.id, people.c.repeat_at).where(
            people.c.repeat_at.is_not(None), people.c.erased_at.is_(None)
        )
    ).all()
    erased = set(connection.scalars(select(people.c.id).where(people.c.erased_at.is_not(None))))
    kin = families(connection, (row.id for row in rows))
    found: dict[str, datetime] = {}
    for row in rows:
        root = kin[row.id][0]
        if root in erased:
            continue
        found[root] = min(found.get(root, row.repeat_at), row.repeat_at)
    return found


def _people_by_officer(connection: Connection, day: date) -> dict[tuple[str, str], set[str]]:
    rows = connection.execute(
        select(contacts.c.person_id, contacts.c.user_id, contacts.c.part).where(holds(day))
    ).all()
    kin = families(connection, (row.person_id for row in rows))
    found: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        found.setdefault((row.user_id, row.part), set()).add(kin[row.person_id][0])
    return found


def _covered_by(user: str, away: dict[str, tuple[Absence, ...]]) -> tuple[str, ...]:
    found: Iterable[str] = (
        one.officer for all_ in away.values() for one in all_ if one.cover_id == user
    )
    return tuple(sorted(set(found)))


def _follow_ups(now: datetime) -> Any:
    late = case((follow_ups.c.due_at < now, 1), else_=0)
    return (
        select(follow_ups.c.owner_id, func.count().label("open"), func.sum(late).label("late"))
        .where(follow_ups.c.closed_at.is_(None))
        .group_by(follow_ups.c.owner_id)
    )
