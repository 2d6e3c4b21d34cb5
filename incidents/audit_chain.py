"""The chain of the audit log: each entry's keyed hash covers all of it and the hash before.

Whoever can write to the table but has not the site's secret cannot make an entry that
fits. Cutting off the newest entries leaves a good chain; that is what a signed head is
for, kept where the same person cannot reach. Nothing here changes the table.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import Connection, String, select, type_coerce

from incidents.sealed import Keys
from incidents.tables import audit

START: Final = "0" * 64
"""What stands before the first entry."""
AT_ONCE: Final = 2000
_COLUMNS: Final = (
    *("id", "number", "at", "actor", "operation", "what", "record", "reason", "previous"),
)
_SQLITE_MOMENT: Final = "%Y-%m-%d %H:%M:%S.%f"


class BadHead(ValueError):
    """A head cannot be read, or its signature is not ours."""


@dataclass(frozen=True, slots=True)
class Head:
    """How far the chain had come at a moment. ``number`` 0: nothing had been logged."""

    number: int
    hash: str
    at: str
    signature: str

    @classmethod
    def signed(cls, keys: Keys, number: int, hash_: str, at: datetime) -> Self:
        """Make and sign a head."""
        moment = at.astimezone(UTC).isoformat(timespec="milliseconds")
        return cls(number, hash_, moment, _signature(keys, number, hash_, moment))

    @classmethod
    def read(cls, keys: Keys, text: str) -> Self:
        """Read what ``as_text`` wrote. Raises ``BadHead``."""
        try:
            found = cls(**json.loads(text))
            signature = _signature(keys, found.number, found.hash, found.at)
            good = hmac.compare_digest(signature, found.signature)
        except (ValueError, TypeError, AttributeError) as error:
            raise BadHead("This is no head of the audit log.") from error
        if not good or type(found.number) is not int:
            raise BadHead("The head's signature is wrong: it was changed, or is another site's.")
        return found

    def as_text(self) -> str:
        """Write the head as one line of JSON."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the walk along the chain found. ``number``: the first entry that is wrong."""

    entries: int
    problem: str = ""
    number: int | None = None
    head: Head | None = None

    @property
    def sound(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.problem


def link(keys: Keys, row: Mapping[str, Any]) -> str:
    """Return the hash of an entry, over every column and the hash before it."""
    return keys.chain(*(_part(row[name]) for name in _COLUMNS))


def latest(connection: Connection) -> tuple[int, str]:
    """Return the number and the hash of the last entry; 0 and ``START`` when there is none."""
    row = connection.execute(_LATEST).first()
    return (0, START) if row is None else (row.number, row.hash)


def verify(connection: Connection, keys: Keys, head: Head | None = None) -> Verdict:
    """Walk the chain from its first entry, up to the first that is wrong."""
    raw_moments = connection.dialect.name == "sqlite"
    names = [audit.c[name] for name in (*_COLUMNS, "hash") if name != "at"]
    # SQLite keeps a moment as text: taken as it stands, so that none can be altered to another
    # text that reads the same, and none stops the walk because it does not read at all.
    moment = type_coerce(audit.c.at, String) if raw_moments else audit.c.at
    query = select(*names, moment.label("at")).order_by(audit.c.number)
    # In pieces: a log of years must not have to fit into memory.
    rows = connection.execution_options(yield_per=AT_ONCE).execute(query)
    expected, previous, in_head = 1, START, head is None or head.number == 0
    for found in rows.mappings():
        row = dict(found)
        problem = _problem(keys, row, expected, previous, raw_moments=raw_moments)
        if head is not None and not problem and head.number == expected:
            in_head = hmac.compare_digest(head.hash, row["hash"])
            if not in_head:
                problem = "It is not the entry that the signed head names: the log was replaced."
        if problem:
            rows.close()
            return Verdict(expected - 1, problem, expected, head)
        expected, previous = expected + 1, row["hash"]
    if not in_head and head is not None:
        gone = (
            f"The log ends before it, but entries up to {head.number} were there on {head.at}, "
            "as the signed head says: they were cut off."
        )
        return Verdict(expected - 1, gone, expected, head)
    return Verdict(expected - 1, head=head)


def keep_head(connection: Connection, keys: Keys, path: Path, now: datetime) -> str:
    """Write the head to ``path`` unless the one there is not borne out; returns the problem."""
    try:
        before = Head.read(keys, path.read_text(encoding="ascii"))
    except FileNotFoundError:
        before = None
    except (BadHead, UnicodeDecodeError) as bad:
        return f"The head kept in {path.name} cannot be trusted. {bad}"
    number, hash_ = latest(connection)
    if before is not None and before.number:
        there = connection.scalar(select(audit.c.hash).where(audit.c.number == before.number))
        if there is None or not hmac.compare_digest(there, before.hash):
            return (
                f"Entries of the audit log that were there on {before.at} are gone or changed: "
                f"entry {before.number} is not what the head in {path.name} says."
            )
        if before.number == number:
            return ""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with open(fresh, "w", encoding="ascii") as file:
        file.write(Head.signed(keys, number, hash_, now).as_text() + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    return ""


_LATEST: Final = select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)


def _problem(
    keys: Keys, row: dict[str, Any], expected: int, previous: str, *, raw_moments: bool
) -> str:
    """Say what is wrong with the entry that should be the ``expected``-th, or nothing."""
    number = row["number"]
    if type(number) is not int:
        return "Its number is no number."
    if number != expected:
        if number > expected:
            return f"It is missing: after {expected - 1} comes {number}."
        return f"It stands in the place of another: its number is {number}."
    read = row
    if raw_moments:
        moment = _moment(row["at"])
        if moment is None:
            return "Its time cannot be read."
        read = {**row, "at": moment}
    try:
        hash_ = link(keys, read)
        good = hmac.compare_digest(hash_, row["hash"])
    except (TypeError, ValueError, AttributeError):
        return "It holds something that was never written there."
    if row["previous"] != previous:
        return "It does not follow from the entry before it: one was put in, taken out or moved."
    return "" if good else "Its content is not what was written."


def _moment(text: Any) -> datetime | None:
    """Read a moment as SQLite keeps it, and only as it was written."""
    try:
        moment = datetime.strptime(text, _SQLITE_MOMENT).replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return None
    return moment if moment.strftime(_SQLITE_MOMENT) == text else None


def _part(value: Any) -> bytes:
    """Write a column's value so that no two values read the same."""
    match value:
        case None:
            return b"none"
        case bool():
            raise TypeError("a column of the audit log is no truth value")
        case int():
            return b"int %d" % value
        case str():
            return b"text " + value.encode("utf-8", "surrogatepass")
        case bytes() | memoryview():
            return b"data " + bytes(value)
        case datetime():
            return b"time " + value.astimezone(UTC).isoformat(timespec="microseconds").encode()
    raise TypeError(type(value).__name__)


def _signature(keys: Keys, number: int, hash_: str, at: str) -> str:
    return keys.chain(b"head", _part(number), _part(hash_), _part(at))
