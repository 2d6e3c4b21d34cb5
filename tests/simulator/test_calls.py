"""A call from ringing to its end: requests, failures, the fallback, connections, orders."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

import pytest
from flask import Response

from simulator.exchange import Exchange
from simulator.moments import FarEnd
from tests.simulator.product import Product, twiml

CALLER = "+447700900123"
CONTROL_ROOM = "+441632960200"
HOLD = '<Gather action="/hold" actionOnEmptyResult="true" timeout="20"><Say>Stay.</Say></Gather>'


def test_an_incoming_call_carries_everything_twilio_sends(
    product: Product, exchange: Exchange
) -> None:
    """The parameters and headers of telephony.md, all of them, signed."""
    product.answers["/voice/incoming"] = "<Hangup/>"
    exchange.call(CALLER)
    posted = product.posted[0]
    names = (
        "CallSid AccountSid From To Called Caller CallStatus Direction ApiVersion"
        " CallToken StirVerstat"
    )
    places = [
        f"{who}{what}"
        for who in ("From", "To", "Caller", "Called")
        for what in ("City", "State", "Zip", "Country")
    ]
    assert {*names.split(), *places} <= set(posted.form)
    assert re.fullmatch("CA[0-9a-f]{32}", posted.form["CallSid"])
    assert posted.form["CallStatus"] == "ringing"
    assert posted.form["FromCity"] == ""
    assert posted.headers["User-Agent"] == "TwilioProxy/1.1"
    assert posted.headers["I-Twilio-Idempotency-Token"]
    assert posted.headers["Content-Type"].startswith("application/x-www-form-urlencoded")


def test_only_the_end_of_an_inbound_call_is_told(product: Product, exchange: Exchange) -> None:
    """Status: completed, duration, sequence number 0, RFC 2822 time, the callback's source."""
    product.answers["/voice/incoming"] = "<Pause length='7'/><Say>Hello</Say><Pause length='61'/>"
    exchange.call(CALLER).stays_silent(30).hangs_up()
    statuses = [posted.form for posted in product.posted if posted.path == "/voice/status"]
    assert len(statuses) == 1
    assert statuses[0]["CallStatus"] == "completed"
    assert statuses[0]["SequenceNumber"] == "0"
    assert statuses[0]["CallbackSource"] == "call-progress-events"
    assert 20 <= int(statuses[0]["CallDuration"]) <= 24
    assert parsedate_to_datetime(statuses[0]["Timestamp"]).tzinfo is not None


def test_a_document_that_ends_hangs_up(product: Product, exchange: Exchange) -> None:
    """The end of the TwiML is the end of the call, by our doing."""
    product.answers["/voice/incoming"] = "<Say>Goodbye.</Say>"
    assert exchange.call(CALLER).hears("goodbye").is_let_go().ended_by_us


@pytest.mark.parametrize(
    "answer",
    [
        Response(status=500),
        Response("<html>error</html>", content_type="text/html"),
        Response("<html>error</html>", content_type="text/xml"),
        Response(status=403),
        twiml('<Gather numDigits="2"/>'),
        twiml("<Say>" + "a " * 40_000 + "</Say>"),
    ],
    ids=["500", "html", "html as xml", "403", "no action", "too long"],
)
def test_a_bad_answer_without_a_fallback_is_an_error_spoken_aloud(
    product: Product, exchange: Exchange, answer: Response
) -> None:
    """What hurts a silent caller most: Twilio speaks and ends the call."""
    product.answers["/voice/incoming"] = answer
    call = exchange.call(CALLER).hears("application error")
    assert call.over
    assert not call.ended_by_us
    assert len(exchange.faults) == 2, "the primary and the fallback"


def test_the_fallback_url_is_told_what_went_wrong(product: Product, exchange: Exchange) -> None:
    """The fallback request carries ErrorCode and ErrorUrl beside the original parameters."""
    product.answers["/voice/incoming"] = gather = '<Gather action="/keys" numDigits="1"/>'
    product.answers["/keys"] = Response(status=502)
    product.answers["/voice/fallback"] = "<Say>Stay on the line.</Say><Pause/>"
    assert gather
    exchange.call(CALLER).presses("5").hears("stay on the line")
    form = product.form("/voice/fallback")
    assert form["ErrorCode"] == "11200"
    assert form["ErrorUrl"] == "https://phone.example:8443/keys"
    assert form["Digits"] == "5"
    assert form["CallStatus"] == "in-progress"


