"""Rule 8: someone is always next, though the engine is killed at any instant."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update

from incidents.migrate import upgrade
from incidents.presence import Presence
from incidents.store import Store
from incidents.tables import incidents, rungs
from incidents.transactions import StoreUnavailable, next_revision, reading, writing
from tests import running
from tests.faults.laddering import add_supervisor, judge
from tests.incidents.making import KEYS, Caller, left
from tests.waiting import eventually

_DOUBLED = (
    "INSERT INTO rungs SELECT 'x' || id, call_key, climb, round, rung, name, at FROM rungs "
    "WHERE name = 'control_room' LIMIT 1"
)


class Nursery:
    """Engines, one after the other; what they asked of Twilio; and callers who keep coming."""

    def __init__(self, data: Path, url: str) -> None:
        upgrade(url)
        self.data = data
        self.store = Store(url, KEYS)
        self.log = data / "requests.log"
        self.calls: dict[str, str] = {}
        self.pids: list[int] = []
        self._heard_at = 0.0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.laddering", str(data), url, str(self.log)],
            cwd=running.ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.errors: list[str] = []
        for target in (self._read, self._read_errors):
            threading.Thread(target=target, daemon=True).start()
        add_supervisor(self.store, datetime.now(UTC))

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.pids.append(int(line))

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.errors.append(line)

    def somebody_rings(self) -> None:
        """A caller presses 55 just now."""
        now = datetime.now(UTC).replace(microsecond=0)
        caller = Caller(began=now)
        left(self.data / "journal", caller.arrives(), caller.presses("55"))
        self.calls[caller.key] = caller.sid

    def stay_at_work(self) -> None:
        """Anna's screen is heard from, so that nothing is hurried."""
        if time.monotonic() - self._heard_at > 2:
            self._heard_at = time.monotonic()
            with contextlib.suppress(StoreUnavailable):  # a console would try again as well
                Presence(self.store.engine).heard({"anna": ("handler", True)}, datetime.now(UTC))

    def reach(self) -> None:
        """Have the phones of callers reach the bridges that were asked for, and stay in them."""
        asked = {line.split()[1] for line in self.requests() if line.startswith("play ")}
        with reading(self.store.engine) as connection:
            waiting = connection.execute(
                select(incidents.c.call_key).where(
                    incidents.c.call_sid.in_(sorted(asked)),
                    incidents.c.bridged.is_(None) | (incidents.c.bridged == ""),
                )
            ).all()
        if waiting:
            with writing(self.store.engine) as connection:
                for row in waiting:
                    connection.execute(
                        update(incidents)
                        .where(incidents.c.call_key == row.call_key)
                        .values(
                            bridged="control room",
                            last_step=1 << 50,
                            revision=next_revision(connection),
                        )
                    )

    def requests(self) -> list[str]:
        """What was asked of Twilio so far."""
        with contextlib.suppress(FileNotFoundError):
            return self.log.read_text(encoding="ascii").splitlines()
        return []

    def kill(self) -> None:
        """Kill the engine of the moment, and wait for the next one."""
        known = len(self.pids)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pids[-1], signal.SIGKILL)
        eventually(lambda: len(self.pids) > known)

    def first_step_seconds(self) -> float:
        """How long a fresh engine takes on this machine, as busy as it is, for its first step.

        Engines that all die before it would prove nothing.
        """
        self.stay_at_work()
        self.somebody_rings()
        began = time.monotonic()
        self.kill()

        def stepped() -> bool:
            with reading(self.store.engine) as connection:
                return connection.execute(select(rungs)).first() is not None

        eventually(stepped, 30)
        return time.monotonic() - began

    def stop(self) -> None:
        """Leave nothing behind."""
        self._process.terminate()
        with contextlib.suppress(ProcessLookupError):
            if self.pids:
                os.kill(self.pids[-1], signal.SIGKILL)
        self._process.wait(10)
        self.store.engine.dispose()


@pytest.fixture
def nursery(data: Path) -> Iterator[Nursery]:
    """Engines over an SQLite store."""
    made = Nursery(data, f"sqlite:///{data / 'quietline.db'}")
    try:
        eventually(lambda: made.pids)
        yield made
    finally:
        made.stop()


def test_no_rung_is_missed_and_none_fired_twice_over_many_kills(
    nursery: Nursery,
    data: Path,
    whole: bool,
    record_property: Callable[[str, object], None],
) -> None:
    """500 kills with --whole, 25 without; alerts come all the while.

    After them every alert has climbed each rung once, every order was sent, and however often an
    order was asked for again, it was the same order.
    """
    kills = 500 if whole else 25
    chance = random.Random(55)
    pause = threading.Event()
    longest = max(0.4, 3 * nursery.first_step_seconds())
    for at in range(kills):
        nursery.stay_at_work()
        if at % 2 == 0 and len(nursery.calls) < 120:
            nursery.somebody_rings()
        until = time.monotonic() + chance.uniform(0.02, longest)
        while time.monotonic() < until:
            nursery.reach()
            pause.wait(0.02)
        nursery.kill()

    def all_joined() -> bool:
        nursery.stay_at_work()
        nursery.reach()
        verdict = judge(nursery.store, nursery.calls, nursery.requests())
        assert (verdict.missed, verdict.unsent) == ([], [])
        return True

    try:
        eventually(all_joined, 60)
    except AssertionError:
        print("".join(nursery.errors[-40:]))
        raise
    verdict = judge(nursery.store, nursery.calls, nursery.requests())
    record_property("kills", kills)
    asked, different = len(nursery.requests()), len({*nursery.requests()})
    print(
        f"{kills} kills, {len(nursery.calls)} alerts: {asked} requests for {different} orders, "
        f"{len(verdict.missed)} rungs missed, {len(verdict.doubled)} doubled"
    )
    assert len(nursery.pids) > kills + 1
    assert (verdict.missed, verdict.doubled, verdict.unsent) == ([], [], [])
    assert not [line for line in nursery.errors if "CRITICAL" in line]
    # The same run, spoiled: the judge must see each fault on this very store.
    for fault, where in (
        ("DELETE FROM rungs WHERE name = 'phone' AND rowid % 3 = 0", "missed"),
        (_DOUBLED, "doubled"),
        ("UPDATE orders SET state = 'waiting' WHERE what = 'connect' AND rowid % 4 = 0", "unsent"),
    ):
        spoiled = data / "spoiled.db"
        spoiled.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(data / "quietline.db")) as good,
            closing(sqlite3.connect(spoiled)) as bad,
        ):
            good.backup(bad)
            bad.execute(fault)
            assert bad.total_changes > 0
            bad.commit()
        store = Store(f"sqlite:///{spoiled}", KEYS)
        assert getattr(judge(store, nursery.calls, nursery.requests()), where) != []
        store.engine.dispose()
