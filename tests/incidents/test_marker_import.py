"""Markers from a file: good rows are set, others refused; a look changes nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from console.markers import until_of
from incidents.addresses import Addresses
from incidents.audit import Audit
from incidents.marker_import import MarkerImport
from incidents.markers import Markers
from incidents.person_numbers import PersonNumbers
from incidents.persons import Persons
from incidents.safe_contact import SafeContact
from incidents.tables import markers, numbers
from incidents.transactions import reading
from incidents.working import Unfit
from tests.incidents.desks import Room
from tests.incidents.making import KEYS, MARKERS, NOW, NUMBER, Caller
from tests.incidents.officers import Office, roles

HEAD = "kind,number,address,action,owner,last_day,reason\n"
GOOD = f"high_risk,{NUMBER},,,cara,2027-06-30,MARAC of 4 November\n"
HOME = 'weapons,,"12 High Street, Kendal LA9 4AB",Tell them,dan,2027-03-01,Seen in May\n'


@pytest.fixture
def room(tmp_path: Path, store_url: str) -> Room:
    """A control room over each kind of store, with officers."""
    room = Room.at(tmp_path, store_url)
    Office(room.machine.store)
    return room


@pytest.fixture
def importing(room: Room) -> MarkerImport:
    """What sets markers from a file in that room."""
    store = room.machine.store
    work = Markers(store, KEYS, Audit(store.engine, KEYS), MARKERS, roles())
    return MarkerImport(store, KEYS, work, until_of)


def many(room: Room, table: object) -> int:
    """How many rows a table has."""
    with reading(room.machine.store.engine) as connection:
        counting = select(func.count()).select_from(table)  # type: ignore[arg-type]
        return connection.scalar(counting) or 0


def test_an_imported_marker_raises_the_next_call(room: Room, importing: MarkerImport) -> None:
    """With the action its kind offers, where the file gives none."""
    plan = importing.read((HEAD + GOOD).encode())
    assert importing.look(plan, by="sue", now=NOW).good == plan.good
    assert (many(room, markers), many(room, numbers)) == (0, 0)
    importing.apply(plan, by="sue", now=NOW)
    caller = Caller()
    room.machine.drained(caller.arrives(), caller.hangs_up())
    assert room.machine.incident(caller).urgency == 1


def test_a_marker_on_an_address_reaches_whoever_lives_there(
    room: Room, importing: MarkerImport
) -> None:
    """However the address is spelled with commas and capitals."""
    risk = HOME.replace("weapons", "high_risk")
    importing.apply(importing.read((HEAD + risk).encode()), by="sue", now=NOW)
    store = room.machine.store
    audit = Audit(store.engine, KEYS)
    person = Persons(store, KEYS, audit).add("Mair Example", by="cara", now=NOW)
    PersonNumbers(store, KEYS, audit).add(person, NUMBER, SafeContact(), by="cara", now=NOW)
    home = "12 HIGH STREET KENDAL la9 4ab"
    Addresses(store, KEYS, audit).add(person, home, by="cara", now=NOW)
    caller = Caller()
    room.machine.drained(caller.arrives())
    assert room.machine.incident(caller).urgency == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (GOOD.replace("high_risk", "risky"), "kind: must be one of high_risk, stalking"),
        (GOOD.replace(NUMBER, ""), "number: give either a number or an address"),
        (GOOD.replace(",,,cara", ",A street,,cara"), "number: give either a number or an address"),
        (GOOD.replace(NUMBER, "12"), "number: "),
        (GOOD.replace("cara", "nobody"), "owner: Choose somebody who is here"),
        (GOOD.replace("2027-06-30", "soon"), "last_day: Enter a day"),
        (GOOD.replace("2027-06-30", "2026-12-01"), "last_day: This day has passed"),
        (GOOD.replace("MARAC of 4 November", ""), "reason: Write why"),
        (GOOD.replace(",cara", ""), "does not have as many fields"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason_and_keeps_back_no_other(
    room: Room, importing: MarkerImport, row: str, reason: str
) -> None:
    """A look says what setting would say; neither tells what stands in the row."""
    plan = importing.read((HEAD + row + HOME).encode())
    for found in (
        importing.look(plan, by="sue", now=NOW),
        importing.apply(plan, by="sue", now=NOW),
    ):
        assert [one.line for one in found.refused] == [2]
        assert found.refused[0].reason.startswith(reason)
        assert len(found.good) == 1
    assert many(room, markers) == 1


def test_the_same_file_twice_sets_nothing_twice(room: Room, importing: MarkerImport) -> None:
    """Nor the same row twice in one file."""
    plan = importing.read((HEAD + GOOD + GOOD + HOME).encode())
    first = importing.apply(plan, by="sue", now=NOW)
    again = importing.apply(plan, by="sue", now=NOW + timedelta(seconds=1))
    assert ([one.line for one in first.refused], len(again.good)) == ([3], 0)
    assert "already" in first.refused[0].reason
    assert many(room, markers) == 2


def test_a_file_that_is_none_is_refused_whole(importing: MarkerImport) -> None:
    """With what to do."""
    with pytest.raises(Unfit, match="There is no column"):
        importing.read(b"kind,phone\nhigh_risk,1\n")
