"""Calls the product places: ringing, the document, keys, and everything that can go wrong."""

from __future__ import annotations

from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from simulator.exchange import Exchange
from simulator.moments import FarEnd
from tests.simulator.product import PUBLIC_URL, Product
from tests.waiting import eventually

LINE = "+441632960055"
SUPERVISOR = "+447700900777"
PAGE = '<Gather action="/taken" numDigits="1" timeout="5" finishOnKey=""><Say>{}</Say></Gather>'
EVENTS = ["initiated", "ringing", "answered", "completed"]


def page(client: Client, **more: Any) -> str:
    """Order a call to the supervisor's phone."""
    asked: dict[str, Any] = {"to": SUPERVISOR, "from_": LINE, "url": f"{PUBLIC_URL}/page", **more}
    return str(client.calls.create(**asked).sid)


def statuses(product: Product) -> list[str]:
    """Return the call statuses the product was told, in order."""
    return [posted.form["CallStatus"] for posted in product.posted if posted.path == "/progress"]


def test_whoever_is_rung_hears_the_document_and_presses_1(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """The Url is asked for with a CallSid of its own, Direction=outbound-api, signed."""
    product.answers["/page"] = PAGE.format("A silent caller waits. Press 1 to take it.")
    product.answers["/taken"] = "<Say>Thank you.</Say><Hangup/>"
    exchange.far_ends[SUPERVISOR] = FarEnd(presses="1", after=7)
    sid = page(client)
    call = exchange.rings(SUPERVISOR)
    eventually(lambda: call.over)
    assert call.sid == sid
    assert call.heard == ["A silent caller waits. Press 1 to take it.", "Thank you."]
    asked, taken = product.form("/page"), product.form("/taken")
    assert (asked["CallSid"], asked["Direction"]) == (sid, "outbound-api")
    assert (asked["From"], asked["To"]) == (LINE, SUPERVISOR)
    assert asked["CallStatus"] == "in-progress"
    assert taken["Digits"] == "1"
    assert client.calls(sid).fetch().status == "completed"
    assert exchange.rest.outbound[0].to == SUPERVISOR
    assert exchange.rest.outbound[0].url == f"{PUBLIC_URL}/page"


def test_the_product_is_told_of_the_progress_it_asked_for(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """StatusCallback with its events, SequenceNumber from 0; without events the end only."""
    product.answers["/page"] = "<Hangup/>"
    product.answers["/progress"] = "<Response/>"
    told = f"{PUBLIC_URL}/progress"
    page(client, status_callback=told, status_callback_event=EVENTS)
    eventually(lambda: len(statuses(product)) == 4)
    assert statuses(product) == ["queued", "ringing", "in-progress", "completed"]
    numbers = [one.form["SequenceNumber"] for one in product.posted if one.path == "/progress"]
    assert numbers == ["0", "1", "2", "3"]
    page(client, status_callback=told)
    eventually(lambda: len(statuses(product)) == 5)
    assert statuses(product)[-1] == "completed"


@pytest.mark.parametrize("outcome", ["busy", "no-answer", "failed"])
def test_a_phone_that_is_not_answered_is_told_and_asks_for_no_document(
    product: Product, exchange: Exchange, client: Client, outcome: str
) -> None:
    """Failed outbound calls go to the next rung: the status says why, in callback and by GET."""
    product.answers["/progress"] = "<Response/>"
    exchange.far_ends[SUPERVISOR] = FarEnd(outcome=outcome)  # type: ignore[arg-type]
    sid = page(client, status_callback=f"{PUBLIC_URL}/progress")
    eventually(lambda: statuses(product) == [outcome])
    assert client.calls(sid).fetch().status == outcome
    assert product.form("/progress")["CallDuration"] == "0"
    assert "/page" not in product.paths()


def test_a_phone_rings_no_longer_than_it_is_let(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """Timeout=15: somebody who needs 20 seconds to the phone finds that it has stopped."""
    exchange.far_ends[SUPERVISOR] = FarEnd(after=20)
    sid = page(client, timeout=15)
    eventually(lambda: client.calls(sid).fetch().status == "no-answer")
    assert exchange.rings(SUPERVISOR).call.clock.now() == 15


@pytest.mark.parametrize("number", ["999", "+44999", "112", "911", "+1 911", "tel:999", "000"])
def test_an_emergency_number_is_refused_and_complained_of(
    exchange: Exchange, client: Client, number: str
) -> None:
    """Rule 12: outbound calls to emergency numbers are blocked, and asking for one is a fault."""
    with pytest.raises(TwilioRestException) as wrong:
        client.calls.create(to=number, from_=LINE, url=f"{PUBLIC_URL}/page")
    assert (wrong.value.status, wrong.value.code) == (400, 21211)
    assert "emergency number" in exchange.faults[0]
    assert exchange.rest.outbound == []


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"to": "the police"}, 21211),
        ({"to": ""}, 21201),
        ({"from_": ""}, 21213),
        ({"url": "/relative"}, 21205),
    ],
)
def test_a_call_that_cannot_be_placed_is_refused(
    client: Client, asked: dict[str, str], code: int
) -> None:
    """Nobody to ring, nobody who rings, and no absolute URL."""
    with pytest.raises(TwilioRestException) as wrong:
        page(client, **asked)
    assert wrong.value.code == code


def test_an_order_reaches_a_call_that_was_placed(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """A supervisor in a conference is moved out of it by an update."""
    product.answers["/page"] = (
        '<Dial><Conference muted="true" beep="false" waitUrl="">r</Conference></Dial>'
    )
    product.answers["/thanks"] = "<Say>Goodbye.</Say>"
    sid = page(client)
    call = exchange.rings(SUPERVISOR)
    eventually(lambda: exchange.rooms.inside("r") == {sid: True})
    client.calls(sid).update(url=f"{PUBLIC_URL}/thanks")
    eventually(lambda: call.over)
    assert call.heard == ["Goodbye."]
    with pytest.raises(TwilioRestException) as wrong:
        client.calls(sid).update(url=f"{PUBLIC_URL}/thanks")
    assert wrong.value.code == 21220
    assert exchange.faults == []


def test_whoever_was_rung_may_hang_up_by_themselves(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """stays=30: half a minute after the answer the phone is put down."""
    product.answers["/page"] = "<Pause length='600'/>"
    exchange.far_ends[SUPERVISOR] = FarEnd(stays=30)
    sid = page(client)
    eventually(lambda: client.calls(sid).fetch().status == "completed")
    assert exchange.rings(SUPERVISOR).call.duration == 30


def test_a_document_that_fails_takes_the_fallback_of_that_call_only(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """FallbackUrl is asked with ErrorCode; without one an error is spoken to whoever answered."""
    product.answers["/sorry"] = "<Say>Please open the console.</Say>"
    page(client, fallback_url=f"{PUBLIC_URL}/sorry")
    call = exchange.rings(SUPERVISOR)
    eventually(lambda: call.over)
    assert call.heard == ["Please open the console."]
    assert product.form("/sorry")["ErrorCode"] == "11200"
    sid = page(client)
    eventually(lambda: client.calls(sid).fetch().status == "completed")
    assert "application error" in exchange.rings(SUPERVISOR).transcript
    assert "/voice/fallback" not in product.paths()
