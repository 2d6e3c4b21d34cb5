"""Who may be calling: named with the reason, confirmed or refused by a person, never guessed."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from incidents.addresses import put_address
from incidents.audit import Audit
from incidents.known import Known, known, persons_of
from incidents.numbers import number_row
from incidents.persons import Facts, Persons
from incidents.tables import addresses, parts, people, person_numbers
from incidents.transactions import reading, writing
from tests.incidents.desks import Room
from tests.incidents.making import KEYS, NOW, NUMBER, Caller, after


@pytest.fixture
def room(tmp_path: Path, store_url: str) -> Room:
    """A control room over each kind of store."""
    return Room.at(tmp_path, store_url)


def who(room: Room, caller: Caller) -> tuple[Known, ...]:
    """Who may be calling, as the page of the call has it."""
    store = room.machine.store
    incident = store.incident(caller.reference)
    assert incident is not None
    return known(store, KEYS, incident)


def person(room: Room, name: str, number: str = "", facts: Facts | None = None) -> str:
    """Add a person, with a number of theirs."""
    store = room.machine.store
    added = Persons(store, KEYS, Audit(store.engine, KEYS)).add(name, facts, by="cara", now=NOW)
    if number:
        with writing(store.engine) as connection:
            row = number_row(connection, KEYS, number, NOW)
            connection.execute(
                person_numbers.insert().values(
                    id=added, person_id=added, number_id=row, data=b"", by="cara", at=NOW
                )
            )
    return added


def says(room: Room, caller: Caller, someone: str, state: str, seconds: float = 0) -> None:
    """Have a handler confirm or refuse somebody's part in a call."""
    with writing(room.machine.store.engine) as connection:
        connection.execute(
            parts.insert().values(
                id=f"{state}-{someone[:20]}-{seconds:g}",
                call_key=caller.key,
                person_id=someone,
                part="victim",
                state=state,
                by="anna",
                at=after(seconds),
            )
        )


def test_whose_number_it_is_stands_there_with_the_reason(room: Room) -> None:
    """The moment the page opens; nothing is searched."""
    person(room, "Mair Example", NUMBER, Facts(code_word="bluebell"))
    person(room, "Somebody Else", "+447700900124")
    [one] = who(room, room.waiting())
    assert (one.person.name, one.why, one.part) == ("Mair Example", "this number is theirs", "")
    assert one.person.facts.code_word == "bluebell"


def test_everybody_who_has_the_number_is_named(room: Room) -> None:
    """A phone that two people share names both: a person decides."""
    for name in ("Mair Example", "Dai Example"):
        person(room, name, NUMBER)
    assert [one.person.name for one in who(room, room.waiting())] == ["Mair Example", "Dai Example"]


def test_a_withheld_number_names_nobody(room: Room) -> None:
    """Without a number there is nothing to go by."""
    person(room, "Mair Example", NUMBER)
    assert who(room, room.waiting(number=None, withheld=True)) == ()


def test_a_number_that_is_theirs_no_more_names_them_no_more(room: Room) -> None:
    """Numbers are given to others."""
    person(room, "Mair Example", NUMBER)
    with writing(room.machine.store.engine) as connection:
        connection.execute(update(person_numbers).values(ended_at=NOW))
    assert who(room, room.waiting()) == ()


def test_whoever_was_confirmed_comes_first(room: Room) -> None:
    """A victim who calls from somebody else's phone."""
    person(room, "Dai Example", NUMBER)
    victim = person(room, "Mair Example")
    caller = room.waiting()
    says(room, caller, victim, "confirmed")
    first, second = who(room, caller)
    assert (first.person.name, first.why) == ("Mair Example", "confirmed as victim")
    assert second.person.name == "Dai Example"


def test_whoever_was_refused_is_not_named_again(room: Room) -> None:
    """A handler has asked: it is not them."""
    other = person(room, "Mair Example", NUMBER)
    caller = room.waiting()
    says(room, caller, other, "refused")
    assert who(room, caller) == ()


def test_one_person_under_two_rows_is_named_once(room: Room) -> None:
    """After a merge, by the row that was kept."""
    kept, merged = person(room, "Mair Example", NUMBER), person(room, "M. Example", NUMBER)
    with writing(room.machine.store.engine) as connection:
        connection.execute(update(people).where(people.c.id == merged).values(merged_into=kept))
    assert [one.person.id for one in who(room, room.waiting())] == [kept]


def typed(room: Room, someone: str) -> Caller:
    """Have a caller of the contact line, whose number nobody knows, type the code of somebody."""
    caller = Caller(number=None, withheld=True)
    arrived = caller.event("call_arrived", 0, line="contact", stage="new", next="code")
    told: dict[str, Any] = {"recognised": True, "person": someone, "how": "code"}
    told |= {"stage": "code", "next": "reach"}
    room.machine.drained(arrived, caller.event("code_typed", 1, line="contact", **told))
    return caller


def test_whoever_typed_their_code_stands_there_from_any_phone(room: Room) -> None:
    """With the reason; and no more once a handler has refused it."""
    mair = person(room, "Mair Example")
    caller = typed(room, mair)
    assert [(one.person.name, one.why) for one in who(room, caller)] == [
        ("Mair Example", "their code was typed")
    ]
    with reading(room.machine.store.engine) as connection:
        assert persons_of(connection, caller.key) == {mair: ()}
    says(room, caller, mair, "refused")
    assert who(room, caller) == ()


def test_their_addresses_stand_there_each_once(room: Room) -> None:
    """Where a caller lives is the first guess at where they are: 55 gives no location."""
    mair, twin = person(room, "Mair Example", NUMBER), person(room, "M. Example")
    with writing(room.machine.store.engine) as connection:
        connection.execute(update(people).where(people.c.id == twin).values(merged_into=mair))
        put_address(connection, KEYS, mair, "2 Mill Lane, Kendal", by="cara", now=NOW)
        connection.execute(update(addresses).values(ended_at=after(1)))
        for row in (mair, twin):
            put_address(connection, KEYS, row, "12 High Street, Kendal", by="cara", now=after(2))
        put_address(connection, KEYS, twin, "The Old Mill", by="cara", now=after(3))
    (one,) = who(room, room.waiting())
    assert one.homes == ("12 High Street, Kendal", "The Old Mill")


def test_only_a_marac_of_the_year_before_is_shown(room: Room) -> None:
    """A repeat is an event within 12 months of the last; dates are shown, nothing is decided."""
    year = timedelta(days=365)
    days = (NOW.date() - year - timedelta(days=1), NOW.date() - year, date(2026, 11, 4))
    person(room, "Mair Example", NUMBER, Facts(marac=(*days, NOW.date() + timedelta(days=1))))
    [one] = who(room, room.waiting())
    assert one.marac == (days[2], days[1])


def test_whoever_is_on_record_no_more_is_left_out(room: Room) -> None:
    """The call opens all the same, whether the number was theirs or a part was said."""
    gone, told = person(room, "Gone Example", NUMBER), person(room, "Told Example")
    refused, mair = person(room, "Not Example"), person(room, "Mair Example", NUMBER)
    caller = Caller()
    room.machine.drained(caller.arrives())
    says(room, caller, told, "confirmed", 1)
    says(room, caller, refused, "refused", 2)
    with writing(room.machine.store.engine) as connection:
        erased = update(people).where(people.c.id.in_([gone, told, refused]))
        connection.execute(erased.values(erased_at=NOW))
    assert [one.person.id for one in who(room, caller)] == [mair]
    with reading(room.machine.store.engine) as connection:
        assert list(persons_of(connection, caller.key)) == [mair]
