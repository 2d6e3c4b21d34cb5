"""Who is in which list, whose own work a person is, and which calls are theirs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from incidents.accounts import Accounts
from incidents.audit import Audit
from incidents.identity import uuid7
from incidents.person_files import PersonFiles
from incidents.person_lists import PersonLists
from incidents.person_numbers import PersonNumbers
from incidents.persons import Facts, NoSuchPerson, Persons
from incidents.safe_contact import SafeContact
from incidents.tables import absences, contacts, follow_ups, parts, people, users
from incidents.transactions import reading, writing
from tests.incidents.desks import ANNA, Room, rules
from tests.incidents.joining import joined
from tests.incidents.making import KEYS, NOW, NUMBER, Caller, after

TODAY = NOW.date()
DAY = timedelta(days=1)


@pytest.fixture
def room(tmp_path: Path, store_url: str) -> Room:
    """A control room over each kind of store, with two officers."""
    room = Room.at(tmp_path, store_url)
    accounts = Accounts(room.machine.store.engine, KEYS, rules().roles)
    for name in ("cara", "dan"):
        joined(accounts, name, "contact_officer", now=NOW)
    return room


@pytest.fixture
def persons(room: Room) -> Persons:
    """Its people."""
    store = room.machine.store
    return Persons(store, KEYS, Audit(store.engine, KEYS))


@pytest.fixture
def files(room: Room) -> PersonFiles:
    """Their files."""
    return PersonFiles(room.machine.store, KEYS)


@pytest.fixture
def lists(room: Room) -> PersonLists:
    """The lists they stand in."""
    return PersonLists(room.machine.store, KEYS)


def put(room: Room, table: object, **values: object) -> None:
    """Put a row into a table."""
    with writing(room.machine.store.engine) as connection:
        row = {"id": uuid7(NOW), **values}
        connection.execute(table.insert().values(**row))  # type: ignore[attr-defined]


def user(room: Room, name: str) -> str:
    """A user's id."""
    with reading(room.machine.store.engine) as connection:
        return str(connection.scalar(users.select().where(users.c.name == name)))


def numbered(room: Room, person: str, number: str = NUMBER) -> None:
    """Give a person a number."""
    store = room.machine.store
    PersonNumbers(store, KEYS, Audit(store.engine, KEYS)).add(
        person, number, SafeContact(), by="eve", now=NOW
    )


def merged(room: Room, person: str, into: str) -> None:
    """Have one row stand for the other."""
    with writing(room.machine.store.engine) as connection:
        change = update(people).where(people.c.id == person)
        connection.execute(change.values(merged_into=into))


def test_a_person_is_the_work_of_whoever_added_them(persons: Persons, files: PersonFiles) -> None:
    """And of nobody else."""
    mair = persons.add("Mair Example", by="cara", now=NOW)
    assert files.own_work(mair, "cara", TODAY)
    assert not files.own_work(mair, "dan", TODAY)
    with pytest.raises(NoSuchPerson):
        files.own_work("nobody", "cara", TODAY)


@pytest.mark.parametrize(
    ("begins", "ends", "own"),
    [(0, None, True), (-9, 0, True), (1, None, False), (-9, -1, False)],
)
def test_a_person_is_the_work_of_their_point_of_contact_today(
    room: Room, persons: Persons, files: PersonFiles, begins: int, ends: int | None, own: bool
) -> None:
    """From the first day to the last, both included."""
    mair = persons.add("Mair Example", by="eve", now=NOW)
    put(
        room,
        contacts,
        person_id=mair,
        user_id=user(room, "dan"),
        part="deputy",
        from_day=TODAY + begins * DAY,
        to_day=None if ends is None else TODAY + ends * DAY,
    )
    assert files.own_work(mair, "dan", TODAY) == own


