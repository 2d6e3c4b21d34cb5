"""The OpenAPI 3.1 document of the console's outside face.

The lists of values are the ones the API itself reads its filters with, so that
the document cannot promise what the API refuses.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from console.filters import (
    CALL_SID_LONGEST,
    CONNECTIONS,
    CURSOR_LONGEST,
    LIMIT_DEFAULT,
    LIMIT_MOST,
    PURPOSES,
    SIGNALS,
    STATES,
    URGENCIES,
)

Json = dict[str, Any]

_INSTANT_PATTERN: Final = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
_REFERENCE: Final = "QL-7K3M-9F2X-HC4"

EXAMPLE: Final[Json] = {
    "reference": _REFERENCE,
    "call_sid": "CA00000000000000000000000000000055",
    "line": "emergency",
    "profile": "gb",
    "purpose": "training",
    "caller": {"number": "+447700900123", "withheld": False},
    "signal": "confirmed",
    "keys": "55",
    "urgency": 1,
    "reasons": ["55 pressed"],
    "state": "waiting",
    "connection": "open",
    "handler": None,
    "grade": None,
    "outcome": None,
    "started_at": "2026-12-22T18:03:11.042Z",
    "signal_at": "2026-12-22T18:03:40.310Z",
    "claimed_at": None,
    "ended_at": None,
    "closed_at": None,
}
_ENTRY: Final[Json] = {
    "id": "5b1f0c44a9d2e871.keys_pressed",
    "at": "2026-12-22T18:03:40.310Z",
    "kind": "keys_pressed",
    "data": {"keys": "55"},
}


@cache
def document() -> Json:
    """Return the whole document, ready for JSON."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Quietline",
            "version": "1",
            "summary": "Incidents of silent emergency calls, as handlers see them.",
            "description": (
                "All times are UTC with milliseconds. Every refusal is JSON with one sentence "
                "in `error`. This interface serves the private network only; it cannot "
                "receive 999 calls, which go to the operator."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "tags": [
            {"name": "incidents", "description": "The record of each call."},
            {"name": "live", "description": "The live feed."},
            {"name": "operation", "description": "Whether the console itself is well."},
        ],
        "paths": _paths(),
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token printed by `flask --app app tokens add NAME`.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "quietline_session",
                    "description": "The cookie of a signed-in console; for its own pages.",
                },
            },
            "parameters": _parameters(),
            "responses": _responses(),
            "schemas": _schemas(),
        },
    }


def _paths() -> Json:
    names = [name for name in _parameters() if name not in ("reference", "last_event_id")]
    return {
        "/api/v1/incidents": _get(
            "incidents",
            "list_incidents",
            "List incidents, newest first",
            "IncidentList",
            {"incidents": [EXAMPLE], "next": None},
            parameters=names,
            refusals=("401", "403", "422", "503"),
            description=(
                "Filters narrow the list together; an empty value is no filter. Calls that prove "
                "the way is open (`proof`) are listed only with `purpose=proof`."
            ),
        ),
        "/api/v1/incidents/{reference}": _get(
            "incidents",
            "read_incident",
            "Read one incident",
            "Incident",
            EXAMPLE,
            parameters=("reference",),
            refusals=("401", "403", "404", "503"),
        ),
        "/api/v1/incidents/{reference}/timeline": _get(
            "incidents",
            "read_timeline",
            "Read an incident's timeline, oldest first",
            "Timeline",
            {"entries": [_ENTRY]},
            parameters=("reference",),
            refusals=("401", "403", "404", "503"),
        ),
        "/live": {"get": _live()},
        "/api/v1/openapi.json": _open("This document", {"type": "object"}, "read_openapi"),
        "/healthz": _open("Whether the console is alive", _ref("Alive"), "alive"),
        "/readyz": _open("Whether the console is ready", _ref("Ready"), "ready", may_fail=True),
        "/metrics": {
            "get": {
                "tags": ["operation"],
                "operationId": "metrics",
                "summary": "Metrics in the Prometheus text format",
                "security": [],
                "responses": {
                    "200": {
                        "description": "No number, name or word of a caller is ever in a metric.",
                        "content": {"text/plain": {"schema": {"type": "string"}}},
                    }
                },
            }
        },
    }


