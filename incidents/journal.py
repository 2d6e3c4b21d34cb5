"""The journal: an event is on this machine's disk before its answer goes out.

One writer thread a folder takes everything that waits and commits it at once
(group commit), so a hundred callers cost one flush of the disk. When the first
folder cannot write, or takes too long, the spare one does; when neither can, the
caller of ``keep`` is told and the caller on the phone is still answered. Waits are
bounded whatever the disk does.
"""

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from incidents.recorded import Sealed
from incidents.segment import Segment
from incidents.wake import JOURNAL, Bell

log = logging.getLogger(__name__)

PATIENCE = 0.3
"""Seconds a folder has to take an event before the next one is tried; two of them and the answer
stay well inside the second within which a caller must hear something."""
REST = 1.0
"""Seconds a failed folder is left alone before a new file is tried in it."""


@dataclass(slots=True)
class Waiting:
    """Events one webhook waits for, and the loop that waits."""

    events: Sequence[Sealed]
    future: "asyncio.Future[tuple[str, int]]"
    loop: asyncio.AbstractEventLoop


@dataclass(slots=True)
class Figures:
    """What one folder did since the process began."""

    commits: int = 0
    events: int = 0
    failures: int = 0
    slowest_ms: float = 0.0
    latest_ms: float = 0.0


@dataclass(slots=True)
class _Batch:
    """What the writer thread has in hand."""

    waiting: list[Waiting] = field(default_factory=list)
    began: float = 0.0


class JournalFailed(OSError):
    """No folder took the event: the caller must be connected all the same."""


class Folder:
    """One folder of the journal with its writer thread."""

    def __init__(self, path: Path, bell: Bell) -> None:
        self.path = path
        self.figures = Figures()
        self.trouble: str | None = None
        self._bell = bell
        self._ready = threading.Condition()
        self._queue: list[Waiting] = []
        self._writing = _Batch()
        self._closed = False
        self._segment: Segment | None = None
        self._retry_at = 0.0
        self._thread = threading.Thread(target=self._run, name=f"journal {path.name}", daemon=True)
        self._thread.start()

    def stalled(self) -> bool:
        """Say whether the batch in hand has taken longer than anyone may wait."""
        began = self._writing.began
        return began > 0 and time.monotonic() - began > PATIENCE

    def resting(self) -> bool:
        """Say whether the folder has just failed, so that waiting for it is of no use."""
        return self.trouble is not None and time.monotonic() < self._retry_at

    def submit(self, events: Sequence[Sealed]) -> "asyncio.Future[tuple[str, int]]":
        """Queue events; the future gives the file and position once they are on the disk."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[tuple[str, int]] = loop.create_future()
        with self._ready:
            self._queue.append(Waiting(events, future, loop))
            self._ready.notify()
        return future

    def close(self) -> None:
        """Commit what waits and stop."""
        with self._ready:
            self._closed = True
            self._ready.notify()
        self._thread.join(timeout=PATIENCE)

    def _run(self) -> None:
        self._open()
        while True:
            with self._ready:
                while not self._queue and not self._closed:
                    self._ready.wait()
                batch, self._queue = self._queue, []
            if not batch:
                break
            self._writing = _Batch(batch, time.monotonic())
            result = self._write(batch)
            self._writing = _Batch()
            self._answer(batch, result)
        if self._segment:
            self._segment.close()

    def _write(self, batch: list[Waiting]) -> tuple[str, int] | Exception:
        events = [event for waiting in batch for event in waiting.events]
        problem: Exception = JournalFailed(f"journal folder {self.path.name} failed a moment ago")
        # After a failed flush the same file proves nothing more: a new file, and
        # the same events again. Keys are unique, so twice is harmless.
        for _ in range(2):
            if self._segment is None and not self._open():
                break
            assert self._segment is not None
            began = time.monotonic()
            try:
                last = self._segment.append(events)
            except (sqlite3.Error, OSError) as error:
                problem = error
                self._fail(error)
            else:
                self._count(len(events), (time.monotonic() - began) * 1000)
                return self._segment.name, last
        return problem

    def _open(self) -> bool:
        if time.monotonic() < self._retry_at:
            return False
        try:
            self._segment = Segment(self.path)
        except (sqlite3.Error, OSError) as error:
            self._fail(error)
            self._retry_at = time.monotonic() + REST
            return False
        return True

    def _fail(self, error: Exception) -> None:
        self.figures.failures += 1
        self.trouble = f"{type(error).__name__}: {error}"
        log.critical("journal folder %s failed: %s", self.path.name, self.trouble)
        if self._segment:
            self._segment.close()
            self._segment = None

    def _count(self, events: int, took_ms: float) -> None:
        self.trouble = None
        self.figures.commits += 1
        self.figures.events += events
        self.figures.latest_ms = took_ms
        self.figures.slowest_ms = max(self.figures.slowest_ms, took_ms)

    def _answer(self, batch: list[Waiting], result: tuple[str, int] | Exception) -> None:
        if not isinstance(result, Exception):
            self._bell.ring(JOURNAL)
        loops = {waiting.loop for waiting in batch}
        for loop in loops:
            mine = [waiting.future for waiting in batch if waiting.loop is loop]
            try:
                loop.call_soon_threadsafe(_settle, mine, result)
            except RuntimeError:
                continue  # the loop was closed: nobody waits any more


def _settle(
    futures: list["asyncio.Future[tuple[str, int]]"], result: tuple[str, int] | Exception
) -> None:
    for future in futures:
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)


class Journal:
    """The machine's memory: the first folder, and the spare when that cannot."""

    def __init__(self, first: Path, spare: Path, wake: Path) -> None:
        bell = Bell(wake)
        self.first = Folder(first, bell)
        self.spare = Folder(spare, Bell(wake))
        self.spared = 0
        self.failed = 0

    async def keep(self, events: Sequence[Sealed]) -> tuple[str, int]:
        """Put events on a disk. Returns the file and position; raises ``JournalFailed``."""
        problem: BaseException | None = None
        for folder in (self.first, self.spare):
            if folder.stalled() or folder.resting():
                problem = problem or JournalFailed(f"journal folder {folder.path.name} is stuck")
                continue
            future = folder.submit(events)
            try:
                async with asyncio.timeout(PATIENCE):
                    kept = await asyncio.shield(future)
            except (TimeoutError, sqlite3.Error, OSError) as error:
                future.add_done_callback(_forget)
                problem = error
                continue
            self.spared += folder is self.spare
            return kept
        self.failed += 1
        raise JournalFailed(f"no journal folder took the event: {problem}") from problem

    def troubles(self) -> list[str]:
        """What is wrong now, in words; empty when the first folder writes."""
        return [
            f"journal folder {folder.path.name}: {folder.trouble or 'not answering'}"
            for folder in (self.first, self.spare)
            if folder.trouble or folder.stalled()
        ]

    def close(self) -> None:
        """Commit what waits and stop."""
        self.first.close()
        self.spare.close()


def _forget(future: "asyncio.Future[tuple[str, int]]") -> None:
    """Take a late result nobody waits for, so that it is not reported as lost."""
    if not future.cancelled():
        future.exception()
