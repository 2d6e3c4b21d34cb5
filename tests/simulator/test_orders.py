"""Orders to a live call: whatever the call does, an order interrupts it at once, and only once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from simulator.call import Call
from simulator.caller import CallWentWrong
from simulator.exchange import Exchange
from simulator.moments import Key
from tests.simulator.client import Elsewhere
from tests.simulator.product import ACCOUNT, PUBLIC_URL, TOKEN, Product
from tests.waiting import eventually

CALLER = "+447700900123"
LISTEN = (
    '<Gather action="/keys" numDigits="{}" timeout="9" finishOnKey=""><Say>Stay.</Say></Gather>'
)
HOLD = LISTEN.format(2)
ASK = (
    '<Gather action="/answer" numDigits="3" timeout="4" finishOnKey="" actionOnEmptyResult="true">'
    "<Say>Are you in danger?</Say><Say>Press any key twice for yes, once for no.</Say></Gather>"
)


def order(client: Client, call: Call, path: str = "/ask") -> None:
    """Send the call elsewhere."""
    client.calls(call.sid).update(url=f"{PUBLIC_URL}{path}")


@pytest.fixture(autouse=True)
def _answers(product: Product) -> None:
    product.answers.update({"/voice/incoming": HOLD, "/keys": HOLD, "/ask": ASK, "/answer": HOLD})


@pytest.mark.parametrize(
    "document",
    [
        "<Say>A long announcement.</Say><Pause length='60'/>",
        "<Pause length='60'/>",
        HOLD,
        '<Dial action="/after"><Number>+441632960200</Number></Dial>',
        '<Dial action="/after"><Number url="/whisper">+441632960200</Number></Dial>',
        '<Dial action="/after"><Conference beep="false" waitUrl="">room</Conference></Dial>',
        "<Enqueue>queue</Enqueue>",
    ],
    ids=["say", "pause", "gather", "ringing", "whisper", "conference", "queue"],
)
def test_an_order_interrupts_whatever_plays(
    product: Product, exchange: Exchange, client: Client, document: str
) -> None:
    """Prompt, silence, keys, Dial, conference: no time of the call passes before the question."""
    product.answers["/voice/incoming"] = f"<Say>Hello.</Say>{document}"
    product.answers["/whisper"] = "<Say>A silent caller.</Say><Pause length='9'/>"
    caller = exchange.call(CALLER).hears("hello")
    at = caller.call.clock.now()
    order(client, caller.call)
    caller.waits_for_order()
    assert caller.call.clock.now() == at
    assert caller.heard[-1] == "Are you in danger?"
    assert "/after" not in product.paths()
    assert caller.call.connected_to == ""
    caller.is_asked("in danger").answers("yes")
    assert product.form("/answer")["Digits"] == "55"
    assert exchange.faults == []


def test_an_order_ends_a_connection(product: Product, exchange: Exchange, client: Client) -> None:
    """The caller talks to the control room and is brought back to keys."""
    product.answers["/voice/incoming"] = "<Dial><Number>+441632960200</Number></Dial>"
    caller = exchange.call(CALLER).is_connected_to("+441632960200")
    order(client, caller.call, "/keys")
    caller.waits_for_order().is_on_hold()
    assert "is no longer connected" in caller.transcript


def test_keys_half_typed_are_lost_and_the_transcript_says_so(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """One 5 of two, then a question: the 5 is in neither answer."""
    caller = exchange.call(CALLER).hears("stay").presses("5")
    order(client, caller.call)
    caller.is_asked("in danger").answers("no")
    assert "/keys" not in product.paths()
    assert product.form("/answer")["Digits"] == "5"
    assert "half typed when the order came: 5 is lost" in caller.transcript


@pytest.mark.parametrize("reorder", [False, True])
def test_keys_that_are_under_way_arrive_though_an_order_came(
    product: Product, exchange: Exchange, client: Client, reorder: bool
) -> None:
    """The request is sent before or after the order's own, and its answer is never played."""
    product.answers["/keys"] = "<Say>Never heard.</Say><Hangup/>"
    caller = exchange.call(CALLER).hears("stay")
    exchange.knobs.delay, exchange.knobs.reorder = 1.0, reorder
    caller.presses("55")
    assert caller.call.wait is not None
    assert caller.call.wait.kind == "in_flight"
    order(client, caller.call)
    caller.waits_for_order()
    exchange.knobs.delay = 0.0
    caller.is_asked("in danger")
    assert product.form("/keys")["Digits"] == "55"
    assert "Never heard." not in caller.heard
    asked, keys = product.paths().index("/ask"), product.paths().index("/keys")
    assert (keys > asked) is reorder


