"""One named call: what a caller does, and what a handler must then see. It plays nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from simulator.caller import Caller
from simulator.exchange import Exchange
from simulator.people import made_up_mobile

Play = Callable[[Exchange, str], Caller]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One named call; ``expected`` are fields of the incident when the caller has done it all.

    ``handled`` are the fields when a handler works the call too (``Exchange.handler``); None:
    the call needs no handler.
    """

    name: str
    about: str
    play: Play
    expected: Mapping[str, object] = field(default_factory=dict)
    number: Callable[[], str] = made_up_mobile
    handled: Mapping[str, object] | None = None
