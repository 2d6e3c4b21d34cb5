"""The commands ``users``, ``tokens`` and ``incidents``, as somebody at a shell runs them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from console.cells import cell
from console.commands import make, open_audit, open_people, open_store
from console.described import EXAMPLE
from console.people_commands import Opened
from incidents.accounts import Accounts
from incidents.audit_reading import Reading, Wanted
from incidents.desk import Actor
from incidents.migrate import upgrade
from incidents.roles import Roles
from incidents.sealed import Keys
from incidents.store import Store
from tests.console.site import NOW, Console
from tests.console.test_follow_ups import made
from tests.databases import sqlite_at
from tests.incidents.joining import joined

Run = Callable[..., Result]


@pytest.fixture
def console(data: Path) -> Iterator[Console]:
    """A console over SQLite with two calls, one of them a proof."""
    made = Console(data, sqlite_at(data / "quietline.db"))
    made.call("55")
    made.call("*5", number=None)
    made.call("55", purpose="proof")
    made.drain()
    yield made
    made.close()


@pytest.fixture
def run(console: Console) -> Run:
    """Run a command against the console's store."""
    groups = {
        group.name: group
        for group in make(
            lambda: console.store,
            lambda: Opened(console.staff, console.desk, console.follow_ups),
            lambda: console.audit,
        )
    }

    def ran(group: str, *words: str, told: str = "") -> Result:
        return CliRunner().invoke(groups[group], words, input=told)

    return ran


def test_a_token_is_printed_and_nothing_else(console: Console, run: Run) -> None:
    """So that a script can take it as it comes."""
    ran = run("tokens", "add", "probe")
    assert ran.exit_code == 0
    assert ran.stderr == ""
    holder = console.accounts.token(ran.stdout.rstrip("\n"), now=NOW)
    assert holder is not None
    assert (holder.name, holder.role) == ("probe", "reader")


