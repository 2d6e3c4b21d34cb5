"""Keep the board fresh and tell every feed what changed.

The board is read on one thread of its own, so that a slow disk or store never
holds up the event loop; everything that touches the board goes through that
thread, in order. It wakes by datagram and looks by itself every 250 ms.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final, TypeVar

from console import words
from console.beats import Alarm, Beats, read
from console.feed import Feed, message
from console.view import View, told_of, view
from incidents.board import Board
from incidents.fold import Entry, Incident
from incidents.wake import Bell, Ear

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.25
BEAT_EVERY_S: Final = 5.0
ALARMS_EVERY_S: Final = 1.0
ECHO_EVERY_S: Final = 0.2
"""How often screens are told of what changed no word on the board: alerts go first."""
MOST_REMEMBERED: Final = 5000
PATIENCE_S: Final = 10.0
"""How long a page waits for the board's thread before it says so."""

Found = TypeVar("Found")


def utc_now() -> datetime:
    """Return the time: aware UTC."""
    return datetime.now(UTC)


class Watch:
    """Watches the board, the other processes and the clock for all feeds."""

    def __init__(
        self,
        board: Board,
        ear: Ear,
        *,
        feed: Feed | None = None,
        beats: Beats | None = None,
        clock: Callable[[], datetime] = utc_now,
        bell: Bell | None = None,
    ) -> None:
        self._bell = bell
        self._proved_at: datetime | None = None
        self.feed = feed if feed is not None else Feed()
        self.beats = beats if beats is not None else Beats(clock())
        self._board = board
        self._ear = ear
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="board")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._awake = asyncio.Event()
        self._number = 0
        self._view = View()
        self._told = (-1, b"")
        self._alarms: dict[str, Alarm] = {}
        self._last: OrderedDict[str, Incident] = OrderedDict()
        self._echoes: dict[str, bytes] = {}

    # -- for pages, on any thread ---------------------------------------------

    def ask(self, question: Callable[[Board], Found]) -> Found:
        """Ask the board something, on its own thread. Raises ``TimeoutError`` when it hangs."""
        return self._thread.submit(question, self._board).result(PATIENCE_S)

    def view(self) -> View:
        """Return what the board shows now."""
        return self.ask(lambda _: self._view_now())

    def incident(self, reference: str) -> Incident | None:
        """Return an incident as the board has it, or None."""
        return self.ask(lambda board: board.incident(reference))

    def newest(self, reference: str) -> Incident | None:
        """Return an incident as it stands now, whether or not the board has looked since."""
        return self.ask(lambda board: board.newest(reference))

    def timeline(self, reference: str) -> list[Entry] | None:
        """Return an incident's timeline as the board has it, or None."""
        return self.ask(lambda board: board.timeline(reference))

    def alarms(self) -> list[Alarm]:
        """Return the alarms that stand."""
        return self.beats.alarms(self._clock())

    def status(self) -> Mapping[str, bool]:
        """Say of each part whether it works, for the status strip."""
        now = self._clock()
        return {
            "phone": not self.beats.silent("phone", now),
            "engine": not self.beats.silent("engine", now),
            "store": bool(self._board.store_ok),
            "journal": bool(self._board.journal_ok),
        }

    def look_now(self) -> None:
        """Look at the board at once: something was just written here."""
        self._on_loop(self._awake.set)

    def end_feeds(self, session: str) -> None:
        """End the feeds of a session that was signed out."""
        self._on_loop(lambda: self.feed.end(session))

    def end_feeds_of(self, name: str) -> None:
        """End every feed of a person, whatever it was opened with."""
        self._on_loop(lambda: self.feed.end_of(name))

    def _on_loop(self, act: Callable[[], None]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(act)

    # -- for the live feed, on the loop ---------------------------------------

    def beat(self) -> bytes:
        """Give the message that proves the feed alive, with what a screen must not miss."""
        data: dict[str, object] = {
            "at": words.utc(self._clock()),
            "status": dict(self.status()),
            "alarms": list(self._alarms),
            "proved_at": None if self._proved_at is None else words.utc(self._proved_at),
        }
        return b": heartbeat\n\n" + message("beat", data)

    def greeting(self) -> bytes:
        """Give what every joining feed hears first: a beat, then the alarms that stand."""
        alarms = [message("alarm", alarm.as_json()) for alarm in self._alarms.values()]
        return b"".join([b"retry: 1000\n\n", self.beat(), *alarms])

    async def catch_up(self, after: str | None) -> tuple[int, bytes]:
        """Return what a screen that last saw ``after`` has missed, or the whole board.

        With it comes the number of the refresh it is complete up to.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._catch_up, after)

    # -- the watch itself ------------------------------------------------------

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch for as long as the block runs."""
        loop = self._loop = asyncio.get_running_loop()
        loop.add_reader(self._ear.fileno(), self._hear)
        tasks = [loop.create_task(self._keep_fresh()), loop.create_task(self._keep_beating())]
        try:
            yield
        finally:
            self.feed.stop()
            loop.remove_reader(self._ear.fileno())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._loop = None
            self._thread.shutdown(wait=False, cancel_futures=True)
            self._ear.close()

    def _hear(self) -> None:
        now = self._clock()
        for datagram in self._ear.receive():
            beat = read(datagram, now)
            if beat is None:
                self._awake.set()
            else:
                self.beats.hear(beat, now)
        self._tell_alarms()

    async def _keep_fresh(self) -> None:
        loop = asyncio.get_running_loop()
        echoed_at = -ECHO_EVERY_S
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), LOOK_EVERY_S)
            self._awake.clear()
            try:
                number, told = await loop.run_in_executor(self._thread, self._refresh)
            except Exception:
                # The screens must say that they may be blind; the next look may work.
                log.exception("the board could not be read")
                self._own_alarm("board", "New alerts may not reach this screen", raised=True)
                continue
            if told:
                self.feed.publish(told, number)
            if self._echoes and loop.time() - echoed_at >= ECHO_EVERY_S:
                echoed_at = loop.time()
                echoes = await loop.run_in_executor(self._thread, self._take_echoes)
                self.feed.publish(echoes)
            self._own_alarm("board", "", raised=False)
            self._own_alarm(
                "store",
                "Store unavailable: alerts still arrive, notes cannot be saved",
                raised=not self._board.store_ok,
            )
            self._own_alarm(
                "journal",
                "Journal unreadable here: alerts may arrive late",
                raised=not self._board.journal_ok,
            )
            unread = "".join(alarm["text"] for alarm in self._board.unread.alarms())
            self._own_alarm("unread", unread, raised=bool(unread))
            self._tell_alarms()

    async def _keep_beating(self) -> None:
        beats_each = round(BEAT_EVERY_S / ALARMS_EVERY_S)
        count = 0
        while True:
            self._tell_alarms()
            if count % beats_each == 0:
                self.feed.publish(self.beat())
            count += 1
            await asyncio.sleep(ALARMS_EVERY_S)

    def _own_alarm(self, name: str, text: str, *, raised: bool) -> None:
        if raised:
            self.beats.raise_own(name, text, self._clock())
        else:
            self.beats.end_own(name)

    def _tell_alarms(self) -> None:
        standing = {alarm.id: alarm for alarm in self.alarms()}
        for name in self._alarms.keys() - standing.keys():
            self.feed.publish(message("alarm", self._alarms[name].as_json(over=True)))
        for name, alarm in standing.items():
            known = self._alarms.get(name)
            if known is None or known.text != alarm.text:
                self.feed.publish(message("alarm", alarm.as_json()))
        self._alarms = standing

    # -- on the board's thread -------------------------------------------------

    def _refresh(self) -> tuple[int, bytes]:
        changes = [change for change in self._board.refresh() if change.incident.purpose != "proof"]
        proof = self._tell_proof()
        if not changes:
            return self._number, proof
        self._number += 1
        told = [proof] if proof else []
        for change in changes:
            incident = change.incident
            if self._last.get(incident.reference) == incident:
                # Nothing to see on a board, but the timeline may have grown: the
                # store tells of a note and of every event it has copied alike.
                self._echoes[incident.reference] = told_of(incident)
            else:
                self._echoes.pop(incident.reference, None)
                told.append(told_of(incident, change.id))
            self._last[incident.reference] = incident
            self._last.move_to_end(incident.reference)
        while len(self._last) > MOST_REMEMBERED:
            self._last.popitem(last=False)
        return self._number, b"".join(told)

    def _tell_proof(self) -> bytes:
        """Tell the engine and every screen that a call of the watchman has come all the way."""
        calls, self._board.proved = self._board.proved, []
        if not calls:
            return b""
        now = self._proved_at = self._clock()
        if self._bell is not None:
            beat = {"process": "console", "pid": os.getpid(), "at": words.utc(now), "alarms": []}
            self._bell.ring(json.dumps({**beat, "proved": calls}).encode())
        return message("proof", {"at": words.utc(now)})

    def _take_echoes(self) -> bytes:
        echoes, self._echoes = self._echoes, {}
        return b"".join(echoes.values())

    def _view_now(self) -> View:
        if self._view.number != self._number or not self._number:
            changes = self._board.snapshot()
            told = (change.incident for change in changes)
            self._view = view(told, self._number, self._board.place())
        return self._view

    def _catch_up(self, after: str | None) -> tuple[int, bytes]:
        missed = self._board.since(after) if after else None
        if missed is not None:
            told = [
                told_of(change.incident, change.id)
                for change in missed
                if change.incident.purpose != "proof"
            ]
            return self._number, b"".join(told)
        current = self._view_now()
        if self._told[0] != current.number or not self._number:
            self._told = (current.number, current.as_messages())
        return self._number, self._told[1]
