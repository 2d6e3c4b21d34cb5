"""The review queue: what stands first, what a decision does, two people on one call, the sample."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from config.grades import read_grades
from config.review import read_review
from incidents.audit import Audit
from incidents.desk import Actor
from incidents.fold import Incident
from incidents.review_policy import Review
from incidents.reviewing import Queued, Reviewing
from incidents.second_look import SecondLook
from incidents.tables import audit, reviews
from incidents.transactions import reading
from incidents.working import Conflict, Unfit
from tests.incidents.desks import ANNA, BEN, CONFIG, SUE, Room, after, rules
from tests.incidents.making import KEYS, NOW, Caller
from tests.incidents.spoiling import spoilt

LATER = NOW + timedelta(minutes=10)


def policy(percent: int = 0) -> Review:
    """The delivered decisions, of which ``percent`` are looked at twice."""
    tables = [
        tomllib.loads((CONFIG / name).read_text("utf-8")) for name in ("review.toml", "grades.toml")
    ]
    return replace(read_review(tables[0], read_grades(tables[1])), second_look_percent=percent)


@pytest.fixture
def room(tmp_path: Path, store_url: str) -> Room:
    """A control room over each kind of store."""
    return Room.at(tmp_path, store_url)


def reviewing(room: Room, percent: int = 0) -> Reviewing:
    """The queue of that room."""
    store = room.machine.store
    return Reviewing(store, KEYS, Audit(store.engine, KEYS), rules(), policy(percent))


def second(room: Room) -> SecondLook:
    """The second looks of that room."""
    store = room.machine.store
    return SecondLook(store, KEYS, Audit(store.engine, KEYS), rules(), policy(100))


def silent(room: Room, number: str = "+447700900201", ago: float = 0) -> Caller:
    """Have a call end without a sign, which began ``ago`` minutes before the tests' now."""
    caller = Caller(number=number, began=NOW - timedelta(minutes=ago))
    room.machine.drained(caller.arrives(), caller.hangs_up())
    return caller


def listed(room: Room, now: datetime = LATER) -> list[Queued]:
    """The queue."""
    return list(reviewing(room).queue(now, limit=50).shown)


def order(room: Room, now: datetime = LATER) -> list[str]:
    """The references of the queue."""
    return [one.incident.reference for one in listed(room, now)]


def after_all(room: Room, caller: Caller) -> Incident:
    """The incident of a call as it stands."""
    return room.machine.incident(caller)


def test_the_overdue_come_first_then_urgency_then_repeats_then_the_oldest(room: Room) -> None:
    """The next-best order: within the hour, who called again is more urgent than who called once;
    of as urgent numbers the one that called most."""
    late = silent(room, "+447700900201", ago=70)
    once = silent(room, "+447700900202", ago=20)
    older = silent(room, "+447700900203", ago=30)
    first, again = (silent(room, "+447700900204", ago=ago) for ago in (25, 5))
    expected = [late, again, first, older, once]
    assert order(room) == [one.reference for one in expected]
    queue = reviewing(room).queue(LATER, limit=2, skip=1)
    assert (queue.count, queue.late) == (5, 1)
    assert [one.incident.reference for one in queue.shown] == [again.reference, first.reference]
    assert [one.same for one in queue.shown] == [2, 2]


def test_withheld_callers_are_never_counted_together(room: Room) -> None:
    """Nobody knows that they are one."""
    for _ in range(2):
        caller = Caller(number=None, withheld=True)
        room.machine.drained(caller.arrives(), caller.hangs_up())
    assert [one.same for one in listed(room)] == [1, 1]


def test_closing_in_review_closes_with_the_outcome_and_leaves_the_queue(room: Room) -> None:
    """Nobody has to claim it; the timeline and the audit say who decided what."""
    caller = silent(room)
    done = reviewing(room).decide(
        caller.reference, "no_concern", "traffic only", seen="", by=ANNA, now=LATER
    )
    assert (done.incident.state, done.incident.outcome) == ("closed", "no_concern")
    assert (done.incident.closed_at, done.incident.handler) == (LATER, None)
    assert order(room) == []
    told = room.entries(caller, "reviewed")
    assert [one.data for one in told] == [
        {"by": "anna", "decision": "No concern found", "text": "traffic only"}
    ]
    assert len(room.entries(caller, "closed")) == 1
    with reading(room.machine.store.engine) as connection:
        logged = connection.execute(
            select(audit.c.actor, audit.c.what).where(audit.c.record == caller.reference)
        ).all()
        kept = connection.scalar(select(reviews.c.data))
    assert [tuple(one) for one in logged] == [("anna", "decided on a call in review")]
    assert kept is not None
    assert b"traffic" not in kept
    last = reviewing(room).last(caller.reference)
    assert last is not None
    assert (last.by, last.decision, last.said) == ("anna", "no_concern", "traffic only")


def test_raising_has_a_handler_look_soon(room: Room) -> None:
    """Rules 2 and 8: it waits, at urgency 2, and is not in the queue any more."""
    caller = silent(room)
    reviewing(room).decide(caller.reference, "raise", seen="", by=ANNA, now=LATER)
    found = after_all(room, caller)
    assert (found.state, found.urgency) == ("waiting", 2)
    assert order(room) == []
    waiting = room.machine.store.incidents(state="waiting")[0]
    assert [one.reference for one in waiting] == [caller.reference]


