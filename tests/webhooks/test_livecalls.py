"""Orders through Twilio's own client, asked of the stand-in for its REST API."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from incidents.orders import CallOver, LiveCalls, NotCarriedOut
from simulator.rest import (
    CALL_IS_OVER,
    INTERNAL_ERROR,
    TOO_MANY_REQUESTS,
    Reply,
    Rest,
    failure,
    no_answer,
)
from simulator.restserver import RestServer
from tests.webhooks.requests import ACCOUNT, TOKEN
from webhooks.livecalls import PAUSES, TwilioCalls

PUBLIC = "https://quietline.example"
STAFF, LINE = "+441632960055", "+441632960000"
CALL = "CA" + "7" * 32
PATH = "/voice/order/hold.5.6/sealed"


@dataclass(slots=True)
class Twilio:
    """A stand-in that plays what it was told to, then carries out every order."""

    rest: Rest = field(default_factory=lambda: Rest(ACCOUNT, TOKEN))
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    paused: list[float] = field(default_factory=list)

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> Reply:
        """Answer one request."""
        self.asked.append((method, target, body))
        if self.rest.faults or method != "POST" or target.endswith("/Calls.json"):
            return self.rest.answer(method, target, headers, body)
        return Reply(200, {"sid": CALL, "status": "in-progress"})


@pytest.fixture
def twilio() -> Twilio:
    """A Twilio without faults."""
    return Twilio()


@pytest.fixture
def calls(twilio: Twilio) -> Iterator[TwilioCalls]:
    """The real door, with the stand-in behind it."""
    server = RestServer(twilio.answer)
    yield TwilioCalls(ACCOUNT, TOKEN, server.url, PUBLIC, timeout=0.3, pause=twilio.paused.append)
    server.close()


def test_it_is_the_door_the_desk_and_the_ladder_know(calls: TwilioCalls) -> None:
    """One protocol for all who give orders."""
    door: LiveCalls = calls
    assert door is calls


def test_an_order_is_one_request_with_the_address_to_fetch(
    calls: TwilioCalls, twilio: Twilio
) -> None:
    """``POST …/Calls/{sid}.json`` with ``Url`` under the public address."""
    calls.play(CALL, PATH)
    ((method, target, body),) = twilio.asked
    assert (method, target) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL}.json")
    assert b"Url=https%3A%2F%2Fquietline.example%2Fvoice%2Forder%2Fhold.5.6%2Fsealed" in body


@pytest.mark.parametrize("fault", [TOO_MANY_REQUESTS, INTERNAL_ERROR, no_answer(1.0)], ids=str)
def test_what_may_pass_is_tried_again_after_growing_pauses(
    fault: Reply, calls: TwilioCalls, twilio: Twilio
) -> None:
    """429, 500 and an answer that does not come in time."""
    twilio.rest.faults.extend([fault, fault])
    calls.play(CALL, PATH)
    assert len(twilio.asked) == 3
    assert twilio.paused == list(PAUSES[:2])
    assert sorted(twilio.paused) == twilio.paused


@pytest.mark.parametrize("fault", [TOO_MANY_REQUESTS, INTERNAL_ERROR, no_answer(1.0)], ids=str)
def test_what_does_not_pass_is_given_up_after_a_bounded_number_of_tries(
    fault: Reply, calls: TwilioCalls, twilio: Twilio
) -> None:
    """The ladder then goes to the next rung, and a handler is told."""
    twilio.rest.faults.extend([fault] * 20)
    with pytest.raises(NotCarriedOut) as wrong:
        calls.play(CALL, PATH)
    assert len(twilio.asked) == len(PAUSES) + 1
    assert "4 times" in str(wrong.value)


def test_a_connection_that_is_refused_is_tried_again(twilio: Twilio) -> None:
    """Nobody listens at the address: the same as no answer."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    calls = TwilioCalls(
        ACCOUNT, TOKEN, f"http://127.0.0.1:{port}", PUBLIC, pause=twilio.paused.append
    )
    with pytest.raises(NotCarriedOut, match="could not be reached"):
        calls.play(CALL, PATH)
    assert twilio.paused == list(PAUSES)


def test_a_call_that_is_over_is_told_as_that_and_not_tried_again(
    calls: TwilioCalls, twilio: Twilio
) -> None:
    """Error 21220: the caller hung up before the order came."""
    twilio.rest.faults.append(CALL_IS_OVER)
    with pytest.raises(CallOver):
        calls.play(CALL, PATH)
    assert len(twilio.asked) == 1


def test_a_call_twilio_does_not_know_is_over(calls: TwilioCalls) -> None:
    """404, for an order and for a question about its status."""
    with pytest.raises(CallOver):
        calls.status(CALL)


def test_an_order_twilio_refuses_is_not_tried_again(calls: TwilioCalls, twilio: Twilio) -> None:
    """A second try would be refused as well."""
    twilio.rest.faults.append(failure(400, 21205, f"Url is not valid for {STAFF}"))
    with pytest.raises(NotCarriedOut) as wrong:
        calls.play(CALL, PATH)
    assert len(twilio.asked) == 1
    assert str(wrong.value) == "Twilio answered 400, error 21205"


def test_an_answer_that_is_no_json_is_tried_again(calls: TwilioCalls, twilio: Twilio) -> None:
    """A proxy on the way may answer with a page of its own."""

    @dataclass(frozen=True, slots=True)
    class Page(Reply):
        @property
        def content(self) -> bytes:
            return b"<html>Bad Gateway</html>"

    twilio.rest.faults.append(Page(502, {}))
    calls.play(CALL, PATH)
    assert len(twilio.asked) == 2


def test_somebody_of_ours_is_rung_from_the_line_that_was_called(
    calls: TwilioCalls, twilio: Twilio
) -> None:
    """To, From and what they hear; the new call's identifier comes back."""
    sid = calls.ring(STAFF, LINE, "/voice/page/sealed")
    (placed,) = twilio.rest.outbound
    assert (placed.sid, placed.form["To"], placed.form["From"]) == (sid, STAFF, LINE)
    assert placed.form["Url"] == f"{PUBLIC}/voice/page/sealed"


@pytest.mark.parametrize("number", ["999", "112", "+44999", "911", "000", "101", "+1911"])
def test_rule_12_no_emergency_number_is_ever_rung(
    number: str, calls: TwilioCalls, twilio: Twilio
) -> None:
    """Whoever orders it, and whatever the country's code."""
    with pytest.raises(NotCarriedOut, match="emergency"):
        calls.ring(number, LINE, "/voice/page/sealed")
    assert twilio.asked == []


@pytest.mark.parametrize(
    ("to", "caller_id"), [("sip:anna@example.com", LINE), ("", LINE), (STAFF, "")]
)
def test_what_is_no_number_is_not_rung(
    to: str, caller_id: str, calls: TwilioCalls, twilio: Twilio
) -> None:
    """Nor is anybody rung from a line whose number is not known."""
    with pytest.raises(NotCarriedOut):
        calls.ring(to, caller_id, "/voice/page/sealed")
    assert twilio.asked == []


def test_several_orders_at_once_are_all_sent(calls: TwilioCalls, twilio: Twilio) -> None:
    """One client for all threads, made once."""
    threads = [threading.Thread(target=calls.play, args=(CALL, f"{PATH}{n}")) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(twilio.asked) == 16
