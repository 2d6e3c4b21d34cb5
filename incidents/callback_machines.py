"""Ends a call-back that a machine has answered, so that no message is ever left.

Twilio tells it beside the call, seconds after it was picked up; the officer says nothing
meanwhile (their script says so). It ends calls and rings nobody.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from incidents.callback_state import STARTED, Sealed, place_of
from incidents.carrier import utc_now
from incidents.orders import CALL_BACK_PATH, CallOver, LiveCalls, NotCarriedOut
from incidents.store import Store
from incidents.tables import callbacks
from incidents.transactions import reading

log = logging.getLogger(__name__)

OVER_PATH: Final = f"{CALL_BACK_PATH}over"
"""No order stands in it, so the phone side lets go whoever we rang."""
LATELY: Final = timedelta(minutes=30)
"""A call-back that was asked for before that is long over."""


class Machines:
    """Its turns in the engine."""

    name = "call-backs"
    every = 0.5

    def __init__(
        self,
        store: Store,
        calls: LiveCalls,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._calls = calls
        self._clock = clock
        self._ended: set[str] = set()

    def turn(self, behind: float) -> None:
        """End what a machine has answered. Raises ``StoreUnavailable``."""
        for id_, leg in self._answered():
            try:
                self._calls.play(leg, OVER_PATH)
            except CallOver:
                pass  # the officer was quicker
            except NotCarriedOut as error:
                log.warning("a call-back a machine answered could not be ended: %s", error)
                continue
            self._ended.add(id_)

    def hear(self, datagram: bytes) -> None:
        """Nothing that others ring is of interest here."""

    def alarms(self) -> list[dict[str, Any]]:
        """Return none: the officer is on the line and hears the machine."""
        return []

    def _answered(self) -> list[tuple[str, str]]:
        """Return the call-backs a machine has answered and that are not over, with their calls."""
        lately = self._clock() - LATELY
        query = select(callbacks.c.id, callbacks.c.data).where(
            callbacks.c.state == STARTED, callbacks.c.at > lately
        )
        with reading(self._store.engine) as connection:
            rows = connection.execute(query).all()
        found = []
        for row in rows:
            steps = self._store.unread.read(row.data, place_of(row.id), Sealed.read, Sealed()).steps
            leg = str(steps.get("callback_taken", {}).get("leg") or "")
            over = "callback_ended" in steps or row.id in self._ended
            if leg and "callback_machine" in steps and not over:
                found.append((row.id, leg))
        return found
