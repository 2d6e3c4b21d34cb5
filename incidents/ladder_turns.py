"""The ladder's turns in the engine: climb, and take up orders that were left behind."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from incidents.carrier import Carrier, utc_now
from incidents.ladder import Climber
from incidents.steady import Steady, steady

CLIMB_EVERY: Final = 0.25
SWEEP_EVERY_MS: Final = 1000


class LadderTurns:
    """Gives the ladder its turns. Decides nothing."""

    name = "ladder"
    every = CLIMB_EVERY

    def __init__(
        self,
        climber: Climber,
        carrier: Carrier,
        *,
        clock: Callable[[], datetime] = utc_now,
        steady: Callable[[], Steady] = steady,
    ) -> None:
        self._climber = climber
        self._carrier = carrier
        self._clock = clock
        self._steady = steady
        self._swept_ms: int | None = None
        self.climbed_ms: int | None = None
        """When the ladder was last gone through to the end; None: never yet."""

    def turn(self, behind: float) -> None:
        """Sweep once a second, what was left behind first; then climb."""
        now, at = self._clock(), self._steady()
        if self._swept_ms is None or at.ms - self._swept_ms >= SWEEP_EVERY_MS:
            self._swept_ms = at.ms
            self._carrier.sweep(now)
        self._climber.climb(now, at, behind)
        self.climbed_ms = self._steady().ms

    def hear(self, datagram: bytes) -> None:
        """Nothing that others ring is of interest here."""

    def alarms(self) -> list[dict[str, Any]]:
        """Return none: the watchman tells what stands out."""
        return []
