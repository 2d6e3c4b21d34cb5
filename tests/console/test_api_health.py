"""Alive, ready, and not ready: as a machine that watches the console asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from console.health import MIGRATIONS, Asked
from incidents.transactions import StoreUnavailable, writing
from tests.console.site import Console


@pytest.fixture
def console(data: Path, store_url: str) -> Iterator[Console]:
    """A console over each kind of store, its board fed once."""
    made = Console(data, store_url)
    made.refresh()
    yield made
    made.close()


def reasons(console: Console, status: int) -> list[str]:
    """Ask whether the console is ready, as anybody."""
    answer = console.stranger().get("/readyz")
    assert answer.status_code == status
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.get_json()
    assert told["ready"] == (status == 200)
    found: list[str] = told["reasons"]
    return found


def test_a_console_that_is_well_is_ready(console: Console) -> None:
    """200, and no reason against it."""
    assert reasons(console, 200) == []


def test_a_console_without_its_store_is_not_ready_and_says_why(console: Console) -> None:
    """503 with the part that is missing; alive all the same."""
    with console.store_away():
        assert any(reason.startswith("store: ") for reason in reasons(console, 503))
        assert console.stranger().get("/healthz").get_json() == {"alive": True}
    assert reasons(console, 200) == []


def test_a_store_of_an_older_release_is_not_ready(console: Console) -> None:
    """Somebody forgot to migrate."""
    with writing(console.store.engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    newest = max(file.name.partition("_")[0] for file in MIGRATIONS.glob("[0-9]*.py"))
    assert reasons(console, 503) == [f"tables: revision 0000, not {newest}"]


def test_a_store_of_the_next_release_is_ready(console: Console) -> None:
    """A deploy migrates first: the release before must go on working."""
    with writing(console.store.engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert reasons(console, 200) == []


def test_a_board_that_could_not_be_read_is_not_ready(console: Console) -> None:
    """Screens would show nothing new."""
    console.watch.beats.raise_own("board", "…", console.now)
    assert reasons(console, 503) == ["board: it could not be read"]


def test_a_check_that_hangs_has_failed_and_is_not_asked_twice() -> None:
    """A stopped database must not take one thread with every question."""
    release, asked = threading.Event(), []

    def hang() -> str | None:
        asked.append(1)
        release.wait(10)
        return None

    watch = Asked([("store", hang)], deadline_seconds=0.05)
    began = time.monotonic()
    for _ in range(3):
        assert watch.reasons() == ["store: no answer within 0.05 s"]
    assert time.monotonic() - began < 2
    assert len(asked) == 1
    release.set()


def test_a_check_that_breaks_has_failed_and_tells_only_its_kind() -> None:
    """A driver's text may quote the database's password."""

    def broken() -> str | None:
        raise RuntimeError("postgresql://quietline:secret@store/")

    def away() -> str | None:
        raise StoreUnavailable("secret")

    told = Asked([("a", broken), ("b", away)]).reasons()
    assert told == ["a: the check failed (RuntimeError)", "b: the store cannot be reached"]
