"""A victim who calls from another phone: their officer is told once a handler has named them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from incidents.audit import Audit
from incidents.desk import Desk
from incidents.naming import Naming
from incidents.told_calls import ToldCalls
from incidents.transactions import reading
from tests.incidents.desks import ANNA, rules
from tests.incidents.making import KEYS, NOW, ROLES, Caller, Machine, after
from tests.incidents.officers import Office, owns


@pytest.fixture
def office(machine: Machine) -> Office:
    """A team over each kind of store."""
    return Office(machine.store)


@pytest.fixture
def mair(office: Office) -> str:
    """A repeat victim without a number on record, whose SPOC is cara."""
    person = office.victim()
    office.assign(person, "cara", "dan")
    return person


@pytest.fixture
def desk(machine: Machine) -> Desk:
    """The desk of that store."""
    return Desk(machine.store, KEYS, Audit(machine.store.engine, KEYS), rules())


@pytest.fixture
def caller(machine: Machine) -> Caller:
    """Somebody who calls from a phone nobody knows."""
    caller = Caller(number="+447700900777")
    machine.drained(caller.arrives(), caller.presses("55"))
    return caller


def look(machine: Machine, seconds: float = 60) -> None:
    """Let the engine look once for parts."""
    Naming(machine.store, KEYS, machine.drain(), ROLES, lambda: after(seconds)).turn(0)


def test_a_confirmed_victim_s_officer_is_told(
    machine: Machine, mair: str, desk: Desk, caller: Caller
) -> None:
    """At the moment of the confirmation; the timeline says why."""
    look(machine)
    assert machine.incident(caller).contacts == ()
    desk.confirm_part(caller.reference, "victim", person=mair, by=ANNA, now=after(30))
    look(machine)
    assert machine.incident(caller).contacts == ("cara",)
    told = [one for one in machine.store.timeline(caller.reference) if one.kind == "person_matched"]
    assert [(one.at, one.data) for one in told] == [
        (after(30), {"officers": ["cara"], "how": "part"})
    ]


def test_a_second_look_changes_nothing(
    machine: Machine, office: Office, mair: str, desk: Desk, caller: Caller
) -> None:
    """Neither the record nor its revision; a later SPOC is not told in place of the first."""
    desk.confirm_part(caller.reference, "caller", person=mair, by=ANNA, now=after(30))
    look(machine)
    office.assign(mair, "erin", "dan", "hand-over", now=after(40))
    before = machine.store.revision()
    look(machine)
    assert machine.store.revision() == before
    assert machine.incident(caller).contacts == ("cara",)


def test_a_number_learned_while_its_owner_calls_tells_their_officer(
    machine: Machine, office: Office, mair: str, caller: Caller
) -> None:
    """And once only; a call of some hours ago is not dug out for it."""
    owns(office, mair, caller.number or "")
    look(machine, timedelta(hours=2).total_seconds())
    assert machine.incident(caller).contacts == ()
    look(machine)
    assert machine.incident(caller).contacts == ("cara",)
    before = machine.store.revision()
    look(machine)
    assert machine.store.revision() == before


def test_a_suspect_and_whoever_nobody_stands_for_tell_nobody(
    machine: Machine, office: Office, mair: str, desk: Desk, caller: Caller
) -> None:
    """It is no call of theirs; and nothing old is dug out."""
    other = office.victim("Ann One", repeat=False)
    desk.confirm_part(caller.reference, "suspect", person=mair, by=ANNA, now=after(30))
    desk.confirm_part(caller.reference, "victim", person=other, by=ANNA, now=after(31))
    look(machine)
    assert machine.incident(caller).people == ()
    desk.confirm_part(caller.reference, "victim", person=mair, by=ANNA, now=after(32))
    look(machine, timedelta(days=2).total_seconds())
    assert machine.incident(caller).people == ()


def test_somebody_said_not_to_be_in_a_call_waits_for_no_officer(
    machine: Machine, mair: str, desk: Desk, caller: Caller
) -> None:
    """The notice goes; the call stays on the officer's day, with what was said."""
    told = ToldCalls(machine.store, KEYS, Audit(machine.store.engine, KEYS))
    desk.confirm_part(caller.reference, "victim", person=mair, by=ANNA, now=after(30))
    look(machine)
    assert [one.waits for one in told.of("cara", NOW)] == [True]
    desk.refuse_part(caller.reference, mair, by=ANNA, now=after(90))
    look(machine)
    (call,) = told.of("cara", NOW)
    assert (call.waits, call.refused, call.people) == (False, True, ((mair, "Mair Example"),))


def test_no_look_reads_every_call_there_ever_was(sqlite_machine: Machine) -> None:
    """It looks every two seconds, and a store holds a million calls."""
    machine, asked = sqlite_machine, list[tuple[str, Any]]()

    def note(_c: object, _cursor: object, statement: str, given: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, given))

    event.listen(machine.store.engine, "before_cursor_execute", note)
    look(machine)
    event.remove(machine.store.engine, "before_cursor_execute", note)
    assert len(asked) >= 2
    with reading(machine.store.engine) as connection:
        plans = [
            str(row[3])
            for statement, given in asked
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
        ]
    assert [plan for plan in plans if plan.startswith("SCAN incidents")] == []
    assert any("ix_incidents_started_at_call_key" in plan for plan in plans)
