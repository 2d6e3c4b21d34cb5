"""How long ago things happened, by the clock nobody can set. It reads no clock itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from incidents.fold import Incident


class Since:
    """How long ago things happened, by the steady clock, whatever the wall clock is set to.

    The wall clock is believed only for what cannot have been seen before: since the look before
    this one, and for how long the drain was behind. At the first look it is believed up to
    ``FIRST_MS``.
    """

    FIRST_MS: Final = 120_000

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[datetime, int]] = {}
        self._ms: int | None = None
        self._now_ms = 0
        self._at_most = self.FIRST_MS
        self._behind_ms = 0

    def look(self, ms: int, behind_ms: int = 0) -> None:
        """Begin a look at ``ms`` of the steady clock; the drain was ``behind_ms`` behind."""
        # What could not be copied until now is first seen when it can be again.
        late, self._behind_ms = max(behind_ms, self._behind_ms), behind_ms
        self._at_most = self.FIRST_MS if self._ms is None else max(0, ms - self._ms) + late
        self._ms = self._now_ms = ms

    def passed(self, at: datetime, now: datetime) -> int:
        """Milliseconds since ``at``, which is seen for the first time now."""
        told = (now - at) // timedelta(milliseconds=1)
        return max(0, min(told, self._at_most))

    def ms(self, what: str, call: str, at: datetime, now: datetime) -> int:
        """Milliseconds since ``at``, remembered from when it was first seen."""
        known = self._known.get((what, call))
        if known is None or known[0] != at:
            known = self._known[what, call] = at, self._now_ms - self.passed(at, now)
        return self._now_ms - known[1]

    def note(self, incident: Incident, now: datetime) -> None:
        """Remember when things happened to an incident: the first sight is what counts."""
        happened = {
            "key": incident.alerted_at,
            "claimed": incident.claimed_at,
            "ended": incident.ended_at,
        }
        for what, at in happened.items():
            if at is not None:
                self.ms(what, incident.call_key, at, now)

    def forget(self, open_calls: Mapping[str, object]) -> None:
        """Forget calls that are not open any more."""
        for key in [key for key in self._known if key[1] not in open_calls]:
            del self._known[key]
