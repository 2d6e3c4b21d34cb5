"""Managing people, as an administrator does it: invite, change, help, end."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from incidents.desk import Actor
from incidents.presence import Presence
from incidents.staff import INVITED_FOR
from incidents.tables import audit, users
from incidents.transactions import reading
from tests.console.forms import PASSWORD, send, sign_in, words
from tests.console.site import Console
from tests.console.test_follow_ups import made

PHONE = "+447700900111"


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console in training mode."""
    return Console(data, sqlite_url)


@pytest.fixture
def kim(console: Console) -> FlaskClient:
    """An administrator who is signed in."""
    return console.handler("kim", role="administrator")


def invited(kim: FlaskClient, name: str = "Anna.Jones", role: str = "handler") -> str:
    """Invite somebody; returns the path of their link."""
    page = send(kim, "/users/invite", name=name, role=role)
    assert page.status_code == 200
    found = re.search(r"http://localhost:8056(/invited/[A-Za-z0-9_-]{43})<", page.text)
    assert found is not None
    return found[1]


def logged(console: Console, record: str) -> list[tuple[str, str, str]]:
    """What the audit says of one person."""
    query = sa.select(audit.c.actor, audit.c.operation, audit.c.what).where(
        audit.c.record == record
    )
    with reading(console.store.engine) as connection:
        return [tuple(row) for row in connection.execute(query.order_by(audit.c.number))]


# -- invitations ---------------------------------------------------------------------


def test_somebody_is_invited_sets_a_password_and_signs_in(
    console: Console, kim: FlaskClient
) -> None:
    """From the link to the board, in the browser of the one who was invited."""
    link, client = invited(kim), console.stranger()
    page = client.get(link)
    assert "You will sign in as anna.jones" in words(page)
    answer = send(client, link, password=PASSWORD, again=PASSWORD)
    assert answer.location == "/sign-in?said=new"
    assert "Your password is set." in words(client.get(answer.location))
    assert sign_in(client, name="anna.jones").location == "/"
    assert client.get("/").status_code == 200
    assert logged(console, "anna.jones") == [
        ("kim", "collection", "invited as handler"),
        ("anna.jones", "alteration", "set their password"),
    ]


def test_a_link_works_once(console: Console, kim: FlaskClient) -> None:
    """Whoever finds it in a mailbox later finds nothing."""
    link = invited(kim)
    send(console.stranger(), link, password=PASSWORD, again=PASSWORD)
    assert console.stranger().get(link).status_code == 410
    thief = console.stranger()
    other = "another long password"
    answer = send(thief, "/sign-in", link, password=other, again=other)
    assert answer.status_code == 410
    assert "does not work any more" in words(answer)
    assert sign_in(thief, other, name="anna.jones").status_code == 422


def test_a_link_runs_out(console: Console, kim: FlaskClient) -> None:
    """After 72 hours, to the second; the list says so, and a new link can be made."""
    link = invited(kim)
    console.now += INVITED_FOR - timedelta(seconds=1)
    assert console.stranger().get(link).status_code == 200
    console.now += timedelta(seconds=1)
    assert console.stranger().get(link).status_code == 410
    again = console.handler("lee", role="administrator")
    assert "invitation ran out" in words(again.get("/users"))
    page = send(again, "/users/anna.jones", "/users/anna.jones/link")
    assert "It is shown this once" in words(page)
    assert console.stranger().get(link).status_code == 410


def test_a_link_is_kept_nowhere(console: Console, kim: FlaskClient) -> None:
    """The store holds its digest; the pages of the person do not show it again."""
    secret = invited(kim).removeprefix("/invited/")
    with reading(console.store.engine) as connection:
        assert secret not in repr(connection.execute(sa.select(users)).all())
    assert secret not in kim.get("/users/anna.jones").text + kim.get("/users").text


