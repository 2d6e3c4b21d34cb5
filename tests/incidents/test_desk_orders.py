"""What a handler has the caller's phone do, and who may."""

from __future__ import annotations

from dataclasses import replace

import pytest

from incidents.desk import Conflict, Unfit
from tests.incidents.desks import ANNA, BEN, CONTROL_ROOM, Room, after, rules


@pytest.fixture
def room(data, store_url) -> Room:  # type: ignore[no-untyped-def]
    """A room over each kind of store."""
    return Room.at(data, store_url)


def test_a_question_of_the_list_is_ordered_in_the_calls_language(room: Room) -> None:
    """On record with its words before anything is sent."""
    caller = room.claimed()
    done = room.desk.ask(caller.reference, question="danger_now", by=ANNA, now=after(20))
    order = room.orders(caller)[-1]
    assert (order.what, order.question, order.language) == ("ask", "danger_now", "en-GB")
    assert order.text
    (entry,) = room.entries(caller, "question_asked")
    assert entry.id == done.entry
    assert entry.data["text"] == order.text
    assert entry.data["order"] == order.id


def test_a_typed_question_is_spoken_as_typed(room: Room) -> None:
    """And refused when it is empty, too long, or cannot be spoken."""
    caller = room.claimed()
    room.desk.ask(caller.reference, text="Is it\n your brother?", by=ANNA, now=after(20))
    assert room.orders(caller)[-1].text == "Is it your brother?"
    for text in ("", "x" * 201, "a\x07b"):
        with pytest.raises(Unfit):
            room.desk.ask(caller.reference, text=text, by=ANNA, now=after(21))
    with pytest.raises(Unfit, match="not both"):
        room.desk.ask(caller.reference, question="danger_now", text="x", by=ANNA, now=after(21))
    with pytest.raises(Unfit, match="no question called"):
        room.desk.ask(caller.reference, question="ghost", by=ANNA, now=after(21))


def test_the_latest_question_can_be_repeated(room: Room) -> None:
    """Each time as an order of its own."""
    caller = room.claimed()
    with pytest.raises(Conflict, match="nothing to repeat"):
        room.desk.repeat(caller.reference, by=ANNA, now=after(20))
    room.desk.ask(caller.reference, question="danger_now", by=ANNA, now=after(21))
    room.desk.repeat(caller.reference, by=ANNA, now=after(31))
    first, second = room.orders(caller)[-2:]
    assert first.text == second.text
    assert first.id != second.id


def test_orders_are_for_whoever_has_the_call(room: Room) -> None:
    """The others are told who that is; without a claim nobody gives orders."""
    caller = room.waiting()
    with pytest.raises(Conflict, match="Claim this call first"):
        room.desk.hold(caller.reference, by=ANNA, now=after(9))
    room.desk.claim(caller.reference, by=ANNA, now=after(10))
    with pytest.raises(Conflict, match="anna has this call"):
        room.desk.ask(caller.reference, question="danger_now", by=BEN, now=after(11))


def test_an_order_to_a_caller_who_has_gone_is_told_plainly(room: Room) -> None:
    """A race between a handler and a hang-up."""
    caller = room.claimed()
    room.hangs_up(caller, after(20))
    with pytest.raises(Conflict, match="The caller hung up 2 seconds ago"):
        room.desk.ask(caller.reference, question="danger_now", by=ANNA, now=after(22))


def test_every_order_lies_above_every_step_before(room: Room) -> None:
    """So no key pressed before an order is ever taken for one pressed after it."""
    caller = room.claimed()
    for _ in range(3):  # in one and the same millisecond
        room.desk.reassure(caller.reference, by=ANNA, now=after(20))
    steps = [
        int(one.path.split(".")[1])
        for one in room.desk.hold(caller.reference, by=ANNA, now=after(20)).orders
    ]
    assert steps[0] >= int(after(20).timestamp() * 1000) + 3000


