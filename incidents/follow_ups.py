"""Follow-ups: work after a call, each with an owner, a time by which it is done, and an outcome.

What is to be done and why it moved are sealed. Every change is one transaction with its
entry on the call's timeline and its place in the audit log. Nothing is deleted, none is
closed without an outcome, and nobody is called or written to from here.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from incidents.fold import as_text
from incidents.follow_up_kinds import Kind, Move, New
from incidents.follow_up_lists import FollowUpLists, NoSuchFollowUp, query_all, row_of
from incidents.identity import uuid7
from incidents.owners import owner_id
from incidents.persons import NoSuchPerson, canonical
from incidents.tables import follow_ups, incidents, operations, people, users
from incidents.transactions import next_revision, writing
from incidents.working import Conflict, Unfit, text_of, write_entry

LONGEST_TEXT: Final = 1000
LATEST_DUE: Final = timedelta(days=366)
LEFT: Final = "the owner left, or has another role now"
__all__ = ["LATEST_DUE", "LONGEST_TEXT", "FollowUps", "NoSuchFollowUp"]


class FollowUps(FollowUpLists):
    """The follow-ups of one site. Every method raises ``StoreUnavailable``."""

    def make(
        self,
        kind: str,
        text: str,
        *,
        owner: str,
        due_at: datetime | None,
        by: str,
        now: datetime,
        reference: str | None = None,
        person: str | None = None,
        operation: str | None = None,
    ) -> str:
        """Make one by hand; returns its id. ``due_at`` None: as its kind says.

        ``owner``: a user's name. Raises ``Unfit``, ``NoSuchIncident`` and ``NoSuchPerson``.
        """
        found = self._kind(kind)
        words = text_of("text", text, "what is to be done", LONGEST_TEXT)
        due = _due(due_at or now + timedelta(days=found.due_days), now)
        with writing(self._store.engine) as connection:
            owner_row = owner_id(connection, self._roles, owner)
            call = None if reference is None else self._store.find(connection, reference).call_key
            made = New(
                found,
                words,
                owner_row,
                owner,
                due,
                call,
                _living(connection, person) if person else None,
                operation_id=_open_operation(connection, operation) if operation else None,
            )
            return self.put(connection, made, by=by, now=now)

    def put(self, connection: Connection, made: New, *, by: str, now: datetime) -> str:
        """Write one, in a transaction that writes more than that; returns its id."""
        row = uuid7(now)
        connection.execute(
            follow_ups.insert().values(
                id=row,
                kind=made.kind.id,
                call_key=made.call_key,
                person_id=made.person_id,
                operation_id=made.operation_id,
                owner_id=made.owner_id,
                due_at=made.due_at,
                data=self._sealed(row, {"text": made.text, "moves": []}),
                created_by=by,
                created_at=now,
                rule=made.rule or None,
                once=made.once or None,
            )
        )
        due = as_text(made.due_at)
        facts = {"by": by, "what": made.kind.name, "owner": made.owner or "nobody", "due": due}
        self._tell(connection, made.call_key, "follow_up_made", facts, now)
        record = self._keys.reference(made.call_key) if made.call_key else row
        self._audit.put(connection, by, "collection", "made a follow-up", record, at=now)
        return row

    def pass_on(self, id_: str, owner: str, reason: str, *, by: str, now: datetime) -> None:
        """Give it to another owner. Raises ``NoSuchFollowUp``, ``Conflict`` and ``Unfit``."""
        why = text_of("reason", reason, "why it is passed on", LONGEST_TEXT)
        with writing(self._store.engine) as connection:
            row = self._open_row(connection, id_)
            owner_row = owner_id(connection, self._roles, owner)
            if owner_row == row.owner_id:
                raise Unfit("owner", f"It is {owner}'s already: choose somebody else.")
            move = Move(as_text(now) or "", by, "owner", row.owner or "nobody", owner, why)
            self._move(connection, row, move, {"owner_id": owner_row}, now)

    def leaver(self, name: str, to: str | None, *, by: str, now: datetime) -> int:
        """Pass on all that somebody who leaves has open; returns how many. ``to`` None: they are
        nobody's, and stand on the supervisors' list. Raises ``Unfit`` when ``to`` may own none.
        """
        mine = query_all().where(users.c.name == name, follow_ups.c.closed_at.is_(None))
        with writing(self._store.engine) as connection:
            receiver = owner_id(connection, self._roles, to) if to else None
            if to == name:
                raise Unfit("owner", f"{name} leaves: choose somebody else.")
            rows = connection.execute(mine.order_by(follow_ups.c.id)).all()
            for row in rows:
                move = Move(as_text(now) or "", by, "owner", name, to or "nobody", LEFT)
                self._move(connection, row, move, {"owner_id": receiver}, now)
        return len(rows)

    def put_off(self, id_: str, due_at: datetime, reason: str, *, by: str, now: datetime) -> None:
        """Give it another time. Raises ``NoSuchFollowUp``, ``Conflict`` and ``Unfit``."""
        why = text_of("reason", reason, "why the time changes", LONGEST_TEXT)
        due = _due(due_at, now)
        with writing(self._store.engine) as connection:
            row = self._open_row(connection, id_)
            was, becomes = as_text(row.due_at) or "", as_text(due) or ""
            move = Move(as_text(now) or "", by, "time", was, becomes, why)
            self._move(connection, row, move, {"due_at": due}, now)

    def close(self, id_: str, outcome: str, said: str, *, by: str, now: datetime) -> None:
        """Close it with one of its kind's outcomes; ``said`` may be empty.

        Raises ``NoSuchFollowUp``, ``Conflict`` when it is closed already, and ``Unfit``.
        """
        words = text_of("said", said, "it", LONGEST_TEXT) if said.strip() else ""
        with writing(self._store.engine) as connection:
            row = self._open_row(connection, id_)
            kind = self._kind(row.kind)
            if outcome not in dict(kind.outcomes):
                raise Unfit("outcome", "Choose how it ended: it cannot be closed without.")
            data = {**self._opened(row), "said": words}
            connection.execute(
                update(follow_ups)
                .where(follow_ups.c.id == id_)
                .values(
                    closed_at=now,
                    closed_by=by,
                    outcome=outcome,
                    data=self._sealed(id_, data),
                )
            )
            facts = {"by": by, "what": kind.name, "outcome": kind.outcome(outcome)}
            self._tell(connection, row.call_key, "follow_up_closed", facts, now)
            record = self._record(row)
            self._audit.put(connection, by, "alteration", "closed a follow-up", record, at=now)

    def _kind(self, id_: str) -> Kind:
        found = self.kinds.get(id_)
        if found is None:
            raise Unfit("kind", "Choose what is to be done.")
        return found

    def _open_row(self, connection: Connection, id_: str) -> Row[Any]:
        row = row_of(connection, id_)
        if row.closed_at is not None:
            raise Conflict(f"{row.closed_by} closed it already ({as_text(row.closed_at)}).")
        return row

    def _move(
        self, connection: Connection, row: Row[Any], move: Move, change: Any, now: datetime
    ) -> None:
        data = self._opened(row)
        data["moves"] = [*data.get("moves", ()), asdict(move)]
        sealed = self._sealed(row.id, data)
        changing = update(follow_ups).where(follow_ups.c.id == row.id)
        connection.execute(changing.values(data=sealed, **change))
        facts = {"by": move.by, "what": self.kinds.name(row.kind), "reason": move.reason}
        facts["owner" if move.what == "owner" else "due"] = move.went
        self._tell(connection, row.call_key, "follow_up_moved", facts, now)
        what = f"changed the {move.what} of a follow-up"
        record = self._record(row)
        self._audit.put(connection, move.by, "alteration", what, record, move.reason, at=now)

    def _tell(
        self, connection: Connection, call: str | None, kind: str, facts: Any, now: datetime
    ) -> None:
        """Write it on the call's timeline, and let the screens know that the call changed."""
        if call is None:
            return
        write_entry(connection, self._keys, call, kind, facts, at=now)
        changed = update(incidents).where(incidents.c.call_key == call)
        connection.execute(changed.values(revision=next_revision(connection)))

    def _record(self, row: Row[Any]) -> str:
        return self._keys.reference(row.call_key) if row.call_key else str(row.id)

    def _sealed(self, id_: str, data: dict[str, Any]) -> bytes:
        return self._keys.seal(json.dumps(data).encode(), f"follow_ups|{id_}|data")


def _due(due_at: datetime, now: datetime) -> datetime:
    if due_at < now:
        raise Unfit("due", "This time has passed: give one that is still to come.")
    if due_at > now + LATEST_DUE:
        raise Unfit("due", f"Give a time within {LATEST_DUE.days} days.")
    return due_at


def _living(connection: Connection, person: str) -> str:
    """Return the row that stands for a person. Raises ``NoSuchPerson``, for an erased one too."""
    found = canonical(connection, person)
    query = select(people.c.id).where(people.c.id == found, people.c.erased_at.is_(None))
    if connection.scalar(query) is None:
        raise NoSuchPerson(person)
    return found


def _open_operation(connection: Connection, operation: str) -> str:
    query = select(operations.c.id).where(
        operations.c.id == operation, operations.c.closed_at.is_(None)
    )
    if connection.scalar(query) is None:
        raise Unfit("operation", "Choose an operation that is open, or none.")
    return operation
