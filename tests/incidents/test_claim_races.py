"""Fifty people who claim one call in the same moment: exactly one gets it, every time.

Some of them come back, as a browser does that lost its answer; a supervisor may take over in the
middle of it. Run whole (``--whole``) it is 1,000 races on each kind of store.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from incidents.desk import Actor, Conflict
from incidents.store import NoSuchIncident
from tests.incidents.desks import Room, after
from tests.incidents.making import Caller

AT_ONCE = 50
RACES = 100
RACES_WHOLE = 1000
HANDLERS = [Actor(f"handler{number}", "handler") for number in range(AT_ONCE)]

Claim = Callable[[Room, str, Actor], str]


class Fifty:
    """Fifty threads that are let go at one moment, again and again."""

    def __init__(self, room: Room, claim: Claim) -> None:
        self._room = room
        self._claim = claim
        self._start = threading.Barrier(AT_ONCE + 1)
        self._end = threading.Barrier(AT_ONCE + 1)
        self._reference = ""
        self._told: list[str] = [""] * AT_ONCE
        self._threads = [
            threading.Thread(target=self._run, args=(at,), daemon=True) for at in range(AT_ONCE)
        ]
        for thread in self._threads:
            thread.start()

    def race(self, reference: str) -> list[str]:
        """Have all claim one call; returns what each was told: ``won`` or a sentence."""
        self._reference = reference
        self._start.wait(60)
        self._end.wait(60)
        return list(self._told)

    def stop(self) -> None:
        """Let the threads end."""
        self._reference = ""
        self._start.wait(60)
        for thread in self._threads:
            thread.join(60)

    def _run(self, at: int) -> None:
        while True:
            self._start.wait(60)
            if not self._reference:
                return
            try:
                self._told[at] = self._claim(self._room, self._reference, HANDLERS[at])
            except Exception as error:
                self._told[at] = f"failed: {error!r}"
            self._end.wait(60)


def by_the_desk(room: Room, reference: str, by: Actor) -> str:
    """Claim as everybody does."""
    try:
        done = room.desk.claim(reference, by=by, now=after(10))
    except Conflict as conflict:
        return str(conflict)
    assert done.incident.handler == by.name
    return "won"


def without_a_lock(room: Room, reference: str, by: Actor) -> str:
    """Claim as one must not: look first, write later."""
    found = room.machine.store.incident(reference)
    if found is None:
        raise NoSuchIncident(reference)
    if found.state == "claimed":
        return f"{found.handler} has this call"
    time.sleep(0)  # another thread may run here
    room.desk.take_over(reference, "planted", by=by, now=after(10))
    return "won"


def judged(room: Room, caller: Caller, told: list[str]) -> str:
    """Return what is wrong with how a race ended; empty: nothing."""
    count = Counter("won" if one == "won" else "lost" for one in told)
    if count["won"] != 1:
        return f"{count['won']} won"
    winner = HANDLERS[told.index("won")].name
    if any(not one.startswith(f"{winner} has this call") for one in told if one != "won"):
        return f"somebody was not told that {winner} has it: {told}"
    if room.machine.incident(caller).handler != winner:
        return "the record names another"
    if [one.data["by"] for one in room.entries(caller, "claimed")] != [winner]:
        return "the timeline tells another story"
    if [one.what for one in room.orders(caller)] != ["hold"]:
        return "the caller was not put on hold exactly once"
    return ""


@pytest.fixture
def room(data: Path, store_url: str) -> Room:
    """A room over each kind of store."""
    return Room.at(data, store_url)


def run(room: Room, claim: Claim, races: int) -> list[str]:
    """Run races, each for a caller of its own; returns what was wrong with each."""
    callers = [Caller() for _ in range(races)]
    for start in range(0, races, 200):
        events = [
            one
            for caller in callers[start : start + 200]
            for one in (caller.arrives(), caller.presses("55"))
        ]
        room.machine.drained(*events)
    fifty = Fifty(room, claim)
    try:
        return [judged(room, caller, fifty.race(caller.reference)) for caller in callers]
    finally:
        fifty.stop()


def test_a_claim_that_looks_first_and_writes_later_is_found(room: Room) -> None:
    """The planted fault: two win, and the races below would say so."""
    assert any(run(room, without_a_lock, 5))


def test_exactly_one_of_fifty_wins_every_race(room: Room, whole: bool) -> None:
    """The others are told who did; the caller is put on hold once."""
    races = RACES_WHOLE if whole else RACES
    began = time.monotonic()
    wrong = run(room, by_the_desk, races)
    assert not any(wrong), [one for one in wrong if one][:3]
    took = time.monotonic() - began
    kind = room.machine.store.engine.dialect.name
    print(f"{races} races of {AT_ONCE} on {kind}: {took:.1f} s", file=sys.stderr)
