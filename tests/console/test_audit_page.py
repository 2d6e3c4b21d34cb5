"""The auditors' page, as an auditor uses it, and ``flask audit``."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import delete, update

from console.audit_commands import audit_commands
from incidents.audit import HEAD, Audit
from incidents.tables import audit, users
from incidents.transactions import writing
from tests.console.callers import waiting
from tests.console.forms import words
from tests.console.site import NOW, NUMBER, Console


@pytest.fixture(params=["sqlite", "postgresql"])
def console(request: pytest.FixtureRequest, data: Path) -> Iterator[Console]:
    """A console over an empty store of each kind."""
    made = Console(data, request.getfixturevalue(f"{request.param}_url"))
    yield made
    made.close()


@pytest.fixture
def sqlite_console(data: Path, sqlite_url: str) -> Iterator[Console]:
    """A console, where the kind of store cannot matter."""
    made = Console(data, sqlite_url)
    yield made
    made.close()


def auditor(console: Console) -> FlaskClient:
    """A signed-in auditor called olga."""
    return console.handler("olga", role="auditor")


def looked(console: Console, name: str, record: str, reason: str = "", **ago: float) -> None:
    """Log that somebody opened a record some time ago."""
    at = console.now - timedelta(**ago)
    console.audit.note(name, "consultation", "viewed the record", record, reason, at=at)


def shown(page: str) -> list[list[str]]:
    """The rows of the page's table."""
    body = page.partition('<table class="people log">')[2].partition("</table>")[0]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body.partition("<tbody>")[2], re.DOTALL)
    return [
        [
            " ".join(re.sub(r"<[^>]+>", " ", one).split())
            for one in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
        ]
        for row in rows
    ]


def test_an_auditor_reads_who_opened_what_and_why(console: Console) -> None:
    """Newest first, and the auditor's own look is the newest of all."""
    client = auditor(console)
    looked(console, "anna", "QL-2222-2222-222", "complaint 7", minutes=5)
    rows = shown(client.get("/audit").text)
    assert rows[0][2:] == ["olga", "consultation", "read the audit log", "audit", ""]
    assert rows[1][1:] == [
        "22 Dec 2026, 17:58:11 GMT",
        *("anna", "consultation", "viewed the record", "QL-2222-2222-222", "complaint 7"),
    ]
    numbers = [int(row[0]) for row in rows]
    assert numbers == sorted(numbers, reverse=True)


@pytest.mark.parametrize(
    "role", ["handler", "supervisor", "contact_officer", "analyst", "administrator"]
)
def test_nobody_but_an_auditor_reads_it(sqlite_console: Console, role: str) -> None:
    """Nor gets the table; and the attempt shows nothing."""
    client = sqlite_console.handler("bert", role=role)
    for path in ("/audit", "/audit.csv"):
        answer = client.get(path)
        assert answer.status_code == 403
        assert "signed in" not in answer.text


def test_the_log_of_incidents_shows_no_number_and_no_name_of_a_caller(
    sqlite_console: Console,
) -> None:
    """Deeds at the desk, looks and searches: a reference is all."""
    console = sqlite_console
    _, reference = waiting(console)
    client = console.handler()
    client.get(f"/incidents/{reference}")
    client.get(f"/api/v1/incidents?call_sid={NUMBER[1:]}")
    page = auditor(console).get("/audit")
    assert reference in page.text
    assert "searched incidents by call_sid" in page.text
    for telling in (NUMBER, NUMBER[1:], "0123"):
        assert telling not in page.text


@pytest.mark.parametrize(
    ("query", "records"),
    [
        ("person=anna", ["QL-A", "QL-C"]),
        ("person=Anna", ["QL-A", "QL-C"]),
        ("record=QL-B", ["QL-B"]),
        ("record=board", ["board"]),
        ("operation=disclosure", ["incidents"]),
        ("from=2026-12-22&person=anna", ["QL-A"]),
        ("to=2026-12-21&person=anna", ["QL-C"]),
        ("from=2026-12-21&to=2026-12-21&person=anna", ["QL-C"]),
        ("from=2026-12-01&to=2026-12-20&person=anna", []),
        ("person=+", ["audit", "QL-A", "QL-B", "incidents", "board", "QL-C"]),
    ],
)
def test_each_filter_narrows_the_list(
    sqlite_console: Console, query: str, records: list[str]
) -> None:
    """By person, record, operation and days, of which the last counts, too."""
    console = sqlite_console
    client = auditor(console)
    looked(console, "anna", "QL-C", hours=20)
    looked(console, "bert", "board", minutes=9)
    console.audit.note("bert", "disclosure", "exported", "incidents", at=NOW)
    looked(console, "bert", "QL-B", minutes=8)
    looked(console, "anna", "QL-A", minutes=7)
    found = [row[5] for row in shown(client.get(f"/audit?{query}").text)]
    assert [one for one in found if one not in ("olga", "sign-in")] == records


