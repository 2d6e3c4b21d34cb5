"""The pages that join two people who are one, and part them again."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from incidents.persons import Facts, Persons
from tests.console.forms import send, words
from tests.console.site import NOW, Console


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console of the test's own."""
    return Console(data, sqlite_url)


@pytest.fixture
def cara(console: Console) -> FlaskClient:
    """A contact officer."""
    return console.handler("cara", role="contact_officer")


def added(console: Console, name: str, facts: Facts | None = None, by: str = "cara") -> str:
    """Put somebody on record; returns their id."""
    persons = Persons(console.store, console.keys, console.audit)
    return persons.add(name, facts, by=by, now=NOW)


def test_two_of_one_name_are_joined_and_parted(console: Console, cara: FlaskClient) -> None:
    """What is known of both stands on one page; its address and the other's lead there."""
    mair = added(console, "Mair Example", Facts(code_word="bluebell"))
    twin = added(console, "mair example", Facts(code_word="heron"), by="eve")
    form = words(cara.get(f"/people/{mair}/merge"))
    assert "mair example: the same name." in form
    answer = send(cara, f"/people/{mair}/merge", other=twin, reason="the same date of birth")
    assert answer.status_code == 303
    page = cara.get(answer.headers["Location"])
    for text in ("They are one person from now on", "bluebell; heron", "the same date of birth"):
        assert text in words(page)
    assert cara.get(f"/people/{twin}").headers["Location"] == f"/people/{mair}"
    undo = page.text.partition(f"/people/{mair}/merge/")[2].partition("/undo")[0]
    parted = send(cara, f"/people/{mair}", f"/people/{mair}/merge/{undo}/undo")
    assert parted.status_code == 303
    again = words(cara.get(parted.headers["Location"]))
    assert "They are two people again" in again
    assert "heron" not in again
    assert send(cara, f"/people/{mair}", f"/people/{mair}/merge/{undo}/undo").status_code == 404


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"name": "Nobody Here", "reason": "the same"}, "Nobody else on record has this full name"),
        ({"reason": "the same"}, "Choose who is the same person, or type their full name."),
        ({"name": "Dai Example", "reason": ""}, "Write why they are the same first."),
    ],
)
def test_a_join_that_is_refused_keeps_what_was_typed(
    console: Console, cara: FlaskClient, form: dict[str, str], sentence: str
) -> None:
    """In the summary and beside the field."""
    mair = added(console, "Mair Example")
    added(console, "Dai Example")
    answer = send(cara, f"/people/{mair}/merge", **form)
    assert answer.status_code == 422
    assert answer.text.count(sentence) == 2
    for typed in filter(None, form.values()):
        assert typed in answer.text


def test_nobody_joins_a_person_they_may_not_open(console: Console) -> None:
    """The reason is asked first; one reason opens every row of a person."""
    mair, twin = added(console, "Mair Example"), added(console, "Mair Example")
    dan = console.handler("dan", role="contact_officer")
    for answer in (
        dan.get(f"/people/{mair}/merge"),
        send(dan, f"/people/{mair}", f"/people/{mair}/merge", other=twin, reason="the same"),
    ):
        assert "Why do you open this person?" in words(answer)
    assert "On record more than once" not in words(dan.get(f"/people/{mair}"))
    send(dan, f"/people/{mair}", f"/people/{mair}/open", reason="a visit is planned")
    assert "Nobody else" not in words(dan.get(f"/people/{mair}/merge"))
    joined = send(dan, f"/people/{mair}/merge", other=twin, reason="the same")
    assert joined.status_code == 303
    assert dan.get(f"/people/{twin}").headers["Location"] == f"/people/{mair}"
