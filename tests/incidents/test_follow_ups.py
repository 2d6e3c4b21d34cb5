"""Follow-ups: made, passed on, put off and closed, each told on the timeline and in the audit."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from config.follow_ups import read_follow_ups
from config.roles import read_roles
from incidents.accounts import Accounts
from incidents.audit import Audit
from incidents.follow_ups import FollowUps, NoSuchFollowUp
from incidents.roles import Roles
from incidents.store import NoSuchIncident
from incidents.tables import audit, follow_ups, incidents, users
from incidents.transactions import reading, writing
from incidents.working import Conflict, Unfit
from tests.incidents.desks import CONFIG, Room, after
from tests.incidents.joining import joined
from tests.incidents.making import KEYS, NOW, Caller

TEXT = "Mair is alone on weekday mornings"
DUE = NOW + timedelta(days=2)


@pytest.fixture
def room(tmp_path: Path, store_url: str) -> Room:
    """A control room over each kind of store, with two officers, a handler and an auditor."""
    room = Room.at(tmp_path, store_url)
    store, roles = room.machine.store, _roles()
    accounts = Accounts(store.engine, KEYS, roles, audit=Audit(store.engine, KEYS))
    for name, role in (
        ("cara", "contact_officer"),
        ("dan", "contact_officer"),
        ("anna", "handler"),
        ("olga", "auditor"),
    ):
        joined(accounts, name, role, now=NOW)
    return room


@pytest.fixture
def work(room: Room) -> FollowUps:
    """The follow-ups of that room."""
    store = room.machine.store
    kinds = read_follow_ups(_table("follow_ups.toml"))
    return FollowUps(store, KEYS, Audit(store.engine, KEYS), kinds, _roles())


def _table(name: str) -> dict[str, object]:
    return tomllib.loads((CONFIG / name).read_text(encoding="utf-8"))


def _roles() -> Roles:
    return read_roles(_table("roles.toml"))


def made(work: FollowUps, caller: Caller, **facts: Any) -> str:
    """Have anna make a visit for cara."""
    given: dict[str, Any] = {"owner": "cara", "due_at": DUE, "by": "anna", "now": NOW, **facts}
    return work.make("visit_victim", TEXT, reference=caller.reference, **given)


def test_one_lives_from_its_making_to_its_close(room: Room, work: FollowUps) -> None:
    """Made for an officer, passed on, given another time, closed with an outcome."""
    caller = room.waiting()
    row = made(work, caller)
    assert [one.id for one in work.of_owner("cara").shown] == [row]
    work.pass_on(row, "dan", "cara is away", by="anna", now=after(10))
    assert work.of_owner("cara").count == 0
    later = DUE + timedelta(days=1)
    work.put_off(row, later, "nobody in this morning", by="dan", now=after(20))
    work.close(row, "seen_support_told", "has the numbers now", by="dan", now=after(30))
    found = work.one(row)
    assert (found.text, found.owner, found.due_at) == (TEXT, "dan", later)
    assert (found.outcome, found.said) == ("seen_support_told", "has the numbers now")
    assert (found.closed_by, found.closed_at, found.created_by) == ("dan", after(30), "anna")
    assert [(one.what, one.came, one.went, one.by) for one in found.moves] == [
        ("owner", "cara", "dan", "anna"),
        ("time", "2026-12-24T18:03:11.042Z", "2026-12-25T18:03:11.042Z", "dan"),
    ]
    assert work.of_owner("dan").shown == ()
    assert [one.id for one in work.of_call(caller.reference)] == [row]


def test_every_change_stands_on_the_timeline_and_in_the_audit(room: Room, work: FollowUps) -> None:
    """Who, what, for whom and why; the audit names the call, and no words about a person."""
    caller = room.waiting()
    row = made(work, caller)
    work.pass_on(row, "dan", "cara is away", by="anna", now=after(10))
    work.close(row, "not_needed", "", by="dan", now=after(30))
    told = [
        (one.kind, one.data)
        for one in room.machine.store.timeline(caller.reference)
        if one.kind.startswith("follow_up")
    ]
    what = "Visit the victim"
    due = "2026-12-24T18:03:11.042Z"
    assert told == [
        ("follow_up_made", {"by": "anna", "what": what, "owner": "cara", "due": due}),
        (
            "follow_up_moved",
            {"by": "anna", "what": what, "reason": "cara is away", "owner": "dan"},
        ),
        ("follow_up_closed", {"by": "dan", "what": what, "outcome": "No longer needed"}),
    ]
    with reading(room.machine.store.engine) as connection:
        query = select(audit.c.actor, audit.c.operation, audit.c.what, audit.c.record)
        logged = connection.execute(query.where(audit.c.what.like("%follow-up%"))).all()
    assert [tuple(one) for one in logged] == [
        ("anna", "collection", "made a follow-up", caller.reference),
        ("anna", "alteration", "changed the owner of a follow-up", caller.reference),
        ("dan", "alteration", "closed a follow-up", caller.reference),
    ]


def test_the_screens_learn_that_the_call_changed(room: Room, work: FollowUps) -> None:
    """An open page of the call shows the new entry: the incident has a new revision."""
    caller = room.waiting()
    query = select(incidents.c.revision)
    with reading(room.machine.store.engine) as connection:
        before = connection.scalar(query)
    made(work, caller)
    with reading(room.machine.store.engine) as connection:
        after_it = connection.scalar(query)
    assert before is not None
    assert after_it == before + 1


def test_what_is_to_be_done_does_not_stand_in_the_clear(room: Room, work: FollowUps) -> None:
    """Whoever steals the database learns nothing of it."""
    row = made(work, room.waiting())
    work.put_off(row, DUE, "Mair asked for it", by="cara", now=after(1))
    with reading(room.machine.store.engine) as connection:
        stored = connection.execute(select(follow_ups)).one()
    assert "Mair" not in repr(stored)


def test_without_a_time_it_is_due_as_its_kind_says(room: Room, work: FollowUps) -> None:
    """Three days for a visit; it needs no call."""
    row = work.make("visit_victim", TEXT, owner="cara", due_at=None, by="cara", now=NOW)
    found = work.one(row)
    assert (found.due_at, found.reference) == (NOW + timedelta(days=3), None)


def test_overdue_is_what_is_open_and_late_the_longest_first(room: Room, work: FollowUps) -> None:
    """What is closed is on no such list, and what is due at this very moment is not late yet."""
    caller = room.waiting()
    days = [NOW + timedelta(days=days) for days in (3, 1, 2, 1)]
    rows = [made(work, caller, due_at=due) for due in days]
    work.close(rows[3], "not_in", "", by="cara", now=after(5))
    listed = work.overdue(NOW + timedelta(days=3))
    assert [one.id for one in listed.shown] == [rows[1], rows[2]]
    assert listed.count == 2
    assert listed.shown[0].late(NOW + timedelta(days=3))


@pytest.mark.parametrize("outcome", ["", "spoken", "closed"])
def test_it_cannot_be_closed_without_an_outcome_of_its_kind(
    room: Room, work: FollowUps, outcome: str
) -> None:
    """Not with none, and not with another kind's."""
    row = made(work, room.waiting())
    with pytest.raises(Unfit) as refused:
        work.close(row, outcome, "done", by="cara", now=after(5))
    assert refused.value.field == "outcome"
    assert work.one(row).closed_at is None


