"""The practice phone: a phone in the browser whose calls go to this Quietline and nowhere else.

For training mode. It cannot reach 999 or anybody: it posts signed webhooks to the phone side.
The same application answers the REST orders Twilio would answer, under ``/twilio``, and passes
those to calls it does not know on to other exchanges of this machine (``elsewhere``).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from simulator.elsewhere import Elsewhere
from simulator.exchange import Exchange
from simulator.moments import FarEnd
from simulator.people import LANDLINE_DRAMA, MOBILE_DRAMA
from simulator.practising import PracticeCall
from simulator.rest import NO_SUCH_THING, WRONG_TOKEN, Reply
from simulator.target import Target

SignedIn = Callable[[Request], Awaitable[bool]]

STATIC: Final = Path(__file__).parent / "static"
MOST_CALLS: Final = 25
KEPT_CALLS: Final = 50
LONGEST_BODY: Final = 4096
LONGEST_SPEECH: Final = 200
_DRAMA: Final = re.compile(f"({re.escape(MOBILE_DRAMA)}|{re.escape(LANDLINE_DRAMA)})[0-9]{{3}}")
_KEY: Final = re.compile("[0-9*#]")

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def practice(
    target: Target, signed_in: SignedIn, lines: Mapping[str, str] | None = None
) -> Starlette:
    """Return the application: mount it at ``/practice``. ``signed_in`` tells who may use it.

    ``lines``: names of the lines that may be called besides the target's, by number.
    """
    phone = _Phone(target, signed_in, lines or {})
    return Starlette(
        routes=[
            Route("/", phone.page, methods=["GET"]),
            Route("/lines", phone.lines, methods=["GET"]),
            Route("/calls", phone.call, methods=["POST"]),
            Route("/calls/{sid}/keys", phone.keys, methods=["POST"]),
            Route("/calls/{sid}/speech", phone.speech, methods=["POST"]),
            Route("/calls/{sid}/hangup", phone.hang_up, methods=["POST"]),
            Route("/calls/{sid}/events", phone.events, methods=["GET"]),
            Route("/twilio/exchanges", phone.exchanges, methods=["PUT", "DELETE"]),
            Route("/twilio/{path:path}", phone.twilio, methods=["GET", "POST", "DELETE"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers={_Refused: _say_no},
    )


class _Refused(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


async def _say_no(_: Request, error: Exception) -> Response:
    assert isinstance(error, _Refused)
    return JSONResponse({"error": error.sentence}, error.status, HEADERS)


class _Phone:
    def __init__(self, target: Target, signed_in: SignedIn, lines: Mapping[str, str]) -> None:
        self._lines = {target.to_number: "Emergency", **lines}
        self._exchange = Exchange(
            target.phone_url,
            target.public_url,
            target.auth_token,
            target.account_sid,
            to_number=target.to_number,
            virtual=False,
        )
        # Whoever the product rings in practice takes the call: there is nobody to ask.
        self._exchange.anybody = FarEnd(presses="1")
        self._elsewhere = Elsewhere()
        self._signed_in = signed_in
        self._calls: dict[str, PracticeCall] = {}

    async def page(self, request: Request) -> Response:
        await self._guard(request)
        return FileResponse(STATIC / "practice.html", headers=HEADERS)

    async def lines(self, request: Request) -> Response:
        await self._guard(request)
        told = [{"number": number, "name": name} for number, name in self._lines.items()]
        return JSONResponse(told, 200, HEADERS)

    async def call(self, request: Request) -> Response:
        asked = await self._order(request)
        to = str(asked.get("to", "")) or self._exchange.target.to_number
        if to not in self._lines:
            raise _Refused(422, "Practice calls go to the lines of this Quietline only.")
        number = str(asked.get("from", ""))
        if number != "anonymous" and not _DRAMA.fullmatch(number):
            raise _Refused(
                422,
                f"Practice calls come from made-up numbers only: {MOBILE_DRAMA}000 to 999, "
                f"{LANDLINE_DRAMA}000 to 999, or withheld.",
            )
        if sum(not call.over for call in self._calls.values()) >= MOST_CALLS:
            raise _Refused(429, f"{MOST_CALLS} practice calls are open already: hang one up first.")
        self._forget()
        call = PracticeCall(self._exchange, number, to)
        self._calls[call.sid] = call
        call.start()
        return JSONResponse({"sid": call.sid, "to": to}, 201, HEADERS)

    async def keys(self, request: Request) -> Response:
        asked = await self._order(request)
        key = str(asked.get("key", ""))
        if not _KEY.fullmatch(key):
            raise _Refused(422, "A key is one of 0 to 9, * and #.")
        return await self._do(request, lambda call: call.press(key))

    async def speech(self, request: Request) -> Response:
        asked = await self._order(request)
        words = " ".join(str(asked.get("words", "")).split())[:LONGEST_SPEECH]
        if not words:
            raise _Refused(422, "Write what is said.")
        return await self._do(request, lambda call: call.speak(words))

    async def hang_up(self, request: Request) -> Response:
        await self._order(request)
        return await self._do(request, PracticeCall.hang_up)

    async def events(self, request: Request) -> Response:
        await self._guard(request)
        call = self._find(request)
        last = request.headers.get("last-event-id", "0")
        after = int(last) if last.isdecimal() else 0
        headers = {**HEADERS, "X-Accel-Buffering": "no"}
        return StreamingResponse(
            call.feed.follow(after), media_type="text/event-stream", headers=headers
        )

    async def twilio(self, request: Request) -> Response:
        """Answer a REST order; the account's own name and token guard it, not a sign-in."""
        body = await _body(request, 65_536)
        query = request.url.query
        target = f"/{request.path_params['path']}" + (f"?{query}" if query else "")
        headers = {name.lower(): value for name, value in request.headers.items()}
        reply = await asyncio.to_thread(self._order_by_rest, request.method, target, headers, body)
        return Response(reply.content, reply.status, media_type="application/json")

    def _order_by_rest(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        reply = self._exchange.rest.answer(method, target, headers, body)
        if reply is not NO_SUCH_THING:
            return reply
        return self._elsewhere.answer(method, target, headers, body)

    async def exchanges(self, request: Request) -> Response:
        """Let another exchange on this machine take the orders to its own calls."""
        body = await _body(request, LONGEST_BODY)
        if self._exchange.rest.authorised(request.headers.get("authorization", "")):
            reply = self._elsewhere.register(request.method, body)
        else:
            reply = WRONG_TOKEN
        return Response(reply.content, reply.status, media_type="application/json")

    async def _guard(self, request: Request) -> None:
        if not await self._signed_in(request):
            raise _Refused(401, "Sign in to the console first.")

    async def _order(self, request: Request) -> dict[str, Any]:
        """Check who asks and from where; return the JSON object that was sent."""
        await self._guard(request)
        origin = urlsplit(request.headers.get("origin", ""))
        if not origin.netloc or origin.netloc != request.headers.get("host"):
            raise _Refused(403, "Practice calls are placed from the practice page only.")
        body = await _body(request, LONGEST_BODY)
        try:
            asked = json.loads(body or b"{}")
        except ValueError:
            raise _Refused(422, "That is no JSON.") from None
        if not isinstance(asked, dict):
            raise _Refused(422, "An object was expected.")
        return asked

    def _find(self, request: Request) -> PracticeCall:
        call = self._calls.get(request.path_params["sid"])
        if call is None:
            raise _Refused(404, "There is no such call.")
        return call

    async def _do(self, request: Request, act: Callable[[PracticeCall], None]) -> Response:
        call = self._find(request)
        if call.over:
            raise _Refused(409, "The call is over.")
        await asyncio.to_thread(act, call)
        return Response(status_code=204, headers=HEADERS)

    def _forget(self) -> None:
        """Let go of the oldest calls that are over."""
        over = [sid for sid, call in self._calls.items() if call.over]
        for sid in over[: max(0, len(self._calls) - KEPT_CALLS)]:
            del self._calls[sid]
            self._exchange.rest.calls.pop(sid, None)


async def _body(request: Request, most: int) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise _Refused(413, "That is too long.")
    return body
