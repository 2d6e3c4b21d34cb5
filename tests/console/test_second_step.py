"""The second factor at the sign-in: set up once, asked for each time, lost and found."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from console.doors import COOKIE
from console.pending import COOKIE as PENDING
from console.pending import GOOD_FOR
from incidents.tables import audit
from incidents.transactions import reading
from tests.console.forms import PASSWORD, send, sign_in, token, words
from tests.console.site import Console


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console in live mode with one handler."""
    made = Console(data, sqlite_url, training=False)
    made.accounts.add_user("anna", PASSWORD, now=made.now)
    return made


def app_secret(client: FlaskClient) -> str:
    """Read the letters of the page into an app."""
    found = re.search(r'class="letters">([A-Z2-7 ]+)<', client.get("/sign-in/code").text)
    assert found is not None
    return found[1].replace(" ", "")


def shown(console: Console, secret: str) -> str:
    """What the app shows now."""
    return pyotp.TOTP(secret).at(console.now)


def enrolled(console: Console) -> tuple[FlaskClient, str]:
    """Sign in for the first time; returns the browser and what the app holds."""
    client = console.stranger()
    assert sign_in(client).location == "/sign-in/code?next=/"
    secret = app_secret(client)
    assert send(client, "/sign-in/code", code=shown(console, secret)).location == "/"
    console.now += timedelta(minutes=1)
    return client, secret


def test_the_first_sign_in_sets_the_factor_up(console: Console) -> None:
    """A picture to scan and letters to type; a code from the app, and one is in."""
    client = console.stranger()
    sign_in(client)
    page = client.get("/sign-in/code")
    assert "Set up the second factor" in words(page)
    assert '<img class="picture" src="/sign-in/code.svg"' in page.text
    picture = client.get("/sign-in/code.svg")
    assert picture.mimetype == "image/svg+xml"
    assert "<script" not in picture.text
    assert "style=" not in picture.text
    secret = app_secret(client)
    answer = send(client, "/sign-in/code", code=shown(console, secret))
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/").status_code == 200
    assert client.get_cookie(PENDING, path="/sign-in") is None


def test_the_right_password_alone_opens_nothing(console: Console) -> None:
    """Half a sign-in is none: no page, no feed, no data."""
    client = console.stranger()
    sign_in(client)
    assert client.get_cookie(COOKIE) is None
    assert client.get("/").status_code == 303
    assert client.get("/api/v1/incidents").status_code == 401


def test_later_sign_ins_ask_for_a_code_and_show_no_secret(console: Console) -> None:
    """Whoever has the password must not get at the secret."""
    _, secret = enrolled(console)
    client = console.stranger()
    sign_in(client)
    page = client.get("/sign-in/code")
    assert "Enter the code" in words(page)
    assert secret not in page.text.replace(" ", "")
    assert client.get("/sign-in/code.svg").status_code == 404
    assert send(client, "/sign-in/code", code=shown(console, secret)).location == "/"
    assert client.get("/").status_code == 200


def test_a_wrong_code_is_refused_beside_its_field_and_kept(console: Console) -> None:
    """What was typed comes back; nothing is opened."""
    enrolled(console)
    client = console.stranger()
    sign_in(client)
    answer = send(client, "/sign-in/code", code="12 34 56")
    assert answer.status_code == 422
    assert "This code is not right" in words(answer)
    assert 'value="12 34 56"' in answer.text
    assert client.get("/").status_code == 303


def test_a_code_that_was_used_is_refused_in_words(console: Console) -> None:
    """Somebody who looked over a shoulder, or who was too quick to sign in again."""
    _, secret = enrolled(console)
    first, second = console.stranger(), console.stranger()
    code = shown(console, secret)
    for client in (first, second):
        sign_in(client)
    assert send(first, "/sign-in/code", code=code).status_code == 303
    answer = send(second, "/sign-in/code", code=code)
    assert answer.status_code == 422
    assert "used already" in words(answer)


def test_a_code_tried_for_too_long_begins_again(console: Console) -> None:
    """A screen left alone between password and code."""
    client = console.stranger()
    sign_in(client)
    secret, crumb = app_secret(client), token(client, "/sign-in/code")
    console.now += GOOD_FOR
    form = {"csrf_token": crumb, "code": shown(console, secret), "next": "/review"}
    answer = client.post("/sign-in/code", data=form)
    assert answer.location == "/sign-in?next=/review&said=slow"
    assert "took too long" in client.get(answer.location).text


