"""Follow-ups made by rule: for the right calls, for the right officer, exactly once."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, select, update

from config.follow_ups import read_follow_ups
from config.policy import load_policy
from config.roles import read_roles
from config.settings import load
from incidents.accounts import Accounts
from incidents.audit import Audit
from incidents.contacts import Contacts
from incidents.follow_up_kinds import FollowUp, New
from incidents.follow_up_rules import Rule, When
from incidents.follow_ups import FollowUps
from incidents.numbers import number_row
from incidents.persons import Persons
from incidents.rule_turns import PLACE, RuleTurns
from incidents.tables import (
    drained,
    follow_ups,
    incidents,
    numbers,
    parts,
    people,
    person_numbers,
)
from incidents.transactions import StoreUnavailable, reading, writing
from tests.incidents.desks import ANNA, CONFIG, Room, after
from tests.incidents.joining import joined
from tests.incidents.making import KEYS, NOW, Caller
from tests.incidents.spoiling import spoilt
from tests.incidents.test_reviewing import reviewing

VICTIMS: str = "+447700900401"
LONDON = ZoneInfo("Europe/London")


def table(name: str) -> dict[str, Any]:
    """A policy file as it is delivered."""
    return tomllib.loads((CONFIG / name).read_text("utf-8"))


ROLES = read_roles(table("roles.toml"))
KINDS = read_follow_ups(table("follow_ups.toml"))
SILENT = Rule(
    "silent",
    When(states=("review",), repeat_victim=True),
    "review_call",
    "Look at it",
    timedelta(hours=12),
    "spoc",
)
NEEDED = Rule(
    "needed",
    When(states=("closed",), outcomes=("follow_up_needed",)),
    "safe_call",
    "Find out",
    timedelta(hours=24),
    "handler",
)


@pytest.fixture
def room(tmp_path: Path, store_url: str) -> Room:
    """A control room over each kind of store, with two officers and a handler."""
    room = Room.at(tmp_path, store_url)
    store = room.machine.store
    accounts = Accounts(store.engine, KEYS, ROLES, audit=Audit(store.engine, KEYS))
    for name, role in (
        ("cara", "contact_officer"),
        ("dan", "contact_officer"),
        ("anna", "handler"),
    ):
        joined(accounts, name, role, now=NOW)
    return room


class Made(FollowUps):
    """Follow-ups whose making fails as the test says: before or after it is written."""

    fails: BaseException | None = None
    only: str = ""

    def put(self, connection: Connection, made: New, *, by: str, now: datetime) -> str:
        """Make one, and then fail."""
        row = super().put(connection, made, by=by, now=now)
        if self.fails is not None and self.only in ("", made.call_key):
            raise self.fails
        return row


def work(room: Room) -> Made:
    """The follow-ups of that room."""
    store = room.machine.store
    return Made(store, KEYS, Audit(store.engine, KEYS), KINDS, ROLES)


def engine(room: Room, *given: Rule, made: Made | None = None) -> RuleTurns:
    """An engine that begins."""
    store = room.machine.store
    applied = given or (SILENT, NEEDED)
    return RuleTurns(
        store, KEYS, made or work(room), ROLES, applied, LONDON, clock=lambda: after(3600)
    )


def turn(room: Room, *given: Rule) -> Sequence[FollowUp]:
    """Have a fresh engine take a turn; returns every follow-up there is."""
    engine(room, *given).turn(0)
    return everything(room)


def everything(room: Room) -> Sequence[FollowUp]:
    """Every follow-up there is."""
    with reading(room.machine.store.engine) as connection:
        ids = connection.scalars(select(follow_ups.c.id).order_by(follow_ups.c.id)).all()
    return [work(room).one(one) for one in ids]


def victim(room: Room, name: str = "Mair", *, repeat: bool = True, number: str = VICTIMS) -> str:
    """Put a person with a number on record."""
    store = room.machine.store
    audit = Audit(store.engine, KEYS)
    person = Persons(store, KEYS, audit).add(name, by="cara", now=NOW, repeat=repeat)
    with writing(store.engine) as connection:
        row = number_row(connection, KEYS, number, NOW)
        connection.execute(
            person_numbers.insert().values(
                id=person, person_id=person, number_id=row, data=b"", by="cara", at=NOW
            )
        )
    return person


def appoint(room: Room, person: str, spoc: str) -> None:
    """Give a person a SPOC."""
    store = room.machine.store
    contacts = Contacts(store, KEYS, Audit(store.engine, KEYS), ROLES)
    contacts.assign(person, spoc, by="sue", now=NOW, day=date(2026, 12, 22))


def silent(room: Room, number: str = VICTIMS, began: datetime = NOW) -> Caller:
    """Have a call end without a sign."""
    caller = Caller(number=number, began=began)
    room.machine.drained(caller.arrives(), caller.hangs_up(began + timedelta(seconds=60)))
    return caller


def test_a_call_whose_number_cannot_be_read_holds_up_no_other(room: Room) -> None:
    """It is followed up as well: by the person, who is found by the number's hash."""
    people_ = [victim(room), victim(room, "Ann", number="+447700900402")]
    for person in people_:
        appoint(room, person, "cara")
    store = room.machine.store
    silent(room)
    silent(room, "+447700900402")
    theirs = numbers.c.look_up == KEYS.look_up(f"number|{VICTIMS}")
    with spoilt(store, numbers.c.number, theirs):
        assert {one.person_id for one in turn(room)} == set(people_)


