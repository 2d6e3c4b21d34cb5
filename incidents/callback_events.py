"""What the phone side tells of a call-back, put with it in the store, once each.

It comes through the journal like everything else that happens on a phone, under a name of its own:
a call-back is no caller's call, and makes no incident. It decides nothing.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, update

from incidents.callback_state import STEPS, NoSuchCallBack, Sealed, row_of
from incidents.callbacks import tell
from incidents.fold import as_text
from incidents.recorded import Recorded, unseal
from incidents.recorded import Sealed as SealedEvent
from incidents.sealed import Keys
from incidents.tables import callbacks

TOLD: Final = ("status", "duration", "answered_by", "leg", "late")
"""What of an event is kept: how ringing the person ended, its seconds, what answered, the call,
whether the 1 came too late."""


def hear(connection: Connection, keys: Keys, found: Iterable[SealedEvent]) -> None:
    """Put what these events say of call-backs on record. Only inside ``writing``.

    One that is on record already changes nothing; of a call-back nobody knows neither.
    """
    for event in found:
        if event.kind in STEPS:
            _hear(connection, keys, unseal(event, keys))


def _hear(connection: Connection, keys: Keys, event: Recorded) -> None:
    try:
        row = row_of(connection, str(event.data.get("callback")))
    except NoSuchCallBack:
        return
    sealed = Sealed.open(keys, row.id, row.data)
    if event.kind in sealed.steps:
        return
    told: dict[str, Any] = {name: event.data[name] for name in TOLD if name in event.data}
    steps = {**sealed.steps, event.kind: {"at": as_text(event.at), **told}}
    changed = replace(sealed, steps=steps).seal(keys, row.id)
    connection.execute(update(callbacks).where(callbacks.c.id == row.id).values(data=changed))
    tell(connection, keys, row, event.kind, {"name": row.by, **told}, event.at)
