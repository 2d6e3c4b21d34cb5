"""What a Gather hears, and what it never hears."""

from __future__ import annotations

import pytest

from simulator.caller import CallWentWrong
from simulator.exchange import Exchange
from tests.simulator.product import Product

ASK = "<Say>Press 5 twice.</Say>"
CALLER = "+447700900123"


def gather(attributes: str, action: str = "/told") -> str:
    """Return a Gather that asks for 55, and a hang-up after it."""
    return f'<Gather action="{action}" {attributes}>{ASK}</Gather><Say>Nothing came.</Say><Hangup/>'


def told(product: Product) -> dict[str, str]:
    """Return what the product was told."""
    return product.form("/told")


@pytest.fixture(autouse=True)
def _told(product: Product) -> None:
    product.answers["/told"] = "<Say>Thank you.</Say><Pause length='30'/>"


def test_a_gather_without_action_on_empty_result_posts_nothing(
    product: Product, exchange: Exchange
) -> None:
    """Twilio: Gather posts nothing when nothing is pressed unless actionOnEmptyResult="true"."""
    product.answers["/voice/incoming"] = gather('timeout="5"')
    call = exchange.call(CALLER).hears("press 5").stays_silent().hears("nothing came")
    call.is_let_go()
    assert "/told" not in product.paths()


@pytest.mark.parametrize(("empty", "digits"), [("empty", ""), ("absent", None)])
def test_an_empty_result_has_empty_digits_or_none_at_all(
    product: Product, exchange: Exchange, empty: str, digits: str | None
) -> None:
    """Twilio: on an empty result Digits may be empty or absent (?), so both are played."""
    product.answers["/voice/incoming"] = gather('timeout="5" actionOnEmptyResult="true"')
    exchange.knobs.empty_digits = empty  # type: ignore[assignment]
    exchange.call(CALLER).stays_silent().hears("thank you")
    assert told(product).get("Digits") == digits


def test_the_timeout_counts_after_the_prompt(product: Product, exchange: Exchange) -> None:
    """Twilio: timeout in whole seconds counted after the prompt."""
    product.answers["/voice/incoming"] = gather('timeout="5" actionOnEmptyResult="true"')
    call = exchange.call(CALLER).hears("press 5")
    prompt_over = call.call.clock.now()
    call.stays_silent(4.9)
    assert "/told" not in product.paths()
    call.stays_silent(0.2)
    assert "/told" in product.paths()
    assert prompt_over > 1.0


def test_the_timeout_counts_again_from_each_key(product: Product, exchange: Exchange) -> None:
    """Twilio: timeout also counts between keys."""
    product.answers["/voice/incoming"] = gather('timeout="5" finishOnKey=""')
    call = exchange.call(CALLER).hears("press 5").presses("5").stays_silent(4).presses("5")
    call.stays_silent(4)
    assert "/told" not in product.paths()
    call.hears("thank you")
    assert told(product)["Digits"] == "55"


def test_the_first_key_stops_the_prompt(product: Product, exchange: Exchange) -> None:
    """Twilio: the first key stops the prompt."""
    product.answers["/voice/incoming"] = gather('numDigits="1"')
    call = exchange.call(CALLER).starts_to_hear("press 5").presses("5").hears("thank you")
    assert call.call.notes[-1].at == pytest.approx(0.0)


def test_the_number_of_digits_ends_the_gather_and_the_next_key_is_for_the_next_document(
    product: Product, exchange: Exchange
) -> None:
    """555 with numDigits=2: two keys are told, the third meets whatever comes after."""
    product.answers["/voice/incoming"] = gather('numDigits="2"')
    product.answers["/told"] = gather('numDigits="2" timeout="4"', "/more")
    product.answers["/more"] = "<Pause length='9'/>"
    exchange.call(CALLER).hears("press 5").presses("555").settles()
    assert told(product)["Digits"] == "55"
    assert product.form("/more")["Digits"] == "5"


def test_a_key_outside_a_gather_is_lost(product: Product, exchange: Exchange) -> None:
    """Twilio: keys pressed while no Gather runs are lost."""
    product.answers["/voice/incoming"] = "<Say>Hello.</Say>" + gather('numDigits="1"')
    call = exchange.call(CALLER).starts_to_hear("hello").presses("5").hears("press 5")
    call.stays_silent().hears("nothing came")
    assert "presses 5: lost" in call.transcript


def test_a_key_in_the_gap_between_two_documents_is_lost(
    product: Product, exchange: Exchange
) -> None:
    """The trap of the Gather loop: while the next document is fetched, nobody listens."""
    product.answers["/voice/incoming"] = gather('timeout="5" actionOnEmptyResult="true"')
    call = exchange.call(CALLER).hears("press 5").presses_in_the_gap("5").hears("thank you")
    assert told(product)["Digits"] == ""
    assert "presses 5: lost" in call.transcript


