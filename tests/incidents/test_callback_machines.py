"""A call-back that a machine has answered is ended; and what the phone side tells is kept once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from incidents.callback_machines import LATELY, OVER_PATH, Machines
from incidents.callback_state import STARTED
from incidents.orders import CallOver, NotCarriedOut
from incidents.recorded import Recorded, event_key
from incidents.store import Store
from incidents.tables import callbacks
from incidents.transactions import writing
from tests.incidents.calling_back import CARA, Office, Rings
from tests.incidents.making import KEYS, NOW, Caller, Machine
from tests.incidents.spoiling import DAMAGED

LEG = "CA" + "9" * 32


class Refusing(Rings):
    """A Twilio that does not end calls, for one reason or the other."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
        self.tried = 0

    def play(self, call_sid: str, path: str) -> None:
        """Refuse."""
        self.tried += 1
        raise self.error


def told(id_: str, kind: str, **data: object) -> Recorded:
    """What the phone side records of a call-back."""
    call = KEYS.look_up(f"callback|{id_}")
    return Recorded(
        key=event_key(KEYS, call, id_, kind, ""),
        call_key=call,
        call_sid="",
        month=f"{NOW:%Y-%m}",
        step=0,
        kind=kind,
        at=NOW,
        data={"callback": id_, **data},
    )


@pytest.fixture
def office(store: Store) -> Office:
    """A site with two officers."""
    return Office(store).officers()


@pytest.fixture
def machine(tmp_path: Path, store: Store) -> Machine:
    """The journal and the drain of that site."""
    return Machine(tmp_path / "data", store)


def answered(office: Office, machine: Machine) -> str:
    """Have a call-back answered by a machine; returns its id."""
    id_ = office.started()
    machine.drained(
        told(id_, "callback_taken", leg=LEG),
        told(id_, "callback_machine", answered_by="machine_start"),
    )
    return id_


def test_what_a_machine_answered_is_ended_once(office: Office, machine: Machine) -> None:
    """Through the officer's own call."""
    answered(office, machine)
    turns = Machines(office.store, office.rings, clock=lambda: NOW)
    turns.turn(0.0)
    turns.turn(0.0)
    assert office.rings.played == [(LEG, OVER_PATH)]


def test_one_that_cannot_be_read_holds_up_no_other(office: Office, machine: Machine) -> None:
    """Its officer is on the line and hears the machine; the other's call is ended."""
    damaged = office.started()
    office.callbacks.finish(damaged, "machine", "", by=CARA, now=NOW)
    answered(office, machine)
    with writing(office.store.engine) as connection:
        again = update(callbacks).where(callbacks.c.id == damaged)
        connection.execute(again.values(state=STARTED, data=DAMAGED))
    Machines(office.store, office.rings, clock=lambda: NOW).turn(0.0)
    assert office.rings.played == [(LEG, OVER_PATH)]
    assert len(office.store.unread) == 1
    assert len(office.callbacks.open_of("cara")) == 1


def test_a_person_is_not_hung_up_on(office: Office, machine: Machine) -> None:
    """Nor is a call that is over, or finished, or of another day."""
    id_ = office.started()
    machine.drained(told(id_, "callback_taken", leg=LEG), told(id_, "callback_answered"))
    turns = Machines(office.store, office.rings, clock=lambda: NOW)
    turns.turn(0.0)
    machine.drained(
        told(id_, "callback_machine", answered_by="fax"), told(id_, "callback_ended", status="busy")
    )
    turns.turn(0.0)
    office.callbacks.finish(id_, "machine", "", by=CARA, now=NOW)
    turns.turn(0.0)
    assert office.rings.played == []


def test_one_of_long_ago_is_left_alone(office: Office, machine: Machine) -> None:
    """The engine was away meanwhile; a call that came later must not be cut off."""
    answered(office, machine)
    later = NOW + LATELY + timedelta(seconds=1)
    Machines(office.store, office.rings, clock=lambda: later).turn(0.0)
    assert office.rings.played == []


@pytest.mark.parametrize(("error", "tries"), [(CallOver(), 1), (NotCarriedOut("503"), 2)])
def test_it_is_tried_again_until_the_call_is_over(
    office: Office, machine: Machine, error: Exception, tries: int
) -> None:
    """The officer may be quicker, or Twilio away."""
    answered(office, machine)
    rings = Refusing(error)
    turns = Machines(office.store, rings, clock=lambda: NOW)
    turns.turn(0.0)
    turns.turn(0.0)
    assert rings.tried == tries


def test_what_comes_twice_is_kept_once_and_told_once(office: Office, machine: Machine) -> None:
    """On the row, and on the timeline of the call it comes from; no incident is made of it."""
    caller = Caller()
    machine.drained(caller.arrives())
    person, number = office.person()
    id_ = office.callbacks.ask(person, number, "", by=CARA, now=NOW, reference=caller.reference)
    office.start(id_)
    for _ in range(2):
        machine.drained(told(id_, "callback_taken", leg=LEG))
    machine.drained(
        told(id_, "callback_ended", status="no-answer"), told("nobody", "callback_ended")
    )
    steps = office.callbacks.one(id_).sealed.steps
    assert list(steps) == ["callback_taken", "callback_ended"]
    assert office.callbacks.one(id_).dial_status == "no-answer"
    kinds = [one.kind for one in office.store.timeline(caller.reference) if "callback" in one.data]
    assert kinds.count("callback_taken") == kinds.count("callback_ended") == 1
    own = KEYS.reference(KEYS.look_up(f"callback|{id_}"))
    assert office.store.incident(own) is None
