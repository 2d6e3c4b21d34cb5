"""Reads every file of a machine's journal as one stream, new files included."""

import contextlib
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from incidents.recorded import Sealed
from incidents.segment import Reading

AT_MOST = 500
"""Events taken in one look, shared among the files: a batch is one transaction of the store."""
AT_LEAST = 20
"""Events taken from each file in one look, however many files there are."""


class Tail:
    """The journal's events after given positions. A file that cannot be read now is tried again."""

    def __init__(self, folders: Sequence[Path], start: Mapping[str, int] | None = None) -> None:
        self._folders = folders
        self._start = dict(start or {})
        self._readings: dict[str, Reading] = {}
        self._quiet: set[str] = set()
        self._ended: set[str] = set()
        self.unreadable: set[str] = set()

    def look(self) -> None:
        """Find the files there are, and read nothing yet."""
        present = set()
        for folder in self._folders:
            with contextlib.suppress(OSError):
                for path in sorted(folder.glob("*.db")):
                    present.add(path.stem)
                    if path.stem not in self._readings:
                        start = self._start.get(path.stem, 0)
                        self._readings[path.stem] = Reading(path, start)
        for name in self._readings.keys() - present:
            self.forget(name)

    def read(self, limit: int = AT_MOST) -> list[tuple[str, int, Sealed]]:
        """Return up to ``limit`` new events, each with its file and position, from every file."""
        found = []
        self.look()
        going = [name for name in self._readings if name not in self._ended]
        share = max(AT_LEAST, limit // max(1, len(going)))
        for name in going:
            try:
                found += [(name, *row) for row in self._read(self._readings[name], share)]
            except (sqlite3.Error, OSError):
                self.unreadable.add(name)
            else:
                self.unreadable.discard(name)
        return found

    def _read(self, reading: Reading, limit: int) -> list[tuple[int, Sealed]]:
        # Asked before reading: what its writer wrote last is then read for certain.
        over = reading.name in self._quiet and reading.finished()
        rows = reading.read(limit)
        if rows:
            self._quiet.discard(reading.name)
            return rows
        self._quiet.add(reading.name)
        if over:
            # Every restart leaves files behind; each kept open would cost three
            # descriptors, and a process that runs out of them sees no new alert.
            self._ended.add(reading.name)
            reading.close()
        return []

    def positions(self) -> dict[str, int]:
        """How far each file has been read."""
        return {name: reading.position for name, reading in self._readings.items()}

    def go_back(self, positions: Mapping[str, int]) -> None:
        """Read again from ``positions``: what came after them was not kept."""
        for name, reading in self._readings.items():
            reading.position = positions.get(name, self._start.get(name, 0))
        self._quiet.clear()
        self._ended.clear()

    def finished(self) -> list[Reading]:
        """Files whose writer is gone; they may hold more than was read so far."""
        return [reading for reading in self._readings.values() if reading.finished()]

    def forget(self, name: str) -> None:
        """Stop reading a file that is gone or being removed."""
        if (reading := self._readings.pop(name, None)) is not None:
            reading.close()
        for names in (self._quiet, self._ended, self.unreadable):
            names.discard(name)

    def close(self) -> None:
        """Stop reading."""
        for reading in self._readings.values():
            reading.close()
        self._readings.clear()
