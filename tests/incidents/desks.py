"""A desk over a real store, for the tests of what handlers do."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import select

from callflow.questions import Questions
from config.grades import read_grades
from config.questions import read_questions
from config.roles import read_roles
from config.support import read_services
from incidents.audit import Audit
from incidents.desk import Actor, Desk, Rules
from incidents.fold import Entry
from incidents.orders import Order
from incidents.placing import order_in
from incidents.store import Store
from incidents.tables import orders
from incidents.transactions import reading
from tests.incidents.making import KEYS, NOW, PROFILES, Caller, Machine, after

CONFIG: Final = Path(__file__).resolve().parents[2] / "config"
CONTROL_ROOM: Final = "+441632960200"
ANNA: Final = Actor("anna", "handler")
BEN: Final = Actor("ben", "handler")
SUE: Final = Actor("sue", "supervisor")


def rules(control_room: str | None = CONTROL_ROOM) -> Rules:
    """The policy as it is delivered."""

    def table(name: str) -> dict[str, object]:
        return tomllib.loads((CONFIG / name).read_text(encoding="utf-8"))

    questions: Questions = read_questions(table("questions.toml"))
    return Rules(
        PROFILES,
        questions,
        read_grades(table("grades.toml")),
        read_roles(table("roles.toml")),
        ("en-GB", "cy-GB"),
        control_room,
        services=read_services(table("services.toml")),
    )


def noted(store: Store, reference: str, text: str, *, by: str, at: datetime) -> Entry:
    """Have somebody write a note; returns its entry."""
    desk = Desk(store, KEYS, Audit(store.engine, KEYS), rules())
    done = desk.note(reference, text, by=Actor(by, "handler"), now=at)
    return next(one for one in store.written(reference) if one.id == done.entry)


@dataclass(slots=True)
class Room:
    """A control room: a store, a desk and callers."""

    machine: Machine
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        store = self.machine.store
        self.desk = Desk(store, KEYS, Audit(store.engine, KEYS), rules())

    @classmethod
    def at(cls, data: Path, url: str) -> Room:
        """Open a room over a migrated store."""
        return cls(Machine(data, Store(url, KEYS)))

    def waiting(self, keys: str = "55", **facts: object) -> Caller:
        """Have a caller press ``keys`` and wait on hold."""
        caller = Caller(**facts)  # type: ignore[arg-type]
        self.machine.drained(caller.arrives(), caller.presses(keys))
        return caller

    def claimed(self, by: Actor = ANNA, keys: str = "55") -> Caller:
        """Have a caller wait whose call ``by`` has claimed."""
        caller = self.waiting(keys)
        self.desk.claim(caller.reference, by=by, now=after(10))
        return caller

    def hangs_up(self, caller: Caller, at: datetime | None = None) -> None:
        """Have the caller hang up."""
        self.machine.drained(caller.hangs_up(at or after(20)))

    def orders(self, caller: Caller) -> list[Order]:
        """Every order of a call, oldest first."""
        with reading(self.machine.store.engine) as connection:
            rows = connection.execute(
                select(orders).where(orders.c.call_key == caller.key).order_by(orders.c.step)
            ).all()
        return [order_in(row, KEYS) for row in rows]

    def entries(self, caller: Caller, kind: str) -> list[Entry]:
        """The entries of one kind on a call's timeline."""
        return [one for one in self.machine.store.timeline(caller.reference) if one.kind == kind]

    def without_control_room(self) -> Desk:
        """A desk of a site that has no control room."""
        return self.under(replace(rules(), control_room=None))

    def under(self, given: Rules) -> Desk:
        """A desk of a site with other rules."""
        store = self.machine.store
        return Desk(store, KEYS, Audit(store.engine, KEYS), given)


__all__ = ["ANNA", "BEN", "CONTROL_ROOM", "NOW", "SUE", "Room", "after", "rules"]
