"""A call-back at the phone side: the officer presses 1, and only then the person is rung."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from config.callbacks import TELLING
from incidents.identity import uuid7
from incidents.orders import CALL_BACK_PATH, Order, call_back_path
from incidents.sealed import Keys
from tests.webhooks import requests, twimlrules
from tests.webhooks.phoneside import Answered, PhoneSide
from tests.webhooks.requests import call

THEIRS = "+447700900123"
LINE = "+441632960101"
OFFICER = "+447700900301"


class CallBack:
    """A call-back that was just confirmed, at one phone side."""

    def __init__(self, phone: PhoneSide, ago: timedelta = timedelta(), **more: str) -> None:
        self.phone = phone
        keys = Keys(phone.settings.key_material)
        asked = datetime.now(UTC) - ago
        given = {"to": THEIRS, "name": "cara", "shown": LINE, **more}
        order = Order(uuid7(asked), "callback", "en-GB", **given)
        self.path = call_back_path(order, keys)

    def fetches(self, part: str = "", **more: str) -> Answered:
        """Have Twilio fetch a part of it; all but the empty answer to the person is good TwiML."""
        given = {"Direction": "outbound-api", "From": LINE, "To": OFFICER, **more}
        answer = self.phone.post(f"{self.path}{part}", call(sid="CA" + "9" * 32, **given))
        assert answer.status == 200
        if part not in ("/answered", "/machine"):
            assert twimlrules.faults(answer.body, requests.PUBLIC_URL) == []
        return answer

    def kinds(self) -> list[str]:
        """The kinds of what was recorded."""
        return [event.kind for event in self.phone.events()]


def test_the_officer_is_asked_to_press_1_in_words_that_say_nothing(phone: PhoneSide) -> None:
    """Said twice; a voicemail that records it learns nothing."""
    said = twimlrules.spoken(CallBack(phone).fetches().body)
    assert len(said) == 2
    assert "press 1" in said[0]
    assert not TELLING.search(said[0])


def test_1_rings_the_person_from_our_line(phone: PhoneSide) -> None:
    """For as long as the policy says; the officer's own number is never shown."""
    call_back = CallBack(phone)
    document = call_back.fetches("/answer", Digits="1").body
    dial = ElementTree.fromstring(document).find("Dial")
    assert dial is not None
    assert twimlrules.rings(document, THEIRS)
    assert (dial.attrib["callerId"], dial.attrib["timeout"]) == (LINE, "20")
    (taken,) = phone.events()
    assert (taken.kind, taken.data["leg"]) == ("callback_taken", "CA" + "9" * 32)


@pytest.mark.parametrize("keys", ["", "2", "5", "#"])
def test_anything_but_1_rings_nobody(phone: PhoneSide, keys: str) -> None:
    """An officer's voicemail presses nothing."""
    call_back = CallBack(phone)
    document = call_back.fetches("/answer", Digits=keys).body
    assert b"<Dial" not in document
    assert call_back.kinds() == ["callback_not_taken"]


def test_nothing_is_said_to_whoever_answers(phone: PhoneSide) -> None:
    """The officer is the first they hear; that somebody picked up is recorded."""
    call_back = CallBack(phone)
    answer = call_back.fetches("/answered", Direction="outbound-dial")
    assert list(ElementTree.fromstring(answer.body)) == []
    assert call_back.kinds() == ["callback_answered"]


@pytest.mark.parametrize("by", ["machine_start", "machine_end_beep", "fax"])
def test_a_machine_that_answers_is_recorded(phone: PhoneSide, by: str) -> None:
    """So that the call can be ended before it takes a message; nothing is said to it."""
    call_back = CallBack(phone)
    assert twimlrules.spoken(call_back.fetches("/machine", AnsweredBy=by).body) == []
    (event,) = phone.events()
    assert (event.kind, event.data["answered_by"]) == ("callback_machine", by)


@pytest.mark.parametrize("by", ["human", "unknown", ""])
def test_what_may_be_a_person_is_no_machine(phone: PhoneSide, by: str) -> None:
    """A person must not be hung up on for a long hello that nobody could tell apart."""
    call_back = CallBack(phone)
    call_back.fetches("/machine", AnsweredBy=by)
    assert call_back.kinds() == []


