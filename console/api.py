"""The JSON API under ``/api/v1``: reading incidents and their timelines.

Every answer is JSON, also every refusal: ``{"error": sentence}``. It refuses to
guess (a filter it does not know is a 422) and to be cached (these are records of
frightened people). It changes nothing: there is no route but reading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from flask import Blueprint, Response, request

from console.answers import (
    PREFIX,
    as_read,
    for_api,
    no_such_route,
    refusal,
    unknown,
    word_refusals,
    written_out,
)
from console.audited import REASON_NEEDED, audited, list_words
from console.filters import read_filters
from console.guard import authorised_by, everyone, holder
from console.openapi import document
from console.record import Record, record
from console.watch import Watch
from incidents.desk import Rules
from incidents.store import Store

View = Callable[..., Response]
for_readers = authorised_by(for_api("read"))
"""Mark a route of the API for whoever reads incidents."""


def why(found: Record, what: str = "viewed the record") -> Response | None:
    """Ask why somebody opens a closed record that is not their own work, unless they said so.

    ``what``: the look that is logged when they may.
    """
    reason = request.headers.get("X-Reason", "")
    if audited().may_open(found, holder(), reason, what=what):
        return None
    return refusal(403, REASON_NEEDED)


def blueprint(store: Store, watch: Watch, rules: Rules) -> Blueprint:
    """Make the API's blueprint. The app it joins has ``console.guard``'s doors."""
    api = Blueprint("api", __name__, url_prefix=PREFIX)
    described = document(rules)

    def route(path: str) -> Callable[[View], View]:
        return api.route(path, methods=["GET"], provide_automatic_options=False)

    @route("/openapi.json")
    @everyone
    def openapi() -> Response:
        return as_read(described)

    @route("/incidents")
    @for_readers
    def incidents() -> Response:
        filters = read_filters(dict(request.args.lists()))
        audited().looked(holder(), list_words(asdict(filters)), "incidents")
        found, following = store.incidents(**asdict(filters))
        return as_read({"incidents": [each.as_json() for each in found], "next": following})

    @route("/incidents/<reference>")
    @for_readers
    def incident(reference: str) -> Response:
        found = record(written_out(reference), watch, store)
        if found is None:
            return unknown()
        if (refused := why(found)) is not None:
            return refused
        return as_read(found.incident.as_json())

    @route("/incidents/<reference>/timeline")
    @for_readers
    def timeline(reference: str) -> Response:
        found = record(written_out(reference), watch, store)
        if found is None:
            return unknown()
        if (refused := why(found, "viewed the timeline")) is not None:
            return refused
        made = as_read({"entries": [entry.as_json() for entry in found.entries]})
        if not found.complete:
            # The store is down: the facts are all here, what people wrote may not be.
            made.headers["Warning"] = '199 Quietline "notes may be missing"'
        return made

    api.before_app_request(no_such_route)
    word_refusals(api)
    return api
