"""Search: whole numbers and the words of what people wrote, by keyed hashes alone.

A text is found when it has every word that was asked for, whole; a number only as a whole.
What is found is named, never shown: a record opens under its own rules. It does not decide
who may search.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, TextClause, func, select, text

from callflow.lines import E164
from incidents.handled import state_of
from incidents.indexing import hashed, words_of
from incidents.numbers import look_up_of
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import incidents, numbers, searchable, timeline
from incidents.transactions import reading
from incidents.working import Unfit

LONGEST_TERMS: Final = 200
MOST_WORDS: Final = 12
MOST_FOUND: Final = 50
"""Incidents shown of one search, the newest."""
PROOF: Final = "proof"
"""The purpose of the watchman's own calls, which nobody looks for."""
MOST_ROWS: Final = 200
"""Texts looked at for them: several may stand on one incident."""
ENTRIES: Final = "kind = 'entry'"
PEOPLE: Final = "kind IN ('person', 'address')"
"""The kinds as the partial indexes have them, word for word."""
LOOKED_THROUGH: Final = 10_000
"""Texts written last that are looked through one by one: hundredths of a second. A word that has
not ``MOST_ROWS`` among them is rare enough for the full-text search to bring all there are."""
_SHORTEST_NUMBER: Final = 7
_LIKE_A_NUMBER: Final = re.compile(r"(?:\+|00)?[\d\s().-]+")
_WITH_WORDS: Final[dict[str, TextClause]] = {
    "sqlite": text(
        "searchable.number IN (SELECT rowid FROM searchable_fts WHERE searchable_fts MATCH :words)"
    ),
    "postgresql": text(
        "array_to_tsvector(string_to_array(searchable.words, ' ')) @@ CAST(:words AS tsquery)"
    ),
}
_AND: Final = {"sqlite": " ", "postgresql": " & "}
_QUOTE: Final = {"sqlite": '"', "postgresql": "'"}


@dataclass(frozen=True, slots=True)
class Found:
    """One incident that was found. ``where``: kinds of the entries that have the words, if any."""

    reference: str
    started_at: datetime
    state: str
    signal: str
    purpose: str
    where: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What a search found, newest first. ``more``: older ones are not shown."""

    incidents: tuple[Found, ...]
    more: bool


def number_of(terms: str) -> str | None:
    """Return the number (E.164) somebody typed, or None when they typed something else.

    Raises ``Unfit`` for what looks like a number and is not a whole one.
    """
    tidy = terms.strip()
    figures = sum(character.isdigit() for character in tidy)
    if not _LIKE_A_NUMBER.fullmatch(tidy) or figures < _SHORTEST_NUMBER:
        return None
    number = re.sub(r"[\s().-]", "", tidy)
    number = f"+{number[2:]}" if number.startswith("00") else number
    if not E164.match(number):
        raise Unfit("terms", "Enter the whole number with its country's code, like +447700900123.")
    return number


class Search:
    """Searches one site's store. Every method raises ``StoreUnavailable``."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys

    def number(self, number: str) -> Result:
        """Return the incidents of a number (E.164)."""
        known = select(numbers.c.id).where(numbers.c.look_up == look_up_of(self._keys, number))
        query = (
            _incidents()
            .where(incidents.c.number_id == known.scalar_subquery(), incidents.c.purpose != PROOF)
            .order_by(incidents.c.started_at.desc())
            .limit(MOST_FOUND + 1)
        )
        with reading(self._store.engine) as connection:
            return _result(connection.execute(query).all())

    def words(self, terms: str) -> Result:
        """Return the incidents with an entry that has every word of ``terms``.

        Raises ``Unfit`` when there is no word, or too many.
        """
        words = words_in(terms)
        with reading(self._store.engine) as connection:
            found = newest(connection, self._keys, words, ENTRIES)
            place = {row.row: at for at, row in enumerate(found)}
            query = (
                _incidents(timeline.c.kind.label("where"), timeline.c.id.label("entry"))
                .join(timeline, timeline.c.call_key == incidents.c.call_key)
                .where(timeline.c.id.in_(place), incidents.c.purpose != PROOF)
            )
            rows = sorted(connection.execute(query), key=lambda row: place[row.entry])
        return _result(rows, more=len(found) == MOST_ROWS)


def words_in(terms: str) -> frozenset[str]:
    """Return the words somebody looks for. Raises ``Unfit`` when there is none, or too many."""
    words = words_of(terms[:LONGEST_TERMS])
    if not words:
        raise Unfit("terms", "Type a reference, a whole number, or words to look for.")
    if len(terms) > LONGEST_TERMS or len(words) > MOST_WORDS:
        raise Unfit("terms", f"Look for at most {MOST_WORDS} words at once.")
    return words


def newest(
    connection: Connection,
    keys: Keys,
    words: frozenset[str],
    kind: str,
    *,
    look_through: int = LOOKED_THROUGH,
) -> Sequence[Row[Any]]:
    """Return the rows of ``searchable`` of a kind that have every word, those written last first.

    ``kind``: SQL as the partial indexes have it. At most ``MOST_ROWS``. A common word is found
    among what was written last, by looking; only a rarer one is worth the full-text search, which
    brings all there are before it knows which are the newest.
    """
    column, of_kind = searchable.c, text(kind)
    wanted = (column.number, column.kind, column.row, column.person_id)
    last = select(*wanted, column.words).where(of_kind).order_by(column.number.desc())
    seen = last.limit(look_through).subquery()
    each = hashed(keys, words).split()
    looking = select(seen).where(*(seen.c.words.contains(one) for one in each))
    by = looking.order_by(seen.c.number.desc()).limit(MOST_ROWS)
    found = connection.execute(by).all()
    if len(found) == MOST_ROWS:
        return found
    database = connection.engine.dialect.name
    quote = _QUOTE[database]
    terms = _AND[database].join(f"{quote}{one}{quote}" for one in each)
    clause = _WITH_WORDS[database].bindparams(words=terms)
    _full_text(connection, only=True)
    # The offset keeps the database from going through the newest, one by one, for a word that it
    # thinks common among them.
    all_ = select(*wanted).where(of_kind, clause).offset(0).subquery()
    found = connection.execute(select(all_).order_by(all_.c.number.desc()).limit(MOST_ROWS)).all()
    _full_text(connection, only=False)
    return found


def _full_text(connection: Connection, *, only: bool) -> None:
    """Have PostgreSQL use its full-text index, or again whatever it likes.

    It takes the words of a row, read one by one, for as cheap as a number.
    """
    if connection.engine.dialect.name == "postgresql":
        word = "off" if only else "on"
        setting = (
            func.set_config(f"enable_{scan}", word, True) for scan in ("seqscan", "indexscan")
        )
        connection.execute(select(*setting))


def _incidents(*more: Any) -> Select[Any]:
    column = incidents.c
    told = (column.reference, column.started_at, column.signal, column.purpose)
    return select(*told, state_of().label("state"), *more)


def _result(rows: Sequence[Row[Any]], *, more: bool = False) -> Result:
    """Put the rows of one incident together."""
    found: dict[str, Found] = {}
    for row in rows:
        known = found.get(row.reference)
        where = (*(known.where if known else ()), *([row.where] if hasattr(row, "where") else ()))
        found[row.reference] = Found(
            row.reference,
            row.started_at,
            row.state,
            row.signal,
            row.purpose,
            tuple(dict.fromkeys(where)),
        )
    return Result(tuple(found.values())[:MOST_FOUND], more or len(found) > MOST_FOUND)
