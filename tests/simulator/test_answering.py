"""How to answer is found by listening, whatever the profile says, in both languages."""

from __future__ import annotations

import pytest

from simulator.answering import How, Press, how_to_answer, told_last
from simulator.caller import CallWentWrong
from simulator.exchange import Exchange
from tests.simulator.product import Product

PRESSES = How(Press(times=2), Press(times=1))
KEYS = How(Press(key="4"), Press(key="5"))


@pytest.mark.parametrize(
    ("said", "how"),
    [
        ("For yes, press any key twice. For no, press once.", PRESSES),
        ("Press any key twice for yes, once for no.", PRESSES),
        ("To answer: two presses for yes, one press for no.", PRESSES),
        ("For no press once, for yes press twice.", PRESSES),
        ("Am ie, pwyswch unrhyw fotwm ddwywaith. Am na, pwyswch unwaith.", PRESSES),
        ("For yes, press 4. For no, press 5.", KEYS),
        ("Press 5 for no or 4 for yes.", KEYS),
        ("Are you alone, is there no one near? Press 4 for yes, 5 for no.", KEYS),
        ("Press 5 5 now.", None),
        ("Are you hurt, yes or no?", None),
        ("For yes press 4, for yes press 5.", None),
        ("", None),
    ],
)
def test_how_to_answer_is_found_in_what_is_said(said: str, how: How | None) -> None:
    """A number of presses or a key, in either order, and nothing where nothing is told."""
    assert how_to_answer(said) == how


def test_what_was_told_last_holds() -> None:
    """A line that changes its mind is believed, and two halves of a sentence are one."""
    first, second = "Press 4 for yes, 5 for no.", "For yes, press any key twice. For no, once."
    assert told_last([first, "Are you hurt?", second, "Is it dark?"]) == PRESSES
    assert told_last([second, first]) == KEYS
    assert told_last(["Are you hurt?", "For yes, press 4.", "For no, press 5."]) == KEYS
    assert told_last(["Are you hurt?"]) is None


def test_the_words_for_a_learner_name_the_keys() -> None:
    """What the practice page shows beside a question."""
    assert str(PRESSES.yes) == "any key twice"
    assert str(PRESSES.no) == "any key once"
    assert str(KEYS.no) == "key 5"


@pytest.mark.parametrize(
    ("how", "yes", "no"),
    [("For yes, press twice. For no, once.", "55", "5"), ("Yes: press 4. No: press 5.", "4", "5")],
)
def test_a_caller_answers_as_they_were_told(
    product: Product, exchange: Exchange, how: str, yes: str, no: str
) -> None:
    """The first question tells how; the second does not, and is answered the same way."""
    asks = '<Gather action="/told" timeout="4" finishOnKey=""><Say>Are you hurt?</Say>{}</Gather>'
    product.answers["/voice/incoming"] = asks.format(f"<Say>{how}</Say>")
    product.answers["/told"] = asks.format("")
    call = exchange.call("+447700900123").hears("are you hurt").hears(how).answers("yes")
    assert product.form("/told")["Digits"] == yes
    call.hears("are you hurt").answers("no")
    assert product.form("/told")["Digits"] == no


def test_a_caller_who_was_not_told_how_cannot_answer(product: Product, exchange: Exchange) -> None:
    """A question without a way to answer it is a fault of the product, and shown as one."""
    product.answers["/voice/incoming"] = '<Gather action="/told"><Say>Are you hurt?</Say></Gather>'
    call = exchange.call("+447700900123").hears("are you hurt")
    with pytest.raises(CallWentWrong, match="never told how to answer"):
        call.answers("yes")
