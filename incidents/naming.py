"""Tells officers of calls that turn out to be of their people after they came.

The drain names whose number a call came from. A victim who calls from another phone is named
by a handler; a number is learned to be somebody's while they call. Their officer is told then,
within a turn, as of any other call of theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, select

from incidents.drain import Drain
from incidents.recognising import Call, matches, recognised_since
from incidents.recorded import Sealed, as_text
from incidents.roles import Roles
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import incidents, parts
from incidents.together import CONFIRMED
from incidents.transactions import reading

EVERY: Final = 2.0
"""Seconds between two looks."""
BACK: Final = timedelta(hours=24)
"""A part confirmed while no engine ran is still told of for so long."""
LATELY: Final = timedelta(hours=1)
"""Calls that began so long ago are asked again whose number it is."""
NAMED: Final = 5
"""Calls an alarm names."""
THEIRS: Final = ("victim", "caller")
"""Parts that make it a call of theirs. A suspect or a witness did not call."""


class Naming:
    """Looks for confirmed parts and for numbers learned. Runs beside the drain."""

    name = "naming"
    every = EVERY

    def __init__(
        self, store: Store, keys: Keys, drain: Drain, roles: Roles, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._keys = keys
        self._drain = drain
        self._roles = roles
        self._clock = clock
        self._failed: dict[str, datetime] = {}

    def turn(self, behind: float) -> None:
        """Look once. Raises ``StoreUnavailable``; what was not recorded is found again.

        A call of which it cannot be recorded keeps no other officer from being told.
        """
        with reading(self._store.engine) as connection:
            now = self._clock()
            found = [
                *self._found(connection, now - BACK),
                *recognised_since(connection, self._keys, self._roles, now - LATELY),
            ]
            new = self._drain.unknown(connection, found)
        failed = self._drain.record_each(new) if new else []
        self._failed = {call: self._failed.get(call, now) for call in failed}

    def _found(self, connection: Connection, since: datetime) -> list[Sealed]:
        """Return the events of parts confirmed since."""
        rows = connection.execute(
            select(parts.c.call_key, parts.c.person_id, parts.c.at, incidents.c.month)
            .join(incidents, incidents.c.call_key == parts.c.call_key)
            .where(
                parts.c.at >= since,
                parts.c.state == CONFIRMED,
                parts.c.part.in_(THEIRS),
                parts.c.ended_at.is_(None),
                incidents.c.purpose != "proof",
            )
            .order_by(parts.c.at, parts.c.id)
        ).all()
        calls = [Call(row.call_key, row.month, row.at, row.person_id) for row in rows]
        return matches(connection, self._keys, self._roles, calls, how="part")

    def hear(self, datagram: bytes) -> None:
        """Nothing is rung for it: the next look is soon."""

    def alarms(self) -> list[dict[str, Any]]:
        """Return one alarm for the calls whose officers could not be told."""
        failed = dict(self._failed)
        if not failed:
            return []
        named = ", ".join(sorted(map(self._keys.reference, failed))[:NAMED])
        text = f"The point of contact could not be told of {named}. Tell them."
        since = as_text(min(failed.values()))
        return [{"id": "officers-not-told", "text": text, "since": since}]
