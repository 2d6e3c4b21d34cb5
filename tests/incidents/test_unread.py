"""A row that cannot be read is left out and told of; nobody else waits for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import String, cast, literal, update

from incidents.audit import Audit
from incidents.board import Board
from incidents.desk import Desk
from incidents.known import known
from incidents.naming import Naming
from incidents.orders import Order
from incidents.persons import Facts
from incidents.placing import place
from incidents.store import NO_ANSWERS, NO_NUMBER, Store
from incidents.tables import events, incidents, numbers, orders, people, timeline
from incidents.told_calls import ToldCalls
from incidents.transactions import writing
from tests.incidents.desks import ANNA, rules
from tests.incidents.ladders import SUPERVISORS, Site
from tests.incidents.making import (
    KEYS,
    NOW,
    ROLES,
    Caller,
    Machine,
    after,
    left,
    references,
    sealed,
)
from tests.incidents.officers import Office, owns
from tests.incidents.spoiling import spoilt

OTHER: str = "+447700900124"


@pytest.fixture
def callers(machine: Machine) -> tuple[Caller, Caller]:
    """Two who pressed 55: the number of the first is the one that is spoilt."""
    both = Caller(), Caller(number=OTHER)
    machine.drained(*(event for one in both for event in (one.arrives(), one.presses("55"))))
    return both


def number_of(caller: Caller) -> Any:
    """The row of a caller's number."""
    return numbers.c.look_up == KEYS.look_up(f"number|{caller.number}")


def told(store: Store) -> list[str]:
    """The alarms."""
    return [alarm["text"].split(" can")[0] for alarm in store.unread.alarms()]


def test_a_number_that_cannot_be_read_hides_no_call(
    machine: Machine, callers: tuple[Caller, Caller]
) -> None:
    """Neither its own nor another: both are on the board, and it says what is wrong."""
    store, (one, other) = machine.store, callers
    with spoilt(store, numbers.c.number, number_of(one)):
        shown = {incident.reference: incident for incident in store.board(NOW)}
        assert shown.keys() == {one.reference, other.reference}
        assert shown[one.reference].number is None
        assert shown[one.reference].reasons == ("55 pressed", NO_NUMBER)
        assert shown[other.reference].number == OTHER
        assert len(store.changed_since(0)) == len(store.unfinished(0, 9)) == 2
        assert len(store.incidents()[0]) == 2
        store.look_again()
        assert told(store) == ["1 field(s) on record"]
    store.look_again()
    assert told(store) == []
    assert machine.incident(one).reasons == ("55 pressed",)


def test_answers_that_cannot_be_read_hide_no_call(
    machine: Machine, callers: tuple[Caller, Caller]
) -> None:
    """Nor does what was sealed well and has a shape nobody knows."""
    one, _ = callers
    place = f"incidents|{one.key}|answers"
    for bad in (b"damaged", KEYS.seal(b"[7]", place), KEYS.seal(b"not json", place)):
        with spoilt(machine.store, incidents.c.answers, incidents.c.call_key == one.key, with_=bad):
            assert len(machine.store.board(NOW)) == 2
            assert machine.incident(one).reasons == ("55 pressed", NO_ANSWERS)
            assert machine.incident(one).answers == ()


@pytest.mark.parametrize("shape", ["5", "{ half"])
def test_a_row_of_no_shape_at_all_holds_up_no_other(
    machine: Machine, callers: tuple[Caller, Caller], shape: str
) -> None:
    """PostgreSQL takes no half JSON; SQLite takes anything."""
    one, other = callers
    if machine.store.engine.dialect.name == "postgresql":
        shape = "5"
    with writing(machine.store.engine) as connection:
        broken = update(incidents).where(incidents.c.call_key == one.key)
        written = literal(shape, String)
        if machine.store.engine.dialect.name == "postgresql":
            written = cast(written, incidents.c.reasons.type)  # type: ignore[assignment]
        connection.execute(broken.values(reasons=written))
    assert references(machine.store.board(NOW)) == [other.reference]
    assert [found.reference for _, found in machine.store.changed_since(0)] == [other.reference]
    assert told(machine.store) == ["1 field(s) on record"]