def test_a_token_works_in_a_data_folder_that_was_never_started(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contract's order of things: a token may be made before the first start."""
    monkeypatch.setenv("QUIETLINE_DATA", str(data))
    tokens = {group.name: group for group in make(open_store, open_people, open_audit)}["tokens"]
    ran = CliRunner().invoke(tokens, ["add", "first"])
    assert ran.exit_code == 0, ran.output
    assert ran.stderr == ""
    url = f"sqlite:///{data / 'quietline.db'}"
    upgrade(url)
    store = Store(url, Keys(bytes(32)))
    assert (
        Accounts(store.engine, Keys(bytes(32)), Roles()).token(ran.stdout.strip(), now=NOW)
        is not None
    )
    store.engine.dispose()


def test_a_bad_setting_is_one_line_that_names_it(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback for a typing mistake."""
    monkeypatch.setenv("QUIETLINE_DATA", str(data))
    monkeypatch.setenv("QUIETLINE_DATABASE_URL", "mysql://somewhere")
    with pytest.raises(click.ClickException, match=r"^QUIETLINE_DATABASE_URL: "):
        open_store()


def test_a_store_that_is_gone_is_named_without_its_password(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a driver says may quote the whole address."""
    monkeypatch.setenv("QUIETLINE_DATA", str(data))
    monkeypatch.setenv("QUIETLINE_DATABASE_URL", "postgresql://q:secret@127.0.0.1:1/q")
    with pytest.raises(click.ClickException) as refused:
        open_store()
    assert "QUIETLINE_DATABASE_URL" in refused.value.message
    assert "secret" not in refused.value.message


def test_a_taken_name_is_refused_in_one_line(run: Run) -> None:
    """On standard error, so that no script takes it for a token."""
    run("tokens", "add", "probe")
    ran = run("tokens", "add", "probe")
    assert ran.exit_code == 1
    assert ran.stdout == ""
    assert ran.stderr == "Error: There is already a token called probe.\n"


def test_an_ended_token_opens_nothing(console: Console, run: Run) -> None:
    """The other half of adding one."""
    secret = run("tokens", "add", "probe").stdout.strip()
    assert run("tokens", "end", "probe").exit_code == 0
    assert console.accounts.token(secret, now=NOW) is None


def test_only_roles_that_are_listed_can_be_given(console: Console, run: Run) -> None:
    """The refusal lists them; a token that may work acts as a user of its name."""
    refused = run("tokens", "add", "probe", "--role", "administrator")
    assert refused.exit_code == 1
    assert "must be one of: reader, handler" in refused.stderr
    assert run("users", "add", "anna", "--role", "reader").exit_code == 1
    secret = run("tokens", "add", "desk-2", "--role", "handler").stdout.strip()
    holder = console.accounts.token(secret, now=NOW)
    assert holder is not None
    assert (holder.name, holder.may("work"), holder.may("users")) == ("desk-2", True, False)


def test_a_supervisor_is_added_with_a_phone(console: Console, run: Run) -> None:
    """One line in the setting up of a site; a number that is none adds nobody."""
    wrong = run("users", "add", "sam", "--role", "supervisor", "--phone", "0771")
    assert wrong.exit_code == 1
    assert "country's code" in wrong.stderr
    assert console.staff.person("sam", now=NOW) is None
    assert (
        run("users", "add", "sam", "--role", "supervisor", "--phone", "+447700900111").exit_code
        == 0
    )
    sam = console.staff.person("sam", now=NOW)
    assert sam is not None
    assert (sam.role, sam.phone, sam.state) == ("supervisor", "0111", "active")


def test_a_user_is_changed_from_the_shell(console: Console, run: Run) -> None:
    """Role, phone, a lost second factor: each says nothing when it worked."""
    run("users", "add", "anna")
    for words in (
        ("role", "anna", "auditor"),
        ("phone", "anna", "+447700900222"),
        ("reset-factor", "anna"),
    ):
        ran = run("users", *words)
        assert (ran.exit_code, ran.output) == (0, ""), words
    anna = console.staff.person("anna", now=NOW)
    assert anna is not None
    assert (anna.role, anna.phone) == ("auditor", "0222")
    run("users", "phone", "anna")
    removed = console.staff.person("anna", now=NOW)
    assert removed is not None
    assert removed.phone == ""
    for words in (("role", "anna", "king"), ("role", "nobody", "handler"), ("phone", "anna", "1")):
        ran = run("users", *words)
        assert ran.exit_code == 1, words
        assert len(ran.stderr.splitlines()) == 1


def test_a_user_who_is_ended_from_the_shell_leaves_no_call_behind(
    console: Console, run: Run
) -> None:
    """What they held waits again when no supervisor is on duty; their token is worth nothing."""
    run("users", "add", "anna")
    secret = run("tokens", "add", "anna", "--role", "handler").stdout.strip()
    reference = next(one.reference for one in console.store.incidents()[0])
    console.desk.claim(reference, by=Actor("anna", "handler"), now=NOW)
    assert run("users", "disable", "Anna").exit_code == 0
    held = console.store.incident(reference)
    assert held is not None
    assert held.handler is None
    assert console.accounts.token(secret, now=NOW) is None
    assert run("tokens", "add", "anna").exit_code == 1


def test_a_user_gets_a_password_made_up_here(console: Console, run: Run) -> None:
    """Printed once, alone on its line."""
    password = run("users", "add", "anna").stdout.rstrip("\n")
    assert console.accounts.check_password("anna", password) is not None


def test_a_given_password_is_not_printed(console: Console, run: Run) -> None:
    """It comes over standard input, never as an argument that every process list shows."""
    ran = run("users", "add", "anna", "--password-stdin", told="a long enough password\n")
    assert ran.output == ""
    assert console.accounts.check_password("anna", "a long enough password") is not None
    assert run("users", "password", "anna", told="another long password\n").exit_code == 0
    assert console.accounts.check_password("anna", "another long password") is not None
    assert run("users", "disable", "anna").exit_code == 0
    assert console.accounts.check_password("anna", "another long password") is None


def test_an_export_is_the_contract_one_incident_a_line(run: Run) -> None:
    """JSON lines, newest first; proof calls only when asked for."""
    lines = [json.loads(line) for line in run("incidents", "export").stdout.splitlines()]
    assert len(lines) == 2
    assert all(set(line) == set(EXAMPLE) for line in lines)
    proof = run("incidents", "export", "--purpose", "proof").stdout.splitlines()
    assert len(proof) == 1


def test_an_export_goes_over_all_pages(console: Console, run: Run) -> None:
    """More incidents than one page holds."""
    for number in range(3):
        console.call(sid=f"CB{number}", number=None)
    console.drain()
    assert len(run("incidents", "export").stdout.splitlines()) == 5


def test_an_export_may_be_bounded_in_time(run: Run) -> None:
    """Half open, like the API's filters; a bad bound is one line."""
    inside = ["--since", "2026-12-22T18:00:00Z", "--until", "2026-12-22T19:00:00Z"]
    assert len(run("incidents", "export", *inside).stdout.splitlines()) == 2
    outside = run("incidents", "export", "--since", "2026-12-22T19:00:00Z")
    assert outside.stdout == ""
    refused = run("incidents", "export", "--since", "yesterday")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: The filter since must be")


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_an_export_is_logged_as_a_disclosure(console: Console, run: Run, form: str) -> None:
    """Whoever has the shell has every right, and is seen to use it."""
    assert run("incidents", "export", "--format", form).exit_code == 0
    found, _ = Reading(console.store.engine, console.keys).page(Wanted(operation="disclosure"))
    assert [(one.person, one.what, one.record) for one in found] == [
        ("command line", "exported incidents", "incidents")
    ]


def test_no_cell_of_an_exported_table_is_a_formula(run: Run) -> None:
    """Numbers begin with +, and what a caller sends may begin with anything."""
    text = run("incidents", "export", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 2
    assert {row["number"] for row in rows} == {"'+447700900123", ""}
    assert {row["signal"] for row in rows} == {"confirmed", "someone_there"}
    assert {row["reasons"] for row in rows} >= {"55 pressed"}


@pytest.mark.parametrize(
    "text", ["=1+1", "+44", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", '=HYPERLINK("x")']
)
def test_what_a_spreadsheet_would_run_is_made_text(text: str) -> None:
    """OWASP's list, and the wide forms some programs take for the same."""
    assert cell(text) == "'" + text


@given(text=st.text())
def test_every_cell_reads_back_as_it_was(text: str) -> None:
    """Only the one mark in front is added, and only where it is needed."""
    written = cell(text)
    assert written in (text, "'" + text)
    assert not written.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))


def test_disabling_a_user_passes_their_follow_ups_to_whoever_is_named(
    console: Console, run: Run
) -> None:
    """A name that may own none is refused, and nobody is disabled."""
    for name in ("cara", "dan"):
        joined(console.accounts, name, "contact_officer", now=NOW)
    row = made(console, by="cara")
    refused = run("users", "disable", "cara", "--receiver", "nobody")
    assert refused.exit_code == 1
    assert "may own follow-ups" in refused.output
    assert console.follow_ups.one(row).owner == "cara"
    assert run("users", "disable", "cara", "--receiver", "dan").exit_code == 0
    assert console.follow_ups.one(row).owner == "dan"
