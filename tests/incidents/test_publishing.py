"""The routing snapshot as the engine publishes it: who is rung for whom today, and nobody else."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from console.words import LOCAL
from incidents.audit import Audit
from incidents.codes import DIGITS, Codes
from incidents.person_numbers import put_number
from incidents.persons import NoSuchPerson
from incidents.publishing import Publisher
from incidents.routing import FILE, Phone, Route, Snapshot, of_code, of_number
from incidents.safe_contact import SafeContact
from incidents.store import Store
from incidents.tables import people, users
from incidents.transactions import writing
from tests.incidents.making import KEYS, NOW
from tests.incidents.officers import TODAY, Office, roles

NUMBER, OTHER = "+447700900111", "+447700900112"
PHONES = {"cara": "+447700900701", "dan": "+447700900702", "erin": "+447700900703"}


class Desk:
    """A store with officers who have phones, and the snapshot that comes of it."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.office = Office(store)
        self.path = folder / FILE
        self.now = NOW
        self.publisher = Publisher(store, KEYS, roles(), self.path, LOCAL, clock=lambda: self.now)
        self.codes = Codes(store, KEYS, Audit(store.engine, KEYS), 6)
        self.snapshot = Snapshot(self.path, KEYS, timedelta(hours=1))
        for name, number in PHONES.items():
            self.phone(name, number)

    def phone(self, name: str, number: str) -> None:
        """Register a phone of an officer."""
        with writing(self.store.engine) as connection:
            row = connection.execute(users.select().where(users.c.name == name)).one()
            sealed = KEYS.seal(number.encode(), f"users|{row.id}|phone")
            change = update(users).where(users.c.id == row.id)
            connection.execute(change.values(phone=sealed))

    def has(self, person: str, number: str) -> None:
        """Put a number down as a person's."""
        with writing(self.store.engine) as connection:
            put_number(connection, KEYS, person, number, SafeContact(), by="anna", now=NOW)

    def rung(self, hashed: str) -> list[str] | None:
        """Publish, and tell who is rung for whoever is found by ``hashed``; None: nobody is."""
        self.publisher.turn(0.0)
        route = self.snapshot.find(hashed)
        return None if route is None else [one.name for one in route.phones]


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    """A desk over each kind of store."""
    return Desk(store, tmp_path)


def test_a_known_number_leads_to_spoc_and_deputy(desk: Desk) -> None:
    """With their phones, and with the person's id for the record."""
    mair = desk.office.victim()
    desk.has(mair, NUMBER)
    desk.office.assign(mair, "cara", "dan")
    assert desk.rung(of_number(KEYS, NUMBER)) == ["cara", "dan"]
    route = desk.snapshot.find(of_number(KEYS, NUMBER))
    phones = (Phone("cara", PHONES["cara"]), Phone("dan", PHONES["dan"]))
    assert route == Route(mair, phones)
    assert desk.rung(of_number(KEYS, OTHER)) is None


def test_a_hand_over_and_an_absence_count_from_their_day_on(desk: Desk) -> None:
    """Whose day it is is told by the local date, with the cover in their place."""
    mair = desk.office.victim()
    desk.has(mair, NUMBER)
    desk.office.assign(mair, "cara", "dan")
    desk.office.away("cara", "erin")
    assert desk.rung(of_number(KEYS, NUMBER)) == ["erin", "dan"]
    desk.now = NOW + timedelta(days=1)
    assert desk.rung(of_number(KEYS, NUMBER)) == ["cara", "dan"]


def test_an_officer_without_a_phone_or_gone_is_passed_over(desk: Desk) -> None:
    """The next is rung first; with nobody left the person is known all the same."""
    mair = desk.office.victim()
    desk.has(mair, NUMBER)
    desk.office.assign(mair, "sue", "dan")
    assert desk.rung(of_number(KEYS, NUMBER)) == ["dan"]
    desk.office.leaves("dan")
    assert desk.rung(of_number(KEYS, NUMBER)) == []


