"""What the board shows at one moment, and how it is told to a screen that joins.

A view is made once per change and shared by all: the first paint of every page
and the snapshot of every joining feed come from the same one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from console import words
from console.feed import message
from incidents.fold import Incident
from incidents.work import Work

MOST_IN_REVIEW: Final = 100
"""Incidents for review listed on the board; the review page has them all.

A national day brings 20,000 silent calls: the board must not carry each of them
to every screen, and nobody could read them there.
"""


def told_of(incident: Incident, place: str | None = None) -> bytes:
    """Write an incident as the contract has it, and after it what only our own screens need."""
    return message("work", Work.of(incident).as_json()) + message(
        "incident", incident.as_json(), place
    )


@dataclass(frozen=True, slots=True)
class View:
    """The board: incidents in their order, how many more there are, and the feed's place."""

    number: int = 0
    place: str | None = None
    incidents: tuple[Incident, ...] = ()
    beyond: Mapping[int, int] = field(default_factory=dict)

    def as_messages(self) -> bytes:
        """Tell the whole board to a screen.

        Only the last message carries the place: a screen cut off half way through
        must not believe that it has seen the rest.
        """
        told = [told_of(incident) for incident in self.incidents]
        listing = {
            "references": [incident.reference for incident in self.incidents],
            "beyond": {str(rank): count for rank, count in self.beyond.items()},
        }
        return b"".join([*told, message("snapshot", listing, self.place)])


def view(incidents: Iterable[Incident], number: int, place: str | None) -> View:
    """Make the view of a board: all alerts, and the latest of what is for review."""
    shown: list[Incident] = []
    review: list[Incident] = []
    for incident in incidents:
        if incident.purpose == "proof" or incident.state == "closed":
            continue
        (review if incident.state == "review" else shown).append(incident)
    review.sort(key=lambda incident: (incident.urgency, -incident.started_at.timestamp()))
    beyond = Counter(incident.urgency for incident in review[MOST_IN_REVIEW:])
    shown += review[:MOST_IN_REVIEW]
    return View(number, place, tuple(sorted(shown, key=words.order)), dict(beyond))
