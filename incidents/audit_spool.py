"""Where entries of the audit log wait while the store is away.

Each is one sealed line, on the disk before the look it tells of goes on. Any number of
processes may append; whoever brings the lines in puts the file aside first. A line is
never dropped: a file that holds one nobody can open is kept.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from incidents.identity import uuid7_now
from incidents.sealed import CannotOpen, Keys

log = logging.getLogger(__name__)
_TAKEN: Final = ".taken-"
_UNREAD: Final = ".unread-"


@dataclass(frozen=True, slots=True)
class Spooled:
    """One entry before it has its place in the chain."""

    id: str
    at: datetime
    actor: str
    operation: str
    what: str
    record: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file of entries that was put aside to be brought in."""

    path: Path
    entries: list[Spooled]
    unread: int

    def done(self) -> None:
        """Take the file away: all its entries are in the log. One with unreadable lines stays."""
        if not self.unread:
            self.path.unlink(missing_ok=True)
            return
        kept = self.path.with_name(self.path.name.replace(_TAKEN, _UNREAD))
        with suppress(FileNotFoundError):
            os.replace(self.path, kept)
            log.error("%d line(s) of %s cannot be read", self.unread, kept.name)


class Spool:
    """The spool at ``path``."""

    def __init__(self, path: Path, keys: Keys) -> None:
        self._path = path
        self._keys = keys

    def append(self, entry: Spooled) -> None:
        """Put an entry on the disk. Raises ``OSError``."""
        told = [
            *(entry.at.isoformat(), entry.actor, entry.operation),
            *(entry.what, entry.record, entry.reason),
        ]
        sealed = self._keys.seal(json.dumps(told).encode(), f"audit-spool|{entry.id}|entry")
        text = base64.b64encode(sealed).decode()
        # The newline before it ends the half line that a killed writer may have left.
        line = f"\n{entry.id} {text}\n".encode("ascii")
        with self._held() as file:
            written = os.write(file, line)
            if written != len(line):
                raise OSError(0, "the disk took a part of it only")
            os.fdatasync(file)

    def batches(self) -> Iterator[Waiting]:
        """Yield the files that wait, the oldest first; each says when it is ``done``."""
        self._put_aside()
        for path in sorted(self._path.parent.glob(f"{self._path.name}{_TAKEN}*")):
            with suppress(FileNotFoundError):  # another engine was quicker
                yield self._read(path)

    def _put_aside(self) -> None:
        if not self._path.exists():
            return
        with self._held() as file:
            if os.fstat(file).st_size:
                os.replace(self._path, f"{self._path}{_TAKEN}{uuid7_now()}")

    def _read(self, path: Path) -> Waiting:
        entries, unread = [], 0
        for line in path.read_bytes().splitlines():
            if not line:
                continue
            try:
                entries.append(self._entry(line.decode("ascii")))
            except (ValueError, CannotOpen, binascii.Error):
                unread += 1
        return Waiting(path, entries, unread)

    def _entry(self, line: str) -> Spooled:
        id_, text = line.split(" ")
        sealed = base64.b64decode(text, validate=True)
        at, *told = json.loads(self._keys.open(sealed, f"audit-spool|{id_}|entry"))
        return Spooled(id_, datetime.fromisoformat(at), *told)

    @contextmanager
    def _held(self) -> Iterator[int]:
        """Open the spool, alone. It may be put aside while one waits for one's turn."""
        while True:
            file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                if self._still(file):
                    if not os.fstat(file).st_size:
                        self._keep_name()
                    yield file
                    return
            finally:
                os.close(file)

    def _still(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), os.stat(self._path))
        except FileNotFoundError:
            return False

    def _keep_name(self) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
