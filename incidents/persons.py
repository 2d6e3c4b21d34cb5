"""People a call may concern: victims, suspects, witnesses, callers.

Names and facts are sealed; a person is found by keyed hashes alone. Two rows that stand
for one person are merged by pointing one at the other: nothing is moved, so that a merge
can be undone without loss. It judges nobody and computes no risk.
"""

import json
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from incidents.audit import Audit
from incidents.identity import uuid7
from incidents.indexing import index
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import people
from incidents.transactions import reading, writing
from incidents.unread import CANNOT, Unread
from incidents.working import text_of

LONGEST_NAME: Final = 200
_MOST_MERGES: Final = 20
"""Steps followed from a merged row to the one that stands for it."""


class NoSuchPerson(LookupError):
    """No person has this id."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a handler must see at once. Texts are empty where nothing is known.

    ``born``: date of birth. ``marac``: dates of conferences about them, any order.
    ``orders``: orders and bail, in words with their dates. ``key_pattern``: keys agreed with
    them. ``never_call``: no number of theirs may be called. ``safe_words``: how to begin when
    they are called.
    """

    born: date | None = None
    children: str = ""
    code_word: str = ""
    key_pattern: str = ""
    marac: tuple[date, ...] = ()
    orders: str = ""
    language: str = ""
    safe_words: str = ""
    never_call: bool = False
    notes: str = ""

    def write(self) -> bytes:
        """Write the facts as JSON."""
        told: dict[str, Any] = asdict(self)
        told["born"] = self.born.isoformat() if self.born else None
        told["marac"] = [day.isoformat() for day in self.marac]
        return json.dumps(told).encode()

    @classmethod
    def read(cls, plain: bytes) -> "Facts":
        """Read what ``write`` wrote, by this release or another: fields nobody knows are left."""
        told = json.loads(plain)
        known = {name: told[name] for name in cls.__dataclass_fields__ if name in told}
        if known.get("born"):
            known["born"] = date.fromisoformat(known["born"])
        known["marac"] = tuple(map(date.fromisoformat, known.get("marac", ())))
        return cls(**known)

    def joined(self, other: "Facts") -> "Facts":
        """Join what is known of two rows that stand for one person: nothing is left out."""
        return Facts(
            born=self.born or other.born,
            children=_both(self.children, other.children),
            code_word=_both(self.code_word, other.code_word),
            key_pattern=_both(self.key_pattern, other.key_pattern),
            marac=tuple(sorted({*self.marac, *other.marac})) if other.marac else self.marac,
            orders=_both(self.orders, other.orders),
            language=_both(self.language, other.language),
            safe_words=_both(self.safe_words, other.safe_words),
            never_call=self.never_call or other.never_call,
            notes=_both(self.notes, other.notes),
        )


_UNREAD: Final = Facts(never_call=True, notes="What is known of this person cannot be read.")


def _both(one: str, other: str) -> str:
    return "; ".join(dict.fromkeys(filter(None, (one, other))))


@dataclass(frozen=True, slots=True)
class Person:
    """One person. ``repeat_at``: since when they are known as a repeat victim, or None."""

    id: str
    name: str
    facts: Facts
    repeat_at: datetime | None
    created_at: datetime


