"""Visits planned for everybody in scope at once, what came of them, and whose calls are counted."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from config.figures import read_figures
from config.follow_ups import read_follow_ups
from config.roles import read_roles
from incidents.accounts import Accounts
from incidents.audit import Audit
from incidents.contacts import Contacts
from incidents.figures import Counting
from incidents.follow_ups import FollowUps
from incidents.operations import NoSuchOperation, Operations
from incidents.periods import Period
from incidents.persons import Persons
from incidents.scope_calls import calls_in_scope
from incidents.tables import audit, follow_ups, parts, people, person_numbers, users
from incidents.transactions import reading, writing
from incidents.visiting import Visiting
from incidents.working import Conflict, Unfit
from tests.incidents.counting import Told, put
from tests.incidents.desks import CONFIG, Room
from tests.incidents.joining import joined
from tests.incidents.making import KEYS, NOW

DAY = NOW.date()
SEASON = Period(date(2026, 12, 1), date(2027, 1, 4), ZoneInfo("Europe/London"))


def table(name: str) -> dict[str, object]:
    """A policy file as it is delivered."""
    return tomllib.loads((CONFIG / name).read_text(encoding="utf-8"))


class Season:
    """A room with an operation, its officers, and what plans its visits."""

    def __init__(self, folder: Path, url: str) -> None:
        self.room = Room.at(folder, url)
        self.store = self.room.machine.store
        log = Audit(self.store.engine, KEYS)
        self.kinds = read_follow_ups(table("follow_ups.toml"))
        self.policy = read_figures(table("figures.toml"), self.kinds)
        self.roles = read_roles(table("roles.toml"))
        self.operations = Operations(self.store, KEYS, log)
        self.persons = Persons(self.store, KEYS, log)
        self.contacts = Contacts(self.store, KEYS, log, self.roles)
        self.follow_ups = FollowUps(self.store, KEYS, log, self.kinds, self.roles)
        self.visiting = Visiting(self.store, KEYS, log, self.roles, self.follow_ups, self.policy)
        accounts = Accounts(self.store.engine, KEYS, self.roles, audit=log)
        for name, role in (("sue", "supervisor"), ("cara", "contact_officer"), ("ana", "analyst")):
            joined(accounts, name, role, now=NOW)
        self.id = self.operations.make(
            "County 2026", SEASON.from_day, SEASON.to_day, by="sue", now=NOW
        )

    def person(self, name: str, part: str | None = "victim") -> str:
        """Put somebody on record, and in the scope with this part."""
        made = self.persons.add(name, by="sue", now=NOW, repeat=part == "victim")
        if part is not None:
            self.operations.add(self.id, name, part, by="sue", now=NOW)
        return made

    def plan(self) -> int:
        """Plan the visits, whose owner is sue where nobody stands for the person."""
        return self.visiting.plan(self.id, "sue", by="sue", now=NOW, day=DAY)

    def visits(self) -> list[tuple[str, str, str]]:
        """Every visit of the operation: kind, owner and person."""
        with reading(self.store.engine) as connection:
            rows = connection.execute(
                select(follow_ups.c.kind, users.c.name, follow_ups.c.person_id)
                .join(users, users.c.id == follow_ups.c.owner_id)
                .where(follow_ups.c.operation_id == self.id)
                .order_by(follow_ups.c.kind, users.c.name)
            )
            return [(row.kind, row.name, row.person_id) for row in rows]

    def end(self, person: str, outcome: str) -> None:
        """Close the open visit of a person."""
        with reading(self.store.engine) as connection:
            visit = connection.scalar(
                select(follow_ups.c.id).where(
                    follow_ups.c.person_id == person, follow_ups.c.closed_at.is_(None)
                )
            )
        self.follow_ups.close(str(visit), outcome, "", by="sue", now=NOW)

    def offered(self) -> list[tuple[int, int, int, int, int]]:
        """Contacts of victims, then of persons responsible, as numbers."""
        found = self.visiting.offered(self.id, SEASON)
        return [(one.people, one.contacts, one.taken, one.reached, one.took) for one in found]


@pytest.fixture
def season(tmp_path: Path, store_url: str) -> Season:
    """A season over each kind of store."""
    return Season(tmp_path, store_url)


def test_everybody_in_scope_gets_one_visit_however_often_it_is_asked(season: Season) -> None:
    """Victims from their point of contact, persons responsible from whoever was chosen."""
    ann, bea = season.person("Ann One"), season.person("Bea Two")
    dai = season.person("Dai Example", "offender")
    season.person("Not In", None)
    season.contacts.assign(ann, "cara", by="sue", now=NOW, day=DAY)
    season.contacts.assign(dai, "cara", by="sue", now=NOW, day=DAY)
    assert season.plan() == 3
    assert season.visits() == [
        ("visit_offender", "sue", dai),
        ("visit_victim", "cara", ann),
        ("visit_victim", "sue", bea),
    ]
    assert season.plan() == 0
    new = season.person("Cat Three")
    assert season.plan() == 1
    assert (("visit_victim", "sue", new)) in season.visits()


def test_whom_nobody_met_is_planned_for_again(season: Season) -> None:
    """Who was seen is not, nor who needs no visit."""
    ann, bea, cat = (season.person(name) for name in ("Ann One", "Bea Two", "Cat Three"))
    season.plan()
    for person, outcome in ((ann, "not_in"), (bea, "seen_support_told"), (cat, "not_needed")):
        season.end(person, outcome)
    assert season.plan() == 1
    assert season.plan() == 0
    season.end(ann, "not_in")
    assert season.plan() == 1
    assert [one.planned for one in season.operations.scope(season.id, NOW)] == [3, 1, 1]


def test_a_person_under_two_rows_is_visited_once(season: Season) -> None:
    """Merged before or after they came in."""
    kept, merged = season.person("Ann One"), season.person("A. One")
    with writing(season.store.engine) as connection:
        connection.execute(update(people).where(people.c.id == merged).values(merged_into=kept))
    assert season.plan() == 1
    assert season.visits() == [("visit_victim", "sue", kept)]


def test_a_visit_is_owned_by_somebody_who_may_work_with_people(season: Season) -> None:
    """Nobody else, and nothing is planned when it is refused."""
    season.person("Ann One")
    for name in ("ana", "nobody", ""):
        with pytest.raises(Unfit) as refused:
            season.visiting.plan(season.id, name, by="sue", now=NOW, day=DAY)
        assert refused.value.field == "owner"
    for days in (-1, 400):
        with pytest.raises(Unfit) as refused:
            season.visiting.plan(
                season.id, "sue", by="sue", now=NOW, day=DAY, due_at=NOW + timedelta(days=days)
            )
        assert refused.value.field == "due"
    assert season.visits() == []
    assert list(season.visiting.owners()) == ["cara", "sue"]


def test_a_closed_operation_plans_nothing(season: Season) -> None:
    """Nor does one that is not there."""
    season.operations.close(season.id, by="sue", now=NOW)
    with pytest.raises(Conflict):
        season.plan()
    with pytest.raises(NoSuchOperation):
        season.visiting.plan("nothing", "sue", by="sue", now=NOW, day=DAY)
    with pytest.raises(NoSuchOperation):
        season.visiting.offered("nothing", SEASON)


def test_contacts_are_counted_by_what_came_of_them(season: Season) -> None:
    """Of the operation's visits, and of other work with people in scope in its days."""
    ann, bea, _ = (season.person(name) for name in ("Ann One", "Bea Two", "Cat Three"))
    dai = season.person("Dai Example", "offender")
    season.plan()
    season.end(ann, "seen_support_taken")
    season.end(bea, "not_in")
    season.end(dai, "seen_warned")
    assert season.offered() == [(3, 1, 1, 1, 1), (1, 0, 0, 0, 0)]
    for person, outcome in ((ann, "told_declined"), (bea, "told_taken")):
        due = NOW + timedelta(days=1)
        season.follow_ups.make(
            "tell_of_support", "x", owner="sue", due_at=due, by="sue", now=NOW, person=person
        )
        season.end(person, outcome)
    assert season.offered() == [(3, 3, 2, 2, 2), (1, 0, 0, 0, 0)]