def test_a_person_is_the_work_of_who_stands_in_for_their_contact(
    room: Room, persons: Persons, files: PersonFiles
) -> None:
    """On the days of the absence only."""
    mair = persons.add("Mair Example", by="eve", now=NOW)
    dan, cara = user(room, "dan"), user(room, "cara")
    put(room, contacts, person_id=mair, user_id=dan, part="spoc", from_day=TODAY)
    put(
        room,
        absences,
        user_id=dan,
        cover_id=cara,
        from_day=TODAY,
        to_day=TODAY + DAY,
        by="dan",
        at=NOW,
    )
    assert files.own_work(mair, "cara", TODAY)
    assert not files.own_work(mair, "cara", TODAY + 2 * DAY)


def test_a_person_is_the_work_of_who_owns_an_open_follow_up(
    room: Room, persons: Persons, files: PersonFiles, lists: PersonLists
) -> None:
    """Closed, it is no longer; and they stand in that officer's list meanwhile."""
    mair = persons.add("Mair Example", by="eve", now=NOW)
    put(
        room,
        follow_ups,
        kind="visit_victim",
        person_id=mair,
        owner_id=user(room, "dan"),
        due_at=NOW,
        data=b"",
    )
    assert files.own_work(mair, "dan", TODAY)
    assert [one.name for one in lists.of("dan", TODAY).shown] == ["Mair Example"]
    with writing(room.machine.store.engine) as connection:
        connection.execute(update(follow_ups).values(closed_at=NOW))
    assert not files.own_work(mair, "dan", TODAY)
    assert lists.of("dan", TODAY).shown == ()


def test_a_person_is_the_work_of_who_has_or_had_the_open_call_they_may_be_of(
    room: Room, persons: Persons, files: PersonFiles
) -> None:
    """The handler needs no reason while the call goes on; a colleague who looks on does."""
    mair = persons.add("Mair Example", by="eve", now=NOW)
    numbered(room, mair)
    caller = room.claimed(by=ANNA)
    assert files.own_work(mair, "anna", TODAY)
    assert not files.own_work(mair, "ben", TODAY)
    room.desk.release(caller.reference, by=ANNA, now=after(12))
    assert files.own_work(mair, "anna", TODAY)
    room.hangs_up(caller)
    assert not files.own_work(mair, "anna", TODAY)


def test_a_call_somebody_said_was_not_theirs_opens_nobody(
    room: Room, persons: Persons, files: PersonFiles
) -> None:
    """It is neither in their calls nor a way to their file."""
    mair = persons.add("Mair Example", by="eve", now=NOW)
    numbered(room, mair)
    caller = room.claimed(by=ANNA)
    put(
        room,
        parts,
        call_key=caller.key,
        person_id=mair,
        part="caller",
        state="refused",
        by="anna",
        at=NOW,
    )
    assert not files.own_work(mair, "anna", TODAY)
    assert files.one(mair).calls == ()


def test_a_file_has_the_calls_of_their_numbers_and_of_their_confirmed_parts(
    room: Room, persons: Persons, files: PersonFiles
) -> None:
    """Newest first, each with the part; a stranger's call is not there."""
    mair = persons.add("Mair Example", by="eve", now=NOW)
    numbered(room, mair)
    ours, theirs, other = (
        Caller(began=after(60 * at), number=number)
        for at, number in ((1, NUMBER), (2, "+447700900777"), (3, "+447700900888"))
    )
    for one in (ours, theirs, other):
        room.machine.drained(one.arrives(), one.presses("5"))
    put(
        room,
        parts,
        call_key=theirs.key,
        person_id=mair,
        part="witness",
        state="confirmed",
        by="anna",
        at=NOW,
    )
    found = files.one(mair)
    assert [(one.reference, one.part) for one in found.calls] == [
        (theirs.reference, "witness"),
        (ours.reference, ""),
    ]
    assert found.call_count == 2


def test_repeat_victims_are_listed_the_latest_known_first(
    persons: Persons, lists: PersonLists
) -> None:
    """Said and unsaid by a person; said again it keeps its first day."""
    ann = persons.add("Ann One", by="cara", now=NOW, repeat=True)
    bea = persons.add("Bea Two", by="cara", now=NOW)
    persons.repeat(bea, True, by="dan", now=after(60))
    persons.repeat(ann, True, by="dan", now=after(90))
    shown = lists.repeat_victims().shown
    assert [(one.name, one.repeat_at) for one in shown] == [
        ("Bea Two", after(60)),
        ("Ann One", NOW),
    ]
    persons.repeat(bea, False, by="dan", now=after(99))
    assert [one.name for one in lists.repeat_victims().shown] == ["Ann One"]


