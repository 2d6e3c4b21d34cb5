"""What the ladder does next for one alert: decided from what is known, and nothing done.

Every move is decided twice, once to see whether there is anything to do and once more
inside the transaction that does it. Time is the steady clock's: no clock that is set
hastens a rung or holds one up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row

from callflow.contact import LONGEST_TOTAL
from incidents.fold import Incident
from incidents.ladder_policy import ON_SCREENS, Ladder, Rung
from incidents.ladder_since import Since
from incidents.orders import MUTED
from incidents.placing import FAILED, order_in
from incidents.sealed import Keys
from incidents.steady import Steady
from incidents.work import regrade_by
from incidents.working import REACHES_PHONE_SECONDS

WAITING: Final = "waiting"
"""Why an alert climbs: nobody has it. The others: its holder is ``away``, or has not graded it
again after the line dropped (``regrade``)."""


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Somebody who may be rung. ``phone`` is sealed."""

    id: str
    name: str
    role: str
    phone: bytes
    on_duty: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """One look at everything. ``nobody``: for sure there is nobody on duty."""

    now: datetime
    steady: Steady
    since: Since
    nobody: bool = False
    supervisors: Sequence[Supervisor] = ()


@dataclass(frozen=True, slots=True)
class Climb:
    """Where an alert stands. ``rung``: how many have been fired in this round."""

    name: str
    why: str
    round: int
    rung: int
    began_ms: int


@dataclass(frozen=True, slots=True)
class Begin:
    """It is an alert from now on."""


@dataclass(frozen=True, slots=True)
class End:
    """It is no alert any more."""


@dataclass(frozen=True, slots=True)
class Rest:
    """The caller is with somebody: the climb rests until that has ended."""


@dataclass(frozen=True, slots=True)
class Again:
    """The ladder begins anew."""


@dataclass(frozen=True, slots=True)
class Fire:
    """A rung is due: ``at`` is its place, from 0."""

    at: int


@dataclass(frozen=True, slots=True)
class Page:
    """The next supervisor is rung, as the ``attempt``-th, from 0, of the rung at ``at``."""

    at: int
    attempt: int
    whom: Supervisor


