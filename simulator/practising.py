"""One practice call in real time, and the feed of what happens in it.

A thread lets its time pass, as Twilio would; whoever listens is told of every moment, and how to
answer a question as soon as the voice has told it. A call nobody listens to any more hangs up by
itself.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from simulator.answering import How, told_last
from simulator.call import Call, new_sid
from simulator.exchange import Exchange
from simulator.moments import Key, Note, Spoke, Stimulus, Wait
from simulator.network import Exchanged
from simulator.signing import sign

HEARTBEAT_SECONDS: Final = 10.0
UNHEARD_SECONDS: Final = 30.0
LONGEST_CALL_SECONDS: Final = 45 * 60.0
MOST_SHOWN: Final = 20_000


@dataclass(slots=True)
class Feed:
    """Everything that happened in one call, oldest first, for any number of listeners."""

    events: list[tuple[str, str]] = field(default_factory=list)
    over: bool = False
    listeners: int = 0
    last_left: float = field(default_factory=time.monotonic)
    _bells: dict[asyncio.Event, asyncio.AbstractEventLoop] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def say(self, event: str, data: Mapping[str, object]) -> None:
        """Add one event. Called from any thread."""
        with self._lock:
            self.events.append((event, json.dumps(data)))
            self.over = self.over or event == "over"
            bells = list(self._bells.items())
        for bell, loop in bells:
            loop.call_soon_threadsafe(bell.set)

    async def follow(self, after: int) -> AsyncIterator[bytes]:
        """Yield server-sent events after number ``after``, until the call is over."""
        bell = asyncio.Event()
        with self._lock:
            self._bells[bell] = asyncio.get_running_loop()
            self.listeners += 1
        place = after
        try:
            while True:
                bell.clear()
                for event, data in self.events[place:]:
                    place += 1
                    yield f"id: {place}\nevent: {event}\ndata: {data}\n\n".encode()
                if self.over and place >= len(self.events):
                    return
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await bell.wait()
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            with self._lock:
                del self._bells[bell]
                self.listeners -= 1
                self.last_left = time.monotonic()

    def unheard(self) -> bool:
        """Whether nobody has listened for a while: the tab was closed."""
        return self.listeners == 0 and time.monotonic() - self.last_left > UNHEARD_SECONDS


class PracticeCall:
    """A caller at a keypad in a browser."""

    def __init__(self, exchange: Exchange, number: str, to: str = "") -> None:
        self.sid = new_sid("CA")
        self.feed = Feed()
        self.began = time.monotonic()
        self._exchange = exchange
        self._number = number
        self._to = to
        self._call: Call | None = None
        self._said: list[str] = []
        self._how: How | None = None
        self._thread = threading.Thread(target=self._play, daemon=True, name="practice")

    @property
    def over(self) -> bool:
        """Whether the line is closed."""
        return self.feed.over

    def start(self) -> None:
        """Place the call; returns at once."""
        self._thread.start()

    def press(self, key: str) -> None:
        """Press one key."""
        self._happens(Key(key))

    def speak(self, words: str) -> None:
        """Say something."""
        self._happens(Spoke(words, lasting=max(0.8, len(words.split()) * 0.4)))

    def hang_up(self) -> None:
        """Put the phone down."""
        if self._call is not None:
            self._call.hang_up()

    def _happens(self, stimulus: Stimulus) -> None:
        if self._call is not None and not self.over:
            self._call.happens(stimulus)

    def _play(self) -> None:
        try:
            self._call = self._exchange.place(
                self._number,
                self._to,
                sid=self.sid,
                observe=self._observe,
                seen=self._see,
                moved=self._move,
                placed=self._take,
            )
            while self._call.wait is not None:
                self._call.elapse(1.0)
                if self.feed.unheard() or time.monotonic() - self.began > LONGEST_CALL_SECONDS:
                    self._call.hang_up()
        finally:
            by = self._call.ended_by if self._call is not None else None
            self.feed.say("over", {"by": by or "error"})

    def _take(self, call: Call) -> None:
        self._call = call

    def _observe(self, note: Note) -> None:
        shown = {"at": round(note.at, 1), "kind": note.kind, "text": note.text, **note.detail}
        if note.kind != "heard":
            self.feed.say("note", shown)
            return
        self._said = [*self._said[-1:], note.detail["say"]]
        how = told_last(self._said)
        # The page keeps the question in sight while the voice goes on to tell how to answer it.
        self.feed.say("note", {**shown, "tells_how": how is not None})
        if how is not None and how != self._how:
            self._how = how
            self.feed.say("how", {"yes": str(how.yes), "no": str(how.no)})

    def _move(self, wait: Wait | None) -> None:
        if wait is not None:
            self.feed.say("wait", {"kind": wait.kind, "seconds": round(wait.seconds, 1)})

    def _see(self, exchanged: Exchanged) -> None:
        answer = exchanged.answer
        parameters = list(exchanged.parameters)
        self.feed.say(
            "web",
            {
                "url": exchanged.url,
                "form": [[name, value] for name, value in parameters if value],
                "signature": sign(exchanged.url, parameters, self._exchange.target.auth_token),
                "status": None if answer is None else answer.status,
                "failure": exchanged.failure,
                "milliseconds": round(exchanged.milliseconds, 1),
                "answer": ""
                if answer is None
                else answer.body[:MOST_SHOWN].decode("utf-8", "replace"),
            },
        )
