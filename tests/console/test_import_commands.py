"""The command that imports known people: says lines and reasons, never names or numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.import_commands import import_commands, marker_commands
from console.markers import until_of
from incidents.audit import Audit
from incidents.importing import Importing
from incidents.marker_import import MarkerImport
from tests.console.site import NOW, Console
from tests.incidents.joining import joined

ROWS = "name,number,born\nMair Example,+447700900123,\nBad Day,,soon\n"


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Iterator[Console]:
    """A console over an empty store."""
    made = Console(data, sqlite_url)
    yield made
    made.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of one good row and one that is refused."""
    path = tmp_path / "known.csv"
    path.write_text(ROWS)
    return path


def run(console: Console, *arguments: str) -> Result:
    """Run the command over the console's store."""
    audit = Audit(console.store.engine, console.keys)
    group = import_commands(lambda: Importing(console.store, console.keys, audit))
    return CliRunner().invoke(group, ["import", *arguments])


def test_a_dry_run_comes_first_and_apply_adds(console: Console, file: Path) -> None:
    """Every refused line with its reason; exit code 1 because there is one."""
    dry = run(console, str(file))
    assert dry.exit_code == 1
    assert dry.output == (
        "line 3 refused: born: must be a day like 2026-11-04\n"
        "1 would be added, 1 refused\n"
        "Nothing was changed. Run it again with --apply to add them.\n"
    )
    assert "1 added, 1 refused" in run(console, str(file), "--apply").output
    again = run(console, str(file), "--apply")
    assert "line 2 refused: this person is known already" in again.output
    assert "0 added, 2 refused" in again.output
    assert "Mair" not in again.output
    assert "900123" not in again.output


def test_a_good_file_ends_well(console: Console, file: Path) -> None:
    """Exit code 0 when no row was refused."""
    file.write_text("name\nMair Example\n")
    ran = run(console, "--apply", str(file))
    assert (ran.exit_code, ran.output) == (0, "1 added, 0 refused\n")


def test_a_file_of_something_else_says_what_to_do(console: Console, file: Path) -> None:
    """One line, no traceback, nothing added."""
    file.write_text("first;second\n")
    ran = run(console, "--apply", str(file))
    assert ran.exit_code == 1
    assert "Error: The first line must name the columns" in ran.output
    assert run(console, "/nowhere/known.csv").exit_code != 0


def test_markers_are_imported_the_same_way(console: Console, tmp_path: Path) -> None:
    """A dry run, then for real; no number is printed."""
    joined(console.accounts, "cara", "contact_officer", now=NOW)
    path = tmp_path / "markers.csv"
    day = f"{datetime.now(UTC) + timedelta(days=60):%Y-%m-%d}"
    path.write_text(
        "kind,number,owner,last_day,reason\n"
        f"high_risk,+447700900123,cara,{day},MARAC\n"
        "high_risk,+447700900124,cara,yesterday,MARAC\n"
    )
    group = marker_commands(
        lambda: MarkerImport(console.store, console.keys, console.markers, until_of)
    )
    dry = CliRunner().invoke(group, ["import", str(path)])
    assert dry.output == (
        "line 3 refused: last_day: Enter a day, such as 2027-03-01.\n"
        "1 would be set, 1 refused\n"
        "Nothing was changed. Run it again with --apply to set them.\n"
    )
    assert "1 set, 1 refused" in CliRunner().invoke(group, ["import", str(path), "--apply"]).output
    assert console.markers.listed(NOW).many == 1
