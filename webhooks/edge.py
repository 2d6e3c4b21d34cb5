"""The edge of the phone process: bytes in, journal, bytes out.

It reads the request (a slow one costs a coroutine, never a worker), lets the Flask
app decide, waits until the journal has the events, and only then answers. It also
tells the consoles every two seconds how this process is.
"""

import asyncio
import io
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

from flask import Flask

from config.policy import Policy
from config.settings import Settings
from incidents.fold import as_text
from incidents.journal import Journal, JournalFailed
from incidents.recorded import seal
from incidents.sealed import Keys
from incidents.wake import Bell
from webhooks.acknowledge import Acknowledged
from webhooks.answers import Answer, Answers
from webhooks.documents import Documents
from webhooks.phone import ANSWER, BODY, READY, TARGET
from webhooks.phone import application as flask_app
from webhooks.refusals import Refusals
from webhooks.signature import Signatures

log = logging.getLogger(__name__)

LARGEST_BODY = 8_000_000
"""Bytes; 1 MB of speech in percent-encoded bytes of any script fits twice."""
BODY_SECONDS = 10.0
"""Seconds a whole body may take; Twilio itself gives up after 15."""
BEAT = 2.0

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class BodyRefused(Exception):
    """The body is too large, too slow, or broke off. ``status`` is the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Edge:
    """The ASGI application of one phone process."""

    def __init__(self, settings: Settings, policy: Policy) -> None:
        self._settings = settings
        self._keys = Keys(settings.key_material)
        documents = Documents(policy.voices, settings.public_url, settings.control_room)
        self._answers = Answers(policy, self._keys, documents, settings.control_room)
        self._refusals = Refusals(settings.account_sid)
        signatures = Signatures(settings.public_url, settings.auth_tokens)
        self._flask: Flask = flask_app(self._answers, signatures, self._refusals)
        self._journal: Journal | None = None
        self._acknowledged: Acknowledged | None = None
        self._beating: asyncio.Task[None] | None = None
        self._answered = self._failed = 0
        self._unwritten_since: datetime | None = None
        self._since: dict[str, str | None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or take part in the server's start and stop."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self._stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _start(self) -> None:
        if self._journal is None:
            first, spare = self._settings.journals
            self._journal = Journal(first, spare, self._settings.wake)
            if self._settings.acknowledge == "store":
                self._acknowledged = Acknowledged(self._settings.wake)
            self._beating = asyncio.get_running_loop().create_task(self._beat())

    def _stop(self) -> None:
        if self._beating:
            self._beating.cancel()
        if self._acknowledged:
            self._acknowledged.close()
        if self._journal:
            self._journal.close()

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _read(receive)
        except TimeoutError:
            await _send(send, 408, [], b"")
            return
        except BodyRefused as refused:
            if refused.status:
                await _send(send, refused.status, [], b"")
            return
        environ = _environ(scope, body)
        environ[READY] = self._problems
        status, headers, answer_body = self._decide(environ)
        answer: Answer | None = environ.get(ANSWER)
        if answer is not None and answer.events:
            kept = await self._keep(answer)
            if not kept and answer.document:
                answer_body = answer.instead
                headers = [pair for pair in headers if pair[0] != b"content-length"]
                headers.append((b"content-length", str(len(answer_body)).encode()))
        self._answered += answer is not None
        await _send(send, status, headers, answer_body)

    def _decide(self, environ: dict[str, Any]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        answered: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _e: Any = None) -> Any:
            answered[:] = [int(status[:3]), headers]

        body = b"".join(self._flask.wsgi_app(environ, start_response))
        headers = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in answered[1]]
        return answered[0], headers, body

    async def _keep(self, answer: Answer) -> bool:
        """Put the answer's events on a disk. Returns whether that was done."""
        try:
            if self._journal is None:
                self._start()
            assert self._journal is not None
            sealed = [seal(event, self._keys) for event in answer.events]
            file, position = await self._journal.keep(sealed)
        except JournalFailed as error:
            self._failed += 1
            self._unwritten_since = self._unwritten_since or datetime.now(UTC)
            log.critical("an event could not be written anywhere: %s", error)
            return False
        self._unwritten_since = None
        if self._acknowledged:
            await self._acknowledged.wait(file, position)
        return True

    def _problems(self) -> list[str]:
        if self._journal is None:
            return ["the journal is not open yet"]
        if self._unwritten_since:
            return ["the journal cannot be written"]
        first, spare = self._journal.first, self._journal.spare
        if (first.trouble or first.stalled()) and (spare.trouble or spare.stalled()):
            return ["the journal cannot be written"]
        return []

    async def _beat(self) -> None:
        bell = Bell(self._settings.wake)
        while True:
            bell.ring(json.dumps(self._status()).encode())
            await asyncio.sleep(BEAT)

    def _status(self) -> dict[str, Any]:
        assert self._journal is not None
        now = as_text(datetime.now(UTC))
        alarms = {}
        if self._refusals.many():
            alarms["refused-webhooks"] = (
                "Requests that name our own Twilio account are refused: callers may hear an "
                "error. Check QUIETLINE_PUBLIC_URL and TWILIO_AUTH_TOKEN against the number's "
                "settings."
            )
        if self._unwritten_since:
            alarms["journal-failed"] = (
                "Calls cannot be written to any disk. Callers are still answered. "
                "Free or mend the disk of the data folder now."
            )
        elif self._journal.troubles():
            alarms["journal-spare"] = (
                "The journal's disk does not take events; the spare one is in use. "
                "Free or mend the disk of the data folder."
            )
        self._since = {name: self._since.get(name) or now for name in alarms}
        figures = self._journal.first.figures
        unstored = self._acknowledged.unstored() if self._acknowledged else 0
        late = self._acknowledged.late if self._acknowledged else 0
        return {
            "process": "phone",
            "pid": os.getpid(),
            "at": now,
            "alarms": [
                {"id": name, "text": text, "since": self._since[name]}
                for name, text in alarms.items()
            ],
            "counters": {
                "webhooks_answered": self._answered,
                "webhooks_refused": self._refusals.total,
                "webhooks_refused_naming_us": self._refusals.naming_us,
                "journal_commits": figures.commits,
                "journal_events": figures.events,
                "journal_failures": figures.failures,
                "journal_spared": self._journal.spared,
                "journal_unwritten": self._failed,
                "answered_journal_only": late,
            },
            "gauges": {
                "journal_commit_ms": round(figures.latest_ms, 3),
                "journal_commit_slowest_ms": round(figures.slowest_ms, 3),
                "journal_only": unstored,
            },
        }


def application(settings: Settings, policy: Policy) -> Edge:
    """Build the phone side's ASGI application."""
    return Edge(settings, policy)


async def _read(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BodyRefused(0)
        part = message.get("body", b"")
        size += len(part)
        if size > LARGEST_BODY:
            raise BodyRefused(413)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """Build what a WSGI app expects. The body was read already, so Flask need not."""
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    raw_path = raw_path.partition(b"?")[0]
    query: bytes = scope.get("query_string") or b""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": "phone",
        "SERVER_PORT": "0",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        TARGET: raw_path + (b"?" + query if query else b""),
        BODY: body,
    }
    signatures = []
    for name, value in scope["headers"]:
        if name == b"x-twilio-signature":
            signatures.append(value.decode("latin-1"))
        elif name == b"content-type":
            environ["CONTENT_TYPE"] = value.decode("latin-1")
        elif name == b"content-encoding":
            environ["HTTP_CONTENT_ENCODING"] = value.decode("latin-1")
    if len(signatures) == 1:
        environ["HTTP_X_TWILIO_SIGNATURE"] = signatures[0]
    return environ


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
