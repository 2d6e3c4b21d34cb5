"""Changing what is known of a person: on the latest reading only, and what was there is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update

from incidents.audit import Audit
from incidents.person_changes import MOST_KEPT, PersonChanges
from incidents.persons import Facts, Persons
from incidents.tables import audit, people
from incidents.transactions import reading, writing
from incidents.working import Conflict, Unfit
from tests.incidents.desks import Room
from tests.incidents.making import KEYS, NOW, after


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
def changes(room: Room) -> PersonChanges:
    """What changes them."""
    store = room.machine.store
    return PersonChanges(store, KEYS, Audit(store.engine, KEYS))


def merged(room: Room, person: str, into: str) -> None:
    """Have one row stand for the other."""
    with writing(room.machine.store.engine) as connection:
        change = update(people).where(people.c.id == person)
        connection.execute(change.values(merged_into=into))


def test_a_change_made_on_an_old_reading_is_refused(
    persons: Persons, changes: PersonChanges
) -> None:
    """Two officers change the facts at once: the second reads again, and nothing is lost."""
    mair = persons.add("Mair Example", by="cara", now=NOW)
    first = changes.own(mair).as_read
    changes.change(mair, "Mair Example", Facts(children="two"), first, by="cara", now=NOW)
    with pytest.raises(Conflict, match="Somebody else"):
        changes.change(mair, "Mair Example", Facts(orders="none"), first, by="dan", now=NOW)
    found = changes.own(mair)
    assert found.person.facts == Facts(children="two")
    with pytest.raises(Unfit):
        changes.change(mair, " ", Facts(), found.as_read, by="dan", now=NOW)


def test_what_was_merged_keeps_its_own_facts_when_the_other_is_changed(
    room: Room, persons: Persons, changes: PersonChanges
) -> None:
    """Only the row's own are offered for change, so that a merge can be undone without loss."""
    kept = persons.add("Mair Example", Facts(children="two"), by="cara", now=NOW)
    other = persons.add("M. Example", Facts(children="three"), by="cara", now=NOW)
    merged(room, other, kept)
    own = changes.own(other)
    assert (own.person.id, own.person.facts.children) == (kept, "two")
    changes.change(other, "Mair Example", Facts(children="four"), own.as_read, by="cara", now=NOW)
    with writing(room.machine.store.engine) as connection:
        connection.execute(update(people).values(merged_into=None))
    assert persons.one(other).facts.children == "three"
    assert persons.one(kept).facts.children == "four"


def changed(changes: PersonChanges, person: str, name: str, facts: Facts, seconds: int) -> None:
    """Read, then change."""
    as_read = changes.own(person).as_read
    changes.change(person, name, facts, as_read, by="dan", now=after(seconds))


def test_what_was_replaced_is_kept_with_who_and_when(
    room: Room, persons: Persons, changes: PersonChanges
) -> None:
    """A code word overwritten by mistake can be read again; on the disk it is sealed."""
    mair = persons.add("Mair Example", Facts(code_word="bluebell"), by="cara", now=NOW)
    changed(changes, mair, "Mair Example", Facts(code_word="heron", never_call=True), 1)
    changed(changes, mair, "Mair Jones", Facts(code_word="heron"), 2)
    latest, first = changes.of(mair)
    assert (latest.at, latest.by) == (after(2), "dan")
    assert (latest.before, latest.after) == (
        {"name": "Mair Example", "never_call": "yes"},
        {"name": "Mair Jones", "never_call": ""},
    )
    assert (first.before, first.after) == (
        {"code_word": "bluebell", "never_call": ""},
        {"code_word": "heron", "never_call": "yes"},
    )
    assert persons.one(mair).facts == Facts(code_word="heron")
    with reading(room.machine.store.engine) as connection:
        assert b"bluebell" not in connection.execute(select(people.c.facts)).scalar_one()


def test_what_is_as_it_was_is_no_change(
    room: Room, persons: Persons, changes: PersonChanges
) -> None:
    """Saving the form untouched writes nothing, and no entry in the audit."""
    mair = persons.add("Mair Example", Facts(code_word="bluebell"), by="cara", now=NOW)
    changed(changes, mair, " Mair  Example ", Facts(code_word="bluebell"), 1)
    assert changes.of(mair) == ()
    with reading(room.machine.store.engine) as connection:
        assert list(connection.scalars(select(audit.c.what))) == ["added a person"]


def test_a_long_history_keeps_its_latest_changes(persons: Persons, changes: PersonChanges) -> None:
    """A row must stay small enough to be read at every call."""
    mair = persons.add("Mair Example", by="cara", now=NOW)
    for at in range(MOST_KEPT + 2):
        changed(changes, mair, "Mair Example", Facts(notes=f"note {at}"), at)
    kept = changes.of(mair)
    assert len(kept) == MOST_KEPT
    assert kept[0].after == {"notes": f"note {MOST_KEPT + 1}"}
    assert kept[-1].before == {"notes": "note 1"}