@pytest.mark.parametrize("secret", ["A" * 43, "x", "%00", "é" * 43, "A" * 2000])
def test_a_made_up_link_opens_nothing(console: Console, secret: str) -> None:
    """410 in words, never a failure, and no form to try passwords with."""
    answer = console.stranger().get(f"/invited/{secret}")
    assert answer.status_code == 410
    assert "<form" not in answer.text


def test_two_passwords_that_differ_are_refused(console: Console, kim: FlaskClient) -> None:
    """And one that is too short; the link stays good."""
    link, client = invited(kim), console.stranger()
    differ = send(client, link, password=PASSWORD, again=PASSWORD + "!")
    assert differ.status_code == 422
    assert "not the same" in words(differ)
    short = send(client, link, password="short", again="short")
    assert short.status_code == 422
    assert "12 to 256 characters" in words(short)
    assert send(client, link, password=PASSWORD, again=PASSWORD).status_code == 303


@pytest.mark.parametrize(
    ("name", "role", "says"),
    [
        ("two words", "handler", "A name is 1 to 64 letters"),
        ("", "handler", "A name is 1 to 64 letters"),
        ("kim", "handler", "already a user called kim"),
        ("bert", "reader", "A user's role must be one of"),
        ("bert", "", "A user's role must be one of"),
    ],
)
def test_what_was_typed_is_kept_when_an_invitation_is_refused(
    kim: FlaskClient, name: str, role: str, says: str
) -> None:
    """The reason stands in a summary above and beside the field."""
    answer = send(kim, "/users/invite", name=name, role=role)
    assert answer.status_code == 422
    assert words(answer).count(says) == 2
    assert f'name="name" value="{name}"' in answer.text
    assert "<title>Error: " in answer.text


# -- changes -------------------------------------------------------------------------


def test_the_list_shows_who_there_is_and_no_whole_number(
    console: Console, kim: FlaskClient
) -> None:
    """Role, state, second factor, the end of the phone, hours, and when they were last heard."""
    console.accounts.add_user("anna", PASSWORD, now=console.now, role="supervisor")
    console.staff.set_phone("anna", PHONE, by="kim", now=console.now)
    console.staff.set_shift("anna", "07:00-19:00", by="kim", now=console.now)
    Presence(console.store.engine).heard({"anna": ("supervisor", True)}, console.now)
    page = kim.get("/users")
    assert "anna Supervisor signs in none …0111 07:00-19:00 22 Dec 2026, 18:03" in words(page)
    assert PHONE not in page.text
    assert PHONE not in kim.get("/users/anna").text


def test_looking_at_people_is_in_the_audit(console: Console, kim: FlaskClient) -> None:
    """Rule 11: views included."""
    console.accounts.add_user("anna", PASSWORD, now=console.now)
    kim.get("/users")
    kim.get("/users/anna")
    assert logged(console, "users") == [("kim", "consultation", "opened the list of users")]
    assert logged(console, "anna")[-1] == ("kim", "consultation", "viewed the user")


def test_a_phone_is_kept_sealed_and_can_be_removed(console: Console, kim: FlaskClient) -> None:
    """A supervisor's phone is a person's own data."""
    console.accounts.add_user("anna", PASSWORD, now=console.now)
    page = "/users/anna"
    wrong = send(kim, page, f"{page}/phone", phone="07700 900111")
    assert wrong.status_code == 422
    assert words(wrong).count("with its country's code") == 2
    assert 'value="07700 900111"' in wrong.text
    assert send(kim, page, f"{page}/phone", phone="999").status_code == 422
    kept = send(kim, page, f"{page}/phone", phone="+44 7700 900111")
    assert kept.location == "/users/anna?done=phone"
    assert "ends in 0111" in words(kim.get(kept.location))
    with reading(console.store.engine) as connection:
        row = connection.execute(sa.select(users).where(users.c.name == "anna")).one()
    assert b"900111" not in row.phone
    assert console.keys.open(row.phone, f"users|{row.id}|phone") == PHONE.encode()
    send(kim, page, f"{page}/phone", phone="")
    assert "none" in words(kim.get("/users"))


