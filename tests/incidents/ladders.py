"""A ladder over a real store, with a clock in the test's hand and a Twilio written by hand."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event, select, update

from incidents.audit import Audit
from incidents.carrier import Carrier
from incidents.fold import Incident
from incidents.ladder import Climber
from incidents.ladder_policy import Ladder, Rung
from incidents.orders import CallOver, NotCarriedOut, Order
from incidents.placing import order_in
from incidents.presence import Presence
from incidents.steady import Steady
from incidents.tables import incidents, orders, rungs, users
from incidents.transactions import next_revision, reading, writing
from tests.incidents.desks import Room, rules
from tests.incidents.making import KEYS, NOW, Caller, sealed
from tests.waiting import eventually

SUPERVISORS: Final = {"sue": "+447700900201", "tom": "+447700900202"}
WRITTEN_EVERY_MS: Final = 4000
"""How often a console writes down who is at work."""
STEP: Final = 0.5
"""Seconds between two climbs of a test."""


def _unflushed(connection: Any, _: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


STANDARD: Final = Ladder(
    (
        Rung("screens", "show", 0.0, "all screens"),
        Rung("supervisors", "louder", 10.0, "all screens, louder, and supervisors"),
        Rung("phone", "phone", 20.0, "a supervisor's phone"),
        Rung("control_room", "bridge", 30.0, "control room"),
    ),
    again=60.0,
    from_urgency=2,
    press_again=10.0,
    away=25.0,
    phone_away=120.0,
    regrade=60.0,
    ring=15.0,
)
"""What the issue asks for, and ``config/ladder.toml`` says as delivered."""


@dataclass(slots=True)
class Calls:
    """Twilio, as far as orders go: says what was asked of it."""

    played: list[tuple[str, str]] = field(default_factory=list)
    rung: list[str] = field(default_factory=list)
    over: set[str] = field(default_factory=set)
    refuses: set[str] = field(default_factory=set)
    """Numbers that cannot be rung, or ``play``."""
    statuses: dict[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None
    """When set, every request waits for it."""
    asked: int = 0

    def play(self, call_sid: str, path: str) -> None:
        """Have a call fetch a document."""
        self._meet()
        if call_sid in self.over:
            raise CallOver(call_sid)
        if "play" in self.refuses:
            raise NotCarriedOut("503 after three tries")
        self.played.append((call_sid, path))

    def ring(self, to: str, caller_id: str, path: str) -> str:
        """Ring somebody."""
        self._meet()
        if to in self.refuses:
            raise NotCarriedOut("the number cannot be reached")
        self.rung.append(to)
        return f"CA{len(self.rung):032x}"

    def status(self, call_sid: str) -> str:
        """Say how a call is."""
        self._meet()
        if call_sid in self.over:
            raise CallOver(call_sid)
        if "status" in self.refuses:
            raise NotCarriedOut("503 after three tries")
        return self.statuses.get(call_sid, "in-progress")

    def _meet(self) -> None:
        self.asked += 1
        if self.hold is not None:
            assert self.hold.wait(20)


@dataclass(slots=True)
class Site:
    """A room with a ladder. ``at_work``: whose screens are heard from."""

    room: Room
    ladder: Ladder = STANDARD
    control_room: bool = True
    wall: datetime = NOW
    ms: int = 1_000_000
    boot: str = "boot-1"
    at_work: set[str] = field(default_factory=lambda: {"anna"})
    calls: Calls = field(default_factory=Calls)
    _heard: set[str] = field(default_factory=set)
    _heard_ms: int = 0
    climber: Climber = field(init=False)
    carrier: Carrier = field(init=False)

    def __post_init__(self) -> None:
        self.starts()

    @classmethod
    def at(cls, data: Path, url: str, **given: object) -> Site:
        """Open a site over a fresh store; its ladder has looked for long enough to judge."""
        site = cls(Room.at(data, url), **given)  # type: ignore[arg-type]
        engine = site.room.machine.store.engine
        if engine.dialect.name == "sqlite":
            # A flush for each of thousands of steps is what these tests would mostly wait for.
            engine.dispose()
            event.listen(engine, "connect", _unflushed)
        site.passes(11)
        return site

    def starts(self) -> None:
        """Start the engine, as if the one before had been killed."""
        store = self.room.machine.store
        given = rules()
        self.carrier = Carrier(store, KEYS, self.calls, clock=lambda: self.wall)
        self.climber = Climber(
            store,
            KEYS,
            Audit(store.engine, KEYS),
            given if self.control_room else replace(given, control_room=None),
            self.ladder,
            self.carrier,
        )

    def turns(self) -> None:
        """Climb once, now."""
        people = {name: self._role(name) for name in self.at_work}
        store = self.room.machine.store
        Presence(store.engine).heard(
            {name: (role, True) for name, role in people.items()}, self.wall
        )
        self.climber.climb(self.wall, Steady(self.ms, self.boot))
        eventually(lambda: self.carrier.under_way == 0)

    def passes(self, seconds: float, *, step: float = STEP) -> None:
        """Let time pass, with a climb every half second."""
        left = seconds
        while left > 1e-9:
            passed = min(step, left)
            self.wall += timedelta(seconds=passed)
            self.ms += round(passed * 1000)
            left -= passed
            self.turns()

    @staticmethod
    def _role(name: str) -> str:
        return "supervisor" if name in SUPERVISORS else "handler"

    def waiting(self, keys: str = "55", **facts: object) -> Caller:
        """Have somebody ring just now and press keys at once."""
        caller = Caller(began=self.wall - timedelta(seconds=1), **facts)  # type: ignore[arg-type]
        pressed = caller.presses(keys, signal="5x2")
        events = sealed(caller.arrives(), replace(pressed, at=self.wall))
        self.room.machine.drain().record(events)
        self.turns()
        return caller

    def registers(self, *names: str) -> None:
        """Give supervisors a phone."""
        with writing(self.room.machine.store.engine) as connection:
            for name in names:
                row_id = str(uuid.uuid4())
                phone = KEYS.seal(SUPERVISORS[name].encode(), f"users|{row_id}|phone")
                connection.execute(
                    users.insert().values(
                        id=row_id,
                        name=name,
                        role="supervisor",
                        password_hash="",
                        created_at=self.wall,
                        phone=phone,
                    )
                )

    def line(self, caller: Caller, **facts: object) -> None:
        """Have the drain write something about the caller's line, such as ``bridged``."""
        with writing(self.room.machine.store.engine) as connection:
            connection.execute(
                update(incidents)
                .where(incidents.c.call_key == caller.key)
                .values(**facts, revision=next_revision(connection))
            )

    def bridges(self, caller: Caller, label: str = "control room") -> None:
        """Have the caller's phone reach the bridge, or the room, that was ordered."""
        last = max(self.rows(caller), key=lambda row: row.step)
        self.line(caller, bridged=label, last_step=last.step)

    def rows(self, caller: Caller) -> list[Any]:
        """The rows of a call's orders that are played to the caller."""
        with reading(self.room.machine.store.engine) as connection:
            query = select(orders).where(orders.c.call_key == caller.key, orders.c.what != "page")
            return list(connection.execute(query).all())

    def orders(self, caller: Caller, what: str) -> list[Order]:
        """The orders of one kind of a call, oldest first."""
        with reading(self.room.machine.store.engine) as connection:
            query = select(orders).where(orders.c.call_key == caller.key, orders.c.what == what)
            rows = connection.execute(query.order_by(orders.c.at, orders.c.id)).all()
        return [order_in(row, KEYS) for row in rows]

    def fired(self, caller: Caller) -> list[tuple[int, str]]:
        """Every rung of a call: (round, name), in the order in which they were fired."""
        with reading(self.room.machine.store.engine) as connection:
            query = select(rungs).where(rungs.c.call_key == caller.key)
            rows = connection.execute(query.order_by(rungs.c.round, rungs.c.rung)).all()
        return [(row.round, row.name) for row in rows]

    def names(self, caller: Caller) -> list[str]:
        """The names of the rungs fired so far."""
        return [name for _, name in self.fired(caller)]

    def incident(self, caller: Caller) -> Incident:
        """The incident as the store has it."""
        return self.room.machine.incident(caller)
