"""What is not over is found once, newest first, and then followed by what changes."""

from __future__ import annotations

from incidents.ladder_open import Unfinished
from tests.incidents.desks import ANNA, Room
from tests.incidents.making import Caller, Machine, after


def test_a_large_store_is_gone_through_in_pieces_and_nothing_is_left_out(machine: Machine) -> None:
    """However many revisions lie between; what is over is not kept."""
    room = Room(machine)
    callers = [Caller() for _ in range(30)]
    for caller in callers:
        room.machine.drained(caller.arrives(), caller.presses("55"))
    for caller in callers[:10]:
        room.desk.claim(caller.reference, by=ANNA, now=after(5))
        room.hangs_up(caller)
        room.desk.close(caller.reference, "no_trace", by=ANNA, now=after(30))
    found = Unfinished(machine.store, piece=3)
    assert not found.complete
    for _ in range(200):
        found.look(1000)
        if found.complete:
            break
    assert found.calls.keys() == {caller.key for caller in callers[10:]}


def test_what_changes_is_taken_in_and_what_is_over_let_go(machine: Machine) -> None:
    """A new call, a claim, a close; and when each was last seen to change."""
    room = Room(machine)
    found = Unfinished(machine.store)
    found.look(1000)
    caller = Caller()
    room.machine.drained(caller.arrives(), caller.presses("55"))
    found.look(2000)
    assert found.calls[caller.key].ms == 2000
    found.look(3000)
    assert found.calls[caller.key].ms == 2000
    room.desk.claim(caller.reference, by=ANNA, now=after(5))
    found.look(4000)
    assert found.calls[caller.key].incident.handler == "anna"
    assert found.calls[caller.key].ms == 4000
    room.hangs_up(caller)
    room.desk.close(caller.reference, "no_trace", by=ANNA, now=after(30))
    found.look(5000)
    assert found.calls == {}


def test_a_proof_call_is_never_among_them(machine: Machine) -> None:
    """Its line is open for a moment, and nobody must be asked about it."""
    caller = Caller(purpose="proof")
    machine.drained(caller.arrives())
    found = Unfinished(machine.store)
    found.look(1000)
    assert found.calls == {}
