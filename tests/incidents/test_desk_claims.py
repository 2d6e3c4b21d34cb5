"""Who has a call: exactly one person, never by a timer, and always with a way to take it on."""

from __future__ import annotations

import pytest

from incidents.desk import Conflict, Unfit
from incidents.store import NoSuchIncident
from tests.incidents.desks import ANNA, BEN, SUE, Room, after
from tests.incidents.making import Caller


@pytest.fixture
def room(data, store_url) -> Room:  # type: ignore[no-untyped-def]
    """A room over each kind of store."""
    return Room.at(data, store_url)


def test_a_claim_makes_the_call_mine_and_orders_a_hold_without_limit(room: Room) -> None:
    """Rule 10: a claimed caller is never let go by a timer."""
    caller = room.waiting()
    done = room.desk.claim(caller.reference, by=ANNA, now=after(10))
    assert (done.incident.state, done.incident.handler) == ("claimed", "anna")
    assert done.incident.claimed_at == after(10)
    (placed,) = done.orders
    assert placed.what == "hold"
    assert placed.call_sid == caller.sid
    assert placed.path.startswith("/voice/order/hold.")
    assert [one.data["by"] for one in room.entries(caller, "claimed")] == ["anna"]


def test_a_second_claim_is_told_who_has_it(room: Room) -> None:
    """One winner; the other reads a name, not an error code."""
    caller = room.claimed()
    with pytest.raises(Conflict, match=r"anna has this call, claimed 3 seconds ago"):
        room.desk.claim(caller.reference, by=BEN, now=after(13))
    again = room.desk.claim(caller.reference, by=ANNA, now=after(14))
    assert again.incident.claimed_at == after(10)
    assert again.orders == ()


def test_a_claim_of_a_line_that_is_over_orders_nothing(room: Room) -> None:
    """There is nobody to hold."""
    caller = room.waiting()
    room.hangs_up(caller)
    assert room.desk.claim(caller.reference, by=ANNA, now=after(30)).orders == ()


def test_a_released_call_waits_again(room: Room) -> None:
    """Only its holder releases it."""
    caller = room.claimed()
    with pytest.raises(Conflict, match="anna has this call"):
        room.desk.release(caller.reference, by=BEN, now=after(12))
    done = room.desk.release(caller.reference, by=ANNA, now=after(12))
    assert (done.incident.state, done.incident.handler) == ("waiting", None)
    with pytest.raises(Conflict, match="Nobody has this incident"):
        room.desk.release(caller.reference, by=ANNA, now=after(13))


def test_a_silent_caller_who_is_given_back_is_urgent(room: Room) -> None:
    """The claim took every timer off the line: whoever gives it back asks for somebody (rule 8)."""
    caller = Caller()
    room.machine.drained(caller.arrives())
    room.desk.claim(caller.reference, by=ANNA, now=after(2))
    done = room.desk.release(caller.reference, by=ANNA, now=after(4))
    assert (done.incident.state, done.incident.urgency) == ("waiting", 2)
    (entry,) = room.entries(caller, "urgency_set")
    assert entry.data["reason"] == "given back with the line open"


def test_the_silent_caller_of_a_leaver_is_urgent(room: Room) -> None:
    """With no supervisor at work to take them over."""
    caller = Caller()
    room.machine.drained(caller.arrives())
    room.desk.claim(caller.reference, by=ANNA, now=after(2))
    (done,) = room.desk.leaver("anna", by=SUE, now=after(4))
    assert (done.incident.state, done.incident.urgency) == ("waiting", 2)


def test_whoever_gives_back_a_line_that_is_over_raises_nothing(room: Room) -> None:
    """Nobody is on it."""
    caller = Caller()
    room.machine.drained(caller.arrives())
    room.desk.claim(caller.reference, by=ANNA, now=after(2))
    room.hangs_up(caller)
    done = room.desk.release(caller.reference, by=ANNA, now=after(30))
    assert (done.incident.state, done.incident.urgency) == ("review", 4)


def test_two_who_grabbed_the_same_phone_need_no_reason(room: Room) -> None:
    """In the first 20 s after a claim anyone may take it; afterwards a reason is asked for."""
    caller = room.claimed()
    done = room.desk.take_over(caller.reference, by=BEN, now=after(30))
    assert done.incident.handler == "ben"
    assert done.orders == (), "the caller is on hold already, perhaps about to press a key"
    with pytest.raises(Unfit, match=r"ben has this call\. Say why you take it over"):
        room.desk.take_over(caller.reference, by=ANNA, now=after(51))
    room.desk.take_over(caller.reference, "ben is ill", by=ANNA, now=after(52))
    last = room.entries(caller, "taken_over")[-1]
    assert last.data == {"by": "anna", "from": "ben", "reason": "ben is ill"}


def test_a_caller_who_is_being_let_go_is_held_by_whoever_takes_over(room: Room) -> None:
    """The goodbye was one person's decision; it must not end a call that another has taken."""
    caller = room.claimed()
    room.desk.let_go(caller.reference, by=ANNA, now=after(12))
    done = room.desk.take_over(caller.reference, by=BEN, now=after(13))
    assert [placed.what for placed in done.orders] == ["hold"]


def test_a_call_is_handed_to_a_named_colleague_who_works_on_calls(room: Room) -> None:
    """Nobody unknown, and not oneself."""
    caller = room.claimed()
    with pytest.raises(Unfit, match="nobody called"):
        room.desk.hand_over(caller.reference, "ghost", by=ANNA, now=after(12))
    with pytest.raises(Conflict, match="anna has this call"):
        room.desk.hand_over(caller.reference, "anna", by=SUE, now=after(12))


def test_a_request_sent_again_is_carried_out_once(room: Room) -> None:
    """An Idempotency-Key names one deed of one person."""
    caller = room.claimed()
    for _ in range(3):
        room.desk.ask(
            caller.reference, question="danger_now", by=ANNA, now=after(15), request="one"
        )
    assert len(room.entries(caller, "question_asked")) == 1
    with pytest.raises(Unfit, match="another request"):
        room.desk.repeat(caller.reference, by=ANNA, now=after(16), request="one")


def test_an_incident_nobody_knows_is_refused(room: Room) -> None:
    """Also by the desk itself."""
    with pytest.raises(NoSuchIncident):
        room.desk.claim(Caller().reference, by=ANNA, now=after(1))


def test_a_caller_with_the_control_room_is_taken_back_only_with_a_reason(room: Room) -> None:
    """Claim and bridge cannot both win; the screen says that keys are not heard."""
    caller = room.claimed()
    room.desk.connect(caller.reference, "control_room", by=ANNA, now=after(20))
    with pytest.raises(Conflict, match="put the line back to hold before you release"):
        room.desk.release(caller.reference, by=ANNA, now=after(21))
    with pytest.raises(Unfit, match=r"The caller is with the control room\. Say why"):
        room.desk.take_over(caller.reference, by=BEN, now=after(22))
    done = room.desk.take_over(caller.reference, "they asked me to", by=BEN, now=after(23))
    assert [one.what for one in done.orders] == ["hold"]


def test_a_leavers_claims_are_passed_on(room: Room) -> None:
    """To a supervisor on duty; with none, everybody hears of the call again."""
    caller = room.claimed()
    (done,) = room.desk.leaver("anna", by=SUE, now=after(40))
    assert (done.incident.state, done.incident.handler) == ("waiting", None)
    assert room.entries(caller, "released")[-1].data["from"] == "anna"
