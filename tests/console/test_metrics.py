"""The figures: what the processes tell comes out, and nothing about a caller ever does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from console.beats import Beat, read
from console.filters import PURPOSES, STATES, URGENCIES
from console.metrics import ALARMS, COUNTERS, GAUGES, OUTCOMES, PROCESSES, Feeds, exposition
from incidents.fold import Incident
from tests.console.site import NOW, NUMBER, Console
from tests.databases import sqlite_at

NONE = Feeds(0, 0, 0)


def beat(process: str = "phone", pid: int = 7, **told: Any) -> Beat:
    """A beat as it comes off the socket."""
    datagram = json.dumps({"process": process, "pid": pid, "alarms": [], **told}).encode()
    found = read(datagram, datetime(2026, 12, 22, tzinfo=UTC))
    assert found is not None
    return found


def figures(text: bytes) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Read an exposition as Prometheus does: value by name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def value(text: bytes, name: str, /, **labels: str) -> float | None:
    """One figure, or None when it is not told."""
    return figures(text).get((name, frozenset(labels.items())))


def incident(**changed: Any) -> Incident:
    """An incident of a real-looking caller."""
    facts: dict[str, Any] = {
        "call_key": "k",
        "reference": "QL-7K3M-9F2X-HC4",
        "call_sid": "CA1",
        "line": "emergency",
        "profile": "gb",
        "purpose": "live",
        "number": NUMBER,
        "withheld": False,
        "signal": "confirmed",
        "keys": "55",
        "urgency": 1,
        "reasons": ("55 pressed",),
        "state": "waiting",
        "connection": "open",
        "started_at": NOW,
    }
    return Incident(**facts | changed)


@pytest.fixture
def console(data: Path) -> Iterator[Console]:
    """A console over SQLite."""
    made = Console(data, sqlite_at(data / "quietline.db"))
    yield made
    made.close()


@pytest.mark.parametrize("figure", [*COUNTERS, *GAUGES], ids=lambda figure: figure.key)
def test_each_figure_of_a_beat_comes_out(figure: Any) -> None:
    """What a process tells is told on, with whose it is."""
    counter = figure in COUNTERS
    told = {"counters" if counter else "gauges": {figure.key: 12.5}}
    name = f"quietline_{figure.key}" + ("_total" if counter else "")
    text = exposition([beat("engine", 9, **told)], [], NONE)
    assert value(text, name, process="engine", pid="9") == 12.5
    assert value(exposition([], [], NONE), name, process="engine", pid="9") is None


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_webhooks_are_counted_by_outcome_and_worker(outcome: str) -> None:
    """Two workers of the phone side, each with its own count."""
    beats = [beat(pid=pid, counters={f"webhooks_{outcome}": pid * 10}) for pid in (1, 2)]
    text = exposition(beats, [], NONE)
    for pid in ("1", "2"):
        assert value(text, "quietline_webhooks_total", outcome=outcome, pid=pid) == int(pid) * 10


def test_the_beats_of_the_real_processes_are_told() -> None:
    """Every key the phone and the engine send is one this page knows: names drift otherwise."""
    known = {figure.key for figure in (*COUNTERS, *GAUGES)}
    known |= {f"webhooks_{outcome}" for outcome in OUTCOMES}
    root = Path(__file__).parents[2]
    sent: set[str] = set()
    for file in ("webhooks/edge.py", "incidents/engine.py"):
        source = (root / file).read_text()
        for block in re.findall(r'"(?:counters|gauges)": \{(.*?)\}', source, re.DOTALL):
            sent |= set(re.findall(r'"(\w+)":', block))
    assert len(sent) > 10
    assert sent <= known


def test_a_phone_on_its_spare_journal_says_so() -> None:
    """The alarm of the beat is a figure too, so that somebody's pager can hear it."""
    spare = [{"id": "journal-spare", "text": "…", "since": "2026-12-22T18:00:00Z"}]
    text = exposition([beat(pid=1), beat(pid=2, alarms=spare), beat("engine", 3)], [], NONE)
    name = "quietline_journal_spare_in_use"
    assert value(text, name, process="phone", pid="1") == 0
    assert value(text, name, process="phone", pid="2") == 1
    assert value(text, name, process="engine", pid="3") is None


