"""The engine's loop: copies the journal to the store and tells everyone how it goes.

Several engines may be started on one data folder; a lock decides which one works,
and the next takes over when it is killed. A store that is down stops nothing but
this loop, which says so and tries again. What runs beside the drain, the ladder and the
watchman, runs on threads of its own: neither ever holds the drain up.
"""

import fcntl
import json
import logging
import os
import select
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from callflow.profiles import Profile
from incidents.drain import Drain
from incidents.fold import as_text
from incidents.forgetting import forget_proofs, forget_requests
from incidents.marker_kinds import MarkerKinds
from incidents.roles import Roles
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tail import Tail
from incidents.transactions import StoreUnavailable
from incidents.wake import DRAINED, STORE, Bell, Ear

log = logging.getLogger(__name__)

POLL_MS = 250
"""Milliseconds after which the journal is looked at without being woken."""
PACE = 0.05
"""Seconds between two batches. Screens have the events from the journal already, and each batch
costs a flush of the disk that the journal's own flushes, with callers behind them, wait for."""
BEAT = 2.0
"""Seconds between status beats."""
LAG_ALARM = 10.0
"""Seconds of lag after which the drain raises an alarm."""
BACK_OFF = 1.0
"""Seconds to wait before a store that does not answer is tried again."""
KEEP_FILES = 3600.0
"""Seconds a finished journal file is kept after it is wholly in the store."""
TIDY = 60.0
AT_LEAST = 0.4
"""Part of the time between two turns of what runs beside the drain that no wake-up shortens."""
END_WITHIN = 2.0
"""Seconds given to a turn that is under way when the engine is told to stop."""


class Stop(Protocol):
    """Says whether it is time to stop; a ``threading.Event`` does."""

    def is_set(self) -> bool: ...


class Beside(Protocol):
    """Something that works beside the drain, in turns, while this engine is the one that works."""

    name: str
    every: float
    """Seconds between two turns; being woken makes the next one come at once."""

    def turn(self, behind: float) -> None:
        """Do what is due. ``behind``: seconds for which the drain cannot copy.

        Raises ``StoreUnavailable``; it is then tried again.
        """

    def hear(self, datagram: bytes) -> None:
        """Take in what another process rang. On the drain's thread: it must not wait."""

    def alarms(self) -> list[dict[str, Any]]:
        """Return the alarms that stand, each with ``id``, ``text`` and ``since``."""


@runtime_checkable
class Counts(Protocol):
    """Something beside the drain that also has figures of its own to tell."""

    def gauges(self) -> dict[str, float]:
        """Return the gauges that are known now, by name."""


@dataclass(slots=True)
class Figures:
    """What the engine did since it began."""

    events: int = 0
    batches: int = 0
    store_failures: int = 0
    lag_seconds: float = 0.0
    behind_since: float | None = None
    store_down_since: datetime | None = None


