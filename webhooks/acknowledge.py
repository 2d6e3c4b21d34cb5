"""Waits until the store has an event too, where a machine may vanish with its disk.

The phone never touches the store: the engine tells how far each journal file has
been copied, and this listens. The wait is short, and what it did not see in time is
marked until it is seen.
"""

import asyncio
import json
from collections import Counter
from pathlib import Path

from incidents.wake import DRAINED, Ear

WAIT = 0.3
"""Seconds an answer waits for the store (``QUIETLINE_ACKNOWLEDGE=store``)."""


class Acknowledged:
    """How far the store is, as the engine last told."""

    def __init__(self, wake: Path) -> None:
        self._ear = Ear(wake, "phone")
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._ear.fileno(), self._hear)
        self._stored: dict[str, int] = {}
        self._waiting: list[tuple[str, int, asyncio.Future[None]]] = []
        # Answers that were committed together share a position; each of them counts.
        self._journal_only: Counter[tuple[str, int]] = Counter()
        self.late = 0

    async def wait(self, file: str, position: int) -> bool:
        """Wait until the store has ``position`` of ``file``. Returns whether it has."""
        if self._stored.get(file, 0) >= position:
            return True
        future = self._loop.create_future()
        waiting = (file, position, future)
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(WAIT):
                await future
        except TimeoutError:
            # With the engine gone for hours nothing else would ever clear these.
            if waiting in self._waiting:
                self._waiting.remove(waiting)
            self.late += 1
            self._journal_only[file, position] += 1
            return False
        return True

    def unstored(self) -> int:
        """How many answers are marked ``journal_only`` and not yet in the store."""
        return self._journal_only.total()

    def close(self) -> None:
        """Stop listening."""
        self._loop.remove_reader(self._ear.fileno())
        self._ear.close()

    def _hear(self) -> None:
        for datagram in self._ear.receive():
            if datagram.startswith(DRAINED):
                self._stored.update(json.loads(datagram[len(DRAINED) :]))
        waiting = []
        for file, position, future in self._waiting:
            if future.done():
                continue
            if self._stored.get(file, 0) >= position:
                future.set_result(None)
            else:
                waiting.append((file, position, future))
        self._waiting = waiting
        for file, position in list(self._journal_only):
            if self._stored.get(file, 0) >= position:
                del self._journal_only[file, position]