def test_workers_are_counted() -> None:
    """A worker that is gone must show as one too few, and none as zero."""
    text = exposition([beat(pid=1), beat(pid=2)], [], NONE)
    assert value(text, "quietline_workers", process="phone") == 2
    assert value(text, "quietline_workers", process="engine") == 0


def test_incidents_on_the_board_are_counted() -> None:
    """By urgency, state and purpose, so that training never wakes anybody."""
    board = [incident(), incident(), incident(purpose="training"), incident(urgency=4)]
    text = exposition([], board, NONE)

    def count(**labels: str) -> float | None:
        return value(text, "quietline_board_incidents", **labels)

    assert count(urgency="1", state="waiting", purpose="live") == 2
    assert count(urgency="1", state="waiting", purpose="training") == 1
    assert count(urgency="4", state="waiting", purpose="live") == 1
    assert count(urgency="2", state="waiting", purpose="live") == 0


def test_a_board_that_does_not_answer_is_left_out() -> None:
    """No figure at all: a zero would say that nobody waits."""
    assert b"quietline_board_incidents" not in exposition([], None, NONE)


def test_the_feeds_and_alarms_are_counted() -> None:
    """The console's own figures."""
    text = exposition([], [], Feeds(open=3, sent=40, let_go=1), alarms=2)
    assert value(text, "quietline_live_feeds") == 3
    assert value(text, "quietline_live_messages_total") == 40
    assert value(text, "quietline_live_let_go_total") == 1
    assert value(text, "quietline_alarms") == 2


def test_each_alarm_is_a_figure_by_its_name() -> None:
    """1 while it stands, 0 while it does not: whoever watches from outside asks for one of them."""
    text = exposition([], [], NONE, standing=["way-not-proved"])
    assert value(text, "quietline_alarm", name="way-not-proved") == 1
    assert value(text, "quietline_alarm", name="alert-stuck") == 0


def test_nothing_about_a_caller_is_in_the_figures() -> None:
    """Canaries in every place a beat and an incident have."""
    canary = "canary447700900999"
    odd = beat(
        canary,
        counters={canary: 1, "journal_commits": canary},
        alarms=[{"id": canary, "text": canary, "since": canary}],
    )
    told = beat(counters={canary: 1}, gauges={"working": canary})
    board = [
        incident(line=canary, profile=canary, keys=canary, reasons=(canary,), handler=canary),
        incident(purpose=canary, state=canary, number=canary, call_sid=canary),
    ]
    text = exposition([odd, told], board, NONE, standing=[canary])
    assert canary.encode() not in text
    assert NUMBER.encode() not in text
    allowed = {*OUTCOMES, *PROCESSES, *STATES, *PURPOSES, *ALARMS, *map(str, URGENCIES), "7"}
    assert {label for _, labels in figures(text) for _, label in labels} <= allowed


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(
    counters=_json | st.dictionaries(st.sampled_from([f.key for f in COUNTERS]), _json),
    gauges=_json | st.dictionaries(st.sampled_from([f.key for f in GAUGES]), _json),
)
def test_no_beat_whatever_breaks_the_page(counters: Any, gauges: Any) -> None:
    """Anything on this machine may send a beat: the figures that make sense come out."""
    text = exposition([beat(counters=counters, gauges=gauges)], [], NONE)
    for (name, _), number in figures(text).items():
        assert number >= 0, name


def test_every_metric_is_documented(console: Console) -> None:
    """docs/reference/metrics.md names each metric, and no metric that is not there."""
    page = (Path(__file__).parents[2] / "docs" / "reference" / "metrics.md").read_text()
    documented = set(re.findall(r"^\| `(quietline_\w+)` \|", page, re.MULTILINE))
    answer = console.stranger().get("/metrics")
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    served = set()
    for kind in re.findall(rb"^# TYPE (\w+) (\w+)$", answer.get_data(), re.MULTILINE):
        served.add(kind[0].decode())
    assert documented == served


def test_the_page_of_a_busy_console_tells_its_board(console: Console) -> None:
    """One 55 in training shows as one waiting at urgency 1; no token is asked for."""
    console.call("55")
    text = console.stranger().get("/metrics").get_data()
    labels = {"urgency": "1", "state": "waiting", "purpose": "training"}
    assert value(text, "quietline_board_incidents", **labels) == 1
    assert NUMBER[1:].encode() not in text