@pytest.mark.parametrize("hours", ["7-19", "07:00-07:00", "25:00-26:00", "night"])
def test_hours_that_are_none_are_refused_and_kept(
    console: Console, kim: FlaskClient, hours: str
) -> None:
    """In words, beside the field."""
    console.accounts.add_user("anna", PASSWORD, now=console.now)
    answer = send(kim, "/users/anna", "/users/anna/shift", shift=hours)
    assert answer.status_code == 422
    assert f'value="{hours}"' in answer.text
    assert send(kim, "/users/anna", "/users/anna/shift", shift="19:00 – 07:00").status_code == 303


def test_another_role_ends_the_sessions_and_opens_other_pages(
    console: Console, kim: FlaskClient
) -> None:
    """What was open with the old role is over at once."""
    anna = console.handler("anna")
    assert anna.get("/").status_code == 200
    answer = send(kim, "/users/anna", "/users/anna/role", role="auditor")
    assert answer.location == "/users/anna?done=role"
    assert anna.get("/").status_code == 303
    client = console.stranger()
    sign_in(client)
    assert client.get("/").status_code == 403
    assert ("kim", "alteration", "changed the role to auditor") in logged(console, "anna")


def test_nobody_changes_their_own_role_or_ends_their_own_account(
    console: Console, kim: FlaskClient
) -> None:
    """Somebody who can is always left."""
    page = "/users/kim"
    assert "Another administrator can change your role" in words(kim.get(page))
    refused = send(kim, page, f"{page}/role", role="handler")
    assert refused.status_code == 422
    refused = send(kim, page, f"{page}/leave")
    assert refused.status_code == 422
    assert "ask another administrator" in words(refused)
    assert kim.get("/users").status_code == 200


def test_the_role_of_whoever_holds_a_live_call_waits(console: Console, kim: FlaskClient) -> None:
    """It would sign them out, and leave the caller with nobody."""
    console.handler("anna")
    reference = claimed(console, "anna")
    answer = send(kim, "/users/anna", "/users/anna/role", role="supervisor")
    assert answer.status_code == 422
    assert f"anna holds a live call ({reference})" in words(answer)


def test_a_lost_factor_is_reset_on_the_page(console: Console, kim: FlaskClient) -> None:
    """The page offers it only where there is one."""
    console.accounts.add_user("anna", PASSWORD, now=console.now)
    assert "Lost second factor" not in words(kim.get("/users/anna"))
    with console.store.engine.begin() as connection:
        connection.execute(sa.update(users).where(users.c.name == "anna").values(totp=b"sealed"))
    answer = send(kim, "/users/anna", "/users/anna/factor")
    assert answer.location == "/users/anna?done=factor"
    assert "none yet" in words(kim.get(answer.location))
    assert ("kim", "erasure", "reset the second factor") in logged(console, "anna")


# -- leavers -------------------------------------------------------------------------


def claimed(console: Console, name: str) -> str:
    """Have somebody claim a call on an open line; returns its reference."""
    sid = console.call("55")
    console.drain()
    reference = console.reference(sid)
    console.desk.claim(reference, by=Actor(name, "handler"), now=console.now)
    console.refresh()
    return reference


def test_a_leaver_is_out_at_once_with_sessions_tokens_and_screens(
    console: Console, kim: FlaskClient
) -> None:
    """Also in the seconds in which the console remembers good answers."""
    anna, program = console.handler("anna"), console.program("anna", role="handler")
    assert anna.get("/").status_code == 200
    assert program.get("/api/v1/incidents").status_code == 200
    page = kim.get("/users/anna/leave")
    assert "Every session, token and open screen of anna ends at once." in words(page)
    answer = send(kim, "/users/anna/leave")
    assert answer.location == "/users?done=left"
    assert anna.get("/").status_code == 303
    assert program.get("/api/v1/incidents").status_code == 401
    assert sign_in(console.stranger()).status_code == 422
    assert "left 22 Dec 2026" in words(kim.get("/users"))
    assert ("kim", "erasure", "ended the account") in logged(console, "anna")


