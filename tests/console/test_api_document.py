"""The OpenAPI document: it says what the API does, and the API does what it says."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from jsonschema_rs import Draft202012Validator
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from console.api import for_readers
from console.described import EXAMPLE
from console.doors import COOKIE
from console.filters import NAMES
from console.live import PATHS
from console.openapi import document as described
from tests.console.callers import waiting
from tests.console.site import Console
from tests.databases import sqlite_at
from tests.incidents.desks import rules

PATH = "/api/v1/openapi.json"
DOCUMENT = described(rules())
IN_THE_DOCS = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"
OPERATIONS = [
    (path, method.upper())
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if path not in PATHS
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    allow_header_conformance,
    unsupported_method,
    ignored_auth,
    negative_data_rejection,
]


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console with calls of every kind, some with no number and odd keys."""
    folder = tmp_path_factory.mktemp("document")
    made = Console(folder, sqlite_at(folder / "quietline.db"))
    for keys, number in (("55", "+447700900123"), ("", None), ("*", "+447700900124")):
        made.call(keys, number=number)
    made.drain()
    yield made
    made.close()


def generate(console: Console, path: str, method: str, examples: int, of: str = "") -> None:
    """Send requests made from the document, good and bad, and judge each answer by it.

    ``of``: the reference of an incident that good orders are then sent to.
    """
    operation = schemathesis.openapi.from_wsgi(PATH, console.app)[path][method]
    name = f"generated-{uuid.uuid4()}"
    token = console.accounts.add_token(name, now=console.now, role="supervisor")
    headers = {"Authorization": f"Bearer {token}"}
    good, bad = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=good if of else good | bad)
    def conforms(case: Any) -> None:
        # An empty value (``allowEmptyValue``) is no filter, whatever its schema says. The
        # other direction is not judged: no schema can say which cursors the list gave out.
        query = case.query or {}
        empty = "" in query.values() or [""] in query.values()
        checks = [check for check in CHECKS if not (empty and check is negative_data_rejection)]
        if of:
            case.path_parameters["reference"] = of
        case.call_and_validate(headers=headers, checks=checks)

    conforms()


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_the_api_does_what_its_document_says(console: Console, path: str, method: str) -> None:
    """Every operation of the document but the feed's, which its own tests hear."""
    generate(console, path, method, 40 if method == "GET" else 12)


@pytest.mark.parametrize("path", [path for path, method in OPERATIONS if method == "POST"])
def test_orders_to_a_real_call_are_answered_as_the_document_says(
    console: Console, path: str
) -> None:
    """Good orders to a call that waits: done, or a conflict, and always as described."""
    _, reference = waiting(console)
    generate(console, path, "POST", 8, reference)


@pytest.mark.parametrize(
    "answer",
    [
        ({"incidents": [EXAMPLE | {"urgency": "1"}], "next": None}, 200),
        ({"incidents": []}, 200),
        ({"error": "Something."}, 500),
        ({"error": "Something."}, 418),
    ],
)
def test_an_api_that_strays_from_its_document_is_found(
    tmp_path: Path, answer: tuple[dict[str, Any], int]
) -> None:
    """The planted fault: a list that answers otherwise fails the test above."""
    console = Console(tmp_path, sqlite_at(tmp_path / "quietline.db"))

    def astray() -> tuple[dict[str, Any], int]:
        return answer

    console.app.view_functions["api.incidents"] = for_readers(astray)
    with pytest.raises(FailureGroup):
        generate(console, "/api/v1/incidents", "GET", 5)
    console.close()


def validator(schema: str) -> Draft202012Validator:
    """A validator for one of the document's schemas."""
    components = {"components": DOCUMENT["components"]}
    return Draft202012Validator({"$ref": f"#/components/schemas/{schema}", **components})


def test_the_document_is_open_and_complete(console: Console) -> None:
    """Served without a token; it describes every address of the API and the live feed."""
    answer = console.stranger().get(PATH)
    assert answer.status_code == 200
    told = json.loads(answer.get_data())
    assert told == DOCUMENT
    assert told["openapi"].startswith("3.1")
    rules = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(rule))
        for rule in console.app.url_map.iter_rules()
        if str(rule).startswith("/api/v1/")
    }
    rest = {*PATHS, "/healthz", "/readyz", "/metrics"}
    assert set(told["paths"]) == rules | rest


def test_every_filter_is_described() -> None:
    """A filter the document does not know is one nobody uses."""
    described = DOCUMENT["components"]["parameters"]
    in_query = {name for name, each in described.items() if each["in"] == "query"}
    assert in_query == set(NAMES)
    assert all(described[name]["name"] == name for name in NAMES)


def test_every_reference_in_the_document_leads_somewhere() -> None:
    """A dangling $ref breaks every generated client."""
    text = json.dumps(DOCUMENT)
    for _, kind, name in re.findall(r'"\$ref": "(#/components)/(\w+)/([\w-]+)"', text):
        assert name in DOCUMENT["components"][kind]
    assert '"$ref"' in text


def test_the_cookie_in_the_document_is_the_cookie() -> None:
    """One name, in two places."""
    assert DOCUMENT["components"]["securitySchemes"]["session"]["name"] == COOKIE


def test_a_real_incident_fits_the_schema_and_a_broken_one_does_not(console: Console) -> None:
    """The planted fault: a schema that fits everything would prove nothing."""
    fits = validator("Incident")
    listed = console.program().get("/api/v1/incidents").get_json()["incidents"]
    assert len(listed) >= 3
    for incident in [*listed, EXAMPLE]:
        fits.validate(incident)
        assert set(incident) == set(EXAMPLE)
    for broken in ({"urgency": 5}, {"signal": "55"}, {"started_at": None}, {"reference": "QL-1"}):
        assert not fits.is_valid(EXAMPLE | broken)
    assert not fits.is_valid({k: v for k, v in EXAMPLE.items() if k != "grade"})


def test_a_real_timeline_fits_the_schema(console: Console) -> None:
    """Entries of a real call, as a client would read them."""
    program: FlaskClient = console.program("another")
    reference = program.get("/api/v1/incidents").get_json()["incidents"][0]["reference"]
    validator("Timeline").validate(
        program.get(f"/api/v1/incidents/{reference}/timeline").get_json()
    )


def test_the_document_in_the_docs_is_this_one() -> None:
    """docs/reference/openapi.json is for readers without a console; it must not grow stale."""
    again = "write it again: python -m tests.console.test_api_document"
    assert json.loads(IN_THE_DOCS.read_text()) == DOCUMENT, again


if __name__ == "__main__":
    IN_THE_DOCS.write_text(json.dumps(DOCUMENT, indent=2, ensure_ascii=False) + "\n")
