"""The journal: an event is on this machine's disk before its answer goes out.

One writer thread a folder takes everything that waits and commits it at once
(group commit), so a hundred callers cost one flush of the disk, one wake-up of the
thread and one of the loop. When the first folder cannot write, or takes too long,
the spare one does; when neither can, the caller of ``keep`` is told and the caller
on the phone is still answered. Waits are bounded whatever the disk does.
"""

import asyncio
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from incidents.owed import Owed
from incidents.recorded import Sealed
from incidents.segment import Segment
from incidents.wake import JOURNAL, Bell

log = logging.getLogger(__name__)

PATIENCE = 0.3
"""Seconds the first folder has to take an event before the spare one is tried."""
PATIENCE_WITH_SPARE = 0.55
"""Seconds the spare has: with both, the answer stays inside the second within which a caller must
hear something, and two folders on one disk that takes half a second for a flush still have it."""
REMEMBERED = 60.0
"""Seconds for which a failure is told after the folder writes again: a disk that failed once is
one to look at, and an alarm of a few milliseconds is seen by nobody."""
FULL = 50_000
"""Events after which a new file is begun, so that old ones can be deleted while this lives."""
MOST_BEHIND = 2_000
"""Webhooks that may queue behind a stalled flush: a disk that hangs for hours must not fill the
memory."""
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


class Poisoned(JournalFailed):
    """An event holds what no file can; the folder itself is well."""


