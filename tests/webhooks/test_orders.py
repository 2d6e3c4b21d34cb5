"""Orders reach the caller: what is recorded first, what is said, and what never goes wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callflow.call import Call
from incidents.orders import Order, What, order_path
from incidents.sealed import Keys
from tests.webhooks import requests, twimlrules
from tests.webhooks.ordering import BAD, HELD, ORDERS, STAFF, STEP, Sent, an_order

TYPED = "Is the door locked?"


@pytest.mark.parametrize("what", ORDERS)
def test_every_order_is_on_the_disk_and_keeps_the_caller(sent: Sent, what: What) -> None:
    """`order_reached` says which order it was; the caller stays on the line."""
    sent.order(ORDERS[what])
    (reached,) = sent.recorded("order_reached")
    assert (reached.data["order"], reached.data["what"], reached.step) == ("0" * 32, what, STEP)
    assert reached.data["called"] == "+441632960000"
    assert twimlrules.keeps_the_caller(sent.document, requests.PUBLIC_URL) == []


def test_a_question_is_spoken_and_how_to_answer_with_the_first(sent: Sent) -> None:
    """Neither beep nor name: the question, how to answer, and at least four seconds."""
    assert sent.order(ORDERS["ask"]).said == [
        "Are you in danger now?",
        "For yes, press any key twice. For no, press once.",
    ]
    later = replace(HELD, asked=1, step=STEP + 5000)
    assert sent.order(an_order("ask", text=TYPED), later).said == [TYPED]


@pytest.mark.parametrize(
    ("digits", "answer", "keys"),
    [("77", "yes", "77"), ("*", "no", "*"), ("777", "unclear", "777"), ("", "none", "")],
)
def test_what_is_pressed_is_recorded_as_the_answer(
    sent: Sent, digits: str, answer: str, keys: str
) -> None:
    """With the question, its text and which order it answers; and it is in no `keys_pressed`."""
    sent.order(ORDERS["ask"]).then(Digits=digits)
    (answered,) = sent.recorded("question_answered")
    told = [answered.data[name] for name in ("answer", "keys", "question", "text", "attempt")]
    assert told == [answer, keys, "danger_now", "Are you in danger now?", 1]
    assert answered.data["signal"] == "5x2"
    assert sent.recorded("keys_pressed") == []


def test_an_answer_that_never_came_has_no_digits_at_all(sent: Sent) -> None:
    """On an empty result ``Digits`` may be absent: none, as well."""
    sent.order(ORDERS["ask"]).then()
    assert sent.recorded("question_answered")[0].data["answer"] == "none"


def test_an_unclear_answer_is_asked_once_more_and_is_an_answer_of_its_own(sent: Sent) -> None:
    """Recorded at once; the second attempt gets its own; then quiet hold."""
    sent.order(ORDERS["ask"]).then(Digits="777")
    assert sent.said == [
        "We didn't catch that.",
        "Are you in danger now?",
        "For yes, press any key twice. For no, press once.",
    ]
    sent.then(Digits="7777")
    assert [(e.data["attempt"], e.data["answer"]) for e in sent.recorded("question_answered")] == [
        (1, "unclear"),
        (2, "unclear"),
    ]
    assert sent.said == []


def test_digits_that_are_no_keys_are_unclear_and_not_none(sent: Sent) -> None:
    """Something was pressed."""
    sent.order(ORDERS["ask"]).then(Digits="\x00")
    assert sent.recorded("question_answered")[0].data["answer"] == "unclear"


def test_what_a_handler_typed_is_spoken_as_text_whatever_it_holds(sent: Sent) -> None:
    """Markup is read as words; nothing closes a tag, and nothing stays behind in the process."""
    typed = 'Is "he" <there> & awake?</Say><Hangup/>'
    assert sent.order(an_order("ask", question="free", text=typed)).said[0] == typed


WELSH = ["Arhoswch ar y lein, os gwelwch yn dda."]


@pytest.mark.parametrize(("what", "words"), [("hold", []), ("language", WELSH)])
def test_a_hold_says_nothing_and_a_language_its_soft_words(
    sent: Sent, what: What, words: list[str]
) -> None:
    """And from then on everything is said in that language."""
    assert sent.order(an_order(what, language="cy-GB")).said == words


def test_a_switched_language_stays_in_the_record_and_on_the_line(sent: Sent) -> None:
    """The soft repeat a while later is Welsh as well."""
    sent.order(an_order("language", language="cy-GB"))
    assert sent.recorded("order_reached")[0].data["language"] == "cy-GB"
    for _ in range(8):
        sent.then(Digits="")
        if sent.said:
            break
    assert sent.said == WELSH


def test_the_reassurance_promises_nothing(sent: Sent) -> None:
    """Rule 6: not that help comes, not that we know where."""
    (words,) = sent.order(ORDERS["reassure"]).said
    assert not {"help", "police", "coming", "way", "safe"} & set(words.casefold().split())


def test_a_connection_rings_the_person_with_a_whisper_and_comes_back(sent: Sent) -> None:
    """The caller hears nothing new; the other side hears what this is, and that it is claimed."""
    sent.order(ORDERS["connect"])
    assert (sent.said, twimlrules.rings(sent.document, STAFF)) == ([], True)
    path = twimlrules.whisper_url(sent.document).removeprefix(requests.PUBLIC_URL)
    whispered = sent.phone.post(path, [("ParentCallSid", "CA1")])
    assert twimlrules.spoken(whispered.body) == [
        "Silent caller. A key was pressed. Do not speak until you know it is safe.",
        "A handler is working this call.",
    ]
    (connected,) = sent.recorded("connected")
    assert connected.data == {"to": "anna", "order": "0" * 32}
    sent.then(DialCallStatus="completed")
    assert [event.data["next"] for event in sent.recorded("bridge_ended")] == ["hold"]


def test_a_service_outside_is_told_nothing_of_the_caller(sent: Sent) -> None:
    """Only that a call is passed on; the record names the service, and the caller comes back."""
    to = {"to": "+448081689111", "label": "Victim Support", "service": "victim_support"}
    sent.order(an_order("connect", **to))
    assert (sent.said, twimlrules.rings(sent.document, "+448081689111")) == ([], True)
    path = twimlrules.whisper_url(sent.document).removeprefix(requests.PUBLIC_URL)
    whispered = sent.phone.post(path, [("ParentCallSid", "CA1")])
    assert twimlrules.spoken(whispered.body) == [
        "A call is passed on to you. The caller may not be able to speak."
    ]
    (connected,) = sent.recorded("connected")
    assert connected.data == {"to": "Victim Support", "order": "0" * 32}
    sent.then(DialCallStatus="no-answer")
    (ended,) = sent.recorded("bridge_ended")
    assert (ended.data["status"], ended.data["next"]) == ("no-answer", "hold")


def test_a_conference_is_silent_and_the_caller_comes_back(sent: Sent) -> None:
    """No beep, no music; when one side goes the other is not left alone."""
    sent.order(ORDERS["conference"])
    assert b'beep="false" waitUrl=""' in sent.document
    assert b'endConferenceOnExit="true"' in sent.document
    sent.then(DialCallStatus="answered")
    assert sent.recorded("bridge_ended")[0].data["next"] == "hold"


def test_a_person_lets_the_line_go_after_a_goodbye_that_listens(sent: Sent) -> None:
    """Signs were given, and yet: goodbye, silence, the end."""
    assert sent.order(ORDERS["let_go"]).said == ["Thank you. Goodbye."]
    assert twimlrules.hangs_up(sent.then(Digits="").document)


def test_a_key_during_that_goodbye_keeps_the_caller(sent: Sent) -> None:
    """Rule 5, at any moment we can hear keys."""
    sent.order(ORDERS["let_go"]).then(Digits="5")
    assert twimlrules.keeps_the_caller(sent.document, requests.PUBLIC_URL) == []
    assert sent.recorded("keys_pressed")[0].data["keys"] == "5"


def test_keys_that_come_with_an_order_are_not_lost(sent: Sent) -> None:
    """Should Twilio bring half a typed 55 along with the address it fetches."""
    sent.order(ORDERS["ask"], Digits="55")
    assert sent.recorded("keys_pressed")[0].data["keys"] == "55"
    assert sent.said[0] == "Are you in danger now?"


@pytest.mark.parametrize("sealed", BAD)
@pytest.mark.parametrize("route", ["order", "answer"])
def test_an_order_that_cannot_be_opened_keeps_the_caller_on_hold(
    sent: Sent, route: str, sealed: str
) -> None:
    """Signed, so never refused: held, silent, and an alert says that our answer failed."""
    sent.fetch(f"/voice/{route}/{HELD.write()}/{sealed}")
    assert twimlrules.keeps_the_caller(sent.document, requests.PUBLIC_URL) == []
    assert sent.said == []
    assert len(sent.recorded("answer_failed")) == 1


@pytest.mark.parametrize("token", ["x", "hold.1", "", "HOLD.1.2-5", "%2e%2e"])
@pytest.mark.parametrize("route", ["order", "answer"])
def test_an_order_with_a_state_that_cannot_be_read_keeps_the_caller(
    sent: Sent, route: str, token: str
) -> None:
    """The same, and a key that came with it counts."""
    sealed = ORDERS["ask"].seal(sent.keys)
    sent.fetch(f"/voice/{route}/{token}/{sealed}", Digits="5")
    assert twimlrules.keeps_the_caller(sent.document, requests.PUBLIC_URL) == []
    assert sent.recorded("keys_pressed")[0].data["keys"] == "5"
    assert len(sent.recorded("answer_failed")) == 1


@pytest.mark.parametrize("order", [
    an_order("connect", to=""), an_order("connect", to="999"), an_order("connect", to="sip:a@b"),
    an_order("conference", room="a room & more"), an_order("ask", text=""), an_order("page"),
], ids=str)  # fmt: skip
def test_an_order_nothing_can_be_made_of_keeps_the_caller(sent: Sent, order: Order) -> None:
    """No number, no room, no words: hold, and an alert."""
    sent.order(order)
    assert twimlrules.keeps_the_caller(sent.document, requests.PUBLIC_URL) == []
    assert (sent.recorded("order_reached"), len(sent.recorded("answer_failed"))) == ([], 1)


def test_an_order_of_another_site_does_not_open(sent: Sent) -> None:
    """Sealed with a key that is not ours."""
    sealed = ORDERS["let_go"].seal(Keys(b"x" * 32))
    sent.fetch(f"/voice/order/{HELD.write()}/{sealed}")
    assert sent.recorded("order_reached") == []
    assert sent.said == []


@pytest.mark.parametrize("what", ORDERS)
def test_an_orderfetched_five_times_is_one_event_and_the_same_bytes(sent: Sent, what: What) -> None:
    """Twilio may fetch again; nothing is doubled."""
    path = order_path(HELD, ORDERS[what], sent.keys)
    documents = {sent.fetch(path).document for _ in range(5)}
    assert (len(sent.recorded("order_reached")), len(documents) <= 2) == (1, True)


def test_an_answer_posted_five_times_is_one_answer(sent: Sent) -> None:
    """A retried "yes" is one "yes"; of two lengths of keys both are kept, and the longer counts."""
    path = twimlrules.next_path(sent.order(ORDERS["ask"]).document, requests.PUBLIC_URL)
    assert path is not None
    for digits in ("7", "77", "7", "77", "77"):
        sent.fetch(path, Digits=digits)
    assert sorted(e.data["keys"] for e in sent.recorded("question_answered")) == ["7", "77"]


def test_a_failed_answer_keeps_what_was_pressed_as_the_answer(sent: Sent) -> None:
    """The fallback brings the keys: they answer the question, and an alert says what failed."""
    path = twimlrules.next_path(sent.order(ORDERS["ask"]).document, requests.PUBLIC_URL)
    url = f"{requests.PUBLIC_URL}{path}"
    sent.fetch("/voice/fallback", ErrorUrl=url, ErrorCode="11200", Digits="77")
    assert sent.recorded("question_answered")[0].data["answer"] == "yes"
    assert len(sent.recorded("answer_failed")) == 1
    assert twimlrules.keeps_the_caller(sent.document, requests.PUBLIC_URL) == []


def test_a_failed_order_keeps_the_state_of_the_call(sent: Sent) -> None:
    """The fallback reads it from the failed address: the caller stays claimed."""
    path = order_path(HELD, ORDERS["ask"], sent.keys)
    sent.fetch("/voice/fallback", ErrorUrl=requests.PUBLIC_URL + path, ErrorCode="11200")
    token = (twimlrules.next_path(sent.document, requests.PUBLIC_URL) or "").split("/")[-1]
    assert Call.read(token).claimed
    assert sent.recorded("question_answered") == []
