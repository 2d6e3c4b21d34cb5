"""Plots as geometry: bars and columns are as long as their figures, and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.measures import Measure, Row, Table
from console.plots import BAR_ROOM, MOST_BARS, TALL, bars, season
from incidents.estimates import Interval
from incidents.figures import Answering, Figures

FIRST = date(2026, 12, 1)
NONE = Figures(
    days=0,
    calls=0,
    signals={},
    lines={},
    numbered=0,
    repeats=0,
    for_review=0,
    reviewed=0,
    answering=Answering(0, 0, 0, 0, 0, 0, (), 0, 0),
    grades={},
    outcomes={},
    closed=0,
    became=(),
    funnel=(0, 0, 0, 0, 0),
    per_day={},
)


def counted(*calls: int, days: float | None = None) -> Figures:
    """Figures of so many calls on the first, the second, … day."""
    per_day = {FIRST + timedelta(days=at): Counter(nothing=many) for at, many in enumerate(calls)}
    return replace(NONE, days=days or len(calls), calls=sum(calls), per_day=per_day)


def share(part: int, whole: int) -> Row:
    """A row of a share with some interval."""
    value = part / whole
    return Row(
        "row", Measure("share", part, whole, value, Interval(value / 2, min(1, value * 1.5)))
    )


def test_a_bar_is_as_long_as_its_figure() -> None:
    """Half as much is half as long; the whiskers end where the interval does."""
    found = bars(Table("x", "X", (share(40, 100), share(20, 100))))
    assert found is not None
    one, other = (line.now for line in found.lines)
    assert one.end == pytest.approx(2 * other.end)
    assert one.high == BAR_ROOM
    assert one.low == pytest.approx(one.end / 2)


def test_a_share_of_people_is_drawn_of_them_all() -> None:
    """Three of eight is no full bar, even when it is the longest."""
    found = bars(Table("x", "X", (Row("r", Measure("share", 3, 8, 3 / 8)),), whole=True))
    assert found is not None
    assert found.lines[0].now.end == pytest.approx(BAR_ROOM * 3 / 8)


def test_a_share_of_too_few_is_not_drawn_but_said() -> None:
    """A bar would give what the table does not."""
    found = bars(Table("x", "X", (Row("r", Measure("share", 2, 3)),)))
    assert found is not None
    assert found.lines[0].now.end == 0
    assert found.lines[0].now.text == "2 of 3: too few to say"


def test_no_rows_are_no_plot() -> None:
    """The page says why instead."""
    assert bars(Table("x", "X", ())) is None
    assert season(NONE, None, FIRST, confidence=0.95) is None


def test_today_counts_as_the_part_of_it_that_has_passed() -> None:
    """Two calls by noon are four a day, not two."""
    found = season(counted(4, 2, days=1.5), None, FIRST + timedelta(days=1), confidence=0.95)
    assert found is not None
    assert [one.text for one in found.columns] == ["4.0", "4.0"]


def test_days_to_come_are_not_drawn_as_days_without_calls() -> None:
    """Nor is the baseline's line led on over them."""
    now, then = counted(4, 2, 0, 0, days=2), counted(1, 2, 3, 4)
    found = season(now, then, FIRST + timedelta(days=1), confidence=0.95)
    assert found is not None
    assert len(found.columns) == 2
    assert [one.before for one in found.columns] == ["1.0", "2.0"]


@settings(deadline=None)
@given(calls=st.lists(st.integers(0, 400), min_size=1, max_size=366), part=st.floats(0.01, 1))
def test_every_column_and_whisker_stays_on_the_paper(calls: list[int], part: float) -> None:
    """However many days and calls: few enough columns to read, and no call is lost."""
    now = counted(*calls, days=len(calls) - 1 + part)
    found = season(now, now, FIRST + timedelta(days=len(calls)), confidence=0.95)
    assert found is not None
    assert len(found.columns) <= MOST_BARS
    assert sum(one.calls for one in found.columns) == sum(calls)
    for one in found.columns:
        assert 0 <= one.low <= one.height + 1e-6
        assert one.height <= one.high + 1e-6 <= TALL + 1e-3
    assert all(0 < height <= TALL + 1e-6 for height, _ in found.marks)