class Folder:
    """One folder of the journal with its writer thread."""

    def __init__(self, path: Path, bell: Bell, patience: float = PATIENCE) -> None:
        self.path = path
        self._patience = patience
        self.figures = Figures()
        self.trouble: str | None = None
        self._failed: tuple[float, str] | None = None
        self._bell = bell
        self._ready = threading.Condition()
        self._queue: list[Waiting] = []
        self._gathered: list[Waiting] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pending: deque[tuple[float, asyncio.Future[tuple[str, int]]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._writing = _Batch()
        self._closed = False
        self._segment: Segment | None = None
        self._retry_at = 0.0
        self._thread = threading.Thread(target=self._run, name=f"journal {path.name}", daemon=True)
        self._thread.start()

    def stalled(self) -> bool:
        """Say whether the batch in hand has taken longer than anyone may wait."""
        began = self._writing.began
        return began > 0 and time.monotonic() - began > self._patience

    def told(self) -> str | None:
        """What is wrong with the folder, or was a moment ago, in words; None when nothing is."""
        if self.trouble:
            return self.trouble
        if self.stalled():
            return "not answering"
        if self._failed and time.monotonic() - self._failed[0] < REMEMBERED:
            return f"writes again, after {self._failed[1]}"
        return None

    def behind(self) -> int:
        """How many webhooks wait for a flush that has not begun."""
        return len(self._queue)

    def resting(self) -> bool:
        """Say whether the folder has just failed, so that waiting for it is of no use."""
        return self.trouble is not None and time.monotonic() < self._retry_at

    def submit(self, events: Sequence[Sealed]) -> "asyncio.Future[tuple[str, int]]":
        """Queue events; the future gives the file and position once they are on the disk.

        It fails with ``TimeoutError`` when the folder's patience is over; what was queued may
        still be written.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._hand_over()
            self._loop, self._pending, self._timer = loop, deque(), None
        future: asyncio.Future[tuple[str, int]] = loop.create_future()
        # Everything the loop has ready in this turn goes to the writer in one piece.
        if not self._gathered:
            loop.call_soon(self._hand_over)
        self._gathered.append(Waiting(events, future, loop))
        deadline = loop.time() + self._patience
        self._pending.append((deadline, future))
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._give_up)
        return future

    def close(self) -> None:
        """Commit what waits and stop."""
        self._hand_over()
        if self._timer is not None:
            self._timer.cancel()
        with self._ready:
            self._closed = True
            self._ready.notify()
        self._thread.join(timeout=PATIENCE)

    def _hand_over(self) -> None:
        """Give the writer what was gathered."""
        gathered, self._gathered = self._gathered, []
        if gathered:
            with self._ready:
                self._queue += gathered
                self._ready.notify()

    def _give_up(self) -> None:
        """Fail what has waited too long; one timer serves all that wait."""
        loop, pending = self._loop, self._pending
        assert loop is not None
        now = loop.time()
        while pending and (pending[0][1].done() or pending[0][0] <= now):
            _, future = pending.popleft()
            if not future.done():
                future.set_exception(TimeoutError(f"no answer in {self._patience} s"))
        self._timer = loop.call_at(pending[0][0], self._give_up) if pending else None

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
            if isinstance(result, Poisoned) and len(batch) > 1:
                # One event nobody can write must not take the others with it.
                for waiting in batch:
                    self._answer([waiting], self._write([waiting]))
            else:
                self._answer(batch, result)
            self._writing = _Batch()
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
            except (OverflowError, ValueError, TypeError) as error:
                # Not the disk's fault: the event itself cannot be written. What was
                # begun in this file is given up with it.
                self._segment.close()
                self._segment = None
                return Poisoned(f"an event cannot be written: {type(error).__name__}")
            else:
                self._count(len(events), (time.monotonic() - began) * 1000)
                name = self._segment.name
                if last >= FULL:
                    self._segment.close()
                    self._segment = None
                return name, last
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
        self._failed = (time.monotonic(), self.trouble)
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
        self.spare = Folder(spare, Bell(wake), PATIENCE_WITH_SPARE)
        self.spared = 0
        self.failed = 0
        self.owed = Owed(hopeless=Poisoned)

    async def keep(self, events: Sequence[Sealed]) -> tuple[str, int]:
        """Put events on a disk. Returns the file and position; raises ``JournalFailed``.

        What no disk took in time is owed: ``pay`` writes it once one does.
        """
        problem: BaseException | None = None
        for folder in self._willing():
            try:
                kept = await folder.submit(events)
            except (TimeoutError, sqlite3.Error, OSError) as error:
                problem = error
                continue
            self.spared += folder is self.spare
            return kept
        self.failed += 1
        self.owed.add(events, problem)
        why = problem or "all failed a moment ago"
        raise JournalFailed(f"no journal folder took the event: {why}") from problem

    def _willing(self) -> list[Folder]:
        """Return the folders worth waiting for: those that move, or else one that is only slow.

        When both are in the middle of a slow flush, it may be over in time. A caller turned away
        at once would be one more that no disk has.
        """
        both = (self.first, self.spare)
        moving = [folder for folder in both if not folder.stalled() and not folder.resting()]
        slow = [one for one in both if one.stalled() and one.behind() < MOST_BEHIND]
        return moving or slow[:1]

    async def mended(self) -> bool:
        """Try each folder in trouble with an empty batch. Returns whether any folder writes now."""
        good = False
        for folder in (self.first, self.spare):
            if folder.trouble is None and not folder.stalled():
                good = True
            elif not folder.stalled() and not folder.resting():
                good |= await self._tried(folder)
        return good

    async def pay(self) -> None:
        """Write what is owed to a folder that writes now."""
        for folder in (self.first, self.spare):
            if self.owed and not folder.stalled() and not folder.resting():
                await self.owed.pay(folder.submit)

    async def _tried(self, folder: Folder) -> bool:
        try:
            await folder.submit([])
        except (TimeoutError, sqlite3.Error, OSError):
            return False
        return True

    def troubles(self) -> list[str]:
        """What is wrong, or was a moment ago, in words; empty when both folders write."""
        return [
            f"journal folder {folder.path.name}: {told}"
            for folder in (self.first, self.spare)
            if (told := folder.told())
        ]

    def close(self) -> None:
        """Commit what waits and what is owed, and stop."""
        if self.owed:
            self.owed.hand_over(self.first.submit)
        self.first.close()
        self.spare.close()
