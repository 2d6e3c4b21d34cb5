"""Search over the blind index, on both databases: what is found, and what no disk tells."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, event, insert, select, text

from incidents.indexing import hashed, unindex, words_of
from incidents.indexing_earlier import index_earlier
from incidents.searching import (
    ENTRIES,
    MOST_ROWS,
    MOST_WORDS,
    PEOPLE,
    Result,
    Search,
    newest,
    number_of,
)
from incidents.searching_people import PeopleSearch
from incidents.tables import searchable
from incidents.transactions import reading, writing
from incidents.working import Unfit
from tests.incidents.desks import ANNA, Room
from tests.incidents.making import KEYS, NOW, NUMBER, Caller, Machine, after


@pytest.fixture
def room(machine: Machine) -> Room:
    """A control room over a store of each kind."""
    return Room(machine)


@pytest.fixture
def search(machine: Machine) -> Search:
    """The search of that room."""
    return Search(machine.store, KEYS)


def found(result: Result) -> list[str]:
    """The references that were found, in order."""
    return [one.reference for one in result.incidents]


def noted(room: Room, words: str, purpose: str = "live") -> Caller:
    """Have a caller on whose record ``words`` are noted."""
    caller = room.waiting(purpose=purpose)
    room.desk.note(caller.reference, words, by=ANNA, now=after(10))
    return caller


def test_a_note_is_found_by_any_of_its_words_in_any_order(room: Room, search: Search) -> None:
    """Case, accents and marks do not matter; every word must be there, and whole."""
    caller = noted(room, "Flat above the bakery; Zoë says: don't ring.")
    for terms in ("bakery", "BAKERY flat", "zoe", "Zoë, don’t"):
        assert found(search.words(terms)) == [caller.reference]
    for terms in ("bake", "bakery river"):
        assert search.words(terms) == Result((), False)


def test_a_detail_a_correction_and_a_location_are_found_as_well(room: Room, search: Search) -> None:
    """The result says in what kind of entry the words stand, once each."""
    caller = noted(room, "green gate")
    entry = room.entries(caller, "note_added")[0]
    room.desk.detail(caller.reference, "noise", "a green van", by=ANNA, now=after(11))
    room.desk.correct(caller.reference, entry.id, "green door", by=ANNA, now=after(12))
    room.desk.location(caller.reference, {"text": "green lane"}, by=ANNA, now=after(13))
    where = search.words("green").incidents[0].where
    assert set(where) == {"note_added", "detail_set", "corrected", "location_added"}
    assert search.words("lane").incidents[0].where == ("location_added",)


def test_the_newest_writing_comes_first(room: Room, search: Search) -> None:
    """Several entries of one incident are one line."""
    first, second = noted(room, "blue van"), noted(room, "a van again")
    room.desk.note(first.reference, "the van is back", by=ANNA, now=after(20))
    assert found(search.words("van")) == [first.reference, second.reference]


def test_a_number_finds_every_call_of_it_and_only_as_a_whole(room: Room, search: Search) -> None:
    """The last figures alone find nobody: numbers are found through their keyed hash."""
    caller = room.waiting()
    room.waiting(number="+447700900999")
    number = number_of(" +44 7700 900-123 ")
    assert number == NUMBER
    assert found(search.number(number)) == [caller.reference]
    assert search.number("+447700900124") == Result((), False)


def test_what_looks_like_part_of_a_number_is_refused_with_what_to_do() -> None:
    """Words and short figures are no number."""
    assert number_of("0044 7700 900123") == NUMBER
    assert number_of("flat 12") is None
    assert number_of("1234") is None
    with pytest.raises(Unfit, match="country's code"):
        number_of("07700 900123")


def test_no_word_and_too_many_words_are_refused(search: Search) -> None:
    """A sentence says what to type."""
    with pytest.raises(Unfit, match="Type a reference"):
        search.words(" ?! ")
    with pytest.raises(Unfit, match=str(MOST_WORDS)):
        search.words(" ".join(f"word{n}" for n in range(MOST_WORDS + 1)))


def test_what_is_typed_is_never_a_query_of_the_database(room: Room, search: Search) -> None:
    """Quotes, stars and operators are marks between words; only hashes reach the index."""
    caller = noted(room, "black or white dog")
    for terms in ("black OR white", 'black" OR "white', "black & white | !dog", "black* -white"):
        hit = {caller.reference} if words_of(terms) <= words_of("black or white dog") else set()
        assert set(found(search.words(terms))) == hit


def test_proof_calls_are_found_by_nothing(room: Room, search: Search) -> None:
    """They are the watchman's own."""
    noted(room, "proof word", purpose="proof")
    assert search.words("proof") == search.number(NUMBER) == Result((), False)


def test_the_index_holds_no_word_and_not_their_order(room: Room) -> None:
    """Each hash stands once, in order of the hashes; a reader without the key learns no text."""
    noted(room, "knife kitchen knife")
    with reading(room.machine.store.engine) as connection:
        words = connection.scalars(select(searchable.c.words)).one()
    hashes = words.split()
    assert len(hashes) == 2
    assert hashes == sorted(hashes)
    assert "knife" not in words