def test_only_staff_and_the_control_room_are_ever_rung(room: Room) -> None:
    """Rule 7."""
    caller = room.claimed()
    for to in ("+447700900999", "999", "", "me", "ben"):
        with pytest.raises(Unfit, match="nobody else is ever rung"):
            room.desk.connect(caller.reference, to, by=ANNA, now=after(20))
    room.desk.connect(caller.reference, CONTROL_ROOM, by=ANNA, now=after(20))
    assert room.orders(caller)[-1].to == CONTROL_ROOM
    with pytest.raises(Unfit, match="QUIETLINE_CONTROL_ROOM is empty"):
        room.without_control_room().connect(
            caller.reference, "control_room", by=ANNA, now=after(21)
        )


def test_a_caller_can_be_connected_to_a_service(room: Room) -> None:
    """By its id and no other way; the record names it, and its order says that it is outside."""
    caller = room.claimed()
    for to in ("+448081689111", "Victim Support", "cumbria_together"):
        with pytest.raises(Unfit, match="nobody else is ever rung"):
            room.desk.connect(caller.reference, to, by=ANNA, now=after(20))
    room.desk.connect(caller.reference, "victim_support", by=ANNA, now=after(20))
    order = room.orders(caller)[-1]
    assert (order.to, order.label, order.service) == (
        "+448081689111",
        "Victim Support",
        "victim_support",
    )
    (entry,) = room.entries(caller, "connection_ordered")
    assert entry.data["to"] == "Victim Support"
    with pytest.raises(Conflict, match="The caller is with Victim Support and keys are not heard"):
        room.desk.ask(caller.reference, question="danger_now", by=ANNA, now=after(21))


@pytest.mark.parametrize("purpose", ["training", "proof"])
def test_no_service_is_rung_in_an_exercise(room: Room, purpose: str) -> None:
    """Real volunteers answer there; where the simulator plays Twilio it is rung in play."""
    caller = room.waiting(purpose=purpose)
    room.desk.claim(caller.reference, by=ANNA, now=after(10))
    with pytest.raises(Unfit, match="no real call, so Victim Support is not rung"):
        room.desk.connect(caller.reference, "victim_support", by=ANNA, now=after(20))
    played = room.under(replace(rules(), simulated=True))
    played.connect(caller.reference, "victim_support", by=ANNA, now=after(20))
    assert room.orders(caller)[-1].service == "victim_support"


def test_no_question_is_asked_where_no_key_is_heard(room: Room) -> None:
    """While the caller is with somebody, and until the line is back on hold."""
    caller = room.claimed()
    room.desk.connect(caller.reference, "control_room", by=ANNA, now=after(20))
    with pytest.raises(Conflict, match="keys are not heard"):
        room.desk.ask(caller.reference, question="danger_now", by=ANNA, now=after(21))
    room.desk.hold(caller.reference, by=ANNA, now=after(22))
    room.desk.ask(caller.reference, question="danger_now", by=ANNA, now=after(23))


def test_a_conference_rings_a_listener_who_is_muted(room: Room) -> None:
    """The caller's side and ours meet in a room of their own."""
    caller = room.claimed()
    done = room.desk.conference(caller.reference, by=ANNA, now=after(20))
    to_caller, listener = done.orders
    assert (to_caller.what, listener.what) == ("conference", "page")
    assert listener.to == CONTROL_ROOM
    one, other = room.orders(caller)[-2:]
    assert one.room == other.room != ""
    with pytest.raises(Unfit, match="no phone to listen on"):
        room.without_control_room().conference(caller.reference, by=ANNA, now=after(60))


def test_the_language_can_be_switched_to_one_we_speak(room: Room) -> None:
    """And to no other."""
    caller = room.claimed()
    room.desk.language(caller.reference, "cy-GB", by=ANNA, now=after(20))
    assert room.orders(caller)[-1].language == "cy-GB"
    with pytest.raises(Unfit, match="language must be one of: en-GB, cy-GB"):
        room.desk.language(caller.reference, "fr-FR", by=ANNA, now=after(21))