def normal(name: str) -> str:
    """Return a name in the one form in which names are compared: no accents, case or spaces."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def name_of(name: str) -> str:
    """Return a name, tidied. Raises ``Unfit`` when it is empty or too long."""
    return " ".join(text_of("name", name, "a name", LONGEST_NAME).split())


def name_look_up(keys: Keys, name: str) -> str:
    """Return the keyed hash by which people of this name are found."""
    return keys.look_up(f"name|{normal(name)}")


class Persons:
    """The people of one site. Every method raises ``StoreUnavailable``."""

    def __init__(self, store: Store, keys: Keys, audit: Audit) -> None:
        self._store = store
        self._keys = keys
        self._audit = audit

    def add(
        self,
        name: str,
        facts: Facts | None = None,
        *,
        by: str,
        now: datetime,
        repeat: bool = False,
    ) -> str:
        """Add a person; returns their id. ``repeat``: known as a repeat victim from now on.

        Raises ``Unfit`` when the name is empty or too long.
        """
        with writing(self._store.engine) as connection:
            return self.put(connection, name, facts, by=by, now=now, repeat=repeat)

    def put(
        self,
        connection: Connection,
        name: str,
        facts: Facts | None = None,
        *,
        by: str,
        now: datetime,
        repeat: bool = False,
    ) -> str:
        """Add a person as ``add`` does, in a transaction that writes more than that."""
        tidy = name_of(name)
        row = uuid7(now)
        connection.execute(
            people.insert().values(
                id=row,
                name=self._keys.seal(tidy.encode(), f"people|{row}|name"),
                look_up=name_look_up(self._keys, tidy),
                facts=self._keys.seal((facts or Facts()).write(), f"people|{row}|facts"),
                created_at=now,
                created_by=by,
                repeat_at=now if repeat else None,
            )
        )
        index(connection, self._keys, "person", row, tidy, at=now, person_id=row)
        self._audit.put(connection, by, "collection", "added a person", row, at=now)
        return row

    def one(self, person: str) -> Person:
        """Return a person; of one merged into another, that other. Raises ``NoSuchPerson``."""
        with reading(self._store.engine) as connection:
            return person_of(connection, self._keys, person)

    def repeat(self, person: str, known: bool, *, by: str, now: datetime) -> None:
        """Say that a person is known as a repeat victim from now on, or is no longer.

        Said again, it changes nothing. Raises ``NoSuchPerson``.
        """
        with writing(self._store.engine) as connection:
            theirs = family(connection, person)
            if (person_of(connection, self._keys, person).repeat_at is not None) == known:
                return
            change = update(people).where(people.c.id.in_(theirs[:1] if known else theirs))
            connection.execute(change.values(repeat_at=now if known else None))
            what = "said a repeat victim" if known else "said no longer a repeat victim"
            self._audit.put(connection, by, "alteration", what, theirs[0], at=now)


def person_of(connection: Connection, keys: Keys, person: str) -> Person:
    """Return a person; of one merged into another, that other. Raises ``NoSuchPerson``.

    What is known of every row that stands for them is joined, under the name of the first.
    """
    return _joined(connection, person, lambda row: person_in(row, keys))


def person_shown(connection: Connection, unread: Unread, person: str) -> Person:
    """Return the same for a page that must open, whatever of them cannot be read.

    Whose facts cannot be read is shown as one who may never be called. Raises ``NoSuchPerson``.
    """
    return _joined(connection, person, lambda row: _shown(row, unread))


def _joined(connection: Connection, person: str, read: Callable[[Row[Any]], Person]) -> Person:
    first, *merged = (read(row_of(connection, one)) for one in family(connection, person))
    for other in merged:
        since = [at for at in (first.repeat_at, other.repeat_at) if at is not None]
        first = replace(
            first, facts=first.facts.joined(other.facts), repeat_at=min(since, default=None)
        )
    return first


def person_in(row: Row[Any], keys: Keys) -> Person:
    """Read a person out of a row of ``people``."""
    return Person(
        row.id,
        keys.open(row.name, f"people|{row.id}|name").decode(),
        Facts.read(keys.open(row.facts, f"people|{row.id}|facts")),
        row.repeat_at,
        row.created_at,
    )


def _shown(row: Row[Any], unread: Unread) -> Person:
    name = unread.read(row.name, f"people|{row.id}|name", bytes.decode, CANNOT)
    facts = unread.read(row.facts, f"people|{row.id}|facts", Facts.read, _UNREAD)
    return Person(row.id, name, facts, row.repeat_at, row.created_at)


def names(connection: Connection, unread: Unread, ids: Iterable[str]) -> dict[str, str]:
    """Return the name of each person in ``ids``, by the id that was asked for.

    Of one whose name cannot be read, words that say so: a list is for everybody on it.
    """
    wanted = sorted(set(ids))
    rows = connection.execute(select(people.c.id, people.c.name).where(people.c.id.in_(wanted)))
    return {
        row.id: unread.read(row.name, f"people|{row.id}|name", bytes.decode, CANNOT) for row in rows
    }


def canonical(connection: Connection, person: str) -> str:
    """Return the id that stands for this person: their own, or what they were merged into.

    Raises ``NoSuchPerson``.
    """
    for _ in range(_MOST_MERGES):
        merged_into = row_of(connection, person).merged_into
        if merged_into is None:
            return person
        person = merged_into
    raise NoSuchPerson(person)


def family(connection: Connection, person: str) -> tuple[str, ...]:
    """Return every id that stands for this person, theirs first; what was erased is left out.

    Raises ``NoSuchPerson``.
    """
    first = canonical(connection, person)
    found = [first]
    for _ in range(_MOST_MERGES):
        rows = connection.scalars(
            select(people.c.id).where(
                people.c.merged_into.in_(found),
                people.c.id.not_in(found),
                people.c.erased_at.is_(None),
            )
        ).all()
        if not rows:
            break
        found += rows
    return tuple(found)


def row_of(connection: Connection, person: str) -> Row[Any]:
    """Return a person's own row, merged or not. Raises ``NoSuchPerson``."""
    # An id comes with an address somebody typed; PostgreSQL takes no NUL.
    query = select(people).where(people.c.id == person.replace("\x00", ""))
    row = connection.execute(query).first()
    if row is None or row.erased_at is not None:
        raise NoSuchPerson(person)
    return row