def test_a_call_raised_in_review_waits_though_the_machine_raises_it_as_far(room: Room) -> None:
    """Two more silent calls make the machine say SOON as well: it must not fall back into review;
    nor does a call that stood at SOON in review stay there when a person raises it."""
    callers = [silent(room, ago=ago) for ago in (3, 2)]
    reviewing(room).decide(callers[1].reference, "raise", seen="", by=ANNA, now=LATER)
    earlier = silent(room, ago=4)
    raised = after_all(room, callers[1])
    assert (raised.state, raised.urgency) == ("waiting", 2)
    assert callers[1].reference not in order(room)
    third = silent(room, ago=1)
    assert third.reference in order(room)
    assert after_all(room, third).urgency == 2
    reviewing(room).decide(third.reference, "raise", seen="", by=ANNA, now=LATER)
    assert after_all(room, third).state == "waiting"
    assert sorted(order(room)) == sorted(one.reference for one in (callers[0], earlier))


def test_an_old_call_raised_in_review_is_on_the_board(room: Room) -> None:
    """However long ago it was: a board begun afterwards shows it."""
    caller = silent(room, ago=3 * 24 * 60)
    assert room.machine.store.board(LATER) == []
    reviewing(room).decide(caller.reference, "raise", seen="", by=ANNA, now=LATER)
    assert [one.reference for one in room.machine.store.board(LATER)] == [caller.reference]


def test_kept_for_later_it_stands_last_and_then_first(room: Room) -> None:
    """It says who keeps it and until when; nothing is forgotten."""
    kept, other = silent(room, "+447700900201"), silent(room, "+447700900202")
    reviewing(room).decide(kept.reference, "later", seen="", by=ANNA, now=LATER)
    assert order(room) == [other.reference, kept.reference]
    shown = listed(room)[1]
    assert (shown.kept_by, shown.due_at) == ("anna", LATER + timedelta(minutes=30))
    back = LATER + timedelta(minutes=31)
    assert order(room, back) == [kept.reference, other.reference]
    assert [one.late for one in listed(room, back)] == [True, False]
    entry = room.entries(kept, "reviewed")[0]
    assert entry.data["until"] == "2026-12-22T18:43:11.042Z"


@pytest.mark.parametrize("first", ["no_concern", "raise", "later"])
def test_the_second_reviewer_is_told_who_decided(room: Room, first: str) -> None:
    """Whatever it was: what they saw is not what stands now."""
    caller, desk = silent(room), reviewing(room)
    desk.decide(caller.reference, first, seen="", by=ANNA, now=LATER)
    with pytest.raises(Conflict, match=r"^anna decided on this call 2 seconds ago: "):
        desk.decide(
            caller.reference, "accidental", seen="", by=BEN, now=LATER + timedelta(seconds=2)
        )
    with reading(room.machine.store.engine) as connection:
        assert connection.scalars(select(reviews.c.by)).all() == ["anna"]


