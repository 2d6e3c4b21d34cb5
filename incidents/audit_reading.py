"""Reading the audit log, for auditors: filtered, newest first, a page at a time.

Whoever calls this logs that it was read; nothing here can change an entry. Reasons are
opened: they are written for exactly these readers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, Row, select

from incidents.sealed import CannotOpen, Keys
from incidents.tables import audit, tokens, users
from incidents.transactions import reading

PAGE: Final = 100
AT_ONCE: Final = 1000
CANNOT_READ: Final = "(cannot be opened)"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the log is asked for; None where anything will do. ``until`` is exclusive."""

    person: str | None = None
    record: str | None = None
    operation: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """One entry as an auditor reads it."""

    number: int
    at: datetime
    person: str
    operation: str
    what: str
    record: str
    reason: str


class Reading:
    """The log of one site, to be read. Everything here raises ``StoreUnavailable``."""

    def __init__(self, engine: Engine, keys: Keys) -> None:
        self._engine = engine
        self._keys = keys

    def page(
        self, wanted: Wanted, before: int | None = None, limit: int = PAGE
    ) -> tuple[list[Logged], int | None]:
        """Return a page, newest first, and the number before which the next one begins."""
        conditions = _conditions(wanted)
        if before is not None:
            conditions.append(audit.c.number < before)
        query = select(audit).where(*conditions).order_by(audit.c.number.desc()).limit(limit + 1)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        found = [self._logged(row) for row in rows[:limit]]
        return found, found[-1].number if len(rows) > limit else None

    def every(self, wanted: Wanted) -> Iterator[Logged]:
        """Yield everything, newest first."""
        before: int | None = None
        while True:
            found, before = self.page(wanted, before, AT_ONCE)
            yield from found
            if before is None:
                return

    def numbered(self, numbers: Collection[int]) -> list[Logged]:
        """Return the entries with these numbers, oldest first."""
        query = select(audit).where(audit.c.number.in_(numbers)).order_by(audit.c.number)
        with reading(self._engine) as connection:
            return [self._logged(row) for row in connection.execute(query)]

    def names(self) -> list[str]:
        """Return the names of all people and programs, for a filter to offer."""
        with reading(self._engine) as connection:
            people = connection.scalars(select(users.c.name)).all()
            programs = connection.scalars(select(tokens.c.name)).all()
        return sorted({*people, *programs})

    def _logged(self, row: Row[Any]) -> Logged:
        reason = ""
        if row.reason is not None:
            try:
                reason = self._keys.open(row.reason, f"audit|{row.id}|reason").decode()
            except (CannotOpen, UnicodeDecodeError):
                reason = CANNOT_READ  # somebody tampered with it: ``audit verify`` says so
        return Logged(row.number, row.at, row.actor, row.operation, row.what, row.record, reason)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    column = audit.c
    found: list[ColumnElement[bool]] = []
    if wanted.person is not None:
        found.append(column.actor == wanted.person)
    if wanted.record is not None:
        found.append(column.record == wanted.record)
    if wanted.operation is not None:
        found.append(column.operation == wanted.operation)
    if wanted.since is not None:
        found.append(column.at >= wanted.since)
    if wanted.until is not None:
        found.append(column.at < wanted.until)
    return found
