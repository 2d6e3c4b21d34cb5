"""Known people from a file: good rows are added, others are refused with their reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from incidents.addresses import addresses_of
from incidents.audit import Audit
from incidents.file_rows import MOST_ROWS
from incidents.importing import KNOWN, Importing, Plan, read
from incidents.known import known
from incidents.persons import names
from incidents.tables import addresses, audit, people, person_numbers
from incidents.transactions import reading
from incidents.unread import Unread
from incidents.working import Unfit
from tests.incidents.desks import Room
from tests.incidents.making import KEYS, NOW, NUMBER

GOOD = (
    "name,number,number_safe,safe_hours,born,code_word,key_pattern,marac,never_call,repeat_victim\n"
    f"Mair  Example,{NUMBER},never,,1988-02-29,bluebell,7#7,2026-11-04;2026-03-01,yes,yes\n"
    "Nobody Known,,,,,,,,,\n"
)


@pytest.fixture
def room(tmp_path: Path, store_url: str) -> Room:
    """A control room over each kind of store."""
    return Room.at(tmp_path, store_url)


@pytest.fixture
def importing(room: Room) -> Importing:
    """What adds people to that room."""
    store = room.machine.store
    return Importing(store, KEYS, Audit(store.engine, KEYS))


def count(room: Room) -> int:
    """Count the people of the room."""
    with reading(room.machine.store.engine) as connection:
        return connection.scalar(select(func.count()).select_from(people)) or 0


def logged(room: Room) -> int:
    """Count the entries of the room's audit."""
    with reading(room.machine.store.engine) as connection:
        return connection.scalar(select(func.count()).select_from(audit)) or 0


def refused(text: str) -> list[tuple[int, str]]:
    """Read a file and return what of it is refused."""
    return [(one.line, one.reason) for one in read(text.encode()).refused]


def test_an_imported_person_is_known_when_they_ring(room: Room, importing: Importing) -> None:
    """Facts and number are there the moment the call's page opens."""
    found = importing.apply(read(GOOD.encode()), by="cara", now=NOW)
    assert (len(found.good), found.refused) == (2, ())
    incident = room.machine.store.incident(room.waiting().reference)
    assert incident is not None
    [one] = known(room.machine.store, KEYS, incident)
    facts = one.person.facts
    assert (one.person.name, facts.code_word, facts.key_pattern) == (
        "Mair Example",
        "bluebell",
        "7#7",
    )
    assert (facts.never_call, len(facts.marac), one.person.repeat_at) == (True, 2, NOW)


def test_a_dry_run_changes_nothing(room: Room, importing: Importing) -> None:
    """Neither people nor the audit."""
    before = logged(room)
    assert len(importing.look(read(GOOD.encode())).good) == 2
    assert (count(room), logged(room)) == (0, before)
    importing.apply(read(GOOD.encode()), by="cara", now=NOW)
    assert (count(room), logged(room)) == (2, before + 2)


def test_the_same_file_twice_adds_nobody_twice(room: Room, importing: Importing) -> None:
    """Both rows are refused as known, with a number and without one."""
    importing.apply(read(GOOD.encode()), by="cara", now=NOW)
    again = importing.apply(read(GOOD.encode()), by="cara", now=NOW)
    assert [(one.line, one.reason) for one in again.refused] == [(2, KNOWN), (3, KNOWN)]
    assert count(room) == 2


def test_two_people_of_one_name_are_told_apart_by_number(room: Room, importing: Importing) -> None:
    """And one who stands in the file twice is added once."""
    text = "name,number\nA Name,+447700900001\na name,+447700900002\nA NAME,+447700900001\n"
    found = importing.apply(read(text.encode()), by="cara", now=NOW)
    assert (len(found.good), [one.line for one in found.refused], count(room)) == (2, [4], 2)


def test_nothing_stands_in_the_clear(room: Room, importing: Importing) -> None:
    """Names are sealed, and so is whether a number may be called."""
    importing.apply(read(GOOD.encode()), by="cara", now=NOW)
    with reading(room.machine.store.engine) as connection:
        [row, *_] = connection.execute(select(people)).all()
        [number] = connection.execute(select(person_numbers)).all()
        assert set(names(connection, Unread(KEYS), [row.id])) == {row.id}
    assert b"Mair" not in row.name
    assert b"bluebell" not in row.facts
    assert KEYS.open(number.data, f"person_numbers|{number.id}|data") == (
        b'{"safe": "never", "hours": ""}'
    )
    assert b"never" not in number.data


@pytest.mark.parametrize(
    ("head", "row", "reason"),
    [
        ("name", '""', "name: Write a name first."),
        ("name", "x" * 201, "name: at most 200 characters; this has 1 too many."),
        ("name,number", "A,07700 900123", "number: Enter the whole number"),
        ("name,number", "A,mobile", "number: must be whole"),
        ("name,number_safe", "A,perhaps", "number_safe: must be one of unknown, safe, never"),
        ("name,number_safe", "A,never", "number: number_safe and safe_hours need a number"),
        ("name,safe_hours", "A,mornings", "number: number_safe and safe_hours need a number"),
        ("name,born", "A,29/02/1988", "born: must be a day like 2026-11-04"),
        ("name,born", "A,19880229", "born: must be a day like 2026-11-04"),
        ("name,marac", "A,2026-11-04;soon", "marac: must be a day like 2026-11-04"),
        ("name,key_pattern", "A,seven", "key_pattern: must be keys of a phone"),
        ("name,never_call", "A,maybe", "never_call: must be one of no, yes"),
        ("name,notes", "A", "does not have as many fields"),
        ("name", "A,B", "does not have as many fields"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(head: str, row: str, reason: str) -> None:
    """By its line and column, and never with the name or number in it."""
    [(line, told)] = refused(f"{head}\n{row}\n")
    assert line == 2
    assert told.startswith(reason)
    assert "07700" not in told


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "must name the columns"),
        (b"number\n", "must name the columns"),
        (b"name,Phone\n", "There is no column “Phone”"),
        (b"name,name\n", "twice"),
        ("name\nJosé\n".encode("latin-1"), "not UTF-8"),
        (b'name\n"A"B\n', "is not CSV"),
        (b"name\n" + b"A\n" * (MOST_ROWS + 1), "Split it"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(data: bytes, reason: str) -> None:
    """As a whole: nothing of it is added."""
    with pytest.raises(Unfit, match=reason):
        read(data)


def test_what_a_spreadsheet_puts_before_the_first_name_is_passed_over() -> None:
    """The mark of a "CSV UTF-8" file."""
    assert read("\ufeffname\nA\n".encode()) == Plan(read(b"name\nA\n").good, ())


def test_an_address_in_the_file_makes_a_household(room: Room, importing: Importing) -> None:
    """However the two rows write it; one that is none is refused with its row."""
    found = importing.apply(
        read(
            b"name,address\n"
            b'Mair Example,"12 High Street, Kendal LA9 4AB"\n'
            b"Dai Example,12 HIGH STREET KENDAL LA94AB\n"
            b"Ann Other,\n"
            b'Bea Other,", ,"\n'
        ),
        by="cara",
        now=NOW,
    )
    assert [(one.line, one.reason) for one in found.refused] == [
        (5, "address: Write the address in words and figures.")
    ]
    with reading(room.machine.store.engine) as connection:
        mair = connection.scalar(select(addresses.c.person_id).order_by(addresses.c.id).limit(1))
        assert mair is not None
        (home,) = addresses_of(connection, KEYS, [mair])
    assert [one.name for one in home.household] in (["Dai Example"], ["Mair Example"])