def _live() -> Json:
    return {
        "tags": ["live"],
        "operationId": "live",
        "summary": "Hear of incidents as they happen (server-sent events)",
        "description": (
            "`event: incident` carries an Incident, `event: alarm` something that is wrong with "
            "the service itself. Each event has an id; a reader that comes back with it in "
            "`Last-Event-ID` gets what it missed, or the whole board when that cannot be told. "
            "Something is sent at least every 15 s. With the store down the feed goes on."
        ),
        "parameters": [_parameter("last_event_id")],
        "responses": {
            "200": {
                "description": "A stream that does not end by itself.",
                "content": {
                    "text/event-stream": {
                        "schema": {"type": "string"},
                        "example": 'id: 1\nevent: incident\ndata: {"reference": "…"}\n\n',
                    }
                },
            },
            "401": _response("401"),
            "403": _response("403"),
            "503": _response("503"),
        },
    }


def _get(
    tag: str,
    operation: str,
    summary: str,
    schema: str,
    example: Json,
    *,
    parameters: tuple[str, ...] | list[str],
    refusals: tuple[str, ...],
    description: str = "",
) -> Json:
    read: Json = {
        "description": "As asked.",
        "headers": {"ETag": {"description": "Of this answer.", "schema": {"type": "string"}}},
        "content": {"application/json": {"schema": _ref(schema), "example": example}},
    }
    unchanged: Json = {"description": "`If-None-Match` named the answer as it still is."}
    answers = {"200": read, "304": unchanged} | {each: _response(each) for each in refusals}
    operation_object: Json = {
        "tags": [tag],
        "operationId": operation,
        "summary": summary,
        "parameters": [_parameter(name) for name in parameters],
        "responses": answers,
    }
    if description:
        operation_object["description"] = description
    return {"get": operation_object}


def _open(summary: str, schema: Json, operation: str, *, may_fail: bool = False) -> Json:
    content = {"application/json": {"schema": schema}}
    answers: Json = {"200": {"description": "Yes.", "content": content}}
    if may_fail:
        answers["503"] = {"description": "No, and why not.", "content": content}
    return {
        "get": {
            "tags": ["operation"],
            "operationId": operation,
            "summary": summary,
            "security": [],
            "responses": answers,
        }
    }


def _parameters() -> Json:
    instant = {"type": "string", "format": "date-time"}
    return {
        "call_sid": _query(
            "call_sid",
            "The call's SID.",
            {"type": "string", "maxLength": CALL_SID_LONGEST},
            EXAMPLE["call_sid"],
        ),
        "since": _query(
            "since", "Started at this moment or later.", instant, "2026-12-22T18:00:00Z"
        ),
        "until": _query("until", "Started before this moment.", instant, "2026-12-22T19:00:00Z"),
        "signal": _query("signal", "What the caller has shown.", _enum(SIGNALS)),
        "state": _query("state", "Where the incident stands.", _enum(STATES)),
        "urgency": _query(
            "urgency", "1 (now) to 4 (review).", {"type": "integer", "enum": list(URGENCIES)}
        ),
        "purpose": _query("purpose", "What the call was for.", _enum(PURPOSES)),
        "limit": _query(
            "limit",
            "How many at most.",
            {"type": "integer", "minimum": 1, "maximum": LIMIT_MOST, "default": LIMIT_DEFAULT},
        ),
        "cursor": _query(
            "cursor",
            "The `next` of the answer before.",
            {"type": "string", "maxLength": CURSOR_LONGEST},
        ),
        "reference": {
            "name": "reference",
            "in": "path",
            "required": True,
            "description": "The incident's reference.",
            "schema": {"type": "string"},
            "example": _REFERENCE,
        },
        "last_event_id": {
            "name": "Last-Event-ID",
            "in": "header",
            "description": "The id of the last event that was received.",
            "schema": {"type": "string"},
        },
    }


