"""Addresses: sealed, one form however they are written, and who shares one is a household."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update

from incidents.addresses import Address, Addresses, address_form, address_look_up, addresses_of
from incidents.audit import Audit
from incidents.persons import NoSuchPerson, Persons, family
from incidents.tables import addresses, audit, people
from incidents.transactions import reading, writing
from incidents.working import Actor, Unfit
from tests.incidents.desks import Room
from tests.incidents.making import KEYS, NOW, after

HOME = "12 High Street,\nKendal LA9 4AB"


@pytest.fixture
def room(tmp_path: Path, store_url: str) -> Room:
    """A control room over each kind of store."""
    return Room.at(tmp_path, store_url)


@pytest.fixture
def homes(room: Room) -> Addresses:
    """Where its people live."""
    store = room.machine.store
    return Addresses(store, KEYS, Audit(store.engine, KEYS))


def person(room: Room, name: str) -> str:
    """Add somebody."""
    store = room.machine.store
    return Persons(store, KEYS, Audit(store.engine, KEYS)).add(name, by="cara", now=NOW)


def of(room: Room, one: str) -> tuple[Address, ...]:
    """The addresses of a person now."""
    with reading(room.machine.store.engine) as connection:
        return addresses_of(connection, KEYS, family(connection, one))


def mates(room: Room, one: str) -> list[str]:
    """Who else is at their first address."""
    return [mate.name for mate in of(room, one)[0].household]


@pytest.mark.parametrize(
    "written",
    [
        HOME,
        "12 high street kendal la94ab",
        "12, HIGH STREET, KENDAL, LA9 4AB.",
        "12 Hígh Street Kendal LA9  4AB",
    ],
)
def test_one_address_has_one_form_however_it_is_written(written: str) -> None:
    """And so one keyed hash, by which markers find it as well."""
    assert address_form(written) == "12 high street kendal la94ab"
    assert address_look_up(KEYS, written) == address_look_up(KEYS, HOME)


@pytest.mark.parametrize("written", ["2 High Street Kendal LA9 4AB", "12 High St Kendal LA9 4AB"])
def test_what_is_spelled_otherwise_is_another_address(written: str) -> None:
    """Nothing is guessed: St may be Saint."""
    assert address_form(written) != address_form(HOME)


def test_people_at_one_address_are_a_household(room: Room, homes: Addresses) -> None:
    """Found by the hash; the address itself is in no row, and in no audit entry."""
    mair, ann, bea = (person(room, name) for name in ("Mair One", "Ann Two", "Bea Three"))
    homes.add(mair, HOME, by="cara", now=NOW)
    homes.add(ann, "12 high street kendal la94ab", by="cara", now=after(1))
    homes.add(bea, "14 High Street, Kendal LA9 4AB", by="cara", now=after(2))
    assert of(room, mair)[0].text == HOME
    assert mates(room, mair) == ["Ann Two"]
    assert mates(room, ann) == ["Mair One"]
    assert mates(room, bea) == []
    with reading(room.machine.store.engine) as connection:
        assert "High" not in repr(connection.execute(select(addresses)).all())
        assert "High" not in repr(connection.execute(select(audit.c.what, audit.c.record)).all())


def test_an_address_that_is_ended_makes_nobody_a_household(room: Room, homes: Addresses) -> None:
    """It stays on record, and the same can be added again when they come back."""
    mair, ann = person(room, "Mair One"), person(room, "Ann Two")
    homes.add(mair, HOME, by="cara", now=NOW)
    gone = homes.add(ann, HOME, by="cara", now=NOW)
    with pytest.raises(NoSuchPerson):
        homes.end(mair, gone, by=Actor("cara", "contact_officer"), now=after(1))
    homes.end(ann, gone, by=Actor("cara", "contact_officer"), now=after(1))
    assert mates(room, mair) == []
    assert of(room, ann) == ()
    with pytest.raises(NoSuchPerson):
        homes.end(ann, gone, by=Actor("cara", "contact_officer"), now=after(2))
    homes.add(ann, HOME, by="cara", now=after(3))
    assert mates(room, mair) == ["Ann Two"]


def test_a_merged_row_is_no_housemate_of_its_own_person(room: Room, homes: Addresses) -> None:
    """And with others it counts once, under the name it stands for."""
    mair, other, ann = (person(room, name) for name in ("Mair One", "M. One", "Ann Two"))
    for one in (mair, other, ann):
        homes.add(one, HOME, by="cara", now=NOW)
    with writing(room.machine.store.engine) as connection:
        change = update(people).where(people.c.id == other)
        connection.execute(change.values(merged_into=mair))
    assert mates(room, mair) == ["Ann Two"]
    assert mates(room, ann) == ["Mair One"]


@pytest.mark.parametrize("text", ["", "  ,\n", "x" * 301, "12\x00High Street"])
def test_what_is_no_address_is_refused(room: Room, homes: Addresses, text: str) -> None:
    """For the field it stands in."""
    with pytest.raises(Unfit) as refused:
        homes.add(person(room, "Mair One"), text, by="cara", now=NOW)
    assert refused.value.field == "address"


def test_the_same_address_twice_is_refused(room: Room, homes: Addresses) -> None:
    """It would be shown twice."""
    mair = person(room, "Mair One")
    homes.add(mair, HOME, by="cara", now=NOW)
    with pytest.raises(Unfit, match="already"):
        homes.add(mair, HOME.upper(), by="cara", now=NOW)