def test_a_merged_row_is_listed_as_the_one_it_stands_for(
    room: Room, persons: Persons, lists: PersonLists, files: PersonFiles
) -> None:
    """Once, whichever row is in it; what is known of both is joined."""
    kept = persons.add("Mair Example", Facts(code_word="bluebell"), by="cara", now=NOW)
    other = persons.add(
        "M. Example", Facts(code_word="heron", never_call=True), by="dan", now=NOW, repeat=True
    )
    numbered(room, other)
    merged(room, other, kept)
    for found in (lists.of("dan", TODAY), lists.repeat_victims()):
        assert [one.id for one in found.shown] == [kept]
    file = files.one(other)
    assert file.person.name == "Mair Example"
    assert file.person.facts.code_word == "bluebell; heron"
    assert file.person.facts.never_call
    assert file.person.repeat_at == NOW
    assert [one.number for one in file.numbers] == [NUMBER]


def test_no_longer_a_repeat_victim_is_said_of_every_row(room: Room, persons: Persons) -> None:
    """Otherwise a merged row would say it for ever."""
    kept = persons.add("Mair Example", by="cara", now=NOW)
    other = persons.add("M. Example", by="cara", now=NOW, repeat=True)
    merged(room, other, kept)
    persons.repeat(kept, False, by="cara", now=NOW)
    assert persons.one(kept).repeat_at is None


def test_an_id_no_database_can_hold_is_nobodys(files: PersonFiles) -> None:
    """It comes with an address somebody typed."""
    with pytest.raises(NoSuchPerson):
        files.one("a\x00b")


def test_a_row_that_was_erased_takes_nobody_else_with_it(
    room: Room, persons: Persons, files: PersonFiles
) -> None:
    """It is nobody's any more; whoever it was joined to stays on record."""
    kept = persons.add("Mair Example", Facts(children="two"), by="cara", now=NOW)
    other = persons.add("M. Example", Facts(orders="none"), by="cara", now=NOW)
    merged(room, other, kept)
    with writing(room.machine.store.engine) as connection:
        gone = update(people).where(people.c.id == other)
        connection.execute(gone.values(erased_at=NOW, name=b"", facts=b""))
    found = files.one(kept)
    assert found.ids == (kept,)
    assert found.person.facts == Facts(children="two")
    with pytest.raises(NoSuchPerson):
        files.one(other)


def test_a_call_in_which_their_code_was_typed_is_theirs(
    room: Room, persons: Persons, files: PersonFiles
) -> None:
    """From a withheld number, on the contact line: its holder opens them without a reason, and
    once it has left its follow-up it is among their calls."""
    mair = persons.add("Mair Example", by="eve", now=NOW)
    other = persons.add("Ann Other", by="eve", now=NOW)
    caller = Caller(number=None, withheld=True)
    told: dict[str, Any] = {"line": "contact", "person": mair, "how": "code", "next": "reach"}
    arrived = replace(caller.arrives(), data={**caller.arrives().data, "line": "contact"})
    room.machine.drained(arrived, caller.event("code_typed", 1, **told))
    room.desk.claim(caller.reference, by=ANNA, now=after(10))
    assert files.own_work(mair, "anna", TODAY)
    assert not files.own_work(other, "anna", TODAY)
    assert not files.own_work(mair, "ben", TODAY)
    room.hangs_up(caller)
    put(
        room,
        follow_ups,
        kind="safe_call",
        call_key=caller.key,
        person_id=mair,
        due_at=NOW,
        data=b"",
    )
    (call,) = files.one(mair).calls
    assert (call.reference, call.part, call.by_code) == (caller.reference, "", True)
    room.desk.refuse_part(caller.reference, mair, by=ANNA, now=after(30))
    assert files.one(mair).calls == ()