def test_a_list_of_follow_ups_opens_although_one_cannot_be_read(room: Room) -> None:
    """It stands there all the same, with whose it is and when it is due."""
    person = victim(room)
    appoint(room, person, "cara")
    silent(room)
    silent(room, began=NOW + timedelta(minutes=40))
    one, other = turn(room)
    store = room.machine.store
    with (
        spoilt(store, follow_ups.c.data, follow_ups.c.id == one.id),
        spoilt(store, people.c.name, people.c.id == person),
    ):
        listed = work(room).of_owner("cara").shown
        assert {one.text for one in listed} == {"(cannot be read)", other.text}
        assert work(room).names(listed) == {person: "(cannot be read)"}


def closed(room: Room, outcome: str) -> Caller:
    """Have anna close a call."""
    caller = room.claimed(ANNA)
    room.hangs_up(caller)
    room.desk.close(caller.reference, outcome, by=ANNA, now=after(40))
    return caller


def test_a_repeat_victim_s_silent_call_is_their_officer_s_to_look_at(room: Room) -> None:
    """Due when the rule says, with what is to be done, on the call's timeline."""
    mair = victim(room)
    appoint(room, mair, "cara")
    caller = silent(room)
    (made,) = turn(room)
    assert (made.kind, made.owner, made.person_id) == ("review_call", "cara", mair)
    assert (made.text, made.rule, made.created_by) == ("Look at it", "silent", "rule")
    assert made.due_at == after(3600) + timedelta(hours=12)
    assert made.reference == caller.reference
    assert len(room.entries(caller, "follow_up_made")) == 1
    assert work(room).of_owner("cara").count == 1


def test_without_somebody_who_acts_it_is_nobody_s_and_stands_on_the_list(room: Room) -> None:
    """A supervisor gives it to somebody."""
    victim(room)
    silent(room)
    (made,) = turn(room)
    assert made.owner is None
    listed = work(room).nobodys()
    assert ([one.id for one in listed.shown], listed.count) == ([made.id], 1)
    work(room).pass_on(made.id, "dan", "he knows her", by="sue", now=after(3700))
    assert work(room).nobodys().count == 0


def test_calls_that_are_none_of_a_rule_s_make_nothing(room: Room) -> None:
    """No repeat victim, another number, another outcome."""
    victim(room, repeat=False)
    silent(room)
    silent(room, "+447700900499")
    closed(room, "no_trace")
    assert turn(room) == []


def test_a_proof_call_never_makes_one(room: Room) -> None:
    """Whatever the rule says: nobody rang."""
    proof = Caller(purpose="proof")
    room.machine.drained(proof.arrives(), proof.hangs_up())
    real = silent(room)
    every = replace(SILENT, when=When(states=("review",)))
    assert [one.reference for one in turn(room, every)] == [real.reference]


def test_whoever_closed_a_call_as_needing_a_follow_up_has_it(room: Room) -> None:
    """A handler's work goes on in their own day."""
    closed(room, "follow_up_needed")
    (made,) = turn(room)
    assert (made.kind, made.owner, made.person_id) == ("safe_call", "anna", None)


def test_a_follow_up_without_a_condition_on_people_names_the_one_who_may_call(room: Room) -> None:
    """With two it names nobody: it does not guess."""
    mair = victim(room)
    silent(room)
    plain = replace(SILENT, id="plain", when=When(states=("review",)))
    (made,) = turn(room, plain)
    assert made.person_id == mair
    victim(room, "Ceri")
    silent(room)
    assert {one.person_id for one in turn(room, plain)} == {mair, None}


def test_each_person_whose_part_fits_gets_one(room: Room) -> None:
    """A confirmed victim, and not the suspect."""
    caller = silent(room, "+447700900499")
    persons = {
        part: victim(room, part, number=f"+44770090048{nth}")
        for nth, part in enumerate(("victim", "suspect"))
    }
    with writing(room.machine.store.engine) as connection:
        for part, person in persons.items():
            connection.execute(
                parts.insert().values(
                    id=part,
                    call_key=caller.key,
                    person_id=person,
                    part=part,
                    state="confirmed",
                    by="anna",
                    at=NOW,
                )
            )
    given = replace(SILENT, when=When(states=("review",), parts=("victim",)))
    assert [one.person_id for one in turn(room, given)] == [persons["victim"]]


def test_it_is_made_once_however_often_it_is_asked(room: Room) -> None:
    """By the same engine and by the next, when the call changes, and when it lost its place."""
    mair = victim(room)
    caller = silent(room)
    first = engine(room)
    for _ in range(2):
        first.turn(0)
    room.desk.note(caller.reference, "looked at the number", by=ANNA, now=after(100))
    first.turn(0)
    assert len(turn(room)) == 1
    with writing(room.machine.store.engine) as connection:
        connection.execute(drained.delete().where(drained.c.segment == PLACE))
    (made,) = turn(room)
    work(room).close(made.id, "no_concern", "", by="cara", now=after(4000))
    room.desk.note(caller.reference, "and again", by=ANNA, now=after(4100))
    assert len(turn(room)) == 1
    assert made.person_id == mair


