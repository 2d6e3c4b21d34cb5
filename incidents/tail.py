"""Reads every file of a machine's journal as one stream, new files included."""

import contextlib
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from incidents.recorded import Sealed
from incidents.segment import Reading

AT_MOST = 500


class Tail:
    """The journal's events after given positions. A file that cannot be read now is tried again."""

    def __init__(self, folders: Sequence[Path], start: Mapping[str, int] | None = None) -> None:
        self._folders = folders
        self._start = dict(start or {})
        self._readings: dict[str, Reading] = {}
        self.unreadable: set[str] = set()

    def read(self, limit: int = AT_MOST) -> list[tuple[str, int, Sealed]]:
        """Return up to ``limit`` new events a file, each with its file and position."""
        found = []
        self._look()
        for name, reading in self._readings.items():
            try:
                found += [(name, position, event) for position, event in reading.read(limit)]
            except sqlite3.Error:
                self.unreadable.add(name)
            else:
                self.unreadable.discard(name)
        return found

    def positions(self) -> dict[str, int]:
        """How far each file has been read."""
        return {name: reading.position for name, reading in self._readings.items()}

    def go_back(self, positions: Mapping[str, int]) -> None:
        """Read again from ``positions``: what came after them was not kept."""
        for name, reading in self._readings.items():
            reading.position = positions.get(name, self._start.get(name, 0))

    def finished(self) -> list[Reading]:
        """Files whose writer is gone and that were read to the end."""
        return [reading for reading in self._readings.values() if reading.finished()]

    def forget(self, name: str) -> None:
        """Stop reading a file that is being removed."""
        self._readings.pop(name, None)

    def close(self) -> None:
        """Stop reading."""
        for reading in self._readings.values():
            reading.close()
        self._readings.clear()

    def _look(self) -> None:
        present = set()
        for folder in self._folders:
            with contextlib.suppress(OSError):
                for path in sorted(folder.glob("*.db")):
                    present.add(path.stem)
                    if path.stem not in self._readings:
                        self._open(path)
        for name in self._readings.keys() - present:
            self._readings.pop(name).close()

    def _open(self, path: Path) -> None:
        try:
            self._readings[path.stem] = Reading(path, self._start.get(path.stem, 0))
        except sqlite3.Error:
            self.unreadable.add(path.stem)
