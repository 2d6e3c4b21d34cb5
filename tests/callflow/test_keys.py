"""Rule 5: key presses add up. What is a key, what counts, and what is kept of very many."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from callflow.keys import KEYPAD, LONGEST_KEPT, Signal, from_url, read_keys, shorten, to_url

FIVES = Signal("5", 2)
signals = st.builds(
    Signal,
    st.sets(st.sampled_from(KEYPAD), min_size=1).map(lambda keys: "".join(sorted(keys))),
    st.integers(1, 9),
)


@pytest.mark.parametrize("keys", ["55", "555", "*55", "5#5", "515", "5005", "1525", "5ABCD5"])
def test_rule_5_two_fives_confirm_whatever_stands_between_them(keys: str) -> None:
    """Nothing a frightened caller presses is wrong."""
    assert FIVES.given_by(keys)


@pytest.mark.parametrize("keys", ["", "5", "1", "*#", "0123456789"])
def test_rule_5_fewer_than_two_fives_do_not_confirm(keys: str) -> None:
    """One 5, or any other key, means that somebody is there."""
    assert not FIVES.given_by(keys)


@examples(max_examples=300, deadline=None)
@given(st.text(KEYPAD, max_size=30), st.text(KEYPAD, max_size=30), st.text(KEYPAD, max_size=30))
def test_no_further_press_takes_a_signal_back(before: str, pressed: str, after: str) -> None:
    """Presses only add up."""
    assert FIVES.count(before + pressed + after) >= FIVES.count(pressed)


@pytest.mark.parametrize(
    ("digits", "keys"),
    [
        ("55", "55"),
        ("055", "055"),
        ("*5#", "*5#"),
        ("-55", "55"),
        ("5e5", "55"),
        ("5 5", "55"),
        ("5\x005", "55"),
        ("５５", "55"),
        ("٥٥", "55"),
        ("५५", "55"),
        ("＊５＃", "*5#"),
        ("abcd", "ABCD"),
        ("yes", ""),
        ("⑤", "5"),
        ("", ""),
    ],
)
def test_keys_are_read_out_of_whatever_stands_in_digits(digits: str, keys: str) -> None:
    """A 5 in another script was still pressed by somebody; what is no key is left out."""
    assert read_keys(digits) == keys


@examples(max_examples=500, deadline=None)
@given(st.text())
def test_only_keys_of_the_keypad_are_ever_read(digits: str) -> None:
    """Whatever arrives, what goes on into URLs and records are keys."""
    assert set(read_keys(digits)) <= set(KEYPAD)


@examples(max_examples=500, deadline=None)
@given(st.text(KEYPAD, max_size=200), signals)
@example("0" * (LONGEST_KEPT - 1) + "55", FIVES)
@example("0" * LONGEST_KEPT + "55", FIVES)
@example("5" + "0" * 200 + "5", FIVES)
def test_rule_5_keeping_fewer_keys_never_loses_the_signal(pressed: str, signal: Signal) -> None:
    """A held key must not grow the URL, and must not push a 5 out of it either."""
    assert signal.given_by(shorten(pressed, signal)) == signal.given_by(pressed)


@examples(max_examples=300, deadline=None)
@given(st.text(KEYPAD, max_size=100), st.text(KEYPAD, max_size=100), signals)
def test_rule_5_the_signal_adds_up_over_many_shortened_steps(
    first: str, second: str, signal: Signal
) -> None:
    """Shortening after each step counts as shortening once."""
    kept = shorten(shorten(first, signal) + second, signal)
    assert signal.given_by(kept) == signal.given_by(first + second)


@examples(max_examples=300, deadline=None)
@given(st.text(KEYPAD, max_size=200), signals)
def test_no_more_keys_are_kept_than_fit_the_url(pressed: str, signal: Signal) -> None:
    """``LONGEST_KEPT`` and no more."""
    assert len(shorten(pressed, signal)) == min(len(pressed), LONGEST_KEPT)


@examples(max_examples=300, deadline=None)
@given(st.text(KEYPAD, max_size=64))
def test_keys_come_back_from_a_url_as_they_went_in(pressed: str) -> None:
    """In letters and digits only."""
    written = to_url(pressed)
    assert (from_url(written), written == "" or written.isalnum()) == (pressed, True)


@examples(max_examples=300, deadline=None)
@given(signals)
def test_a_signal_comes_back_as_it_was_spelled(signal: Signal) -> None:
    """Every recorded event carries the rule by which it was judged."""
    assert Signal.read(signal.spelled()) == signal


@pytest.mark.parametrize("spelled", ["", "x2", "5", "5x", "5xx", "9y2", "!x2", "5x2.0"])
def test_what_is_no_signal_is_refused(spelled: str) -> None:
    """With a ``ValueError``, nothing else."""
    with pytest.raises(ValueError):
        Signal.read(spelled)