def test_a_refused_connection_is_tried_once_more(product: Product, exchange: Exchange) -> None:
    """Default: one retry, on connect failure only."""
    product.answers["/voice/incoming"] = HOLD
    product.answers["/voice/fallback"] = HOLD
    exchange.knobs.refuse_connections = 1
    exchange.call(CALLER).hears("stay")
    assert product.paths() == ["/voice/incoming"]
    exchange.knobs.refuse_connections = 2
    exchange.call(CALLER).hears("stay")
    assert product.paths()[1:] == ["/voice/fallback"]
    assert product.form("/voice/fallback")["ErrorCode"] == "11205"


def test_a_lost_answer_is_not_tried_again_by_default(product: Product, exchange: Exchange) -> None:
    """A read that fails goes to the fallback, though the product has acted on it."""
    product.answers["/voice/incoming"] = product.answers["/voice/fallback"] = HOLD
    exchange.knobs.lose_answers = 1
    exchange.call(CALLER).hears("stay")
    assert product.paths() == ["/voice/incoming", "/voice/fallback"]


def test_connection_overrides_bring_the_same_request_again(product: Product) -> None:
    """#rc=2&rp=ct,rt: the retry has the same body, signature and idempotency token."""
    product.answers["/voice/incoming"] = HOLD
    exchange = Exchange(
        product.url, "https://phone.example:8443", "12345", "AC" + "0" * 32, overrides="rc=2&rp=rt"
    )
    exchange.knobs.lose_answers = 2
    exchange.call(CALLER).hears("stay")
    first, second, third = product.posted
    assert first.form == second.form == third.form
    for name in ("X-Twilio-Signature", "I-Twilio-Idempotency-Token"):
        assert len({posted.headers[name] for posted in product.posted}) == 1
    assert product.unsigned == []


def test_a_slow_answer_is_no_answer(product: Product) -> None:
    """rt=100: what comes later than the read timeout is too late."""
    import threading

    slow = threading.Event()

    def answer(_: object) -> str:
        slow.wait(1.0)
        return HOLD

    product.answers["/voice/incoming"] = answer
    product.answers["/voice/fallback"] = HOLD
    exchange = Exchange(
        product.url, "https://phone.example:8443", "12345", "AC" + "0" * 32, overrides="rt=100"
    )
    call = exchange.call(CALLER)
    assert "11200" in exchange.faults[0]
    slow.set()
    call.hears("stay" if not call.over else "application error")


def test_duplicates_are_the_same_request_several_times(
    product: Product, exchange: Exchange
) -> None:
    """Retries mean duplicates are normal; each arrives up to five times."""
    product.answers["/voice/incoming"] = HOLD
    exchange.knobs.duplicates = 5
    exchange.call(CALLER).hears("stay")
    assert len(product.posted) == 5
    assert len({posted.headers["X-Twilio-Signature"] for posted in product.posted}) == 1


def test_the_status_callback_can_be_lost(product: Product, exchange: Exchange) -> None:
    """One may never come."""
    product.answers["/voice/incoming"] = HOLD
    exchange.knobs.lose_status = True
    exchange.call(CALLER).hears("stay").hangs_up()
    assert product.paths() == ["/voice/incoming"]


def test_plain_text_is_read_aloud_to_the_caller(product: Product, exchange: Exchange) -> None:
    """A bug others shipped: the phone menu reading its markup aloud."""
    product.answers["/voice/incoming"] = Response("<Response/>", content_type="text/plain")
    exchange.call(CALLER).hears("<Response/>")
    assert exchange.faults


def test_an_endless_redirect_is_stopped(product: Product, exchange: Exchange) -> None:
    """A bug others shipped."""
    product.answers["/voice/incoming"] = "<Redirect>/voice/incoming</Redirect>"
    exchange.call(CALLER).hears("application error")
    assert len(product.posted) < 100


def test_a_public_url_that_was_never_set_leads_nowhere(
    product: Product, exchange: Exchange
) -> None:
    """A bug others shipped: Twilio was told http://[::]:8081."""
    product.answers["/voice/incoming"] = "<Redirect>http://[::]:8081/next</Redirect>"
    exchange.call(CALLER).hears("application error")
    assert "11205" in exchange.faults[0]


def bridge(extra: str = "") -> str:
    """Return a Dial to the control room."""
    number = f'<Number url="/whisper">{CONTROL_ROOM}</Number>'
    return f'<Dial action="/after" answerOnBridge="true" timeout="20" {extra}>{number}</Dial>'


