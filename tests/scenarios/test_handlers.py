"""A silent call worked to its end: the real processes, a caller who answers, a handler who asks."""

from __future__ import annotations

import re

import pytest

from simulator.caller import Caller
from simulator.exchange import Exchange
from simulator.moments import FarEnd
from tests.scenarios.conftest import Site
from tests.scenarios.handlers import Handler, Refused, answered, waits
from tests.waiting import eventually

CONTROL_ROOM = "+441632960200"
VICTIM_SUPPORT = "+448081689111"


@pytest.fixture(scope="module")
def anna(site: Site) -> Handler:
    """A handler."""
    return Handler.signs_in(site)


@pytest.fixture(scope="module")
def ben(site: Site) -> Handler:
    """Another handler."""
    return Handler.signs_in(site)


def claimed(handler: Handler, call: Caller, exchange: Exchange) -> None:
    """Have a handler claim a call, and wait until its hold has reached the caller's line."""
    before = len(exchange.rest.orders)
    handler.does("claim", call, exchange)
    eventually(lambda: len(exchange.rest.orders) > before, 5)
    call.waits_for_order()


def orders(exchange: Exchange) -> list[str]:
    """The addresses Twilio was told to fetch, oldest first."""
    return [str(form.get("Url", "")) for _, form in exchange.rest.orders]


def kinds(entries: list[dict[str, object]]) -> list[object]:
    """The kinds of a timeline's entries."""
    return [entry["kind"] for entry in entries]


def test_a_claim_orders_a_hold_without_limit(
    exchange: Exchange, anna: Handler, mobile: str
) -> None:
    """Rule 10: a silent mobile caller who was claimed is not let go, not after an hour."""
    call = exchange.call(mobile).hears("which service")
    incident = anna.does("claim", call, exchange)
    assert (incident["state"], incident["handler"]) == ("claimed", anna.name)
    eventually(lambda: len(orders(exchange)) == 1, 5)
    assert "/voice/order/" in orders(exchange)[0]
    call.stays_silent(3600).is_still_on_the_line()
    assert exchange.incident(call).state == "claimed"


def test_a_question_is_spoken_and_answered_by_keys(
    exchange: Exchange, anna: Handler, mobile: str
) -> None:
    """Two presses are yes, one is no; answers stand in the incident and not in its keys."""
    call = exchange.call(mobile).hears("which service").presses("7").settles()
    claimed(anna, call, exchange)
    anna.does("ask", call, exchange, question="danger_now")
    call.is_asked("press any key twice").presses("88").settles()
    (first,) = answered(exchange, call)
    assert (first["question"], first["answer"], first["keys"]) == ("danger_now", "yes", "88")
    anna.does("ask", call, exchange, text="Is the door locked?")
    call.is_asked("Is the door locked?").presses("8").stays_silent(6).settles()
    told = answered(exchange, call, 2)
    assert [one["answer"] for one in told] == ["yes", "no"]
    assert told[1]["question"] == "free"
    assert exchange.incident(call).keys == "7"


def test_three_presses_and_silence_are_told_apart(
    exchange: Exchange, anna: Handler, mobile: str
) -> None:
    """Unclear is asked once more by itself; none is none. They are never merged."""
    call = exchange.call(mobile).hears("which service").presses("7").settles()
    claimed(anna, call, exchange)
    anna.does("ask", call, exchange, question="danger_now")
    call.is_asked("press any key twice").presses("888").settles()
    call.is_asked("didn't catch that").stays_silent(20)
    told = answered(exchange, call, 2)
    assert [one["answer"] for one in told] == ["unclear", "none"]
    call.is_on_hold()


def test_a_caller_who_hangs_up_under_a_question_has_not_answered_it(
    exchange: Exchange, anna: Handler, mobile: str
) -> None:
    """Line dropped; and the next order is told plainly that the caller has gone."""
    call = exchange.call(mobile).hears("which service").presses("7").settles()
    claimed(anna, call, exchange)
    anna.does("ask", call, exchange, question="danger_now")
    call.starts_to_be_asked("press any key twice").hangs_up()
    (told,) = answered(exchange, call)
    assert told["answer"] == "line_dropped"
    with pytest.raises(Refused) as refused:
        anna.does("ask", call, exchange, question="danger_now")
    assert refused.value.status == 409
    assert re.search(r"hung up .* ago", refused.value.error)


def test_two_fives_in_an_answer_still_confirm(
    exchange: Exchange, anna: Handler, mobile: str
) -> None:
    """Rule 5: they belong to the answer, and they confirm."""
    call = exchange.call(mobile).hears("which service").presses("7").settles()
    claimed(anna, call, exchange)
    anna.does("ask", call, exchange, question="danger_now")
    call.is_asked("press any key twice").presses("55").settles()
    incident = exchange.incident(call, signal="confirmed")
    assert (incident.keys, incident.urgency) == ("7", 1)
    assert incident.answers[0]["answer"] == "yes"


def test_a_late_55_on_a_closed_incident_alerts_again(
    exchange: Exchange, anna: Handler, mobile: str
) -> None:
    """Rule 5, at any moment we can hear keys."""
    call = exchange.call(mobile).hears("which service").presses("7").settles()
    claimed(anna, call, exchange)
    closed = anna.does("close", call, exchange, outcome="accidental", reason="a child's voice")
    assert closed["state"] == "closed"
    call.stays_silent(5).presses("55").settles()
    again = exchange.incident(call, state="waiting", signal="confirmed")
    assert (again.urgency, again.handler) == (1, None)


