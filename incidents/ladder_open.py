"""Every incident that is not over, kept in memory by what changed: nothing is searched twice.

A store of millions is gone through once, from the newest change backwards and a piece at
a time, so that no single question takes long and the alerts of today come first.
"""

import time
from dataclasses import dataclass
from typing import Final

from incidents.fold import Incident
from incidents.store import Store

PIECE: Final = 20_000
"""Revisions gone through by one question."""
PATIENCE: Final = 0.2
"""Seconds that one look spends on old revisions."""


@dataclass(frozen=True, slots=True)
class Known:
    """An incident, and when it was last seen to change, by the steady clock."""

    incident: Incident
    ms: int


class Unfinished:
    """What waits, is claimed, or has an open line."""

    def __init__(self, store: Store, piece: int = PIECE) -> None:
        self._store = store
        self._piece = piece
        self._newest: int | None = None
        self._oldest = 0
        self.calls: dict[str, Known] = {}

    @property
    def complete(self) -> bool:
        """Whether the whole store has been gone through."""
        return self._newest is not None and self._oldest <= 0

    def look(self, ms: int) -> None:
        """Take in what changed. ``ms``: the steady clock. Raises ``StoreUnavailable``."""
        if self._newest is None:
            self._newest = self._oldest = self._store.revision()
        while changed := self._store.changed_since(self._newest):
            for revision, incident in changed:
                self._newest = revision
                if _over(incident):
                    self.calls.pop(incident.call_key, None)
                else:
                    self.calls[incident.call_key] = Known(incident, ms)
        until = time.monotonic() + PATIENCE
        while self._oldest > 0:
            low = max(0, self._oldest - self._piece)
            for _, incident in self._store.unfinished(low, self._oldest):
                # What is known already was read later than this.
                self.calls.setdefault(incident.call_key, Known(incident, ms))
            self._oldest = low
            if time.monotonic() >= until:
                break


def _over(incident: Incident) -> bool:
    if incident.purpose == "proof":
        return True
    return incident.state not in ("waiting", "claimed") and incident.connection != "open"
