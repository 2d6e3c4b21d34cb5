"""Who is rung on the line for known victims: found in the routing snapshot, carried sealed.

What is found travels sealed in the addresses, so that a code stands in none of them and any
worker takes the next step. A caller nobody knows has the desk rung in every turn: the same
words, the same time.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from callflow.actions import RingStaff
from callflow.call import Call, Stage
from callflow.contact import WHOM
from callflow.events import CodeTyped, Event
from callflow.flow import Outcome
from incidents.history import DUTY_DESK
from incidents.routing import Phone, Route, of_code, of_number
from incidents.sealed import CannotOpen, Keys

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,2000}\Z")
Find = Callable[[str], Route | None]


@dataclass(frozen=True, slots=True)
class Reach:
    """Who is rung for one call, one for each turn. ``person``: who it is, empty: nobody knows.

    ``how``: known by their ``number`` or their ``code``.
    """

    person: str
    how: str
    turns: tuple[Phone, ...]

    def turn(self, at: int) -> Phone:
        """Return who is rung in a turn, from 1; nobody where there is no desk (in an exercise)."""
        return self.turns[at - 1] if 0 < at <= len(self.turns) else Phone("", "")

    def seal(self, keys: Keys) -> str:
        """Write it for an address."""
        turns = [[one.name, one.number] for one in self.turns]
        return _seal({"person": self.person, "how": self.how, "turns": turns}, "reach", keys)

    @classmethod
    def open(cls, sealed: str, keys: Keys) -> Reach | None:
        """Read what ``seal`` wrote; None where it is not of our making."""
        told = _open(sealed, "reach", keys)
        if told is None:
            return None
        turns = tuple(Phone(name, number) for name, number in told["turns"])
        return cls(told["person"], told["how"], turns)


@dataclass(frozen=True, slots=True)
class Take:
    """What whoever is rung is asked: whether they take this call. ``name``: who that is."""

    call_key: str
    step: int
    language: str
    name: str

    def seal(self, keys: Keys) -> str:
        """Write it for an address."""
        told = {"call": self.call_key, "step": self.step, "in": self.language, "name": self.name}
        return _seal(told, "take", keys)

    @classmethod
    def open(cls, sealed: str, keys: Keys) -> Take | None:
        """Read what ``seal`` wrote; None where it is not of our making."""
        told = _open(sealed, "take", keys)
        return None if told is None else cls(told["call"], told["step"], told["in"], told["name"])


class Reaching:
    """Finds who is rung. ``find``: the snapshot's. ``desk``: E.164, or None where there is none."""

    def __init__(self, keys: Keys, find: Find, desk: str | None) -> None:
        self._keys = keys
        self._find = find
        self._desk = desk

    def of(self, number: str | None, code: str) -> Reach:
        """Return who is rung for a caller: known by the code they typed, or by their number."""
        typed = code.rstrip("#")  # many end a number with it
        how, route = "code", self._find(of_code(self._keys, typed)) if typed else None
        if route is None:
            how, route = "number", self._find(of_number(self._keys, number)) if number else None
        desk = (Phone(DUTY_DESK, self._desk),) if self._desk else ()
        phones = () if route is None else route.phones[: len(WHOM) - 1]
        turns = (*phones, *(desk * len(WHOM)))[: len(WHOM)]
        return Reach(route.person if route else "", how if route else "", turns)


def told_of(
    before: Call, event: Event, outcome: Outcome, reach: Reach, *, played: bool
) -> dict[str, object]:
    """Return what is recorded of a step on the way to a point of contact: names of staff, an id.

    ``played``: the outcome becomes the document and the caller is there; else nobody is rung.
    """
    told: dict[str, object] = {}
    if before.stage is Stage.REACH and (rung := reach.turn(before.asked).name):
        told["who"] = rung
    elif before.stage is not Stage.REACH and reach.person:
        told |= {"person": reach.person, "how": reach.how}
    if isinstance(event, CodeTyped):
        told["recognised"] = reach.how == "code"
    if isinstance(outcome.action, RingStaff) and played:
        told["to"] = reach.turn(outcome.call.asked).name
    return told


def _seal(told: dict[str, Any], place: str, keys: Keys) -> str:
    plain = json.dumps(told, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(keys.seal(plain, place)).decode().rstrip("=")


def _open(sealed: str, place: str, keys: Keys) -> dict[str, Any] | None:
    if not _TOKEN.match(sealed):
        return None
    try:
        plain = keys.open(base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)), place)
        told: dict[str, Any] = json.loads(plain)
    except (CannotOpen, binascii.Error, ValueError):
        return None
    return told
