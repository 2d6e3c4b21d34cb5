"""The record: nothing is overwritten, raising is at once, lowering takes two."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incidents.desk import Conflict, Unfit
from incidents.forgetting import forget_requests
from incidents.work import Work
from tests.incidents.desks import ANNA, BEN, SUE, Room, after
from tests.incidents.making import Caller


@pytest.fixture
def room(data, store_url) -> Room:  # type: ignore[no-untyped-def]
    """A room over each kind of store."""
    return Room.at(data, store_url)


def test_a_note_and_a_detail_are_entries(room: Room) -> None:
    """Each with who wrote it; the latest detail counts, and the first stays."""
    caller = room.claimed()
    room.desk.note(caller.reference, " breathing \r\n heard ", by=BEN, now=after(11))
    room.desk.detail(caller.reference, "children", "two", by=ANNA, now=after(12))
    room.desk.detail(caller.reference, "children", "two, upstairs", by=ANNA, now=after(13))
    assert room.entries(caller, "note_added")[0].data == {
        "by": "ben",
        "text": "breathing \n heard",
    }
    texts = [one.data["text"] for one in room.entries(caller, "detail_set")]
    assert texts == ["two", "two, upstairs"]
    with pytest.raises(Unfit, match="field must be one of: heard"):
        room.desk.detail(caller.reference, "ghost", "x", by=ANNA, now=after(14))
    with pytest.raises(Unfit, match="Write the note first"):
        room.desk.note(caller.reference, " \n ", by=ANNA, now=after(14))
    with pytest.raises(Unfit, match="5 too many"):
        room.desk.note(caller.reference, "x" * 4005, by=ANNA, now=after(14))


def test_a_correction_stands_beside_what_it_corrects(room: Room) -> None:
    """What people wrote and what the phone told can both be corrected; neither goes away."""
    caller = room.claimed()
    wrong = room.desk.note(caller.reference, "a man", by=ANNA, now=after(11)).entry
    assert wrong is not None
    folded = room.entries(caller, "keys_pressed")[0].id
    for entry in (wrong, folded):
        room.desk.correct(caller.reference, entry, "a woman", by=ANNA, now=after(12))
    assert room.entries(caller, "note_added")[0].data["text"] == "a man"
    assert [one.data["entry"] for one in room.entries(caller, "corrected")] == [wrong, folded]
    with pytest.raises(Unfit, match="no such entry"):
        room.desk.correct(caller.reference, "nothing", "x", by=ANNA, now=after(13))


def test_a_grade_is_set_at_once_and_lowered_by_two(room: Room) -> None:
    """Rule 3: lowering needs a person, a reason and a second person."""
    caller = room.claimed()
    room.desk.grade(caller.reference, "priority", by=ANNA, now=after(11))
    raised = room.desk.grade(caller.reference, "immediate", by=ANNA, now=after(12))
    assert raised.incident.grade == "immediate"
    assert room.entries(caller, "grade_set")[-1].data["target_seconds"] == 900
    with pytest.raises(Unfit, match="Say why the grade is lowered"):
        room.desk.grade(caller.reference, "none", by=ANNA, now=after(13))
    asked = room.desk.grade(caller.reference, "none", "a child playing", by=ANNA, now=after(14))
    assert asked.pending
    assert asked.incident.grade == "immediate"
    assert room.desk.proposed(caller.reference) == [asked.entry]
    with pytest.raises(Conflict, match="a second person must approve it"):
        room.desk.approve(caller.reference, asked.entry or "", by=ANNA, now=after(15))
    done = room.desk.approve(caller.reference, asked.entry or "", by=SUE, now=after(16))
    assert done.incident.grade == "none"
    assert room.desk.proposed(caller.reference) == []
    with pytest.raises(Conflict, match="sue approved this 1 second ago"):
        room.desk.approve(caller.reference, asked.entry or "", by=BEN, now=after(17))


def test_an_urgency_that_two_lowered_rises_again_with_the_next_key(room: Room) -> None:
    """Machines only raise, and a caller who presses again has asked again."""
    caller = room.claimed()
    with pytest.raises(Unfit, match="Say why the urgency is lowered"):
        room.desk.urgency(caller.reference, 4, by=ANNA, now=after(11))
    asked = room.desk.urgency(caller.reference, 4, "a test call", by=ANNA, now=after(12))
    assert asked.incident.urgency == 1
    done = room.desk.approve(caller.reference, asked.entry or "", by=BEN, now=after(13))
    assert done.incident.urgency == 4
    assert done.incident.reasons[0] == "urgency set by a person"
    listed, _ = room.machine.store.incidents(urgency=4)
    assert [one.reference for one in listed] == [caller.reference]
    room.machine.drained(caller.presses("5", step=30))
    assert room.machine.incident(caller).urgency == 1


def test_a_proposal_is_overtaken_by_what_the_caller_does_next(room: Room) -> None:
    """Nobody lowers on what was known before the last key."""
    caller = room.claimed()
    asked = room.desk.urgency(caller.reference, 3, "quiet now", by=ANNA, now=after(12))
    room.machine.drained(caller.presses("5", step=30))
    with pytest.raises(Conflict, match="look again"):
        room.desk.approve(caller.reference, asked.entry or "", by=BEN, now=after(40))


def test_an_urgency_is_raised_at_once(room: Room) -> None:
    """By one person, without a reason."""
    caller = room.waiting("7")
    done = room.desk.urgency(caller.reference, 1, by=ANNA, now=after(11))
    assert (done.incident.urgency, done.pending) == (1, False)


def test_a_reviewed_call_that_a_person_raises_waits_for_a_handler(room: Room) -> None:
    """Rule 8: who raises it wants it looked at now: it leaves the queue and climbs the ladder."""
    caller, store = Caller(), room.machine.store
    room.machine.drained(caller.arrives())
    room.hangs_up(caller)
    assert room.machine.incident(caller).state == "review"
    done = room.desk.urgency(caller.reference, 2, by=ANNA, now=after(40))
    assert (done.incident.state, done.incident.urgency) == ("waiting", 2)
    assert room.machine.incident(caller).state == "waiting"
    for state, there in (("waiting", [caller.reference]), ("review", [])):
        listed, _ = store.incidents(state=state)
        assert [one.reference for one in listed] == there
    [(_, changed)] = store.unfinished(0, store.revision())
    assert changed.reference == caller.reference


def test_a_reviewed_call_whose_rank_two_lower_stays_in_the_queue(room: Room) -> None:
    """The state falls no further than the machine put it, and does not rise by a lowering."""
    callers = [Caller(began=after(at)) for at in (0, 60)]
    for caller in callers:
        room.machine.drained(caller.arrives())
        room.hangs_up(caller, after(70))
    second = callers[-1].reference
    assert room.machine.incident(callers[-1]).urgency == 3
    asked = room.desk.urgency(second, 4, "a child again", by=ANNA, now=after(80))
    done = room.desk.approve(second, asked.entry or "", by=BEN, now=after(81))
    assert (done.incident.state, done.incident.urgency) == ("review", 4)


def test_a_closed_incident_alerts_again_when_a_key_comes_late(room: Room) -> None:
    """Rule 5: a 55 that comes late, on a closed incident, alerts again."""
    caller = room.claimed(keys="7")
    with pytest.raises(Unfit, match="The line is still open"):
        room.desk.close(caller.reference, "accidental", by=ANNA, now=after(11))
    with pytest.raises(Unfit, match="outcome must be one of"):
        room.desk.close(caller.reference, "ghost", "x", by=ANNA, now=after(11))
    closed = room.desk.close(
        caller.reference, "accidental", "they spoke to us", by=ANNA, now=after(12)
    )
    assert (closed.incident.state, closed.incident.outcome) == ("closed", "accidental")
    assert room.machine.store.board(after(13)) == []
    room.machine.drained(caller.presses("55", step=30))
    again = room.machine.incident(caller)
    assert (again.state, again.signal, again.urgency) == ("waiting", "confirmed", 1)
    assert (again.handler, again.outcome) == (None, None)
    assert [one.reference for one in room.machine.store.board(after(31))] == [caller.reference]
    listed, _ = room.machine.store.incidents(state="waiting")
    assert [one.reference for one in listed] == [caller.reference]
    taken = room.desk.claim(caller.reference, by=BEN, now=after(40))
    assert taken.incident.state == "claimed"


def test_a_closed_incident_is_opened_again_only_with_a_reason(room: Room) -> None:
    """By taking it over."""
    caller = room.claimed()
    room.hangs_up(caller)
    room.desk.close(caller.reference, "no_trace", by=ANNA, now=after(30))
    with pytest.raises(Conflict, match="was closed 5 seconds ago"):
        room.desk.claim(caller.reference, by=BEN, now=after(35))
    with pytest.raises(Unfit, match="This incident is closed"):
        room.desk.take_over(caller.reference, by=BEN, now=after(35))
    done = room.desk.take_over(caller.reference, "she rang again", by=BEN, now=after(36))
    assert (done.incident.state, done.incident.handler) == ("claimed", "ben")


def test_a_claimed_call_that_drops_is_to_be_graded_again_within_a_minute(room: Room) -> None:
    """Rule 10; a new grade ends it, and a call claimed after its end was never cut off."""
    caller = room.claimed()
    room.desk.grade(caller.reference, "priority", by=ANNA, now=after(11))
    room.hangs_up(caller, after(20))
    dropped = room.machine.incident(caller)
    assert Work.of(dropped).regrade_by == after(20) + timedelta(seconds=60)
    again = room.desk.grade(caller.reference, "priority", by=ANNA, now=after(25))
    assert Work.of(again.incident).regrade_by is None
    late = room.waiting()
    room.hangs_up(late, after(20))
    done = room.desk.claim(late.reference, by=ANNA, now=after(30))
    assert Work.of(done.incident).regrade_by is None


def test_handover_notes_are_read_newest_first(room: Room) -> None:
    """At the end of a shift."""
    room.desk.handover_note("two open calls", by=SUE, now=after(1))
    room.desk.handover_note("all quiet", by=ANNA, now=after(2))
    told = [(one.data["by"], one.data["text"]) for one in room.desk.handovers()]
    assert told == [("anna", "all quiet"), ("sue", "two open calls")]


def test_the_names_of_requests_are_forgotten_after_a_day(room: Room) -> None:
    """Until then one that is sent again is done once."""
    caller = room.claimed()
    for _ in range(2):
        room.desk.note(caller.reference, "once", by=ANNA, now=after(11), request="one")
    assert len(room.entries(caller, "note_added")) == 1
    store = room.machine.store
    assert forget_requests(store, after(11) + timedelta(hours=23)) == 0
    assert forget_requests(store, after(11) + timedelta(hours=25)) == 1


def test_whoever_takes_on_a_call_that_was_cut_off_must_still_grade_it_again(room: Room) -> None:
    """Rule 10, also after a take-over and a hand-over."""
    caller = room.claimed()
    room.hangs_up(caller, after(20))
    taken = room.desk.take_over(caller.reference, by=BEN, now=after(25))
    assert taken.incident.handler == "ben"
    assert Work.of(taken.incident).regrade_by == after(80)
    room.desk.grade(caller.reference, "priority", by=BEN, now=after(30))
    assert Work.of(room.machine.incident(caller)).regrade_by is None
