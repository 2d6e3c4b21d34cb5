"""The figures on the page of an operation: visits, contacts, calls of people in scope and all."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from incidents.persons import Persons
from incidents.tables import audit, numbers, person_numbers
from incidents.transactions import reading, writing
from tests.console.forms import send, words
from tests.console.site import NOW, Console
from tests.console.test_operations import GOOD, made
from tests.incidents.counting import Told, put

PURPOSE = "training"


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console of the test's own."""
    return Console(data, sqlite_url)


@pytest.fixture
def sue(console: Console) -> FlaskClient:
    """A supervisor."""
    return console.handler("sue", role="supervisor")


def ann(console: Console, sue: FlaskClient) -> str:
    """Make the operation with Ann in its scope, whose number is n1; returns its address."""
    person = Persons(console.store, console.keys, console.audit).add(
        "Ann One", by="sue", now=NOW, repeat=True
    )
    page = made(sue)
    send(sue, page, f"{page}/rule")
    with writing(console.store.engine) as connection:
        connection.execute(numbers.insert().values(id="n1", number=b"", look_up="look"))
        connection.execute(
            person_numbers.insert().values(
                id="p1", person_id=person, number_id="n1", data=b"", by="sue", at=NOW
            )
        )
    return page


def calls(console: Console, many: int, ago: float, number: str | None = None) -> None:
    """Have silent calls come so many days ago."""
    put(
        console.store,
        [
            Told(NOW - timedelta(days=ago, minutes=at), purpose=PURPOSE, review=True, ended=30)
            for at in range(many)
        ],
    )
    if number is not None:
        with writing(console.store.engine) as connection:
            connection.exec_driver_sql(
                f"UPDATE incidents SET number_id = '{number}' WHERE number_id IS NULL"
            )


def test_calls_of_people_in_scope_stand_beside_all_calls(
    console: Console, sue: FlaskClient
) -> None:
    """Against the days of the baseline that are as far from its first."""
    page = ann(console, sue)
    calls(console, 11, 1, "n1")
    calls(console, 40, 2)
    calls(console, 12, 370)
    told = words(sue.get(page))
    scope, every = told.split("Training calls from")[1:3]
    assert "against 1 Dec 2025 to 22 Dec 2025" in scope
    assert "All calls 11" in scope
    assert "All calls 51" in every
    assert "by chance alone they will call less" in scope
    assert "by chance alone they will call less" not in every


def test_a_plot_explains_an_interval_only_where_it_draws_one(
    console: Console, sue: FlaskClient
) -> None:
    """Visits are counted one by one: there is nothing to be unsure of."""
    page = ann(console, sue)
    calls(console, 20, 2, "n1")
    drawn = {
        one.partition("</h")[0].rpartition(">")[2]: one
        for one in sue.get(page).text.split('class="of-figure"')[1:]
    }
    keys = {title: "</svg> interval" in one for title, one in drawn.items()}
    assert keys["Visits planned, done and overdue"] is False
    assert keys["From silent call to outcome"] is True


def test_an_operation_that_has_not_begun_has_nothing_to_count(sue: FlaskClient) -> None:
    """And says so."""
    later = {"from_day": "2027-02-01", "to_day": "2027-03-01", "name": "Later"}
    answer = send(sue, "/operations/new", **{**GOOD, **later})
    page = words(sue.get(answer.headers["Location"]))
    assert "The operation has not begun" in page


def test_visits_are_planned_for_everybody_in_one_step(console: Console, sue: FlaskClient) -> None:
    """Once each; due at the end of the day that was typed."""
    page = ann(console, sue)
    send(sue, page, f"{page}/people", person="Ann One", part="offender")
    answer = send(sue, page, f"{page}/visits", owner="sue", due="2026-12-24")
    assert "Visits were planned" in words(sue.get(answer.headers["Location"]))
    told = words(sue.get(page))
    assert "Victims: a visit is planned people, of those in scope 1 of 1 (100 %)" in told
    due = [one.due_at for one in console.follow_ups.of_owner("sue").shown]
    assert due == [datetime.fromisoformat("2026-12-24T17:00:00+00:00")] * 2
    answer = send(sue, page, f"{page}/visits", owner="sue", due="")
    assert "Nobody new" in words(sue.get(answer.headers["Location"]))


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"owner": "nobody", "due": "2026-12-24"}, "Choose somebody who is here"),
        ({"owner": "sue", "due": "soon"}, "Enter a day, such as 2026-12-01."),
        ({"owner": "sue", "due": "2026-12-01"}, "Give a day from today on"),
    ],
)
def test_a_plan_that_is_refused_keeps_what_was_typed(
    console: Console, sue: FlaskClient, typed: dict[str, str], sentence: str
) -> None:
    """And plans nothing."""
    page = ann(console, sue)
    answer = send(sue, page, f"{page}/visits", **typed)
    assert answer.status_code == 422
    assert answer.text.count(sentence) == 2
    assert f'value="{typed["due"]}"' in answer.text
    assert console.follow_ups.of_owner("sue").count == 0


def test_a_closed_operation_plans_nothing_and_one_that_is_not_there_is_not_found(
    console: Console, sue: FlaskClient
) -> None:
    """Whoever had the form open is told."""
    page = ann(console, sue)
    send(sue, page, f"{page}/close")
    answer = send(sue, "/operations/new", f"{page}/visits", owner="sue", due="")
    assert answer.status_code == 409
    assert "This operation is closed" in words(answer)
    answer = send(sue, "/operations/new", "/operations/nothing/visits", owner="sue", due="")
    assert answer.status_code == 404
    assert sue.get("/operations/nothing/figures.csv").status_code == 404


def test_its_file_names_nobody_and_is_logged_as_a_disclosure(
    console: Console, sue: FlaskClient
) -> None:
    """Visits, contacts, calls in scope and all calls, as numbers."""
    page = ann(console, sue)
    calls(console, 11, 1, "n1")
    file = sue.get(f"{page}/figures.csv")
    assert file.mimetype == "text/csv"
    titles = {row[0] for row in csv.reader(io.StringIO(file.text))}
    assert {"Calls of people in scope: Calls", "All calls: Answering"} <= titles
    assert "Ann" not in file.text
    with reading(console.store.engine) as connection:
        logged = connection.execute(
            select(audit.c.operation, audit.c.what).order_by(audit.c.number.desc()).limit(1)
        ).one()
    assert tuple(logged) == ("disclosure", "exported the figures of an operation")
