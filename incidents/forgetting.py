"""What the store does not keep: proof calls, and the names of requests that came long ago.

A proof call is the watchman's own and nobody's; a request's name only keeps one that is sent
again from being done twice. Everything else is kept.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select

from incidents.store import Store
from incidents.tables import events, incidents, requests, searchable, timeline
from incidents.transactions import reading, writing

KEPT: Final = timedelta(days=1)
AT_ONCE: Final = 200
"""Proof calls forgotten in one go: a day has 1,440, and the drain waits meanwhile."""


def forget_proofs(store: Store, now: datetime) -> int:
    """Take proof calls out of the store that are over a day old. Returns how many.

    Raises ``StoreUnavailable``.
    """
    old = select(incidents.c.call_key).where(
        incidents.c.line_state.in_(("waiting", "review")),
        incidents.c.started_at < now - KEPT,
        incidents.c.started_at >= now - KEPT * 3,
        incidents.c.purpose == "proof",
    )
    with reading(store.engine) as connection:
        calls = connection.scalars(old.limit(AT_ONCE)).all()
    if not calls:
        return 0
    with writing(store.engine) as connection:
        for table in (events, timeline, searchable, incidents):
            connection.execute(delete(table).where(table.c.call_key.in_(calls)))
    return len(calls)


def forget_requests(store: Store, now: datetime) -> int:
    """Forget requests that came over a day ago. Returns how many; raises ``StoreUnavailable``."""
    with writing(store.engine) as connection:
        return connection.execute(delete(requests).where(requests.c.at < now - KEPT)).rowcount
