"""Fan changes out to every open feed, one serialisation for all of them.

Everything here runs on one event loop. A feed that does not keep up is let go
(it catches up by ``Last-Event-ID``); it never holds up another one. A feed that
does keep up is written to at once, because waking a task for each of hundreds of
screens is most of what an alert's last screen waits for.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Mapping, MutableMapping
from typing import Any, Final, Literal

MOST_PENDING: Final = 512
"""Messages a feed may lag behind before it is let go."""
MOST_PENDING_BYTES: Final = 1 << 20

Reason = Literal["slow", "signed out", "stopping"]
Send = Callable[[MutableMapping[str, Any]], Coroutine[Any, Any, None]]
"""ASGI's ``send``, as a coroutine function."""


def message(event: str, data: Mapping[str, object], place: str | None = None) -> bytes:
    """Write one server-sent event. ``json.dumps`` keeps it on one line."""
    id_line = f"id: {place}\n" if place is not None else ""
    text = json.dumps(data, separators=(",", ":"))
    return f"{id_line}event: {event}\ndata: {text}\n\n".encode()


class _Rest:
    """What is left of a send that had to wait."""

    def __init__(self, sending: Coroutine[Any, Any, None], waits_for: Any) -> None:
        self._sending = sending
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        while True:
            yield self._waits_for
            try:
                self._waits_for = self._sending.send(None)
            except StopIteration:
                return


class Subscriber:
    """One open feed: what it has yet to send, and whether it must go."""

    __slots__ = (
        "_bytes",
        "_pending",
        "_rest",
        "_waiter",
        "gone",
        "name",
        "send",
        "session",
        "starts_after",
    )

    def __init__(self, session: str | None, name: str = "") -> None:
        self.session = session
        self.name = name
        self.starts_after = 0
        self.send: Send | None = None
        """How to write to it at once; None until it has caught up."""
        self._rest: _Rest | None = None
        self.gone: asyncio.Future[Reason] = asyncio.get_running_loop().create_future()
        self._pending: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        self._waiter: asyncio.Future[None] | None = None

    def put(self, number: int, data: bytes) -> None:
        """Add a message. ``number``: of the refresh it came from, or 0 for none."""
        if self.gone.done() or (self._idle() and self._sent_at_once(number, data)):
            return
        self._pending.append((number, data))
        self._bytes += len(data)
        if len(self._pending) > MOST_PENDING or self._bytes > MOST_PENDING_BYTES:
            self.let_go("slow")
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _idle(self) -> bool:
        waiter = self._waiter
        return waiter is not None and not waiter.done() and not self._pending

    def _sent_at_once(self, number: int, data: bytes) -> bool:
        """Begin to send, and leave to ``take`` only what the connection has no room for."""
        if self.send is None or 0 < number <= self.starts_after:
            return self.send is not None
        sending = self.send({"type": "http.response.body", "body": data, "more_body": True})
        try:
            waits_for = sending.send(None)
        except StopIteration:
            return True
        assert self._waiter is not None
        self._rest = _Rest(sending, waits_for)
        self._waiter.set_result(None)
        return True

    def let_go(self, reason: Reason) -> None:
        """End this feed."""
        if not self.gone.done():
            self.gone.set_result(reason)
            self._pending.clear()

    async def take(self) -> bytes:
        """Wait for messages and return all there are, as one piece.

        What a snapshot already told (``starts_after``) is passed over, so that an
        older state never follows a newer one.
        """
        while True:
            while not self._pending:
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter
                if self._rest is not None:
                    rest, self._rest = self._rest, None
                    await rest
            pieces = [data for number, data in self._pending if not 0 < number <= self.starts_after]
            self._pending.clear()
            self._bytes = 0
            if pieces:
                return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class Feed:
    """All open feeds."""

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self.stopping = False
        self.sent = 0
        self.let_go_slow = 0

    def __len__(self) -> int:
        return len(self._subscribers)

    def join(self, session: str | None, name: str = "") -> Subscriber:
        """Open a feed that from now on receives everything published.

        ``session`` and ``name``: what it was opened with, and by whom.
        """
        subscriber = Subscriber(session, name)
        self._subscribers.add(subscriber)
        if self.stopping:
            subscriber.let_go("stopping")
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """Close a feed."""
        self._subscribers.discard(subscriber)
        if subscriber.gone.done() and subscriber.gone.result() == "slow":
            self.let_go_slow += 1

    def publish(self, data: bytes, number: int = 0) -> None:
        """Give one message to every feed."""
        for subscriber in self._subscribers:
            subscriber.put(number, data)
        self.sent += len(self._subscribers)

    def end(self, session: str) -> None:
        """End the feeds of a session that was signed out."""
        for subscriber in list(self._subscribers):
            if subscriber.session == session:
                subscriber.let_go("signed out")

    def end_of(self, name: str) -> None:
        """End every feed of a person: their account was ended, or their role changed."""
        for subscriber in list(self._subscribers):
            if subscriber.name == name:
                subscriber.let_go("signed out")

    def stop(self) -> None:
        """End every feed: this process is stopping, and the screens shall come back."""
        self.stopping = True
        for subscriber in list(self._subscribers):
            subscriber.let_go("stopping")
