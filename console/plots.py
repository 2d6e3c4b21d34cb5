"""Plots as geometry: where each bar, line and label stands, for the server to draw as SVG.

Every plot has its table beside it; nothing is told by colour alone. It draws nothing itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from console import figure_words as told
from console.measures import Measure, Table
from console.words import calendar
from incidents.estimates import Interval, poisson
from incidents.figures import Figures

WIDTH: Final = 440
BAR_ROOM: Final = 330
"""Of the width: what the longest bar or whisker takes; its value stands behind it."""
STEP: Final = 58
STEP_ALONE: Final = 44
TALL: Final = 150
LEFT: Final = 40
MOST_BARS: Final = 16
_STEPS: Final = (1, 7, 28, 92)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: from the edge to ``end``, its whisker from ``low`` to ``high``, in drawing units."""

    end: float
    low: float
    high: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A label with its bar, at height ``y``, and the bar of the baseline under it."""

    label: str
    y: float
    now: Bar
    then: Bar | None


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars that lie one under another."""

    height: float
    lines: tuple[Line, ...]


def bars(table: Table) -> Bars | None:
    """Lay the rows of a table out as bars; None of no rows."""
    if not table.rows:
        return None
    alone = all(row.then is None for row in table.rows)
    step = STEP_ALONE if alone else STEP
    measures = [one for row in table.rows for one in (row.now, row.then) if one is not None]
    most = 1.0 if table.whole else max((_top(one) for one in measures), default=0) or 1
    lines = tuple(
        Line(
            row.name,
            at * step,
            _bar(row.now, most),
            None if row.then is None else _bar(row.then, most),
        )
        for at, row in enumerate(table.rows)
    )
    return Bars(len(lines) * step, lines)


def _top(one: Measure) -> float:
    return max(_size(one), one.within.high if one.within else 0)


def _size(one: Measure) -> float:
    """Return how long a bar is: what is too few to be a share is not drawn as one."""
    return one.value or 0


def _bar(one: Measure, most: float) -> Bar:
    scale = BAR_ROOM / most
    within = one.within or Interval(0, 0)
    text = told.percent(one.value) if one.unit == "share" and one.value is not None else ""
    if one.unit == "share" and one.value is None:
        text = f"{one.count} of {one.of}: {told.TOO_FEW}" if one.of else "none"
    elif one.unit == "a day":
        text = f"{told.number(one.value or 0)} a day"
    return Bar(_size(one) * scale, within.low * scale, within.high * scale, text)


@dataclass(frozen=True, slots=True)
class Column:
    """Some days: calls a day as a column with its whisker; ``then``: the baseline's point.

    Heights in drawing units from the foot. ``days``: how many of them have passed.
    """

    label: str
    x: float
    width: float
    height: float
    low: float
    high: float
    then: float | None
    calls: int
    days: float
    text: str
    within: str
    before: str


@dataclass(frozen=True, slots=True)
class Season:
    """Calls a day over a period. ``marks``: heights and labels of the scale."""

    columns: tuple[Column, ...]
    marks: tuple[tuple[float, str], ...]
    step: int
    line: str
    """The points of the baseline's line, as SVG takes them."""


def season(now: Figures, then: Figures | None, today: date, *, confidence: float) -> Season | None:
    """Lay calls a day out over the period, in steps of days, weeks or four weeks.

    The baseline's days stand over those that are as far from their first. None before any day.
    """
    days = [day for day in now.per_day if day <= today]
    if not days:
        return None
    step = next((one for one in _STEPS if len(days) <= one * MOST_BARS), _STEPS[-1])
    pieces = [days[at : at + step] for at in range(0, len(days), step)]
    # Today has not passed: its calls belong to a part of a day.
    part = now.days - (len(days) - 1)
    before = list(then.per_day) if then is not None else []
    found = []
    for at, piece in enumerate(pieces):
        passed = len(piece) - 1 + (part if piece[-1] == days[-1] else 1)
        calls = sum(now.per_day[day].total() for day in piece)
        same = before[at * step : at * step + len(piece)]
        known = then is not None and len(same) == len(piece)
        was = _mean(then.per_day, same) if then is not None and known else None
        found.append((piece, calls, max(passed, 1 / 24), was))
    return _columns(found, step, confidence)


def _columns(
    found: Sequence[tuple[Sequence[date], int, float, float | None]], step: int, confidence: float
) -> Season:
    sure = [poisson(calls, confidence) for _, calls, _, _ in found]
    most = max(
        *(one.high / passed for one, (_, _, passed, _) in zip(sure, found, strict=True)),
        *((was or 0) for *_, was in found),
        1.0,
    )
    scale, room = TALL / most, (WIDTH - LEFT) / len(found)
    columns = []
    for at, ((piece, calls, passed, was), within) in enumerate(zip(found, sure, strict=True)):
        low, high = within.low / passed, within.high / passed
        columns.append(
            Column(
                label=_label(piece),
                x=LEFT + at * room + room * 0.15,
                width=room * 0.7,
                height=calls / passed * scale,
                low=low * scale,
                high=high * scale,
                then=None if was is None else was * scale,
                calls=calls,
                days=passed,
                text=told.number(calls / passed),
                within=f"{told.number(low)} to {told.number(high)}",
                before="" if was is None else told.number(was),
            )
        )
    points = [
        f"{one.x + one.width / 2:.1f},{TALL - one.then:.1f}"
        for one in columns
        if one.then is not None
    ]
    marks = tuple((each * scale, told.number(each)) for each in _scale(most))
    return Season(tuple(columns), marks, step, " ".join(points))


def _mean(per_day: Mapping[date, Counter[str]], days: Sequence[date]) -> float:
    return sum(per_day[day].total() for day in days) / len(days)


def _scale(most: float) -> tuple[float, ...]:
    """Return two or three round marks up to ``most``."""
    base = 10 ** (len(str(int(most))) - 1)
    each = next(one for one in (base / 5, base / 2, base, base * 2, base * 5) if most / one < 4)
    return tuple(each * at for at in range(1, int(most / each) + 1))


def _label(piece: Sequence[date]) -> str:
    if len(piece) == 1:
        return calendar(piece[0])
    return f"{calendar(piece[0])} to {calendar(piece[-1])}"
