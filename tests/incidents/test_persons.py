"""People: kept sealed, found again, and one person under several rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select, update

from incidents.audit import Audit
from incidents.numbers import look_up_of, number_in, number_row
from incidents.persons import Facts, NoSuchPerson, Persons, canonical, family, names, normal
from incidents.tables import audit, numbers, people
from incidents.transactions import reading, writing
from incidents.unread import Unread
from incidents.working import Unfit
from tests.incidents.desks import Room
from tests.incidents.making import KEYS, NOW, NUMBER

FACTS = Facts(
    born=date(1988, 2, 29),
    children="two, 4 and 9",
    code_word="bluebell",
    marac=(date(2026, 11, 4),),
    never_call=True,
)


@pytest.fixture
def room(tmp_path: Path, store_url: str) -> Room:
    """A control room over each kind of store."""
    return Room.at(tmp_path, store_url)


@pytest.fixture
def persons(room: Room) -> Persons:
    """The people of that room."""
    store = room.machine.store
    return Persons(store, KEYS, Audit(store.engine, KEYS))


def test_a_person_comes_back_as_they_were_written(persons: Persons) -> None:
    """Name, facts and since when they are known as a repeat victim."""
    added = persons.add("  Mair   Example ", FACTS, by="cara", now=NOW, repeat=True)
    found = persons.one(added)
    assert (found.name, found.facts, found.repeat_at) == ("Mair Example", FACTS, NOW)


def test_no_name_or_fact_stands_in_the_store_in_the_clear(room: Room, persons: Persons) -> None:
    """Whoever steals the database learns nobody's name; the audit log holds none either."""
    persons.add("Mair Example", FACTS, by="cara", now=NOW)
    with reading(room.machine.store.engine) as connection:
        row = connection.execute(select(people)).one()
        logged = connection.execute(select(audit.c.what, audit.c.record, audit.c.actor)).all()
    assert not any(word in repr(row) for word in ("Mair", "Example", "bluebell"))
    assert [tuple(one) for one in logged] == [("added a person", row.id, "cara")]


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\x00b"])
def test_a_name_nobody_can_have_is_refused(persons: Persons, name: str) -> None:
    """Empty, too long, or with a NUL."""
    with pytest.raises(Unfit):
        persons.add(name, by="cara", now=NOW)


def test_one_person_under_several_rows_is_one_and_can_be_parted_again(
    room: Room, persons: Persons
) -> None:
    """A merged row leads to the one it was merged into; nothing moved, so parting is exact."""
    first = persons.add("Mair Example", FACTS, by="cara", now=NOW)
    second = persons.add("M. Example", by="cara", now=NOW)
    third = persons.add("Mary Example", by="cara", now=NOW)
    engine = room.machine.store.engine
    for merged, kept in ((third, second), (second, first)):
        with writing(engine) as connection:
            change = update(people).where(people.c.id == merged)
            connection.execute(change.values(merged_into=kept))
    with reading(engine) as connection:
        assert canonical(connection, third) == first
        assert family(connection, second) == (first, second, third)
    assert persons.one(third).name == "Mair Example"
    with writing(engine) as connection:
        connection.execute(update(people).where(people.c.id == second).values(merged_into=None))
    with reading(engine) as connection:
        assert family(connection, first) == (first,)
        assert set(family(connection, third)) == {second, third}


def test_nobody_has_an_id_that_was_never_given(room: Room, persons: Persons) -> None:
    """It is said, not guessed."""
    with pytest.raises(NoSuchPerson):
        persons.one("nobody")
    with reading(room.machine.store.engine) as connection, pytest.raises(NoSuchPerson):
        family(connection, "nobody")


def test_names_are_given_by_id(room: Room, persons: Persons) -> None:
    """For lists: one question for all of them."""
    first, second = (persons.add(name, by="cara", now=NOW) for name in ("Ann One", "Bea Two"))
    with reading(room.machine.store.engine) as connection:
        assert names(connection, Unread(KEYS), [second, first, "nobody"]) == {
            first: "Ann One",
            second: "Bea Two",
        }


def test_names_are_compared_without_accents_case_and_spaces() -> None:
    """As people say them, not as somebody typed them."""
    assert normal("  SIÂN   o'Example ") == normal("Siân O'Example") == "sian o'example"


def test_a_number_has_one_row_however_often_it_is_asked_for(room: Room) -> None:
    """The same row a caller's number has."""
    caller = room.waiting()
    engine = room.machine.store.engine
    with writing(engine) as connection:
        given = {number_row(connection, KEYS, NUMBER, NOW) for _ in range(3)}
        other = number_row(connection, KEYS, "+447700900124", NOW)
    with reading(engine) as connection:
        rows = connection.execute(select(numbers)).all()
        assert room.machine.store.find(connection, caller.reference).number == NUMBER
    assert {row.id for row in rows} == {*given, other}
    assert len(given) == 1
    for row in rows:
        assert row.look_up == look_up_of(KEYS, number_in(row.id, row.number, KEYS))
