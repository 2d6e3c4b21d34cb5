"""What the OpenAPI document says of parameters, refusals and objects.

The lists of values are the ones the API itself reads its filters with, so that
the document cannot promise what the API refuses.
"""

from __future__ import annotations

from typing import Any, Final

from console.bodies import LONGEST_KEY
from console.filters import (
    ANSWERS,
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
    "answers": [
        {
            "question": "other_person",
            "text": "Is the other person in the room?",
            "answer": "yes",
            "keys": "77",
            "asked_at": "2026-12-22T18:04:02.100Z",
            "answered_at": "2026-12-22T18:04:07.900Z",
        }
    ],
}


def parameters() -> Json:
    """Every parameter, by the name it has in the document."""
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
        "idempotency_key": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": (
                "Names this order: sent again with the same key it is carried out once. The key "
                "of another order is refused."
            ),
            "schema": {
                "type": "string",
                "minLength": 1,
                "maxLength": LONGEST_KEY,
                "pattern": r"^[\x20-\x7e]*$",
            },
            "example": "5f0c7a2e-1b7d-4f7e-9a53-0d8f6c1b2a90",
        },
        "csrf": {
            "name": "X-CSRFToken",
            "in": "header",
            "description": (
                "The token of the console's own page, needed with a session cookie and not with "
                "a bearer token."
            ),
            "schema": {"type": "string"},
        },
    }


def responses() -> Json:
    """Every refusal, by its status."""

    def refused(description: str, sentence: str, **headers: str) -> Json:
        answer: Json = {
            "description": description,
            "content": {
                "application/json": {"schema": ref("Error"), "example": {"error": sentence}}
            },
        }
        if headers:
            answer["headers"] = {
                name.replace("_", "-"): {"description": text, "schema": {"type": "string"}}
                for name, text in headers.items()
            }
        return answer

    return {
        "400": refused(
            "A session cookie without the token of the console's own page.",
            "This page is out of date: reload it and do it again (X-CSRFToken).",
        ),
        "401": refused(
            "No good token and no good session.",
            "This token is not known, or was ended.",
            WWW_Authenticate="How to authenticate: Bearer.",
        ),
        "403": refused("The role does not allow it.", "The role probe may not read incidents."),
        "404": refused("Unknown.", "There is no incident with this reference."),
        "409": {
            "description": "It cannot be done as things now stand: who has it, or what changed.",
            "content": {
                "application/json": {
                    "schema": ref("Conflict"),
                    "example": {
                        "error": "The caller hung up 2 seconds ago, or the line dropped.",
                        "handler": "anna",
                        "state": "claimed",
                        "connection": "dropped",
                        "claimed_at": "2026-12-22T18:03:44.000Z",
                        "ended_at": "2026-12-22T18:05:10.000Z",
                        "closed_at": None,
                    },
                }
            },
        },
        "413": refused("Too large.", "The body is too large: send at most 64 kB."),
        "422": refused(
            "A filter or a field is not understood.",
            "The filter urgency must be a whole number from 1 to 4.",
        ),
        "503": refused(
            "The store cannot be reached.",
            "The store cannot be reached; new alerts still come over /live.",
            Retry_After="Seconds after which to try again.",
        ),
    }


def schemas() -> Json:
    """Every object the console answers with."""
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
                "answers": {"type": "array", "items": ref("Answer")},
            }
        )
        | {"description": "The record of one call and what was done about it."},
        "Answer": _object(
            {
                "question": {**text, "description": "One of the bank, or free."},
                "text": {**text, "description": "As it was spoken."},
                "answer": {
                    "type": ["string", "null"],
                    "enum": [*ANSWERS, None],
                    "description": "Null while it is awaited.",
                },
                "keys": text,
                "asked_at": moment,
                "answered_at": later,
            }
        ),
        "Conflict": {
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": {**text, "description": "One sentence."},
                "handler": maybe,
                "state": _enum(STATES),
                "connection": _enum(CONNECTIONS),
                "claimed_at": later,
                "ended_at": later,
                "closed_at": later,
            },
        },
        "IncidentList": _object(
            {
                "incidents": {"type": "array", "items": ref("Incident"), "maxItems": LIMIT_MOST},
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
        "Timeline": _object({"entries": {"type": "array", "items": ref("Entry")}}),
        "Error": {
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": {**text, "description": "One sentence."},
                "field": {**text, "description": "The field that is not fit, where one is."},
            },
        },
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


def ref(name: str) -> Json:
    """Point to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}