def test_calls_in_scope_are_those_of_the_people_s_numbers_and_parts(season: Season) -> None:
    """A part somebody refused takes the call out; the number of a merged row counts."""
    ann, old = season.person("Ann One"), season.person("A. One", None)
    told = [Told(NOW - timedelta(hours=at + 1), number=f"n{at}") for at in range(4)]
    put(season.store, [*told, Told(NOW - timedelta(hours=9))])
    with writing(season.store.engine) as connection:
        connection.execute(update(people).where(people.c.id == old).values(merged_into=ann))
        for at, (person, number) in enumerate(((ann, "n0"), (old, "n1"), (ann, "n2"))):
            connection.execute(
                person_numbers.insert().values(
                    id=f"p{at}", person_id=person, number_id=number, data=b"", by="sue", at=NOW
                )
            )
        for at, (call, state) in enumerate(((2, "refused"), (3, "confirmed"))):
            connection.execute(
                parts.insert().values(
                    id=f"q{at}",
                    call_key=told[call].key,
                    person_id=ann,
                    part="victim",
                    state=state,
                    by="sue",
                    at=NOW,
                )
            )
    counting = Counting(season.store, season.policy)
    found = counting.of(SEASON, "live", NOW, (calls_in_scope(season.id),))
    assert found.calls == 3
    assert found.repeats == 0
    assert counting.of(SEASON, "live", NOW).calls == 5


def test_planning_is_in_the_audit_log_without_a_name(season: Season) -> None:
    """Rule 11."""
    season.person("Ann One")
    season.plan()
    season.plan()
    with reading(season.store.engine) as connection:
        logged = connection.scalars(
            select(audit.c.what).where(
                audit.c.record == season.id, audit.c.operation == "collection"
            )
        ).all()
    assert logged == ["planned 1 visits in an operation"]


def test_who_was_erased_is_not_visited(season: Season) -> None:
    """Nor counted among those who could be offered something."""
    ann = season.person("Ann One")
    with writing(season.store.engine) as connection:
        connection.execute(update(people).where(people.c.id == ann).values(erased_at=NOW))
    assert season.plan() == 0
    assert season.offered() == [(0, 0, 0, 0, 0), (0, 0, 0, 0, 0)]
