"""Who is at work, as this console hears it: requests, open feeds and a page's pings.

Written to the store every few seconds in one batch, on a thread of its own, so that the live
feed never waits; what could not be written is kept and written later. A frozen browser keeps its
socket open, so a feed that ever pinged counts only while it goes on pinging.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final

from incidents.accounts import Holder
from incidents.presence import AWAY, Presence, Sign
from incidents.transactions import StoreUnavailable

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0
WRITE_EVERY_S: Final = 4.0
"""At most 5 s may pass between two signs of life in the store (issue text, The ladder): the look
that finds a batch due is up to a second late."""
BACK_AFTER: Final = timedelta(seconds=10)
"""Somebody not heard from for so long is written down at once when they are back."""
PINGS_LAST_S: Final = AWAY.total_seconds()


class Heard:
    """Everybody heard from. Safe to be told on any thread."""

    def __init__(
        self,
        presence: Presence,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._presence = presence
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._asked: dict[str, tuple[str, datetime]] = {}
        self._feeds: Counter[tuple[str, str, str]] = Counter()
        self._pinged: dict[str, tuple[float, datetime]] = {}
        self._written: dict[str, Sign] = {}
        self._written_at = -WRITE_EVERY_S

    def asked(self, holder: Holder) -> None:
        """Take in a request."""
        with self._lock:
            self._asked[holder.name] = holder.role, self._clock()

    def opened(self, shown: str, holder: Holder) -> None:
        """Take in a live feed that was opened; ``shown`` is the secret it was opened with."""
        with self._lock:
            self._feeds[shown, holder.name, holder.role] += 1

    def closed(self, shown: str, holder: Holder) -> None:
        """Take in the end of a live feed."""
        with self._lock:
            feed = shown, holder.name, holder.role
            self._feeds[feed] -= 1
            if self._feeds[feed] <= 0:
                del self._feeds[feed]
            if not any(one == shown for one, _, _ in self._feeds):
                self._pinged.pop(shown, None)

    def pinged(self, shown: str, holder: Holder) -> None:
        """Take in a page's ping."""
        with self._lock:
            now = self._clock()
            self._asked[holder.name] = holder.role, now
            if any(one == shown for one, _, _ in self._feeds):
                self._pinged[shown] = self._monotonic(), now

    def signs(self) -> list[Sign]:
        """Return who was heard from, and when: a page by its ping, a program by its open feed."""
        with self._lock:
            return self._signs()

    def _signs(self) -> list[Sign]:
        now, at = self._clock(), self._monotonic()
        found = {name: Sign(name, role, when, None) for name, (role, when) in self._asked.items()}
        for shown, name, role in self._feeds:
            pinged, when = self._pinged.get(shown, (at, now))
            if at - pinged >= PINGS_LAST_S:
                continue
            known = found.get(name)
            if known is not None and known.heard_at > when:
                found[name] = Sign(name, role, known.heard_at, max(known.feed_at or when, when))
            else:
                found[name] = Sign(name, role, when, when)
        return list(found.values())

    def write(self) -> bool:
        """Write a batch if one is due. Returns whether one was written.

        Somebody new is written at once; the others every few seconds.
        """
        at = self._monotonic()
        with self._lock:
            # A frozen page gives the same sign again and again: nothing new was heard.
            signs = [sign for sign in self._signs() if self._written.get(sign.name) != sign]
            new = any(self._is_back(sign) for sign in signs)
            if not signs or (not new and at - self._written_at < WRITE_EVERY_S):
                return False
            asked, self._asked = self._asked, {}
            self._written_at = at
        try:
            self._presence.note(signs)
        except StoreUnavailable:
            with self._lock:
                self._asked = {**asked, **self._asked}
            return False
        with self._lock:
            self._written.update({sign.name: sign for sign in signs})
        return True

    def _is_back(self, sign: Sign) -> bool:
        known = self._written.get(sign.name)
        return known is None or sign.heard_at - known.heard_at > BACK_AFTER

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Write batches for as long as the block runs."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="heard")
        task = asyncio.get_running_loop().create_task(self._keep_writing(thread))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            thread.shutdown(wait=False, cancel_futures=True)

    async def _keep_writing(self, thread: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await loop.run_in_executor(thread, self.write)
            except Exception:
                # Broad on purpose: whoever is at work must be written down again in a second.
                log.exception("who is at work could not be written down")
