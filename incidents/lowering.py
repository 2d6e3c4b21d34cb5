"""Who may take a number, an address or a person out of a high-risk marker's reach.

Ending a number or an address, or parting two people, ends no marker and may still have one match
fewer calls. That lowers as its end does (rule 3), so it takes the same: a supervisor and a reason.
It compares what is reached before and after, and forbids nothing that takes nothing away.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from incidents.audit import Audit
from incidents.marker_kinds import MarkerKinds
from incidents.marking import On, of_numbers, of_persons
from incidents.roles import Roles
from incidents.tables import person_numbers
from incidents.working import Actor, Conflict, Unfit, text_of

LONGEST_REASON: Final = 1000


@dataclass(frozen=True, slots=True)
class Reach:
    """Which high-risk markers reach people, by row, and the numbers they have, by id.

    ``by``: pairs of one of them and a marker nobody ended. One past its last day is among them: it
    asks for a review, and whoever reviews it trusts that it stands where it stood.
    """

    rows: tuple[str, ...]
    numbers: tuple[str, ...]
    by: frozenset[tuple[str, On]]


@dataclass(frozen=True, slots=True)
class Lowering:
    """Guards the reach of high-risk markers. Without kinds and roles nobody may take any away."""

    kinds: MarkerKinds = field(default_factory=MarkerKinds)
    roles: Roles = field(default_factory=Roles)

    def reach(self, connection: Connection, rows: Collection[str]) -> Reach:
        """Return what reaches ``rows``, every row of a person, and the numbers they have now."""
        theirs = select(person_numbers.c.number_id).where(
            person_numbers.c.person_id.in_(rows), person_numbers.c.ended_at.is_(None)
        )
        numbers = tuple(sorted(set(connection.scalars(theirs))))
        return self._of(connection, tuple(rows), numbers)

    def settle(
        self,
        connection: Connection,
        audit: Audit,
        before: Reach,
        reason: str,
        *,
        by: Actor,
        now: datetime,
    ) -> str:
        """Let what was done since ``before`` stand; returns why, tidied, empty if none is needed.

        In the same transaction, which a refusal undoes. What a marker reaches no more is put into
        the audit. Raises ``Conflict`` when it takes a supervisor, and ``Unfit`` for the field
        ``why`` when it takes a reason.
        """
        after = self._of(connection, before.rows, before.numbers)
        lost = {on for _, on in before.by - after.by}
        if not lost:
            return text_of("why", reason, "why", LONGEST_REASON) if reason.strip() else ""
        names = ", ".join(sorted({self.kinds.of(on.kind).name for on in lost}))
        if not self.roles.may(by.role, "supervise"):
            raise Conflict(
                f"Nothing was changed: the high-risk marker “{names}” would match fewer calls. "
                "Only a supervisor may do this, with a reason: ask one."
            )
        if not reason.strip():
            raise Unfit(
                "why",
                f"The high-risk marker “{names}” would match fewer calls. Write why that is right, "
                "then do it again.",
            )
        why = text_of("why", reason, "why", LONGEST_REASON)
        for marker in sorted({on.marker for on in lost}):
            what = "had a high-risk marker match fewer calls"
            audit.put(connection, by.name, "alteration", what, marker, why, at=now)
        return why

    def _of(self, connection: Connection, rows: tuple[str, ...], numbers: tuple[str, ...]) -> Reach:
        # Whoever types their personal code carries the markers on their numbers as well.
        found = {**of_numbers(connection, numbers), **of_persons(connection, rows, numbers=True)}
        return Reach(
            rows,
            numbers,
            frozenset(
                (one, on)
                for one, carried in found.items()
                for on in carried
                if self.kinds.of(on.kind).high_risk
            ),
        )
