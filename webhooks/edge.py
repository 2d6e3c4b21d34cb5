"""The edge of the phone process: bytes in, journal, bytes out.

It reads the request (a slow one costs a coroutine, never a worker), lets the Flask
app decide, waits until the journal has the events, and only then answers. It also
tells the consoles every two seconds how this process is.
"""

import asyncio
import json
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config.policy import Policy
from config.settings import Settings
from incidents.fold import as_text
from incidents.journal import Journal, JournalFailed
from incidents.recorded import seal
from incidents.routing import FILE as ROUTING
from incidents.routing import Snapshot
from incidents.sealed import Keys
from incidents.wake import Bell
from webhooks.acknowledge import Acknowledged
from webhooks.answers import Answer, Answers
from webhooks.documents import Documents
from webhooks.failures import told
from webhooks.phone import ANSWER, READY, rescue
from webhooks.phone import application as flask_app
from webhooks.refusals import Refusals
from webhooks.signature import Signatures
from webhooks.transport import BodyRefused, Receive, Scope, Send, environ_of, read, send_answer

log = logging.getLogger(__name__)

BODY_SECONDS = 10.0
"""Seconds a whole body may take; Twilio itself gives up after 15."""
BEAT = 2.0
"""Seconds between two status beats."""
LARGE_BODY = 65_536
"""Bytes above which a body is read in a thread, so that nobody else waits for it."""


class Edge:
    """The ASGI application of one phone process.

    ``beat``: seconds between status beats. ``answers`` and ``journal`` are given by tests only.
    """

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        *,
        beat: float = BEAT,
        answers: Answers | None = None,
        journal: Callable[[Path, Path, Path], Journal] = Journal,
    ) -> None:
        self._settings = settings
        self._beat_seconds = beat
        self._open_journal = journal
        self._keys = Keys(settings.key_material)
        documents = Documents(
            policy.voices, policy.questions, settings.public_url, settings.control_room
        )
        snapshot = Snapshot(settings.data / ROUTING, self._keys, policy.contact.stale_after)
        made = Answers(policy, self._keys, documents, settings.control_room, snapshot.find)
        self._answers = answers or made
        self._refusals = Refusals(settings.account_sid)
        signatures = Signatures(settings.public_url, settings.auth_tokens)
        self._prepared = self._answers.last_resort()
        self._flask = flask_app(self._answers, signatures, self._refusals)
        self._large = asyncio.Lock()
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
                try:
                    self._start()
                except OSError as error:
                    # A disk that is full or read-only now: calls are answered all the
                    # same, and each one tries again.
                    log.critical("the phone side started without its folders: %s", told(error))
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self._stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _start(self) -> None:
        if self._journal is None:
            first, spare = self._settings.journals
            self._journal = self._open_journal(first, spare, self._settings.wake)
            self._beating = asyncio.get_running_loop().create_task(self._beat())
            if self._settings.acknowledge == "store":
                self._acknowledged = Acknowledged(self._settings.wake)

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
                body = await read(receive)
        except TimeoutError:
            await send_answer(send, 408, [], b"")
            return
        except BodyRefused as refused:
            if refused.status:
                await send_answer(send, refused.status, [], b"")
            return
        environ = environ_of(scope, body)
        environ[READY] = self._problems
        if len(body) <= LARGE_BODY:
            status, headers, answer_body = self._decide(environ)
        else:
            async with self._large:
                decided = await asyncio.to_thread(self._decide, environ)
            status, headers, answer_body = decided
        answer: Answer | None = environ.get(ANSWER)
        if answer is not None and answer.events:
            kept = await self._keep(answer)
            if not kept and not answer.unwritten:
                answer_body = self._rescue(answer)
                headers = [pair for pair in headers if pair[0] != b"content-length"]
                headers.append((b"content-length", str(len(answer_body)).encode()))
        self._answered += answer is not None
        await send_answer(send, status, headers, answer_body)

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
        except Exception as error:
            # Whatever it was, the caller is still on the line and must hear our answer.
            self._failed += 1
            self._unwritten_since = self._unwritten_since or datetime.now(UTC)
            reason = error if isinstance(error, JournalFailed) else told(error)
            log.critical("an event could not be written anywhere: %s", reason)
            return False
        self._unwritten_since = None
        if self._acknowledged:
            await self._acknowledged.wait(file, position)
        return True

    def _rescue(self, answer: Answer) -> bytes:
        """Return what keeps the caller nobody wrote down, and owe the record of that too."""
        if self._journal is not None:
            failure = self._answers.failure(answer.events[-1])
            self._journal.owed.add([seal(failure, self._keys)], None)
        return rescue(self._answers, self._prepared)

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
            try:
                # Told first: a failure that is over by the next beat is still told once.
                bell.ring(json.dumps(self._status()).encode())
                await self._look_again()
            except Exception as error:
                # Without beats the consoles would show this process as dead, for good.
                log.critical("a status beat failed: %s", told(error))
            await asyncio.sleep(self._beat_seconds)

    async def _look_again(self) -> None:
        """Notice that a disk was mended without waiting for a caller to prove it.

        A balancer that sends nobody here while ``/readyz`` says 503 would else never learn.
        """
        assert self._journal is not None
        trouble = self._unwritten_since is not None or bool(self._journal.troubles())
        if trouble and await self._journal.mended():
            self._unwritten_since = None
        if self._journal.owed:
            await self._journal.pay()

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
                "webhooks_guarded": self._flask.guarded,
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
