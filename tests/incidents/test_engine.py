"""What runs beside the drain: its turns, and that it never holds the drain up."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from incidents.engine import Beside, Engine
from incidents.tables import numbers
from incidents.transactions import StoreUnavailable
from incidents.wake import Bell, Ear
from tests.incidents.making import MARKERS, NOW, ROLES, Caller, Machine, left
from tests.incidents.spoiling import spoilt
from tests.waiting import eventually


@dataclass
class Works:
    """Something beside the drain that does as the test says."""

    name: str = "works"
    every: float = 0.01
    turns: int = 0
    hangs: threading.Event | None = None
    fails: Exception | None = None
    heard: list[bytes] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)

    def turn(self, behind: float) -> None:
        """Take a turn."""
        self.turns += 1
        self.behind.append(behind)
        if self.fails is not None:
            raise self.fails
        if self.hangs is not None:
            self.hangs.wait(30)

    def hear(self, datagram: bytes) -> None:
        """Take in a datagram."""
        self.heard.append(datagram)

    def alarms(self) -> list[dict[str, Any]]:
        """Return one alarm."""
        return [{"id": "alert-stuck", "text": "planted", "since": "2026-12-22T18:03:11.042Z"}]

    def gauges(self) -> dict[str, float]:
        """Return one figure."""
        return {"reviews_overdue": 3}


@contextmanager
def running(machine: Machine, *besides: Beside) -> Iterator[Engine]:
    """Run an engine for a test."""
    engine = Engine(
        machine.store,
        machine.folders,
        machine.data / "wake",
        machine.keys,
        machine.profiles,
        MARKERS,
        ROLES,
        besides=besides,
    )
    stop = threading.Event()
    thread = threading.Thread(target=engine.run, args=(stop,))
    thread.start()
    try:
        yield engine
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def test_what_hangs_beside_the_drain_does_not_hold_it_up(sqlite_machine: Machine) -> None:
    """Nor does it keep the engine from stopping."""
    hangs = Works(hangs=threading.Event())
    caller = Caller()
    with running(sqlite_machine, hangs):
        eventually(lambda: hangs.turns == 1)
        left(sqlite_machine.folders[0], caller.arrives(), caller.presses("55"))
        eventually(lambda: sqlite_machine.store.incident(caller.reference))
        assert hangs.turns == 1
    assert hangs.hangs is not None
    hangs.hangs.set()


@pytest.mark.parametrize("fails", [StoreUnavailable("gone"), ValueError("planted")])
def test_a_turn_that_failed_is_taken_again(sqlite_machine: Machine, fails: Exception) -> None:
    """After a second, and whatever it was."""
    works, well = Works(fails=fails), Works(every=0.05)
    with running(sqlite_machine, works, well):
        eventually(lambda: works.turns == 2)
        works.fails = None
        eventually(lambda: works.turns >= 5)
        assert well.turns > works.turns - 5


def test_what_works_beside_the_drain_hears_the_others_and_tells_its_alarms(
    sqlite_machine: Machine,
) -> None:
    """A console's word comes to it; its alarms go out with the engine's beat."""
    works = Works()
    ear = Ear(sqlite_machine.data / "wake", "console")
    bell = Bell(sqlite_machine.data / "wake")
    told: list[dict[str, Any]] = []

    def alarmed() -> bool:
        told.extend(json.loads(one) for one in ear.receive() if one.startswith(b"{"))
        return any(
            beat["gauges"].get("reviews_overdue") == 3
            and any(alarm["id"] == "alert-stuck" for alarm in beat["alarms"])
            for beat in told
        )

    with running(sqlite_machine, works):
        eventually(alarmed)
        word = json.dumps({"process": "console", "proved": ["k"]}).encode()

        def heard() -> bool:
            bell.ring(word)
            return word in works.heard

        eventually(heard)
    ear.close()


def test_what_cannot_be_read_goes_out_with_the_beat_until_it_is_mended(
    sqlite_machine: Machine,
) -> None:
    """As an alarm on every screen, and counted."""
    caller, store = Caller(), sqlite_machine.store
    sqlite_machine.drained(caller.arrives())
    ear = Ear(sqlite_machine.data / "wake", "console")
    beats: list[dict[str, Any]] = []

    def told(many: int) -> bool:
        beats.extend(json.loads(one) for one in ear.receive() if one.startswith(b"{"))
        latest = beats[-1:] or [{"alarms": [], "gauges": {"fields_unread": None}}]
        alarmed = [alarm["id"] for alarm in latest[0]["alarms"]] == ["unread"] * min(many, 1)
        return alarmed and bool(latest[0]["gauges"]["fields_unread"] == many)

    with spoilt(store, numbers.c.number, numbers.c.look_up.is_not(None)), running(sqlite_machine):
        assert store.board(NOW)[0].number is None
        eventually(lambda: told(1))
    with running(sqlite_machine):
        eventually(lambda: told(0))
    ear.close()


def test_an_engine_that_stands_by_climbs_nothing(sqlite_machine: Machine) -> None:
    """One of them has the lock; the other begins when it is gone."""
    first, second = Works(), Works()
    with running(sqlite_machine, first):
        eventually(lambda: first.turns > 2)
        with running(sqlite_machine, second) as standing_by:
            caller = Caller()
            left(sqlite_machine.folders[0], caller.arrives())
            eventually(lambda: sqlite_machine.store.incident(caller.reference))
            assert second.turns == 0
            assert standing_by.figures.events == 0


def test_a_store_that_is_away_is_told_to_what_works_beside_the_drain(
    sqlite_machine: Machine,
) -> None:
    """For how long the drain cannot copy: what is seen then has waited."""
    works = Works(every=0.05)
    with running(sqlite_machine, works) as engine:
        eventually(lambda: works.turns > 2)
        assert works.behind[-1] == 0.0
        engine.figures.behind_since = 0.0
        eventually(lambda: works.behind[-1] > 0.0)