def test_an_event_that_cannot_be_read_blinds_no_board(
    machine: Machine, callers: tuple[Caller, Caller]
) -> None:
    """A console that starts joins what its journal tells with what the store has."""
    board = Board(machine.store, machine.folders, KEYS)
    board.refresh(NOW)
    one, other = callers
    with spoilt(machine.store, events.c.data, events.c.key == one.arrives().key):
        left(machine.folders[0], one.presses("5", 2), other.presses("5", 2))
        shown = {change.incident.reference: change.incident.keys for change in board.refresh(NOW)}
    assert shown == {one.reference: "555", other.reference: "555"}


def test_an_entry_that_cannot_be_read_is_left_out_of_its_timeline(
    machine: Machine, callers: tuple[Caller, Caller]
) -> None:
    """The page of a call opens for whoever works it."""
    desk = Desk(machine.store, KEYS, Audit(machine.store.engine, KEYS), rules())
    desk.claim(callers[0].reference, by=ANNA, now=after(5))
    before = machine.store.timeline(callers[0].reference)
    claimed = timeline.c.kind == "claimed"
    with spoilt(machine.store, timeline.c.data, claimed):
        rest = machine.store.timeline(callers[0].reference)
    assert {one.kind for one in before} - {one.kind for one in rest} == {"claimed"}
    with spoilt(machine.store, events.c.data, events.c.key == callers[0].presses("55").key):
        rest = machine.store.timeline(callers[0].reference)
    assert "call_arrived" in {one.kind for one in rest}


# -- beside the drain -------------------------------------------------------------------------


def test_an_officer_is_told_although_another_call_cannot_be_read(
    machine: Machine, callers: tuple[Caller, Caller]
) -> None:
    """It is named until its officer can be told, and then they are."""
    office = Office(machine.store)
    for caller, spoc in zip(callers, ("cara", "erin"), strict=True):
        person = office.victim(f"Mair {spoc}")
        office.assign(person, spoc, "dan")
        owns(office, person, caller.number or "")
    naming = Naming(machine.store, KEYS, machine.drain(), ROLES, lambda: after(60))
    one, other = callers
    with spoilt(machine.store, events.c.data, events.c.key == one.presses("55").key):
        naming.turn(0)
        naming.turn(0)
        assert machine.incident(other).contacts == ("erin",)
        assert machine.incident(one).contacts == ()
        (alarm,) = naming.alarms()
        assert (alarm["id"], one.reference in alarm["text"]) == ("officers-not-told", True)
    naming.turn(0)
    assert machine.incident(one).contacts == ("cara",)
    assert naming.alarms() == []


def test_a_call_is_not_set_aside_for_a_later_one_that_cannot_be_read(machine: Machine) -> None:
    """A call that reaches the store late makes those after it repeats: theirs wait, not its own."""
    later = Caller(began=after(300))
    machine.drained(later.arrives())
    first, third = Caller(), Caller(began=after(600))
    with spoilt(machine.store, events.c.data, events.c.key == later.arrives().key):
        machine.drained(first.arrives(), first.hangs_up())
        machine.drained(third.arrives(), third.hangs_up(after(660)))
    assert machine.store.count_set_aside() == 0
    assert machine.incident(first).state == "review"
    assert machine.incident(third).urgency == 2
    assert told(machine.store) == ["1 field(s) on record"]
    machine.drained(later.hangs_up(after(360)))
    assert machine.incident(later).urgency == 3


# -- the ladder -------------------------------------------------------------------------------


@pytest.fixture
def site(data: Path, store_url: str) -> Site:
    """A site over each kind of store; anna is at work."""
    return Site.at(data, store_url)