def test_a_deed_that_fails_leaves_nothing_to_be_found(room: Room, search: Search) -> None:
    """The index is written in the transaction that writes the text."""
    caller = room.waiting()
    with pytest.raises(Unfit):
        room.desk.correct(caller.reference, "no-such-entry", "rust", by=ANNA, now=after(10))
    assert search.words("rust") == Result((), False)


def test_what_is_taken_out_is_found_no_more(room: Room, search: Search) -> None:
    """Also by the database's own index, which keeps in step by itself."""
    caller = noted(room, "harbour")
    entry = room.entries(caller, "note_added")[0]
    with writing(room.machine.store.engine) as connection:
        unindex(connection, entry.id)
    assert search.words("harbour") == Result((), False)


def test_what_an_older_release_wrote_is_indexed_once(room: Room, search: Search) -> None:
    """Run again it finds nothing to do, and nothing is found twice."""
    caller = noted(room, "cellar window")
    with writing(room.machine.store.engine) as connection:
        connection.execute(delete(searchable))
    assert search.words("cellar") == Result((), False)
    assert index_earlier(room.machine.store, KEYS) == 1
    assert index_earlier(room.machine.store, KEYS) == 0
    assert found(search.words("window cellar")) == [caller.reference]


def test_each_database_searches_words_by_its_index(room: Room) -> None:
    """Planted words among many rows: the plan names the index, or a search reads every note."""
    engine = room.machine.store.engine
    if engine.dialect.name == "sqlite":
        plan = "EXPLAIN QUERY PLAN SELECT rowid FROM searchable_fts WHERE searchable_fts MATCH 'a'"
        by = "VIRTUAL TABLE INDEX"
    else:
        plan = (
            "EXPLAIN SELECT number FROM searchable WHERE "
            "array_to_tsvector(string_to_array(words, ' ')) @@ CAST('a' AS tsquery) "
            "AND kind = 'entry'"
        )
        by = "searchable_fts_entries"
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            connection.execute(
                text(
                    "INSERT INTO searchable (number, kind, row, at, words) SELECT n, 'entry', "
                    "n::text, now(), md5(n::text) FROM generate_series(1, 5000) AS n"
                )
            )
            connection.execute(text("ANALYZE searchable"))
        told = " ".join(str(row) for row in connection.execute(text(plan)))
    assert by in told


@pytest.fixture
def block(room: Room) -> Room:
    """People in one block before notes, all with one word; every third note has another."""
    where, other = hashed(KEYS, frozenset(("carlisle",))), hashed(KEYS, frozenset(("blue",)))
    people = [("person", where)] * 250 + [("address", where)] * 50
    notes = [("entry", other if at % 3 else where) for at in range(900)]
    rows = [
        {"number": at, "kind": kind, "row": f"row {at}", "at": NOW, "words": f"{words} {'0' * 16}"}
        for at, (kind, words) in enumerate([*people, *notes], start=1)
    ]
    with writing(room.machine.store.engine) as connection:
        connection.execute(insert(searchable), rows)
    return room


@pytest.mark.parametrize("look_through", [1, 250, 700, 10_000])
def test_the_newest_are_the_same_however_they_are_found(block: Room, look_through: int) -> None:
    """By looking through what was written last, or by the full-text search."""

    def numbers(word: str, kind: str) -> list[int]:
        words = frozenset(word.split())
        with reading(block.machine.store.engine) as connection:
            rows = newest(connection, KEYS, words, kind, look_through=look_through)
        return [row.number for row in rows]

    third = [at for at in range(1200, 300, -1) if (at - 301) % 3 == 0]
    assert numbers("carlisle", PEOPLE) == list(range(300, 100, -1))
    assert numbers("carlisle", ENTRIES) == third[:MOST_ROWS]
    assert numbers("blue", PEOPLE) == []
    assert numbers("blue carlisle", ENTRIES) == []


def test_no_search_goes_through_the_rows_of_another_kind(block: Room) -> None:
    """Of a word that everybody's address has, 100,000 newer notes were read for the first."""
    engine = block.machine.store.engine
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, given: Any, *_: object) -> None:
        if "FROM searchable" in statement:
            asked.append((statement, given))

    event.listen(engine, "before_cursor_execute", note)
    Search(block.machine.store, KEYS).words("nowhere")
    PeopleSearch(block.machine.store, KEYS).words("nowhere")
    event.remove(engine, "before_cursor_execute", note)
    sqlite = engine.dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
    with engine.connect() as connection:
        if not sqlite:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            connection.execute(text("SET LOCAL enable_indexonlyscan = off"))
        plans = [
            " ".join(str(row) for row in connection.exec_driver_sql(f"{explain} {one}", given))
            for one, given in asked
        ]
    looking, full_text = plans[::2], plans[1::2]
    for plan, kind in zip(looking, ("entries", "people"), strict=True):
        assert f"ix_searchable_newest_{kind}" in plan
    assert all(("VIRTUAL TABLE" if sqlite else "searchable_") in plan for plan in full_text)
