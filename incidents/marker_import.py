"""Markers from a file (CSV), on numbers or addresses: refused row by row, set all at once.

A look does all that setting does and takes it back, so that it refuses what setting would. It says
no number, no address and no action: reasons name the row and the column alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from incidents.addresses import address_look_up
from incidents.file_rows import Field, Refused, read_rows
from incidents.marker_kinds import Wanted
from incidents.markers import Markers
from incidents.numbers import number_row
from incidents.person_numbers import whole_number
from incidents.sealed import Keys
from incidents.store import Store
from incidents.transactions import writing
from incidents.working import Unfit

COLUMNS: Final = ("kind", "number", "address", "action", "owner", "last_day", "reason")
"""What a file may hold. ``action``: empty, as the kind offers it."""
LastDay = Callable[[str], datetime]
"""(a day as typed) → the moment it is over. Raises ``Unfit``."""


@dataclass(frozen=True, slots=True)
class Row:
    """A good row. ``number``: E.164 or empty; then ``address`` is not."""

    line: int
    number: str
    address: str
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file would set, and what it would not. Lines in the order of the file."""

    good: tuple[Row, ...]
    refused: tuple[Refused, ...]


class _TakenBack(Exception):
    """A look has seen enough: nothing of it stays."""


class MarkerImport:
    """Sets the markers of a file. Every method raises ``StoreUnavailable``."""

    def __init__(self, store: Store, keys: Keys, markers: Markers, last_day: LastDay) -> None:
        self._store = store
        self._keys = keys
        self._markers = markers
        self._last_day = last_day

    def read(self, data: bytes) -> Plan:
        """Read a file. Raises ``Unfit`` (field ``file``) when it cannot be read as a whole."""
        return Plan(*read_rows(data, COLUMNS, "kind", self._row))

    def look(self, plan: Plan, *, by: str, now: datetime) -> Plan:
        """Return the plan with every row refused that could not be set. Changes nothing."""
        found = plan
        try:
            with writing(self._store.engine) as connection:
                found = self._set(connection, plan, by, now)
                raise _TakenBack
        except _TakenBack:
            return found

    def apply(self, plan: Plan, *, by: str, now: datetime) -> Plan:
        """Set every good row in one transaction; returns what was set and what was not."""
        with writing(self._store.engine) as connection:
            return self._set(connection, plan, by, now)

    def _set(self, connection: Connection, plan: Plan, by: str, now: datetime) -> Plan:
        good, refused = [], list(plan.refused)
        for row in plan.good:
            try:
                self._markers.put(connection, row.wanted, by, now, **self._on(connection, row, now))
                good.append(row)
            except Unfit as unfit:
                field = {"until": "last_day"}.get(unfit.field, unfit.field)
                refused.append(Refused(row.line, f"{field}: {unfit}"))
        return Plan(tuple(good), tuple(sorted(refused, key=lambda one: one.line)))

    def _on(self, connection: Connection, row: Row, now: datetime) -> dict[str, str]:
        if row.number:
            return {"number_id": number_row(connection, self._keys, row.number, now)}
        return {"address": address_look_up(self._keys, row.address)}

    def _row(self, line: int, field: Field) -> Row:
        if bool(field("number")) == bool(field("address")):
            raise Unfit("number", "number: give either a number or an address")
        number = whole_number(field("number")) if field("number") else ""
        kind = self._markers.kinds.get(field("kind"))
        if kind is None:
            known = ", ".join(one.id for one in self._markers.kinds.all)
            raise Unfit("kind", f"kind: must be one of {known}")
        try:
            until = self._last_day(field("last_day"))
        except Unfit as unfit:
            raise Unfit("last_day", f"last_day: {unfit}") from None
        action = field("action") or kind.action
        wanted = Wanted(action, field("owner"), until, field("reason"), kind.id)
        return Row(line, number, field("address"), wanted)
