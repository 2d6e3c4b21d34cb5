"""Fields on record that cannot be read: sealed with another key, damaged, or of another shape.

Whoever reads many rows goes on without such a field, so that nobody else waits for it. Its place
is kept, counted and told until the row changes; it is tried again whenever somebody looks. What
stood in it is never kept, and never told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, select

from incidents.recorded import as_text
from incidents.sealed import CannotOpen, Keys
from incidents.tables import metadata

log = logging.getLogger(__name__)

UNREADABLE: Final = (CannotOpen, ValueError, KeyError, TypeError, AttributeError)
"""What reading a field raises that is not what ``seal`` was given."""
MOST: Final = 1_000
"""Places kept: with the wrong key there are as many as there are rows."""
CANNOT: Final = "(cannot be read)"
"""Said in place of words that cannot be read."""

_T = TypeVar("_T")


class Unread:
    """The fields that one process could not read. Safe to share between threads."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._found: dict[str, tuple[object, datetime]] = {}

    def __len__(self) -> int:
        return len(self._found)

    def read(self, sealed: bytes, place: str, shape: Callable[[bytes], _T], instead: _T) -> _T:
        """Open a field and return what ``shape`` makes of it; ``instead`` when it cannot be read.

        ``place``: ``table|row|column``, as it was sealed for.
        """
        return self.attempt(sealed, place, lambda: shape(self._keys.open(sealed, place)), instead)

    def attempt(self, stands: object, place: str, read: Callable[[], _T], instead: _T) -> _T:
        """Return what ``read`` reads of the field at ``place``, in which ``stands`` stands."""
        try:
            found = read()
        except UNREADABLE as error:
            self.note(place, stands, error)
            return instead
        self._found.pop(place, None)
        return found

    def note(self, place: str, stands: object, error: BaseException) -> None:
        """Keep that the field at ``place``, in which ``stands`` stands now, cannot be read."""
        if place not in self._found and len(self._found) < MOST:
            log.critical("a field cannot be read (%s): %s", type(error).__name__, place)
            self._found[place] = stands, datetime.now(UTC)

    def look_again(self, connection: Connection) -> None:
        """Forget the fields that stand otherwise by now: whoever reads them next tells of them."""
        for place, (stood, _) in list(self._found.items()):
            table_name, row, column = place.split("|")
            table = metadata.tables[table_name]
            # An event is sealed for its key, every other row for the one that names it.
            (key,) = (table.c.key,) if "key" in table.c else table.primary_key
            if connection.scalar(select(table.c[column]).where(key == row)) != stood:
                self._found.pop(place, None)

    def alarms(self) -> list[dict[str, Any]]:
        """Return one alarm for all that cannot be read."""
        found = list(self._found.values())
        if not found:
            return []
        many = f"{MOST} or more" if len(found) >= MOST else str(len(found))
        text = (
            f"{many} field(s) on record cannot be read and are left out. Ask whoever runs this "
            "system to look at its log: each is named there by table, row and column."
        )
        return [{"id": "unread", "text": text, "since": as_text(min(at for _, at in found))}]
