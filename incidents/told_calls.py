"""Calls that officers are told of, because they came from a number of their people.

A call waits for its officer until they open it or say that they have seen it; that
stands on the call's timeline. It tells nobody outside the console.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import Connection, select, update

from incidents.audit import Audit
from incidents.families import batches, families
from incidents.fold import Incident
from incidents.known import REFUSED
from incidents.persons import names
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import incidents, parts, timeline
from incidents.transactions import next_revision, reading, writing
from incidents.working import write_entry

Seen = Literal["now", "before", "not told"]
BACK: Final = timedelta(days=7)
"""Calls of the last days that an officer is told of; older ones are found by search."""
ENTRY: Final = "contact_seen"
"""Kind of the entry with which an officer says that they know of a call."""


@dataclass(frozen=True, slots=True)
class ToldCall:
    """A call an officer is told of. ``people``: names, by id. ``seen``: they know of it.

    ``refused``: a person said meanwhile that none of them has a part in it.
    """

    incident: Incident
    people: tuple[tuple[str, str], ...]
    seen: bool
    refused: bool

    @property
    def waits(self) -> bool:
        """Say whether it is still to be put in front of the officer."""
        return not self.seen and not self.refused


class ToldCalls:
    """The calls of one site that officers are told of. Raises ``StoreUnavailable``."""

    def __init__(self, store: Store, keys: Keys, audit: Audit) -> None:
        self._store = store
        self._keys = keys
        self._audit = audit

    def of(self, name: str, now: datetime, back: timedelta = BACK) -> tuple[ToldCall, ...]:
        """Return the calls of the last days that a user is told of, the newest first."""
        with reading(self._store.engine) as connection:
            mine = self._store.told(connection, name, now - back)
            seen = self._seen(connection, (one.call_key for one in mine))
            kin = families(connection, (person for one in mine for person in one.people))
            first = {one: members[0] for one, members in kin.items()}
            refused = _refused(connection, (one.call_key for one in mine))
            named = names(connection, self._store.unread, first.values())
        found = []
        for one in mine:
            theirs = dict.fromkeys(first[person] for person in one.people if person in first)
            left = [person for person in theirs if (one.call_key, person) not in refused]
            people = tuple((person, named[person]) for person in left or theirs)
            found.append(ToldCall(one, people, (one.call_key, name) in seen, not left))
        return tuple(found)

    def see(self, reference: str, *, by: str, now: datetime) -> Seen:
        """Write down that ``by`` knows of a call; once. Returns whether it was new.

        Raises ``NoSuchIncident``.
        """
        with writing(self._store.engine) as connection:
            found = self._store.find(connection, reference)
            if by not in found.contacts:
                return "not told"
            if (found.call_key, by) in self._seen(connection, [found.call_key]):
                return "before"
            write_entry(connection, self._keys, found.call_key, ENTRY, {"by": by}, at=now)
            changed = update(incidents).where(incidents.c.call_key == found.call_key)
            connection.execute(changed.values(revision=next_revision(connection)))
            what = "has seen a call as point of contact"
            self._audit.put(connection, by, "collection", what, reference, at=now)
        return "now"

    def _seen(self, connection: Connection, calls: Iterable[str]) -> set[tuple[str, str]]:
        """Return which users said of which calls that they have seen them."""
        found = set()
        for some in batches(calls):
            query = select(timeline.c.id, timeline.c.call_key, timeline.c.data).where(
                timeline.c.call_key.in_(some), timeline.c.kind == ENTRY
            )
            for row in connection.execute(query):
                # Of an entry that cannot be read nobody is taken to have seen the call.
                place = f"timeline|{row.id}|data"
                found.add((row.call_key, self._store.unread.read(row.data, place, _by, "")))
        return found


def _by(plain: bytes) -> str:
    return str(json.loads(plain)["by"])


def _refused(connection: Connection, calls: Iterable[str]) -> set[tuple[str, str]]:
    """Return who was said to have no part in which calls, by the id that stands for them."""
    found = set()
    for some in batches(calls):
        query = select(parts.c.call_key, parts.c.person_id).where(
            parts.c.call_key.in_(some), parts.c.state == REFUSED, parts.c.ended_at.is_(None)
        )
        rows = connection.execute(query).all()
        kin = families(connection, (row.person_id for row in rows))
        found |= {(row.call_key, kin[row.person_id][0]) for row in rows}
    return found
