"""The worked example: loaded through the store's own writers, once, and only in training."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from config.demo import FILE, read_demo
from config.policy import FOLDER, load_policy, load_story
from config.reading import BadFile
from config.settings import load
from console.demo_commands import demo_command, writers
from console.words import LOCAL
from incidents.audit import Audit
from incidents.demo import UNDECIDED, Demo, Refused
from incidents.fold import fold
from incidents.tables import incidents, metadata, numbers
from incidents.transactions import reading
from tests.console.forms import words
from tests.console.site import NOW, Console
from tests.incidents.counting import Told, put


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Iterator[Console]:
    """A console over the store into which it is loaded."""
    made = Console(data, sqlite_url)
    yield made
    made.close()


def demo(console: Console) -> Demo:
    """What loads it into that console's store."""
    policy = load_policy(load({"QUIETLINE_DATA": str(console.data)}, console.data))
    audit = Audit(console.store.engine, console.keys)
    given = writers(console.store, console.keys, audit, policy, console.rules)
    return Demo(load_story(), given, LOCAL)


def rows(console: Console) -> dict[str, int]:
    """How many rows each table has."""
    with reading(console.store.engine) as connection:
        return {
            table.name: int(connection.scalar(select(func.count()).select_from(table)) or 0)
            for table in metadata.sorted_tables
        }


def test_what_is_loaded_is_loaded_once(data: Path, store_url: str) -> None:
    """Run again, on the same day or a later one, it adds nothing."""
    console = Console(data, store_url)
    loaded = demo(console).load(NOW)
    assert loaded is not None
    assert loaded.people == loaded.visits == len(load_story().people)
    before = rows(console)
    assert before["incidents"] == loaded.calls > 100
    assert demo(console).load(NOW) is None
    assert demo(console).load(NOW + timedelta(days=9)) is None
    assert rows(console) == before
    console.close()


def test_a_run_that_was_broken_off_is_finished_by_the_next(console: Console) -> None:
    """Who and what is there already is found there."""

    class Away(Exception):
        """The machine went."""

    def breaks(words: str) -> None:
        if words.startswith("the operation"):
            raise Away

    first = demo(console)
    with pytest.raises(Away):
        Demo(load_story(), first._with, LOCAL, tell=breaks).load(NOW)
    there = rows(console)
    assert there["people"]
    assert not there["operations"]
    demo(console).load(NOW)
    for table in ("people", "incidents", "events", "users", "contacts", "reviews"):
        assert rows(console)[table] == there[table], table


def test_every_call_is_the_fold_of_its_events(console: Console) -> None:
    """Nothing was written past the fold: folded again, each call reads the same."""
    demo(console).load(NOW)
    with reading(console.store.engine) as connection:
        found = connection.execute(
            select(incidents.c.call_key, incidents.c.signal, incidents.c.line_state)
        ).all()
    events = console.store.events_of([row.call_key for row in found])
    for row in found:
        again = fold(events[row.call_key], console.keys.reference(row.call_key)).incident
        assert (again.signal, again.state) == (row.signal, row.line_state)


def test_no_invented_call_waits_for_a_handler(console: Console) -> None:
    """A few silent ones are left for review; all others are closed, and all are training."""
    demo(console).load(NOW)
    calls, _ = console.store.incidents(limit=1000)
    assert {one.purpose for one in calls} == {"training"}
    open_ones = [one.state for one in calls if one.state != "closed"]
    assert open_ones == ["review"] * UNDECIDED
    assert all(one.ended_at is not None and one.ended_at < NOW for one in calls)


def test_every_number_is_one_kept_for_drama(console: Console) -> None:
    """None can be anybody's."""
    demo(console).load(NOW)
    with reading(console.store.engine) as connection:
        found = connection.execute(select(numbers)).all()
    assert found
    for row in found:
        plain = console.keys.open(row.number, f"numbers|{row.id}|number").decode()
        assert re.fullmatch(r"\+447700900\d{3}|\+441632960\d{3}", plain)


def test_its_operation_shows_visits_done_and_overdue_and_calls(console: Console) -> None:
    """Days around today, a baseline of a year ago, points of contact."""
    loaded = demo(console).load(NOW)
    assert loaded is not None
    sue = console.handler("sue", role="supervisor")
    page = words(sue.get(f"/operations/{loaded.operation}"))
    assert "Operation County (example)" in page
    assert "14 days left" in page
    assert "Victims: visits overdue visits, of those planned 2 of 8" in page
    assert "Persons responsible: visits overdue visits, of those planned 1 of 4" in page
    assert "Victims: offered people in scope, in 3 contacts 3 of 8" in page
    assert "Calls of people in scope" in page
    assert "against 3 Dec 2025 to 23 Dec 2025" in page


def test_it_is_refused_beside_live_calls(console: Console) -> None:
    """And nothing is written."""
    put(console.store, [Told(NOW)])
    before = rows(console)
    with pytest.raises(Refused, match="live calls"):
        demo(console).load(NOW)
    assert rows(console) == before


def test_a_name_somebody_else_has_is_refused(console: Console) -> None:
    """Nobody's role is changed for it."""
    console.accounts.add_user("pc.marlow", "a long enough password", now=NOW, role="analyst")
    with pytest.raises(Refused, match=r"pc\.marlow"):
        demo(console).load(NOW)


def test_the_command_refuses_a_site_that_takes_live_calls(console: Console) -> None:
    """It says why and what to do."""
    told = CliRunner().invoke(demo_command(lambda _: None), [])
    assert told.exit_code == 1
    assert "takes live calls" in told.output
    assert "QUIETLINE_DATA" in told.output


def test_the_command_says_where_to_look_and_then_that_it_is_there(console: Console) -> None:
    """With no name of anybody."""
    command = demo_command(lambda _: demo(console))
    told = CliRunner().invoke(command, [])
    assert told.exit_code == 0
    assert "/operations/" in told.output
    assert "Marian" not in told.output
    again = CliRunner().invoke(command, [])
    assert again.exit_code == 0
    assert "nothing was added" in again.output


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda d: d["person"][0].update(number="+441539722222"), "person 1: number"),
        (lambda d: d.update(numbers=["+447700900300", "+447911123456"]), "numbers"),
        (lambda d: d["person"][0].update(part="witness"), "person 1: part"),
        (lambda d: d["person"][1].update(spoc=9), "person 2: spoc"),
        (lambda d: d["person"][1].update(nickname="T"), "person 2: nickname"),
        (lambda d: d["person"][1].update(calls="two"), "person 2: calls"),
        (lambda d: d["sort"][0].update(signal="loud"), "sort 1: signal"),
        (lambda d: d["sort"][1].update(grades=[]), "sort 2: outcomes"),
        (lambda d: d.update(officer=[]), "officer"),
        (lambda d: d.update(begins=40), "lasts"),
        (lambda d: d.pop("checked"), "checked"),
    ],
)
def test_a_wrong_file_is_refused_by_its_key(
    change: Callable[[dict[str, Any]], object], key: str
) -> None:
    """A number that could be somebody's before anything else."""
    wrong = tomllib.loads((FOLDER / FILE).read_text(encoding="utf-8"))
    change(wrong)
    with pytest.raises(BadFile) as refused:
        read_demo(wrong)
    assert refused.value.key == key
