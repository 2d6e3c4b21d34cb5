"""A route runs only if something authorised it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console import api, health
from console.guard import MARK, own_path
from console.people import EXTENSION
from console.web import Site, create
from tests.console.site import Console

OPEN = {
    "api.openapi",
    "health.alive",
    "health.metrics",
    "health.ready",
    "second_step.check",
    "second_step.code",
    "second_step.picture",
    "pages.static",
    "signin.check",
    "signin.sign_in",
    "users.accept",
    "users.invited",
}
"""What anybody may ask. Each is a decision; add to it only with a reason."""


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console over an empty store."""
    return Console(data, sqlite_url)


def routes(console: Console) -> Iterator[tuple[str, str, str]]:
    """Every endpoint, method and address."""
    for rule in console.app.url_map.iter_rules():
        filled = dict.fromkeys(rule.arguments, "QL-7K3M-9F2X-HC4")
        _, path = rule.build(filled) or ("", "/")
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            yield rule.endpoint, method, path


def test_every_route_demands_a_sign_in_unless_it_is_listed(console: Console) -> None:
    """A stranger is led to the sign-in, or refused; a form without its token is refused."""
    asked = 0
    for endpoint, method, path in routes(console):
        if endpoint in OPEN:
            continue
        answer = console.stranger().open(path, method=method)
        led = answer.status_code == 303 and answer.location.startswith("/sign-in")
        assert led or answer.status_code in (400, 401), (endpoint, method, answer.status)
        asked += 1
    assert asked >= 8


def test_every_view_says_who_may_run_it(console: Console) -> None:
    """Also those to come: a view without a mark is refused."""
    for endpoint, view in console.app.view_functions.items():
        assert hasattr(view, MARK), endpoint


def test_a_view_that_says_nothing_is_refused(console: Console) -> None:
    """Deny by default."""
    site = Site(
        console.watch,
        console.store,
        console.app.extensions["quietline_doors"],
        "secret",
        https=False,
        training=True,
        practice=False,
        people=console.app.extensions[EXTENSION],
        desk=console.desk,
        carrier=console.app.extensions["quietline_carrier"],
        audit=console.audit,
    )
    app = create(site, [api.blueprint(console.store, console.watch, console.rules)])
    app.add_url_rule("/forgotten", "forgotten", lambda: "seen")
    assert app.test_client().get("/forgotten").status_code == 403
    assert health.blueprint(console.watch, console.store).name == "health"


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/review", "/review"),
        ("/incidents/QL-1?x=1", "/incidents/QL-1?x=1"),
        ("", "/"),
        (None, "/"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("/\t/elsewhere.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
    ],
)
def test_a_sign_in_leads_nowhere_else(asked: str | None, led: str) -> None:
    """A link must not hand a fresh session to another site."""
    assert own_path(asked) == led
