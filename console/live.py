"""``GET /live``: the board as server-sent events, for as long as a screen stays.

Native asynchronous code: an open screen costs a socket, never a thread. It
refuses whoever holds neither a session nor a token, and signs nobody out while
the feed is open and the session stands. ``POST /live/heard`` is a page's ping, which
tells a screen that is awake from one that is frozen.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, MutableMapping, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from console.doors import COOKIE, Doors
from console.feed import Subscriber
from console.heard import Heard
from console.mounted import refuse
from console.watch import Watch
from incidents.accounts import Holder
from incidents.audit import Audit
from incidents.transactions import StoreUnavailable

HEARD: Final = "/live/heard"
PATHS: Final = frozenset({"/live", HEARD})
ASK_AGAIN_EVERY_S: Final = 15.0
"""How often open feeds are counted as use of their session, and ended ones let go."""


class Live:
    """The ASGI application behind ``/live``."""

    def __init__(
        self,
        watch: Watch,
        doors: Doors,
        headers: Sequence[tuple[bytes, bytes]] = (),
        heard: Heard | None = None,
        audit: Audit | None = None,
    ) -> None:
        self._audit = audit
        self._noting: set[asyncio.Task[None]] = set()
        self._heard = heard
        self._holders: dict[str, Holder] = {}
        self._headers = [pair for pair in headers if pair[0] != b"cache-control"]
        self._watch = watch
        self._doors = doors
        self._shown: dict[Subscriber, tuple[str | None, dict[str, str]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = HTTPConnection(scope)
        shown = asked.headers.get("authorization"), asked.cookies
        pings = scope["path"] == HEARD
        method = "POST" if pings else "GET"
        if scope["method"] != method:
            await self._refuse(send, 405, f"Use {method}.", (b"allow", method.encode()))
            return
        if pings and asked.headers.get("x-requested-with") != "fetch":
            # No page of another site can send this header with somebody's cookie.
            await self._refuse(send, 403, "Send X-Requested-With: fetch.")
            return
        secret = shown[0] or asked.cookies.get(COOKIE, "")
        if pings and (known := self._holders.get(secret)) is not None:
            # Its feed is open and looked after: nobody needs to be asked again.
            await self._ping(secret, known, send)
            return
        try:
            found = await asyncio.to_thread(self._doors.holder, *shown)
        except StoreUnavailable:
            later = (b"retry-after", b"5")
            await self._refuse(send, 503, "The store cannot be asked who you are.", later)
            return
        if found is None:
            challenge = (b"www-authenticate", b'Bearer realm="Quietline"')
            await self._refuse(send, 401, "Sign in, or send a bearer token.", challenge)
            return
        if not found.may("read"):
            await self._refuse(send, 403, "Your role may not read incidents.")
            return
        if pings:
            await self._ping(secret, found, send)
            return
        after = asked.headers.get("last-event-id") or _after(scope["query_string"])
        session = asked.cookies[COOKIE] if found.by == "session" else None
        subscriber = self._watch.feed.join(session, found.name)
        self._shown[subscriber] = shown
        self._holders[secret] = found
        if self._heard is not None:
            self._heard.opened(secret, found)
        self._note(found)
        try:
            await self._serve(subscriber, after or None, receive, send)
        finally:
            self._shown.pop(subscriber, None)
            if all(one != shown for one in self._shown.values()):
                self._holders.pop(secret, None)
            if self._heard is not None:
                self._heard.closed(secret, found)
            self._watch.feed.leave(subscriber)

    def _note(self, holder: Holder) -> None:
        """Log that a feed was opened. No alert waits for it: a slow store would hold it up."""
        if self._audit is None:
            return
        told = holder.name, "consultation", "opened the live feed", "board"
        noting = asyncio.to_thread(partial(self._audit.note, at=self._doors.clock()), *told)
        task = asyncio.get_running_loop().create_task(noting)
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _ping(self, secret: str, holder: Holder, send: Send) -> None:
        if self._heard is not None:
            self._heard.pinged(secret, holder)
        headers = [(b"cache-control", b"no-store"), *self._headers]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _refuse(
        self, send: Send, status: int, text: str, *headers: tuple[bytes, bytes]
    ) -> None:
        await refuse(send, status, text, (*headers, *self._headers))

    async def _serve(
        self, subscriber: Subscriber, after: str | None, receive: Receive, send: Send
    ) -> None:
        start = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
            *self._headers,
        ]
        await send({"type": "http.response.start", "status": 200, "headers": start})
        loop = asyncio.get_running_loop()
        sender = loop.create_task(self._send(subscriber, after, send))
        listener = loop.create_task(_until_gone(receive))
        try:
            ends: set[asyncio.Future[Any]] = {sender, listener, subscriber.gone}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # The server is stopping and has waited long enough: end the answer
            # properly, so that the screen comes back at once.
            subscriber.let_go("stopping")
        finally:
            for task in (sender, listener):
                task.cancel()
            await asyncio.gather(sender, listener, return_exceptions=True)
        if subscriber.gone.done() and subscriber.gone.result() != "slow":
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, subscriber: Subscriber, after: str | None, send: Send) -> None:
        await _piece(send, self._watch.greeting())
        subscriber.starts_after, missed = await self._watch.catch_up(after)
        await _piece(send, missed)
        subscriber.send = partial(_whole, send)
        while True:
            await _piece(send, await subscriber.take())

    @contextlib.asynccontextmanager
    async def keeping_sessions(self) -> AsyncIterator[None]:
        """Count open feeds as use, and let go those whose session or token was ended."""
        task = asyncio.get_running_loop().create_task(self._keep_sessions())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _keep_sessions(self) -> None:
        while True:
            await asyncio.sleep(ASK_AGAIN_EVERY_S)
            for subscriber, shown in list(self._shown.items()):
                # With the store down nobody is signed out; and a session that only
                # ran out is not ended under a handler who watches alerts come.
                with contextlib.suppress(StoreUnavailable):
                    if await asyncio.to_thread(self._doors.shut, *shown):
                        subscriber.let_go("signed out")


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _whole(send: Send, message: MutableMapping[str, Any]) -> None:
    await send(message)


async def _piece(send: Send, body: bytes) -> None:
    if body:
        await send({"type": "http.response.body", "body": body, "more_body": True})


def _after(query: bytes) -> str | None:
    try:
        return parse_qs(query.decode("ascii"), max_num_fields=10).get("after", [None])[-1]
    except ValueError:
        return None