@pytest.mark.parametrize("value", ["", "x", "é" * 9, "A" * 300])
def test_a_made_up_cookie_is_no_sign_in(console: Console, value: str) -> None:
    """Neither a failure nor a door."""
    client = console.stranger()
    client.set_cookie(PENDING, value, path="/sign-in")
    assert client.get("/sign-in/code").status_code == 303
    assert client.get("/sign-in/code.svg").status_code == 404


def test_a_new_password_ends_a_sign_in_that_waits_for_its_code(console: Console) -> None:
    """Whoever had the old one is out, also half-way in."""
    client = console.stranger()
    sign_in(client)
    secret = app_secret(client)
    crumb = token(client, "/sign-in/code")
    console.staff.change_password("anna", "another long password", now=console.now)
    answer = client.post(
        "/sign-in/code", data={"csrf_token": crumb, "code": shown(console, secret)}
    )
    assert answer.location.startswith("/sign-in?")


def test_a_lost_factor_is_reset_and_set_up_anew(console: Console) -> None:
    """The old app's codes are worth nothing; the next sign-in shows a new picture."""
    _, old = enrolled(console)
    console.staff.reset_factor("anna", by="kim", now=console.now)
    client = console.stranger()
    sign_in(client)
    new = app_secret(client)
    assert new != old
    assert send(client, "/sign-in/code", code=shown(console, old)).status_code == 422
    assert send(client, "/sign-in/code", code=shown(console, new)).status_code == 303


def test_two_browsers_that_set_it_up_at_once_keep_one_factor(console: Console) -> None:
    """The second is led back to the sign-in, where it is asked for the first one's code."""
    first, second = console.stranger(), console.stranger()
    sign_in(first)
    sign_in(second)
    one, two = app_secret(first), app_secret(second)
    assert send(first, "/sign-in/code", code=shown(console, one)).status_code == 303
    answer = send(second, "/sign-in/code", code=shown(console, two))
    assert answer.location.startswith("/sign-in?")


def test_somebody_who_guesses_codes_is_slowed_and_the_team_is_not(console: Console) -> None:
    """Ten a minute from one address; a browser that is known is counted apart."""
    known, secret = enrolled(console)
    send(known, "/", "/sign-out")
    guesser = console.stranger()
    sign_in(guesser)
    codes = [
        send(guesser, "/sign-in/code", code=f"{guess:06}").status_code
        for guess in range(11)
        if f"{guess:06}" != shown(console, secret)
    ]
    assert codes[-1] == 429
    sign_in(known)
    assert send(known, "/sign-in/code", code=shown(console, secret)).status_code == 303


def test_training_asks_for_no_code(data: Path, sqlite_url: str) -> None:
    """Nobody trains with a phone in hand."""
    console = Console(data, sqlite_url)
    console.accounts.add_user("anna", PASSWORD, now=console.now)
    assert sign_in(console.stranger()).location == "/"


def test_sign_ins_and_refusals_are_in_the_audit(console: Console) -> None:
    """Rule 11; a name nobody has may be a password in the wrong field, so it is not written."""
    client, secret = enrolled(console)
    sign_in(console.stranger(), "wrong password")
    sign_in(console.stranger(), name="my secret password")
    other = console.stranger()
    sign_in(other)
    send(other, "/sign-in/code", code="000000")
    send(client, "/", "/sign-out")
    with reading(console.store.engine) as connection:
        rows = connection.execute(
            sa.select(audit.c.actor, audit.c.operation, audit.c.what)
            .where(audit.c.record == "sign-in")
            .order_by(audit.c.number)
        ).all()
        everything = repr(connection.execute(sa.select(audit)).all())
    assert [tuple(row) for row in rows] == [
        ("anna", "consultation", "signed in"),
        ("anna", "consultation", "was refused at the sign-in"),
        ("nobody", "consultation", "was refused at the sign-in"),
        ("anna", "consultation", "gave a wrong code at the sign-in"),
        ("anna", "consultation", "signed out"),
    ]
    assert "my secret password" not in everything
    assert secret not in everything
