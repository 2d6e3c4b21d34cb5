"""Which calls are not the first from their number in a while, said as events of those calls.

A call that reaches the store late changes the place of those after it, so they are counted again.
It writes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, select

from callflow.profiles import Profile
from incidents.fold import Incident
from incidents.numbers import look_up_of
from incidents.recorded import Recorded, Sealed, event_key, seal
from incidents.sealed import Keys
from incidents.tables import incidents, numbers

COUNTED_AT_MOST: Final = 100
"""Earlier calls counted for a repeat; a flood need not be counted to its end."""


def repeats(
    connection: Connection, keys: Keys, profiles: Mapping[str, Profile], incident: Incident
) -> Iterator[Sealed]:
    """Yield an event for each call that is not the first from its number in the profile's window.

    Withheld callers have no number and never match each other.
    """
    profile = profiles.get(incident.profile)
    if incident.number is None or profile is None:
        return
    window = timedelta(seconds=profile.repeats.window)
    same = select(incidents.c.call_key, incidents.c.started_at, incidents.c.month).where(
        incidents.c.number_id
        == select(numbers.c.id)
        .where(numbers.c.look_up == look_up_of(keys, incident.number))
        .scalar_subquery(),
        incidents.c.purpose == incident.purpose,
    )
    started = incidents.c.started_at
    later = connection.execute(
        same.where(started >= incident.started_at, started <= incident.started_at + window)
        .order_by(started)
        .limit(COUNTED_AT_MOST)
    ).all()
    for call in later:
        earlier = connection.execute(
            same.where(
                started >= call.started_at - window,
                started <= call.started_at,
                incidents.c.call_key != call.call_key,
            )
            .order_by(started.desc())
            .limit(COUNTED_AT_MOST)
        ).all()
        place = (call.started_at, call.call_key)
        before = [row for row in earlier if (row.started_at, row.call_key) < place]
        if before:
            yield _repeat(keys, profile, call, before)


def _repeat(keys: Keys, profile: Profile, call: Any, before: Sequence[Any]) -> Sealed:
    nth = len(before) + 1
    first = min(row.started_at for row in before)
    ranks = profile.repeats
    event = Recorded(
        key=event_key(keys, call.call_key, "repeat", "repeat_seen", str(nth)),
        call_key=call.call_key,
        call_sid="",
        month=call.month,
        step=0,
        kind="repeat_seen",
        at=call.started_at,
        data={
            "nth": nth,
            "seconds": int((call.started_at - first).total_seconds()),
            "urgency": ranks.second if nth == 2 else ranks.third,
        },
    )
    return seal(event, keys)
