"""The JSON API under ``/api/v1``: reading incidents and their timelines.

Every answer is JSON, also every refusal: ``{"error": sentence}``. It refuses to
guess (a filter it does not know is a 422) and to be cached (these are records of
frightened people). It changes nothing: there is no route but reading.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from console.filters import BadFilter, read_filters
from console.guard import authorised_by, doors, everyone
from console.openapi import document
from console.record import record
from console.watch import Watch
from incidents.store import BadCursor, Store
from incidents.transactions import StoreUnavailable

PREFIX = "/api/v1"
_log = logging.getLogger("quietline.api")


View = Callable[..., Response]


def reader() -> Response | None:
    """Let through whoever holds a token or a session that may read; refuse others in JSON."""
    header = request.headers.get("Authorization")
    holder = doors().holder(header, request.cookies)
    if holder is None and header is None:
        answer = refusal(401, "Sign in, or send a token as Authorization: Bearer TOKEN.")
        answer.headers["WWW-Authenticate"] = _CHALLENGE
        return answer
    if holder is None:
        answer = refusal(401, "This token is not known, or was ended; send Bearer TOKEN.")
        answer.headers["WWW-Authenticate"] = f'{_CHALLENGE}, error="invalid_token"'
        return answer
    if not holder.may_read:
        return refusal(403, f"The role {holder.role} may not read incidents.")
    return None


for_readers = authorised_by(reader)
_CHALLENGE = 'Bearer realm="Quietline"'


def blueprint(store: Store, watch: Watch) -> Blueprint:
    """Make the API's blueprint. The app it joins has ``console.guard``'s doors."""
    api = Blueprint("api", __name__, url_prefix=PREFIX)

    def route(path: str) -> Callable[[View], View]:
        return api.route(path, methods=["GET"], provide_automatic_options=False)

    @route("/openapi.json")
    @everyone
    def openapi() -> Response:
        return _answer(document())

    @route("/incidents")
    @for_readers
    def incidents() -> Response:
        filters = read_filters(dict(request.args.lists()))
        found, following = store.incidents(**asdict(filters))
        return _answer({"incidents": [each.as_json() for each in found], "next": following})

    @route("/incidents/<reference>")
    @for_readers
    def incident(reference: str) -> Response:
        found = record(_written_out(reference), watch, store)
        return _unknown() if found is None else _answer(found.incident.as_json())

    @route("/incidents/<reference>/timeline")
    @for_readers
    def timeline(reference: str) -> Response:
        found = record(_written_out(reference), watch, store)
        if found is None:
            return _unknown()
        answer = _answer({"entries": [entry.as_json() for entry in found.entries]})
        if not found.complete:
            # The store is down: the facts are all here, what people wrote may not be.
            answer.headers["Warning"] = '199 Quietline "notes may be missing"'
        return answer

    @api.before_app_request
    def no_such_route() -> Response | None:
        # Routing fails before a blueprint is chosen, so its error handlers never
        # see a 404 or a 405; without this an API client would get an HTML page.
        failed = request.routing_exception
        if failed is None or not (request.path + "/").startswith(PREFIX + "/"):
            return None
        if isinstance(failed, MethodNotAllowed):
            answer = refusal(405, "This address can only be read: use GET.")
            answer.headers["Allow"] = ", ".join(sorted(failed.valid_methods or ["GET", "HEAD"]))
            return answer
        return refusal(404, "There is nothing at this address.")

    @api.errorhandler(BadFilter)
    def bad_filter(refused: BadFilter) -> Response:
        return refusal(422, str(refused))

    @api.errorhandler(BadCursor)
    def bad_cursor(_: BadCursor) -> Response:
        return refusal(422, "The filter cursor is not one that this list gave out.")

    @api.errorhandler(StoreUnavailable)
    @api.errorhandler(TimeoutError)
    def store_unavailable(_: Exception) -> Response:
        answer = refusal(503, "The store cannot be reached; new alerts still come over /live.")
        answer.headers["Retry-After"] = "2"
        return answer

    @api.errorhandler(HTTPException)
    def refused_by_the_framework(refused: HTTPException) -> Response:
        return refusal(refused.code or 500, f"The request was refused: {refused.name}.")

    @api.errorhandler(Exception)
    def failed(failure: Exception) -> Response:
        # The one handler at the edge: the client gets JSON, the log gets the failure.
        _log.error("api request failed", exc_info=failure, extra={"endpoint": request.endpoint})
        return refusal(500, "Something failed on our side; it is in the log.")

    return api


def _written_out(reference: str) -> str:
    """Bring a reference read out over a radio or typed in a hurry to its one form."""
    symbols = reference.upper().replace("-", "").removeprefix("QL")
    return f"QL-{symbols[:4]}-{symbols[4:8]}-{symbols[8:]}"


def _unknown() -> Response:
    return refusal(404, "There is no incident with this reference.")


def refusal(status: int, sentence: str) -> Response:
    """Make a refusal: a status and one sentence in JSON."""
    return _json({"error": sentence}, status)


def _answer(content: object) -> Response:
    answer = _json(content, 200)
    answer.add_etag()
    answer.make_conditional(request)
    return answer


def _json(content: object, status: int) -> Response:
    # ASCII only, so that no stray surrogate from a caller can stop the answer.
    answer = Response(json.dumps(content), status, mimetype="application/json")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Vary"] = "Authorization, Cookie"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
