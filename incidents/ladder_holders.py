"""Holders on the ladder's side: who went away, who came back, who took a call by phone.

A claim is never dropped by itself: a holder whose screen is silent is shown as away, and the
alert rises again. A supervisor who pressed 1 has the call if nobody was faster. It rings nobody.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select, update

from incidents.audit import Audit
from incidents.claiming import take
from incidents.fold import Incident
from incidents.ladder_moves import Supervisor, Turn
from incidents.ladder_open import Known
from incidents.ladder_policy import Ladder
from incidents.placing import SENT, WAITING, Placed, order_in, place_of
from incidents.presence import Duty
from incidents.sealed import Keys
from incidents.store import Store, select_events
from incidents.tables import events, orders, users
from incidents.transactions import StoreUnavailable, reading
from incidents.working import Actor, Rules, Work, Working

log = logging.getLogger(__name__)

ANSWERED: Final = "answered"
"""State of a page whose person pressed 1, whoever then had the call."""
LADDER: Final = Actor("ladder", "")
_CHUNK: Final = 500


class Holders(Working):
    """Looks after claims, each change in one transaction. Raises ``StoreUnavailable``."""

    def __init__(
        self, store: Store, keys: Keys, audit: Audit, rules: Rules, ladder: Ladder
    ) -> None:
        super().__init__(store, keys, audit, rules)
        self._ladder = ladder

    def supervisors(self, on_duty: Sequence[str]) -> list[Supervisor]:
        """Return everybody who may be rung."""
        roles = self._rules.roles.with_right("supervise")
        query = select(users.c.id, users.c.name, users.c.role, users.c.phone).where(
            users.c.role.in_(roles), users.c.phone.is_not(None), users.c.disabled_at.is_(None)
        )
        with reading(self._store.engine) as connection:
            rows = connection.execute(query).all()
        return [
            Supervisor(row.id, row.name, row.role, row.phone, row.name in on_duty) for row in rows
        ]

    def look(self, calls: Mapping[str, Known], duty: Duty, turn: Turn) -> list[Placed]:
        """Look after every claim. Returns the orders that are to be carried out."""
        placed: list[Placed] = []
        for order, incident in self._answered([known.incident for known in calls.values()]):
            placed += _alone(self._taken_by_phone, order, incident, turn.now)
        for known in calls.values():
            one = known.incident
            if one.state == "claimed" and one.handler is not None:
                _alone(self._mind, one, one.handler, duty, turn)
        return placed

    # -- the holder's screen -----------------------------------------------------

    def _mind(self, one: Incident, handler: str, duty: Duty, turn: Turn) -> None:
        silent = duty.silent(handler)
        if one.away_at is not None:
            if not silent:
                self._mark(one, handler, None, turn.now)
            return
        if not silent or not duty.settled or one.claimed_at is None:
            return
        held_ms = turn.since.ms("claimed", one.call_key, one.claimed_at, turn.now)
        if held_ms < self._ladder.away * 1000:
            return
        # Whoever took it by phone is on the way to a screen.
        if held_ms < self._ladder.phone_away * 1000 and self._by_phone(one.call_key, handler):
            return
        self._mark(one, handler, turn.now, turn.now)

    def _mark(self, one: Incident, handler: str, away_at: datetime | None, now: datetime) -> None:
        def act(work: Work) -> None:
            is_away = work.incident.away_at is not None
            same = work.incident.state == "claimed" and work.incident.handler == handler
            if not same or is_away == (away_at is not None):
                return  # it was released, taken over or closed meanwhile
            work.change(away_at=away_at)
            work.write("holder_away" if away_at else "holder_back", name=handler)

        self._do(one.reference, LADDER, now, None, None, act)

    def _by_phone(self, call: str, handler: str) -> bool:
        query = select(orders).where(
            orders.c.call_key == call, orders.c.what == "page", orders.c.state == ANSWERED
        )
        with reading(self._store.engine) as connection:
            rows = connection.execute(query).all()
        return any(self._name_in(row) == handler for row in rows)

    def _name_in(self, page: Row[Any]) -> str:
        """Return whom a page rang; empty when it cannot be read."""
        return self._store.unread.attempt(
            page.data, place_of(page), lambda: order_in(page, self._keys).name, ""
        )

    # -- the supervisor's phone --------------------------------------------------

    def _answered(self, known: Sequence[Incident]) -> list[tuple[Row[Any], Incident]]:
        """Return pages whose person pressed 1 and that were not looked at yet."""
        # Whatever rung the call is on now: a 1 that lost the race is done with at once, and does
        # not take the same call when it is given back.
        by_call = {one.call_key: one for one in known}
        calls = sorted(by_call)
        found = []
        for start in range(0, len(calls), _CHUNK):
            found += self._pressed(calls[start : start + _CHUNK])
        return [(page, by_call[page.call_key]) for page in found]

    def _pressed(self, calls: Sequence[str]) -> list[Row[Any]]:
        with reading(self._store.engine) as connection:
            pages = connection.execute(
                select(orders).where(
                    orders.c.call_key.in_(calls),
                    orders.c.what == "page",
                    orders.c.by == LADDER.name,
                    orders.c.state.in_((WAITING, SENT)),
                )
            ).all()
            if not pages:
                return []
            asked = sorted({page.call_key for page in pages})
            told = connection.execute(
                select_events(asked).where(events.c.kind == "page_answered")
            ).all()
        pressed = {str(event.data.get("order")) for event in self._store.opened(told)}
        return [page for page in pages if page.id in pressed]

    def _taken_by_phone(self, page: Row[Any], one: Incident, now: datetime) -> Sequence[Placed]:
        name = self._name_in(page)

        def act(work: Work) -> None:
            marked = work.connection.execute(
                update(orders)
                .where(orders.c.id == page.id, orders.c.state != ANSWERED)
                .values(state=ANSWERED, done_at=work.at)
            )
            one = work.incident
            free = one.state == "waiting" or (one.state == "claimed" and one.away_at is not None)
            if not marked.rowcount or not free or work.joined_to():
                return  # somebody was faster; the screen shows their name
            if one.handler == name and one.state == "claimed":
                return
            was = one.handler if one.state == "claimed" else None
            if was:
                why = {"from": was, "reason": "holder away"}
                take(work, "taken_over", hold=True, via="phone", **why)
            else:
                take(work, "claimed", via="phone")
            work.log("took the call by phone")

        role = self._role(name)
        if role is None:
            return ()
        return self._do(one.reference, Actor(name, role), now, None, None, act).orders

    def _role(self, name: str) -> str | None:
        query = select(users.c.role).where(users.c.name == name, users.c.disabled_at.is_(None))
        with reading(self._store.engine) as connection:
            return connection.scalar(query)


def _alone(look: Callable[..., Sequence[Placed] | None], *given: Any) -> Sequence[Placed]:
    """Look after one claim. Whatever is wrong with it must not keep the ladder from climbing."""
    try:
        return look(*given) or ()
    except StoreUnavailable:
        raise
    except Exception:
        log.critical("a claim could not be looked after", exc_info=True)
        return ()
