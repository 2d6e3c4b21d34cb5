"""How sure a figure is: intervals for shares, counts and times, and what two periods may say.

Every interval is at one level of confidence. It says nothing beyond chance: calls of one
person come in clusters and seasons differ, so that the truth is less sure than any interval
here. It decides nothing and gives no score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

Change = Literal["more", "fewer", "cannot tell", "too few"]
EXACT_UP_TO: Final = 1000
"""Counts whose interval is exact; beyond, Byar's approximation agrees to four figures."""
_HALVINGS: Final = 100
_ROUNDING: Final = 1e-9
"""0.9 of 10 is 9, whatever floating point makes of it."""


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high``. ``high`` is infinite where so few numbers set no bound."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two periods say of one figure.

    ``change``: whether the interval leaves out "the same". ``by`` is the ratio of two rates or
    the difference of two shares, with its interval; None where the numbers are too few.
    """

    change: Change
    by: float | None = None
    within: Interval | None = None


def wilson(part: int, whole: int, confidence: float) -> Interval | None:
    """Return Wilson's interval for the share ``part / whole``; None of nothing.

    E. B. Wilson, "Probable inference", JASA 22 (1927): it stays within 0 and 1, and is fair for
    small numbers, where the usual p ± z·s is not.
    """
    if not whole:
        return None
    z, share = _z(confidence), part / whole
    middle = share + z * z / (2 * whole)
    spread = z * math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    below = 1 + z * z / whole
    low = 0.0 if part == 0 else max(0.0, (middle - spread) / below)
    high = 1.0 if part == whole else min(1.0, (middle + spread) / below)
    return Interval(low, high)


def poisson(count: int, confidence: float) -> Interval:
    """Return the exact (Garwood) interval for the mean of a Poisson count.

    F. Garwood, Biometrika 28 (1936); for large counts Byar's approximation of it.
    """
    tail = (1 - confidence) / 2
    if count > EXACT_UP_TO:
        z = _z(confidence)
        return Interval(_byar(count, -z), _byar(count + 1, z))
    low = 0.0 if count == 0 else _mean_with(lambda mean: 1 - _at_most(count - 1, mean), tail, count)
    return Interval(low, _mean_with(lambda mean: -_at_most(count, mean), -tail, count))


def compare_rates(
    now: int, now_days: float, then: int, then_days: float, *, confidence: float, few: int
) -> Comparison:
    """Compare two counts over times of different length: the ratio of their rates.

    Given both together, the count of now is binomial; its share's interval gives the ratio's.
    Fewer than ``few`` in both together are too few to compare.
    """
    within = wilson(now, now + then, confidence)
    if now + then < few or within is None or not now_days or not then_days:
        return Comparison("too few")
    scale = then_days / now_days
    low, high = _odds(within.low) * scale, _odds(within.high) * scale
    by = now / then * scale if then else math.inf
    return Comparison(_side(low, high, 1), by, Interval(low, high))


def compare_shares(
    part: int, whole: int, then_part: int, then_whole: int, *, confidence: float, few: int
) -> Comparison:
    """Compare two shares: their difference, with Newcombe's interval (his method 10, 1998).

    A share of fewer than ``few`` is too few to compare.
    """
    if min(whole, then_whole) < max(few, 1):
        return Comparison("too few")
    one, other = wilson(part, whole, confidence), wilson(then_part, then_whole, confidence)
    assert one is not None
    assert other is not None
    here, there = part / whole, then_part / then_whole
    by = here - there
    low = by - math.hypot(here - one.low, other.high - there)
    high = by + math.hypot(one.high - here, there - other.low)
    return Comparison(_side(low, high, 0), by, Interval(low, high))


@dataclass(frozen=True, slots=True)
class Quantile:
    """A time that so many of all do not pass, with its interval; infinite: not reached yet."""

    value: float
    within: Interval


def quantile(ordered: Sequence[float], share: float, confidence: float) -> Quantile | None:
    """Return the nearest-rank quantile of ascending times, with an interval from their order.

    The interval is free of any assumption on how times are spread: so many of them fall below the
    true quantile as a binomial count says. None of no times.
    """
    many = len(ordered)
    if not many:
        return None
    first, last = _ranks(many, share, confidence)
    value = ordered[max(1, math.ceil(many * share - _ROUNDING)) - 1]
    low = ordered[first - 1] if first >= 1 else 0.0
    high = ordered[last - 1] if last <= many else math.inf
    return Quantile(value, Interval(min(low, value), max(high, value)))


def _ranks(many: int, share: float, confidence: float) -> tuple[int, int]:
    """Return the ranks, from 1, between which the true quantile lies; 0 or more than all: none."""
    if many > EXACT_UP_TO:
        spread = _z(confidence) * math.sqrt(many * share * (1 - share))
        return math.floor(many * share - spread), math.ceil(many * share + spread) + 1
    tail, below, first = (1 - confidence) / 2, 0.0, 0
    for falls in range(many + 1):
        below += math.comb(many, falls) * share**falls * (1 - share) ** (many - falls)
        if below <= tail:
            first = falls + 1
        if below >= 1 - tail:
            return first, falls + 1
    return first, many + 1


def _side(low: float, high: float, same: float) -> Change:
    if low > same:
        return "more"
    return "fewer" if high < same else "cannot tell"


def _odds(share: float) -> float:
    return share / (1 - share) if share < 1 else math.inf


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _byar(count: int, z: float) -> float:
    return float(count * (1 - 1 / (9 * count) + z / (3 * math.sqrt(count))) ** 3)


def _at_most(count: int, mean: float) -> float:
    """Return how probable a Poisson count of ``count`` or fewer is. Added up from the largest."""
    if mean == 0:
        return 1.0
    term = math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
    total = 0.0
    for below in range(count, -1, -1):
        total += term
        term *= below / mean
    return min(1.0, total)


def _mean_with(grows: Callable[[float], float], wanted: float, count: int) -> float:
    """Return the mean at which ``grows``, which grows with it, is ``wanted``."""
    low, high = 0.0, count + 12 * math.sqrt(count + 1) + 40
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if grows(middle) < wanted else (low, middle)
    return (low + high) / 2
