"""Signing in and out, as an intruder would try it."""

from __future__ import annotations

import re
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from console.doors import COOKIE
from incidents.desk import Actor
from incidents.presence import Presence
from tests.console.forms import PASSWORD, send, sign_in, token, words
from tests.console.site import Console


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console with one handler."""
    made = Console(data, sqlite_url)
    made.accounts.add_user("anna", now=made.now, password=PASSWORD)
    return made


def test_the_right_password_opens_and_its_cookie_is_guarded(console: Console) -> None:
    """HttpOnly, SameSite=Strict, and no end date: it goes with the browser."""
    client = console.stranger()
    answer = sign_in(client)
    assert (answer.status_code, answer.location) == (303, "/")
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith(COOKIE))
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Expires" not in cookie
    assert client.get("/").status_code == 200


def test_a_wrong_password_and_an_unknown_name_read_the_same(console: Console) -> None:
    """Nobody learns who works here."""
    wrong = sign_in(console.stranger(), "not the password")
    unknown = sign_in(console.stranger(), name="nobody")
    assert wrong.status_code == unknown.status_code == 422
    shape = re.compile(r'value="[^"]*"|data-now="[^"]*"')
    assert shape.sub("", wrong.text) == shape.sub("", unknown.text)


def test_a_session_from_before_the_sign_in_is_worth_nothing_after(console: Console) -> None:
    """Fixation: neither a planted session cookie nor a planted form token survives."""
    client = console.stranger()
    client.set_cookie(COOKIE, "A" * 43)
    before = token(client)
    sign_in(client)
    after = client.get_cookie(COOKIE)
    assert after is not None
    assert after.value != "A" * 43
    refused = client.post("/sign-out", data={"csrf_token": before})
    assert refused.status_code == 400


def test_a_session_is_worth_nothing_after_the_sign_out(console: Console) -> None:
    """Also in another browser that holds the same cookie."""
    client = console.stranger()
    sign_in(client)
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    thief = console.stranger()
    thief.set_cookie(COOKIE, cookie.value)
    assert thief.get("/").status_code == 200
    client.post("/sign-out", data={"csrf_token": token(client, "/")})
    assert thief.get("/").status_code == 303
    assert client.get("/").status_code == 303


def test_signing_out_while_the_store_is_locked_forgets_the_session_here(console: Console) -> None:
    """A shift ends when it ends: the browser lets the session go, and the page says how far."""
    client = console.stranger()
    sign_in(client)
    crumb = token(client, "/")
    lock = sqlite3.connect(console.url.removeprefix("sqlite:///"), isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        answer = client.post("/sign-out", data={"csrf_token": crumb})
    finally:
        lock.close()
    assert answer.status_code == 303
    assert client.get_cookie(COOKIE) is None
    assert "other screens of yours" in client.get(answer.headers["Location"]).text


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/incidents/QL-7K3M-9F2X-HC4/notes"])
def test_a_form_from_elsewhere_is_refused(console: Console, path: str) -> None:
    """CSRF: no token, no change."""
    client = console.handler("berta")
    answer = client.post(path, data={"name": "anna", "password": PASSWORD, "text": "x"})
    assert answer.status_code == 400
    assert "out of date" in answer.text


def test_a_guesser_is_slowed(console: Console) -> None:
    """Ten wrong passwords a minute for one name from one address; then even the right one waits."""
    guesser = console.stranger()
    answers = [sign_in(guesser, f"guess {n}").status_code for n in range(11)]
    assert answers == [422] * 10 + [429]
    assert sign_in(guesser).status_code == 429


def test_guessing_never_locks_out_the_duty_team(console: Console) -> None:
    """Neither from elsewhere, nor behind the same address in a browser that is known."""
    known = console.stranger()
    sign_in(known)
    known.post("/sign-out", data={"csrf_token": token(known, "/")})
    guesser = console.stranger()
    for n in range(12):
        sign_in(guesser, f"guess {n}")
    assert sign_in(console.stranger(), address="10.0.0.2").status_code == 303
    assert sign_in(known).status_code == 303


def test_right_passwords_are_not_counted(console: Console) -> None:
    """A team that signs in all at once at the change of shift is not a guesser."""
    answers = {sign_in(console.stranger()).status_code for _ in range(15)}
    assert answers == {303}


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"name": "\x00", "password": "\x00"},
        {"name": "a" * 10_000, "password": "b" * 30_000},
        {"name": "\ud800", "password": "\udfff"},
        {"name": "' OR 1=1 --", "password": "' OR 1=1 --"},
    ],
)
def test_a_strange_form_is_refused_with_a_sentence(console: Console, form: dict[str, str]) -> None:
    """4xx, never 5xx."""
    client = console.stranger()
    encoded = {
        name: value.encode("utf-8", "surrogatepass").decode("latin-1")
        for name, value in form.items()
    }
    answer = client.post("/sign-in", data={**encoded, "csrf_token": token(client)})
    assert 400 <= answer.status_code < 500
    assert "not right" in answer.text


# -- who lands where -------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "page", "title"),
    [
        ("handler", "/", "Live board"),
        ("supervisor", "/", "Live board"),
        ("contact_officer", "/", "Live board"),
        ("administrator", "/users", "Users"),
        ("auditor", "/audit", "Audit"),
        ("analyst", "/figures", "Figures"),
    ],
)
def test_each_role_lands_on_a_page_it_may_see(
    console: Console, role: str, page: str, title: str
) -> None:
    """And never on a refusal."""
    console.accounts.add_user("role", PASSWORD, now=console.now, role=role)
    client = console.stranger()
    answer = sign_in(client, name="role")
    assert answer.location == page
    shown = client.get(page)
    assert shown.status_code == 200
    assert title in words(shown)


def test_a_page_a_role_may_not_see_is_refused_in_a_sentence_that_leads_on(
    console: Console,
) -> None:
    """An administrator reads no incident: 403, why, and a way back to their own page."""
    client = console.handler("kim", role="administrator")
    answer = client.get("/")
    assert answer.status_code == 403
    assert "Your role does not read incidents." in words(answer)
    assert '<a class="button" href="/users">' in answer.text
    assert "js/page.js" not in answer.text
    refused = console.handler("bert").get("/users")
    assert refused.status_code == 403
    assert "for those who manage users" in words(refused)


# -- nobody is left alone ----------------------------------------------------------


@pytest.fixture
def live(console: Console) -> str:
    """A call on an open line that anna has claimed."""
    sid = console.call("55")
    console.drain()
    reference = console.reference(sid)
    console.desk.claim(reference, by=Actor("anna", "handler"), now=console.now)
    console.refresh()
    return reference


def test_signing_out_is_refused_while_a_live_call_is_held(console: Console, live: str) -> None:
    """The caller would be with nobody: the page says what to do first, and the session stands."""
    client = console.stranger()
    sign_in(client)
    answer = send(client, "/", "/sign-out")
    assert answer.status_code == 409
    assert "You hold a live call" in words(answer)
    assert live in answer.text
    assert "nobody else is on duty now" in words(answer)
    assert client.get("/").status_code == 200


def test_a_held_call_is_released_on_the_way_out(console: Console, live: str) -> None:
    """It waits again; then the sign-out works."""
    client = console.stranger()
    sign_in(client)
    answer = send(client, "/sign-out", f"/sign-out/{live}/release")
    assert answer.location == "/sign-out"
    assert "You hold no live call." in words(client.get("/sign-out"))
    console.refresh()
    held = console.watch.incident(live)
    assert held is not None
    assert (held.state, held.handler) == ("waiting", None)
    assert send(client, "/sign-out").location == "/sign-in?bye=1"


def test_a_held_call_is_handed_over_on_the_way_out(console: Console, live: str) -> None:
    """To a colleague who is on duty."""
    console.accounts.add_user("bert", PASSWORD, now=console.now)
    Presence(console.store.engine).heard({"bert": ("handler", True)}, console.now)
    client = console.stranger()
    sign_in(client)
    assert "<option>bert</option>" in client.get("/sign-out").text
    refused = send(client, "/sign-out", f"/sign-out/{live}/hand-over", to="nobody-here")
    assert refused.status_code == 422
    assert "nobody called nobody-here" in words(refused)
    assert send(client, "/sign-out", f"/sign-out/{live}/hand-over", to="bert").status_code == 303
    console.refresh()
    held = console.watch.incident(live)
    assert held is not None
    assert held.handler == "bert"


def test_with_the_store_away_a_held_call_still_keeps_its_handler(
    console: Console, live: str
) -> None:
    """Signed out during an outage, nobody could sign in again: the board says what is held."""
    client = console.stranger()
    sign_in(client)
    crumb = token(client, "/")
    with console.store_away():
        answer = client.post("/sign-out", data={"csrf_token": crumb})
    assert answer.status_code == 409
    assert live in answer.text


def test_pages_open_for_whoever_holds_a_live_call_after_the_session_ran_out(
    console: Console, live: str
) -> None:
    """Nobody is signed out while holding a live call, however long it takes."""
    client = console.stranger()
    sign_in(client)
    other = console.handler("bert")
    console.now += timedelta(hours=15)
    assert client.get("/review").status_code == 200
    assert other.get("/review").status_code == 303
