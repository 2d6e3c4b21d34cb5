"""Markers as values: their kinds, what is asked for when one is set, one marker, its changes."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class MarkerKind:
    """A kind of marker. ``proposes``: a grade's id, or empty. ``action``: offered in the form.

    ``high_risk``: a call it matches is urgency 1 and waits, whatever the caller does (rule 4).
    ``months``: for how long it stands unless another day is given.
    """

    id: str
    name: str
    high_risk: bool
    proposes: str
    months: int
    action: str


@dataclass(frozen=True, slots=True)
class MarkerKinds:
    """Every kind, in the order in which they are offered. ``longest_months`` any may stand."""

    all: tuple[MarkerKind, ...] = ()
    longest_months: int = 12

    def get(self, id_: str) -> MarkerKind | None:
        """Return a kind by its id, or None."""
        return next((one for one in self.all if one.id == id_), None)

    def of(self, id_: str) -> MarkerKind:
        """Return a kind; of one that is gone from the file, one that is treated as high-risk.

        Whoever takes a kind out of the file must not lower the calls it still stands on.
        """
        found = self.get(id_)
        return found or MarkerKind(id_, id_.replace("_", " "), True, "immediate", 1, "")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody types to set or to review one. ``until``: the moment it stands no longer.

    ``kind``: empty in a review, which keeps it.
    """

    action: str
    owner: str
    until: datetime
    reason: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One change: ``what`` is set, reviewed or ended. Moments as the contract writes them.

    ``until``, ``owner``: what they became; empty at its end.
    """

    at: str
    by: str
    what: str
    reason: str
    until: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Marker:
    """One marker. ``on``: whom or what it stands on, in words. It stands until ``expires_at``.

    ``owner_here``: its owner still has an account and may keep it.
    """

    id: str
    kind: MarkerKind
    action: str
    owner: str
    owner_here: bool
    on: str
    person: str | None
    created_by: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    changes: tuple[Change, ...]

    def stands(self, now: datetime) -> bool:
        """Say whether it matches calls that come now."""
        return self.ended_at is None and self.expires_at > now

    def asks(self, now: datetime) -> bool:
        """Say whether somebody must review it: past its last day, or without an owner."""
        return self.ended_at is None and not (self.expires_at > now and self.owner_here)


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of markers, those that ask for a review first, and how many there are in all."""

    shown: tuple[Marker, ...]
    many: int
