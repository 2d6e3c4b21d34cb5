"""The search page: what it finds, what it refuses, and what the audit says of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from console.search_commands import search_commands
from incidents.audit_reading import Reading, Wanted
from incidents.desk import Actor
from incidents.indexing_earlier import index_earlier
from incidents.roles import Right
from tests.console.forms import send, words
from tests.console.site import NUMBER, Console
from tests.incidents.calling_back import Office

ANNA = Actor("anna", "handler")


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Iterator[Console]:
    """A console over an empty store."""
    made = Console(data, sqlite_url)
    yield made
    made.close()


def noted(console: Console, text: str) -> str:
    """Have a call with a note; returns its reference."""
    reference = console.reference(console.call("55"))
    console.drain()
    console.desk.note(reference, text, by=Actor("ben", "handler"), now=console.now)
    console.refresh()
    return reference


def search(client: FlaskClient, terms: str) -> TestResponse:
    """Fill in the form and send it."""
    return send(client, "/search", terms=terms)


def office(console: Console) -> Office:
    """Where people are put on record."""
    return Office(console.store, console.keys)


def looks(console: Console) -> list[str]:
    """What the audit has of searches."""
    every = list(Reading(console.store.engine, console.keys).every(Wanted()))
    return [entry.what for entry in every if entry.record == "search"]


def test_words_of_a_note_lead_to_the_call_and_show_nothing_of_the_note(console: Console) -> None:
    """A record opens under its own rules: the list only says where the words stand."""
    reference = noted(console, "Back door, Hazel Court; secret knock")
    answer = search(console.handler(), "hazel COURT")
    assert answer.status_code == 200
    assert f'href="/incidents/{reference}"' in answer.text
    assert "Found in" in words(answer)
    assert "knock" not in answer.text
    assert looks(console) == ["searched by words"]


def test_a_whole_number_leads_to_its_calls(console: Console) -> None:
    """However it is spaced; the audit does not hold it."""
    reference = noted(console, "a note")
    answer = search(console.handler(), NUMBER.replace("+447700", "+44 7700 "))
    assert f'href="/incidents/{reference}"' in answer.text
    assert looks(console) == ["searched by number"]


def test_a_reference_leads_straight_to_its_record(console: Console) -> None:
    """Written down in a hurry as well."""
    reference = noted(console, "a note")
    answer = search(console.handler(), reference.lower().replace("-", " "))
    assert answer.status_code == 303
    assert answer.location == f"/incidents/{reference}"
    assert looks(console) == ["searched by reference"]


@pytest.mark.parametrize(
    ("typed", "status", "sentence"),
    [
        ("07700 900123", 422, "Enter the whole number with its country's code"),
        ("QL-7K3M-9F2X-HC9", 422, "This reference has a mistake in it"),
        ("", 422, "Type a reference, a whole number, or words to look for"),
        ("word " * 200, 422, "Look for at most 12 words"),
        ("nowhere", 200, "Nothing has all of these words"),
        ("+447700900999", 200, "No call of this number is here"),
    ],
)
def test_what_finds_nothing_says_what_to_do_and_keeps_what_was_typed(
    console: Console, typed: str, status: int, sentence: str
) -> None:
    """Refusals stand above and beside the field."""
    answer = search(console.handler(), typed)
    assert answer.status_code == status
    assert words(answer).count(sentence) == (2 if status == 422 else 1)
    assert f'value="{typed[:201]}"' in answer.text


def test_people_are_found_by_name_and_address_and_number(console: Console) -> None:
    """For whoever works with people; the audit says by what kind of thing, never by which."""
    person, row = office(console).person(name="Hazel Example", number=NUMBER)
    assert row
    client = console.handler()
    for terms in ("hazel EXAMPLE", NUMBER):
        assert f'href="/people/{person}">Hazel Example</a>' in search(client, terms).text
    every = Reading(console.store.engine, console.keys).every(Wanted())
    told = [entry.what for entry in every if entry.record == "people"]
    assert set(told) == {"searched people by words", "searched people by number"}


def test_who_does_not_work_with_people_finds_none(console: Console) -> None:
    """Nor is told that there are any; calls are found as before."""
    office(console).person(name="Hazel Example")
    rights: dict[str, frozenset[Right]] = {"auditor": frozenset({"read"})}
    console.accounts.roles = replace(console.accounts.roles, rights=rights)
    answer = search(console.handler("alan", role="auditor"), "hazel")
    assert answer.status_code == 200
    assert "Hazel Example" not in answer.text
    assert "<h2>People</h2>" not in answer.text


def test_every_page_has_a_search_box_and_the_search_page_one(console: Console) -> None:
    """It posts: what is looked for stands in no address."""
    client = console.handler()
    for page in ("/", "/my-day", "/review", "/people"):
        assert client.get(page).text.count('class="seek" method="post" action="/search"') == 1
    assert 'class="seek"' not in client.get("/search").text
    reference = noted(console, "orchard")
    answer = send(client, "/my-day", "/search", terms="orchard")
    assert f'href="/incidents/{reference}"' in answer.text


def test_what_is_looked_for_stands_in_no_address(console: Console) -> None:
    """An address is written into histories and logs: the form is not read from one."""
    noted(console, "orchard")
    answer = console.handler().get("/search?terms=orchard")
    assert "/incidents/QL" not in answer.text
    assert looks(console) == []


def test_with_the_store_away_the_page_says_so(console: Console) -> None:
    """Nothing is found is not what it says."""
    client = console.handler()
    client.get("/search")
    with console.store_away():
        assert search(client, "orchard").status_code == 503


def test_the_command_says_how_much_it_put_in(console: Console) -> None:
    """What was written since is in the index already."""
    noted(console, "orchard")
    group = search_commands(lambda: index_earlier(console.store, console.keys))
    told = CliRunner().invoke(group, ["index"])
    assert (told.exit_code, told.output) == (0, "0 put into the index\n")
