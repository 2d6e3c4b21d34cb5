"""One file of the journal: an SQLite database with one writer for its whole life.

The writer holds an flock for as long as it lives, so that a stopped or slow
process never blocks another one's file, and a reader can tell a finished file from
one still being written. Rule 1 rests on ``synchronous=FULL``: when ``append``
returns, the events are on the disk.
"""

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from incidents.identity import uuid7_now
from incidents.recorded import Sealed

_TABLE = """
CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    call_key TEXT NOT NULL,
    call_sid TEXT NOT NULL,
    month TEXT NOT NULL,
    step INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    data BLOB NOT NULL
)
"""
_INSERT = """
INSERT OR IGNORE INTO events (key, call_key, call_sid, month, step, kind, at_ms, data)
VALUES {rows}
"""
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?)"
_ROWS_AT_ONCE = 64
_INSERTS = {n: _INSERT.format(rows=", ".join([_ROW] * n)) for n in range(1, _ROWS_AT_ONCE + 1)}
"""One statement for each number of rows, so that SQLite's own cache keeps them prepared."""
_SELECT = """
SELECT position, key, call_key, call_sid, month, step, kind, at_ms, data
FROM events WHERE position > ? ORDER BY position LIMIT ?
"""
_MADE = "SELECT 1 FROM sqlite_master WHERE name = 'events'"
_BUSY_MS = 2000


class Segment:
    """A new file in ``folder``, written by this process alone."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.name = uuid7_now().replace("-", "")
        self.last = 0
        path = folder / f"{self.name}.db"
        self._lock = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._database.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.execute(_TABLE)
            _sync_folder(folder)
        except BaseException:
            # A full disk is tried again every second: nothing may pile up on it.
            with contextlib.suppress(AttributeError, sqlite3.Error):
                self._database.close()
            with contextlib.suppress(OSError):
                _remove(path)
            os.close(self._lock)
            raise

    def append(self, events: Iterable[Sealed]) -> int:
        """Put events on the disk, each key once. Returns the last position.

        Raises ``sqlite3.Error`` when the disk did not take them; the file must not be used again
        then, because a second fsync after a failed one proves nothing.
        """
        waiting = list(events)
        if 0 < len(waiting) <= _ROWS_AT_ONCE:
            # One statement is a transaction of its own. Each statement more would give the
            # interpreter to the other threads and wait for it again, while callers wait.
            self._insert(waiting)
        else:
            self._database.execute("BEGIN IMMEDIATE")
            for start in range(0, len(waiting), _ROWS_AT_ONCE):
                self._insert(waiting[start : start + _ROWS_AT_ONCE])
            self._database.execute("COMMIT")
        return self.last

    def _insert(self, events: Sequence[Sealed]) -> None:
        values = [
            value
            for e in events
            for value in (
                e.key,
                e.call_key,
                e.call_sid,
                e.month,
                e.step,
                e.kind,
                e.at_ms,
                e.data,
            )
        ]
        inserted = self._database.execute(_INSERTS[len(events)], values).lastrowid
        # What was already there leaves the last position as it was: nobody else writes here.
        self.last = max(self.last, inserted or 0)

    def close(self) -> None:
        """Let the file go; what it holds stays."""
        with contextlib.suppress(sqlite3.Error):
            self._database.close()
        with contextlib.suppress(OSError):
            os.close(self._lock)


class Reading:
    """Reads one file from the beginning, or from a position, while it is being written."""

    def __init__(self, path: Path, position: int = 0) -> None:
        self.name = path.stem
        self.position = position
        self._path = path
        self._database: sqlite3.Connection | None = None

    def read(self, limit: int) -> list[tuple[int, Sealed]]:
        """Return up to ``limit`` events after the position, and move it behind them."""
        rows = self._select(self.position, limit)
        if rows:
            self.position = rows[-1][0]
        return [(row[0], Sealed(*row[1:])) for row in rows]

    def holds_after(self, position: int) -> bool:
        """Say whether the file holds an event after ``position``, whatever was read so far."""
        return bool(self._select(position, 1))

    def _select(self, position: int, limit: int) -> list[Any]:
        database = self._database or self._open()
        try:
            return database.execute(_SELECT, (position, limit)).fetchall()
        except sqlite3.OperationalError:
            # Its writer has only just made it, or was killed while making it.
            if database.execute(_MADE).fetchone():
                raise
            return []

    def _open(self) -> sqlite3.Connection:
        # mode=rw: a file that was removed a moment ago must not be made again.
        self._database = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        self._database.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        self._database.execute("PRAGMA query_only=1")
        return self._database

    def finished(self) -> bool:
        """Say whether the file's writer is gone, so that nothing more can come."""
        try:
            lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(lock)
        return True

    def age(self) -> float:
        """Seconds since the file was last written."""
        try:
            return time.time() - self._path.stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def close(self) -> None:
        """Let the file go. Reading on opens it again."""
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def remove(self) -> None:
        """Delete the file for good. Only for one that is finished and wholly in the store."""
        self.close()
        _remove(self._path)


def _remove(path: Path) -> None:
    for suffix in (".db", ".db-wal", ".db-shm", ".lock"):
        path.with_suffix(suffix).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
