"""An engine with its ladder, to be killed again and again, and who judges what it left behind.

``python -m tests.faults.laddering DATA STORE LOG`` starts an engine, says its process id, and
starts the next one as soon as that one is dead. Requests to Twilio become lines of LOG, each
written before anything else can happen to the order.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from incidents.audit import Audit
from incidents.carrier import Carrier
from incidents.engine import Engine
from incidents.ladder import Climber
from incidents.ladder_policy import Ladder, Rung
from incidents.ladder_turns import LadderTurns
from incidents.placing import order_in
from incidents.store import Store
from incidents.tables import orders, rungs, timeline, users
from incidents.transactions import reading, writing
from tests.incidents.desks import rules
from tests.incidents.making import KEYS, MARKERS, PROFILES, ROLES

QUICK: Final = Ladder(
    (
        Rung("screens", "show", 0.0, "all screens"),
        Rung("supervisors", "louder", 0.3, "all screens, louder, and supervisors"),
        Rung("phone", "phone", 0.6, "a supervisor's phone"),
        Rung("control_room", "bridge", 0.9, "control room"),
    ),
    again=2.0,
    from_urgency=2,
    press_again=0.0,
    away=25.0,
    phone_away=120.0,
    regrade=60.0,
    ring=60.0,
)
"""The ladder as it is, thirty times as steep."""
NAMES: Final = tuple(rung.name for rung in QUICK.rungs)
_PR_SET_PDEATHSIG: Final = 1
SUE: Final = "+447700900201"


class Forever:
    """Never time to stop: this engine is killed."""

    def is_set(self) -> bool:
        """Say so."""
        return False


class LoggedCalls:
    """Twilio as a file: every request a line."""

    def __init__(self, log: Path) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def play(self, call_sid: str, path: str) -> None:
        """Have a call fetch a document."""
        os.write(self._log, f"play {call_sid} {path}\n".encode())

    def ring(self, to: str, caller_id: str, path: str) -> str:
        """Ring somebody."""
        os.write(self._log, f"ring {to} {path}\n".encode())
        return "CA" + "0" * 32

    def status(self, call_sid: str) -> str:
        """Say how a call is."""
        return "in-progress"


def engine(data: Path, url: str, log: Path) -> Engine:
    """Make an engine as the composition root does, with the steep ladder."""
    store = Store(url, KEYS)
    carrier = Carrier(store, KEYS, LoggedCalls(log))
    climber = Climber(store, KEYS, Audit(store.engine, KEYS), rules(), QUICK, carrier)
    turns = LadderTurns(climber, carrier)
    turns.every = 0.05
    journals = (data / "journal", data / "journal-spare")
    return Engine(store, journals, data / "wake", KEYS, PROFILES, MARKERS, ROLES, besides=(turns,))


def add_supervisor(store: Store, now: Any) -> None:
    """Give the ladder somebody to ring."""
    row_id = str(uuid.uuid4())
    with writing(store.engine) as connection:
        connection.execute(
            users.insert().values(
                id=row_id,
                name="sue",
                role="supervisor",
                password_hash="",
                created_at=now,
                phone=KEYS.seal(SUE.encode(), f"users|{row_id}|phone"),
            )
        )


@dataclass(slots=True)
class Verdict:
    """What is wrong, each with the call it is wrong about."""

    missed: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)


def judge(store: Store, calls: Mapping[str, str], log: Sequence[str]) -> Verdict:
    """Judge every call (key → SID): each rung of the first round once, each order sent, once."""
    verdict = Verdict()
    with reading(store.engine) as connection:
        fired = connection.execute(select(rungs)).all()
        placed = connection.execute(select(orders)).all()
        told = connection.execute(select(timeline.c.call_key, timeline.c.kind)).all()
    entries = Counter((row.call_key, row.kind) for row in told)
    asked = Counter(line.split()[-1] for line in log)
    for call, sid in calls.items():
        names = Counter(row.name for row in fired if row.call_key == call and row.round == 1)
        mine = [row for row in placed if row.call_key == call]
        wanted = {"page": 1, "connect": 1}
        found = Counter(row.what for row in mine)
        if set(names) != set(NAMES) or any(found[what] < 1 for what in wanted):
            verdict.missed.append(f"{sid}: {dict(names)} {dict(found)}")
        if any(count > 1 for count in names.values()) or any(
            found[what] > count for what, count in wanted.items()
        ):
            verdict.doubled.append(f"{sid}: {dict(names)} {dict(found)}")
        if entries[call, "escalated"] != len(NAMES) or entries[call, "paged"] != 1:
            verdict.doubled.append(f"{sid}: {entries[call, 'escalated']} entries")
        paths = {line.split()[-1] for line in log if f" {sid} " in line}
        if len(paths) > 1:
            # Twice the same order is one order to the phone side; two orders are two bridges.
            verdict.doubled.append(f"{sid}: {len(paths)} different documents")
        for row in mine:
            path = order_path_of(row)
            if not asked[path] or row.state != "sent":
                verdict.unsent.append(f"{sid}: {row.what} {row.state}")
    return verdict


def order_path_of(row: Any) -> str:
    """The address of an order's document, as it stands in the log."""
    from incidents.placing import placed_in

    assert order_in(row, KEYS).what == row.what
    return placed_in(row, KEYS).path


def main(arguments: list[str]) -> None:
    """Start one engine after the other until this process is told to end."""
    data, url, log = Path(arguments[0]), arguments[1], Path(arguments[2])
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    while True:
        child = os.fork()
        if child == 0:
            # Whoever starts engines is gone: so is the engine.
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            try:
                engine(data, url, log).run(Forever())
            finally:
                os._exit(1)
        print(child, flush=True)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
