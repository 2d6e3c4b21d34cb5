"""What a screen must know of the work on an incident besides the contract's fields.

It follows from the incident alone: who is away, how loud the ladder is, whether the
caller's keys can be heard, and by when a dropped call must be graded again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from incidents.fold import Incident, as_text

REGRADE_WITHIN: Final = timedelta(seconds=60)
"""A claimed call that dropped is graded again within this (rule 10; issue text, The record)."""


@dataclass(frozen=True, slots=True)
class Work:
    """The work on one incident.

    ``rung``: how far the ladder has climbed, 0 when it rests. ``bridged``: who the caller is
    joined to; empty while keys are heard. ``regrade_by``: until when to grade again, or None.
    ``contacts``: users who are told of it as somebody's point of contact.
    """

    reference: str
    rung: int
    away: bool
    bridged: str
    language: str
    graded_at: datetime | None
    regrade_by: datetime | None
    contacts: tuple[str, ...]

    @classmethod
    def of(cls, incident: Incident) -> "Work":
        """Read the work off the incident."""
        return cls(
            incident.reference,
            incident.rung or 0,
            incident.away_at is not None and incident.state == "claimed",
            incident.bridged if incident.connection == "open" else "",
            incident.language,
            incident.graded_at,
            regrade_by(incident),
            incident.contacts,
        )

    def as_json(self) -> dict[str, object]:
        """The work as the live feed tells it."""
        return {
            "reference": self.reference,
            "rung": self.rung,
            "away": self.away,
            "bridged": self.bridged,
            "language": self.language,
            "graded_at": as_text(self.graded_at),
            "regrade_by": as_text(self.regrade_by),
            "contacts": list(self.contacts),
        }


def regrade_by(incident: Incident) -> datetime | None:
    """Return until when a claimed call that dropped must be graded again; None: it need not."""
    if incident.state != "claimed" or incident.connection != "dropped":
        return None
    if incident.ended_at is None:
        return None
    if incident.graded_at is not None and incident.graded_at > incident.ended_at:
        return None
    # A call that was claimed when it was over already is looked at for the first time.
    if incident.claimed_at is not None and incident.claimed_at > incident.ended_at:
        return None
    return incident.ended_at + REGRADE_WITHIN
