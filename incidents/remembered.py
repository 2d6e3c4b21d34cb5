"""What the store said a moment ago about a secret, so that an outage signs nobody out.

With the store down, alerts still come from the journal; a console that could not
show its token would be blind exactly then. So a good answer is remembered, in
memory only, under named bounds. It never remembers a refusal, and never a
secret: keys are digests.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from incidents.transactions import StoreUnavailable

FRESH_FOR: Final = timedelta(seconds=5)
"""A good answer is used without asking again: so long may an ended token live on elsewhere."""
OUTAGE_FOR: Final = timedelta(hours=8)
"""While the store cannot be reached, an answer this old still counts: a shift, no longer."""
ASK_AGAIN_AFTER: Final = timedelta(seconds=2)
"""After the store failed, it is left alone for so long: a slow store must not hold up a feed."""
AT_MOST: Final = 4096
"""Answers kept; the one used longest ago goes first."""


H = TypeVar("H")


@dataclass(frozen=True, slots=True)
class _Answer(Generic[H]):
    holder: H
    asked_at: datetime
    over_at: datetime


class Remembered(Generic[H]):
    """Good answers by digest, safe for threads. ``now`` is an argument throughout."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, _Answer[H]] = OrderedDict()
        self._failed_at: datetime | None = None
        self._lock = threading.Lock()

    def look_up(
        self, digest: str, ask: Callable[[], tuple[H, datetime] | None], *, now: datetime
    ) -> H | None:
        """Return the holder for ``digest``, asking the store when the answer is not fresh.

        ``ask`` gives the holder and when the secret runs out by itself, or None for
        a refusal. Raises ``StoreUnavailable`` when the store cannot be asked and
        nothing usable is remembered.
        """
        with self._lock:
            known = self._answers.get(digest)
            failed_at = self._failed_at
        if known is not None and now < known.over_at and now - known.asked_at < FRESH_FOR:
            return known.holder
        try:
            if failed_at is not None and now - failed_at < ASK_AGAIN_AFTER:
                raise StoreUnavailable("left alone after a failure")
            answer = ask()
        except StoreUnavailable:
            with self._lock:
                if failed_at is None or now - failed_at >= ASK_AGAIN_AFTER:
                    self._failed_at = now
            if known is None or now >= known.over_at or now - known.asked_at >= OUTAGE_FOR:
                raise
            return known.holder
        with self._lock:
            self._failed_at = None
            self._answers.pop(digest, None)
            if answer is None:
                return None
            holder, over_at = answer
            self._answers[digest] = _Answer(holder, now, over_at)
            if len(self._answers) > AT_MOST:
                self._answers.popitem(last=False)
        return holder

    def forget(self, digest: str) -> None:
        """Drop one answer: its secret was ended here."""
        with self._lock:
            self._answers.pop(digest, None)

    def forget_all(self) -> None:
        """Drop every answer: the next request of each asks the store."""
        with self._lock:
            self._answers.clear()
