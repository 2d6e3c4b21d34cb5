"""What follow-ups are, as values: their kinds, how each may end, one follow-up, its changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of work after a call. ``outcomes``: id → name, in the order in which they are offered.

    ``due_days``: days after it is made by which it is done unless somebody says otherwise.
    """

    id: str
    name: str
    due_days: int
    outcomes: tuple[tuple[str, str], ...]

    def outcome(self, id_: str | None) -> str:
        """Return the name of an outcome; of one that is gone from the file, its id."""
        return dict(self.outcomes).get(id_ or "", id_ or "")


@dataclass(frozen=True, slots=True)
class Kinds:
    """Every kind, in the order in which they are offered."""

    all: tuple[Kind, ...] = ()

    def get(self, id_: str) -> Kind | None:
        """Return a kind by its id, or None."""
        return next((one for one in self.all if one.id == id_), None)

    def name(self, id_: str) -> str:
        """Return the name of a kind; of one that is gone from the file, its id in words."""
        found = self.get(id_)
        return found.name if found else id_.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Move:
    """A change of its ``what``: ``time`` or ``owner``.

    ``came``, ``went``: what it was and became, a name or a moment in UTC as the contract writes it.
    """

    at: str
    by: str
    what: str
    came: str
    went: str
    reason: str


@dataclass(frozen=True, slots=True)
class FollowUp:
    """One follow-up. ``reference``: of the call it comes from. ``said``: at its close.

    ``rule``: the id of the rule that made it; empty: somebody did.
    """

    id: str
    kind: str
    text: str
    owner: str | None
    due_at: datetime
    reference: str | None
    person_id: str | None
    created_by: str
    created_at: datetime | None
    closed_by: str | None
    closed_at: datetime | None
    outcome: str | None
    said: str
    moves: tuple[Move, ...]
    rule: str = ""
    operation_id: str | None = None

    def late(self, now: datetime) -> bool:
        """Say whether it is open and its time has passed."""
        return self.closed_at is None and self.due_at < now


@dataclass(frozen=True, slots=True)
class New:
    """One that is to be made. ``owner``: the name of ``owner_id``, who must be fit to own it.

    ``rule`` and ``once``: the rule that makes it, and what makes it one; empty: by hand.
    """

    kind: Kind
    text: str
    owner_id: str | None
    owner: str
    due_at: datetime
    call_key: str | None
    person_id: str | None
    rule: str = ""
    once: str = ""
    operation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """Open follow-ups, those due first, and how many there are in all."""

    shown: tuple[FollowUp, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What reminders say: one's own due by the end of the day, those of them that are late;
    everybody's that are late, and those that nobody owns.
    """

    due: int
    late: int
    overdue: int
    unowned: int