def test_of_two_who_decide_at_once_one_does(room: Room) -> None:
    """The database decides, on both kinds."""
    caller, told = silent(room), []
    ready = threading.Barrier(2)

    def decide(by: Actor, decision: str) -> None:
        desk = reviewing(room)
        ready.wait()
        try:
            desk.decide(caller.reference, decision, seen="", by=by, now=LATER)
            told.append("done")
        except Conflict as conflict:
            told.append(str(conflict))

    threads = [
        threading.Thread(target=decide, args=args)
        for args in ((ANNA, "later"), (BEN, "no_concern"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told)[1] == "done"
    assert "decided on this call" in sorted(told)[0]


def test_a_call_raised_by_anybody_or_claimed_leaves_the_queue(room: Room) -> None:
    """And whoever has it open is told."""
    raised, claimed = silent(room, "+447700900201"), silent(room, "+447700900202")
    room.desk.urgency(raised.reference, 3, by=BEN, now=LATER)
    room.desk.claim(claimed.reference, by=BEN, now=LATER)
    assert order(room) == []
    desk = reviewing(room)
    with pytest.raises(Conflict, match="it waits for a handler"):
        desk.decide(raised.reference, "no_concern", seen="", by=ANNA, now=LATER)
    with pytest.raises(Conflict, match="ben has this call"):
        desk.decide(claimed.reference, "no_concern", seen="", by=ANNA, now=LATER)


def test_a_55_that_comes_late_takes_a_reviewed_call_out(room: Room) -> None:
    """Rule 5: it alerts again, closed or not."""
    caller = silent(room)
    reviewing(room).decide(caller.reference, "no_concern", seen="", by=ANNA, now=LATER)
    pressed = replace(caller.presses("55", step=9), at=LATER + timedelta(minutes=1))
    room.machine.drained(pressed)
    found = after_all(room, caller)
    assert (found.state, found.urgency) == ("waiting", 1)


def test_a_decision_nobody_offers_and_endless_words_are_refused(room: Room) -> None:
    """By their fields."""
    caller, desk = silent(room), reviewing(room)
    for decision, said, field in (("drop", "", "decision"), ("raise", "x" * 1001, "said")):
        with pytest.raises(Unfit) as refused:
            desk.decide(caller.reference, decision, said, seen="", by=ANNA, now=LATER)
        assert refused.value.field == field
    assert order(room) == [caller.reference]


def test_the_sample_is_the_share_that_was_asked_for_and_never_changes(room: Room) -> None:
    """By a keyed hash of the call: nobody can tell beforehand which call is looked at twice."""
    desk, again = reviewing(room, 10), reviewing(room, 10)
    none, every = reviewing(room, 0), reviewing(room, 100)
    calls = [f"{one:040x}" for one in range(3000)]
    share = [call for call in calls if desk._sampled(call)]
    assert 240 <= len(share) <= 360
    assert share == [call for call in calls if again._sampled(call)]
    assert not any(none._sampled(call) for call in calls)
    assert all(every._sampled(call) for call in calls)


def reviewed(room: Room, by: Actor = ANNA, number: str = "+447700900201") -> Caller:
    """Have somebody close a call in review that is to be looked at twice."""
    caller = silent(room, number)
    reviewing(room, 100).decide(
        caller.reference, "no_concern", "quiet road", seen="", by=by, now=LATER
    )
    return caller


def test_a_second_look_that_agrees_leaves_the_call_closed(room: Room) -> None:
    """It is not asked again."""
    caller, looks = reviewed(room), second(room)
    waiting, count = looks.waiting("sue", limit=10)
    assert ([one.incident.reference for one in waiting], count) == ([caller.reference], 1)
    assert (waiting[0].decided.by, waiting[0].decided.said) == ("anna", "quiet road")
    looks.look(caller.reference, "agrees", by=SUE, now=after(700))
    assert after_all(room, caller).state == "closed"
    assert looks.waiting("sue", limit=10) == ([], 0)
    assert room.entries(caller, "reviewed_again")[0].data["finding"] == "agrees"


def test_second_looks_are_listed_although_one_cannot_be_read(room: Room) -> None:
    """What was said is missing; the call is there."""
    caller, store = reviewed(room), room.machine.store
    with spoilt(store, reviews.c.data, reviews.c.call_key == caller.key):
        ((one,), _) = second(room).waiting("sue", limit=10)
        last = reviewing(room).last(caller.reference)
    assert (one.decided.by, one.decided.said) == ("anna", "(cannot be read)")
    assert last == one.decided


def test_a_second_look_that_differs_puts_the_call_back_to_the_handlers(room: Room) -> None:
    """At urgency 2, with the reason on the timeline."""
    caller, looks = reviewed(room), second(room)
    looks.look(caller.reference, "differs", "a child is heard", by=SUE, now=after(700))
    found = after_all(room, caller)
    assert (found.state, found.urgency, found.outcome) == ("waiting", 2, None)
    assert room.entries(caller, "reviewed_again")[0].data["text"] == "a child is heard"
    assert order(room) == []
    with reading(room.machine.store.engine) as connection:
        row = connection.execute(select(reviews)).one()
    assert (row.second_by, row.second_decision, row.second_at) == ("sue", "differs", after(700))


def test_nobody_looks_again_at_what_they_decided(room: Room) -> None:
    """Neither offered nor accepted."""
    caller, looks = reviewed(room, by=SUE), second(room)
    assert looks.waiting("sue", limit=10) == ([], 0)
    with pytest.raises(Conflict, match="yourself"):
        looks.look(caller.reference, "agrees", by=SUE, now=after(700))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (
            lambda room, call: second(room).look(call, "agrees", by=BEN, now=after(650)),
            "ben looked at this call",
        ),
        (
            lambda room, call: room.desk.take_over(call, "new facts", by=BEN, now=after(650)),
            "opened again",
        ),
    ],
)
def test_a_second_look_that_comes_too_late_is_told_so(
    room: Room, spoil: Callable[[Room, str], object], told: str
) -> None:
    """Somebody was first, or the call is worked again."""
    caller = reviewed(room)
    spoil(room, caller.reference)
    assert second(room).waiting("sue", limit=10) == ([], 0)
    with pytest.raises(Conflict, match=told):
        second(room).look(caller.reference, "differs", "why", by=SUE, now=after(700))


def test_a_second_look_needs_a_finding_and_a_reason_to_differ(room: Room) -> None:
    """What is raised comes with why; what was not sampled is not looked at."""
    caller, looks = reviewed(room), second(room)
    for finding, field in (("maybe", "finding"), ("differs", "said")):
        with pytest.raises(Unfit) as refused:
            looks.look(caller.reference, finding, by=SUE, now=after(700))
        assert refused.value.field == field
    other = silent(room, "+447700900209")
    reviewing(room, 0).decide(other.reference, "no_concern", seen="", by=ANNA, now=LATER)
    with pytest.raises(Conflict, match="not among those"):
        looks.look(other.reference, "agrees", by=SUE, now=after(700))
