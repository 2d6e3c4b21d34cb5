"""Officers learn on the console of a call of their people, until they have seen it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from incidents.desk import Actor
from incidents.numbers import number_row
from incidents.persons import Persons
from incidents.tables import person_numbers
from incidents.transactions import writing
from tests.console.forms import send, words
from tests.console.site import NOW, NUMBER, Console
from tests.incidents.joining import joined

TODAY = date(2026, 12, 22)


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console with a repeat victim whose SPOC is cara."""
    console = Console(data, sqlite_url)
    persons = Persons(console.store, console.keys, console.audit)
    mair = persons.add("Mair Example", by="anna", now=NOW, repeat=True)
    with writing(console.store.engine) as connection:
        row = number_row(connection, console.keys, NUMBER, NOW)
        facts = {"id": "one", "person_id": mair, "number_id": row, "by": "cara", "at": NOW}
        connection.execute(person_numbers.insert().values(**facts, data=b""))
    joined(console.accounts, "sue", "supervisor", now=NOW)
    return console


@pytest.fixture
def cara(console: Console) -> FlaskClient:
    """The SPOC."""
    client = console.handler("cara", role="contact_officer")
    (found,) = console.contacts.lists.to_mend(TODAY).shown
    console.contacts.contacts.assign(found.person, "cara", by="sue", now=NOW, day=TODAY)
    return client


def called(console: Console) -> str:
    """Let Mair call; returns the reference."""
    sid = console.call("55")
    console.drain()
    return console.reference(sid)


def test_a_call_is_a_notice_for_its_officer_alone(console: Console, cara: FlaskClient) -> None:
    """With who, when, how it stands, and a link; other officers are not told."""
    assert words(cara.get("/contacts/calls")) == ""
    reference = called(console)
    notice = cara.get("/contacts/calls")
    shown = words(notice)
    assert "Mair Example : a call at 18:03:11 GMT , open line, full signal given." in shown
    assert "Waiting for a handler." in shown
    assert f'href="/incidents/{reference}"' in notice.text
    dan = console.handler("dan", role="contact_officer")
    assert words(dan.get("/contacts/calls")) == ""


def test_a_page_has_room_for_notices_of_who_may_be_told(
    console: Console, cara: FlaskClient
) -> None:
    """A handler's has none."""
    assert 'id="told-calls"' in cara.get("/search").text
    assert 'id="told-calls"' not in console.handler("anna").get("/search").text


def test_opening_the_call_ends_the_notice_and_says_so_on_the_timeline(
    console: Console, cara: FlaskClient
) -> None:
    """Somebody else who opens it has not seen it for the officer."""
    reference = called(console)
    console.handler("anna").get(f"/incidents/{reference}")
    assert "Mair Example" in words(cara.get("/contacts/calls"))
    shown = words(cara.get(f"/incidents/{reference}"))
    assert words(cara.get("/contacts/calls")) == ""
    assert "A known person's number told: cara" in shown
    assert "Seen by the point of contact cara" in shown


def test_a_notice_can_be_put_away_from_any_page(console: Console, cara: FlaskClient) -> None:
    """With or without a script; only by whoever was told."""
    reference = called(console)
    seen = f"/contacts/calls/{reference}/seen"
    assert send(console.handler("dan", role="contact_officer"), "/my-day", seen).status_code == 404
    answer = send(cara, "/my-day", seen, next="/my-day")
    assert (answer.status_code, answer.location) == (303, "/my-day")
    assert words(cara.get("/contacts/calls")) == ""
    nobody = "/contacts/calls/QL-7K3M-9F2X-HC4/seen"
    assert send(cara, "/my-day", nobody).status_code == 404


def test_the_calls_of_the_last_days_stand_on_the_officers_day(
    console: Console, cara: FlaskClient
) -> None:
    """Seen or not; empty, it says what comes there."""
    empty = words(cara.get("/my-day"))
    assert "None since you stand for them. A new call of somebody you stand for" in empty
    assert "calls before that are on the page of the person" in empty
    reference = called(console)
    row = f"Mair Example {reference} 22 Dec 2026, 18:03:11 GMT Full signal given, open line"
    shown = words(cara.get("/my-day"))
    assert f"{row} Waiting for a handler I know of it" in shown
    send(cara, "/my-day", f"/contacts/calls/{reference}/seen", next="/my-day")
    assert "Waiting for a handler have seen it" in words(cara.get("/my-day"))
    assert "Calls of my people" not in words(console.handler("anna").get("/my-day"))


def test_one_notice_stands_there_and_leads_to_the_others(
    console: Console, cara: FlaskClient
) -> None:
    """A screen has room for other things too, such as a live call."""
    for _ in range(5):
        called(console)
    shown = words(cara.get("/contacts/calls"))
    assert shown.count("Open the call") == 1
    assert "4 more calls of your people wait for you to see." in shown


def test_a_closed_call_of_their_people_opens_to_their_officer(
    console: Console, cara: FlaskClient
) -> None:
    """It is their own work: no reason is asked."""
    reference = called(console)
    anna, later = Actor("anna", "handler"), NOW + timedelta(minutes=1)
    console.desk.claim(reference, by=anna, now=later)
    console.desk.close(reference, "no_concern", "line let go", by=anna, now=later)
    console.refresh()
    assert "Why do you open" not in words(cara.get(f"/incidents/{reference}"))
    dan = console.handler("dan", role="contact_officer")
    assert "Why do you open" in words(dan.get(f"/incidents/{reference}"))


def test_with_the_store_away_the_day_says_that_calls_cannot_be_read(
    console: Console, cara: FlaskClient
) -> None:
    """And the notices come when it is back."""
    called(console)
    with console.store_away():
        assert cara.get("/contacts/calls").status_code == 503
    assert "Mair Example" in words(cara.get("/contacts/calls"))
