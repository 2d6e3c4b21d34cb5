"""An order travels sealed in its address, with the state from which the call goes on."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from callflow.call import Call, Stage
from incidents.orders import WHATS, BadOrder, Order, order_path, page_path, state_after
from incidents.sealed import Keys
from tests.incidents.answering import KEYS, POLICY, Calling

GB = POLICY.profiles["gb"]
PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z")), max_size=200)
orders = st.builds(
    Order,
    id=st.text(string.hexdigits, min_size=1, max_size=32),
    what=st.sampled_from(WHATS),
    language=st.sampled_from(("en-GB", "cy-GB")),
    text=PRINTABLE,
    label=PRINTABLE,
    to=st.sampled_from(("", "+447700900777")),
)


@examples(max_examples=200, deadline=None)
@given(orders)
def test_an_order_comes_out_of_its_address_as_it_went_in(order: Order) -> None:
    """Whatever a handler typed, in unreserved characters, and short enough for an address."""
    sealed = order.seal(KEYS)
    assert Order.open(sealed, KEYS) == order
    assert set(sealed) <= set(string.ascii_letters + string.digits + "-_")


def test_nobody_who_reads_an_address_learns_what_was_asked() -> None:
    """Nor whom it rings, nor whom it is about."""
    order = Order("1", "ask", "en-GB", text="Is the door locked?", to="+447700900777", name="sue")
    call = state_after(Calling().arrives().incident, 5, GB)
    for address in (order_path(call, order, KEYS), page_path(order, KEYS)):
        assert not any(word in address for word in ("door", "900777", "sue", "ask"))


@pytest.mark.parametrize("change", [0, 7, -1])
def test_an_order_that_was_changed_or_is_of_another_site_does_not_open(change: int) -> None:
    """One character is enough, and so is another key."""
    sealed = Order("1", "let_go", "en-GB").seal(KEYS)
    other = "A" if sealed[change] != "A" else "B"
    at = change % len(sealed)
    for bad in (sealed[:at] + other + sealed[at + 1 :], sealed[:-4], "", "é", "x" * 5000):
        with pytest.raises(BadOrder):
            Order.open(bad, KEYS)
    with pytest.raises(BadOrder):
        Order.open(sealed, Keys(b"x" * 32))


def test_rule_10_a_persons_order_holds_the_caller_without_limit() -> None:
    """And no timer rings anybody."""
    state = state_after(Calling().arrives().incident, 5, GB)
    assert (state.stage, state.claimed, state.step) == (Stage.HOLD, True, 5)


def test_a_caller_the_ladder_joins_is_not_let_go_and_keeps_the_backstop() -> None:
    """The engine may be gone when the bridge ends: the phone side then rings again by itself."""
    state = state_after(Calling().arrives().incident, 5, GB, claimed=False)
    assert (state.claimed, state.gave_a_sign()) == (False, True)


def test_every_key_so_far_comes_along() -> None:
    """A 5 before and a 5 in an answer: the next one would be the third."""
    call = Calling().arrives().presses("5").is_ordered("ask").presses("7")
    state = state_after(call.incident, call.incident.last_step + 1000, GB)
    assert (sorted(state.keys), state.asked) == (["5", "7"], 1)
    assert replace(state, keys=state.keys + "5").confirmed(GB)


def test_the_state_fits_its_address_however_much_was_pressed() -> None:
    """Cut without losing a press of the signal."""
    call = Calling().arrives().presses("1" * 60)
    for _ in range(5):
        call.is_ordered("ask").presses("123")
    state = state_after(call.incident, 1_800_000_000_000, GB)
    assert Call.read(state.write()) == state
