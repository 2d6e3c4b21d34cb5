"""Matches calls that are open already with markers and numbers that were added since.

The drain matches a call as it reaches the store. A marker set while the call is on the board,
a number learned to be somebody's, two people merged: those are seen here, within a turn, and
without asking again about every open call each time.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlalchemy import Connection

from incidents.drain import Drain
from incidents.fold import as_text
from incidents.marking import as_event, marked_numbers, matches_of_known, matches_of_open
from incidents.recorded import Sealed
from incidents.sealed import Keys
from incidents.store import Store
from incidents.transactions import StoreUnavailable, reading, writing

log = logging.getLogger(__name__)

EVERY: Final = 2.0
"""Seconds between two looks."""
AGAIN_FOR: Final = timedelta(seconds=60)
"""A pair is asked about for so long: a call whose fold began before the marker was written may
reach the store a moment after the look that first saw the marker."""
ALL_EVERY: Final = timedelta(seconds=60)
"""Every pair is asked about again so often: no call goes without for longer."""
NAMED: Final = 5
"""Calls an alarm names."""

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
        self._all_at: datetime | None = None
        self._failed: dict[str, datetime] = {}

    def turn(self, behind: float) -> None:
        """Look once. Raises ``StoreUnavailable``; what was not recorded is found again."""
        now = self._clock()
        every = self._all_at is None or now - self._all_at >= ALL_EVERY
        with reading(self._store.engine) as connection:
            pairs = marked_numbers(connection, now)
            fresh = [pair for pair in pairs if every or now - self._seen.get(pair, now) < AGAIN_FOR]
            calls = {one.call_key for one in self._new(connection, fresh, now)}
        failed = {} if every else dict(self._failed)
        for call in self._record(calls, fresh):
            failed[call] = self._failed.get(call, now)
        self._failed = failed
        if every:
            self._all_at = now
        self._seen = {pair: self._seen.get(pair, now) for pair in pairs}

    def _new(self, connection: Connection, pairs: Iterable[Pair], now: datetime) -> list[Sealed]:
        found = [*matches_of_open(connection, pairs, now), *matches_of_known(connection, now)]
        events = [as_event(one, self._drain.markers, self._keys) for one in found]
        return self._drain.unknown(connection, events)

    def _record(self, calls: Collection[str], pairs: Iterable[Pair]) -> list[str]:
        """Put what calls match on record. Returns those it could not: they hold up no other."""
        if not calls:
            return []
        try:
            with writing(self._store.engine) as connection:
                # Found anew, and counted from now: what a person lowered since the look was
                # lowered before they could know of it.
                new = self._new(connection, pairs, self._clock())
                self._drain.put(connection, [one for one in new if one.call_key in calls])
        except StoreUnavailable:
            raise
        except Exception:
            if len(calls) > 1:
                return [bad for call in sorted(calls) for bad in self._record([call], pairs)]
            log.critical("a marker could not be put on a call", exc_info=True)
            return list(calls)
        return []

    def hear(self, datagram: bytes) -> None:
        """Nothing is rung for it: the next look is soon."""

    def alarms(self) -> list[dict[str, Any]]:
        """Return one alarm for the calls no marker could be put on."""
        failed = dict(self._failed)
        if not failed:
            return []
        named = ", ".join(sorted(map(self._keys.reference, failed))[:NAMED])
        text = f"A marker could not be put on {named}. Open them: a marker may stand on the number."
        return [{"id": "markers-failed", "text": text, "since": as_text(min(failed.values()))}]
