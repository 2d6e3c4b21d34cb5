"""How sure a figure is, against published values and against what chance does."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.estimates import (
    EXACT_UP_TO,
    Interval,
    compare_rates,
    compare_shares,
    poisson,
    quantile,
    wilson,
)

SURE = 0.95


def near(found: Interval | None, low: float, high: float, within: float = 0.002) -> bool:
    """Whether an interval is what a table says."""
    assert found is not None
    return math.isclose(found.low, low, abs_tol=within) and math.isclose(
        found.high, high, abs_tol=within
    )


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [
        (0, 0, 3.689),
        (1, 0.025, 5.572),
        (5, 1.623, 11.668),
        (10, 4.795, 18.390),
        (100, 81.364, 121.627),
    ],
)
def test_the_interval_of_a_count_is_the_published_one(count: int, low: float, high: float) -> None:
    """The exact limits of a Poisson count, as tables of vital statistics print them."""
    assert near(poisson(count, SURE), low, high)


def test_beyond_exact_counts_the_interval_goes_on_smoothly() -> None:
    """The approximation takes over without a step."""
    below, above = poisson(EXACT_UP_TO, SURE), poisson(EXACT_UP_TO + 1, SURE)
    assert math.isclose(above.low - below.low, 1, abs_tol=0.1)
    assert math.isclose(above.high - below.high, 1, abs_tol=0.1)


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_of_a_share_is_the_published_one(
    part: int, whole: int, low: float, high: float
) -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998), 857, table I, method 3."""
    assert near(wilson(part, whole, SURE), low, high, 0.0002)


def test_the_difference_of_two_shares_has_the_published_interval() -> None:
    """Newcombe, the same volume, 873, table II, method 10: 56/70 less 48/80."""
    found = compare_shares(56, 70, 48, 80, confidence=SURE, few=10)
    assert near(found.within, 0.0524, 0.3339, 0.0002)
    assert found.change == "more"


def test_of_nothing_no_share_is_given() -> None:
    """Neither 0 nor 100 %."""
    assert wilson(0, 0, SURE) is None
    assert quantile((), 0.5, SURE) is None


@pytest.mark.parametrize(("now", "then"), [(0, 0), (4, 5), (9, 0)])
def test_few_calls_are_too_few_to_compare(now: int, then: int) -> None:
    """Whatever their ratio."""
    assert compare_rates(now, 7, then, 7, confidence=SURE, few=10).change == "too few"


def test_a_period_without_days_is_not_compared() -> None:
    """An operation that has not begun."""
    assert compare_rates(0, 0, 50, 7, confidence=SURE, few=10).change == "too few"


def test_rates_are_compared_by_the_day() -> None:
    """20 calls in 10 days are as many as 40 in 20, and twice as many as 10 in 10."""
    assert compare_rates(20, 10, 40, 20, confidence=SURE, few=10).by == pytest.approx(1)
    assert compare_rates(20, 10, 10, 10, confidence=SURE, few=10).change == "cannot tell"
    assert compare_rates(200, 10, 100, 10, confidence=SURE, few=10).change == "more"
    assert compare_rates(100, 10, 200, 10, confidence=SURE, few=10).change == "fewer"


def test_from_none_to_many_is_more_without_an_upper_bound() -> None:
    """No ratio to nothing can be named."""
    found = compare_rates(30, 10, 0, 10, confidence=SURE, few=10)
    assert found.change == "more"
    assert found.by == math.inf
    assert found.within is not None
    assert found.within.high == math.inf


def test_a_median_of_few_has_no_upper_bound() -> None:
    """Of three times, the true median may lie above them all: that is said, and not guessed."""
    found = quantile((1.0, 2.0, 3.0), 0.5, SURE)
    assert found is not None
    assert (found.value, found.within) == (2.0, Interval(0.0, math.inf))


def test_a_median_of_ten_lies_between_the_second_and_the_ninth() -> None:
    """As tables of order statistics say."""
    found = quantile(tuple(map(float, range(1, 11))), 0.5, SURE)
    assert found is not None
    assert (found.value, found.within) == (5.0, Interval(2.0, 9.0))


def test_an_answer_that_never_came_is_beyond_every_time() -> None:
    """Of ten alerts two were never answered: nine in ten were answered in no time one can name."""
    found = quantile((*map(float, range(8)), math.inf, math.inf), 0.9, SURE)
    assert found is not None
    assert found.value == math.inf


@settings(max_examples=200)
@given(whole=st.integers(1, 3000), share=st.floats(0, 1))
def test_an_interval_of_a_share_holds_the_share(whole: int, share: float) -> None:
    """And stays within 0 and 1."""
    part = round(whole * share)
    found = wilson(part, whole, SURE)
    assert found is not None
    assert 0 <= found.low <= part / whole <= found.high <= 1


@settings(max_examples=60, deadline=None)
@given(count=st.integers(0, 5000))
def test_an_interval_of_a_count_holds_the_count_and_grows_with_sureness(count: int) -> None:
    """Whether it is exact or approximated."""
    wide, slim = poisson(count, 0.99), poisson(count, 0.8)
    assert wide.low <= slim.low <= count <= slim.high <= wide.high


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Two periods that are the same but for chance: at most about one in twenty looks changed."""
    chance = random.Random(55)
    looks_changed = 0
    for _ in range(1000):
        now = sum(chance.random() < 0.3 for _ in range(100))
        then = sum(chance.random() < 0.3 for _ in range(100))
        found = compare_rates(now, 7, then, 7, confidence=SURE, few=10)
        looks_changed += found.change in ("more", "fewer")
    assert looks_changed <= 60
