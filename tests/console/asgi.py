"""Ask an ASGI application directly: no server, no socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Message = MutableMapping[str, Any]
App = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[Message]],
        Callable[[Message], Awaitable[None]],
    ],
    Awaitable[None],
]


@dataclass(slots=True)
class Answer:
    """What an application said so far."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    over: bool = False
    grew: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def text(self) -> str:
        """The body so far."""
        return self.body.decode()

    async def until(self, words: str, seconds: float = 5.0) -> str:
        """Wait until the body holds ``words``; returns the body."""
        async with asyncio.timeout(seconds):
            while words not in self.text:
                self.grew.clear()
                await self.grew.wait()
        return self.text


class Request:
    """One request under way."""

    def __init__(
        self, app: App, path: str, *, query: str = "", method: str = "GET", **headers: str
    ) -> None:
        self.answer = Answer()
        self.stuck = asyncio.Event()
        self.stuck.set()
        self._gone = asyncio.Event()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [
                (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
            ],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 8056),
        }
        self.task = asyncio.ensure_future(app(scope, self._receive, self._send))

    async def finish(self) -> Answer:
        """Wait for the end of the answer."""
        await asyncio.wait_for(self.task, 5)
        return self.answer

    async def leave(self) -> None:
        """Close the connection from this side."""
        self._gone.set()
        await asyncio.wait_for(self.task, 5)

    async def _receive(self) -> Message:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, said: Message) -> None:
        await self.stuck.wait()
        if said["type"] == "http.response.start":
            self.answer.status = said["status"]
            self.answer.headers = {name.decode(): value.decode() for name, value in said["headers"]}
        else:
            self.answer.body += said.get("body", b"")
            self.answer.over = not said.get("more_body", False)
        self.answer.grew.set()
