"""The REST stand-in, asked by Twilio's own client."""

from __future__ import annotations

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from simulator.exchange import Exchange
from simulator.rest import INTERNAL_ERROR, TOO_MANY_REQUESTS, no_answer
from tests.simulator.client import Elsewhere
from tests.simulator.product import ACCOUNT, Product
from tests.waiting import eventually

HOLD = '<Gather action="/hold" actionOnEmptyResult="true" timeout="20"><Say>Stay.</Say></Gather>'
CALLER = "+447700900123"


def test_an_update_interrupts_the_call_and_runs_new_twiml(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """client.calls(sid).update(url=…) interrupts at once; keys half typed are lost."""
    product.answers["/voice/incoming"] = product.answers["/hold"] = HOLD
    product.answers["/ask"] = "<Say>Are you in danger?</Say><Pause length='9'/>"
    call = exchange.call(CALLER).hears("stay").presses("5")
    assert client.calls(call.sid).update(url="https://phone.example:8443/ask").sid == call.sid
    eventually(lambda: "Are you in danger?" in call.heard)
    assert "/hold" not in product.paths()
    assert exchange.rest.orders == [(call.sid, {"Url": "https://phone.example:8443/ask"})]


def test_an_update_can_bring_its_own_twiml_or_end_the_call(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """twiml= and status="completed" work as well."""
    product.answers["/voice/incoming"] = HOLD
    call = exchange.call(CALLER).hears("stay")
    client.calls(call.sid).update(twiml="<Response><Say>Still here.</Say><Pause/></Response>")
    eventually(lambda: "Still here." in call.heard)
    client.calls(call.sid).update(status="completed")
    eventually(lambda: call.over)
    assert call.ended_by_us


def test_an_order_on_a_call_that_is_over_is_error_21220(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """Error 21220 when the call is over."""
    product.answers["/voice/incoming"] = "<Hangup/>"
    call = exchange.call(CALLER)
    with pytest.raises(TwilioRestException) as wrong:
        client.calls(call.sid).update(url="https://phone.example:8443/ask")
    assert (wrong.value.status, wrong.value.code) == (400, 21220)


def test_an_unknown_call_and_a_wrong_token_are_told_apart(
    exchange: Exchange, client: Client
) -> None:
    """20404 and 20003."""
    with pytest.raises(TwilioRestException) as unknown:
        client.calls("CA" + "f" * 32).fetch()
    assert (unknown.value.status, unknown.value.code) == (404, 20404)
    stranger = Client(ACCOUNT, "wrong", http_client=Elsewhere(exchange.rest_url))
    with pytest.raises(TwilioRestException) as wrong:
        stranger.calls("CA" + "f" * 32).fetch()
    assert (wrong.value.status, wrong.value.code) == (401, 20003)


def test_faults_are_played_once_each(product: Product, exchange: Exchange, client: Client) -> None:
    """429 (20429), 500 and a timeout, then all is well again."""
    product.answers["/voice/incoming"] = HOLD
    call = exchange.call(CALLER).hears("stay")
    exchange.rest.faults.extend([TOO_MANY_REQUESTS, INTERNAL_ERROR, no_answer(5.0)])
    with pytest.raises(TwilioRestException) as busy:
        client.calls(call.sid).fetch()
    assert (busy.value.status, busy.value.code) == (429, 20429)
    with pytest.raises(TwilioRestException) as broken:
        client.calls(call.sid).fetch()
    assert broken.value.status == 500
    with pytest.raises(requests.exceptions.ReadTimeout):
        client.calls(call.sid).fetch()
    assert client.calls(call.sid).fetch().status == "in-progress"


def test_calls_can_be_listed_to_reconcile_with_them(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """Ask the REST API about calls silent for minutes: newest first, by status, page by page."""
    product.answers["/voice/incoming"] = HOLD
    first = exchange.call(CALLER).hears("stay").hangs_up()
    second = exchange.call(CALLER).hears("stay")
    listed = client.calls.list(page_size=1)
    assert [call.sid for call in listed] == [second.sid, first.sid]
    assert listed[1].status == "completed"
    assert listed[1].end_time is not None
    assert [call.sid for call in client.calls.list(status="in-progress")] == [second.sid]


def test_a_call_the_product_places_is_recorded(exchange: Exchange, client: Client) -> None:
    """Rule 7: never call by itself; `exchange.rest.outbound` shows whether it did."""
    placed = client.calls.create(
        to="+441632960200", from_="+441632960055", url="https://a.example/"
    )
    assert placed.status == "queued"
    assert exchange.rest.outbound[0].form["To"] == "+441632960200"
