"""Parts in a call: a person confirms or refuses them, each stands on its own, and all is logged."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update

from incidents.addresses import Addresses
from incidents.audit import Audit
from incidents.desk import Conflict, Unfit
from incidents.known import known
from incidents.person_files import PersonFiles
from incidents.person_numbers import PersonNumbers
from incidents.persons import Persons
from incidents.safe_contact import SafeContact
from incidents.tables import audit, people
from incidents.transactions import reading, writing
from tests.incidents.desks import ANNA, BEN, Room
from tests.incidents.making import KEYS, NOW, NUMBER, Caller, after


@pytest.fixture
def room(tmp_path: Path, store_url: str) -> Room:
    """A control room over each kind of store."""
    return Room.at(tmp_path, store_url)


def person(room: Room, name: str, number: str = "", home: str = "") -> str:
    """Add a person, with a number and an address of theirs."""
    store = room.machine.store
    log = Audit(store.engine, KEYS)
    added = Persons(store, KEYS, log).add(name, by="cara", now=NOW)
    if number:
        PersonNumbers(store, KEYS, log).add(added, number, SafeContact(), by="cara", now=NOW)
    if home:
        Addresses(store, KEYS, log).add(added, home, by="cara", now=NOW)
    return added


def who(room: Room, caller: Caller) -> list[tuple[str, str]]:
    """Who may be calling, and why, as the page of the call says it."""
    incident = room.machine.incident(caller)
    return [(one.person.name, one.why) for one in known(room.machine.store, KEYS, incident)]


def merged(room: Room, one: str, into: str) -> None:
    """Have one row stand for the other."""
    with writing(room.machine.store.engine) as connection:
        change = update(people).where(people.c.id == one)
        connection.execute(change.values(merged_into=into))


def test_whoever_may_be_calling_is_confirmed_with_a_part(room: Room) -> None:
    """The page says so, and the call is among theirs with the part."""
    mair = person(room, "Mair Example", NUMBER)
    caller = room.claimed()
    room.desk.confirm_part(caller.reference, "victim", person=mair, by=ANNA, now=after(12))
    assert who(room, caller) == [("Mair Example", "confirmed as victim")]
    file = PersonFiles(room.machine.store, KEYS).one(mair)
    assert [(one.reference, one.part) for one in file.calls] == [(caller.reference, "victim")]


def test_parts_are_kept_apart(room: Room) -> None:
    """Somebody may have several, and two people different ones."""
    mair, dai = person(room, "Mair Example", NUMBER), person(room, "Dai Example")
    caller = room.claimed()
    told = ((mair, "caller"), (mair, "victim"), (dai, "suspect"))
    for at, (one, part) in enumerate(told, start=12):
        room.desk.confirm_part(caller.reference, part, person=one, by=ANNA, now=after(at))
    assert who(room, caller) == [
        ("Mair Example", "confirmed as caller and victim"),
        ("Dai Example", "confirmed as suspect"),
    ]


def test_whoever_was_refused_does_not_return_for_that_call(room: Room) -> None:
    """Whatever was confirmed of theirs ends; the next call from the number names them again."""
    mair = person(room, "Mair Example", NUMBER)
    caller = room.claimed()
    room.desk.confirm_part(caller.reference, "caller", person=mair, by=ANNA, now=after(12))
    room.desk.refuse_part(caller.reference, mair, by=BEN, now=after(13))
    assert who(room, caller) == []
    assert PersonFiles(room.machine.store, KEYS).one(mair).calls == ()
    assert who(room, room.waiting()) == [("Mair Example", "this number is theirs")]


def test_a_refusal_that_was_wrong_is_mended_by_confirming(room: Room) -> None:
    """By the full name: the page no longer offers them."""
    mair = person(room, "Mair Example", NUMBER)
    caller = room.claimed()
    room.desk.refuse_part(caller.reference, mair, by=ANNA, now=after(12))
    room.desk.confirm_part(caller.reference, "victim", name="mair EXAMPLE", by=ANNA, now=after(13))
    assert who(room, caller) == [("Mair Example", "confirmed as victim")]


def test_the_same_twice_is_told_and_not_written_twice(room: Room) -> None:
    """Two handlers press at once; the second reads what stands."""
    mair = person(room, "Mair Example", NUMBER)
    caller = room.claimed()
    room.desk.confirm_part(caller.reference, "victim", person=mair, by=ANNA, now=after(12))
    with pytest.raises(Conflict, match="confirmed as victim already"):
        room.desk.confirm_part(caller.reference, "victim", person=mair, by=BEN, now=after(13))
    room.desk.refuse_part(caller.reference, mair, by=ANNA, now=after(14))
    with pytest.raises(Conflict, match="said already"):
        room.desk.refuse_part(caller.reference, mair, by=BEN, now=after(15))
    kinds = [
        one.kind
        for one in room.machine.store.timeline(caller.reference)
        if one.kind.startswith("part_")
    ]
    assert kinds == ["part_confirmed", "part_refused"]


def test_a_request_sent_again_is_done_once(room: Room) -> None:
    """After a broken connection."""
    mair = person(room, "Mair Example", NUMBER)
    caller = room.claimed()
    for _ in range(2):
        room.desk.confirm_part(
            caller.reference, "victim", person=mair, by=ANNA, now=after(12), request="key-1"
        )
    assert len(room.entries(caller, "part_confirmed")) == 1


@pytest.mark.parametrize(
    ("part", "given", "field"),
    [
        ("offender", {"name": "Mair Example"}, "part"),
        ("victim", {"person": "nobody"}, "person"),
        ("victim", {"name": "Nobody Here"}, "name"),
        ("victim", {"name": "Ann Twice"}, "name"),
        ("victim", {}, "name"),
    ],
)
def test_nobody_is_guessed(room: Room, part: str, given: dict[str, str], field: str) -> None:
    """A part there is not, an id nobody has, a name nobody has or two have, or nobody at all."""
    for name in ("Mair Example", "Ann Twice", "Ann Twice"):
        person(room, name)
    caller = room.claimed()
    with pytest.raises(Unfit) as refused:
        room.desk.confirm_part(caller.reference, part, by=ANNA, now=after(12), **given)
    assert refused.value.field == field
    assert room.entries(caller, "part_confirmed") == []


def test_the_timeline_has_no_name_and_the_audit_both_records(room: Room) -> None:
    """Whoever reads incidents may not read about people."""
    mair = person(room, "Mair Example", NUMBER)
    caller = room.claimed()
    room.desk.confirm_part(caller.reference, "witness", person=mair, by=ANNA, now=after(12))
    (entry,) = room.entries(caller, "part_confirmed")
    assert entry.data == {"by": "anna", "person": mair, "part": "witness"}
    with reading(room.machine.store.engine) as connection:
        logged = connection.execute(select(audit.c.record, audit.c.what, audit.c.actor)).all()
    assert (caller.reference, "confirmed a part: witness", "anna") in [tuple(one) for one in logged]
    assert (mair, "confirmed as witness in a call", "anna") in [tuple(one) for one in logged]


def test_a_part_of_a_merged_row_is_the_part_of_whom_it_stands_for(room: Room) -> None:
    """Refused by one row, they are not named by the other."""
    mair, other = person(room, "Mair Example", NUMBER), person(room, "M. Example", NUMBER)
    caller = room.claimed()
    room.desk.confirm_part(caller.reference, "victim", person=other, by=ANNA, now=after(12))
    merged(room, other, mair)
    assert who(room, caller) == [("Mair Example", "confirmed as victim")]
    with pytest.raises(Conflict):
        room.desk.confirm_part(caller.reference, "victim", person=mair, by=ANNA, now=after(13))
    room.desk.refuse_part(caller.reference, mair, by=ANNA, now=after(14))
    assert who(room, caller) == []


def test_who_lives_with_a_number_s_owner_may_be_calling(room: Room) -> None:
    """They come after the owner, with the reason; a neighbour is not named."""
    person(room, "Mair Example", NUMBER, "12 High Street, Kendal LA9 4AB")
    person(room, "Dai Example", "", "12 high street kendal la94ab")
    person(room, "Ann Other", "", "14 High Street, Kendal LA9 4AB")
    assert who(room, room.waiting()) == [
        ("Mair Example", "this number is theirs"),
        ("Dai Example", "lives at an address of somebody who has this number"),
    ]
