"""Joining two rows of one person, and parting them: nothing moves, nothing is lost, no circle."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from incidents.audit import Audit
from incidents.merging import MOST_ROWS, Merges, NoSuchMerge
from incidents.person_files import PersonFiles
from incidents.person_numbers import PersonNumbers
from incidents.persons import Facts, NoSuchPerson, Persons, family
from incidents.safe_contact import SafeContact
from incidents.tables import audit, merges, people, person_numbers
from incidents.transactions import reading
from incidents.working import Actor, Conflict, Unfit
from tests.incidents.desks import Room
from tests.incidents.making import KEYS, NOW, NUMBER, after


@pytest.fixture
def room(tmp_path: Path, store_url: str) -> Room:
    """A control room over each kind of store."""
    return Room.at(tmp_path, store_url)


@pytest.fixture
def persons(room: Room) -> Persons:
    """Its people."""
    store = room.machine.store
    return Persons(store, KEYS, Audit(store.engine, KEYS))


@pytest.fixture
def joins(room: Room) -> Merges:
    """Who of them is one."""
    store = room.machine.store
    return Merges(store, KEYS, Audit(store.engine, KEYS))


def numbered(room: Room, person: str, number: str) -> None:
    """Give a person a number."""
    store = room.machine.store
    PersonNumbers(store, KEYS, Audit(store.engine, KEYS)).add(
        person, number, SafeContact(), by="cara", now=NOW
    )


def everything(room: Room) -> list[object]:
    """Every row of people and their numbers, as the disk has it."""
    with reading(room.machine.store.engine) as connection:
        return [
            *map(tuple, connection.execute(select(people).order_by(people.c.id))),
            *map(tuple, connection.execute(select(person_numbers).order_by(person_numbers.c.id))),
        ]


def test_what_is_known_of_both_is_one_persons_and_comes_apart_exactly(
    room: Room, persons: Persons, joins: Merges
) -> None:
    """Joined, then parted: every row is byte for byte what it was."""
    mair = persons.add("Mair Example", Facts(code_word="bluebell"), by="cara", now=NOW)
    other = persons.add("M. Example", Facts(never_call=True), by="dan", now=NOW)
    numbered(room, mair, NUMBER)
    numbered(room, other, "+447700900124")
    before = everything(room)
    assert joins.merge(mair, other, "the same date of birth", by="cara", now=after(1)) == mair
    file = PersonFiles(room.machine.store, KEYS).one(other)
    assert (file.person.id, file.person.name) == (mair, "Mair Example")
    assert file.person.facts == Facts(code_word="bluebell", never_call=True)
    assert {one.number for one in file.numbers} == {NUMBER, "+447700900124"}
    (one,) = joins.of(mair)
    assert (one.name, one.reason, one.by) == ("M. Example", "the same date of birth", "cara")
    assert joins.undo(mair, one.id, by=Actor("dan", "contact_officer"), now=after(2)) == other
    assert everything(room) == before
    assert joins.of(mair) == ()
    with reading(room.machine.store.engine) as connection:
        row = connection.execute(select(merges)).one()
    assert (row.undone_by, row.undone_at) == ("dan", after(2))
    assert b"birth" not in row.reason


def test_the_row_of_a_repeat_victim_stands_for_both(persons: Persons, joins: Merges) -> None:
    """From whichever page they are joined: no list of repeat victims may lose them."""
    mair = persons.add("Mair Example", by="cara", now=NOW)
    other = persons.add("M. Example", by="cara", now=NOW, repeat=True)
    assert joins.merge(mair, other, "the same", by="cara", now=after(1)) == other
    assert persons.one(mair).name == "M. Example"


@pytest.mark.parametrize(
    ("other", "name", "reason", "field"),
    [
        ("", "", "the same", "other"),
        ("nobody", "", "the same", "other"),
        ("", "Nobody Here", "the same", "name"),
        ("", "Ann Twice", "the same", "name"),
        ("", "Mair Example", "the same", "name"),
        ("", "Dai Example", "  ", "reason"),
        ("", "Dai Example", "x" * 501, "reason"),
    ],
)
def test_nobody_is_joined_by_a_guess(
    persons: Persons, joins: Merges, other: str, name: str, reason: str, field: str
) -> None:
    """One person, and a reason."""
    for each in ("Dai Example", "Ann Twice", "Ann Twice"):
        persons.add(each, by="cara", now=NOW)
    mair = persons.add("Mair Example", by="cara", now=NOW)
    with pytest.raises(Unfit) as refused:
        joins.merge(mair, other, reason, name=name, by="cara", now=after(1))
    assert refused.value.field == field
    assert joins.of(mair) == ()


def test_one_person_is_not_joined_with_themselves(persons: Persons, joins: Merges) -> None:
    """Nor with a row that stands for them already, which would make a circle."""
    mair, other = (persons.add(name, by="cara", now=NOW) for name in ("Mair One", "M. One"))
    with pytest.raises(Conflict):
        joins.merge(mair, mair, "the same", by="cara", now=after(1))
    joins.merge(mair, other, "the same", by="cara", now=after(1))
    for one, two in ((mair, other), (other, mair)):
        with pytest.raises(Conflict, match="one person already"):
            joins.merge(one, two, "the same", by="cara", now=after(2))
    with pytest.raises(NoSuchPerson):
        joins.merge("nobody", other, "the same", by="cara", now=after(2))


def test_two_who_join_the_same_two_at_once_make_no_circle(
    room: Room, persons: Persons, joins: Merges
) -> None:
    """Each from the other's page: one is done, the other is told."""
    mair, other = (persons.add(name, by="cara", now=NOW) for name in ("Mair One", "M. One"))
    start, done, told = threading.Barrier(2), [], []

    def join(one: str, two: str) -> None:
        start.wait()
        try:
            done.append(joins.merge(one, two, "the same", by="cara", now=after(1)))
        except Conflict as conflict:
            told.append(str(conflict))

    threads = [threading.Thread(target=join, args=pair) for pair in ((mair, other), (other, mair))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1
    assert told == ["They are one person already."]
    with reading(room.machine.store.engine) as connection:
        assert set(family(connection, mair)) == {mair, other}


def test_a_chain_of_joins_comes_apart_in_any_order(persons: Persons, joins: Merges) -> None:
    """Parted in the middle, what hung on it goes with it."""
    first, second, third = (
        persons.add(name, by="cara", now=NOW) for name in ("Ann One", "Ann Two", "Ann Three")
    )
    joins.merge(second, third, "the same", by="cara", now=after(1))
    joins.merge(first, third, "the same", by="cara", now=after(2))
    latest, oldest = joins.of(first)
    assert (latest.person, oldest.person) == (second, third)
    joins.undo(first, latest.id, by=Actor("cara", "contact_officer"), now=after(3))
    assert persons.one(third).name == "Ann Two"
    assert joins.of(first) == ()
    assert [one.person for one in joins.of(second)] == [third]


def test_a_join_is_undone_once_and_from_its_own_person_only(
    persons: Persons, joins: Merges
) -> None:
    """A changed address undoes nobody else's."""
    mair, other, ann = (
        persons.add(name, by="cara", now=NOW) for name in ("Mair One", "M. One", "Ann Two")
    )
    joins.merge(mair, other, "the same", by="cara", now=after(1))
    (one,) = joins.of(mair)
    for person, merge in ((ann, one.id), (mair, "nothing"), (mair, "a\x00b")):
        with pytest.raises(NoSuchMerge):
            joins.undo(person, merge, by=Actor("cara", "contact_officer"), now=after(2))
    joins.undo(mair, one.id, by=Actor("cara", "contact_officer"), now=after(3))
    with pytest.raises(NoSuchMerge):
        joins.undo(mair, one.id, by=Actor("cara", "contact_officer"), now=after(4))


def test_no_more_rows_are_joined_than_can_be_followed(persons: Persons, joins: Merges) -> None:
    """A longer chain would lose the person at its end."""
    ids = [persons.add(f"Ann {at}", by="cara", now=NOW) for at in range(MOST_ROWS + 1)]
    kept = ids[0]
    for one in ids[1:-1]:
        joins.merge(one, kept, "the same", by="cara", now=after(1))
        kept = one
    with pytest.raises(Conflict, match="No more than"):
        joins.merge(ids[-1], kept, "the same", by="cara", now=after(2))
    assert persons.one(ids[0]).id == kept


def test_who_may_be_the_same_is_named_with_the_reason(
    room: Room, persons: Persons, joins: Merges
) -> None:
    """The same name in any capitals, the same number now; never one who is joined already."""
    mair, twin, dai, ann = (
        persons.add(name, by="cara", now=NOW)
        for name in ("Mair Example", "MAIR  example", "Dai Example", "Ann Other")
    )
    for one in (mair, dai):
        numbered(room, one, NUMBER)
    numbered(room, ann, "+447700900999")
    assert {(one.person, one.why) for one in joins.alike(mair)} == {
        (twin, "the same name"),
        (dai, "the same number"),
    }
    joins.merge(mair, twin, "the same", by="cara", now=after(1))
    assert [one.person for one in joins.alike(mair)] == [dai]


def test_the_audit_names_both_and_the_reason_is_sealed(
    room: Room, persons: Persons, joins: Merges
) -> None:
    """Combination is one of the six operations of the law."""
    mair, other = (persons.add(name, by="cara", now=NOW) for name in ("Mair One", "M. One"))
    joins.merge(mair, other, "the same", by="cara", now=after(1))
    joins.undo(mair, joins.of(mair)[0].id, by=Actor("dan", "contact_officer"), now=after(2))
    with reading(room.machine.store.engine) as connection:
        rows = connection.execute(
            select(audit.c.operation, audit.c.what, audit.c.record, audit.c.actor)
            .where(audit.c.operation != "collection")
            .order_by(audit.c.number)
        ).all()
    assert [tuple(row) for row in rows] == [
        ("combination", "joined another person", mair, "cara"),
        ("combination", "was joined to another", other, "cara"),
        ("alteration", "parted two people", mair, "dan"),
        ("alteration", "parted two people", other, "dan"),
    ]