def test_a_leavers_live_call_passes_to_the_supervisor_on_duty(
    console: Console, kim: FlaskClient
) -> None:
    """No caller is left with somebody who is gone."""
    console.handler("anna")
    reference = claimed(console, "anna")
    people = {"sue": ("supervisor", True), "anna": ("handler", True)}
    Presence(console.store.engine).heard(people, console.now)
    assert reference in words(kim.get("/users/anna/leave"))
    send(kim, "/users/anna/leave")
    console.refresh()
    passed = console.watch.incident(reference)
    assert passed is not None
    assert passed.handler == "sue"


def test_with_no_supervisor_on_duty_a_leavers_call_waits_again(
    console: Console, kim: FlaskClient
) -> None:
    """The ladder finds somebody."""
    console.handler("anna")
    reference = claimed(console, "anna")
    send(kim, "/users/anna/leave")
    console.refresh()
    passed = console.watch.incident(reference)
    assert passed is not None
    assert (passed.state, passed.handler) == ("waiting", None)


def test_somebody_who_left_comes_back_by_a_new_link(console: Console, kim: FlaskClient) -> None:
    """With a new password and a new second factor; the old ones are worth nothing."""
    console.accounts.add_user("anna", PASSWORD, now=console.now)
    send(kim, "/users/anna/leave")
    page = send(kim, "/users/anna", "/users/anna/link")
    found = re.search(r"(/invited/[A-Za-z0-9_-]{43})<", page.text)
    assert found is not None
    client = console.stranger()
    assert sign_in(client).status_code == 422
    other = "another long password"
    send(client, found[1], password=other, again=other)
    assert sign_in(client, other).status_code == 303


def test_a_person_nobody_knows_is_not_found(kim: FlaskClient) -> None:
    """404, also for what is no name at all."""
    for name in ("nobody", "%00", "a b", "x" * 300):
        assert kim.get(f"/users/{name}").status_code == 404
        assert kim.get(f"/users/{name}/leave").status_code == 404


def test_nobody_else_manages_users(console: Console, kim: FlaskClient) -> None:
    """Neither a handler nor a supervisor, nor any token."""
    for role in ("handler", "supervisor", "auditor", "analyst", "contact_officer"):
        client = console.handler(f"the-{role}", role=role)
        for path in ("/users", "/users/invite", "/users/kim", "/users/kim/leave"):
            assert client.get(path).status_code == 403, (role, path)
    assert console.program().get("/users").status_code == 303


def test_a_leavers_follow_ups_pass_to_whoever_is_named(console: Console, kim: FlaskClient) -> None:
    """The page says how many there are; a name that may own none is refused, and nobody leaves."""
    console.handler("cara", role="contact_officer")
    console.accounts.add_user("dan", PASSWORD, now=console.now, role="contact_officer")
    work = console.follow_ups
    row = made(console, by="cara")
    page = "/users/cara/leave"
    assert "cara has 1 open follow-up" in words(kim.get(page))
    refused = send(kim, page, receiver="kim")
    assert refused.status_code == 422
    assert work.one(row).owner == "cara"
    assert send(kim, page, receiver="dan").status_code == 303
    assert work.one(row).owner == "dan"


def test_a_role_without_people_gives_its_follow_ups_back(
    console: Console, kim: FlaskClient
) -> None:
    """They stand on the supervisors' list."""
    console.handler("cara", role="contact_officer")
    work = console.follow_ups
    made(console, by="cara")
    send(kim, "/users/cara", "/users/cara/role", role="auditor")
    assert work.nobodys().count == 1
