"""What the JSON API answers with, and how it words its refusals: JSON and one sentence, always.

Nothing it sends may be kept by a cache: these are records of frightened people.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Final

from flask import Blueprint, Response, g, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from console.bodies import BadBody
from console.filters import BadFilter
from console.guard import ForRight, by_token_or_session
from incidents.accounts import Holder
from incidents.roles import Right
from incidents.store import BadCursor
from incidents.transactions import StoreUnavailable

log = logging.getLogger("quietline.api")

PREFIX: Final = "/api/v1"
STORE_BACK_SECONDS: Final = 2
_CHALLENGE: Final = 'Bearer realm="Quietline"'
_DOES: Final[dict[str, str]] = {
    "read": "read incidents",
    "note": "add to a record",
    "work": "work calls",
    "people": "read about people",
    "approve": "be the second person",
}


def answer(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with JSON."""
    # ASCII only, so that no stray surrogate from a caller can stop the answer.
    made = Response(json.dumps(content), status, mimetype="application/json", headers=headers)
    made.headers["Cache-Control"] = "no-store"
    made.headers["Vary"] = "Authorization, Cookie"
    made.headers["X-Content-Type-Options"] = "nosniff"
    return made


def as_read(content: object) -> Response:
    """Answer a reading request; one that names the answer as it still is gets 304."""
    made = answer(content)
    made.add_etag()
    made.make_conditional(request)
    return made


def refusal(status: int, sentence: str, **more: object) -> Response:
    """Refuse: a status and one sentence; ``more`` says what a program may want to know."""
    return answer({"error": sentence, **more}, status)


def refuse_holder(found: Holder | None, right: Right | None) -> Response:
    """Refuse a stranger, or somebody whose role lacks ``right``."""
    if found is not None:
        g.holder = found
        return refusal(403, f"The role {found.role} may not {_DOES.get(right or '', 'do this')}.")
    if request.headers.get("Authorization") is None:
        made = refusal(401, "Sign in, or send a token as Authorization: Bearer TOKEN.")
        made.headers["WWW-Authenticate"] = _CHALLENGE
        return made
    made = refusal(401, "This token is not known, or was ended; send Bearer TOKEN.")
    made.headers["WWW-Authenticate"] = f'{_CHALLENGE}, error="invalid_token"'
    return made


def for_api(right: Right) -> ForRight:
    """Make the check of an API's route: the pages' own, with refusals in JSON."""
    return ForRight(right, by_token_or_session, refuse_holder)


def word_refusals(part: Blueprint) -> None:
    """Have everything that goes wrong in ``part`` answered in JSON."""

    @part.errorhandler(BadFilter)
    @part.errorhandler(BadBody)
    def not_understood(refused: Exception) -> Response:
        return refusal(422, str(refused))

    @part.errorhandler(BadCursor)
    def bad_cursor(_: BadCursor) -> Response:
        return refusal(422, "The filter cursor is not one that this list gave out.")

    @part.errorhandler(CSRFError)
    def not_of_our_page(_: CSRFError) -> Response:
        return refusal(400, "This page is out of date: reload it and do it again (X-CSRFToken).")

    @part.errorhandler(StoreUnavailable)
    @part.errorhandler(TimeoutError)
    def store_unavailable(_: Exception) -> Response:
        made = refusal(503, "The store cannot be reached; new alerts still come over /live.")
        made.headers["Retry-After"] = str(STORE_BACK_SECONDS)
        return made

    @part.errorhandler(RequestEntityTooLarge)
    def too_large(_: RequestEntityTooLarge) -> Response:
        return refusal(413, "The body is too large: send at most 64 kB.")

    @part.errorhandler(HTTPException)
    def refused_by_the_framework(refused: HTTPException) -> Response:
        return refusal(refused.code or 500, f"The request was refused: {refused.name}.")

    @part.errorhandler(Exception)
    def failed(failure: Exception) -> Response:
        # The one handler at the edge: the client gets JSON, the log gets the failure.
        log.error("api request failed", exc_info=failure, extra={"endpoint": request.endpoint})
        return refusal(500, "Something failed on our side; it is in the log.")


def no_such_route() -> Response | None:
    """Refuse in JSON what no route answers.

    Routing fails before a blueprint is chosen, so its error handlers never see a 404 or a 405;
    without this an API client would get an HTML page.
    """
    failed = request.routing_exception
    if failed is None or not (request.path + "/").startswith(PREFIX + "/"):
        return None
    if isinstance(failed, MethodNotAllowed):
        allowed = sorted(failed.valid_methods or ["GET", "HEAD"])
        how = "can only be read: use GET" if "GET" in allowed else "takes orders: use POST"
        made = refusal(405, f"This address {how}.")
        made.headers["Allow"] = ", ".join(allowed)
        return made
    return refusal(404, "There is nothing at this address.")


def written_out(reference: str) -> str:
    """Bring a reference read out over a radio or typed in a hurry to its one form."""
    symbols = reference.upper().replace("-", "").removeprefix("QL")
    return f"QL-{symbols[:4]}-{symbols[4:8]}-{symbols[8:]}"


def unknown() -> Response:
    """Say that nobody knows the incident."""
    return refusal(404, "There is no incident with this reference.")
