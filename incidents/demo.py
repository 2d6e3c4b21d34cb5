"""Loads the worked example: a season with invented people, calls, visits and points of contact.

Everything goes through the writers that real work goes through, so that the fold, the audit
and the search know it. It refuses a site that takes live calls: invented people never stand
beside real ones. What was invented names officers of its own; nobody can sign in as them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select

from incidents.accounts import COMMAND_LINE, Accounts
from incidents.addresses import Addresses
from incidents.audit import Audit
from incidents.contacts import Contacts
from incidents.demo_calls import Calls, Made
from incidents.demo_story import Invented, Story
from incidents.desk import Actor, Desk
from incidents.drain import Drain
from incidents.follow_ups import FollowUps
from incidents.marker_kinds import Wanted
from incidents.markers import Markers
from incidents.operations import VISITS, Operations
from incidents.person_numbers import PersonNumbers
from incidents.persons import Facts, Persons, name_look_up
from incidents.recorded import seal
from incidents.reviewing import Reviewing
from incidents.safe_contact import SafeContact
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import follow_ups, incidents, operations, people, users
from incidents.transactions import reading
from incidents.visiting import Visiting

AT_ONCE: Final = 50
"""Calls recorded by one transaction."""
MORNING: Final = time(9)
NOON: Final = time(12)
PLANNED: Final = "planned"
UNDECIDED: Final = 3
"""Silent calls that are left in the review queue, kept for later: nobody is alarmed at once."""


class Refused(Exception):
    """It is not loaded here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Writers:
    """What writes on a site. ``drain`` records calls, as the engine does."""

    store: Store
    keys: Keys
    audit: Audit
    accounts: Accounts
    drain: Drain
    desk: Desk
    reviewing: Reviewing
    persons: Persons
    numbers: PersonNumbers
    addresses: Addresses
    contacts: Contacts
    markers: Markers
    follow_ups: FollowUps
    operations: Operations
    visiting: Visiting


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded. ``operation``: its id."""

    operation: str
    people: int
    calls: int
    visits: int


class Demo:
    """Loads one story into one site. ``tell``: says how far it is, in words."""

    def __init__(
        self,
        story: Story,
        writers: Writers,
        zone: ZoneInfo,
        *,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._story = story
        self._with = writers
        self._zone = zone
        self._tell = tell

    def load(self, now: datetime) -> Loaded | None:
        """Load it; None when it is there already, and then nothing is added.

        Raises ``Refused`` where live calls are on record or a name is taken, and
        ``StoreUnavailable``.
        """
        self._refuse_live()
        if self._known():
            return None
        today = now.astimezone(self._zone).date()
        first = today - timedelta(days=self._story.begins)
        self._tell("officers and people")
        self._officers(first)
        ids = {one.name: self._person(one, first) for one in self._story.people}
        calls = list(Calls(self._story, self._with.keys, self._zone).all(today, now))
        self._tell(f"{len(calls)} calls")
        self._record(calls)
        self._work(calls, now)
        self._tell("the operation and its visits")
        operation = self._operation(first)
        visits = self._visits(operation, ids, first, now)
        for one in self._story.people:
            self._mark(one, ids[one.name], now)
        self._with.audit.note(
            COMMAND_LINE, "collection", "loaded the worked example", operation, at=now
        )
        return Loaded(operation, len(ids), len(calls), visits)

    def _refuse_live(self) -> None:
        with reading(self._with.store.engine) as connection:
            live = select(incidents.c.call_key).where(incidents.c.purpose == "live").limit(1)
            if connection.scalar(live) is not None:
                raise Refused(
                    "There are live calls on record here: invented people never stand beside "
                    "real ones. Load it into a fresh data folder (QUIETLINE_DATA)."
                )

    def _known(self) -> bool:
        with reading(self._with.store.engine) as connection:
            named = select(operations.c.id).where(operations.c.name == self._story.name)
            return connection.scalar(named) is not None

    def _officers(self, first: date) -> None:
        with reading(self._with.store.engine) as connection:
            known = connection.execute(select(users.c.name, users.c.role)).all()
        roles = {row.name: row.role for row in known}
        for one in self._story.officers:
            if roles.get(one.name, one.role) != one.role:
                raise Refused(f"There is somebody called {one.name} with another role here.")
            if one.name not in roles:
                # The password is made up, shown to nobody and kept by nobody.
                self._with.accounts.add_user(one.name, now=self._at(first, MORNING), role=one.role)

    def _person(self, one: Invented, first: date) -> str:
        """Put somebody on record, or find them there from a run that was broken off."""
        writers, at = self._with, self._at(first - timedelta(days=14), MORNING)
        with reading(writers.store.engine) as connection:
            named = select(people.c.id).where(
                people.c.look_up == name_look_up(writers.keys, one.name)
            )
            known = connection.scalar(named)
        if known is not None:
            return str(known)
        facts = Facts(
            children=one.children,
            code_word=one.code_word,
            orders=one.orders,
            never_call=one.never_call,
            notes="Invented: part of the worked example.",
        )
        victim = one.part == "victim"
        person = writers.persons.add(one.name, facts, by=COMMAND_LINE, now=at, repeat=victim)
        contact = SafeContact(one.safe, one.hours)
        writers.numbers.add(person, one.number, contact, by=COMMAND_LINE, now=at)
        if one.address:
            writers.addresses.add(person, one.address, by=COMMAND_LINE, now=at)
        if one.spoc:
            deputy = self._deputy(one.spoc)
            writers.contacts.assign(person, one.spoc, deputy, by=COMMAND_LINE, now=at, day=first)
        return person

    def _deputy(self, spoc: str) -> str:
        """Return another officer who is somebody's point of contact; empty: there is none."""
        return next((one.spoc for one in self._story.people if one.spoc not in ("", spoc)), "")

    def _record(self, calls: list[Made]) -> None:
        """Record calls as the engine does: each event's key counts once."""
        for at in range(0, len(calls), AT_ONCE):
            events = [event for one in calls[at : at + AT_ONCE] for event in one.events]
            self._with.drain.record(seal(event, self._with.keys) for event in events)

    def _work(self, calls: list[Made], now: datetime) -> None:
        """Have each call worked as it was: claimed, graded and closed, or decided on in review."""
        handlers = [one for one in self._story.officers if one.role == "handler"]
        silent = [one.reference for one in calls if one.claim is None]
        undecided = set(silent[-UNDECIDED:])
        for at, one in enumerate(calls):
            found = self._with.store.incident(one.reference)
            if found is None or found.state == "closed":
                continue
            by = Actor(handlers[at % len(handlers)].name, "handler")
            if one.reference in undecided:
                self._keep(one.reference, by, now)
            elif found.state == "review":
                self._with.reviewing.decide(
                    one.reference, one.outcome, seen="", by=by, now=one.close
                )
            elif one.claim is not None:
                self._with.desk.claim(one.reference, by=by, now=one.claim)
                self._with.desk.grade(one.reference, one.grade, by=by, now=one.close)
                self._with.desk.close(one.reference, one.outcome, by=by, now=one.close)

    def _keep(self, reference: str, by: Actor, now: datetime) -> None:
        """Keep a call in review for later, once, where the site has such a decision."""
        reviewing = self._with.reviewing
        if reviewing.policy.later and reviewing.last(reference) is None:
            kept = reviewing.policy.later[0].id
            reviewing.decide(reference, kept, seen="", by=by, now=now)

    def _operation(self, first: date) -> str:
        story, made = self._story, self._with.operations
        before = first - timedelta(days=story.baseline)
        lasts = timedelta(days=story.lasts - 1)
        at = self._at(first, MORNING)
        operation = made.make(
            story.name,
            first,
            first + lasts,
            area=story.area,
            baseline=(before, before + lasts),
            by=COMMAND_LINE,
            now=at,
        )
        for one in story.people:
            made.add(operation, one.name, one.part, by=COMMAND_LINE, now=at)
        return operation

    def _visits(self, operation: str, ids: Mapping[str, str], first: date, now: datetime) -> int:
        """Plan the visits on the first morning, and have each go as the story says."""
        owner = next(one.name for one in self._story.officers if one.role == "supervisor")
        planned = self._with.visiting.plan(
            operation, owner, by=owner, now=self._at(first, MORNING), day=first
        )
        for at, one in enumerate(self._story.people):
            visit, who = self._visit(operation, ids[one.name], VISITS[one.part])
            day = first + timedelta(days=2 + at)
            if one.visit == PLANNED:
                later = self._at(now.astimezone(self._zone).date() + timedelta(days=3), NOON)
                self._with.follow_ups.put_off(
                    visit, later, "Away until then", by=who, now=self._at(first, NOON)
                )
            elif one.visit and self._at(day, NOON) < now:
                self._with.follow_ups.close(visit, one.visit, "", by=who, now=self._at(day, NOON))
        return planned

    def _visit(self, operation: str, person: str, kind: str) -> tuple[str, str]:
        """Return the visit of a person, and whose it is."""
        with reading(self._with.store.engine) as connection:
            row = connection.execute(
                select(follow_ups.c.id, users.c.name)
                .join(users, users.c.id == follow_ups.c.owner_id)
                .where(
                    follow_ups.c.operation_id == operation,
                    follow_ups.c.person_id == person,
                    follow_ups.c.kind == kind,
                )
            ).one()
        return row.id, row.name

    def _mark(self, one: Invented, person: str, now: datetime) -> None:
        kind = self._with.markers.kinds.get(one.marker)
        if kind is None:
            return
        owner = one.spoc or self._story.officers[0].name
        until = now + timedelta(days=90)
        wanted = Wanted(kind.action, owner, until, "Part of the worked example", kind.id)
        self._with.markers.set_on_person(person, wanted, by=COMMAND_LINE, now=now)

    def _at(self, day: date, hour: time) -> datetime:
        return datetime.combine(day, hour, self._zone).astimezone(UTC)
