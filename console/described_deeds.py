"""What the OpenAPI document says of orders: made from the table the routes are made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.bodies import Json
from console.deed import Deed
from console.described import EXAMPLE, ref

REFUSALS: Final = ("400", "401", "403", "404", "409", "413", "422", "503")
_RIGHTS: Final = {
    "note": "For roles that add to a record.",
    "work": "For roles that work calls.",
    "people": "For roles that read about people.",
    "approve": "For roles that may be the second person.",
}


def described(deed: Deed) -> Json:
    """Return the path item of a deed."""
    incident = {"application/json": {"schema": ref("Incident"), "example": EXAMPLE}}
    done: Json = {"description": "The incident as it stands then.", "content": incident}
    if deed.waits:
        done["headers"] = {
            "Warning": {
                "description": "Present while the order is still being sent to the call.",
                "schema": {"type": "string"},
            }
        }
    answers: Json = {"200": done}
    if deed.second:
        wait = "A second person must approve first; the incident as it stands now."
        answers["202"] = {"description": wait, "content": incident}
    answers |= {each: {"$ref": f"#/components/responses/{each}"} for each in REFUSALS}
    body: Json = {"schema": ref(_name(deed))}
    if deed.example is not None:
        body["example"] = dict(deed.example)
    needed = any(field.required for field in deed.fields)
    return {
        "post": {
            "tags": ["orders"],
            "operationId": deed.path.replace("-", "_"),
            "summary": deed.summary,
            "description": " ".join(one for one in (deed.about, _RIGHTS[deed.right]) if one),
            "parameters": [
                {"$ref": f"#/components/parameters/{name}"}
                for name in ("reference", "idempotency_key", "csrf")
            ],
            "requestBody": {"required": needed, "content": {"application/json": body}},
            "responses": answers,
        }
    }


def bodies(table: Sequence[Deed]) -> Json:
    """Return the schemas of all bodies, by name."""
    return {_name(deed): _body(deed) for deed in table}


def _name(deed: Deed) -> str:
    return "".join(part.capitalize() for part in deed.path.split("-")) + "Order"


def _body(deed: Deed) -> Json:
    schema: Json = {
        "type": "object",
        "additionalProperties": False,
        "properties": {field.name: field.schema() for field in deed.fields},
    }
    if required := [field.name for field in deed.fields if field.required]:
        schema["required"] = required
    return schema
