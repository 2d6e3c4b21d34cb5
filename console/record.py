"""Everything known of one incident, from the live board and the store together.

The board hears of a call before the store does and knows it when the store is
down; the store has what the board no longer carries. It says when the notes could
not be read, rather than showing a record without them as if there were none.
"""

from __future__ import annotations

from dataclasses import dataclass

from console.watch import Watch
from incidents.fold import Entry, Incident
from incidents.sealed import is_reference
from incidents.store import Store


@dataclass(frozen=True, slots=True)
class Record:
    """An incident with its timeline, oldest first. ``complete``: the notes could be read too."""

    incident: Incident
    entries: tuple[Entry, ...]
    complete: bool


def record(reference: str, watch: Watch, store: Store) -> Record | None:
    """Find an incident, or return None. Raises ``StoreUnavailable`` when nobody here knows it."""
    if not is_reference(reference):
        return None
    incident, entries = watch.newest(reference), watch.timeline(reference)
    complete = watch.status()["store"]
    if incident is None:
        incident = store.incident(reference)
    if incident is None:
        return None
    if entries is None:
        entries, complete = store.timeline(reference), True
    return Record(incident, tuple(entries), complete)
