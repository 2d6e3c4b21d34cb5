"""Support outside that a caller may be told of, or connected to when a handler decides so.

It holds values alone: nobody is rung from here, and nothing is sent to a caller's phone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Service:
    """One service. ``number``: E.164, empty where it has none; ``written``: as it is read out.

    ``review``: the day by which somebody checks again that all this still holds.
    """

    id: str
    name: str
    for_whom: str
    hours: str
    written: str
    number: str
    website: str
    source: str
    checked: date
    review: date

    def stale(self, today: date) -> bool:
        """Say whether its review is due."""
        return today > self.review


@dataclass(frozen=True, slots=True)
class Services:
    """Every service, in the order in which they are offered."""

    all: tuple[Service, ...] = ()

    def reached_by(self, id_: str) -> Service | None:
        """Return the service called ``id_`` if it can be rung, or None."""
        return next((one for one in self.all if one.id == id_ and one.number), None)
