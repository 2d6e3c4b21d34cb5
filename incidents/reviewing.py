"""The review queue: calls that ended without a sign of life, and what people decide on them.

Nothing ends unseen (rule 2), and each call has a time by which it is looked at (rule 8). A
decision is a person's: nothing here closes a call by itself, and nobody is called from here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    or_,
    select,
)

from callflow.urgency import SOON
from incidents.audit import Audit
from incidents.fold import Incident, as_text
from incidents.handled import urgency_of
from incidents.identity import uuid7
from incidents.review_policy import Decision, Review
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import incidents, reviews
from incidents.transactions import reading
from incidents.working import (
    Actor,
    Conflict,
    Done,
    Rules,
    Unfit,
    Work,
    Working,
    held_by,
    since,
    text_of,
)

LONGEST_SAID: Final = 1000
_OF_TEN_THOUSAND: Final = 10_000


@dataclass(frozen=True, slots=True)
class Queued:
    """A call in the queue. ``due_at``: by when it is looked at.

    ``late``: that has passed. ``kept_by``: who keeps it for later; empty: nobody does.
    ``same``: how many calls in the queue come from its number. ``seen``: names the latest decision
    on it, so that a decision made meanwhile is noticed.
    """

    incident: Incident
    due_at: datetime
    late: bool
    kept_by: str
    same: int
    seen: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A part of the queue in next-best order; how many there are in all, and how many late."""

    shown: tuple[Queued, ...]
    count: int
    late: int


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that was made."""

    id: str
    call_key: str
    by: str
    decision: str
    at: datetime
    said: str


class Reviewing(Working):
    """The queue and its decisions, over one store."""

    def __init__(
        self, store: Store, keys: Keys, audit: Audit, rules: Rules, policy: Review
    ) -> None:
        super().__init__(store, keys, audit, rules)
        self.policy = policy

    def queue(self, now: datetime, *, limit: int, skip: int = 0) -> Queue:
        """Return the queue in next-best order from place ``skip`` on.

        What is overdue comes first, then by urgency, then the numbers that called most, then
        the oldest; what is kept for later comes last. Raises ``StoreUnavailable``.
        """
        late = self._late(now)
        # A boolean is summed as 0 and 1 on both databases only through a CASE.
        counting = select(func.count(), func.sum(case((late, 1), else_=0))).where(*in_review())
        with reading(self._store.engine) as connection:
            rows = connection.execute(self._ranked(now).limit(limit).offset(skip)).all()
            count, overdue = connection.execute(counting).one()
            return Queue(self._read(connection, rows), int(count), int(overdue or 0))

    def queued(self, reference: str, now: datetime) -> Queued | None:
        """Return a call of the queue, or None when it is not in it. Raises ``StoreUnavailable``."""
        ranked = self._ranked(now).order_by(None).subquery()
        with reading(self._store.engine) as connection:
            call = select(incidents.c.call_key).where(incidents.c.reference == reference)
            wanted = select(ranked).where(ranked.c.call_key == call.scalar_subquery())
            return next(iter(self._read(connection, connection.execute(wanted).all())), None)

    def _ranked(self, now: datetime) -> Select[Any]:
        """Select the queue, in next-best order."""
        column, kept, late = incidents.c, self._kept(now), self._late(now)
        same = case(
            (column.number_id.is_(None), 1),
            else_=func.count().over(partition_by=column.number_id),
        ).label("same")
        return (
            select(column.call_key, kept.label("kept"), late.label("late"), same)
            .where(*in_review())
            .order_by(
                kept,
                late.desc(),
                urgency_of(),
                same.desc(),
                column.started_at,
                column.call_key,
            )
        )

    def _read(self, connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Queued, ...]:
        by_call = {row.call_key: row for row in rows}
        decided = _latest(connection, list(by_call))
        calls = self._store.find_calls(connection, list(by_call))
        return tuple(self._queued(one, by_call[one.call_key], decided) for one in calls)

    def decide(
        self, reference: str, decision: str, said: str = "", *, seen: str, by: Actor, now: datetime
    ) -> Done:
        """Decide on a call in the queue. ``seen``: as ``Queued`` had it when it was shown.

        Raises ``Conflict``, which says who decided, when somebody was first or the call has left
        the queue; ``Unfit`` and ``NoSuchIncident``.
        """
        words = text_of("said", said, "it", LONGEST_SAID) if said.strip() else ""

        def act(work: Work) -> None:
            chosen = self.policy.get(decision)
            if chosen is None:
                raise Unfit("decision", "Choose what is to become of the call.")
            last = _latest(work.connection, [work.incident.call_key]).get(work.incident.call_key)
            if work.incident.state != "review" or seen != (last.id if last else ""):
                raise Conflict(self._left(work, last, seen))
            self._record(work, chosen, words)
            if chosen.does == "close":
                close(work, chosen.outcome)
            elif chosen.does == "raise":
                put_back(work, self.policy.raise_to, "raised in review")

        return self._do(reference, by, now, None, None, act)

    def last(self, reference: str) -> Decided | None:
        """Return the latest decision on a call, or None. Raises ``NoSuchIncident``."""
        with reading(self._store.engine) as connection:
            call = self._store.find(connection, reference).call_key
            row = _latest(connection, [call]).get(call)
        return None if row is None else decided_of(row, self._keys)

    def _record(self, work: Work, chosen: Decision, said: str) -> None:
        row = uuid7(work.at)
        sampled = chosen.does == "close" and self._sampled(work.incident.call_key)
        sealed = self._keys.seal(json.dumps({"said": said}).encode(), f"reviews|{row}|data")
        work.connection.execute(
            reviews.insert().values(
                id=row,
                call_key=work.incident.call_key,
                by=work.by.name,
                decision=chosen.id,
                at=work.at,
                sampled=sampled,
                data=sealed,
            )
        )
        more = {"until": as_text(work.at + chosen.back_after)} if chosen.does == "later" else {}
        work.write("reviewed", decision=chosen.name, text=said, **more)
        work.log("decided on a call in review")

    def _sampled(self, call_key: str) -> bool:
        """Say whether a call is among those looked at twice: nobody can guess which, and the
        answer for one call never changes.
        """
        hashed = int(self._keys.look_up(f"second look|{call_key}")[:12], 16)
        return hashed % _OF_TEN_THOUSAND < self.policy.second_look_percent * 100

    def _left(self, work: Work, last: Row[Any] | None, seen: str) -> str:
        """Say in a sentence why a call cannot be decided on any more."""
        one = work.incident
        if last is not None and last.id != seen:
            name = self.policy.name(last.decision)
            return f"{last.by} decided on this call {since(last.at, work.at)}: {name}."
        if one.state == "claimed":
            return held_by(one, work.at)
        if one.state == "closed":
            return f"This call was closed {since(one.closed_at, work.at)}."
        if one.state == "waiting":
            return "This call was raised meanwhile: it waits for a handler."
        return "This call has changed since it was shown: look again."

    def _kept(self, now: datetime) -> ColumnElement[bool]:
        """The call is kept for later, and that time has not come, as SQL."""
        still = [
            and_(reviews.c.decision == one.id, reviews.c.at > now - one.back_after)
            for one in self.policy.later
        ]
        return exists().where(reviews.c.call_key == incidents.c.call_key, or_(false(), *still))

    def _late(self, now: datetime) -> ColumnElement[bool]:
        """The time by which the call is looked at has passed, as SQL."""
        later = [one.id for one in self.policy.later]
        was_kept = exists().where(
            reviews.c.call_key == incidents.c.call_key, reviews.c.decision.in_(later)
        )
        waited = incidents.c.started_at <= now - self.policy.look_within
        return and_(~self._kept(now), or_(waited, was_kept))

    def _queued(self, incident: Incident, row: Row[Any], decided: Mapping[str, Row[Any]]) -> Queued:
        due = incident.started_at + self.policy.look_within
        last = decided.get(incident.call_key)
        chosen = self.policy.get(last.decision) if last is not None else None
        if last is not None and chosen is not None and chosen.does == "later":
            due = last.at + chosen.back_after
        kept_by = last.by if row.kept and last is not None else ""
        seen = last.id if last is not None else ""
        return Queued(incident, due, bool(row.late), kept_by, int(row.same), seen)


def in_review() -> tuple[ColumnElement[bool], ...]:
    """Return what makes a call one of the queue, as SQL; by index, however many there were."""
    column = incidents.c
    return (
        column.handler.is_(None),
        column.closed_at.is_(None),
        column.line_state == "review",
        or_(
            column.set_urgency.is_(None),
            and_(column.set_urgency > SOON, column.set_urgency >= column.urgency),
        ),
        column.purpose != "proof",
    )


def close(work: Work, outcome: str) -> None:
    """Close a call that nobody claimed: its line is over, and a person has looked at it."""
    work.change(closed_at=work.at, outcome=outcome, away_at=None, rung=None)
    work.write("closed", outcome=outcome, reason="")


def put_back(work: Work, urgency: int, reason: str) -> None:
    """Have a call wait for a handler, at ``urgency`` or above; open it if it was closed."""
    rank = min(urgency, work.incident.urgency)
    work.change(closed_at=None, outcome=None, set_urgency=rank, set_urgency_at=work.at)
    work.write("urgency_set", urgency=rank, reason=reason)


def decided_of(row: Row[Any], keys: Keys) -> Decided:
    """Read a row of ``reviews``."""
    data = json.loads(keys.open(row.data, f"reviews|{row.id}|data")) if row.data else {}
    return Decided(row.id, row.call_key, row.by, row.decision, row.at, str(data.get("said", "")))


def _latest(connection: Connection, call_keys: list[str]) -> dict[str, Row[Any]]:
    """Return the latest decision on each of these calls."""
    query = select(reviews).where(reviews.c.call_key.in_(call_keys))
    return {row.call_key: row for row in connection.execute(query.order_by(reviews.c.id))}
