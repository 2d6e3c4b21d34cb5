"""A retried webhook makes the same event however often it comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from incidents.recorded import (
    Recorded,
    call_key,
    earlier,
    event_key,
    from_milliseconds,
    milliseconds,
    seal,
    unseal,
)
from incidents.sealed import CannotOpen, Keys
from tests.incidents.answering import ACCOUNT, KEYS, Calling

OTHER = Keys(bytes(range(1, 33)))
moments = st.integers(0, 4_102_444_800_000).map(from_milliseconds)


def keys_of(call: Calling, token: str, *, later: int = 0, **parameters: str) -> list[str]:
    """Return the keys of the events that one request makes."""
    now = call.now + timedelta(seconds=later)
    answer = call.answers.next_step(token, call.parameters(**parameters), now)
    return [event.key for event in answer.events]


def test_a_retried_webhook_has_the_same_key() -> None:
    """Seconds later, with the same content: one event."""
    call = Calling().arrives()
    once, again = (keys_of(call, call.token, later=later, Digits="5") for later in (0, 14))
    assert once == again


def test_a_retried_arrival_has_the_same_key() -> None:
    """Before there is any state in the URL."""
    keys = {
        Calling(now=Calling().now + timedelta(seconds=s)).arrives().events[0].key for s in (0, 9)
    }
    assert len(keys) == 1


def test_a_retried_end_has_the_same_key() -> None:
    """Status callbacks are repeated too."""
    call = Calling().arrives().ends().ends()
    assert call.events[-1].key == call.events[-2].key


@pytest.mark.parametrize(
    "unlike",
    [("Digits", "55"), ("Digits", "7"), ("Digits", ""), ("SpeechResult", "5")],
)
def test_another_content_in_the_same_step_has_another_key(unlike: tuple[str, str]) -> None:
    """So that the longer of two lengths of keys is kept."""
    call = Calling().arrives()
    request = call.parameters(**dict([unlike]))
    other = [event.key for event in call.answers.next_step(call.token, request, call.now).events]
    assert keys_of(call, call.token, Digits="5") != other


def test_the_same_content_in_the_next_step_has_another_key() -> None:
    """A second 5 is a second press."""
    call = Calling().arrives()
    first = keys_of(call, call.token, Digits="5")
    call.presses("5")
    assert keys_of(call, call.token, Digits="5") != first


def test_the_same_call_of_another_account_is_another_call() -> None:
    """An identifier is only unique inside its account."""
    assert call_key(KEYS, ACCOUNT, "CA1") != call_key(KEYS, "AC" + "0" * 32, "CA1")


def test_account_and_call_never_run_into_each_other() -> None:
    """``a|b`` and ``c`` are not ``a`` and ``b|c``."""
    assert call_key(KEYS, "a|b", "c") != call_key(KEYS, "a", "b|c")


def test_another_site_makes_other_keys() -> None:
    """Keys are keyed: they cannot be guessed from outside."""
    assert event_key(KEYS, "call", 1, "keys_pressed", "5") != event_key(
        OTHER, "call", 1, "keys_pressed", "5"
    )


def test_no_key_holds_what_was_pressed_or_said() -> None:
    """Content goes in as a digest."""
    key = event_key(KEYS, "call", 1, "sound_heard", "help me")
    assert ("help" not in key, len(key)) == (True, 40)


@examples(max_examples=2000, deadline=None)
@given(st.integers(0, 4_102_444_800_000))
def test_a_moment_comes_back_from_the_disk_to_the_millisecond(since_1970: int) -> None:
    """The journal and the memory must agree on when it was."""
    assert milliseconds(from_milliseconds(since_1970)) == since_1970


@examples(max_examples=1000, deadline=None)
@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_moment_is_cut_to_its_millisecond_and_never_rounded_up(at: datetime) -> None:
    """Rounding up would put an event after the one that followed it."""
    cut = at.replace(microsecond=at.microsecond // 1000 * 1000)
    assert from_milliseconds(milliseconds(at)) == cut


def test_an_event_comes_back_from_the_disk_as_it_went() -> None:
    """Every field."""
    event = Calling().arrives().says("help\ud800me").events[-1]
    assert unseal(seal(event, KEYS), KEYS) == event


def test_no_number_and_no_word_stands_in_the_clear_on_the_disk() -> None:
    """The sealed data shows neither."""
    sealed = seal(Calling().arrives().says("canary words").events[-1], KEYS)
    assert [w for w in (b"7700900123", b"canary") if w in sealed.data] == []


def test_an_event_under_another_ones_key_does_not_open() -> None:
    """Moved by somebody with access to the file."""
    one, other = Calling().arrives().presses("5").events
    moved = replace(seal(one, KEYS), key=other.key)
    with pytest.raises(CannotOpen):
        unseal(moved, KEYS)


@examples(max_examples=200, deadline=None)
@given(moments, moments, st.sampled_from(("hold", "bridged")), st.sampled_from(("hold", "bridged")))
def test_two_deliveries_of_one_event_join_to_the_same_in_either_order(
    at: datetime, again: datetime, one: str, other: str
) -> None:
    """Whichever is met first."""
    first = _delivered(at, one)
    second = _delivered(again, other)
    assert earlier(first, second) == earlier(second, first)


def test_of_two_deliveries_the_earlier_stands() -> None:
    """Its time, and what was decided then."""
    call = Calling().arrives()
    first = _delivered(call.now, "hold")
    assert earlier(_delivered(call.now + timedelta(seconds=1), "bridged"), first) == first


def _delivered(at: datetime, next_stage: str) -> Recorded:
    event = Calling().arrives().events[0]
    return replace(event, at=at, data={**event.data, "next": next_stage})