def test_the_answering_side_hears_a_whisper_and_the_caller_does_not(
    product: Product, exchange: Exchange
) -> None:
    """url on Number = a whisper to the answering side before the two are joined."""
    product.answers["/voice/incoming"] = bridge()
    product.answers["/whisper"] = "<Say>Silent caller, 55 pressed.</Say>"
    product.answers["/after"] = HOLD
    call = exchange.call(CALLER).is_connected_to(CONTROL_ROOM)
    whisper = product.form("/whisper")
    assert whisper["ParentCallSid"] == call.sid
    assert whisper["Direction"] == "outbound-dial"
    assert whisper["To"] == CONTROL_ROOM
    assert not any("55 pressed" in words for words in call.heard)
    assert "+441632960200 hears “Silent caller, 55 pressed.”" in call.transcript
    call.presses("5").the_other_side_hangs_up().hears("stay")
    after = product.form("/after")
    assert after["DialCallStatus"] == "completed"
    assert after["DialCallSid"] == whisper["CallSid"]
    assert after["DialCallDuration"].isdigit()
    assert call.call.keys_delivered == "", "keys are not seen during Dial"


@pytest.mark.parametrize("outcome", ["busy", "no-answer", "failed"])
def test_a_control_room_that_cannot_be_reached_is_told_in_the_action(
    product: Product, exchange: Exchange, outcome: str
) -> None:
    """Nobody on shift, and it does not ring for ever."""
    product.answers["/voice/incoming"] = bridge()
    product.answers["/after"] = HOLD
    exchange.far_ends[CONTROL_ROOM] = FarEnd(outcome=outcome)  # type: ignore[arg-type]
    call = exchange.call(CALLER).hears("stay").is_on_hold()
    assert product.form("/after")["DialCallStatus"] == outcome
    assert call.call.clock.now() < 30


def test_a_caller_who_hangs_up_while_connected_ends_the_dial_too(
    product: Product, exchange: Exchange
) -> None:
    """The Dial's action is posted though nobody hears its answer, then the end of the call."""
    product.answers["/voice/incoming"] = bridge()
    product.answers["/whisper"] = "<Pause/>"
    product.answers["/after"] = HOLD
    exchange.call(CALLER).is_connected_to(CONTROL_ROOM).hangs_up()
    assert product.paths() == ["/voice/incoming", "/whisper", "/after", "/voice/status"]
    assert product.form("/after")["CallStatus"] == "completed"


def test_an_emergency_number_is_never_rung(product: Product, exchange: Exchange) -> None:
    """The product blocks outbound calls to emergency numbers; the exchange says if it did not."""
    product.answers["/voice/incoming"] = "<Dial><Number>999</Number></Dial>"
    exchange.call(CALLER)
    assert "emergency number 999" in exchange.faults[0]


def test_a_conference_beeps_and_plays_music_unless_told_not_to(
    product: Product, exchange: Exchange
) -> None:
    """Conference beeps and plays music unless beep="false" and waitUrl=""."""
    product.answers["/voice/incoming"] = "<Dial><Conference>loud</Conference></Dial>"
    loud = exchange.call(CALLER).transcript
    assert "beep" in loud
    assert "music" in loud
    product.answers["/voice/incoming"] = (
        '<Dial><Conference beep="false" waitUrl="">quiet</Conference></Dial>'
    )
    quiet = exchange.call(CALLER).transcript
    assert "beep" not in quiet
    assert "music" not in quiet


def test_a_refused_call_is_never_answered(product: Product, exchange: Exchange) -> None:
    """Reject: busy, and the call has no duration."""
    product.answers["/voice/incoming"] = '<Reject reason="busy"/>'
    exchange.call(CALLER)
    status = product.form("/voice/status")
    assert (status["CallStatus"], status["CallDuration"]) == ("busy", "0")


def test_relative_urls_follow_the_document_they_stand_in(
    product: Product, exchange: Exchange
) -> None:
    """Relative and absolute URLs both work."""
    product.answers["/voice/incoming"] = "<Redirect>../step/one?a=1</Redirect>"
    product.answers["/step/one"] = "<Redirect>https://phone.example:8443/step/two</Redirect>"
    product.answers["/step/two"] = "<Hangup/>"
    exchange.call(CALLER)
    assert product.paths()[:3] == ["/voice/incoming", "/step/one", "/step/two"]
    assert exchange.faults == []
