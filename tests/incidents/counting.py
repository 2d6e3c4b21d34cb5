"""Calls put straight into the tables of a store, for what counts them, and a naive count."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from incidents.identity import uuid7
from incidents.recorded import milliseconds
from incidents.store import Store
from incidents.tables import events, incidents, numbers, reviews, rungs, timeline
from incidents.transactions import writing

_at: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Told:
    """One call as the tables tell it. Times are seconds after it began; None: it never happened."""

    began: datetime
    signal: str = "nothing"
    sign: float | None = None
    ended: float | None = None
    claims: tuple[float, ...] = ()
    joined: float | None = None
    rung: float | None = None
    closed: float | None = None
    asked_again: float | None = None
    number: str | None = None
    line: str = "emergency"
    purpose: str = "live"
    grade: str | None = None
    outcome: str | None = None
    review: bool = False
    decided: bool = False
    key: str = field(default_factory=lambda: f"call{next(_at):08d}")

    def at(self, seconds: float | None) -> datetime | None:
        """The moment so many seconds after it began."""
        return None if seconds is None else self.began + timedelta(seconds=seconds)

    @property
    def is_closed(self) -> bool:
        """Whether it is closed now: nobody asked again since."""
        again = self.asked_again is not None and self.closed is not None
        return self.closed is not None and not (again and (self.asked_again or 0) > self.closed)

    @property
    def alert(self) -> datetime | None:
        """When its alert began, if it had one."""
        return self.at(self.sign) if self.sign is not None else self.at(self.rung)

    @property
    def answer(self) -> datetime | None:
        """When somebody answered it first."""
        came: list[float] = [*self.claims]
        came += [] if self.joined is None else [self.joined]
        came += [self.closed] if self.closed is not None and self.is_closed else []
        return self.at(min(came)) if came else None


def put(store: Store, told: Iterable[Told]) -> None:
    """Put calls into a store."""
    with writing(store.engine) as connection:
        known: set[str] = set()
        for revision, one in enumerate(told, start=1):
            if one.number is not None and one.number not in known:
                connection.execute(
                    numbers.insert().values(id=one.number, number=b"", look_up=one.number)
                )
                known.add(one.number)
            connection.execute(incidents.insert().values(_row(one, revision)))
            _put_rest(connection, one)


def _row(one: Told, revision: int) -> dict[str, Any]:
    return {
        "call_key": one.key,
        "reference": one.key[-16:],
        "call_sid": one.key,
        "month": f"{one.began:%Y-%m}",
        "line": one.line,
        "profile": "gb",
        "purpose": one.purpose,
        "number_id": one.number,
        "withheld": one.number is None,
        "signal": one.signal,
        "keys": "",
        "urgency": 4,
        "reasons": [],
        "line_state": "review" if one.review else "waiting",
        "connection": "open" if one.ended is None else "dropped",
        "started_at": one.began,
        "signal_at": one.at(one.sign),
        "ended_at": one.at(one.ended),
        "alerted_at": one.at(one.asked_again),
        "grade": one.grade,
        "outcome": one.outcome if one.closed is not None else None,
        "closed_at": one.at(one.closed),
        "revision": revision,
    }


def _put_rest(connection: Connection, one: Told) -> None:
    for claim in one.claims:
        at = one.began + timedelta(seconds=claim)
        connection.execute(
            timeline.insert().values(
                id=uuid7(at), call_key=one.key, at=at, kind="claimed", data=b""
            )
        )
    if one.joined is not None:
        at = one.began + timedelta(seconds=one.joined)
        connection.execute(
            events.insert().values(
                id=uuid7(at),
                key=f"j{one.key}",
                call_key=one.key,
                call_sid="",
                month=f"{at:%Y-%m}",
                step=0,
                at_ms=milliseconds(at),
                kind="connected",
                data=b"",
            )
        )
    if one.rung is not None:
        connection.execute(
            rungs.insert().values(
                id=f"r{one.key}",
                call_key=one.key,
                climb="",
                round=1,
                rung=0,
                name="screens",
                at=one.at(one.rung),
            )
        )
    if one.decided:
        connection.execute(
            reviews.insert().values(
                id=f"v{one.key}",
                call_key=one.key,
                by="rita",
                decision="no_concern",
                at=one.began,
                sampled=False,
            )
        )


def empty(store: Store) -> None:
    """Take every call out again."""
    with writing(store.engine) as connection:
        for table in (reviews, rungs, events, timeline, incidents, numbers):
            connection.execute(table.delete())


def repeats(told: Sequence[Told], counted: Sequence[Told], within: timedelta) -> int:
    """Count, one against each other, calls whose number had called so shortly before."""

    def order(one: Told) -> tuple[datetime, str]:
        return one.began, one.key

    return sum(
        any(
            other.purpose == one.purpose
            and other.number == one.number
            and order(other) < order(one)
            and one.began - other.began <= within
            for other in told
        )
        for one in counted
        if one.number is not None
    )
