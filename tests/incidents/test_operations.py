"""Operations: who is in, by rule and by hand, and what is planned, done and overdue."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from incidents.audit import Audit
from incidents.merging import Merges
from incidents.operations import NoSuchOperation, Operations, visits
from incidents.person_numbers import PersonNumbers
from incidents.persons import Persons
from incidents.safe_contact import SafeContact
from incidents.tables import audit, follow_ups, people
from incidents.transactions import reading, writing
from incidents.working import Conflict, Unfit
from tests.incidents.desks import Room
from tests.incidents.making import KEYS, NOW

FIRST, LAST = date(2026, 12, 1), date(2027, 1, 4)
BEFORE = (date(2025, 12, 1), date(2026, 1, 4))


@pytest.fixture
def room(tmp_path: Path, store_url: str) -> Room:
    """A control room over each kind of store."""
    return Room.at(tmp_path, store_url)


@pytest.fixture
def made(room: Room) -> Operations:
    """The operations of that room."""
    store = room.machine.store
    return Operations(store, KEYS, Audit(store.engine, KEYS))


def person(room: Room, name: str, *, repeat: bool = False) -> str:
    """Add a person."""
    store = room.machine.store
    persons = Persons(store, KEYS, Audit(store.engine, KEYS))
    return persons.add(name, by="cara", now=NOW, repeat=repeat)


def county(made: Operations) -> str:
    """Make the example of the season."""
    return made.make(
        "Operation County 2026", FIRST, LAST, area="Cumbria", baseline=BEFORE, by="sue", now=NOW
    )


def visit(room: Room, operation: str, someone: str, kind: str, due: float, outcome: str) -> None:
    """Plan a visit so many days from now, and close it with ``outcome`` if there is one."""
    with writing(room.machine.store.engine) as connection:
        connection.execute(
            follow_ups.insert().values(
                id=f"{someone[:20]}{kind[:8]}{due:g}",
                kind=kind,
                person_id=someone,
                operation_id=operation,
                due_at=NOW + timedelta(days=due),
                closed_at=NOW if outcome else None,
                outcome=outcome or None,
                data=b"",
            )
        )


def test_an_operation_comes_back_as_it_was_made(made: Operations) -> None:
    """Name, days, area and baseline."""
    found = made.one(county(made))
    assert (found.name, found.from_day, found.to_day) == ("Operation County 2026", FIRST, LAST)
    assert (found.area, found.baseline, found.by) == ("Cumbria", BEFORE, "sue")
    assert [one.id for one in made.all()] == [found.id]


@pytest.mark.parametrize(
    ("day", "left"),
    [(FIRST - timedelta(days=1), None), (FIRST, 34), (LAST, 0), (LAST + timedelta(days=1), None)],
)
def test_its_days_are_counted_down(made: Operations, day: date, left: int | None) -> None:
    """Before and after it there is nothing to count."""
    assert made.one(county(made)).days_left(day) == left


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "Operation County 2026"}, "name"),
        ({"to_day": FIRST - timedelta(days=1)}, "to_day"),
        ({"baseline": (BEFORE[1], BEFORE[0])}, "baseline_to"),
        ({"baseline": (BEFORE[0], FIRST)}, "baseline_to"),
        ({"area": "x" * 201}, "area"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    made: Operations, changes: dict[str, object], field: str
) -> None:
    """With a sentence that says what to do."""
    county(made)
    good = {"name": "Another", "from_day": FIRST, "to_day": LAST}
    with pytest.raises(Unfit) as refused:
        made.make(**{**good, **changes}, by="sue", now=NOW)  # type: ignore[arg-type]
    assert refused.value.field == field
    assert len(made.all()) == 1


def test_everybody_known_as_a_repeat_victim_comes_in_by_rule_and_once(
    room: Room, made: Operations
) -> None:
    """Asked again, it brings in who is new; whoever was taken out by hand stays out."""
    for name in ("Bea Two", "Ann One"):
        person(room, name, repeat=True)
    person(room, "Not Known")
    operation = county(made)
    assert made.bring_in(operation, by="sue", now=NOW) == 2
    scope = made.scope(operation, NOW)
    assert [(one.name, one.part, one.how) for one in scope] == [
        ("Ann One", "victim", "rule"),
        ("Bea Two", "victim", "rule"),
    ]
    made.take_out(operation, scope[0].id, by="sue", now=NOW)
    person(room, "Cat Three", repeat=True)
    assert made.bring_in(operation, by="sue", now=NOW) == 1
    assert [one.name for one in made.scope(operation, NOW)] == ["Bea Two", "Cat Three"]


def test_a_person_who_was_merged_comes_in_under_one_name(room: Room, made: Operations) -> None:
    """Two rows of one person are one visit."""
    kept, merged = person(room, "Ann One", repeat=True), person(room, "A. One", repeat=True)
    with writing(room.machine.store.engine) as connection:
        connection.execute(update(people).where(people.c.id == merged).values(merged_into=kept))
    operation = county(made)
    assert made.bring_in(operation, by="sue", now=NOW) == 1


def test_somebody_is_put_in_by_hand_however_the_name_is_typed(room: Room, made: Operations) -> None:
    """A victim and a person responsible are kept apart; twice is refused."""
    dai = person(room, "Dai Example")
    operation = county(made)
    made.add(operation, " dai  EXAMPLE ", "offender", by="cara", now=NOW)
    [one] = made.scope(operation, NOW)
    assert (one.person, one.part, one.how, one.by) == (dai, "offender", "hand", "cara")
    with pytest.raises(Unfit, match="already"):
        made.add(operation, "Dai Example", "offender", by="cara", now=NOW)
    made.add(operation, "Dai Example", "victim", by="cara", now=NOW)
    assert {one.part for one in made.scope(operation, NOW)} == {"offender", "victim"}


def test_a_name_nobody_or_several_have_is_refused(room: Room, made: Operations) -> None:
    """Nobody is guessed."""
    operation = county(made)
    for _ in range(2):
        person(room, "Same Name")
    for name, words in (("Nobody Here", "add the person"), ("Same Name", "Several"), ("", "Write")):
        with pytest.raises(Unfit, match=words) as refused:
            made.add(operation, name, "victim", by="cara", now=NOW)
        assert refused.value.field == "person"
    with pytest.raises(Unfit) as refused:
        made.add(operation, "Same Name", "witness", by="cara", now=NOW)
    assert refused.value.field == "part"


def test_of_two_people_with_one_name_a_number_says_which_is_meant(
    room: Room, made: Operations
) -> None:
    """They are two people: nobody is told to join them to get one of them in."""
    store = room.machine.store
    held = PersonNumbers(store, KEYS, Audit(store.engine, KEYS))
    contact = SafeContact()
    held.add_person("Ann Twin", "+447700900151", contact, by="cara", now=NOW)
    second = held.add_person("Ann Twin", "+447700900152", contact, by="cara", now=NOW)
    operation = county(made)
    with pytest.raises(Unfit, match="a whole number of the one you mean") as refused:
        made.add(operation, "Ann Twin", "victim", by="cara", now=NOW)
    assert "merge" not in str(refused.value)
    made.add(operation, "+44 7700 900152", "victim", by="cara", now=NOW)
    assert [one.person for one in made.scope(operation, NOW)] == [second]
    held.add_person("Bea Other", "+447700900152", contact, by="cara", now=NOW)
    wrong = (("+447700900152", "Several"), ("+447700900153", "Nobody"), ("07700 900152", "whole"))
    for number, words in wrong:
        with pytest.raises(Unfit, match=words) as refused:
            made.add(operation, number, "victim", by="cara", now=NOW)
        assert refused.value.field == "person"


def test_visits_are_counted_as_planned_done_and_overdue(room: Room, made: Operations) -> None:
    """By person and by part; what is overdue comes first; other operations do not count."""
    ann, dai = person(room, "Ann One", repeat=True), person(room, "Dai Example")
    zoe = person(room, "Zoe Late", repeat=True)
    operation = county(made)
    other = made.make("Another", FIRST, LAST, by="sue", now=NOW)
    made.bring_in(operation, by="sue", now=NOW)
    made.add(operation, "Dai Example", "offender", by="sue", now=NOW)
    visit(room, operation, ann, "visit_victim", 3, "seen_support_taken")
    visit(room, operation, ann, "visit_victim", 5, "")
    visit(room, operation, zoe, "visit_victim", -1, "")
    visit(room, operation, dai, "visit_offender", 2, "")
    visit(room, other, dai, "visit_offender", -3, "")
    scope = made.scope(operation, NOW)
    assert [(one.name, one.planned, one.done, one.overdue) for one in scope] == [
        ("Zoe Late", 1, 0, 1),
        ("Ann One", 2, 1, 0),
        ("Dai Example", 1, 0, 0),
    ]
    assert [
        (one.part, one.people, one.planned, one.done, one.overdue) for one in visits(scope)
    ] == [
        ("victim", 2, 3, 1, 1),
        ("offender", 1, 1, 0, 0),
    ]


def test_a_closed_operation_takes_nobody_in_or_out_and_can_be_read(
    room: Room, made: Operations
) -> None:
    """What was done stays."""
    person(room, "Ann One", repeat=True)
    operation = county(made)
    made.bring_in(operation, by="sue", now=NOW)
    (place,) = made.scope(operation, NOW)
    made.close(operation, by="sue", now=NOW)
    for again in (
        lambda: made.take_out(operation, place.id, by="sue", now=NOW),
        lambda: made.bring_in(operation, by="sue", now=NOW),
        lambda: made.add(operation, "Ann One", "victim", by="sue", now=NOW),
        lambda: made.close(operation, by="sue", now=NOW),
    ):
        with pytest.raises(Conflict):
            again()
    assert made.scope(operation, NOW) == (place,)


def test_what_was_never_there_is_said_to_be_so(made: Operations) -> None:
    """An address somebody typed."""
    operation = county(made)
    with pytest.raises(NoSuchOperation):
        made.one("nothing")
    with pytest.raises(NoSuchOperation):
        made.bring_in("nothing", by="sue", now=NOW)
    with pytest.raises(NoSuchOperation):
        made.take_out(operation, "nothing", by="sue", now=NOW)


def test_every_change_is_in_the_audit_log_without_a_name(room: Room, made: Operations) -> None:
    """Rule 11."""
    person(room, "Ann One", repeat=True)
    operation = county(made)
    made.bring_in(operation, by="sue", now=NOW)
    made.take_out(operation, made.scope(operation, NOW)[0].id, by="sue", now=NOW)
    made.close(operation, by="sue", now=NOW)
    with reading(room.machine.store.engine) as connection:
        logged = connection.scalars(
            select(audit.c.what).where(audit.c.record == operation).order_by(audit.c.number)
        ).all()
    assert logged == [
        "made an operation",
        "brought 1 people into an operation by rule",
        "took somebody out of an operation",
        "closed an operation",
    ]


def test_somebody_on_record_twice_is_in_an_operation_once(room: Room, made: Operations) -> None:
    """Joined after one row came in: neither the rule nor a hand brings the other in as well."""
    operation = county(made)
    other = person(room, "M. Example")
    made.add(operation, "M. Example", "victim", by="sue", now=NOW)
    mair = person(room, "Mair Example", repeat=True)
    store = room.machine.store
    joined = Merges(store, KEYS, Audit(store.engine, KEYS))
    assert joined.merge(other, mair, "the same", by="cara", now=NOW) == mair
    assert made.bring_in(operation, by="sue", now=NOW) == 0
    with pytest.raises(Unfit, match="in it already"):
        made.add(operation, "Mair Example", "victim", by="sue", now=NOW)
    (place,) = made.scope(operation, NOW)
    made.take_out(operation, place.id, by="sue", now=NOW)
    assert made.bring_in(operation, by="sue", now=NOW) == 0