@dataclass(frozen=True, slots=True)
class Hasten:
    """Nobody can be rung: the next rung is due at once."""

    after: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do for ``seconds``."""

    seconds: float


Move = Begin | End | Rest | Again | Fire | Page | Hasten | Wait


def why(incident: Incident, ladder: Ladder, turn: Turn) -> str:
    """Say why an incident must climb; empty when it need not."""
    if incident.purpose == "proof":
        return ""
    if incident.state == "waiting":
        return WAITING if incident.urgency <= ladder.from_urgency else ""
    if incident.state != "claimed":
        return ""
    if incident.away_at is not None:
        return "away"
    if regrade_by(incident) is not None and incident.ended_at is not None:
        passed = turn.since.ms("ended", incident.call_key, incident.ended_at, turn.now)
        return "regrade" if passed >= ladder.regrade * 1000 else ""
    return ""


def joined(incident: Incident, orders: Sequence[Row[Any]], now: datetime) -> bool:
    """Say whether the caller is with somebody who can speak to them, or on the way there."""
    if incident.connection != "open":
        return False
    with_somebody = incident.bridged not in ("", MUTED)
    played = [order for order in orders if order.what != "page"]
    last = max(played, key=lambda order: int(order.step), default=None)
    if last is None or last.state == FAILED or last.problem is not None:
        return with_somebody
    on_its_way = abs((now - last.at).total_seconds()) <= REACHES_PHONE_SECONDS
    if on_its_way and last.step > incident.last_step:
        return bool(last.what == "connect")
    return with_somebody


class Moves:
    """Decides moves by one ladder."""

    def __init__(self, ladder: Ladder, keys: Keys, *, control_room: bool) -> None:
        self.ladder = ladder
        self._keys = keys
        self._control_room = control_room

    def rung_id(self, climb: Climb, at: int, attempt: int = 0) -> str:
        """Name a rung of a climb: fired twice, it has the same name."""
        return self._keys.look_up(f"rung|{climb.name}|{climb.round}|{at}|{attempt}")

    def rungs(self, incident: Incident) -> list[tuple[int, Rung]]:
        """Return the rungs this incident can climb, with their places.

        Training pages nobody (rule 7). A dropped line has nobody to join, and a call whose line is
        over and that was graded since only wants closing: it wakes no one.
        """
        on_screens = incident.purpose != "live" or _only_open_on_paper(incident)
        bridge = self._control_room and incident.connection == "open"
        return [
            (at, rung)
            for at, rung in enumerate(self.ladder.rungs)
            if rung.does in ON_SCREENS
            or (not on_screens and (rung.does == "phone" or (rung.does == "bridge" and bridge)))
        ]

    def next(
        self,
        incident: Incident,
        climb: Climb | None,
        orders: Sequence[Row[Any]],
        turn: Turn,
        *,
        rested: bool,
    ) -> Move | None:
        """Decide what is done next. ``rested``: the climb rested at the look before; None: nothing
        to do, now or later."""
        reason = why(incident, self.ladder, turn)
        if not reason:
            return None if climb is None else End()
        if climb is None or (climb.why == WAITING) != (reason == WAITING):
            return Begin()
        if joined(incident, orders, turn.now):
            return Rest()
        by_name = {order.once: order for order in orders}
        if rested or self._bridge_ended(climb, by_name):
            return Again()
        return self._up(incident, climb, by_name, turn)

    def _bridge_ended(self, climb: Climb, orders: Mapping[str, Row[Any]]) -> bool:
        at = climb.rung - 1
        if at < 0 or self.ladder.rungs[at].does != "bridge":
            return False
        # It was ordered in this round, and the caller is with nobody now: it has ended, never
        # came about, or failed. The climb goes on.
        return self.rung_id(climb, at) in orders

    def _up(
        self, incident: Incident, climb: Climb, orders: Mapping[str, Row[Any]], turn: Turn
    ) -> Move:
        passed = (turn.steady.ms - climb.began_ms) / 1000
        rungs = self.rungs(incident)
        upcoming = next(((at, rung) for at, rung in rungs if at >= climb.rung), None)
        at_now = climb.rung - 1
        if at_now >= 0 and (at_now, self.ladder.rungs[at_now]) in rungs:
            paging = self._paging(climb, at_now, orders, turn, passed)
            if isinstance(paging, Page):
                return paging
            if isinstance(paging, Hasten) and upcoming and passed < upcoming[1].after:
                return Hasten(upcoming[1].after)
        if upcoming is None:
            over = rungs[-1][1].after + self.ladder.again
            return Again() if passed >= over else Wait(over - passed)
        at, rung = upcoming
        due = rung.after
        if turn.nobody and climb.round == 1 and incident.purpose == "live":
            due = 0.0
        if rung.does == "bridge":
            later = max(self._may_press_again(incident, turn), _is_asked(incident, turn))
            due = max(due, passed + later)
        return Fire(at) if passed >= due else Wait(due - passed)

    def _may_press_again(self, incident: Incident, turn: Turn) -> float:
        """Seconds for which a caller who pressed one key may still press another."""
        if incident.signal != "someone_there" or incident.alerted_at is None:
            return 0.0
        passed = turn.since.ms("key", incident.call_key, incident.alerted_at, turn.now)
        return max(0.0, self.ladder.press_again - passed / 1000)

    def _paging(
        self,
        climb: Climb,
        at: int,
        orders: Mapping[str, Row[Any]],
        turn: Turn,
        passed: float,
    ) -> Move | None:
        """Decide whether somebody more is rung; None: somebody's phone is ringing."""
        rung = self.ladder.rungs[at]
        if rung.does != "phone":
            return None
        tried: list[Row[Any]] = []
        while (order := orders.get(self.rung_id(climb, at, len(tried)))) is not None:
            tried.append(order)
        all_failed = all(order.state == FAILED for order in tried)
        due = rung.after + self.ladder.ring * len(tried)
        if tried and tried[-1].state != FAILED and passed < due:
            return None
        rung_before = [
            order_in(order, self._keys).name for order in orders.values() if order.what == "page"
        ]
        in_this_round = {order_in(order, self._keys).name for order in tried}
        left = [one for one in turn.supervisors if one.name not in in_this_round]
        if not left:
            return Hasten(0.0) if tried and all_failed else None
        # Whoever is at work first; and not the same person round after round.
        whom = min(left, key=lambda one: (rung_before.count(one.name), not one.on_duty, one.name))
        return Page(at, len(tried), whom)


def _is_asked(incident: Incident, turn: Turn) -> float:
    """Seconds for which a caller of the contact line may still be asked for a code.

    Their point of contact is rung next: the caller must not be taken to somebody else before. Only
    the arrival is known then; whatever follows it ends this, and so does the line's total time.
    """
    if incident.line != "contact" or incident.last_step or incident.connection != "open":
        return 0.0
    passed = turn.since.ms("asked", incident.call_key, incident.started_at, turn.now)
    return max(0.0, LONGEST_TOTAL - passed / 1000)


def _only_open_on_paper(incident: Incident) -> bool:
    if incident.state != "claimed" or incident.connection == "open" or incident.ended_at is None:
        return False
    return incident.graded_at is not None and incident.graded_at > incident.ended_at
