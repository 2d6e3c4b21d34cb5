"""Nothing about a caller stands in the clear: no file, log line or metric shows a canary."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from incidents.audit import Audit
from incidents.desk import Actor, Desk
from incidents.fold import Incident
from incidents.sealed import Keys, read_secret
from incidents.store import Store
from tests.faults.canaries import everything_in, sightings
from tests.faults.signedcalls import ACTION, Line, parameters
from tests.incidents.desks import rules
from tests.running import Quietline, fetch
from tests.waiting import eventually

CALLS = 200
NAME = "Wilhelmina Quackenbush"
WORDS = "the heliotrope is in the larder"
CITY = "Zyzzyxville"
NOTE = "she whispered marmalade thrice"
PLACES: list[Callable[[str], bytes]] = [
    lambda text: text.encode(),
    lambda text: text.encode("utf-16-le"),
    lambda text: b"xy" + base64.b64encode(b"a" + text.encode() + b"b"),
    lambda text: text.encode().hex().encode(),
    lambda text: text.replace(" ", "%20").replace("+", "%2B").encode(),
    lambda text: text.replace(" ", "+").replace("+4", "%2b4").encode(),
    lambda text: text.upper().encode(),
]


@pytest.mark.parametrize("canary", ["+447700912345", NAME, WORDS])
@pytest.mark.parametrize("way", range(len(PLACES)))
def test_the_search_finds_a_planted_canary(tmp_path: Path, canary: str, way: int) -> None:
    """In a file of the data folder, however it is written there."""
    (tmp_path / "x.log").write_bytes(b"\0before " + PLACES[way](canary) + b" after")
    assert ("x.log", canary) in sightings(dict(everything_in(tmp_path)), [canary])


def test_the_search_finds_a_canary_in_the_write_ahead_log_and_in_a_name(tmp_path: Path) -> None:
    """SQLite keeps the newest rows beside its file; and a socket's name is a place too."""
    (tmp_path / f"{CITY}.sock").touch()
    with closing(sqlite3.connect(tmp_path / "x.db")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE t (a)")
        database.execute("INSERT INTO t VALUES (?)", (WORDS,))
        database.commit()
        places = {place for place, _ in sightings(dict(everything_in(tmp_path)), [WORDS, CITY])}
    assert places == {"x.db-wal", f"name {CITY}.sock"}


def play(line: Line, number: int) -> str:
    """Play one call, of one of ten kinds; return the number that must show nowhere."""
    sid, caller = f"CA{number:032x}", f"+4477{number:08d}"
    kind = number % 10
    known = [("CallerName", f"{NAME} {number}"), ("FromCity", f"{CITY}{number}")]
    if kind == 9:
        caller = f"sip:{NAME.replace(' ', '.')}{number}@example"
    params = parameters(sid, caller, *known)
    answer = line.post(f"{line.url}/voice/incoming", params)
    spoken = f"{WORDS} {number}"
    heard: list[tuple[str, str]] = [
        ("Digits", "55"),
        ("Digits", "5"),
        ("SpeechResult", spoken),
        ("Digits", ""),
        ("SpeechResult", spoken),
    ]
    for step in range(3):
        action = ACTION.search(answer)
        if action is None:
            break
        url = action.group(1).decode()
        answer = line.post(url, [*params, heard[(kind + step) % len(heard)]])
    if kind in (3, 6):
        fallback = [*params, ("ErrorCode", "11200"), ("ErrorUrl", f"{line.url}/voice/incoming")]
        line.post(f"{line.url}/voice/fallback", fallback)
    if kind != 5:
        line.post(f"{line.url}/voice/status", [*params, ("CallStatus", "completed")])
    return caller.removeprefix("+")


def work(desk: Desk, incident: Incident) -> None:
    """Have a handler write ``NOTE`` into every place there is for words."""
    reference, by, now = incident.reference, Actor("handler", "handler"), datetime.now(UTC)
    desk.claim(reference, by=by, now=now)
    wrote = desk.note(reference, NOTE, by=by, now=now).entry
    desk.detail(reference, "heard", NOTE, by=by, now=now)
    desk.correct(reference, wrote or "", NOTE, by=by, now=now)
    desk.location(reference, {"text": NOTE}, by=by, now=now)
    if incident.connection == "open":
        desk.ask(reference, text=NOTE, by=by, now=now)
    desk.urgency(reference, 4, NOTE, by=by, now=now)
    desk.handover_note(NOTE, by=by, now=now)
    desk.close(reference, "no_trace", NOTE, by=by, now=now)


def test_after_200_mixed_calls_no_canary_stands_in_the_clear_anywhere(
    quietline: Callable[..., Quietline],
) -> None:
    """Issue 2, item 4: "no number, name or spoken word stands in the clear in any file of the data
    folder, log or metric"."""
    running = quietline()
    line = Line(running.phone_url)
    canaries = {play(line, number) for number in range(CALLS)}
    # And what is refused leaves nothing behind either.
    fetch(f"{running.phone_url}/voice/incoming", method="POST", body=f"From={NAME}&CallSid=CAx")
    keys = Keys(read_secret((running.data / "keys").read_text(encoding="ascii")))
    store = Store(f"sqlite:///{running.data / 'quietline.db'}", keys)

    def all_stored() -> bool:
        return len(store.incidents(limit=CALLS + 1)[0]) == CALLS

    eventually(all_stored, 20)
    desk = Desk(store, keys, Audit(store.engine, keys, running.data), rules())
    for incident in store.incidents(limit=20)[0]:
        work(desk, incident)
    canaries |= {NOTE, NAME, NAME.replace(" ", "."), CITY, WORDS}
    token = running.token()
    bearer = {"Authorization": f"Bearer {token}"}
    metrics = fetch(f"{running.console_url}/metrics", headers=bearer)[1]
    places = dict(everything_in(running.data))
    places |= {"metrics": metrics.encode(), "output": running.output.encode()}
    assert any(place.startswith("journal/") for place in places)
    assert sightings(places, sorted(canaries)) == []
    # The words are there for those who may read them: what was searched is the real thing.
    written = [entry.data for entry in store.timeline(store.incidents(limit=1)[0][0].reference)]
    assert NOTE in str(written)
    store.engine.dispose()
