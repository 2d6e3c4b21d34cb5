"""The Flask app of the phone side: routes, and a guard around everything.

It decides and does no I/O; ``edge`` puts on the disk what it decided before the
answer goes out. Whatever goes wrong behind a good signature, the answer is 200 and
TwiML that keeps the caller; without one it is 403 and nothing is left behind.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, PathConverter

from incidents.recorded import Recorded
from webhooks import parameters
from webhooks.answers import Answer, Answers
from webhooks.callbacks import PARTS as CALL_BACK_PARTS
from webhooks.documents import HANG_UP
from webhooks.failures import told
from webhooks.refusals import Refusals
from webhooks.signature import Signatures

log = logging.getLogger(__name__)

ANSWER = "quietline.answer"
"""Where in the WSGI environment the answer's events are left for the edge."""
TARGET = "quietline.target"
BODY = "quietline.body"
READY = "quietline.ready"
OURS = ("/voice/page/", "/voice/take/", "/voice/call-back/")
"""Where those go whom we ring: somebody of ours, and whoever an officer calls back."""
_XML = "text/xml; charset=utf-8"
_NO_CONTENT = 204

Decide = Callable[[dict[str, str], datetime], Answer]


class Anything(PathConverter):
    """Matches every path, one with slashes, breaks or an empty part as well."""

    regex = "(?s:.+?)"
    part_isolating = False


class Phone(Flask):
    """Flask without a host to judge: callers wait, and no address of ours depends on one."""

    guarded = 0
    """Callers kept although something failed inside."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Match by path and method alone; what ``Host`` says is a stranger's word."""
        if request is None:
            return None
        path = request.environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        return MapAdapter(self.url_map, "phone", "/", "", "http", path, request.method)

    def wsgi_app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer without session, hooks and signals: a caller has none, and waits."""
        with self.request_context(environ):
            try:
                return self.make_response(self.dispatch_request())(environ, start_response)
            except HTTPException as refused:
                return refused.get_response(environ)(environ, start_response)


class Ready(Protocol):
    """Says what keeps this process from taking calls, in words; empty when nothing does."""

    def __call__(self) -> list[str]: ...


def application(answers: Answers, signatures: Signatures, refusals: Refusals) -> Phone:
    """Build the app. Every route that takes a POST demands a signature."""
    app = Phone("webhooks", static_folder=None)
    app.url_map.converters["anything"] = Anything
    app.url_map.merge_slashes = False  # it would redirect a signed caller: no answer at all

    prepared = answers.last_resort()

    def guarded(decide: Decide) -> Response:
        params = _signed(signatures)
        if params is None:
            refusals.count(request.environ[BODY])
            return Response("not signed\n", 403, content_type="text/plain")
        try:
            answer = decide(params, datetime.now(UTC))
        except Exception as error:
            # Broad on purpose: a caller is on this line.
            log.critical("the answer failed; the caller is kept on the line: %s", told(error))
            app.guarded += 1
            document = HANG_UP if _staff(params) else rescue(answers, prepared)
            answer = Answer(_failure(answers, params), document, unwritten=True)
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

    def order(token: str, sealed: str) -> Response:
        return guarded(lambda params, now: answers.order(token, sealed, params, now))

    def answer(token: str, sealed: str) -> Response:
        return guarded(lambda params, now: answers.answer(token, sealed, params, now))

    def reach(token: str, sealed: str) -> Response:
        return guarded(lambda params, now: answers.reach(token, sealed, params, now))

    def take(sealed: str) -> Response:
        return guarded(lambda params, now: answers.take(sealed, params, now))

    def take_answer(sealed: str) -> Response:
        return guarded(lambda params, now: answers.take_answer(sealed, params, now))

    def page(sealed: str) -> Response:
        return guarded(lambda params, now: answers.page(sealed, params, now))

    def page_answer(sealed: str) -> Response:
        return guarded(lambda params, now: answers.page_answer(sealed, params, now))

    def call_back(sealed: str, part: str = "") -> Response:
        return guarded(lambda params, now: answers.call_back(sealed, part, params, now))

    def whisper(path: str) -> Response:
        return guarded(lambda params, now: answers.whisper(path, params, now))

    def elsewhere(rest: str) -> Response:
        return guarded(lambda params, now: answers.lost(params, now, rest))

    def status() -> Response:
        guarded_status = guarded(answers.status)
        if guarded_status.status_code == 403:
            return guarded_status
        return Response(status=_NO_CONTENT)

    post("/voice/incoming", lambda: guarded(answers.incoming))
    post("/voice/status", status)
    post("/voice/fallback", lambda: guarded(answers.fallback))
    post("/voice/step/<token>", step)
    post("/voice/order/<token>/<sealed>", order)
    post("/voice/answer/<token>/<sealed>", answer)
    post("/voice/reach/<token>/<sealed>", reach)
    post("/voice/take/<sealed>", take)
    post("/voice/take/<sealed>/answer", take_answer)
    post("/voice/whisper/<path:path>", whisper)
    post("/voice/page/<sealed>", page)
    post("/voice/page/<sealed>/answer", page_answer)
    post("/voice/call-back/<sealed>", call_back)
    post(f"/voice/call-back/<sealed>/<any({','.join(CALL_BACK_PARTS)}):part>", call_back)
    # An address an older release gave out, or a slip in the number's settings:
    # whoever is signed is a caller, and is kept.
    post("/", lambda: elsewhere(""))
    post("/<anything:rest>", elsewhere)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz")
    def readyz() -> tuple[dict[str, object], int]:
        ready: Ready = request.environ[READY]
        problems = ready()
        return {"ready": not problems, "problems": problems}, 503 if problems else 200

    return app


def rescue(answers: Answers, prepared: bytes) -> bytes:
    """Keep the caller; should even that fail, with the document made at the start."""
    try:
        return answers.last_resort()
    except Exception as error:
        log.critical("the last resort failed: %s", told(error))
        return prepared


def _failure(answers: Answers, params: dict[str, str]) -> Sequence[Recorded]:
    """Return what is recorded of a request we could not answer: an alert, where even that works.

    The end of a call and the control room's side are no caller who waits.
    """
    whispered = request.path.startswith("/voice/whisper/")
    if request.path == "/voice/status" or whispered or _staff(params):
        return []
    try:
        return answers.lost(params, datetime.now(UTC), request.path).events
    except Exception as error:
        log.critical("the failure could not be recorded: %s", told(error))
        return []


def _staff(params: dict[str, str]) -> bool:
    """Say whether this is somebody of ours whom we rang, and no caller."""
    return request.path.startswith(OURS) and parameters.outbound(params)


def _signed(signatures: Signatures) -> dict[str, str] | None:
    environ = request.environ
    return signatures.signed(
        environ[TARGET],
        environ[BODY],
        environ.get("CONTENT_TYPE", ""),
        environ.get("HTTP_CONTENT_ENCODING", ""),
        environ.get("HTTP_X_TWILIO_SIGNATURE"),  # the edge leaves it out when there are two
    )
