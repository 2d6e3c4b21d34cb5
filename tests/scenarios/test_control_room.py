"""A caller nobody has is bridged to the control room, and comes back to hold.

Nobody is on duty at this site, so the ladder bridges at once; should the engine be gone, the
phone side bridges by itself, later.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.caller import Caller
from simulator.exchange import Exchange
from simulator.moments import FarEnd
from tests.scenarios.conftest import Site
from tests.waiting import eventually

CONTROL_ROOM = "+441632960200"
WORDS = "stay on the line"
SOON = 20.0
"""Seconds: whoever pressed one key has ten of them to press again."""


def whispered(exchange: Exchange) -> str:
    """Return what the answering side was told."""
    notes = [note for call in exchange.calls for note in call.notes]
    return " ".join(note.detail["say"] for note in notes if note.kind == "whispered")


def is_bridged(call: Caller) -> Caller:
    """Wait for the ladder's order, and let the ringing pass."""

    def rings() -> bool:
        return call.call.wait is not None and call.call.wait.kind == "ringing"

    eventually(rings, SOON)
    return call.is_connected_to(CONTROL_ROOM)


@pytest.fixture
def without_engine(site_with_control_room: Site) -> Iterator[None]:
    """An engine that stands still."""
    engine = site_with_control_room.quietline.child("engine")
    engine.suspend()
    yield
    engine.resume()


@pytest.mark.parametrize(("keys", "told"), [("55", "55 was pressed"), ("7", "key was pressed")])
def test_with_nobody_on_duty_the_caller_is_bridged_at_once(
    bridging_exchange: Exchange, mobile: str, keys: str, told: str
) -> None:
    """The answering side hears a whisper first: silent caller, 55 pressed or not."""
    exchange = bridging_exchange
    call = exchange.call(mobile).hears("which service").presses(keys).settles()
    heard = len(call.heard)
    is_bridged(call)
    said = whispered(exchange).replace("5 5", "55")
    assert "Silent caller" in said
    assert told in said
    nothing_new = {"Please stay on the line.", "Please press 5 again."}
    assert set(call.heard[heard:]) <= nothing_new, "the caller hears nothing new"


@pytest.mark.usefixtures("without_engine")
def test_without_engine_the_phone_side_bridges_by_itself(
    bridging_exchange: Exchange, mobile: str
) -> None:
    """The backstop: nobody waits for ever because engine or store are gone."""
    call = bridging_exchange.call(mobile).hears("which service").presses("55").stays_silent(80)
    assert not call.call.connected_to
    call.stays_silent(30).is_connected_to(CONTROL_ROOM)


def test_the_caller_comes_back_to_hold_when_the_bridge_ends(
    bridging_exchange: Exchange, mobile: str
) -> None:
    """Keys are heard again, and a 55 then confirms."""
    exchange = bridging_exchange
    call = exchange.call(mobile).hears("which service").presses("7").settles()
    is_bridged(call).presses("55")
    assert exchange.incident(call).signal == "someone_there", "keys are not seen during a bridge"
    call.the_other_side_hangs_up().stays_silent(3).is_on_hold().presses("55").settles()
    assert exchange.incident(call).signal == "confirmed"


@pytest.mark.parametrize("outcome", ["busy", "no-answer", "failed"])
def test_a_control_room_that_does_not_answer_leaves_the_caller_on_hold(
    bridging_exchange: Exchange, mobile: str, outcome: str
) -> None:
    """A bug others shipped: nobody on shift and it rings for ever."""
    exchange = bridging_exchange
    exchange.far_ends[CONTROL_ROOM] = FarEnd(outcome=outcome)  # type: ignore[arg-type]
    call = exchange.call(mobile).hears("which service").presses("55").stays_silent(300)
    call.is_still_on_the_line()
    assert not call.call.connected_to
    assert exchange.incident(call).urgency == 1


def test_a_hang_up_during_the_bridge_ends_the_call(
    bridging_exchange: Exchange, mobile: str
) -> None:
    """The caller's side went: dropped, and what they showed is kept."""
    exchange = bridging_exchange
    call = exchange.call(mobile).hears("which service").presses("55").settles()
    is_bridged(call).hangs_up()
    incident = exchange.incident(call)
    assert (incident.urgency, incident.state, incident.connection) == (1, "waiting", "dropped")


def test_a_failure_of_ours_connects_the_control_room(
    bridging_exchange: Exchange, mobile: str
) -> None:
    """Our own failure: nothing is said; the caller is held and connected to a person."""
    exchange = bridging_exchange
    exchange.knobs.primary_down = True
    call = exchange.call(mobile)
    exchange.knobs.primary_down = False
    is_bridged(call)
    for placed in exchange.calls:
        placed.faults.clear()
