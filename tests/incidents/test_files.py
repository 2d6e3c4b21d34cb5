"""The journal's files: one writer each, readers at any time, removed only when nothing is in them
that the store has not."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from incidents.engine import KEEP_FILES, Engine
from incidents.segment import Reading, Segment
from incidents.tail import AT_LEAST, Tail
from tests.incidents.making import (
    KEYS,
    MARKERS,
    ROLES,
    Caller,
    Machine,
    drain_all,
    left,
    sealed,
    written,
)
from tests.waiting import eventually


def events_of(tail: Tail) -> list[str]:
    """Keys of what is new."""
    return [event.key for _, _, event in tail.read()]


def test_a_key_stands_once_in_a_file_and_the_position_is_told(data: Path) -> None:
    """A retried webhook that reaches the same writer is the same event."""
    segment = Segment(data)
    caller = Caller()
    once = sealed(caller.arrives())
    assert segment.append(once) == 1
    assert segment.append(once + once) == 1
    assert segment.append(sealed(caller.presses("5"))) == 2
    segment.close()
    assert len(events_of(Tail([data]))) == 2


def test_a_reader_sees_an_event_and_a_new_file_at_its_next_look(data: Path) -> None:
    """Files of workers that were started later are found without asking."""
    tail = Tail([data / "journal", data / "spare"])
    assert events_of(tail) == []
    callers = [Caller() for _ in range(3)]
    segment = written(data / "journal", callers[0].arrives())
    assert events_of(tail) == [callers[0].arrives().key]
    segment.append(sealed(callers[0].presses("5")))
    other = written(data / "spare", callers[1].arrives())
    assert len(events_of(tail)) == 2
    assert events_of(tail) == []
    segment.close()
    other.close()


_WRITER = """
import sys, threading
from pathlib import Path
from incidents.segment import Segment
from tests.faults.journaling import event
segment = Segment(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    segment.append([event(number)])
print(segment.name, flush=True)
threading.Event().wait()
"""


def writer(folder: Path, how_many: int) -> tuple[subprocess.Popen[str], str]:
    """A process that has written events and holds its file."""
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(folder), str(how_many)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_a_file_is_held_for_its_writers_life_and_let_go_by_kill_9(data: Path) -> None:
    """The kernel gives the lock back, whatever killed the process."""
    process, name = writer(data, 1)
    reading = Reading(data / f"{name}.db")
    assert not reading.finished()
    process.send_signal(signal.SIGSTOP)
    assert not reading.finished()
    process.kill()
    process.wait()
    assert reading.finished()


@pytest.mark.parametrize("cut", ["torn", "garbled", "gone"])
def test_a_spoiled_unsynced_tail_costs_nothing_that_was_synced(data: Path, cut: str) -> None:
    """kill -9 does not prove fsync: the tail that no sync has covered is cut off or garbled."""
    process, name = writer(data, 20)
    process.kill()
    process.wait()
    wal = data / f"{name}.db-wal"
    synced = wal.read_bytes()
    unsynced = os.urandom(700)
    if cut == "torn":
        wal.write_bytes(synced + synced[-4120:-2000])
    elif cut == "garbled":
        wal.write_bytes(synced + unsynced)
    (data / f"{name}.db-shm").unlink()
    tail = Tail([data])
    assert len(events_of(tail)) == 20
    assert not tail.unreadable


def test_a_file_whose_making_was_cut_short_is_no_trouble(data: Path) -> None:
    """A writer was killed between making its file and making the table in it."""
    (data / "00.db").touch()
    tail = Tail([data])
    assert events_of(tail) == []
    assert tail.unreadable == set()


def test_a_file_that_is_none_of_ours_is_told_until_it_is_gone(data: Path) -> None:
    """The screens say that the journal cannot be read, and only as long as that is so."""
    (data / "00.db").write_bytes(os.urandom(5000))
    tail = Tail([data])
    left(data, Caller().arrives())
    assert len(events_of(tail)) == 1
    assert tail.unreadable == {"00"}
    (data / "00.db").unlink()
    tail.read()
    assert tail.unreadable == set()


def test_a_thousand_finished_files_keep_no_descriptor_open(data: Path) -> None:
    """Every restart leaves files behind; a reader that runs out of descriptors is blind."""
    for _ in range(60):
        left(data, Caller().arrives())
    tail = Tail([data])
    before = len(os.listdir("/proc/self/fd"))
    seen = 0
    while found := tail.read():
        seen += len(found)
    tail.read()
    assert seen == 60
    assert len(os.listdir("/proc/self/fd")) <= before
    tail.go_back({})
    assert len(events_of(tail)) == 60


def test_one_look_takes_a_bounded_share_of_every_file(data: Path) -> None:
    """A batch is one transaction of the store: many files after an outage must not swell it."""
    callers = [Caller() for _ in range(30)]
    for _ in range(3):
        left(data, *(caller.arrives() for caller in callers))
    assert len(events_of(Tail([data]))) == 90
    assert len(Tail([data]).read(3)) == 3 * AT_LEAST


# -- tidying ------------------------------------------------------------------------------------


def tidied(machine: Machine, drain_first: bool = True) -> set[str]:
    """Run the engine's tidying after one look of its drain; return the files left."""
    engine = Engine(
        machine.store,
        machine.folders,
        machine.data / "wake",
        KEYS,
        machine.profiles,
        MARKERS,
        ROLES,
    )
    tail = Tail(machine.folders)
    tail.look()
    if drain_first:
        drain_all(machine.drain())
    engine._tidy(tail)
    return {path.stem for path in machine.folders[0].glob("*.db")}


def aged(machine: Machine, name: str) -> None:
    """Let the file be old."""
    path = machine.folders[0] / f"{name}.db"
    moment = path.stat().st_mtime - KEEP_FILES - 60
    os.utime(path, (moment, moment))


def test_a_finished_stored_old_file_is_removed_with_all_that_belongs_to_it(
    sqlite_machine: Machine,
) -> None:
    """And a fresh one, or one that is still being written, stays."""
    old = left(sqlite_machine.folders[0], Caller().arrives())
    fresh = left(sqlite_machine.folders[0], Caller().arrives())
    open_still = written(sqlite_machine.folders[0], Caller().arrives())
    drain_all(sqlite_machine.drain())
    aged(sqlite_machine, old)
    aged(sqlite_machine, open_still.name)
    assert tidied(sqlite_machine) == {fresh, open_still.name}
    assert not list(sqlite_machine.folders[0].glob(f"{old}*"))
    open_still.close()


def test_a_file_with_an_event_the_store_has_not_is_never_removed(sqlite_machine: Machine) -> None:
    """Written after the last look, or while the store was down: it is the only copy there is."""
    caller = Caller()
    segment = written(sqlite_machine.folders[0], caller.arrives())
    drain_all(sqlite_machine.drain())
    segment.append(sealed(caller.presses("55")))
    segment.close()
    aged(sqlite_machine, segment.name)
    assert tidied(sqlite_machine, drain_first=False) == {segment.name}
    drain_all(sqlite_machine.drain())
    assert sqlite_machine.incident(caller).signal == "confirmed"


def test_an_old_file_longer_than_one_look_survives_the_engines_first_tidying(
    sqlite_machine: Machine,
) -> None:
    """The engine was away for an hour: it tidies after its first batch, and has not read all."""
    callers = [Caller(number=None) for _ in range(700)]
    name = left(sqlite_machine.folders[0], *(caller.arrives() for caller in callers))
    aged(sqlite_machine, name)
    drain = sqlite_machine.drain()
    assert 0 < drain.run_once() < 700
    assert tidied(sqlite_machine, drain_first=False) == {name}
    assert drain_all(drain) + 500 >= 700


def test_an_empty_file_of_a_writer_that_is_gone_is_removed_at_once(
    sqlite_machine: Machine,
) -> None:
    """The spare folder has a file for each restart, and nearly never an event in it."""
    left(sqlite_machine.folders[0])
    alive = written(sqlite_machine.folders[0])
    assert tidied(sqlite_machine) == {alive.name}
    alive.close()


def test_a_file_with_an_event_set_aside_stays(sqlite_machine: Machine) -> None:
    """There the event stands whole, for whoever mends what could not read it."""
    name = left(sqlite_machine.folders[0], Caller().event("call_arrived", 0, line={"a": 1}))
    drain_all(sqlite_machine.drain())
    aged(sqlite_machine, name)
    assert tidied(sqlite_machine) == {name}


def test_the_engine_drains_until_told_to_stop_and_another_takes_over(
    sqlite_machine: Machine,
) -> None:
    """Several may be started on one folder; a lock decides, and is free when one goes."""
    machine = sqlite_machine
    stops = [threading.Event(), threading.Event()]
    engines = [
        Engine(
            machine.store,
            machine.folders,
            machine.data / "wake",
            KEYS,
            machine.profiles,
            MARKERS,
            ROLES,
        )
        for _ in stops
    ]
    threads = [
        threading.Thread(target=engine.run, args=(stop,), daemon=True)
        for engine, stop in zip(engines, stops, strict=True)
    ]
    for thread in threads:
        thread.start()
    one, other = Caller(), Caller()
    left(machine.folders[0], one.arrives())
    eventually(lambda: machine.store.incident(one.reference), 10)
    first = 0 if engines[0].figures.events else 1
    stops[first].set()
    threads[first].join(10)
    left(machine.folders[0], other.arrives())
    eventually(lambda: machine.store.incident(other.reference), 10)
    stops[1 - first].set()
    threads[1 - first].join(10)
    assert engines[1 - first].figures.events == 1


def test_a_reader_never_makes_a_file_that_was_removed(data: Path) -> None:
    """A file is removed between the look and the reading: nothing may be left in its place."""
    name = left(data, Caller().arrives())
    reading = Reading(data / f"{name}.db")
    Reading(data / f"{name}.db").remove()
    with pytest.raises(sqlite3.OperationalError):
        reading.read(1)
    assert list(data.iterdir()) == []
