"""What the OpenAPI document says of people: one address, its parameters and its objects."""

from __future__ import annotations

from typing import Any, Final

from console.filters import CONNECTIONS, SIGNALS, STATES
from incidents.persons import Facts
from incidents.safe_contact import SAFE

Json = dict[str, Any]
_ID: Final = "01985a2f-2c31-7a44-8d37-0123456789ab"
_AT: Final = "2026-12-22T18:03:11.042Z"

PERSON: Final[Json] = {
    "id": _ID,
    "ids": [_ID],
    "name": "Mair Example",
    "repeat_at": _AT,
    "created_at": _AT,
    "facts": {
        "born": "1988-02-29",
        "children": "two: 3 and 7",
        "code_word": "bluebell",
        "key_pattern": "*7",
        "marac": ["2026-11-04"],
        "orders": "",
        "language": "Welsh",
        "safe_words": "",
        "never_call": False,
        "notes": "",
    },
    "numbers": [
        {
            "id": "01985a2f-2c31-7a44-8d37-0123456789ac",
            "number": "+447700900123",
            "safe": "safe",
            "hours": "Mon-Fri 10:00-14:00",
            "by": "cara",
            "at": _AT,
        }
    ],
    "addresses": [],
    "calls": [
        {
            "reference": "QL-7K3M-9F2X-HC4",
            "started_at": _AT,
            "signal": "confirmed",
            "connection": "open",
            "state": "claimed",
            "grade": None,
            "outcome": None,
            "part": "victim",
        }
    ],
    "call_count": 1,
    "contact": {"spocs": ["cara"], "deputies": ["dan"], "acting": "dan", "why": "deputy"},
}


def person_parameters() -> Json:
    """The parameters, by the name they have in the document."""
    return {
        "person": {
            "name": "id_",
            "in": "path",
            "required": True,
            "description": "The person's id. Of a row that was joined to another, either.",
            "schema": {"type": "string"},
            "example": _ID,
        },
        "reason": {
            "name": "X-Reason",
            "in": "header",
            "description": (
                "Why it is opened; needed for what is not one's own work, and kept in the audit."
            ),
            "schema": {"type": "string"},
            "example": "A visit is planned",
        },
    }


def person_schemas() -> Json:
    """The objects."""
    text: Json = {"type": "string"}
    maybe: Json = {"type": ["string", "null"]}
    moment: Json = {"type": "string", "format": "date-time"}
    day: Json = {"type": "string", "format": "date"}
    facts: Json = dict.fromkeys(Facts.__dataclass_fields__, text)
    facts |= {
        "born": {**day, "type": ["string", "null"]},
        "marac": {"type": "array", "items": day},
        "never_call": {"type": "boolean"},
    }
    number: Json = {"number": text, "safe": {**text, "enum": list(SAFE)}, "hours": text}
    written: Json = {"id": text, "by": text, "at": moment}
    mates: Json = {"type": "array", "items": _object({"id": text, "name": text})}
    names: Json = {"type": "array", "items": text}
    call: Json = {
        "reference": text,
        "started_at": moment,
        "signal": {**text, "enum": list(SIGNALS)},
        "connection": {**text, "enum": list(CONNECTIONS)},
        "state": {**text, "enum": list(STATES)},
        "grade": maybe,
        "outcome": maybe,
        "part": {**maybe, "description": "Null: their number, and nobody has confirmed a part."},
    }
    person: Json = {
        "id": text,
        "ids": {
            "type": "array",
            "items": text,
            "description": "Every row that stands for them, theirs first.",
        },
        "name": text,
        "repeat_at": {
            **moment,
            "type": ["string", "null"],
            "description": "Since when they are known as a repeat victim.",
        },
        "created_at": moment,
        "facts": _object(facts),
        "numbers": {"type": "array", "items": _object({**written, **number})},
        "addresses": {
            "type": "array",
            "items": _object({**written, "address": text, "household": mates}),
        },
        "calls": {
            "type": "array",
            "items": _object(call),
            "description": "The latest, newest first.",
        },
        "call_count": {"type": "integer", "minimum": 0},
        "contact": _object({"spocs": names, "deputies": names, "acting": maybe, "why": maybe})
        | {"description": "Who stands for them today; two in one place only after a merge."},
    }
    told = {"description": "Somebody a call may concern, with what is known of them."}
    return {"Person": _object(person) | told}


def _object(properties: Json) -> Json:
    return {"type": "object", "required": list(properties), "properties": properties}
