"""Who stands for people on a day: the single point of contact, the deputy, who acts.

Days are local days, and a place or an absence holds on its first day, its last day and all
days between. It appoints nobody (``contacts`` does) and rings nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, Row, or_, select

from incidents.families import batches, families
from incidents.roles import Roles
from incidents.tables import absences, contacts, users

Part = Literal["spoc", "deputy"]
SPOC: Final[Part] = "spoc"
DEPUTY: Final[Part] = "deputy"
PARTS: Final[Mapping[Part, str]] = {SPOC: "SPOC", DEPUTY: "deputy"}


@dataclass(frozen=True, slots=True)
class Officer:
    """A user who is, or was, somebody's contact. ``gone``: left, or no longer of such a role."""

    id: str
    name: str
    role: str
    gone: bool


@dataclass(frozen=True, slots=True)
class Absence:
    """Days on which an officer is away. ``cover``: a user's name; empty: the deputies act.

    ``ended_at``: when it was ended early or taken back, or None.
    """

    id: str
    user_id: str
    officer: str
    from_day: date
    to_day: date
    cover_id: str | None
    cover: str
    by: str
    at: datetime
    ended_at: datetime | None

    def on(self, day: date) -> bool:
        """Say whether the officer is away on ``day``."""
        return self.from_day <= day <= self.to_day


@dataclass(frozen=True, slots=True)
class Place:
    """An officer's place with a person on a day. ``id``: of its row. ``away``: their absences."""

    id: str
    officer: Officer
    part: Part
    from_day: date
    away: tuple[Absence, ...]

    @property
    def here(self) -> bool:
        """Say whether this officer acts that day."""
        return not self.away and not self.officer.gone


@dataclass(frozen=True, slots=True)
class Acting:
    """Somebody who acts. ``why``: ``SPOC``, ``deputy``, or for whom they stand in."""

    user_id: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Who stands for one person on one day.

    ``person``: the id that stands for them. There is one SPOC and one deputy; people who were
    merged may bring two, until that is mended. ``order``: who acts, the first who can first.
    ``ids``: of every row that holds, for a form that must not overwrite what it did not show.
    """

    person: str
    day: date
    spocs: tuple[Place, ...] = ()
    deputies: tuple[Place, ...] = ()
    order: tuple[Acting, ...] = ()
    ids: tuple[str, ...] = ()

    @property
    def acting(self) -> Acting | None:
        """Who acts that day; None: nobody."""
        return self.order[0] if self.order else None

    @property
    def places(self) -> tuple[Place, ...]:
        """Every place, the SPOC's first."""
        return self.spocs + self.deputies

    @property
    def to_tell(self) -> tuple[str, ...]:
        """The users who are told of a call of this person: the SPOC, and who acts."""
        acting = [self.acting.name] if self.acting else []
        told = [place.officer.name for place in self.spocs if not place.officer.gone]
        return tuple(dict.fromkeys([*told, *acting]))


def holds(day: date) -> ColumnElement[bool]:
    """Select the rows of ``contacts`` that hold on ``day``."""
    until = contacts.c.to_day
    return (contacts.c.from_day <= day) & or_(until.is_(None), until >= day)


def standing(
    connection: Connection, roles: Roles, persons: Iterable[str], day: date
) -> dict[str, Standing]:
    """Return who stands for each person on ``day``, by the id that was asked for.

    In order: the SPOC; away, their cover; away too, the deputy; then the deputy's cover. An id
    that nobody has is left out.
    """
    kin = families(connection, persons)
    rows: dict[str, list[Row[Any]]] = {}
    for some in batches(one for members in kin.values() for one in members):
        query = select(contacts).where(contacts.c.person_id.in_(some), holds(day))
        for row in connection.execute(query):
            rows.setdefault(row.person_id, []).append(row)
    if not rows:
        return {one: Standing(members[0], day) for one, members in kin.items()}
    known = officers(connection, roles)
    away = absent_on(connection, day)
    found = {}
    for one, members in kin.items():
        mine = [row for member in members for row in rows.get(member, ())]
        # The latest appointed first: of two whom a merge brought together they act.
        mine.sort(key=lambda row: (row.from_day, row.id), reverse=True)
        spocs = _places(mine, SPOC, known, away)
        deputies = _places(mine, DEPUTY, known, away)
        order = _order((spocs, deputies), known, away)
        found[one] = Standing(
            members[0], day, spocs, deputies, order, tuple(row.id for row in mine)
        )
    return found


def officers(connection: Connection, roles: Roles) -> dict[str, Officer]:
    """Return every user by id; ``gone``: they cannot be a contact, or not any more."""
    rows = connection.execute(select(users.c.id, users.c.name, users.c.role, users.c.disabled_at))
    return {
        row.id: Officer(
            row.id,
            row.name,
            row.role,
            row.disabled_at is not None or not roles.may(row.role, "contact"),
        )
        for row in rows
    }


def absent_on(connection: Connection, day: date) -> dict[str, tuple[Absence, ...]]:
    """Return the absences of a day by the id of who is away, the latest entered first."""
    found: dict[str, list[Absence]] = {}
    query = absence_rows().where(absences.c.from_day <= day, absences.c.to_day >= day)
    for row in connection.execute(query.order_by(absences.c.id.desc())):
        found.setdefault(row.user_id, []).append(absence_in(row))
    return {one: tuple(all_) for one, all_ in found.items()}


_COVER: Final = users.alias("cover")


def absence_rows() -> Any:
    """Select absences with the names of who is away and who covers."""
    return (
        select(absences, users.c.name.label("officer"), _COVER.c.name.label("cover"))
        .join(users, users.c.id == absences.c.user_id)
        .outerjoin(_COVER, _COVER.c.id == absences.c.cover_id)
    )


def absence_in(row: Row[Any]) -> Absence:
    """Read an absence out of a row of ``absence_rows``."""
    return Absence(
        row.id,
        row.user_id,
        row.officer,
        row.from_day,
        row.to_day,
        row.cover_id,
        row.cover or "",
        row.by,
        row.at,
        row.ended_at,
    )


def _places(
    rows: Iterable[Row[Any]],
    part: Part,
    known: Mapping[str, Officer],
    away: Mapping[str, tuple[Absence, ...]],
) -> tuple[Place, ...]:
    """Return the places of one part, each officer once."""
    found: dict[str, Place] = {}
    for row in rows:
        if row.part == part and row.user_id not in found:
            absent = away.get(row.user_id, ())
            officer = known[row.user_id]
            found[row.user_id] = Place(row.id, officer, part, row.from_day, absent)
    return tuple(found.values())


def _order(
    ranks: Iterable[tuple[Place, ...]],
    known: Mapping[str, Officer],
    away: Mapping[str, tuple[Absence, ...]],
) -> tuple[Acting, ...]:
    """Put those who can act in their order, each once."""
    found: dict[str, Acting] = {}

    def add(officer: Officer, why: str) -> None:
        if officer.id not in away and not officer.gone:
            found.setdefault(officer.id, Acting(officer.id, officer.name, why))

    for places in ranks:
        for place in places:
            add(place.officer, PARTS[place.part])
        for place in places:
            for absence in place.away:
                if absence.cover_id is not None:
                    add(known[absence.cover_id], f"covers for {absence.officer}")
    return tuple(found.values())
