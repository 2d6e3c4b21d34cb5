"""The OpenAPI 3.1 document of the console's outside face: addresses and answers."""

from __future__ import annotations

from typing import Final

from console.deeds import deeds
from console.described import EXAMPLE, Json, parameters, ref, responses, schemas
from console.described_deeds import bodies, described
from console.described_people import PERSON, person_parameters, person_schemas
from incidents.desk import Rules

_ENTRY: Final[Json] = {
    "id": "5b1f0c44a9d2e871.keys_pressed",
    "at": "2026-12-22T18:03:40.310Z",
    "kind": "keys_pressed",
    "data": {"keys": "55"},
}


def document(rules: Rules) -> Json:
    """Return the whole document, ready for JSON. ``rules`` gives the values a site chose."""
    table = deeds(rules)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Quietline",
            "version": "1",
            "summary": "Incidents of silent emergency calls, as handlers see them.",
            "description": (
                "All times are UTC with milliseconds. Every refusal is JSON with one sentence "
                "in `error`. An order that is sent again under the same `Idempotency-Key` is "
                "carried out once. This interface serves the private network only; it cannot "
                "receive 999 calls, which go to the operator."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "tags": [
            {"name": "incidents", "description": "The record of each call."},
            {"name": "orders", "description": "What is done to a call, one order each."},
            {"name": "people", "description": "Whom a call may concern."},
            {"name": "live", "description": "The live feed."},
            {"name": "operation", "description": "Whether the console itself is well."},
        ],
        "paths": {
            **_paths(),
            **{f"/api/v1/incidents/{{reference}}/{one.path}": described(one) for one in table},
        },
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
            "parameters": {**parameters(), **person_parameters()},
            "responses": responses(),
            "schemas": {**schemas(), **person_schemas(), **bodies(table)},
        },
    }


def _paths() -> Json:
    names = [name for name, one in parameters().items() if one["in"] == "query"]
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
        "/api/v1/people/{id_}": _get(
            "people",
            "read_person",
            "Read one person",
            "Person",
            PERSON,
            parameters=("person", "reason"),
            refusals=("401", "403", "404", "503"),
            description="For roles that read about people. Nobody is listed or found by name.",
        ),
        "/live": {"get": _live()},
        "/live/heard": {"post": _heard()},
        "/api/v1/openapi.json": _open("This document", {"type": "object"}, "read_openapi"),
        "/healthz": _open("Whether the console is alive", ref("Alive"), "alive"),
        "/readyz": _open("Whether the console is ready", ref("Ready"), "ready", may_fail=True),
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


def _heard() -> Json:
    return {
        "tags": ["live"],
        "operationId": "heard",
        "summary": "Say that a screen is still awake",
        "description": (
            "A page says so every 5 s, for an open feed tells a screen that is awake from one that "
            "is frozen in nothing else. A feed whose holder ever said so counts as somebody at "
            "work only while that goes on; a program that never does counts while its feed is open."
        ),
        "parameters": [
            {
                "name": "X-Requested-With",
                "in": "header",
                "required": True,
                "description": "No page of another site can send it with somebody's cookie.",
                "schema": {"type": "string", "const": "fetch"},
            }
        ],
        "responses": {
            "204": {"description": "Heard."},
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
        "content": {"application/json": {"schema": ref(schema), "example": example}},
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


def _parameter(name: str) -> Json:
    return {"$ref": f"#/components/parameters/{name}"}


def _response(status: str) -> Json:
    return {"$ref": f"#/components/responses/{status}"}
