"""Watches the review queue: an alarm while what is in it is not looked at in time (rule 8).

It counts and tells; it moves no call, chooses nobody and calls nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from incidents.fold import as_text
from incidents.reviewing import Reviewing
from incidents.transactions import StoreUnavailable

EVERY: Final = 15.0
"""Seconds between two looks: the times it watches are minutes."""


class LateReviews:
    """Looks at the queue beside the drain. Until it has counted it tells no number."""

    name = "reviews"
    every = EVERY

    def __init__(self, reviewing: Reviewing, clock: Callable[[], datetime]) -> None:
        self._reviewing = reviewing
        self._clock = clock
        self._late: int | None = None
        self._standing: tuple[str, datetime] | None = None

    def turn(self, behind: float) -> None:
        """Count what is overdue. Raises ``StoreUnavailable``; an alarm then stands as it stood."""
        now = self._clock()
        try:
            self._late, long = self._reviewing.neglected(now)
        except StoreUnavailable:
            self._late = None
            raise
        policy = self._reviewing.policy
        if self._late < policy.alarm_at and not long:
            self._standing = None
            return
        since = self._standing[1] if self._standing else now
        calls = "1 call in review was" if self._late == 1 else f"{self._late} calls in review were"
        minutes = int(policy.alarm_after.total_seconds() // 60)
        told = f", one for more than {minutes} minutes" if long else ""
        text = f"{calls} not looked at in time{told}. Open the review queue."
        self._standing = text, since

    def hear(self, datagram: bytes) -> None:
        """Nothing is rung for it: the next look is soon."""

    def alarms(self) -> list[dict[str, Any]]:
        """Return the alarm while it stands."""
        if self._standing is None:
            return []
        text, since = self._standing
        return [{"id": "reviews-overdue", "text": text, "since": as_text(since)}]

    def gauges(self) -> dict[str, float]:
        """Return how many are overdue; nothing while that is not known."""
        return {} if self._late is None else {"reviews_overdue": self._late}