@pytest.mark.parametrize("status", ["completed", "no-answer", "busy", "failed"])
def test_how_it_ended_is_recorded_and_the_officer_let_go(phone: PhoneSide, status: str) -> None:
    """No message is ever left."""
    call_back = CallBack(phone)
    more = {"DialCallStatus": status, "DialCallDuration": "12"}
    assert b"<Hangup/>" in call_back.fetches("/ended", **more).body
    (event,) = phone.events()
    assert (event.kind, event.data["status"], event.data["duration"]) == (
        "callback_ended",
        status,
        12,
    )


def test_what_is_recorded_holds_no_number_and_is_no_callers_call(phone: PhoneSide) -> None:
    """It has a name of its own, made from the call-back's."""
    call_back = CallBack(phone)
    call_back.fetches("/answer", Digits="1")
    (event,) = phone.events()
    assert THEIRS not in str(event)
    assert event.call_sid == ""


def test_a_request_that_comes_twice_is_recorded_once(phone: PhoneSide) -> None:
    """Twilio retries what it thinks we missed."""
    call_back = CallBack(phone)
    for _ in range(2):
        call_back.fetches("/answer", Digits="1")
    assert call_back.kinds() == ["callback_taken"]


@pytest.mark.parametrize("part", ["", "/answer"])
@pytest.mark.parametrize("ago", [timedelta(minutes=11), timedelta(minutes=-3)])
def test_an_order_that_is_too_old_rings_nobody(phone: PhoneSide, ago: timedelta, part: str) -> None:
    """What was a safe hour may not be one any more; nor does one from the future ring."""
    document = CallBack(phone, ago).fetches(part, Digits="1").body
    assert twimlrules.spoken(document) == []
    assert b"<Dial" not in document


@pytest.mark.parametrize("part", ["", "/answer"])
def test_nobody_is_rung_when_the_safe_hour_is_over(phone: PhoneSide, part: str) -> None:
    """It was one when the officer asked; their 1 came later."""
    now = datetime.now(UTC)
    over, good = (f"{now + timedelta(minutes=some):%Y-%m-%dT%H:%M:%SZ}" for some in (-1, 1))
    assert b"<Dial" not in CallBack(phone, until=over).fetches(part, Digits="1").body
    assert b"<Dial" not in CallBack(phone, until="soon").fetches(part, Digits="1").body
    assert twimlrules.rings(CallBack(phone, until=good).fetches("/answer", Digits="1").body, THEIRS)
    late = [event.data["late"] for event in phone.events() if event.kind == "callback_not_taken"]
    assert late == [True] * (2 if part else 0)


@pytest.mark.parametrize("number", ["+44999", "999", "+441", "", "client:ada", "+1911"])
def test_an_emergency_number_or_none_is_never_rung(phone: PhoneSide, number: str) -> None:
    """Whatever an order says."""
    document = CallBack(phone, to=number).fetches("/answer", Digits="1").body
    assert document == CallBack(phone, shown="").fetches("/answer", Digits="1").body
    assert b"<Dial" not in document


def test_a_call_back_is_no_order_to_a_callers_call(phone: PhoneSide) -> None:
    """At an address of another kind it rings nobody: the caller is held."""
    call_back = CallBack(phone)
    sealed = call_back.path.removeprefix(CALL_BACK_PATH)
    for path in (f"/voice/page/{sealed}", f"/voice/page/{sealed}/answer"):
        answer = phone.post(path, call(Direction="outbound-api", Digits="1"))
        assert THEIRS.encode() not in answer.body


@pytest.mark.parametrize("sealed", ["x", "A" * 40, "%00"])
def test_an_order_that_is_none_of_ours_rings_nobody(phone: PhoneSide, sealed: str) -> None:
    """Whom we rang is let go; a caller who comes to such an address is kept."""
    path = f"{CALL_BACK_PATH}{sealed}/answer"
    ours = phone.post(path, call(Direction="outbound-api", Digits="1"))
    assert twimlrules.hangs_up(ours.body)
    theirs = phone.post(path, call(Digits="1"))
    assert twimlrules.keeps_the_caller(theirs.body, requests.PUBLIC_URL) == []