@pytest.mark.parametrize("written", ["QL-CUDM-WQJK-FPZ", "qlcudmwqjkfpz", "ql cudm wqjk fpz"])
def test_a_reference_is_found_however_it_is_written(sqlite_console: Console, written: str) -> None:
    """As it was read out over a radio."""
    client = auditor(sqlite_console)
    looked(sqlite_console, "anna", "QL-CUDM-WQJK-FPZ")
    page = client.get("/audit", query_string={"record": written}).text
    assert [row[2] for row in shown(page)] == ["anna"]


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("from=yesterday", "from", "From must be a day like 2026-12-22."),
        ("to=2026-02-30", "to", "To must be a day like 2026-12-22."),
        ("from=0001-01-01", "from", "From must be a day like 2026-12-22."),
        ("to=9999-12-31", "to", "To must be a day like 2026-12-22."),
        ("from=2026-12-22&to=2026-12-20", "to", "must not be before the first"),
        ("operation=reading", "operation", "Choose one of the six"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_beside_its_field(
    sqlite_console: Console, query: str, field: str, said: str
) -> None:
    """What was typed stays; nothing is shown as if nothing were there."""
    answer = auditor(sqlite_console).get(f"/audit?{query}&person=anna")
    assert answer.status_code == 422
    assert said in answer.text
    assert f'href="#{field}"' in answer.text
    assert 'value="anna"' in answer.text
    assert "No entry matches" not in answer.text


def test_a_filter_that_finds_nothing_says_what_to_do(sqlite_console: Console) -> None:
    """And offers the way back."""
    page = auditor(sqlite_console).get("/audit?person=nobody")
    assert "No entry matches. Take a part of the filter away" in words(page)
    assert 'href="/audit"' in page.text


@pytest.mark.parametrize("before", ["0", "x", "-1", "9" * 30, "１"])
def test_an_odd_cursor_leads_nowhere_bad(sqlite_console: Console, before: str) -> None:
    """A page, or back to the newest."""
    answer = auditor(sqlite_console).get("/audit", query_string={"before": before})
    assert answer.status_code in (200, 303)


def test_older_entries_are_a_page_away_and_keep_the_filter(console: Console) -> None:
    """A hundred on each page, none twice and none left out."""
    client = auditor(console)
    with writing(console.store.engine) as connection:
        for at in range(230):
            console.audit.put(
                connection, "anna", "consultation", "viewed the record", f"QL-{at}", at=NOW
            )
    address, seen = "/audit?person=anna", []
    while address:
        page = client.get(address).text
        seen += [row[5] for row in shown(page)]
        older = re.search(r'href="(/audit\?[^"]*before=[^"]*)">Older', page)
        address = older[1].replace("&amp;", "&") if older else ""
    assert seen == [f"QL-{at}" for at in range(229, -1, -1)]


def test_reading_and_downloading_are_logged_by_what_they_were_filtered(console: Console) -> None:
    """Whoever watches is watched: a look is a consultation, a table a disclosure."""
    client = auditor(console)
    client.get("/audit?person=anna&from=2026-12-01")
    assert client.get("/audit.csv?record=QL-B").status_code == 200
    assert client.get("/audit?from=never").status_code == 422
    rows = shown(client.get("/audit?person=olga").text)
    assert [(row[3], row[4]) for row in rows if row[5] == "audit"] == [
        ("consultation", "read the audit log, by person"),
        ("disclosure", "exported the audit log, by record"),
        ("consultation", "read the audit log, by person, from"),
    ]


def test_the_table_holds_what_the_filter_finds_and_no_formula(console: Console) -> None:
    """A reason is typed by people, and a spreadsheet runs what begins with =."""
    client = auditor(console)
    looked(console, "anna", "QL-B", '=HYPERLINK("http://x","y")', minutes=2)
    looked(console, "anna", "QL-A", 'he said "no",\nthen', minutes=1)
    looked(console, "bert", "QL-A")
    answer = client.get("/audit.csv?person=anna")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "quietline-audit-2026-12-22.csv" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [(row["person"], row["record"], row["reason"]) for row in rows] == [
        ("anna", "QL-A", 'he said "no",\nthen'),
        ("anna", "QL-B", '\'=HYPERLINK("http://x","y")'),
    ]
    assert rows[0]["at"] == "2026-12-22T18:02:11.042Z"


def test_a_store_that_is_away_is_told_and_the_attempt_is_kept(data: Path, sqlite_url: str) -> None:
    """503 for the page and the table alike; nothing half written."""
    console = Console(data, sqlite_url)
    client = auditor(console)
    client.get("/audit")
    with console.store_away():
        assert client.get("/audit").status_code == 503
        assert client.get("/audit.csv").status_code == 503
    console.close()


def test_nothing_in_the_log_becomes_markup(sqlite_console: Console) -> None:
    """A reason and a token's name are typed by people."""
    console = sqlite_console
    client = auditor(console)
    looked(console, "anna", "<b>QL", "<script>alert(1)</script>")
    page = client.get("/audit").text
    assert "<script>alert" not in page
    assert "<b>QL" not in page
    page = client.get("/audit", query_string={"person": '"><script>alert(1)</script>'}).text
    assert "<script>alert" not in page


def test_what_is_unusual_stands_out_with_the_entries_behind_it(console: Console) -> None:
    """A sentence above the list, the rows marked in words, no score anywhere."""
    client = auditor(console)
    console.handler("anna")
    with writing(console.store.engine) as connection:
        mine = users.c.name == "anna"
        connection.execute(update(users).where(mine).values(shift="07:00-17:00"))
    assert "Stands out" not in client.get("/audit").text
    _, reference = waiting(console)
    phone = {"phone": console.keys.seal(NUMBER.encode(), f"users|{_id(console)}|phone")}
    with writing(console.store.engine) as connection:
        connection.execute(update(users).where(users.c.name == "anna").values(phone))
    looked(console, "anna", reference, "curious")
    page = client.get("/audit")
    told = words(page)
    assert "Stands out in the last 7 days" in told
    assert "anna opened the record of a call from the phone that stands as anna's own." in told
    assert "outside the hours 07:00 to 17:00." in told
    assert "“curious”" in told
    marked = [row for row in shown(page.text) if row[4].endswith("STANDS OUT")]
    assert [row[2] for row in marked] == ["anna"]
    assert NUMBER not in page.text
    assert "Stands out" not in client.get("/audit?person=olga").text
    assert "Stands out" not in client.get("/audit?from=2026-12-01&to=2026-12-20").text


def _id(console: Console) -> str:
    with console.store.engine.connect() as connection:
        return str(connection.execute(users.select().where(users.c.name == "anna")).one().id)


# -- flask audit ----------------------------------------------------------------------

Run = Callable[..., Result]


@pytest.fixture
def log(console: Console) -> Audit:
    """The log of a site, with five entries and a data folder."""
    made = Audit(console.store.engine, console.keys, console.data)
    for at in range(5):
        made.note("anna", "consultation", "viewed the record", f"QL-{at}", at=NOW)
    return made


@pytest.fixture
def run(log: Audit) -> Run:
    """Run ``flask audit`` on it."""
    group: click.Group = audit_commands(lambda: log)

    def ran(*parts: str, **more: Any) -> Result:
        return CliRunner().invoke(group, parts, **more)

    return ran


def test_a_whole_log_is_said_to_be_whole(run: Run, log: Audit) -> None:
    """And what was not looked at is said, too."""
    ran = run("verify")
    assert ran.exit_code == 0
    assert ran.stdout == (
        "The log is whole: 5 entries, as written. No head was compared: "
        "entries cut off at the end would not be missed.\n"
    )
    log.keep_head(NOW)
    assert (
        "It bears out the head of 2026-12-22T18:03:11.042+00:00, entry 5." in run("verify").stdout
    )


def test_a_head_is_printed_to_be_kept_elsewhere(run: Run, console: Console, tmp_path: Path) -> None:
    """One line of JSON; the end cut off is found with it, and with nothing else."""
    ran = run("head")
    assert set(json.loads(ran.stdout)) == {"number", "hash", "at", "signature"}
    kept = tmp_path / "kept.json"
    kept.write_text(ran.stdout)
    assert run("verify", "--head", str(kept)).exit_code == 0
    with writing(console.store.engine) as connection:
        connection.execute(delete(audit).where(audit.c.number > 3))
    assert run("verify").exit_code == 0
    for found in (
        run("verify", "--head", str(kept)),
        run("verify", "--head", "-", input=ran.stdout),
    ):
        assert found.exit_code == 1
        assert "Wrong at entry 4. The log ends before it" in found.stdout


def test_the_head_in_the_data_folder_is_used_when_no_other_is_given(
    run: Run, log: Audit, console: Console
) -> None:
    """The engine keeps it there every minute."""
    log.keep_head(NOW)
    with writing(console.store.engine) as connection:
        connection.execute(delete(audit))
    ran = run("verify")
    assert ran.exit_code == 1
    assert ran.stdout.startswith("Wrong at entry 1. ")


def test_the_first_wrong_entry_is_named(run: Run, console: Console) -> None:
    """With what is wrong, and how far it is good."""
    with writing(console.store.engine) as connection:
        connection.execute(update(audit).where(audit.c.number == 3).values(actor="bert"))
    ran = run("verify")
    assert ran.exit_code == 1
    assert ran.stdout == (
        "Wrong at entry 3. Its content is not what was written. Before it: 2 entries, as written.\n"
    )


@pytest.mark.parametrize("text", ["", "{}", "no head", "\xff"])
def test_a_head_that_cannot_be_used_is_no_good_news(run: Run, console: Console, text: str) -> None:
    """Neither one given nor one in the data folder is passed over."""
    ran = run("verify", "--head", "-", input=text)
    assert ran.exit_code == 1
    assert "The head cannot be used." in ran.stdout
    (console.data / HEAD).write_text(text, encoding="latin-1")
    assert run("verify").exit_code == 1