def test_two_rows_merged_into_one_person_do_not_make_a_second(room: Room) -> None:
    """It was made for one of them: that is the same person now."""
    mair = victim(room)
    caller = silent(room)
    turn(room)
    other = victim(room, "Mair P", number="+447700900488")
    with writing(room.machine.store.engine) as connection:
        connection.execute(update(people).where(people.c.id == mair).values(merged_into=other))
    room.desk.note(caller.reference, "known", by=ANNA, now=after(100))
    assert [one.person_id for one in turn(room)] == [mair]


@pytest.mark.parametrize("wrong", [KeyboardInterrupt(), StoreUnavailable("gone")])
def test_an_engine_killed_in_between_makes_it_once_all_the_same(
    room: Room, wrong: BaseException
) -> None:
    """Nothing of the first try stays, neither the follow-up nor its entry; the next makes it."""
    victim(room)
    caller = silent(room)
    made = work(room)
    made.fails = wrong
    with pytest.raises(type(wrong)):
        engine(room, made=made).turn(0)
    assert everything(room) == []
    assert len(turn(room)) == 1
    assert len(room.entries(caller, "follow_up_made")) == 1


def test_two_engines_at_once_make_one(room: Room) -> None:
    """The database decides, on both kinds."""
    victim(room)
    for _ in range(3):
        silent(room)
    ready = threading.Barrier(2)
    wrong: list[BaseException] = []

    def run() -> None:
        turns = engine(room)
        ready.wait()
        try:
            turns.turn(0)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    made = everything(room)
    assert len(made) == len({one.reference for one in made}) == 3


def test_one_call_that_fails_holds_up_no_other_and_is_told(room: Room) -> None:
    """An alarm names it, until it could be followed up."""
    victim(room)
    bad, good = silent(room), silent(room)
    made = work(room)
    made.fails, made.only = ValueError("planted"), bad.key
    turns = engine(room, made=made)
    turns.turn(0)
    assert [one.reference for one in everything(room)] == [good.reference]
    (alarm,) = turns.alarms()
    assert bad.reference in alarm["text"]
    made.fails = None
    room.desk.note(bad.reference, "again", by=ANNA, now=after(100))
    turns.turn(0)
    assert turns.alarms() == []
    assert len(everything(room)) == 2


def test_what_ended_before_there_were_rules_is_left_to_people(room: Room) -> None:
    """On its first turn an engine begins with the calls of the last day; later with its place."""
    victim(room)
    silent(room, began=NOW - timedelta(days=3))
    fresh = silent(room)
    assert [one.reference for one in turn(room)] == [fresh.reference]
    late = silent(room, began=NOW - timedelta(days=2))
    assert {one.reference for one in turn(room)} == {fresh.reference, late.reference}


def test_the_review_queue_gives_its_follow_ups_to_whoever_decided(room: Room) -> None:
    """Closed there without a claim: the reviewer is who had it."""
    caller = silent(room, "+447700900499")
    reviewing(room).decide(caller.reference, "follow_up", seen="", by=ANNA, now=after(600))
    (made,) = turn(room)
    assert (made.owner, made.reference) == ("anna", caller.reference)


def test_the_delivered_rules_follow_up_a_contact_line_call(room: Room) -> None:
    """Whatever became of it: a call on that line always leaves a follow-up."""
    settings = load({"QUIETLINE_DATA": str(room.machine.data)}, room.machine.data)
    delivered = load_policy(settings).follow_up_rules
    mair = victim(room)
    appoint(room, mair, "dan")
    caller = silent(room)
    with writing(room.machine.store.engine) as connection:
        connection.execute(
            update(incidents).where(incidents.c.call_key == caller.key).values(line="contact")
        )
    made = {one.rule: one for one in turn(room, *delivered)}
    assert set(made) == {"contact_line", "repeat_victim_silent"}
    there = made["contact_line"]
    assert (there.kind, there.owner, there.person_id) == ("safe_call", "dan", mair)


def test_whoever_typed_their_code_is_the_person_of_the_follow_up(room: Room) -> None:
    """On the contact line, from a withheld number: it is their officer's all the same."""
    mair = victim(room)
    appoint(room, mair, "dan")
    caller = Caller(number=None, withheld=True)
    told: dict[str, Any] = {"line": "contact", "person": mair, "how": "code"}
    arrives = replace(caller.arrives(), data={**caller.arrives().data, **told})
    typed = caller.event("code_typed", 1, content="code", **told)
    room.machine.drained(arrives, typed, caller.hangs_up())
    rule = replace(SILENT, id="line", when=When(lines=("contact",), connections=("dropped",)))
    (made,) = turn(room, rule)
    assert (made.owner, made.person_id) == ("dan", mair)
