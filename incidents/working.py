"""What every deed of a handler has in common: one transaction, its entry, its audit, its orders.

A deed is checked and written in a single transaction of the store, with its entry on
the timeline and its place in the audit log, or not at all. Sent again under the same
request, it is carried out once. Nothing is sent to a caller from here.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select, update

from callflow.profiles import Profile
from callflow.questions import Questions
from incidents.audit import Audit
from incidents.fold import Incident, as_text
from incidents.grades import Grades
from incidents.history import CONTROL_ROOM, DUTY_DESK
from incidents.identity import uuid7
from incidents.indexing import entry_text, index
from incidents.orders import Order
from incidents.patterns import Pattern
from incidents.placing import FAILED, WAITING, Placed, of_request, order_in, place, placed_in
from incidents.roles import Roles
from incidents.sealed import Keys
from incidents.store import Store
from incidents.support import Services
from incidents.tables import incidents, orders, proposals, requests, timeline
from incidents.transactions import next_revision, writing

LONGEST_TEXT: Final = 4000
"""Characters of anything a person writes in one go."""
REACHES_PHONE_SECONDS: Final = 20.0
"""An order that rings somebody and has not reached the caller's line by now never will. Longer than
the slowest sending with every try takes: no claim may come in between."""


class Conflict(Exception):
    """It cannot be done as things now stand; ``str`` says what changed and who has the call."""


class Unfit(ValueError):
    """What was asked for is not fit; ``field`` names it and ``str`` says what to do."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Actor:
    """The person, or the program in their place, who does a deed."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Rules:
    """The policy that deeds depend on, as values.

    ``languages``: those we can speak. ``control_room``: E.164 or None. ``patterns``: repeated
    calls that are told of. ``visits``: the follow-ups that were visits, by kind and outcome.
    ``services``: those a caller may be told of. ``simulated``: Twilio is played by the
    simulator, so that whoever is rung is rung in play.
    """

    profiles: Mapping[str, Profile]
    questions: Questions
    grades: Grades
    roles: Roles
    languages: tuple[str, ...]
    control_room: str | None
    patterns: tuple[Pattern, ...] = ()
    visits: frozenset[tuple[str, str]] = frozenset()
    services: Services = field(default_factory=Services)
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What a deed led to.

    ``entry``: the timeline entry's id, if one was written. ``pending``: a second person must
    approve first. ``orders``: to be carried out now that the transaction stands.
    """

    incident: Incident
    entry: str | None = None
    pending: bool = False
    orders: tuple[Placed, ...] = ()


@dataclass(slots=True)
class Work:
    """One deed while its transaction is open."""

    connection: Connection
    incident: Incident
    by: Actor
    at: datetime
    keys: Keys
    audit: Audit
    rules: Rules
    entry: str | None = None
    pending: bool = False
    placed: list[Placed] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def profile(self) -> Profile:
        """The profile of the call; of one that is gone from the files, the first there is."""
        profiles = self.rules.profiles
        return profiles.get(self.incident.profile) or next(iter(profiles.values()))

    def change(self, **columns: Any) -> None:
        """Change columns of the incident that are a handler's."""
        self.changes |= columns

    def write(self, kind: str, **data: Any) -> str:
        """Write an entry on the timeline; returns its id."""
        self.entry = write_entry(
            self.connection,
            self.keys,
            self.incident.call_key,
            kind,
            {"by": self.by.name, **data},
            at=self.at,
        )
        return self.entry

    def log(self, what: str, reason: str = "", operation: Any = "alteration") -> None:
        """Put the deed into the audit log."""
        self.audit.put(
            self.connection,
            self.by.name,
            operation,
            what,
            self.incident.reference,
            reason,
            at=self.at,
        )

    def order(self, order: Order) -> Placed:
        """Put an order to the call on record."""
        placed = place(
            self.connection,
            self.keys,
            self.incident,
            order,
            by=self.by.name,
            at=self.at,
            profile=self.profile,
        )
        assert placed is not None  # its id is new, so nothing can be there already
        self.placed.append(placed)
        return placed

    def new_order(self, what: Any, **more: str) -> Order:
        """Make an order in the language the call is in."""
        language = self.incident.language or "en-GB"
        return Order(id=uuid7(self.at), what=what, **{"language": language, **more})

    def joined_to(self) -> str:
        """Return who the caller is joined to, or is being joined to, in words; empty: nobody."""
        if self.incident.connection != "open":
            return ""
        # A page rings a listener of ours and is no document of the caller's.
        row = self.connection.execute(
            select(orders)
            .where(orders.c.call_key == self.incident.call_key, orders.c.what != "page")
            .order_by(orders.c.step.desc())
            .limit(1)
        ).first()
        on_its_way = (
            row is not None
            and row.state != FAILED
            and row.problem is None
            and row.step > self.incident.last_step
            and (self.at - row.at).total_seconds() <= REACHES_PHONE_SECONDS
        )
        if row is None or not on_its_way:
            return self.incident.bridged
        if row.what not in ("connect", "conference"):
            return ""
        return order_in(row, self.keys).label

    def parting(self) -> bool:
        """Say whether the latest order to the call lets the caller go."""
        latest = (
            select(orders.c.what)
            .where(orders.c.call_key == self.incident.call_key, orders.c.what != "page")
            .order_by(orders.c.step.desc())
            .limit(1)
        )
        return self.connection.scalar(latest) == "let_go"


