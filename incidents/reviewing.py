"""The review queue: calls that ended without a sign of life, and what people decide on them.

Nothing ends unseen (rule 2), and each call has a time by which it is looked at (rule 8). A
decision is a person's: nothing here closes a call by itself, and nobody is called from here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    false,
    func,
    literal,
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
from incidents.unread import CANNOT, Unread
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
_LATE, _IN_TIME, _KEPT = 0, 1, 2
"""When calls have their turn."""


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
        ranked = self._ranked(now).limit(limit).offset(skip)
        with reading(self._store.engine) as connection:
            rows = connection.execute(ranked).all()
            if rows:
                count, late = rows[0].in_all, rows[0].overdue
            else:
                count, late = self._counted(connection, now)
            return Queue(self._read(connection, rows), int(count), int(late))

    def overdue(self, now: datetime) -> int:
        """Return how many calls have not been looked at in time. Raises ``StoreUnavailable``."""
        with reading(self._store.engine) as connection:
            return self._counted(connection, now)[1]

    def neglected(self, now: datetime) -> tuple[int, bool]:
        """Return how many calls are overdue, and whether one has been for too long.

        Raises ``StoreUnavailable``.
        """
        with reading(self._store.engine) as connection:
            late = self._counted(connection, now)[1]
            # Overdue already at that moment, and still here: overdue ever since.
            long = late and self._counted(connection, now - self.policy.alarm_after)[1]
        return late, bool(long)

    def queued(self, reference: str, now: datetime) -> Queued | None:
        """Return a call of the queue, or None when it is not in it. Raises ``StoreUnavailable``."""
        number = incidents.c.number_id
        of_call = incidents.c.reference == reference
        theirs = select(number).where(of_call).scalar_subquery()
        same = select(func.count()).select_from(incidents).where(*in_review(), number == theirs)
        calls = self._calls(literal(1), now).where(of_call).subquery()
        with reading(self._store.engine) as connection:
            rows = connection.execute(select(calls, self._turn(calls, now).label("turn"))).all()
            many = connection.scalar(same) or 1
            found = self._read(connection, rows)
        return replace(found[0], same=many) if found else None

    def _ranked(self, now: datetime) -> Select[Any]:
        """Select the queue in next-best order; each row has the count of all, and of those late."""
        number = incidents.c.number_id
        same = case((number.is_(None), 1), else_=func.count().over(partition_by=number))
        calls = self._calls(same, now).subquery()
        turn = self._turn(calls, now)
        return select(
            calls,
            turn.label("turn"),
            func.count().over().label("in_all"),
            func.sum(case((turn == _LATE, 1), else_=0)).over().label("overdue"),
        ).order_by(turn, calls.c.rank, calls.c.same.desc(), calls.c.started_at, calls.c.call_key)

    def _counted(self, connection: Connection, now: datetime) -> tuple[int, int]:
        """Return how many calls are in the queue, and how many of them late."""
        # The offset keeps both databases from asking anew wherever a column is named.
        calls = self._calls(literal(1), now).offset(0).subquery()
        late = func.sum(case((self._turn(calls, now) == _LATE, 1), else_=0))
        count, many = connection.execute(select(func.count(), late).select_from(calls)).one()
        return int(count), int(many or 0)

    def _calls(self, same: ColumnElement[int], now: datetime) -> Select[Any]:
        """Select the calls in review, unordered. ``later``: 2 while one is kept for later, 1 when
        that time has passed, else null: asked once for each call, for there may be thousands.
        """
        column, later = incidents.c, self.policy.later
        still = [
            and_(reviews.c.decision == one.id, reviews.c.at > now - one.back_after) for one in later
        ]
        kept = (
            select(func.max(case((or_(false(), *still), 2), else_=1)))
            .where(
                reviews.c.call_key == column.call_key,
                reviews.c.decision.in_([one.id for one in later]),
            )
            .scalar_subquery()
        )
        return select(
            column.call_key,
            column.started_at,
            urgency_of().label("rank"),
            same.label("same"),
            kept.label("later"),
        ).where(*in_review())

    def _turn(self, calls: Any, now: datetime) -> ColumnElement[int]:
        """When a call of ``_calls`` has its turn: those that are late first, those kept last."""
        waited = calls.c.started_at <= now - self.policy.look_within
        return case(
            (calls.c.later == 2, _KEPT), (or_(calls.c.later == 1, waited), _LATE), else_=_IN_TIME
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
        return None if row is None else decided_shown(row, self._store.unread)

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

    def _queued(self, incident: Incident, row: Row[Any], decided: Mapping[str, Row[Any]]) -> Queued:
        due = incident.started_at + self.policy.look_within
        last = decided.get(incident.call_key)
        chosen = self.policy.get(last.decision) if last is not None else None
        if last is not None and chosen is not None and chosen.does == "later":
            due = last.at + chosen.back_after
        kept_by = last.by if row.turn == _KEPT and last is not None else ""
        seen = last.id if last is not None else ""
        return Queued(incident, due, row.turn == _LATE, kept_by, int(row.same), seen)


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
    return _decided(row, _said(keys.open(row.data, _place(row))) if row.data else "")


def decided_shown(row: Row[Any], unread: Unread) -> Decided:
    """Read a row for a list or a page, which opens although what was said cannot be read."""
    return _decided(row, unread.read(row.data, _place(row), _said, CANNOT) if row.data else "")


def _decided(row: Row[Any], said: str) -> Decided:
    return Decided(row.id, row.call_key, row.by, row.decision, row.at, said)


def _said(plain: bytes) -> str:
    return str(json.loads(plain).get("said", ""))


def _place(row: Row[Any]) -> str:
    return f"reviews|{row.id}|data"


def _latest(connection: Connection, call_keys: list[str]) -> dict[str, Row[Any]]:
    """Return the latest decision on each of these calls."""
    query = select(reviews).where(reviews.c.call_key.in_(call_keys))
    return {row.call_key: row for row in connection.execute(query.order_by(reviews.c.id))}
