"""Where people live, and who lives at the same address.

An address is sealed and matched by the keyed hash of its one form; nothing is looked up
outside. An address that is ended stays on record and makes nobody a household any more.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from incidents.audit import Audit
from incidents.identity import uuid7
from incidents.indexing import index, unindex
from incidents.lowering import Lowering
from incidents.person_lists import standing
from incidents.persons import NoSuchPerson, canonical, family, names
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import addresses
from incidents.transactions import writing
from incidents.unread import Unread
from incidents.working import Actor, Unfit, text_of

LONGEST_ADDRESS: Final = 300
_POSTCODE: Final = re.compile(r"\b([a-z]{1,2}\d[a-z\d]?) (\d[a-z]{2})\b")


@dataclass(frozen=True, slots=True)
class Housemate:
    """Somebody else with the same address now."""

    person: str
    name: str


@dataclass(frozen=True, slots=True)
class Address:
    """An address of a person now. ``household``: the others who have it, by name."""

    id: str
    text: str
    look_up: str
    household: tuple[Housemate, ...]
    by: str
    at: datetime


def address_form(text: str) -> str:
    """Return an address in the one form in which addresses are compared.

    No capitals, accents, commas or line ends, and a postcode in one piece: "12 High Street,
    Kendal LA9 4AB" is "12 high street kendal la94ab". What is spelled otherwise is another.
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in plain if not unicodedata.combining(c) and c not in "'’")
    return _POSTCODE.sub(r"\1\2", " ".join(re.findall(r"\w+", bare)))


def address_words(text: str) -> str:
    """Return the words an address is found by: as written, and its postcode in one piece."""
    return f"{text} {address_form(text)}"


def address_look_up(keys: Keys, text: str) -> str:
    """Return the keyed hash by which an address is found, in ``addresses`` and ``markers``."""
    return keys.look_up(f"address|{address_form(text)}")


def address_in(row: Row[Any], keys: Keys) -> str:
    """Open the address of a row of ``addresses``."""
    return keys.open(row.address, f"addresses|{row.id}|address").decode()


def addresses_of(
    connection: Connection, keys: Keys, persons: Collection[str]
) -> tuple[Address, ...]:
    """Return the addresses ``persons`` (every row of one person) have now, the earliest first."""
    here = (addresses.c.person_id.in_(persons), addresses.c.ended_at.is_(None))
    rows = connection.execute(
        select(addresses).where(*here).order_by(addresses.c.at, addresses.c.id)
    ).all()
    there = connection.execute(
        select(addresses.c.look_up, addresses.c.person_id)
        .where(
            addresses.c.look_up.in_({row.look_up for row in rows}),
            addresses.c.person_id.not_in(persons),
            addresses.c.ended_at.is_(None),
        )
        .order_by(addresses.c.at, addresses.c.id)
    ).all()
    others: dict[str, list[str]] = {}
    for one in there:
        others.setdefault(one.look_up, []).append(one.person_id)
    mates = {look_up: standing(connection, ids) for look_up, ids in others.items()}
    named = names(connection, Unread(keys), (one for ids in mates.values() for one in ids))
    return tuple(
        Address(
            row.id,
            address_in(row, keys),
            row.look_up,
            tuple(Housemate(one, named[one]) for one in mates.get(row.look_up, ())),
            row.by,
            row.at,
        )
        for row in rows
    )


def address_of(typed: str) -> str:
    """Return an address, tidied. Raises ``Unfit`` for the field ``address``."""
    tidy = text_of("address", typed, "the address", LONGEST_ADDRESS)
    if not address_form(tidy):
        raise Unfit("address", "Write the address in words and figures.")
    return tidy


def put_address(
    connection: Connection, keys: Keys, person: str, address: str, *, by: str, now: datetime
) -> str:
    """Put an address down as a person's; returns the row's id. Only when writing."""
    row = uuid7(now)
    connection.execute(
        addresses.insert().values(
            id=row,
            person_id=person,
            look_up=address_look_up(keys, address),
            address=keys.seal(address.encode(), f"addresses|{row}|address"),
            by=by,
            at=now,
        )
    )
    index(connection, keys, "address", row, address_words(address), at=now, person_id=person)
    return row


class Addresses:
    """Who lives where, over one store. Every method raises ``StoreUnavailable``.

    ``lowering``: who may have a high-risk marker match fewer calls; unless given, nobody.
    """

    def __init__(
        self, store: Store, keys: Keys, audit: Audit, lowering: Lowering | None = None
    ) -> None:
        self._lowering = lowering or Lowering()
        self._store = store
        self._keys = keys
        self._audit = audit

    def add(self, person: str, text: str, *, by: str, now: datetime) -> str:
        """Add an address to a person; returns its id. Raises ``NoSuchPerson`` and ``Unfit``."""
        tidy = address_of(text)
        with writing(self._store.engine) as connection:
            theirs = family(connection, person)
            known = select(addresses.c.id).where(
                addresses.c.person_id.in_(theirs),
                addresses.c.look_up == address_look_up(self._keys, tidy),
                addresses.c.ended_at.is_(None),
            )
            if connection.scalar(known.limit(1)) is not None:
                raise Unfit("address", "This person has this address already.")
            row = put_address(connection, self._keys, theirs[0], tidy, by=by, now=now)
            self._audit.put(connection, by, "collection", "added an address", theirs[0], at=now)
        return row

    def end(self, person: str, row: str, reason: str = "", *, by: Actor, now: datetime) -> None:
        """End an address: it is theirs no more.

        Raises ``NoSuchPerson``; where a high-risk marker would match fewer calls, ``Conflict``
        unless ``by`` is a supervisor, and ``Unfit`` without a ``reason``.
        """
        with writing(self._store.engine) as connection:
            theirs = family(connection, person)
            before = self._lowering.reach(connection, theirs)
            ended = connection.execute(
                update(addresses)
                .where(
                    addresses.c.id == row,
                    addresses.c.person_id.in_(theirs),
                    addresses.c.ended_at.is_(None),
                )
                .values(ended_at=now)
            )
            if not ended.rowcount:
                raise NoSuchPerson(row)
            unindex(connection, row)
            why = self._lowering.settle(connection, self._audit, before, reason, by=by, now=now)
            record, what = canonical(connection, person), "ended an address"
            self._audit.put(connection, by.name, "alteration", what, record, why, at=now)