def test_what_is_closed_stays_as_it_is(room: Room, work: FollowUps) -> None:
    """The second to close it is told who was first."""
    row = made(work, room.waiting())
    work.close(row, "not_in", "", by="cara", now=after(5))
    with pytest.raises(Conflict, match="cara closed it already"):
        work.close(row, "not_needed", "", by="dan", now=after(6))
    with pytest.raises(Conflict):
        work.pass_on(row, "dan", "a reason", by="anna", now=after(6))
    with pytest.raises(Conflict):
        work.put_off(row, DUE, "a reason", by="anna", now=after(6))


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"owner": "olga"}, "owner"),
        ({"owner": "nobody"}, "owner"),
        ({"due_at": NOW - timedelta(seconds=1)}, "due"),
        ({"due_at": NOW + timedelta(days=367)}, "due"),
    ],
)
def test_one_nobody_could_do_is_refused(
    room: Room, work: FollowUps, facts: dict[str, object], field: str
) -> None:
    """An owner whose role does not work with people, and a time that is over or far away."""
    with pytest.raises(Unfit) as refused:
        made(work, room.waiting(), **facts)
    assert refused.value.field == field


def test_changes_need_a_reason_and_change_something(room: Room, work: FollowUps) -> None:
    """Somebody reads later why it was not done in time."""
    row = made(work, room.waiting())
    for change in (
        lambda: work.pass_on(row, "dan", " ", by="anna", now=after(1)),
        lambda: work.pass_on(row, "cara", "a reason", by="anna", now=after(1)),
        lambda: work.put_off(row, DUE, "", by="anna", now=after(1)),
        lambda: work.make("walk", TEXT, owner="cara", due_at=DUE, by="anna", now=NOW),
        lambda: work.make("referral", "", owner="cara", due_at=DUE, by="anna", now=NOW),
    ):
        with pytest.raises(Unfit):
            change()
    assert work.one(row).moves == ()


