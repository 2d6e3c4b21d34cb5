"""The time of one call: virtual (a timeout elapses at once) or real (it is waited for)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

WORDS_PER_MINUTE = 150.0


@dataclass(slots=True)
class Clock:
    """Seconds since the call began. A virtual clock moves only when it is told to."""

    virtual: bool = True
    _elapsed: float = 0.0
    _started: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        """Return the seconds since the call began."""
        return self._elapsed if self.virtual else time.monotonic() - self._started

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once. Raises ValueError on a real clock."""
        if not self.virtual:
            raise ValueError("a real clock cannot be moved")
        self._elapsed += max(0.0, seconds)

    @staticmethod
    def today() -> datetime:
        """Return the date and time, aware, UTC: webhooks carry it even in virtual time."""
        return datetime.now(UTC)


def speaking_seconds(text: str) -> float:
    """Estimate how long Twilio's voice needs for ``text``."""
    words = len(text.split())
    pauses = sum(text.count(mark) for mark in ".?!;")
    return round(0.3 + words * 60.0 / WORDS_PER_MINUTE + 0.25 * pauses, 2)
