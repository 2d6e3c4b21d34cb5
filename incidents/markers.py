"""Markers: warnings on a number or a person, each with an action, an owner and a last day.

Set, changed and ended with a reason, in one transaction with the audit entry and, where it
was done from a call, with that call's timeline. Past its last day a marker matches no new call
and asks for a review. Ending a high-risk one takes a supervisor. It judges nobody: a person
sets every marker.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select, update

from incidents.audit import Audit
from incidents.fold import as_text
from incidents.identity import uuid7
from incidents.marker_kinds import Change, Listed, Marker, MarkerKinds, Wanted
from incidents.marker_rows import MARKERS, opened, read_markers, sealed
from incidents.marking import of_numbers, of_persons
from incidents.marking import of_person as on_person
from incidents.owners import owner_id
from incidents.persons import canonical, family
from incidents.recognising import CONTACT_LINE
from incidents.roles import Roles
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import addresses, incidents, markers
from incidents.transactions import next_revision, reading, writing
from incidents.working import Actor, Conflict, Unfit, text_of, write_entry

LONGEST_ACTION: Final = 400
LONGEST_REASON: Final = 1000
MOST_SHOWN: Final = 200
"""Markers one list shows; how many there are is said beside it."""
_MONTH: Final = timedelta(days=31)


class NoSuchMarker(LookupError):
    """No marker has this id."""


class Markers:
    """The markers of one site. Every method raises ``StoreUnavailable``."""

    def __init__(
        self, store: Store, keys: Keys, audit: Audit, kinds: MarkerKinds, roles: Roles
    ) -> None:
        self._store = store
        self._keys = keys
        self._audit = audit
        self._roles = roles
        self.kinds = kinds

    def set_on_call(self, reference: str, wanted: Wanted, *, by: str, now: datetime) -> str:
        """Set a marker on the number a call came from; returns its id.

        Raises ``NoSuchIncident``, ``Conflict`` when the call has no number, and ``Unfit``.
        """
        with writing(self._store.engine) as connection:
            call = self._store.find(connection, reference).call_key
            number = connection.scalar(
                select(incidents.c.number_id).where(incidents.c.call_key == call)
            )
            if number is None:
                raise Conflict("The caller withheld the number: set the marker on the person.")
            row = self.put(connection, wanted, by, now, number_id=number)
            facts: dict[str, str | None] = {"by": by, "name": self.kinds.of(wanted.kind).name}
            facts |= {"until": as_text(wanted.until), "reason": wanted.reason.strip()}
            write_entry(connection, self._keys, call, "marker_set", facts, at=now)
            changed = update(incidents).where(incidents.c.call_key == call)
            connection.execute(changed.values(revision=next_revision(connection)))
        return row

    def set_on_person(
        self, person: str, wanted: Wanted, *, by: str, now: datetime, home: str = ""
    ) -> str:
        """Set a marker on a person, or on ``home``, the id of an address they have now.

        Returns its id. Raises ``NoSuchPerson`` and ``Unfit``.
        """
        with writing(self._store.engine) as connection:
            on = {"person_id": canonical(connection, person)}
            if home:
                on = {"address": _look_up_of(connection, home, family(connection, person))}
            return self.put(connection, wanted, by, now, **on)

    def put(self, connection: Connection, wanted: Wanted, by: str, now: datetime, **on: str) -> str:
        """Set one in a transaction that writes more. ``on``: the column of what it stands on.

        Raises ``Unfit``.
        """
        if self.kinds.get(wanted.kind) is None:
            raise Unfit("kind", "Choose a kind of marker.")
        action, why = self._fit(connection, wanted, now)
        self._refuse_second(connection, wanted.kind, on)
        row = uuid7(now)
        changes = [_change("set", by, why, now, wanted)]
        connection.execute(
            markers.insert().values(
                id=row,
                kind=wanted.kind,
                action=sealed(self._keys, row, action, changes),
                owner=wanted.owner,
                created_at=now,
                created_by=by,
                expires_at=wanted.until,
                **on,
            )
        )
        self._audit.put(connection, by, "collection", "set a marker", row, why, at=now)
        return row

    def review(self, marker: str, wanted: Wanted, *, by: Actor, now: datetime) -> None:
        """Say anew what is to be done, who owns it and until when it stands.

        Raises ``NoSuchMarker``, ``Conflict`` when it has ended, and ``Unfit``: to have a high-risk
        one stand for less time takes a supervisor, as to end it does.
        """
        with writing(self._store.engine) as connection:
            row = self._open_row(connection, marker)
            action, why = self._fit(connection, wanted, now)
            if wanted.until < row.expires_at and not self._may_end(row, by):
                raise Unfit("until", "A high-risk marker is shortened by a supervisor: ask one.")
            change = _change("reviewed", by.name, why, now, wanted)
            self._write(
                connection, row, change, action, owner=wanted.owner, expires_at=wanted.until
            )
            self._audit.put(
                connection, by.name, "alteration", "reviewed a marker", marker, why, at=now
            )

    def end(self, marker: str, reason: str, *, by: Actor, now: datetime) -> None:
        """End a marker; calls it has raised stay raised.

        Raises ``NoSuchMarker``, ``Unfit``, and ``Conflict`` when it has ended, or when it is
        high-risk and ``by`` is no supervisor.
        """
        why = text_of("why", reason, "why it is no longer needed", LONGEST_REASON)
        with writing(self._store.engine) as connection:
            row = self._open_row(connection, marker)
            if not self._may_end(row, by):
                raise Conflict("A high-risk marker is ended by a supervisor: ask one.")
            change = _change("ended", by.name, why, now)
            self._write(connection, row, change, None, ended_at=now, ended_by=by.name)
            self._audit.put(
                connection, by.name, "alteration", "ended a marker", marker, why, at=now
            )

    def _may_end(self, row: Row[Any], by: Actor) -> bool:
        return not self.kinds.of(row.kind).high_risk or self._roles.may(by.role, "supervise")

    def one(self, marker: str) -> Marker:
        """Return a marker, ended or not. Raises ``NoSuchMarker``."""
        with reading(self._store.engine) as connection:
            return self._read(connection, [self._row(connection, marker)])[0]

    def listed(self, now: datetime) -> Listed:
        """Return the markers nobody ended: those past their last day first, then the next due."""
        open_ones = markers.c.ended_at.is_(None)
        query = MARKERS.where(open_ones).order_by(markers.c.expires_at, markers.c.id)
        counting = select(func.count()).select_from(markers).where(open_ones)
        with reading(self._store.engine) as connection:
            rows = connection.execute(query.limit(MOST_SHOWN)).all()
            shown = self._read(connection, rows)
            many = connection.scalar(counting) or 0
        return Listed(tuple(sorted(shown, key=lambda one: not one.asks(now))), int(many))

    def of_call(self, call_key: str) -> tuple[Marker, ...]:
        """Return the markers that reach a call by its number, or by whoever typed their code (then
        also those on their numbers): high-risk first, ended ones not.
        """
        wanted = select(incidents.c.line, incidents.c.number_id, incidents.c.people)
        with reading(self._store.engine) as connection:
            row = connection.execute(wanted.where(incidents.c.call_key == call_key)).first()
            if row is None:
                return ()
            coded = row.line == CONTACT_LINE
            on = [*of_persons(connection, row.people or (), numbers=coded).values()]
            on += of_numbers(connection, {row.number_id} if row.number_id else ()).values()
            return self._these(connection, (one.marker for some in on for one in some))

    def of_person(self, person: str) -> tuple[Marker, ...]:
        """Return the markers on a person and where they live. Raises ``NoSuchPerson``."""
        with reading(self._store.engine) as connection:
            return self._these(connection, (one.marker for one in on_person(connection, person)))

    def _read(self, connection: Connection, rows: Sequence[Row[Any]]) -> list[Marker]:
        return read_markers(connection, self._store.unread, self.kinds, self._roles, rows)

    def _these(self, connection: Connection, ids: Iterable[str]) -> tuple[Marker, ...]:
        rows = connection.execute(MARKERS.where(markers.c.id.in_(sorted(set(ids))))).all()
        found = self._read(connection, rows)
        return tuple(sorted(found, key=lambda one: (not one.kind.high_risk, one.expires_at)))

    @staticmethod
    def _refuse_second(connection: Connection, kind: str, on: Mapping[str, str]) -> None:
        """Two of one kind on one number would each ask for a review, and tell no more than one."""
        same = [markers.c[column] == value for column, value in on.items()]
        there = select(markers.c.id).where(
            markers.c.kind == kind, markers.c.ended_at.is_(None), *same
        )
        if connection.scalar(there.limit(1)) is not None:
            raise Unfit("kind", "It carries a marker of this kind already: review that one.")

    def _fit(self, connection: Connection, wanted: Wanted, now: datetime) -> tuple[str, str]:
        """Return the action and the reason, tidied. Raises ``Unfit``."""
        action = text_of("action", wanted.action, "what is to be done", LONGEST_ACTION)
        why = text_of("reason", wanted.reason, "why", LONGEST_REASON)
        if wanted.until <= now:
            raise Unfit("until", "This day has passed: give one that is still to come.")
        if wanted.until > now + self.kinds.longest_months * _MONTH:
            raise Unfit("until", f"Give a day within {self.kinds.longest_months} months.")
        owner_id(connection, self._roles, wanted.owner)
        return action, why

    def _open_row(self, connection: Connection, marker: str) -> Row[Any]:
        """Return the row of a marker nobody ended, locked until the transaction ends."""
        connection.execute(select(markers.c.id).where(markers.c.id == marker).with_for_update())
        row = self._row(connection, marker)
        if row.ended_at is not None:
            raise Conflict(f"{row.ended_by} ended it already ({as_text(row.ended_at)}).")
        return row

    @staticmethod
    def _row(connection: Connection, marker: str) -> Row[Any]:
        row = connection.execute(MARKERS.where(markers.c.id == marker)).first()
        if row is None:
            raise NoSuchMarker(marker)
        return row

    def _write(
        self, connection: Connection, row: Row[Any], change: Change, action: str | None, **what: Any
    ) -> None:
        """Write a change; ``action`` None: it stays as it is."""
        was, changes = opened(self._keys, row)
        data = sealed(self._keys, row.id, action or was, [*changes, change])
        connection.execute(
            update(markers).where(markers.c.id == row.id).values(action=data, **what)
        )


def _look_up_of(connection: Connection, home: str, persons: Collection[str]) -> str:
    found = connection.scalar(
        select(addresses.c.look_up).where(
            addresses.c.id == home,
            addresses.c.person_id.in_(persons),
            addresses.c.ended_at.is_(None),
        )
    )
    if found is None:
        raise Unfit("home", "They have this address no longer: choose what it stands on.")
    return str(found)


def _change(what: str, by: str, why: str, now: datetime, wanted: Wanted | None = None) -> Change:
    at = as_text(now) or ""
    if wanted is None:
        return Change(at, by, what, why)
    return Change(at, by, what, why, as_text(wanted.until) or "", wanted.owner)
