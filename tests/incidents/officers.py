"""Officers and people over a real store, for the tests of points of contact."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from sqlalchemy import select, update

from incidents.absences import Absences
from incidents.audit import Audit
from incidents.contact_lists import ContactLists
from incidents.contacts import Contacts
from incidents.identity import uuid7
from incidents.numbers import number_row
from incidents.persons import Persons
from incidents.roles import Roles
from incidents.standing import Standing
from incidents.store import Store
from incidents.tables import merges, people, person_numbers, users
from incidents.transactions import reading, writing
from tests.incidents.making import KEYS, NOW, NUMBER, ROLES

TODAY: Final = date(2026, 12, 22)
"""The local day of the tests' now."""
TEAM: Final = {
    "cara": "contact_officer",
    "dan": "contact_officer",
    "erin": "contact_officer",
    "sue": "supervisor",
    "anna": "handler",
    "olga": "auditor",
}


def roles() -> Roles:
    """The roles as they are delivered."""
    return ROLES


@dataclass(slots=True)
class Office:
    """A team of officers and the people they stand for."""

    store: Store
    contacts: Contacts = field(init=False)
    absences: Absences = field(init=False)
    lists: ContactLists = field(init=False)
    persons: Persons = field(init=False)

    def __post_init__(self) -> None:
        audit = Audit(self.store.engine, KEYS)
        self.contacts = Contacts(self.store, KEYS, audit, ROLES)
        self.absences = Absences(self.store, audit, ROLES)
        self.lists = ContactLists(self.store, KEYS, ROLES)
        self.persons = Persons(self.store, KEYS, audit)
        with writing(self.store.engine) as connection:
            for name, role in TEAM.items():
                row = {"id": str(uuid.uuid4()), "name": name, "role": role}
                more = {"password_hash": "none", "created_at": NOW}
                connection.execute(users.insert().values(**row, **more))

    def victim(self, name: str = "Mair Example", *, repeat: bool = True) -> str:
        """Put somebody on record; returns their id."""
        return self.persons.add(name, by="anna", now=NOW, repeat=repeat)

    def assign(
        self,
        person: str,
        spoc: str,
        deputy: str = "",
        reason: str = "",
        *,
        day: date = TODAY,
        now: datetime = NOW,
        starts: date | None = None,
    ) -> None:
        """Have sue appoint them."""
        self.contacts.assign(
            person, spoc, deputy, reason, by="sue", now=now, day=day, starts=starts
        )

    def away(self, name: str, cover: str = "", *, first: date = TODAY, last: date = TODAY) -> str:
        """Enter an absence; returns its id."""
        return self.absences.enter(name, first, last, cover, by=name, now=NOW, day=first)

    def leaves(self, name: str) -> None:
        """End somebody's account."""
        with writing(self.store.engine) as connection:
            change = update(users).where(users.c.name == name)
            connection.execute(change.values(disabled_at=NOW))

    def merge(self, kept: str, merged: str) -> None:
        """Have one row stand for another."""
        with writing(self.store.engine) as connection:
            change = update(people).where(people.c.id == merged)
            connection.execute(change.values(merged_into=kept))
            row = {"id": uuid7(NOW), "kept_id": kept, "merged_id": merged, "by": "sue"}
            connection.execute(merges.insert().values(**row, reason=b"", at=NOW))

    def standing(self, person: str, day: date = TODAY) -> Standing:
        """Who stands for somebody."""
        return self.contacts.standing(person, day)

    def rows(self, table: object) -> list[object]:
        """Every row of a table."""
        with reading(self.store.engine) as connection:
            return list(connection.execute(select(table)))  # type: ignore[call-overload]


def owns(office: Office, person: str, number: str = NUMBER) -> None:
    """Write down whose number it is."""
    with writing(office.store.engine) as connection:
        row = number_row(connection, KEYS, number, NOW)
        facts = {"id": person[-20:] + number[-4:], "person_id": person, "number_id": row}
        connection.execute(person_numbers.insert().values(**facts, data=b"", by="cara", at=NOW))


def told(found: Standing) -> tuple[list[str], list[str], str]:
    """SPOCs, deputies, and who acts and why."""
    acting = found.acting
    return (
        [place.officer.name for place in found.spocs],
        [place.officer.name for place in found.deputies],
        f"{acting.name}: {acting.why}" if acting else "nobody",
    )
