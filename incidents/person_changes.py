"""Changing what is known of a person, and what stood there before each change.

What is replaced is kept, sealed with the facts, so that a code word overwritten by mistake can
be read again. A change made on an older reading is refused.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, update

from incidents.audit import Audit
from incidents.indexing import index, unindex
from incidents.persons import (
    Facts,
    Person,
    canonical,
    name_look_up,
    name_of,
    person_in,
    row_of,
)
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import people
from incidents.transactions import reading, writing
from incidents.working import Conflict

MOST_KEPT: Final = 50
"""Changes kept of a person; the oldest goes when there are more."""
_EARLIER: Final = "earlier"


@dataclass(frozen=True, slots=True)
class Own:
    """What stands on a person's own row alone. ``as_read``: what a change of it must name."""

    person: Person
    as_read: str


@dataclass(frozen=True, slots=True)
class Change:
    """One change of name and facts. ``before`` and ``after``: field to text, what differs alone."""

    at: datetime
    by: str
    before: dict[str, str]
    after: dict[str, str]


class PersonChanges:
    """Changes people of one site. Every method raises ``StoreUnavailable``."""

    def __init__(self, store: Store, keys: Keys, audit: Audit) -> None:
        self._store = store
        self._keys = keys
        self._audit = audit

    def own(self, person: str) -> Own:
        """Return what can be changed: what was merged into the row keeps its own.

        Raises ``NoSuchPerson``.
        """
        with reading(self._store.engine) as connection:
            row = row_of(connection, canonical(connection, person))
        found = person_in(row, self._keys)
        return Own(found, self._as_read(found))

    def change(
        self, person: str, name: str, facts: Facts, as_read: str, *, by: str, now: datetime
    ) -> None:
        """Write name and facts anew. ``as_read``: of ``own``, before they were changed.

        What is as it was is not written again. Raises ``NoSuchPerson``, ``Unfit``, and
        ``Conflict`` when somebody else wrote meanwhile.
        """
        tidy = name_of(name)
        with writing(self._store.engine) as connection:
            row = row_of(connection, canonical(connection, person))
            before = person_in(row, self._keys)
            if self._as_read(before) != as_read:
                raise Conflict("Somebody else changed this meanwhile: read it again, then change.")
            if (before.name, before.facts) == (tidy, facts):
                return
            was = {"at": now.isoformat(), "by": by, "told": _told(before.name, before.facts)}
            told = json.loads(facts.write())
            told[_EARLIER] = [*self._earlier(row), was][-MOST_KEPT:]
            sealed = self._keys.seal(json.dumps(told).encode(), f"people|{row.id}|facts")
            connection.execute(
                update(people)
                .where(people.c.id == row.id)
                .values(
                    name=self._keys.seal(tidy.encode(), f"people|{row.id}|name"),
                    look_up=name_look_up(self._keys, tidy),
                    facts=sealed,
                )
            )
            unindex(connection, row.id)
            index(connection, self._keys, "person", row.id, tidy, at=now, person_id=row.id)
            self._audit.put(connection, by, "alteration", "changed a person", row.id, at=now)

    def of(self, person: str) -> tuple[Change, ...]:
        """Return the changes of a person's own row, the latest first. Raises ``NoSuchPerson``."""
        with reading(self._store.engine) as connection:
            row = row_of(connection, canonical(connection, person))
        now = person_in(row, self._keys)
        after, found = _told(now.name, now.facts), []
        for was in reversed(self._earlier(row)):
            before = was["told"]
            differ = [one for one in after if before.get(one, "") != after[one]]
            found.append(
                Change(
                    datetime.fromisoformat(was["at"]),
                    was["by"],
                    {one: before.get(one, "") for one in differ},
                    {one: after[one] for one in differ},
                )
            )
            after = {**after, **before}
        return tuple(found)

    def _as_read(self, person: Person) -> str:
        return self._keys.look_up(f"as read|{person.name}|{person.facts.write().decode()}")

    def _earlier(self, row: Row[Any]) -> list[dict[str, Any]]:
        plain = self._keys.open(row.facts, f"people|{row.id}|facts")
        found: list[dict[str, Any]] = json.loads(plain).get(_EARLIER, [])
        return found


def _told(name: str, facts: Facts) -> dict[str, str]:
    """Return name and facts as texts, by field: what a change is compared by."""
    told = {"name": name}
    for field, value in json.loads(facts.write()).items():
        if isinstance(value, list):
            value = "; ".join(value)
        elif isinstance(value, bool):
            value = "yes" if value else ""
        told[field] = value or ""
    return told
