"""The ladder: an alert that nobody has climbs until a human has it (rule 8).

It looks at everything that is not over, finds what is due, and has the steps taken
(``ladder_steps``) and their orders carried out. It pages nobody for training, and no clock that
is set hastens a rung or holds one up.
"""

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, select

from incidents.audit import Audit
from incidents.carrier import Carrier
from incidents.fold import Incident
from incidents.ladder_holders import Holders
from incidents.ladder_moves import Rest, Turn, Wait, why
from incidents.ladder_open import Unfinished
from incidents.ladder_policy import Ladder
from incidents.ladder_since import Since
from incidents.ladder_standing import Standing
from incidents.ladder_steps import Steps, Taken, orders_of
from incidents.presence import Duty, Presence
from incidents.sealed import Keys
from incidents.steady import Steady
from incidents.store import Store
from incidents.tables import alerts
from incidents.transactions import StoreUnavailable, reading
from incidents.working import Rules

log = logging.getLogger(__name__)

TOGETHER: Final = 50
"""Alerts that take their steps in one transaction at most: each is whole in itself, and a flush of
the disk for each would keep the drain waiting."""
PACE: Final = 0.01
"""Seconds between two transactions of one look: a handler's claim must get its turn in between."""
_LAST: Final = 9


class Climber:
    """Climbs the ladder for every alert of one store. Raises ``StoreUnavailable``."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        audit: Audit,
        rules: Rules,
        ladder: Ladder,
        carrier: Carrier,
    ) -> None:
        away = timedelta(seconds=ladder.away)
        self._store = store
        self._keys = keys
        self._roles = rules.roles
        self._carrier = carrier
        self._since = Since()
        self._presence = Presence(store.engine, away)
        self._holders = Holders(store, keys, audit, rules, ladder)
        self._steps = Steps(store, keys, audit, rules, ladder)
        self._rested: set[str] = set()
        self._ladder = ladder
        self.unfinished = Unfinished(store)
        self.duty = Duty(away)
        self.standing = Standing()

    @property
    def nobody(self) -> bool:
        """Whether, for sure, nobody is on duty."""
        return self.duty.settled and not self.duty.on_duty(self._roles.with_right("work"))

    def climb(self, now: datetime, steady: Steady, behind: float = 0.0) -> int:
        """Look at every alert and take the steps that are due. Returns how many steps were taken.

        ``behind``: seconds for which the drain could not copy: what is seen now may have waited.
        """
        try:
            return self._climb(now, steady, behind)
        except StoreUnavailable:
            # Consoles cannot write down who is at work either.
            self.duty.doubt()
            raise

    def _climb(self, now: datetime, steady: Steady, behind: float) -> int:
        self.unfinished.look(steady.ms)
        if behind:
            self.duty.doubt()
        self.duty.look(self._presence.everybody(), now, steady.ms)
        self._since.look(steady.ms, int(behind * 1000))
        for known in self.unfinished.calls.values():
            self._since.note(known.incident, now)
        supervisors = self.duty.on_duty(self._roles.with_right("supervise"))
        turn = Turn(
            now,
            steady,
            self._since,
            nobody=self.nobody,
            supervisors=self._holders.supervisors(supervisors),
        )
        self._carrier.carry_later(self._holders.look(self.unfinished.calls, self.duty, turn))
        due = self._due(turn)
        steps = 0
        while due:
            taken = self._together(due[:TOGETHER], turn)
            steps += taken.steps
            due = due[taken.calls :]
            if due:
                time.sleep(PACE)
        self._since.forget(self.unfinished.calls)
        self._rested &= self.unfinished.calls.keys()
        return steps

    def _due(self, turn: Turn) -> list[str]:
        """Return the calls with something to do now, the most urgent first. Only reads."""
        with reading(self._store.engine) as connection:
            rows = {row.call_key: row for row in connection.execute(select(alerts))}
            ordered = orders_of(connection, list(rows))
        self.standing.begin()
        wanted: list[tuple[int, datetime, str]] = []
        if self.unfinished.complete:
            over = rows.keys() - self.unfinished.calls.keys()
            wanted += [(_LAST, turn.now, call) for call in over]
        for call, known in self.unfinished.calls.items():
            try:
                due = self._is_due(known.incident, rows.get(call), ordered[call], turn)
            except Exception as error:
                self._tell_broken(call, error)
                continue
            if due:
                wanted.append((known.incident.urgency, known.incident.started_at, call))
        return [call for _, _, call in sorted(wanted)]

    def _is_due(
        self, incident: Incident, row: Row[Any] | None, ordered: Sequence[Row[Any]], turn: Turn
    ) -> bool:
        if row is None and not why(incident, self._ladder, turn):
            return False
        climb = None if row is None else self._steps.climb_of(row, incident, turn)
        call = incident.call_key
        move = self._steps.moves.next(incident, climb, ordered, turn, rested=call in self._rested)
        if climb is not None:
            self.standing.note(incident, climb, move, self._ladder, turn)
        if isinstance(move, Rest):
            self._rested.add(call)
            return False
        return move is not None and not isinstance(move, Wait)

    def _tell_broken(self, call: str, error: Exception) -> None:
        """Tell of an alert that cannot climb. It must not keep the others down."""
        log.critical("an alert cannot climb (%s)", type(error).__name__, exc_info=error)
        self.standing.broken(self._keys.reference(call))

    def _together(self, calls: Sequence[str], turn: Turn) -> Taken:
        try:
            taken = self._steps.take(calls, turn, self._rested)
        except StoreUnavailable:
            raise
        except Exception as error:
            # Broad on purpose: one alert that cannot climb must not keep the others down.
            if len(calls) > 1:
                return self._together(calls[:1], turn)
            self._tell_broken(calls[0], error)
            return Taken(calls=1)
        self._rested.difference_update(calls[: taken.calls])
        self._rested |= taken.rested
        self._carrier.carry_later(taken.placed)
        return taken
