"""Matches calls that are open already with markers and numbers that were added since.

The drain matches a call as it reaches the store. A marker set while the call is on the board,
a number learned to be somebody's, two people merged: those are seen here, within a turn, and
without asking again about every open call each time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from incidents.drain import Drain
from incidents.marking import as_event, marked_numbers, matches_of_open
from incidents.sealed import Keys
from incidents.store import Store
from incidents.transactions import reading

EVERY: Final = 2.0
"""Seconds between two looks."""
AGAIN_FOR: Final = timedelta(seconds=60)
"""A pair is asked about for so long: a call whose fold began before the marker was written may
reach the store a moment after the look that first saw the marker."""

Pair = tuple[str, str, str]


class Clock(Protocol):
    """Says what time it is, aware and in UTC."""

    def __call__(self) -> datetime: ...


class Matching:
    """Puts new markers on open calls. Runs beside the drain."""

    name = "markers"
    every = EVERY

    def __init__(self, store: Store, keys: Keys, drain: Drain, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._drain = drain
        self._clock = clock
        self._seen: dict[Pair, datetime] = {}

    def turn(self, behind: float) -> None:
        """Look once. Raises ``StoreUnavailable``; what was not recorded is found again."""
        now = self._clock()
        with reading(self._store.engine) as connection:
            pairs = marked_numbers(connection, now)
            fresh = [pair for pair in pairs if now - self._seen.get(pair, now) < AGAIN_FOR]
            found = matches_of_open(connection, fresh, now)
            events = [as_event(one, self._drain.markers, self._keys) for one in found]
            new = self._drain.unknown(connection, events)
        if new:
            self._drain.record(new)
        self._seen = {pair: self._seen.get(pair, now) for pair in pairs}

    def hear(self, datagram: bytes) -> None:
        """Nothing is rung for it: the next look is soon."""

    def alarms(self) -> list[dict[str, Any]]:
        """Return none: when it cannot look, the store is away, and that is told elsewhere."""
        return []