def test_the_caller_is_joined_to_the_control_room_and_comes_back(
    site_with_control_room: Site, bridging_exchange: Exchange, mobile: str
) -> None:
    """The answering side hears a whisper, the caller nothing new; then keys are heard again."""
    sam = Handler.signs_in(site_with_control_room)
    exchange = bridging_exchange
    call = exchange.call(mobile).hears("which service").presses("7").settles()
    sam.does("take-over", call, exchange, reason="nobody else is here")
    before = len(call.heard)
    sam.does("connect", call, exchange, to="control_room")
    eventually(lambda: waits(call) == "ringing", 10)
    call.is_connected_to(CONTROL_ROOM)
    with pytest.raises(Refused) as refused:
        sam.does("ask", call, exchange, question="danger_now")
    assert "keys are not heard" in refused.value.error
    assert set(call.heard[before:]) <= {"Please stay on the line."}
    sam.does("hold", call, exchange)
    eventually(lambda: waits(call) == "listening", 10)
    call.is_on_hold().presses("55").settles()
    assert exchange.incident(call, signal="confirmed").handler == sam.name


@pytest.mark.parametrize("picked_up", [True, False])
def test_the_caller_is_connected_to_a_service_and_comes_back(
    exchange: Exchange, anna: Handler, mobile: str, *, picked_up: bool
) -> None:
    """On a handler's order alone; the entry names the service, and keys are heard afterwards."""
    answers = FarEnd(stays=60) if picked_up else FarEnd(outcome="no-answer")
    exchange.far_ends[VICTIM_SUPPORT] = answers
    call = exchange.call(mobile).hears("which service").presses("7").settles()
    claimed(anna, call, exchange)
    anna.does("connect", call, exchange, to="victim_support")
    eventually(lambda: waits(call) == "ringing", 10)
    if picked_up:
        call.is_connected_to(VICTIM_SUPPORT)
        eventually(lambda: "connected" in kinds(anna.timeline(call, exchange)), 10)
        told = [one for one in anna.timeline(call, exchange) if one["kind"] == "connected"]
        assert told[0]["data"]["to"] == "Victim Support"
        call.stays_silent(61)
    call.hears("stay on the line").presses("55").settles()
    assert exchange.incident(call, signal="confirmed").handler == anna.name
    said = [note.detail["say"] for note in call.call.notes if note.kind == "whispered"]
    assert ["Silent caller" in words for words in said] == [False] * len(said)


def test_the_line_is_let_go_by_a_person_only(
    exchange: Exchange, anna: Handler, mobile: str
) -> None:
    """Goodbye is said, and the connection reads `ended`."""
    call = exchange.call(mobile).hears("which service").presses("7").settles()
    claimed(anna, call, exchange)
    anna.does("let-go", call, exchange)
    call.waits_for_order().hears("goodbye").is_let_go()
    incident = exchange.incident(call, connection="ended")
    assert (incident.state, incident.signal) == ("claimed", "someone_there")


def test_the_language_is_switched_for_good(exchange: Exchange, anna: Handler, mobile: str) -> None:
    """Questions and the soft repeat are Welsh from then on."""
    call = exchange.call(mobile).hears("which service").presses("7").settles()
    claimed(anna, call, exchange)
    anna.does("language", call, exchange, language="cy-GB")
    call.waits_for_order().hears("Arhoswch ar y lein").stays_silent(25)
    assert call.heard[-1] == "Arhoswch ar y lein, os gwelwch yn dda."
    anna.does("reassure", call, exchange)
    eventually(lambda: "Arhoswch" not in call.heard[-1], 5)


def test_a_second_handler_is_told_who_has_the_call(
    exchange: Exchange, anna: Handler, ben: Handler, mobile: str
) -> None:
    """409 with a name; in the first 20 s it may be taken."""
    call = exchange.call(mobile).hears("which service").presses("55").settles()
    claimed(anna, call, exchange)
    with pytest.raises(Refused) as refused:
        ben.does("claim", call, exchange)
    assert refused.value.status == 409
    assert anna.name in refused.value.error
    assert ben.does("take-over", call, exchange)["handler"] == ben.name
    kinds = [entry["kind"] for entry in ben.timeline(call, exchange)]
    assert kinds.count("claimed") == 1
    assert kinds.count("taken_over") == 1


def test_lowering_takes_two(exchange: Exchange, anna: Handler, ben: Handler, mobile: str) -> None:
    """202 until somebody else approves."""
    call = exchange.call(mobile).hears("which service").presses("55").settles()
    claimed(anna, call, exchange)
    anna.does("grade", call, exchange, grade="immediate")
    told = anna.does(
        "grade", call, exchange, expect=202, grade="none", reason="a toddler with a phone"
    )
    assert told["grade"] == "immediate"
    entry = next(
        one["id"] for one in anna.timeline(call, exchange) if one["kind"] == "grade_proposed"
    )
    with pytest.raises(Refused) as refused:
        anna.does("approve", call, exchange, entry=entry)
    assert refused.value.status == 409
    assert ben.does("approve", call, exchange, entry=entry)["grade"] == "none"
