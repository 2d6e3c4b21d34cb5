"""Was anything acknowledged lost or doubled? Looks into the store itself, not through our code."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.faults.signedcalls import Event


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong: acknowledged events that are missing, and events that stand twice."""

    lost: list[Event]
    doubled: list[Event]
    incidents: Counter[tuple[str, str]]
    """How many incidents read so: keys and signal."""


def judge(store: Path, acknowledged: Iterable[Event]) -> Verdict:
    """Compare what was acknowledged with the SQLite store at ``store``."""
    with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "SELECT call_sid, step, kind FROM events WHERE kind <> 'repeat_seen'"
        ).fetchall()
        incidents = database.execute(
            "SELECT keys, signal FROM incidents WHERE purpose <> 'proof'"
        ).fetchall()
    stored = Counter(tuple(row) for row in rows)
    lost = [event for event in acknowledged if event not in stored]
    doubled = [event for event, times in stored.items() if times > 1]
    return Verdict(lost, doubled, Counter(tuple(row) for row in incidents))