def test_what_nobody_knows_is_said(room: Room, work: FollowUps) -> None:
    """A follow-up, and a call."""
    with pytest.raises(NoSuchFollowUp):
        work.one("nothing")
    with pytest.raises(NoSuchIncident):
        made(work, Caller())


def test_owners_are_those_who_work_with_people(work: FollowUps) -> None:
    """An auditor owns none."""
    assert list(work.owners()) == ["anna", "cara", "dan"]


def test_a_leaver_s_open_ones_pass_to_whoever_is_named(room: Room, work: FollowUps) -> None:
    """What is closed stays theirs; each says that it was passed on, and why."""
    caller = room.waiting()
    kept, shut = made(work, caller), made(work, caller)
    work.close(shut, "not_in", "", by="cara", now=after(5))
    assert work.leaver("cara", "dan", by="kim", now=after(10)) == 1
    assert [one.id for one in work.of_owner("dan").shown] == [kept]
    (move,) = work.one(kept).moves
    assert (move.came, move.went, move.by) == ("cara", "dan", "kim")
    assert work.one(shut).owner == "cara"
    assert work.leaver("cara", "dan", by="kim", now=after(20)) == 0


def test_with_nobody_named_they_are_nobody_s(room: Room, work: FollowUps) -> None:
    """They stand on the supervisors' list; so do those of an account ended in any other way."""
    first = made(work, room.waiting())
    work.leaver("cara", None, by="kim", now=after(10))
    assert [one.id for one in work.nobodys().shown] == [first]
    second = made(work, room.waiting(), owner="dan")
    with writing(room.machine.store.engine) as connection:
        connection.execute(update(users).where(users.c.name == "dan").values(disabled_at=NOW))
    listed = work.nobodys()
    assert ({one.id for one in listed.shown}, listed.count) == ({first, second}, 2)
    assert work.counts("anna", NOW, DUE).unowned == 2


@pytest.mark.parametrize("to", ["cara", "olga", "nobody-here"])
def test_a_leaver_s_pass_to_nobody_unfit(room: Room, work: FollowUps, to: str) -> None:
    """Not to the leaver, an auditor, or a name nobody has; then nothing moves."""
    row = made(work, room.waiting())
    with pytest.raises(Unfit):
        work.leaver("cara", to, by="kim", now=after(10))
    assert work.one(row).owner == "cara"
