"""Applications beside the console's own, such as the practice phone: only for the signed-in."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import quote

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from console.doors import Doors
from incidents.transactions import StoreUnavailable


class ForSignedIn:
    """Let a request through to ``app`` only for a role that reads incidents."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = HTTPConnection(scope)
        shown = asked.headers.get("authorization"), asked.cookies
        try:
            found = await asyncio.to_thread(self._doors.holder, *shown)
        except StoreUnavailable:
            await refuse(send, 503, "The store cannot be asked who you are.")
            return
        if found is not None and found.may("read"):
            await self._app(scope, receive, send)
        elif found is not None:
            await refuse(send, 403, "Your role does not read incidents.")
        elif "text/html" in asked.headers.get("accept", ""):
            there = f"/sign-in?next={quote(asked.url.path)}".encode("ascii")
            await refuse(send, 303, "Sign in first.", ((b"location", there),))
        else:
            await refuse(send, 401, "Sign in first.")


async def refuse(
    send: Send, status: int, text: str, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    """Answer with one sentence in JSON."""
    body = json.dumps({"error": text}).encode()
    base = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))
    await send({"type": "http.response.start", "status": status, "headers": [*base, *headers]})
    await send({"type": "http.response.body", "body": body})