def test_the_ladder_climbs_for_a_call_whose_number_cannot_be_read(site: Site) -> None:
    """And for every other."""
    one, other = site.waiting(), site.waiting(number=OTHER)
    with spoilt(site.room.machine.store, numbers.c.number, number_of(one)):
        site.passes(12)
        last = site.waiting(number="+447700900125")
    for caller in (one, other):
        assert site.names(caller) == ["screens", "supervisors"]
    assert site.names(last) == ["screens"]


def test_an_order_that_cannot_be_read_fails_and_holds_up_no_other(site: Site) -> None:
    """It was left behind by a process that died; whoever works the call is told."""
    store = site.room.machine.store
    behind = [site.waiting(), site.waiting(number=OTHER)]
    for caller in behind:
        found = site.incident(caller)
        with writing(store.engine) as connection:
            order = Order(caller.sid[-30:], "hold", "en-GB")
            profile = rules().profiles["gb"]
            place(connection, KEYS, found, order, by="anna", at=site.wall, profile=profile)
    with spoilt(store, orders.c.data, orders.c.call_key == behind[0].key):
        site.carrier.sweep(site.wall + timedelta(seconds=5))
        site.turns()
    assert [sid for sid, _ in site.calls.played] == [behind[1].sid]
    (entry,) = site.room.entries(behind[0], "order_failed")
    assert (entry.data["what"], entry.data["problem"]) == ("hold", "it cannot be read")


def test_a_press_that_cannot_be_read_stops_no_ladder(site: Site) -> None:
    """A supervisor's 1 on another call, damaged: everybody else still climbs."""
    site.registers("sue")
    one = site.waiting()
    site.passes(21)
    assert site.calls.rung == [SUPERVISORS["sue"]]
    pressed = one.event("page_answered", 3, order="x")
    site.room.machine.drain().record(sealed(pressed))
    other = site.waiting(number=OTHER)
    store = site.room.machine.store
    with (
        spoilt(store, events.c.data, events.c.key == pressed.key),
        spoilt(store, orders.c.data, orders.c.call_key == one.key, orders.c.what == "page"),
    ):
        site.passes(12)
    assert site.names(other) == ["screens", "supervisors"]


# -- what stands in front of people -----------------------------------------------------------


@pytest.fixture
def mair(machine: Machine, callers: tuple[Caller, Caller]) -> str:
    """A repeat victim of whose call cara was told."""
    office = Office(machine.store)
    person = office.victim()
    office.assign(person, "cara", "dan")
    owns(office, person, callers[0].number or "")
    Naming(machine.store, KEYS, machine.drain(), ROLES, lambda: after(60)).turn(0)
    return person


def test_an_officer_sees_every_call_although_an_entry_or_a_name_cannot_be_read(
    machine: Machine, mair: str, callers: tuple[Caller, Caller]
) -> None:
    """Of an entry that cannot be read nobody is taken to have seen the call."""
    calls = ToldCalls(machine.store, KEYS, Audit(machine.store.engine, KEYS))
    assert calls.see(callers[0].reference, by="cara", now=after(60)) == "now"
    assert [one.waits for one in calls.of("cara", NOW)] == [False]
    with spoilt(machine.store, timeline.c.data, timeline.c.kind == "contact_seen"):
        assert [one.waits for one in calls.of("cara", NOW)] == [True]
    with spoilt(machine.store, people.c.name, people.c.id == mair):
        ((_, name),) = calls.of("cara", NOW)[0].people
    assert name == "(cannot be read)"


def test_who_may_be_calling_opens_although_their_record_cannot_be_read(
    machine: Machine, mair: str, callers: tuple[Caller, Caller]
) -> None:
    """Of facts that cannot be read the safe one is taken: never call."""
    with (
        spoilt(machine.store, people.c.facts, people.c.id == mair),
        spoilt(machine.store, people.c.name, people.c.id == mair),
    ):
        (one,) = known(machine.store, KEYS, machine.incident(callers[0]))
    assert (one.person.id, one.person.name) == (mair, "(cannot be read)")
    assert one.person.facts.never_call
    assert one.person.facts != Facts(never_call=True)
    assert told(machine.store) == ["2 field(s) on record"]
