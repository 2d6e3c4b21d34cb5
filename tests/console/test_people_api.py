"""One person through the JSON interface: by right, by own work or with a reason, and logged."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from console.audited import PERSON_REASON
from console.described_people import PERSON
from incidents.addresses import Addresses
from incidents.person_numbers import PersonNumbers
from incidents.persons import Facts, Persons
from incidents.safe_contact import SafeContact
from incidents.tables import audit
from incidents.transactions import reading
from tests.console.site import NOW, NUMBER, Console
from tests.console.test_api_document import validator
from tests.incidents.joining import joined


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console of the test's own."""
    return Console(data, sqlite_url)


def added(console: Console, by: str = "cara") -> str:
    """Put Mair Example on record with a number, an address and a call; returns her id."""
    given = (console.store, console.keys, console.audit)
    facts = Facts(code_word="bluebell", never_call=True)
    person = Persons(*given).add("Mair Example", facts, by=by, now=NOW, repeat=True)
    PersonNumbers(*given).add(person, NUMBER, SafeContact("safe", "noon"), by=by, now=NOW)
    mate = Persons(*given).add("Dai Example", by=by, now=NOW)
    for one in (person, mate):
        Addresses(*given).add(one, "12 High Street, Kendal LA9 4AB", by=by, now=NOW)
    console.call("55")
    console.drain()
    return person


def test_somebody_who_is_not_own_work_needs_a_reason(console: Console) -> None:
    """403 without it, saying how; with it the answer fits the document and the look is logged."""
    person = added(console)
    program = console.program("records", role="contact_officer")
    path = f"/api/v1/people/{person}"
    for headers in ({}, {"X-Reason": "  "}):
        refused = program.get(path, headers=headers)
        assert (refused.status_code, refused.get_json()) == (403, {"error": PERSON_REASON})
    answer = program.get(path, headers={"X-Reason": "Complaint 12"})
    assert answer.status_code == 200
    told = answer.get_json()
    validator("Person").validate(told)
    assert told["facts"]["code_word"] == "bluebell"
    assert [one["number"] for one in told["numbers"]] == [NUMBER]
    assert [one["name"] for one in told["addresses"][0]["household"]] == ["Dai Example"]
    assert (told["calls"][0]["signal"], told["call_count"]) == ("confirmed", 1)
    with reading(console.store.engine) as connection:
        looks = connection.execute(
            select(audit.c.what, audit.c.actor, audit.c.reason.is_not(None)).where(
                audit.c.record == person, audit.c.operation == "consultation"
            )
        ).all()
    assert [tuple(one) for one in looks] == [("viewed a person", "records", True)]


def test_who_stands_for_them_today_is_told(console: Console) -> None:
    """By the names of users; nobody is null."""
    person = added(console)
    program = console.program("records", role="contact_officer")

    def told() -> object:
        answer = program.get(f"/api/v1/people/{person}", headers={"X-Reason": "Complaint 12"})
        validator("Person").validate(answer.get_json())
        return answer.get_json()["contact"]

    assert told() == {"spocs": [], "deputies": [], "acting": None, "why": None}
    for name in ("cara", "dan"):
        joined(console.accounts, name, "contact_officer", now=NOW)
    day = NOW.date()
    console.contacts.contacts.assign(person, "cara", "dan", by="sue", now=NOW, day=day)
    console.contacts.absences.enter("cara", day, day, by="cara", now=NOW, day=day)
    assert told() == {"spocs": ["cara"], "deputies": ["dan"], "acting": "dan", "why": "deputy"}


def test_ones_own_work_needs_none(console: Console) -> None:
    """A token acts as a user of its own name."""
    person = added(console, by="records")
    program = console.program("records", role="contact_officer")
    assert program.get(f"/api/v1/people/{person}").status_code == 200


def test_nobody_has_an_id_that_was_never_given(console: Console) -> None:
    """404, with a reason or without."""
    program = console.program("records", role="handler")
    answer = program.get("/api/v1/people/nobody", headers={"X-Reason": "Complaint 12"})
    assert (answer.status_code, answer.get_json()) == (
        404,
        {"error": "There is no person with this id."},
    )


def test_a_program_that_reads_incidents_does_not_read_people(console: Console) -> None:
    """The right `people` is asked for, and the refusal says so."""
    person = added(console, by="records")
    refused = console.program("probe").get(f"/api/v1/people/{person}")
    assert refused.status_code == 403
    assert "may not read about people" in refused.get_json()["error"]


def test_the_example_in_the_document_fits_its_schema_and_a_broken_one_does_not() -> None:
    """The planted fault: a schema that fits everything would prove nothing."""
    fits = validator("Person")
    fits.validate(PERSON)
    faults: list[dict[str, object]] = [
        {"name": None},
        {"numbers": [{"number": NUMBER}]},
        {"calls": [{}]},
    ]
    for broken in faults:
        assert not fits.is_valid(PERSON | broken)