class Working:
    """Carries deeds out, one transaction each."""

    def __init__(self, store: Store, keys: Keys, audit: Audit, rules: Rules) -> None:
        self._store = store
        self._keys = keys
        self._audit = audit
        self._rules = rules

    @property
    def rules(self) -> Rules:
        """The policy that its deeds depend on."""
        return self._rules

    def _do(
        self,
        reference: str,
        by: Actor,
        now: datetime,
        request: str | None,
        content: object,
        act: Callable[[Work], None],
    ) -> Done:
        """Carry ``act`` out in one transaction.

        ``request`` names the request and ``content`` is what it asks for. Raises
        ``NoSuchIncident``, ``Conflict``, ``Unfit`` and ``StoreUnavailable``.
        """
        at = now.replace(microsecond=now.microsecond // 1000 * 1000)
        with writing(self._store.engine) as connection:
            incident = self._store.find(connection, reference)
            if request is not None:
                said = [reference, content]
                done = self._done_before(connection, incident, by, request, said, at)
                if done is not None:
                    return done
            work = Work(connection, incident, by, at, self._keys, self._audit, self._rules)
            act(work)
            if work.changes or work.entry:
                connection.execute(
                    update(incidents)
                    .where(incidents.c.call_key == incident.call_key)
                    .values(**work.changes, revision=next_revision(connection))
                )
            after = self._store.find(connection, reference)
        return Done(after, work.entry, work.pending, tuple(work.placed))

    def _done_before(
        self,
        connection: Connection,
        incident: Incident,
        by: Actor,
        request: str,
        said: object,
        at: datetime,
    ) -> Done | None:
        """Return what this request led to when it came before; None when it is to be done now.

        One whose order could not be carried out is done anew: the caller has heard nothing of it.
        """
        row_id = self._keys.look_up(f"request|{len(by.name)}|{by.name}|{request}")
        digest = self._keys.look_up(f"content|{json.dumps(said, sort_keys=True)}")
        known = connection.execute(select(requests).where(requests.c.id == row_id)).first()
        if known is None:
            connection.execute(requests.insert().values(id=row_id, content=digest, at=at))
            return None
        if known.content != digest:
            raise Unfit(
                "Idempotency-Key",
                "This Idempotency-Key was used for another request: use a new one for each.",
            )
        given = of_request(connection, incident.call_key, by.name, known.at)
        if any(row.state == FAILED for row in given):
            connection.execute(update(requests).where(requests.c.id == row_id).values(at=at))
            return None
        left = tuple(placed_in(row, self._keys) for row in given if row.state == WAITING)
        return Done(incident, None, _proposed(connection, incident, by), left)


def _proposed(connection: Connection, incident: Incident, by: Actor) -> bool:
    """Say whether something this person proposed still waits for a second one."""
    query = select(proposals.c.id).where(
        proposals.c.call_key == incident.call_key,
        proposals.c.by == by.name,
        proposals.c.decided_at.is_(None),
    )
    return connection.scalar(query.limit(1)) is not None


def write_entry(
    connection: Connection,
    keys: Keys,
    call_key: str,
    kind: str,
    data: Mapping[str, Any],
    *,
    at: datetime,
) -> str:
    """Write an entry on a call's timeline, sealed, and to be found by its words. Returns its id."""
    entry = uuid7(at)
    sealed = keys.seal(json.dumps(dict(data)).encode(), f"timeline|{entry}|data")
    connection.execute(
        timeline.insert().values(id=entry, call_key=call_key, at=at, kind=kind, data=sealed)
    )
    text = entry_text(kind, data)
    index(connection, keys, "entry", entry, text, at=at, call_key=call_key)
    return entry


def text_of(field: str, text: str, what: str, longest: int = LONGEST_TEXT) -> str:
    """Return what somebody wrote, tidied. Raises ``Unfit`` when it is empty or too long."""
    tidy = text.replace("\r\n", "\n").strip()
    if not tidy:
        raise Unfit(field, f"Write {what} first.")
    if len(tidy) > longest:
        over = len(tidy) - longest
        raise Unfit(field, f"{field}: at most {longest} characters; this has {over} too many.")
    if "\x00" in tidy:
        raise Unfit(field, f"{field}: take the NUL character out.")
    return tidy


def since(at: datetime | None, now: datetime) -> str:
    """Say how long ago something was, as a handler would: ``2 seconds ago``."""
    if at is None:
        return "just now"
    seconds = max(0, int((now - at).total_seconds()))
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}s ago"
    return "1 second ago" if seconds == 1 else f"{seconds} seconds ago"


def how_it_ended(incident: Incident, now: datetime) -> str:
    """Say in a sentence how the line ended."""
    when = since(incident.ended_at, now)
    if incident.connection == "dropped":
        return f"The caller hung up {when}, or the line dropped."
    return f"The line was let go {when}."


def held_by(incident: Incident, now: datetime) -> str:
    """Say in a sentence who has the incident."""
    at = as_text(incident.claimed_at)
    return f"{incident.handler} has this call, claimed {since(incident.claimed_at, now)} ({at})."


def the(label: str) -> str:
    """Return who the caller is with as a sentence needs it: ``the control room``, a name."""
    return f"the {label}" if label in (CONTROL_ROOM, DUTY_DESK) else label