def test_an_order_overtakes_the_answer_that_is_waited_for(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """The product orders while it answers a webhook: the answer, a Hangup, is never played."""
    began, ordered = threading.Event(), threading.Event()

    def slow(_: object) -> str:
        began.set()
        ordered.wait(10)
        return "<Hangup/>"

    product.answers["/keys"] = slow
    caller = exchange.call(CALLER).hears("stay")
    pressing = threading.Thread(target=caller.presses, args=("55",))
    pressing.start()
    assert began.wait(10)
    order(client, caller.call)
    ordered.set()
    pressing.join(10)
    caller.is_asked("in danger").is_still_on_the_line()


def test_a_key_pressed_while_the_question_is_fetched_is_no_answer_to_it(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """Keys in the same instant as an order are lost: no Gather runs."""
    began, pressed = threading.Event(), threading.Event()

    def slow(_: object) -> str:
        began.set()
        pressed.wait(10)
        return ASK

    product.answers["/ask"] = slow
    caller = exchange.call(CALLER).hears("stay")
    order(client, caller.call)
    assert began.wait(10)
    caller.presses("5")
    pressed.set()
    caller.is_asked("in danger").answers("no")
    assert product.form("/answer")["Digits"] == "5"
    assert "in the gap between two documents: lost" in caller.transcript


def test_keys_and_an_order_at_once_are_heard_or_lost_and_never_mixed(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """Fifty times: two keys and an order on three threads; each key counts once or not at all."""
    product.answers["/voice/incoming"] = product.answers["/keys"] = LISTEN.format(1)
    for _ in range(50):
        caller = exchange.call(CALLER).hears("stay")
        start = threading.Barrier(3)

        def at_once(act: object, *given: object, start: threading.Barrier = start) -> None:
            start.wait(10)
            act(*given)  # type: ignore[operator]

        threads = [
            threading.Thread(target=at_once, args=(caller.call.happens, Key("5"))),
            threading.Thread(target=at_once, args=(caller.call.happens, Key("6"))),
            threading.Thread(target=at_once, args=(order, client, caller.call)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        caller.waits_for_order()
        notes = [note for note in caller.call.notes if note.detail.get("key")]
        assert sorted(note.detail["key"] for note in notes) == ["5", "6"], caller.transcript
        caller.hangs_up()
    assert exchange.faults == []


def test_of_two_orders_the_later_one_is_carried_out_last(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """Twenty times two orders at once, sent one after the other."""
    product.answers["/second"] = "<Say>The second.</Say><Pause length='60'/>"
    for _ in range(20):
        caller = exchange.call(CALLER).hears("stay")
        order(client, caller.call)
        order(client, caller.call, "/second")
        caller.waits_for_order().waits_for_order()
        assert caller.heard[-1] == "The second."


def test_an_order_to_a_call_that_is_over_changes_nothing(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """Error 21220, and the product is asked for nothing."""
    caller = exchange.call(CALLER).hears("stay").hangs_up()
    with pytest.raises(TwilioRestException) as wrong:
        order(client, caller.call)
    assert (wrong.value.status, wrong.value.code) == (400, 21220)
    assert "/ask" not in product.paths()


def test_an_order_and_a_hang_up_at_once_end_in_a_closed_line(
    product: Product, exchange: Exchange, client: Client
) -> None:
    """Fifty races: the line is closed, told once, and nothing is spoken to nobody."""
    for _ in range(50):
        caller = exchange.call(CALLER).hears("stay")
        hanging_up = threading.Thread(target=caller.hangs_up)
        hanging_up.start()
        try:
            order(client, caller.call)
        except TwilioRestException as wrong:
            assert wrong.code == 21220  # noqa: PT017 - either side may win
        hanging_up.join(10)
        eventually(partial(getattr, caller, "over"))
    assert product.paths().count("/voice/status") == 50
    assert exchange.faults == []


def test_somebody_who_waits_for_an_order_that_never_comes_is_told(exchange: Exchange) -> None:
    """A bounded wait; the failure holds the whole call."""
    caller = exchange.call(CALLER).hears("stay")
    with pytest.raises(CallWentWrong, match="no order number 1 reached the call"):
        caller.waits_for_order(0.05)
    with pytest.raises(CallWentWrong, match="never asked “are you hurt”"):
        caller.is_asked("are you hurt", within=0.05)


@pytest.fixture
def real_time(product: Product) -> Iterator[Exchange]:
    """An exchange whose calls take as long as calls take."""
    exchange = Exchange(product.url, PUBLIC_URL, TOKEN, ACCOUNT, serve_rest=True, virtual=False)
    yield exchange
    for call in exchange.calls:
        call.hang_up()
    exchange.close()


def test_in_real_time_an_order_interrupts_at_once_too(
    product: Product, real_time: Exchange
) -> None:
    """A caller in the middle of a minute's silence is asked within a second."""
    product.answers["/voice/incoming"] = "<Say>Hello.</Say><Pause length='60'/>"
    caller = real_time.call(CALLER)
    living = threading.Thread(target=caller.stays_silent, kwargs={"until": "in danger"})
    living.start()
    order(Client(ACCOUNT, TOKEN, http_client=Elsewhere(real_time.rest_url)), caller.call)
    living.join(5)
    assert not living.is_alive()
    assert caller.call.clock.now() < 3
