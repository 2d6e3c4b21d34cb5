"""Two rows that stand for one person: joined with a reason, and parted again without loss.

One row points at the other and nothing is moved: each keeps its own facts, numbers and
addresses, and whoever reads asks for all rows of a person (``persons.family``). Machines name
who may be the same and why; a person joins them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from incidents.audit import Audit
from incidents.identity import uuid7
from incidents.lowering import Lowering
from incidents.person_lists import standing
from incidents.persons import NoSuchPerson, canonical, family, name_look_up, name_of, names
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import merges, people, person_numbers
from incidents.transactions import reading, writing
from incidents.working import Actor, Conflict, Unfit, text_of

LONGEST_REASON: Final = 500
MOST_ROWS: Final = 15
"""Rows that may stand for one person: ``persons.canonical`` follows no endless chain."""
_SAME_NAME: Final = "the same name"
_SAME_NUMBER: Final = "the same number"


class NoSuchMerge(LookupError):
    """No merge of this person has this id, or it was undone."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Somebody who may be the same person. ``why``: what says so, in words."""

    person: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Merged:
    """A row that was joined to a person. ``name``: the one it has itself."""

    id: str
    person: str
    name: str
    reason: str
    by: str
    at: datetime


class Merges:
    """Joins and parts people of one site. Every method raises ``StoreUnavailable``.

    ``lowering``: who may have a high-risk marker match fewer calls; unless given, nobody.
    """

    def __init__(
        self, store: Store, keys: Keys, audit: Audit, lowering: Lowering | None = None
    ) -> None:
        self._lowering = lowering or Lowering()
        self._store = store
        self._keys = keys
        self._audit = audit

    def alike(self, person: str) -> tuple[Alike, ...]:
        """Return who may be the same as a person, and why. Raises ``NoSuchPerson``."""
        with reading(self._store.engine) as connection:
            ids = family(connection, person)
            found: dict[str, list[str]] = {}
            for why, rows in (
                (_SAME_NAME, _of_one_name(connection, ids)),
                (_SAME_NUMBER, _of_one_number(connection, ids)),
            ):
                for one in standing(connection, rows):
                    if one not in ids:
                        found.setdefault(one, []).append(why)
            named = names(connection, self._store.unread, found)
        return tuple(Alike(one, named[one], " and ".join(why)) for one, why in found.items())

    def of(self, person: str) -> tuple[Merged, ...]:
        """Return what was joined to a person, the latest first. Raises ``NoSuchPerson``."""
        with reading(self._store.engine) as connection:
            rows = connection.execute(
                select(merges)
                .join(people, people.c.id == merges.c.merged_id)
                .where(
                    merges.c.kept_id.in_(family(connection, person)),
                    merges.c.undone_at.is_(None),
                    people.c.erased_at.is_(None),
                )
                .order_by(merges.c.at.desc(), merges.c.id)
            ).all()
            named = names(connection, self._store.unread, (row.merged_id for row in rows))
        return tuple(
            Merged(
                row.id,
                row.merged_id,
                named[row.merged_id],
                self._keys.open(row.reason, f"merges|{row.id}|reason").decode(),
                row.by,
                row.at,
            )
            for row in rows
        )

    def merge(
        self, person: str, other: str, reason: str, *, name: str = "", by: str, now: datetime
    ) -> str:
        """Join two people; returns the id that stands for both from now on.

        ``other``: an id; empty: the one of this full ``name``. A repeat victim's row stands for
        both, so that no list of repeat victims loses them; else it is ``person``'s. Raises
        ``NoSuchPerson``, ``Unfit``, and ``Conflict`` when they are one already or are too many.
        """
        why = text_of("reason", reason, "why they are the same", LONGEST_REASON)
        with writing(self._store.engine) as connection:  # nobody else writes until this is done
            kept = canonical(connection, person)
            gone = self._other(connection, other, name, kept)
            if kept == gone:
                raise Conflict("They are one person already.")
            rows = len(family(connection, kept)) + len(family(connection, gone))
            if rows > MOST_ROWS:
                raise Conflict(f"No more than {MOST_ROWS} rows may stand for one person.")
            if not _repeats(connection, kept) and _repeats(connection, gone):
                kept, gone = gone, kept
            connection.execute(update(people).where(people.c.id == gone).values(merged_into=kept))
            row = uuid7(now)
            connection.execute(
                merges.insert().values(
                    id=row,
                    kept_id=kept,
                    merged_id=gone,
                    by=by,
                    reason=self._keys.seal(why.encode(), f"merges|{row}|reason"),
                    at=now,
                )
            )
            for record, what in ((kept, "joined another person"), (gone, "was joined to another")):
                self._audit.put(connection, by, "combination", what, record, why, at=now)
        return kept

    def undo(self, person: str, merge: str, reason: str = "", *, by: Actor, now: datetime) -> str:
        """Part two people again, each with what was theirs; returns who was parted.

        What was added meanwhile stays with the row it was added to. Raises ``NoSuchPerson`` and
        ``NoSuchMerge``; where a high-risk marker would match fewer calls, ``Conflict`` unless
        ``by`` is a supervisor, and ``Unfit`` without a ``reason``.
        """
        with writing(self._store.engine) as connection:
            row = self._standing(connection, person, merge)
            before = self._lowering.reach(connection, family(connection, row.kept_id))
            change = update(people).where(people.c.id == row.merged_id)
            connection.execute(change.values(merged_into=None))
            connection.execute(
                update(merges).where(merges.c.id == merge).values(undone_at=now, undone_by=by.name)
            )
            why = self._lowering.settle(connection, self._audit, before, reason, by=by, now=now)
            for record in (row.kept_id, row.merged_id):
                what = "parted two people"
                self._audit.put(connection, by.name, "alteration", what, record, why, at=now)
        return str(row.merged_id)

    def _standing(self, connection: Connection, person: str, merge: str) -> Row[Any]:
        row = connection.execute(
            select(merges)
            .join(people, people.c.id == merges.c.merged_id)
            .where(
                merges.c.id == merge.replace("\x00", ""),
                merges.c.kept_id.in_(family(connection, person)),
                merges.c.undone_at.is_(None),
                people.c.merged_into == merges.c.kept_id,
            )
        ).first()
        if row is None:
            raise NoSuchMerge(merge)
        return row

    def _other(self, connection: Connection, other: str, name: str, kept: str) -> str:
        """Return the row that stands for whoever is meant. Raises ``Unfit``."""
        if other:
            try:
                return canonical(connection, other)
            except NoSuchPerson:
                raise Unfit("other", "This person is on record no more: choose again.") from None
        if not name.strip():
            raise Unfit("other", "Choose who is the same person, or type their full name.")
        look_up = name_look_up(self._keys, name_of(name))
        rows = connection.scalars(select(people.c.id).where(people.c.look_up == look_up)).all()
        found = [one for one in standing(connection, rows) if one != kept]
        if not found:
            raise Unfit("name", "Nobody else on record has this full name.")
        if len(found) > 1:
            raise Unfit("name", "Several people have this name: open one, and join from there.")
        return found[0]


def _repeats(connection: Connection, person: str) -> bool:
    row = select(people.c.repeat_at).where(people.c.id == person)
    return connection.scalar(row) is not None


def _of_one_name(connection: Connection, ids: Collection[str]) -> list[str]:
    theirs = select(people.c.look_up).where(people.c.id.in_(ids))
    rows = select(people.c.id).where(people.c.look_up.in_(theirs)).order_by(people.c.id)
    return list(connection.scalars(rows))


def _of_one_number(connection: Connection, ids: Collection[str]) -> list[str]:
    now = person_numbers.c.ended_at.is_(None)
    theirs = select(person_numbers.c.number_id).where(person_numbers.c.person_id.in_(ids), now)
    rows = select(person_numbers.c.person_id).where(person_numbers.c.number_id.in_(theirs), now)
    return list(connection.scalars(rows.order_by(person_numbers.c.person_id)))
