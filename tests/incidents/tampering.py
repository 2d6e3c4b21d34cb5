"""What somebody who can write to the audit table, but has not the secret, may do to it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from incidents.audit_chain import START, link
from incidents.sealed import Keys
from incidents.tables import audit

THEIRS: Final = Keys(b"another secret, not the site's  ")
"""The best an intruder can do: a chain in itself perfect, made with a key of their own."""
EDITED: Final = (
    *("id", "at", "actor", "operation", "what", "record", "reason", "previous", "hash"),
)
_FAR: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Tampering:
    """One deed: its kind, and what was done in words, for the report of one that was missed."""

    kind: str
    told: str


def tamper(connection: Connection, random: Random, kind: str) -> Tampering:
    """Do one deed of this kind to the table, at random."""
    return Tampering(kind, KINDS[kind](connection, random))


def rows(connection: Connection) -> list[dict[str, Any]]:
    """Return the whole log, in order."""
    found = connection.execute(select(audit).order_by(audit.c.number)).mappings()
    return [dict(row) for row in found]


def _edit(connection: Connection, random: Random) -> str:
    row = random.choice(rows(connection))
    column = random.choice(EDITED)
    return _set(connection, row, column, _other(random, row[column]))


def _other(random: Random, value: Any) -> Any:
    """Return something else of the same kind."""
    if value is None:
        return random.randbytes(40)
    if isinstance(value, str):
        at = random.randrange(len(value))
        letter = "y" if value[at] == "x" else "x"
        return random.choice([value[:at] + letter + value[at + 1 :], value[:-1], ""])
    if isinstance(value, bytes | memoryview):
        flipped = bytearray(value)
        flipped[random.randrange(len(flipped))] ^= 1 << random.randrange(8)
        return random.choice([None, bytes(flipped)])
    return value + random.choice([1, -1]) * timedelta(
        microseconds=random.choice([1, 1000, 60_000_000])
    )


def _borrow(connection: Connection, random: Random) -> str:
    """Give an entry another one's actor, record, words, reason or time."""
    one, other = random.sample(rows(connection), 2)
    differ = [
        name
        for name in ("at", "actor", "operation", "what", "record", "reason")
        if one[name] != other[name]
    ]
    column = random.choice(differ)
    return _set(connection, one, column, other[column])


def _set(connection: Connection, row: dict[str, Any], column: str, value: Any) -> str:
    mine = update(audit).where(audit.c.number == row["number"])
    connection.execute(mine.values({column: value}))
    return f"{column} of {row['number']}: {row[column]!r} became {value!r}"


def _take_out(connection: Connection, random: Random) -> str:
    log = rows(connection)
    gone = random.sample(log[:-1], random.choice([1, 1, 2, 5]))
    numbers = [row["number"] for row in gone]
    connection.execute(delete(audit).where(audit.c.number.in_(numbers)))
    if random.random() < 0.5:
        _write(connection, [row for row in log if row not in gone])
    return f"took out {sorted(numbers)}"


def _put_in(connection: Connection, random: Random) -> str:
    log = rows(connection)
    at = random.randrange(len(log) + 1)
    fresh = {**random.choice(log), "id": str(uuid.UUID(int=random.getrandbits(128)))}
    fresh["actor"] = random.choice([fresh["actor"], "somebody"])
    linked = random.random() < 0.5
    fresh["previous"] = (log[at - 1]["hash"] if at else START) if linked else _hex(random)
    fresh["hash"] = link(THEIRS, {**fresh, "number": at + 1})
    if linked and at < len(log):
        log[at]["previous"] = fresh["hash"]
    _write(connection, [*log[:at], fresh, *log[at:]])
    return f"put one in as {at + 1}"


def _reorder(connection: Connection, random: Random) -> str:
    log = rows(connection)
    one, other = sorted(random.sample(range(len(log)), 2))
    log[one], log[other] = log[other], log[one]
    # Either the entries change places, or all but what they are linked by.
    if random.random() < 0.5:
        for name in ("previous", "hash"):
            log[one][name], log[other][name] = log[other][name], log[one][name]
    _write(connection, log)
    return f"{one + 1} and {other + 1} changed places"


def _cut_off(connection: Connection, random: Random) -> str:
    log = rows(connection)
    left = random.randrange(len(log))
    connection.execute(delete(audit).where(audit.c.number > left))
    return f"cut off after {left}"


def _forge(connection: Connection, random: Random) -> str:
    """Change one entry and link it and all that follow anew, with a key of one's own."""
    log = rows(connection)
    at = random.randrange(len(log))
    log[at]["what"] = "looked at nothing"
    if random.random() < 0.3:
        del log[at]
        at = min(at, len(log) - 1)
    for place, row in enumerate(log[at:], start=at):
        row["number"] = place + 1
        row["previous"] = log[place - 1]["hash"] if place else START
        row["hash"] = link(THEIRS, row)
    _write(connection, log)
    return f"linked anew from {at + 1}"


def _replace(connection: Connection, random: Random) -> str:
    """Cut the end off and write as many entries in their place."""
    log = rows(connection)
    left = random.randrange(len(log))
    for row in log[left:]:
        row |= {"hash": _hex(random), "previous": _hex(random), "record": "QL-2222-2222-222"}
    _write(connection, log)
    return f"replaced all after {left}"


def _write(connection: Connection, log: list[dict[str, Any]]) -> None:
    """Write the whole table anew, numbered as it comes."""
    connection.execute(delete(audit))
    for number, row in enumerate(log, start=1):
        row["number"] = number
    connection.execute(insert(audit), log)


def _hex(random: Random) -> str:
    return random.randbytes(32).hex()


KINDS: Final[dict[str, Callable[[Connection, Random], str]]] = {
    "edit": _edit,
    "borrow": _borrow,
    "take out": _take_out,
    "put in": _put_in,
    "reorder": _reorder,
    "cut off": _cut_off,
    "forge": _forge,
    "replace": _replace,
}
