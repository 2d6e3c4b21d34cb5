"""Numbers of people: whole or refused, ended and never deleted, with what is safe said of each."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update

from incidents.audit import Audit
from incidents.person_numbers import Owned, PersonNumbers, numbers_of
from incidents.persons import NoSuchPerson, Persons, family
from incidents.safe_contact import SafeContact
from incidents.tables import audit, people, person_numbers
from incidents.transactions import reading, writing
from incidents.working import Actor, Unfit
from tests.incidents.desks import Room
from tests.incidents.making import KEYS, NOW, NUMBER, after

SAFE = SafeContact("safe", "weekdays 10:00 to 14:00")


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
def owned(room: Room) -> PersonNumbers:
    """Their numbers."""
    store = room.machine.store
    return PersonNumbers(store, KEYS, Audit(store.engine, KEYS))


def of(room: Room, person: str) -> tuple[Owned, ...]:
    """The numbers a person has now."""
    with reading(room.machine.store.engine) as connection:
        return numbers_of(connection, KEYS, family(connection, person))


def test_a_number_is_kept_whole_with_what_is_safe(
    room: Room, persons: Persons, owned: PersonNumbers
) -> None:
    """In its one form, however it was typed; the disk shows neither number nor hours."""
    mair = persons.add("Mair Example", by="cara", now=NOW)
    owned.add(mair, "0044 7700 900123", SAFE, by="cara", now=NOW)
    (one,) = of(room, mair)
    assert (one.number, one.contact, one.by) == (NUMBER, SAFE, "cara")
    with reading(room.machine.store.engine) as connection:
        row = connection.execute(select(person_numbers)).one()
    assert b"weekdays" not in row.data


def test_a_row_without_a_word_on_safety_is_not_safe(
    room: Room, persons: Persons, owned: PersonNumbers
) -> None:
    """Rows of an earlier release hold nothing: nothing said is unknown."""
    mair = persons.add("Mair Example", by="cara", now=NOW)
    owned.add(mair, NUMBER, SAFE, by="cara", now=NOW)
    with writing(room.machine.store.engine) as connection:
        connection.execute(update(person_numbers).values(data=b""))
    assert of(room, mair)[0].contact == SafeContact("unknown", "")


@pytest.mark.parametrize("typed", ["", "07700 900123", "somebody", "+44 7700", "123456789"])
def test_what_is_no_whole_number_is_refused(
    persons: Persons, owned: PersonNumbers, typed: str
) -> None:
    """Half a number would name nobody, or somebody else."""
    mair = persons.add("Mair Example", by="cara", now=NOW)
    with pytest.raises(Unfit) as refused:
        owned.add(mair, typed, SafeContact(), by="cara", now=NOW)
    assert refused.value.field == "number"


def test_the_same_number_twice_is_refused_until_the_first_has_ended(
    room: Room, persons: Persons, owned: PersonNumbers
) -> None:
    """Two rows could say two things about its safety. Ended, it is kept and no longer theirs."""
    mair = persons.add("Mair Example", by="cara", now=NOW)
    first = owned.add(mair, NUMBER, SAFE, by="cara", now=NOW)
    with pytest.raises(Unfit, match="has it already"):
        owned.add(mair, NUMBER, SafeContact(), by="cara", now=NOW)
    owned.end(mair, first, by=Actor("dan", "contact_officer"), now=after(1))
    assert of(room, mair) == ()
    owned.add(mair, NUMBER, SafeContact("never"), by="dan", now=after(2))
    assert [one.contact.safe for one in of(room, mair)] == ["never"]
    with reading(room.machine.store.engine) as connection:
        assert len(connection.execute(select(person_numbers)).all()) == 2


def test_what_is_safe_is_said_again_of_their_own_number_only(
    room: Room, persons: Persons, owned: PersonNumbers
) -> None:
    """Not of an ended one, and not of somebody else's by a changed address."""
    mair, ann = (persons.add(name, by="cara", now=NOW) for name in ("Mair One", "Ann Two"))
    row = owned.add(mair, NUMBER, SAFE, by="cara", now=NOW)
    owned.say(mair, row, SafeContact("never"), by="dan", now=after(1))
    assert of(room, mair)[0].contact == SafeContact("never", "")
    with pytest.raises(NoSuchPerson):
        owned.say(ann, row, SAFE, by="dan", now=after(2))
    owned.end(mair, row, by=Actor("dan", "contact_officer"), now=after(3))
    with pytest.raises(NoSuchPerson):
        owned.end(mair, row, by=Actor("dan", "contact_officer"), now=after(4))
    with pytest.raises(NoSuchPerson):
        owned.say(mair, row, SAFE, by="dan", now=after(4))


def test_the_audit_says_what_was_done_and_no_number(
    room: Room, persons: Persons, owned: PersonNumbers
) -> None:
    """Each change in its own transaction's entry."""
    mair = persons.add("Mair Example", by="cara", now=NOW)
    row = owned.add(mair, NUMBER, SAFE, by="cara", now=NOW)
    owned.say(mair, row, SafeContact("never"), by="cara", now=NOW)
    owned.end(mair, row, by=Actor("cara", "contact_officer"), now=NOW)
    with reading(room.machine.store.engine) as connection:
        logged = connection.execute(
            select(audit.c.what).where(audit.c.record == mair).order_by(audit.c.number)
        )
        told = list(logged.scalars())
    assert told == [
        "added a person",
        "added a number",
        "said when a number is safe",
        "ended a number",
    ]


def test_a_person_and_their_number_are_added_together_or_not_at_all(
    room: Room, owned: PersonNumbers
) -> None:
    """A number that is refused leaves nobody behind."""
    for name, typed in (("Mair Example", "0770"), ("", NUMBER)):
        with pytest.raises(Unfit):
            owned.add_person(name, typed, SafeContact(), by="cara", now=NOW)
    with pytest.raises(Unfit):
        owned.add_person("Mair Example", "", SAFE, by="cara", now=NOW)
    with reading(room.machine.store.engine) as connection:
        assert connection.execute(select(people)).all() == []
    made = owned.add_person("Mair Example", NUMBER, SAFE, by="cara", now=NOW, repeat=True)
    assert [one.number for one in of(room, made)] == [NUMBER]
