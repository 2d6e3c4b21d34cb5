"""The ladder's steps: each is one transaction, whole or not at all.

The rung, the alert, the entry on the timeline and the order are written together, on an incident
read again inside: a claim and a bridge can never both win. A rung has a name made from its climb,
so that one fired twice is one. It sends nothing: that is done after the transaction stands.
"""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final, assert_never

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from incidents.audit import Audit
from incidents.fold import Incident
from incidents.history import CONTROL_ROOM
from incidents.identity import uuid7
from incidents.ladder_holders import LADDER
from incidents.ladder_moves import (
    Again,
    Begin,
    Climb,
    End,
    Fire,
    Hasten,
    Moves,
    Page,
    Rest,
    Turn,
    Wait,
    why,
)
from incidents.ladder_policy import Ladder
from incidents.orders import Order
from incidents.placing import Placed, place
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import alerts, incidents, orders, rungs
from incidents.transactions import next_revision, writing
from incidents.working import Rules, Work

TOLD_ROUNDS: Final = 2
"""Rounds whose every rung stands on the timeline; of later ones only who was rung or joined."""
NO_PHONE: Final = "no supervisor has a phone on which they may be rung"
MOST_MOVES: Final = 20
BUDGET: Final = 0.03
"""Seconds after which a transaction takes no further call: whoever claims waits for it to end."""
_CHUNK: Final = 500


@dataclass(slots=True)
class Taken:
    """What one transaction led to: orders to carry out, how many calls were looked at and steps
    taken, and the calls whose climb rests."""

    placed: list[Placed] = field(default_factory=list)
    calls: int = 0
    steps: int = 0
    rested: set[str] = field(default_factory=set)


