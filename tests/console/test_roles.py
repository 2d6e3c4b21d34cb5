"""Every route × every role: who may ask what, written out, against the console as it is served.

A route that is not in the table fails, and so does a role that is let through where the table
does not name it. The rights behind the roles are data (config/roles.toml); this table is what a
person would be told.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import dataclass
from typing import Any, Final

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config.policy import load_policy
from config.settings import load
from console.app import LiveFirst, application
from console.doors import COOKIE
from console.guard import doors, everyone
from incidents.migrate import upgrade
from tests.console.asgi import Request
from tests.console.site import NOW
from tests.incidents.ladders import Calls

PEOPLE: Final = (
    *("handler", "supervisor", "contact_officer", "analyst", "administrator", "auditor"),
)
PROGRAMS: Final = (*("reader", "handler", "supervisor", "contact_officer", "analyst", "auditor"),)
STRANGER: Final = "stranger"

ANYBODY: Final = frozenset({*PEOPLE, *PROGRAMS, STRANGER})
SIGNED_IN: Final = frozenset(PEOPLE)
READ: Final = frozenset({"handler", "supervisor", "contact_officer", "reader"})
NOTE: Final = frozenset({"handler", "supervisor", "contact_officer"})
WORK: Final = frozenset({"handler", "supervisor"})
SECOND_LOOK: Final = frozenset({"supervisor", "contact_officer"})
SUPERVISE: Final = frozenset({"supervisor"})
USERS: Final = frozenset({"administrator"})
CONTACT: Final = frozenset({"supervisor", "contact_officer"})
AUDIT: Final = frozenset({"auditor"})
FIGURES: Final = frozenset({"handler", "supervisor", "contact_officer", "analyst"})

PAGES: Final = {
    "GET /": READ,
    "GET /review": READ,
    "POST /review/<reference>": WORK,
    "GET /review/second": SECOND_LOOK,
    "POST /review/second/<reference>": SECOND_LOOK,
    "GET /find": READ,
    "GET /search": READ,
    "POST /search": READ,
    "GET /incidents/<reference>": READ,
    "GET /incidents/<reference>/record": READ,
    "POST /incidents/<reference>/open": READ,
    "POST /incidents/<reference>/notes": NOTE,
    "GET /on-duty": READ,
    "GET /my-day": NOTE,
    "GET /reminders": NOTE,
    "GET /overdue": SUPERVISE,
    "GET /incidents/<reference>/follow-ups": NOTE,
    "POST /incidents/<reference>/follow-ups": NOTE,
    "GET /follow-ups/<id_>": NOTE,
    "POST /follow-ups/<id_>/close": NOTE,
    "POST /follow-ups/<id_>/owner": NOTE,
    "POST /follow-ups/<id_>/due": NOTE,
    "GET /people": NOTE,
    "POST /people/find": NOTE,
    "GET /people/new": NOTE,
    "POST /people/new": NOTE,
    "GET /people/<id_>": NOTE,
    "POST /people/<id_>/open": NOTE,
    "GET /people/<id_>/facts": NOTE,
    "POST /people/<id_>/facts": NOTE,
    "POST /people/<id_>/follow-ups": NOTE,
    "POST /people/<id_>/code": NOTE,
    "POST /people/<id_>/code/end": NOTE,
    "POST /people/<id_>/repeat": NOTE,
    "POST /people/<id_>/numbers": NOTE,
    "POST /people/<id_>/numbers/<place>/safe": NOTE,
    "POST /people/<id_>/numbers/<place>/end": NOTE,
    "POST /people/<id_>/addresses": NOTE,
    "POST /people/<id_>/addresses/<place>/end": NOTE,
    "GET /people/<person>/call-back": NOTE,
    "POST /people/<person>/call-back": NOTE,
    "GET /call-backs/<id_>": NOTE,
    "POST /call-backs/<id_>/start": NOTE,
    "POST /call-backs/<id_>/confirmed": NOTE,
    "POST /call-backs/<id_>/result": NOTE,
    "GET /markers": NOTE,
    "GET /people/<person>/markers": NOTE,
    "POST /people/<person>/markers": NOTE,
    "GET /markers/<id_>": NOTE,
    "POST /markers/<id_>/review": NOTE,
    "POST /markers/<id_>/end": NOTE,
    "GET /incidents/<reference>/markers": NOTE,
    "POST /incidents/<reference>/markers": NOTE,
    "GET /people/<id_>/merge": NOTE,
    "POST /people/<id_>/merge": NOTE,
    "POST /people/<id_>/merge/<place>/undo": NOTE,
    "GET /operations": NOTE,
    "GET /operations/new": SUPERVISE,
    "POST /operations/new": SUPERVISE,
    "GET /operations/<id_>": NOTE,
    "POST /operations/<id_>/people": NOTE,
    "POST /operations/<id_>/people/<place>/out": NOTE,
    "POST /operations/<id_>/rule": SUPERVISE,
    "POST /operations/<id_>/visits": SUPERVISE,
    "GET /operations/<id_>/figures.csv": NOTE,
    "POST /operations/<id_>/close": SUPERVISE,
    "GET /contacts": NOTE,
    "GET /contacts/people/<id_>": NOTE,
    "POST /contacts/people/<id_>": SUPERVISE,
    "POST /contacts/people/<id_>/end": SUPERVISE,
    "POST /contacts/people/<id_>/take-back": SUPERVISE,
    "GET /contacts/calls": CONTACT,
    "POST /contacts/calls/<reference>/seen": CONTACT,
    "POST /contacts/absences": CONTACT,
    "POST /contacts/absences/<id_>/end": CONTACT,
    "GET /figures": FIGURES,
    "GET /figures.csv": FIGURES,
    "GET /figures/day": FIGURES,
    "GET /figures/day.csv": FIGURES,
    "GET /supervisor": SUPERVISE,
    "POST /supervisor/handover": SUPERVISE,
    "GET /audit": AUDIT,
    "GET /audit.csv": AUDIT,
    "GET /users": USERS,
    "GET /users/invite": USERS,
    "POST /users/invite": USERS,
    "GET /users/<name>": USERS,
    "POST /users/<name>/role": USERS,
    "POST /users/<name>/phone": USERS,
    "POST /users/<name>/shift": USERS,
    "POST /users/<name>/link": USERS,
    "POST /users/<name>/factor": USERS,
    "GET /users/<name>/leave": USERS,
    "POST /users/<name>/leave": USERS,
    "GET /start": SIGNED_IN,
    "GET /sign-out": SIGNED_IN,
    "POST /sign-out": SIGNED_IN,
    "POST /sign-out/<reference>/release": WORK,
    "POST /sign-out/<reference>/hand-over": WORK,
    "GET /sign-in": ANYBODY,
    "POST /sign-in": ANYBODY,
    "GET /sign-in/code": ANYBODY,
    "POST /sign-in/code": ANYBODY,
    "GET /sign-in/code.svg": ANYBODY,
    "GET /invited/<secret>": ANYBODY,
    "POST /invited/<secret>": ANYBODY,
    "GET /static/<version>/<path:name>": ANYBODY,
}
"""What is asked with a session. A token opens no page."""

_INCIDENT: Final = "/api/v1/incidents/<reference>"
API: Final = {
    "GET /api/v1/openapi.json": ANYBODY,
    "GET /healthz": ANYBODY,
    "GET /readyz": ANYBODY,
    "GET /metrics": ANYBODY,
    "GET /api/v1/incidents": READ,
    f"GET {_INCIDENT}": READ,
    "GET /api/v1/people/<id_>": NOTE,
    f"GET {_INCIDENT}/timeline": READ,
    f"POST {_INCIDENT}/claim": WORK,
    f"POST {_INCIDENT}/release": WORK,
    f"POST {_INCIDENT}/take-over": WORK,
    f"POST {_INCIDENT}/hand-over": WORK,
    f"POST {_INCIDENT}/ask": WORK,
    f"POST {_INCIDENT}/repeat": WORK,
    f"POST {_INCIDENT}/reassure": WORK,
    f"POST {_INCIDENT}/language": WORK,
    f"POST {_INCIDENT}/connect": WORK,
    f"POST {_INCIDENT}/conference": WORK,
    f"POST {_INCIDENT}/hold": WORK,
    f"POST {_INCIDENT}/let-go": WORK,
    f"POST {_INCIDENT}/notes": NOTE,
    f"POST {_INCIDENT}/details": NOTE,
    f"POST {_INCIDENT}/corrections": NOTE,
    f"POST {_INCIDENT}/location": WORK,
    f"POST {_INCIDENT}/grade": WORK,
    f"POST {_INCIDENT}/urgency": WORK,
    f"POST {_INCIDENT}/approve": WORK,
    f"POST {_INCIDENT}/close": WORK,
    f"POST {_INCIDENT}/confirm-part": NOTE,
    f"POST {_INCIDENT}/refuse-part": NOTE,
}
"""What is asked with a token, or with a session."""

LIVE: Final = {
    "GET /live": READ,
    "POST /live/heard": READ,
    "GET /practice/": READ,
}
"""What is served beside Flask, with a token or a session."""


@dataclass(frozen=True, slots=True)
class Served:
    """The console as it is served, and a secret for everybody."""

    app: LiveFirst
    cookies: dict[str, str]
    tokens: dict[str, str]

    @property
    def pages(self) -> Flask:
        """The Flask application inside."""
        return self.app.pages

    def client(self, role: str, by: str) -> FlaskClient:
        """Somebody of a role who shows a session, or a token, or nothing."""
        client = self.pages.test_client()
        if by == "session" and role != STRANGER:
            client.set_cookie(COOKIE, self.cookies[role])
        if by == "token" and role != STRANGER:
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.tokens[role]}"
        return client


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """The console of a fresh site, with somebody of every role."""
    folder = tmp_path_factory.mktemp("roles")
    settings = load({"QUIETLINE_DATA": str(folder)}, folder)
    upgrade(settings.database_url)

    async def practice(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"practice"})

    app = application(
        settings,
        load_policy(settings),
        Calls(),
        extra_mounts={"/practice": practice},
        clock=lambda: NOW,
    )
    with app.pages.app_context():
        accounts = doors().accounts
    cookies = {}
    for role in PEOPLE:
        password = secrets.token_urlsafe()
        accounts.add_user(f"a-{role}", password, now=NOW, role=role)
        user = accounts.check_password(f"a-{role}", password)
        assert user is not None
        cookies[role] = accounts.begin_session(user, now=NOW)
    tokens = {role: accounts.add_token(f"program-{role}", now=NOW, role=role) for role in PROGRAMS}
    return Served(app, cookies, tokens)


def routes(app: Flask) -> list[str]:
    """Every method and address there is."""
    return sorted(
        f"{method} {rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )


def lets_in(client: FlaskClient, route: str) -> bool:
    """Say whether somebody is let through to the view.

    A form is sent without its token, and an incident is asked for that is not there: whoever is
    let through gets a refusal of another kind, and nothing is done.
    """
    method, _, address = route.partition(" ")
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: _FILLED[found[1]], address)
    answer = client.open(path, method=method)
    where = str(answer.location)  # "said=": the second step's own way back, not the guard's
    led_away = answer.status_code == 303 and where.startswith("/sign-in?") and "said=" not in where
    return not led_away and answer.status_code not in (401, 403)


_FILLED: Final = {
    "reference": "QL-7K3M-9F2X-HC5",
    "name": "nobody",
    "id_": "nothing",
    "place": "nobody",
    "person": "nobody",
    "secret": "no-such-link",
    "version": "0",
}


def wrongly(served: Served, table: dict[str, frozenset[str]], by: str) -> list[str]:
    """Return every route and role for which the table and the console disagree."""
    roles = {"session": PEOPLE, "token": PROGRAMS}[by]
    wrong = []
    for role in (*roles, STRANGER):
        client = served.client(role, by)
        for route, allowed in table.items():
            if lets_in(client, route) != (role in allowed):
                wrong.append(f"{route}: {role} by {by}, should be {role in allowed}")
    return wrong


def test_every_route_is_in_the_table(served: Served) -> None:
    """Whoever adds a route decides here who may use it; whoever takes one away says so."""
    there, listed = set(routes(served.pages)), {*PAGES, *API}
    assert not there - listed, "write down who may use it"
    assert not listed - there, "this route is gone"


def test_a_role_that_gets_more_than_the_table_says_is_found(served: Served) -> None:
    """The planted faults: a view that lets everyone in, one that lets the wrong ones in, and one
    that forgot its mark."""
    views = served.pages.view_functions
    kept = dict(views)
    try:
        views["auditing.page"] = everyone(lambda: "seen")
        wrong = wrongly(served, {"GET /audit": AUDIT}, "session")
        assert len(wrong) == len(PEOPLE)  # all but the auditor, and the stranger
        views["auditing.page"] = kept["users.everybody"]
        wrong = wrongly(served, {"GET /audit": AUDIT}, "session")
        assert [one.split(":")[1].split()[0] for one in wrong] == ["administrator", "auditor"]
        views["auditing.page"] = lambda: "seen"
        assert len(wrongly(served, {"GET /audit": AUDIT}, "session")) == 1
    finally:
        views.update(kept)


def test_each_role_opens_its_own_pages_and_no_other(served: Served) -> None:
    """With a session."""
    assert wrongly(served, PAGES, "session") == []


def test_each_role_asks_of_the_api_what_is_its_own(served: Served) -> None:
    """With a session and with a token."""
    assert wrongly(served, API, "session") == []
    assert wrongly(served, API, "token") == []


def test_a_token_opens_no_page(served: Served) -> None:
    """Whatever its role: pages are for people who signed in."""
    for route, allowed in PAGES.items():
        if allowed is ANYBODY:
            continue
        for role in PROGRAMS:
            assert not lets_in(served.client(role, "token"), route), (route, role)


def test_a_signed_in_person_may_do_nothing_without_a_page_of_ours(served: Served) -> None:
    """Every POST with a cookie needs the token of a page."""
    client = served.client("supervisor", "session")
    for route, allowed in {**PAGES, **API}.items():
        method, _, address = route.partition(" ")
        if method == "POST" and allowed & WORK and allowed is not ANYBODY:
            path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: _FILLED[found[1]], address)
            assert client.post(path).status_code == 400, route


@pytest.mark.parametrize("by", ["session", "token"])
def test_the_live_feed_and_the_practice_phone_are_for_those_who_read(
    served: Served, by: str
) -> None:
    """They stand beside Flask and ask the same doors."""

    async def asked(route: str, role: str) -> int:
        method, _, path = route.partition(" ")
        shown = {}
        if role != STRANGER and by == "session":
            shown = {"cookie": f"{COOKIE}={served.cookies[role]}"}
        elif role != STRANGER:
            shown = {"authorization": f"Bearer {served.tokens[role]}"}
        headers = {**shown, "x-requested-with": "fetch", "host": "localhost"}
        request = Request(served.app, path, method=method, **headers)
        while not request.answer.status:
            request.answer.grew.clear()
            await asyncio.wait_for(request.answer.grew.wait(), 10)
        await request.leave()
        return request.answer.status

    async def walk() -> list[str]:
        wrong = []
        for route, allowed in LIVE.items():
            for role in (*{"session": PEOPLE, "token": PROGRAMS}[by], STRANGER):
                status = await asked(route, role)
                if (status in (200, 204)) != (role in allowed) or status >= 500:
                    wrong.append(f"{route}: {role} got {status}")
        return wrong

    assert asyncio.run(walk()) == []