def test_a_code_leads_there_too_until_it_is_taken_back(desk: Desk) -> None:
    """A new one takes the place of the one before; none holds a 5."""
    mair = desk.office.victim()
    desk.office.assign(mair, "cara")
    first = desk.codes.give(mair, by="sue", now=NOW)
    assert (len(first), set(first) <= set(DIGITS)) == (6, True)
    assert desk.rung(of_code(KEYS, first)) == ["cara"]
    second = desk.codes.give(mair, by="sue", now=NOW)
    assert desk.rung(of_code(KEYS, first)) is None
    assert desk.rung(of_code(KEYS, second)) == ["cara"]
    assert desk.codes.has_one(mair)
    desk.codes.take_back(mair, by="sue", now=NOW)
    assert desk.rung(of_code(KEYS, second)) is None


def test_a_merged_person_is_reached_by_every_number_and_code_of_theirs(desk: Desk) -> None:
    """Nothing is moved by a merge, and nothing is lost to it."""
    mair, twice = desk.office.victim(), desk.office.victim("M. Example")
    desk.has(mair, NUMBER)
    desk.has(twice, OTHER)
    code = desk.codes.give(twice, by="sue", now=NOW)
    desk.office.assign(mair, "cara")
    desk.office.merge(mair, twice)
    for hashed in (of_number(KEYS, NUMBER), of_number(KEYS, OTHER), of_code(KEYS, code)):
        assert desk.rung(hashed) == ["cara"]
        route = desk.snapshot.find(hashed)
        assert route is not None
        assert route.person == mair


def test_a_number_that_two_people_share_tells_neither(desk: Desk) -> None:
    """Unless both reach the same officers; who it is stays open then."""
    mair, nia = desk.office.victim(), desk.office.victim("Nia Example")
    desk.has(mair, NUMBER)
    desk.has(nia, NUMBER)
    desk.office.assign(mair, "cara")
    desk.office.assign(nia, "dan")
    assert desk.rung(of_number(KEYS, NUMBER)) is None
    desk.office.assign(nia, "cara", "", "one officer for both")
    assert desk.rung(of_number(KEYS, NUMBER)) == ["cara"]
    route = desk.snapshot.find(of_number(KEYS, NUMBER))
    assert route is not None
    assert route.person == ""


def test_the_erased_and_the_unknown_are_not_in_it(desk: Desk) -> None:
    """Somebody with a number and no point of contact is nobody's to ring."""
    mair, stranger = desk.office.victim(), desk.office.victim("A Stranger", repeat=False)
    desk.has(mair, NUMBER)
    desk.has(stranger, OTHER)
    desk.office.assign(mair, "cara")
    assert desk.rung(of_number(KEYS, OTHER)) is None
    with writing(desk.store.engine) as connection:
        connection.execute(update(people).where(people.c.id == mair).values(erased_at=NOW))
    assert desk.rung(of_number(KEYS, NUMBER)) is None
    with pytest.raises(NoSuchPerson):
        desk.codes.give(mair, by="sue", now=NOW)


def test_what_did_not_change_is_vouched_for_and_not_written_again(desk: Desk) -> None:
    """The file keeps its place and gets the time; one that was spoilt or lost comes back."""
    mair = desk.office.victim()
    desk.has(mair, NUMBER)
    desk.office.assign(mair, "cara")
    desk.publisher.turn(0.0)
    before = desk.path.stat().st_ino
    desk.publisher.turn(0.0)
    assert desk.path.stat().st_ino == before
    spoilt: tuple[Callable[[], object], ...] = (
        desk.path.unlink,
        lambda: desk.path.write_text("{", encoding="ascii"),
        lambda: os.utime(desk.path, (0, 0)),
    )
    for spoil in spoilt:
        spoil()
        assert desk.rung(of_number(KEYS, NUMBER)) == ["cara"]


def test_a_disk_that_does_not_take_it_is_an_alarm_and_no_end(desk: Desk) -> None:
    """And the alarm ends when the disk does."""
    desk.path.mkdir()
    (desk.path / "in the way").touch()
    desk.publisher.turn(0.0)
    assert [one["id"] for one in desk.publisher.alarms()] == ["routing"]
    (desk.path / "in the way").unlink()
    desk.path.rmdir()
    desk.publisher.turn(0.0)
    assert desk.publisher.alarms() == []
    assert NOW.astimezone(LOCAL).date() == TODAY