class Steps:
    """Takes steps in one store."""

    def __init__(
        self, store: Store, keys: Keys, audit: Audit, rules: Rules, ladder: Ladder
    ) -> None:
        self._store = store
        self._keys = keys
        self._audit = audit
        self._rules = rules
        self._ladder = ladder
        self._bases: dict[tuple[str, int], int] = {}
        self.moves = Moves(ladder, keys, control_room=rules.control_room is not None)

    def climb_of(self, row: Row[Any], incident: Incident, turn: Turn) -> Climb:
        """Return where an alert stands, as its row says."""
        # The file may have had more rungs when it was fired.
        fired = min(row.rung, len(self._ladder.rungs))
        return Climb(row.climb, row.why, row.round, fired, self._base(row, fired, incident, turn))

    def take(self, calls: Sequence[str], turn: Turn, rested: set[str]) -> Taken:
        """Take every step that is due of as many of these calls as one transaction has time for.

        ``rested``: those whose climb rested until now. Raises ``StoreUnavailable``.
        """
        taken = Taken()
        with writing(self._store.engine) as connection:
            until = time.monotonic() + BUDGET
            for call in calls:
                if taken.calls and time.monotonic() >= until:
                    break
                taken.calls += 1
                incident = self._store.find_call(connection, call)
                if incident is None:
                    connection.execute(delete(alerts).where(alerts.c.call_key == call))
                    continue
                work = Work(
                    connection, incident, LADDER, turn.now, self._keys, self._audit, self._rules
                )
                self._take(work, turn, taken, rested=call in rested)
                if work.changes or work.entry:
                    connection.execute(
                        update(incidents)
                        .where(incidents.c.call_key == call)
                        .values(**work.changes, revision=next_revision(connection))
                    )
                taken.placed += work.placed
        return taken

    def _take(self, work: Work, turn: Turn, taken: Taken, *, rested: bool) -> None:
        call = work.incident.call_key
        row = work.connection.execute(select(alerts).where(alerts.c.call_key == call)).first()
        before = climb = None if row is None else self.climb_of(row, work.incident, turn)
        ordered, placed = orders_of(work.connection, [call])[call], 0
        for _ in range(MOST_MOVES):
            if len(work.placed) != placed:
                ordered, placed = orders_of(work.connection, [call])[call], len(work.placed)
            move = self.moves.next(work.incident, climb, ordered, turn, rested=rested)
            if move is None or isinstance(move, Wait):
                break
            if isinstance(move, Rest):
                taken.rested.add(call)
                break
            taken.steps += 1
            rested = False
            if isinstance(move, End):
                work.connection.execute(delete(alerts).where(alerts.c.call_key == call))
                if work.incident.rung is not None:
                    work.change(rung=None)
                return
            climb = self._make(work, climb, move, turn)
        if climb is not None and climb != before:
            self._keep(work, climb, turn)

    def _make(
        self,
        work: Work,
        climb: Climb | None,
        move: Begin | Again | Hasten | Fire | Page,
        turn: Turn,
    ) -> Climb:
        if isinstance(move, Begin):
            return self._begin(work, turn)
        assert climb is not None  # nothing but a beginning is decided of no climb
        match move:
            case Again():
                return replace(climb, round=climb.round + 1, rung=0, began_ms=turn.steady.ms)
            case Hasten(after):
                return replace(climb, began_ms=turn.steady.ms - int(after * 1000))
            case Fire(at):
                return self._fire(work, climb, at, turn)
            case Page():
                self._page(work, climb, move)
                return climb
            case _:
                assert_never(move)

    def _begin(self, work: Work, turn: Turn) -> Climb:
        """Begin a climb, counting for how long the alert has waited already."""
        incident = work.incident
        reason = why(incident, self._ladder, turn)
        at = incident.alerted_at or incident.started_at
        if reason == "away" and incident.away_at is not None:
            at = incident.away_at
        waited = 0 if reason == "regrade" else turn.since.passed(at, turn.now)
        return Climb(uuid7(turn.now), reason, 1, 0, turn.steady.ms - waited)

    def _fire(self, work: Work, climb: Climb, at: int, turn: Turn) -> Climb:
        rung = self._ladder.rungs[at]
        name = self.moves.rung_id(climb, at)
        fired = work.connection.execute(
            self._insert(rungs)
            .values(
                id=name,
                call_key=work.incident.call_key,
                climb=climb.name,
                round=climb.round,
                rung=at + 1,
                name=rung.name,
                at=work.at,
            )
            .on_conflict_do_nothing()
        )
        reached = max(work.changes.get("rung", work.incident.rung) or 0, at + 1)
        if reached != work.incident.rung:
            work.change(rung=reached)
        # One that was fired before is recognised by its name, and nothing is done twice.
        if fired.rowcount:
            reaches = rung.does == "bridge" or (rung.does == "phone" and turn.supervisors)
            if climb.round <= TOLD_ROUNDS or reaches:
                work.write("escalated", to=rung.to, rung=rung.name, round=climb.round)
            if rung.does == "phone" and not turn.supervisors and climb.round <= TOLD_ROUNDS:
                work.write("page_failed", rung=rung.name, problem=NO_PHONE)
            if rung.does == "bridge":
                to = self._rules.control_room or ""
                self._place(work, work.new_order("connect", to=to, label=CONTROL_ROOM), name)
        return replace(climb, rung=at + 1)

    def _page(self, work: Work, climb: Climb, page: Page) -> None:
        whom = page.whom
        # One that cannot be read fails, and the next supervisor is rung.
        place_of = f"users|{whom.id}|phone"
        number = self._store.unread.read(whom.phone, place_of, bytes.decode, "")
        order = work.new_order("page", to=number, call_key=work.incident.call_key, name=whom.name)
        self._place(work, order, self.moves.rung_id(climb, page.at, page.attempt))
        rung = self._ladder.rungs[page.at].name
        work.write("paged", name=whom.name, rung=rung, round=climb.round, order=order.id)

    def _place(self, work: Work, order: Order, once: str) -> None:
        placed = place(
            work.connection,
            self._keys,
            work.incident,
            order,
            by=LADDER.name,
            at=work.at,
            profile=work.profile,
            once=once,
        )
        if placed is not None:
            work.placed.append(placed)

    def _keep(self, work: Work, climb: Climb, turn: Turn) -> None:
        passed = (turn.steady.ms - climb.began_ms) / 1000
        left = self._next_after(climb.rung, work.incident) - passed
        row = {
            "rung": climb.rung,
            "round": climb.round,
            "due_at": turn.now + timedelta(seconds=left),
            "climb": climb.name,
            "why": climb.why,
            "boot": turn.steady.boot,
            "began_ms": climb.began_ms,
        }
        work.connection.execute(
            self._insert(alerts)
            .values(call_key=work.incident.call_key, **row)
            .on_conflict_do_update(index_elements=[alerts.c.call_key], set_=row)
        )

    def _insert(self, table: Any) -> Any:
        sqlite = self._store.engine.dialect.name == "sqlite"
        return sqlite_insert(table) if sqlite else postgresql_insert(table)

    def _base(self, row: Row[Any], fired: int, incident: Incident, turn: Turn) -> int:
        """Return when the round began, by the steady clock of this machine."""
        steady = turn.steady
        if row.boot == steady.boot:
            return min(int(row.began_ms), steady.ms)
        # Begun by a machine that was started anew, or by another one: its steady clock says
        # nothing here. The wall clock does, once, and no further than to the next rung.
        key = row.climb, row.round
        if key not in self._bases:
            if len(self._bases) > 10_000:
                self._bases.clear()
            after = self._next_after(fired, incident)
            before = self._ladder.rungs[fired - 1].after if fired else 0.0
            left = max(0.0, min((row.due_at - turn.now).total_seconds(), after - before))
            self._bases[key] = steady.ms - int((after - left) * 1000)
        return self._bases[key]

    def _next_after(self, fired: int, incident: Incident) -> float:
        able = self.moves.rungs(incident)
        following = next((rung.after for at, rung in able if at >= fired), None)
        return able[-1][1].after + self._ladder.again if following is None else following


def orders_of(connection: Connection, calls: Sequence[str]) -> Mapping[str, list[Row[Any]]]:
    """Return the orders of each call."""
    found: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for start in range(0, len(calls), _CHUNK):
        some = calls[start : start + _CHUNK]
        for row in connection.execute(select(orders).where(orders.c.call_key.in_(some))):
            found[row.call_key].append(row)
    return found