def _responses() -> Json:
    def refused(description: str, sentence: str, **headers: str) -> Json:
        answer: Json = {
            "description": description,
            "content": {
                "application/json": {"schema": _ref("Error"), "example": {"error": sentence}}
            },
        }
        if headers:
            answer["headers"] = {
                name.replace("_", "-"): {"description": text, "schema": {"type": "string"}}
                for name, text in headers.items()
            }
        return answer

    return {
        "401": refused(
            "No good token and no good session.",
            "This token is not known, or was ended.",
            WWW_Authenticate="How to authenticate: Bearer.",
        ),
        "403": refused("The role does not allow it.", "The role probe may not read incidents."),
        "404": refused("Unknown.", "There is no incident with this reference."),
        "422": refused(
            "A filter is not understood.",
            "The filter urgency must be a whole number from 1 to 4.",
        ),
        "503": refused(
            "The store cannot be reached.",
            "The store cannot be reached; new alerts still come over /live.",
            Retry_After="Seconds after which to try again.",
        ),
    }


def _schemas() -> Json:
    moment: Json = {"type": "string", "format": "date-time", "pattern": _INSTANT_PATTERN}
    later: Json = {**moment, "type": ["string", "null"]}
    text: Json = {"type": "string"}
    maybe: Json = {"type": ["string", "null"]}
    return {
        "Incident": _object(
            {
                "reference": {**text, "pattern": "^QL(-[2-9A-HJKMNP-Z]{4}){2}-[2-9A-HJKMNP-Z]{3}$"},
                "call_sid": text,
                "line": text,
                "profile": text,
                "purpose": _enum(PURPOSES),
                "caller": _object(
                    {
                        "number": {**maybe, "description": "Null when withheld or no number."},
                        "withheld": {"type": "boolean"},
                    }
                ),
                "signal": _enum(SIGNALS),
                "keys": {**text, "description": "As pressed, in order."},
                "urgency": {"type": "integer", "enum": list(URGENCIES)},
                "reasons": {"type": "array", "items": text},
                "state": _enum(STATES),
                "connection": _enum(CONNECTIONS),
                "handler": maybe,
                "grade": maybe,
                "outcome": maybe,
                "started_at": moment,
                "signal_at": {**later, "description": "When the signal was first shown."},
                "claimed_at": later,
                "ended_at": later,
                "closed_at": later,
            }
        )
        | {"description": "The record of one call and what was done about it."},
        "IncidentList": _object(
            {
                "incidents": {"type": "array", "items": _ref("Incident"), "maxItems": LIMIT_MOST},
                "next": {**maybe, "description": "The cursor of what follows; null at the end."},
            }
        ),
        "Entry": _object(
            {
                "id": text,
                "at": moment,
                "kind": {**text, "description": "In the past tense, such as keys_pressed."},
                "data": {"type": "object"},
            }
        ),
        "Timeline": _object({"entries": {"type": "array", "items": _ref("Entry")}}),
        "Error": _object({"error": {**text, "description": "One sentence."}}),
        "Alive": _object({"alive": {"const": True}}),
        "Ready": _object(
            {
                "ready": {"type": "boolean"},
                "reasons": {"type": "array", "items": text, "description": "Why not; empty if so."},
            }
        ),
    }


def _object(properties: Json) -> Json:
    return {"type": "object", "required": list(properties), "properties": properties}


def _enum(values: tuple[str, ...]) -> Json:
    return {"type": "string", "enum": list(values)}


def _query(name: str, description: str, schema: Json, example: Any = None) -> Json:
    parameter: Json = {
        "name": name,
        "in": "query",
        "description": description,
        "allowEmptyValue": True,
        "schema": schema,
    }
    return parameter if example is None else {**parameter, "example": example}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _parameter(name: str) -> Json:
    return {"$ref": f"#/components/parameters/{name}"}


def _response(status: str) -> Json:
    return {"$ref": f"#/components/responses/{status}"}
