"""The Flask app of the phone side: routes, and a guard around everything.

It decides and does no I/O; ``edge`` puts on the disk what it decided before the
answer goes out. Whatever goes wrong behind a good signature, the answer is 200 and
TwiML that keeps the caller; without one it is 403 and nothing is left behind.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from flask import Flask, Response, request

from webhooks.answers import Answer, Answers
from webhooks.refusals import Refusals
from webhooks.signature import Signatures

log = logging.getLogger(__name__)

ANSWER = "quietline.answer"
"""Where in the WSGI environment the answer's events are left for the edge."""
TARGET = "quietline.target"
BODY = "quietline.body"
READY = "quietline.ready"
_XML = "text/xml; charset=utf-8"
_NO_CONTENT = 204

Decide = Callable[[dict[str, str], datetime], Answer]


class Ready(Protocol):
    """Says what keeps this process from taking calls, in words; empty when nothing does."""

    def __call__(self) -> list[str]: ...


def application(answers: Answers, signatures: Signatures, refusals: Refusals) -> Flask:
    """Build the app. Every route under ``/voice/`` demands a signature."""
    app = Flask("webhooks", static_folder=None)

    def guarded(decide: Decide) -> Response:
        params = _signed(signatures)
        if params is None:
            refusals.count(request.environ[BODY])
            return Response("not signed\n", 403, content_type="text/plain")
        try:
            answer = decide(params, datetime.now(UTC))
        except Exception:
            # The one broad except of the phone side: a caller is on this line.
            log.exception("the answer failed; the caller is kept on the line")
            last = answers.last_resort()
            answer = Answer([], last, last)
        request.environ[ANSWER] = answer
        if not answer.document:
            return Response(status=_NO_CONTENT)
        return Response(answer.document, content_type=_XML)

    def post(rule: str, view: Callable[..., Response]) -> None:
        app.add_url_rule(
            rule, rule, view, methods=["POST"], provide_automatic_options=False, strict_slashes=True
        )

    def step(token: str) -> Response:
        return guarded(lambda params, now: answers.next_step(token, params, now))

    def whisper(path: str) -> Response:
        return guarded(lambda params, now: answers.whisper(path, params, now))

    def status() -> Response:
        guarded_status = guarded(answers.status)
        if guarded_status.status_code == 403:
            return guarded_status
        return Response(status=_NO_CONTENT)

    post("/voice/incoming", lambda: guarded(answers.incoming))
    post("/voice/status", status)
    post("/voice/fallback", lambda: guarded(answers.fallback))
    post("/voice/step/<token>", step)
    post("/voice/whisper/<path:path>", whisper)
    # An address an older release gave out, or a slip in the number's settings:
    # whoever is signed is a caller, and is kept.
    post("/voice/<path:rest>", lambda rest: guarded(answers.lost))

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz")
    def readyz() -> tuple[dict[str, object], int]:
        ready: Ready = request.environ[READY]
        problems = ready()
        return {"ready": not problems, "problems": problems}, 503 if problems else 200

    return app


def _signed(signatures: Signatures) -> dict[str, str] | None:
    given = request.headers.getlist("X-Twilio-Signature")
    if len(given) != 1:
        return None
    return signatures.signed(
        request.environ[TARGET],
        request.environ[BODY],
        request.headers.get("Content-Type", ""),
        request.headers.get("Content-Encoding", ""),
        given[0],
    )
