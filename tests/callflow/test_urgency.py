"""Rule 3: machines only raise, and every rank says why."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from callflow.urgency import (
    STRENGTH,
    Reason,
    because_confirmed,
    because_held,
    because_of_signal,
    because_repeated,
    because_we_failed,
    ordinal,
    rank,
    stronger,
)

reasons = st.builds(Reason, st.integers(1, 4), st.text(min_size=1, max_size=8))


@examples(max_examples=300, deadline=None)
@given(st.lists(reasons, min_size=1), reasons)
def test_rule_3_one_reason_more_never_lowers_a_rank(known: list[Reason], more: Reason) -> None:
    """1 is the most urgent."""
    assert rank([*known, more])[0] <= rank(known)[0]


@examples(max_examples=300, deadline=None)
@given(st.lists(reasons, min_size=1))
def test_rule_3_every_reason_is_told_in_words(known: list[Reason]) -> None:
    """None is dropped because another is stronger."""
    assert sorted(rank(known)[1]) == sorted(reason.words for reason in known)


def test_the_reason_for_the_rank_is_told_first() -> None:
    """A tired handler reads one line."""
    assert rank([Reason(4, "nothing"), Reason(1, "55 pressed")])[1][0] == "55 pressed"


@pytest.mark.parametrize(("one", "other"), [*product(STRENGTH, STRENGTH)])
def test_the_stronger_signal_stays(one: str, other: str) -> None:
    """Nothing, heard, someone there, confirmed: whichever came first."""
    shown = stronger(one, other)  # type: ignore[arg-type]
    assert STRENGTH.index(shown) == max(STRENGTH.index(one), STRENGTH.index(other))


@pytest.mark.parametrize(
    ("reason", "urgency", "words"),
    [
        (because_confirmed("55"), 1, "55 pressed"),
        (because_of_signal("someone_there", over=False), 2, "a key was pressed"),
        (
            because_of_signal("heard", over=True),
            2,
            "something was heard; may be somebody else in the room",
        ),
        (because_of_signal("nothing", over=False), 4, "nothing heard yet"),
        (because_of_signal("nothing", over=True), 4, "nothing was heard before the call ended"),
        (because_held("silent landline call"), 2, "silent landline call"),
        (because_we_failed(), 2, "our answer failed"),
        (because_repeated(3, 700, 2), 2, "third silent call in 12 minutes"),
        (because_repeated(2, 5, 3), 3, "second silent call in 1 minute"),
        (because_repeated(12, 1800, 2), 2, "12th silent call in 30 minutes"),
    ],
)
def test_each_reason_has_its_urgency_and_its_words(
    reason: Reason, urgency: int, words: str
) -> None:
    """As domain.md has them."""
    assert (reason.urgency, reason.words) == (urgency, words)


@pytest.mark.parametrize(
    ("nth", "word"),
    [
        (2, "second"),
        (10, "tenth"),
        (11, "11th"),
        (13, "13th"),
        (21, "21st"),
        (22, "22nd"),
        (23, "23rd"),
        (111, "111th"),
        (112, "112th"),
    ],
)
def test_the_nth_call_is_counted_in_words(nth: int, word: str) -> None:
    """Words up to ten, figures from there."""
    assert ordinal(nth) == word