@dataclass(slots=True)
class Engine:
    """One engine on one data folder."""

    store: Store
    journals: Sequence[Path]
    wake: Path
    keys: Keys
    profiles: Mapping[str, Profile]
    markers: MarkerKinds
    roles: Roles
    besides: Sequence[Beside] = ()
    figures: Figures = field(default_factory=Figures)

    def run(self, stop: Stop) -> None:
        """Drain until ``stop`` is set."""
        with open(self.wake.parent / "engine.lock", "a", encoding="ascii") as lock:
            ear, bell = Ear(self.wake, "engine"), Bell(self.wake)
            try:
                self._run(stop, lock.fileno(), ear, bell)
            finally:
                ear.close()

    def _run(self, stop: Stop, lock: int, ear: Ear, bell: Bell) -> None:
        tail = Tail(self.journals)
        drain = Drain(self.store, tail, self.keys, self.profiles, self.markers, self.roles)
        next_beat = next_tidy = 0.0
        # Not select(), which refuses descriptors over 1,023.
        poller = select.poll()
        poller.register(ear, select.POLLIN)
        working = False
        threads = [_Turns(beside, self.figures) for beside in self.besides]
        while not stop.is_set():
            if not working and _take(lock):
                working = True
                for thread in threads:
                    thread.start()
            came = self._drain(drain, bell, tail) if working else 0
            if came:
                for thread in threads:
                    thread.wake()
            now = time.monotonic()
            if now >= next_beat:
                next_beat = now + BEAT
                bell.ring(json.dumps(self._status(drain, working)).encode())
            if working and now >= next_tidy:
                next_tidy = now + TIDY
                self._tidy(tail)
            if came:
                time.sleep(PACE)
            else:
                poller.poll(POLL_MS)
            for datagram in ear.receive():
                for beside in self.besides if working else ():
                    beside.hear(datagram)
        for thread in threads:
            thread.end()
        tail.close()

    def _drain(self, drain: Drain, bell: Bell, tail: Tail) -> int:
        """Copy what is new. Returns how many events came, or 0 after a pause for the store."""
        figures = self.figures
        try:
            came = drain.run_once()
        except (StoreUnavailable, sqlite3.Error) as error:
            figures.store_failures += 1
            figures.store_down_since = figures.store_down_since or datetime.now(UTC)
            figures.behind_since = figures.behind_since or time.monotonic()
            log.error("the store does not answer: %s", error)
            time.sleep(BACK_OFF)
            return 0
        figures.store_down_since = None
        figures.behind_since = None
        if came:
            figures.events += came
            figures.batches += 1
            bell.ring(STORE)
            bell.ring(DRAINED + json.dumps(tail.positions()).encode())
        return came

    def _status(self, drain: Drain, working: bool) -> dict[str, object]:
        figures = self.figures
        behind = figures.behind_since
        figures.lag_seconds = 0.0 if behind is None else time.monotonic() - behind
        alarms = []
        if figures.store_down_since and figures.lag_seconds > LAG_ALARM:
            alarms.append(
                {
                    "id": "drain-lag",
                    "text": "Events wait in the journal: the store does not take them. "
                    "Alerts of this machine still come; history may be behind.",
                    "since": as_text(figures.store_down_since),
                }
            )
        if drain.aside:
            alarms.append(
                {
                    "id": "set-aside",
                    "text": f"{drain.aside} event(s) could not be read and were set aside. "
                    "Ask whoever runs this system to look at the table set_aside.",
                    "since": as_text(datetime.now(UTC)),
                }
            )
        alarms += self.store.unread.alarms()
        told: dict[str, float] = {}
        if working:
            for beside in self.besides:
                alarms += beside.alarms()
                if isinstance(beside, Counts):
                    told |= beside.gauges()
        return {
            "process": "engine",
            "pid": os.getpid(),
            "at": as_text(datetime.now(UTC)),
            "alarms": alarms,
            "counters": {
                "drained_events": figures.events,
                "drain_batches": figures.batches,
                "store_failures": figures.store_failures,
                "events_set_aside": drain.aside,
            },
            "gauges": {
                "drain_lag_seconds": round(figures.lag_seconds, 3),
                "working": int(working),
                "fields_unread": len(self.store.unread),
                **told,
            },
        }

    def _tidy(self, tail: Tail) -> None:
        """Delete journal files that are finished, wholly stored and no longer fresh.

        One that holds an event set aside stays: there it stands whole, for whoever mends it.
        An empty one, of a writer that never had to write, goes at once.
        """
        try:
            stored, aside = self.store.drained(), self.store.files_set_aside()
            now = datetime.now(UTC)
            forget_proofs(self.store, now)
            forget_requests(self.store, now)
            self.store.look_again()
        except StoreUnavailable:
            return
        for reading in tail.finished():
            name, position = reading.name, stored.get(reading.name, 0)
            try:
                # How far it was read says nothing: more may have been written before the
                # writer died, or the store may have been down since.
                behind = reading.holds_after(position)
            except sqlite3.Error:
                continue
            finally:
                reading.close()
            if behind or name in aside or (position and reading.age() <= KEEP_FILES):
                continue
            tail.forget(name)
            reading.remove()


class _Turns:
    """Gives something that works beside the drain its turns, on a thread of its own."""

    def __init__(self, beside: Beside, figures: Figures) -> None:
        self._beside = beside
        self._figures = figures
        self._awake = threading.Event()
        self._ended = threading.Event()
        self._failed = False
        # A daemon: one that waits for a network that is gone must not keep the engine alive.
        self._thread = threading.Thread(target=self._run, name=beside.name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Let the next turn come at once."""
        self._awake.set()

    def end(self) -> None:
        """End after the turn that is under way, and wait a moment for it."""
        self._ended.set()
        self._awake.set()
        if self._thread.is_alive():
            self._thread.join(END_WITHIN)

    def _run(self) -> None:
        while not self._ended.is_set():
            pause = self._beside.every
            try:
                self._beside.turn(self._behind())
                self._failed = False
            except StoreUnavailable as error:
                pause = BACK_OFF
                if not self._failed:
                    log.error("%s: the store does not answer: %s", self._beside.name, error)
                self._failed = True
            except Exception:
                # Broad on purpose: the next turn may work, and none must end them all.
                pause = BACK_OFF
                log.critical("%s failed", self._beside.name, exc_info=True)
            # Woken for every batch of a busy hour, it would do nothing else: part of its pause
            # it takes in any case.
            self._ended.wait(pause * AT_LEAST)
            self._awake.wait(pause * (1 - AT_LEAST))
            self._awake.clear()

    def _behind(self) -> float:
        since = self._figures.behind_since
        return 0.0 if since is None else time.monotonic() - since


def _take(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