def test_hash_finishes_by_default_and_is_stripped(product: Product, exchange: Exchange) -> None:
    """Twilio: finishOnKey is # by default and is stripped."""
    product.answers["/voice/incoming"] = gather("")
    exchange.call(CALLER).hears("press 5").presses("5#").hears("thank you")
    assert told(product)["Digits"] == "5"
    assert told(product)["FinishedOnKey"] == "#"


def test_an_empty_finishing_key_lets_hash_and_star_through(
    product: Product, exchange: Exchange
) -> None:
    """With finishOnKey="" every key is a digit, in the order pressed."""
    product.answers["/voice/incoming"] = gather('finishOnKey=""')
    exchange.call(CALLER).hears("press 5").presses("*5#05").hears("thank you")
    assert told(product)["Digits"] == "*5#05"


def test_five_as_the_finishing_key_eats_the_signal(product: Product, exchange: Exchange) -> None:
    """Never finishOnKey="5": the second 5 of 55 would be stripped."""
    product.answers["/voice/incoming"] = gather('finishOnKey="5"')
    exchange.call(CALLER).hears("press 5").presses("15").hears("thank you")
    assert told(product)["Digits"] == "1"


def test_whichever_of_keys_and_speech_comes_first_wins(
    product: Product, exchange: Exchange
) -> None:
    """Twilio's combined mode: a shouting room masks keys until the speech is over."""
    product.answers["/voice/incoming"] = gather('input="dtmf speech" speechTimeout="auto"')
    call = exchange.call(CALLER).hears("press 5").says("get off the phone", lasting=20)
    call.presses("55").hears("thank you")
    assert told(product)["SpeechResult"] == "get off the phone"
    assert "Digits" not in told(product)
    assert 0 < float(told(product)["Confidence"]) <= 1


def test_words_after_the_first_key_are_not_heard(product: Product, exchange: Exchange) -> None:
    """The other way round: keys came first, so words do not count."""
    product.answers["/voice/incoming"] = gather('input="dtmf speech" numDigits="2"')
    exchange.call(CALLER).hears("press 5").presses("5").says("help").presses("5").hears("thank")
    assert told(product)["Digits"] == "55"
    assert "SpeechResult" not in told(product)


def test_speech_is_unheard_where_only_keys_are_taken(product: Product, exchange: Exchange) -> None:
    """input="dtmf" is the default."""
    product.answers["/voice/incoming"] = gather("")
    exchange.call(CALLER).hears("press 5").says("help").stays_silent().hears("nothing came")
    assert "/told" not in product.paths()


def test_a_cough_is_not_reported(product: Product, exchange: Exchange) -> None:
    """Gather reports speech, not coughs or taps."""
    product.answers["/voice/incoming"] = gather('input="dtmf speech"')
    exchange.call(CALLER).hears("press 5").coughs().taps().stays_silent().hears("nothing came")
    assert "/told" not in product.paths()


def test_a_late_speech_result_arrives_after_its_delay(product: Product, exchange: Exchange) -> None:
    """Speech results arrive up to 60 s late; keys meanwhile are lost."""
    product.answers["/voice/incoming"] = gather('input="dtmf speech"')
    call = exchange.call(CALLER).hears("press 5").says("help", late=40).stays_silent(30)
    assert "/told" not in product.paths()
    call.presses("55").stays_silent(20)
    assert told(product)["SpeechResult"] == "help"
    assert call.call.keys_delivered == ""


def test_keys_half_typed_are_lost_when_the_caller_hangs_up(
    product: Product, exchange: Exchange
) -> None:
    """A Gather whose caller hangs up posts nothing: only the end of the call arrives."""
    product.answers["/voice/incoming"] = gather('numDigits="2" timeout="5"')
    exchange.call(CALLER).hears("press 5").presses("5").hangs_up()
    assert "/told" not in product.paths()
    assert product.form("/voice/status")["CallStatus"] == "completed"


@pytest.mark.parametrize(
    ("reorder", "order"),
    [(True, ["/voice/status", "/told"]), (False, ["/told", "/voice/status"])],
)
def test_the_end_of_the_call_can_overtake_the_last_keys(
    product: Product, exchange: Exchange, reorder: bool, order: list[str]
) -> None:
    """A bug others shipped: `completed` before the last keys."""
    product.answers["/voice/incoming"] = gather('numDigits="2"')
    exchange.knobs.reorder = reorder
    call = exchange.call(CALLER).hears("press 5")
    exchange.knobs.delay = 0.5
    call.presses("55").hangs_up()
    assert product.paths()[-2:] == order
    assert call.call.keys_delivered == "55"


def test_a_failure_shows_the_whole_call_in_words(product: Product, exchange: Exchange) -> None:
    """Somebody in a control room must be able to read what went wrong."""
    product.answers["/voice/incoming"] = gather('numDigits="2"')
    with pytest.raises(CallWentWrong) as wrong:
        exchange.call(CALLER).hears("press 5").presses("55").hears("an ambulance is coming")
    message = str(wrong.value)
    assert "never heard “an ambulance is coming”" in message
    assert "hears “Press 5 twice.”" in message
    assert "we are told: keys 55" in message
