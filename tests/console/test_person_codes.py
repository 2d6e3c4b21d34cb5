"""A person's code: given on their page, shown once, taken back; it stands nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import select

from incidents.persons import Persons
from incidents.routing import of_code
from incidents.tables import audit, people
from incidents.transactions import reading
from tests.console.forms import send, words
from tests.console.site import NOW, Console


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console of the test's own."""
    return Console(data, sqlite_url)


def held(console: Console) -> str | None:
    """What the store keeps of the code of the one person there is."""
    with reading(console.store.engine) as connection:
        found: str | None = connection.scalar(select(people.c.code))
    return found


def test_a_code_is_shown_once_and_kept_as_a_hash(console: Console, data: Path) -> None:
    """The page that follows says that there is one, and not which."""
    client = console.handler("cara", role="contact_officer")
    person = Persons(console.store, console.keys, console.audit).add("Ada", by="cara", now=NOW)
    page = f"/people/{person}"
    assert "No code." in words(client.get(page))
    given = send(client, page, f"{page}/code")
    code = "".join(re.findall(r"<b>(\d)</b>", given.text))
    assert (given.status_code, len(code), "5" in code) == (200, 6, False)
    assert held(console) == of_code(console.keys, code)
    after = client.get(page)
    assert "They have a code" in words(after)
    assert code not in after.text
    with reading(console.store.engine) as connection:
        looks = str(connection.execute(select(audit.c.what, audit.c.record)).all())
    assert "gave a personal code" in looks
    assert code not in looks
    assert not any(code.encode() in one.read_bytes() for one in data.rglob("*") if one.is_file())


def test_a_code_is_taken_back(console: Console) -> None:
    """It counts no more, and the page says so."""
    client = console.handler("cara", role="contact_officer")
    person = Persons(console.store, console.keys, console.audit).add("Ada", by="cara", now=NOW)
    page = f"/people/{person}"
    send(client, page, f"{page}/code")
    assert send(client, page, f"{page}/code/end").status_code == 303
    assert held(console) is None
    assert "counts no more" in words(client.get(f"{page}?done=no_code"))


def test_whoever_has_no_work_with_them_is_asked_why_first(console: Console) -> None:
    """As for every change of a person; nothing is given before."""
    client = console.handler("cara", role="contact_officer")
    person = Persons(console.store, console.keys, console.audit).add("Ada", by="dan", now=NOW)
    page = f"/people/{person}"
    assert send(client, page, f"{page}/code").status_code == 422
    assert held(console) is None
    assert send(client, "/people", "/people/nobody/code").status_code == 404
