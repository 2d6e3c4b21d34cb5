"""Applies the rules that make follow-ups to every call that changed, each once, in turns.

How far it went stands in the store, in the transaction that made what was made before: an
engine killed anywhere begins again there, and what was made is found and not made again. A
call that cannot be followed up holds up no other. It reaches nobody.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from sqlalchemy import Connection, func, select

from incidents.carrier import utc_now
from incidents.fold import Incident, as_text
from incidents.follow_up_kinds import New
from incidents.follow_up_rules import Rule
from incidents.follow_ups import FollowUps
from incidents.known import persons_of
from incidents.persons import family
from incidents.roles import Roles
from incidents.sealed import Keys
from incidents.standing import standing
from incidents.store import Store
from incidents.tables import drained, follow_ups, incidents, people, reviews, users
from incidents.transactions import StoreUnavailable, reading, writing

log = logging.getLogger(__name__)

BY: Final = "rule"
"""Who made it, on the timeline and in the audit."""
PLACE: Final = "rules of follow-ups"
"""Name under which ``drained`` says how far the rules went; no journal file is so called."""
FIRST_BACK: Final = timedelta(days=1)
"""How old a call may be that the very first turn on a store follows up: what ended before there
were rules was followed up by people."""
KEEP_PLACE: Final = 30.0
"""Seconds after which the place is written though nothing was made: looking again is cheaper."""
A_TURN: Final = 2.0
"""Seconds one turn may take before others get theirs."""


@dataclass(frozen=True, slots=True)
class _Who:
    """For whom a rule makes one: a person or nobody, and for whom the SPOC is looked up."""

    person: str | None
    spoc_of: str | None


class RuleTurns:
    """Something that works beside the drain (``engine.Beside``)."""

    name = "rules of follow-ups"
    every = 2.0

    def __init__(
        self,
        store: Store,
        keys: Keys,
        made: FollowUps,
        roles: Roles,
        rules: Sequence[Rule],
        zone: tzinfo,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._keys = keys
        self._made = made
        self._roles = roles
        self._rules = rules
        self._zone = zone
        self._clock = clock
        self._place: int | None = None
        self._kept_at = 0.0
        self._failed: dict[str, datetime] = {}

    def turn(self, behind: float) -> None:
        """Follow up what changed since the last turn. Raises ``StoreUnavailable``."""
        if self._place is None:
            self._place = self._begin()
        until = time.monotonic() + A_TURN
        while time.monotonic() < until:
            changed = self._store.changed_since(self._place)
            if not changed:
                break
            for _, incident in changed:
                for rule in self._rules:
                    if rule.when.fits(incident):
                        self._try(rule, incident)
            self._place = changed[-1][0]
        if time.monotonic() - self._kept_at >= KEEP_PLACE:
            with writing(self._store.engine) as connection:
                self._keep(connection, self._place)

    def hear(self, datagram: bytes) -> None:
        """Take in nothing: what changed is read from the store."""

    def alarms(self) -> list[dict[str, Any]]:
        """Return one alarm for the calls that could not be followed up."""
        failed = dict(self._failed)
        if not failed:
            return []
        named = ", ".join(sorted(failed)[:5])
        text = f"No follow-up could be made by rule for {named}. Make it by hand."
        return [{"id": "rules-failed", "text": text, "since": as_text(min(failed.values()))}]

    def _begin(self) -> int:
        """Return from which revision on calls are followed up: where it was left, or a day ago."""
        recent = incidents.c.started_at >= self._clock() - FIRST_BACK
        with reading(self._store.engine) as connection:
            kept = connection.scalar(select(drained.c.position).where(drained.c.segment == PLACE))
            if kept is not None:
                return int(kept)
            first = connection.scalar(select(func.min(incidents.c.revision)).where(recent))
        return self._store.revision() if first is None else int(first) - 1

    def _try(self, rule: Rule, incident: Incident) -> None:
        try:
            with reading(self._store.engine) as connection:
                missing = next(iter(self._missing(connection, rule, incident)), None)
            if missing is not None:
                self._apply(rule, incident.call_key)
            self._failed.pop(incident.reference, None)
        except StoreUnavailable:
            raise
        except Exception:
            # Whatever is wrong with one call must not keep back those behind it.
            log.critical("rule %s failed for a call", rule.id, exc_info=True)
            self._failed[incident.reference] = self._clock()

    def _apply(self, rule: Rule, call_key: str) -> None:
        """Make what a rule makes of a call, as it stands once nobody else writes."""
        now = self._clock()
        with writing(self._store.engine) as connection:
            incident = self._store.find_call(connection, call_key)
            if incident is None or not rule.when.fits(incident):
                return
            for who in list(self._missing(connection, rule, incident)):
                owner = self._owner(connection, rule, incident, who, now)
                kind = self._made.kinds.get(rule.kind)
                assert kind is not None  # the file was refused otherwise
                new = New(
                    kind,
                    rule.text,
                    owner[0] if owner else None,
                    owner[1] if owner else "",
                    now + rule.due_after,
                    call_key,
                    who.person,
                    rule.id,
                    self._once(rule, call_key, who.person),
                )
                self._made.put(connection, new, by=BY, now=now)
            # What came before the batch in hand is done; the batch itself may not be.
            self._keep(connection, self._place or 0)

    def _missing(self, connection: Connection, rule: Rule, incident: Incident) -> Iterable[_Who]:
        """Yield for whom a rule has made none of this call yet."""
        call = incident.call_key
        there = select(follow_ups.c.person_id).where(
            follow_ups.c.call_key == call, follow_ups.c.rule == rule.id
        )
        have = connection.scalars(there).all()
        if not rule.when.of_persons:
            if not have:
                known = list(persons_of(connection, call))
                person = known[0] if len(known) == 1 else None
                yield _Who(person, person)
            return
        for person, confirmed in persons_of(connection, call).items():
            members = family(connection, person)
            # Two rows that were merged since are one person: it was made for one of them.
            if any(one in members for one in have):
                continue
            if rule.when.parts and not set(confirmed) & set(rule.when.parts):
                continue
            if not rule.when.repeat_victim or _repeat_victim(connection, members):
                yield _Who(person, person)

    def _owner(
        self, connection: Connection, rule: Rule, incident: Incident, who: _Who, now: datetime
    ) -> tuple[str, str] | None:
        """Return id and name of whose it is, or None: the supervisors give it to somebody."""
        if rule.owner == "spoc" and who.spoc_of is not None:
            day = now.astimezone(self._zone).date()
            found = standing(connection, self._roles, [who.spoc_of], day).get(who.spoc_of)
            acting = found.acting if found else None
            return (acting.user_id, acting.name) if acting else None
        if rule.owner == "handler":
            name = incident.handler or connection.scalar(
                select(reviews.c.by)
                .where(reviews.c.call_key == incident.call_key)
                .order_by(reviews.c.id.desc())
                .limit(1)
            )
            row = connection.execute(
                select(users.c.id, users.c.name, users.c.role).where(
                    users.c.name == name, users.c.disabled_at.is_(None)
                )
            ).first()
            if row is not None and self._roles.may(row.role, "people"):
                return row.id, row.name
        return None

    def _once(self, rule: Rule, call_key: str, person: str | None) -> str:
        return self._keys.look_up(f"rule|{rule.id}|{call_key}|{person or ''}")

    def _keep(self, connection: Connection, place: int) -> None:
        connection.execute(drained.delete().where(drained.c.segment == PLACE))
        connection.execute(drained.insert().values(segment=PLACE, position=place))
        self._kept_at = time.monotonic()


def _repeat_victim(connection: Connection, members: Iterable[str]) -> bool:
    query = select(people.c.id).where(
        people.c.id.in_(tuple(members)),
        people.c.repeat_at.is_not(None),
        people.c.erased_at.is_(None),
    )
    return connection.execute(query.limit(1)).first() is not None
