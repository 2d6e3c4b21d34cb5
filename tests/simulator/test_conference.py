"""Conferences: who hears whom, what is heard on joining, and how each one leaves."""

from __future__ import annotations

import pytest
from twilio.rest import Client

from simulator.exchange import Exchange
from simulator.moments import FarEnd
from tests.simulator.product import PUBLIC_URL, Product
from tests.waiting import eventually

CALLER = "+447700900123"
LISTENER = "+447700900777"
QUIET = 'beep="false" waitUrl=""'
HOLD = '<Gather action="/hold" actionOnEmptyResult="true" timeout="20"><Say>Stay.</Say></Gather>'


def conference(attributes: str = "", action: str = "") -> str:
    """Return a Dial into the room."""
    return f"<Dial {action}><Conference {attributes}>room</Conference></Dial>"


def listen(product: Product, client: Client, attributes: str = f'muted="true" {QUIET}') -> str:
    """Ring the listener, who joins the room."""
    product.answers["/listen"] = conference(attributes)
    url = f"{PUBLIC_URL}/listen"
    return str(client.calls.create(to=LISTENER, from_="+441632960055", url=url).sid)


def test_a_muted_listener_hears_the_caller_and_is_not_heard(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """The base of a safe conference: no beep, no music, and no voice to the caller by mistake."""
    product.answers["/voice/incoming"] = conference(QUIET)
    caller = exchange.call(CALLER)
    sid = listen(product, client)
    eventually(lambda: len(exchange.rooms.inside("room")) == 2)
    assert exchange.rooms.inside("room") == {caller.sid: False, sid: True}
    listener = exchange.rings(LISTENER)
    caller.says("he is here").presses("5")
    listener.says("hello?")
    assert listener.heard == ["he is here"]
    assert caller.heard == []
    assert "nobody hears it (muted)" in listener.transcript
    assert "presses 5: lost" in caller.transcript
    assert exchange.faults == []


def test_a_listener_who_is_not_muted_is_heard(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """The fault the exchange must be able to show: somebody speaks to a caller in hiding."""
    product.answers["/voice/incoming"] = conference(QUIET)
    caller = exchange.call(CALLER)
    listen(product, client, QUIET)
    listener = exchange.rings(LISTENER)
    eventually(lambda: len(exchange.rooms.inside("room")) == 2)
    listener.says("police, hello?")
    assert caller.heard == ["police, hello?"]


def test_a_beep_and_music_are_faults(product: Product, exchange: Exchange) -> None:
    """Conference beeps and plays music unless beep="false" and waitUrl=""."""
    product.answers["/voice/incoming"] = conference()
    exchange.call(CALLER).hangs_up()
    assert [fault.split(":")[0] for fault in exchange.faults] == [
        "the conference beeps",
        "the conference plays music to whoever waits",
    ]


def test_somebody_who_joins_with_a_beep_is_heard_by_the_caller(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """It is the one who joins whose beep everybody hears."""
    product.answers["/voice/incoming"] = conference(QUIET)
    caller = exchange.call(CALLER)
    listen(product, client, 'muted="true" waitUrl=""')
    eventually(lambda: "hears a beep" in caller.transcript)
    assert any("beeps" in fault for fault in exchange.faults)


def test_an_order_moves_the_caller_out_and_the_listener_may_stay_or_go(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """An update takes the caller back to keys; endConferenceOnExit ends it for the listener too."""
    product.answers["/voice/incoming"] = conference(
        f'endConferenceOnExit="true" {QUIET}', 'action="/after"'
    )
    product.answers["/hold"] = HOLD
    caller = exchange.call(CALLER)
    listen(product, client)
    eventually(lambda: len(exchange.rooms.inside("room")) == 2)
    listener = exchange.rings(LISTENER)
    client.calls(caller.sid).update(url=f"{PUBLIC_URL}/hold")
    caller.waits_for_order().is_on_hold()
    eventually(lambda: listener.over)
    assert exchange.rooms.inside("room") == {}
    assert "/after" not in product.paths(), "an order takes the place of the Dial's action"


def test_the_action_is_told_when_somebody_else_ends_the_conference(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """The caller goes back to hold by the Dial's action."""
    product.answers["/voice/incoming"] = conference(QUIET, 'action="/after"')
    product.answers["/after"] = HOLD
    caller = exchange.call(CALLER)
    listen(product, client, f'muted="true" endConferenceOnExit="true" {QUIET}')
    eventually(lambda: len(exchange.rooms.inside("room")) == 2)
    exchange.rings(LISTENER).hangs_up()
    eventually(lambda: "/after" in product.paths())
    assert caller.is_on_hold().heard == ["Stay."]
    assert product.form("/after")["DialCallStatus"] == "answered"


def test_a_caller_who_hangs_up_in_a_conference_ends_the_dial(
    product: Product, exchange: Exchange
) -> None:
    """The action is posted though nobody hears its answer, then the end of the call."""
    product.answers["/voice/incoming"] = conference(QUIET, 'action="/after"')
    product.answers["/after"] = HOLD
    exchange.call(CALLER).hangs_up()
    assert product.paths() == ["/voice/incoming", "/after", "/voice/status"]
    assert product.form("/after")["CallStatus"] == "completed"


def test_a_conference_waits_for_somebody_who_may_start_it(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """startConferenceOnEnter="false" on both sides: two are inside and neither is heard."""
    waits = f'startConferenceOnEnter="false" {QUIET}'
    product.answers["/voice/incoming"] = conference(waits)
    caller = exchange.call(CALLER)
    listen(product, client, waits)
    eventually(lambda: len(exchange.rooms.inside("room")) == 2)
    caller.says("help")
    assert exchange.rings(LISTENER).heard == []


def test_the_product_is_told_who_joins_and_leaves(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """Conference callbacks: ConferenceSid, StatusCallbackEvent, SequenceNumber, CallSid, Muted."""
    told = 'statusCallback="/room" statusCallbackEvent="start end join leave"'
    product.answers["/voice/incoming"] = conference(f"{told} {QUIET}")
    product.answers["/room"] = "<Response/>"
    exchange.far_ends[LISTENER] = FarEnd(presses="")
    caller = exchange.call(CALLER)
    listen(product, client)
    eventually(lambda: len(exchange.rooms.inside("room")) == 2)
    exchange.rings(LISTENER).hangs_up()
    caller.hangs_up()
    forms = [posted.form for posted in product.posted if posted.path == "/room"]
    assert [form["StatusCallbackEvent"] for form in forms] == [
        "participant-join",
        "conference-start",
        "participant-join",
        "participant-leave",
        "participant-leave",
        "conference-end",
    ]
    assert [form["SequenceNumber"] for form in forms] == ["1", "2", "3", "4", "5", "6"]
    assert len({form["ConferenceSid"] for form in forms}) == 1
    assert forms[2]["Muted"] == "true"
    assert forms[3]["ReasonParticipantLeft"] == "participant_hung_up"


@pytest.mark.parametrize("turn", range(20))
def test_two_who_leave_at_once_do_not_wait_for_each_other(
    product: Product, exchange: Exchange, client: Client, turn: int
) -> None:
    """Each may end the conference for the other; no two calls hold each other up."""
    ends = f'endConferenceOnExit="true" {QUIET}'
    product.answers["/voice/incoming"] = conference(ends)
    caller = exchange.call(CALLER)
    sid = listen(product, client, ends)
    eventually(lambda: len(exchange.rooms.inside("room")) == 2)
    client.calls(sid).update(status="completed")
    caller.hangs_up()
    eventually(lambda: exchange.rings(LISTENER).over and caller.over, seconds=5)
    assert exchange.rooms.inside("room") == {}
