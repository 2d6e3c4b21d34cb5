"""Figures put beside their baseline: rows of a table, each with its interval and what may be said.

The same rows make the page, its plots and the file for a spreadsheet, so that they cannot
differ. It counts nothing and names nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Final, Literal, overload

from incidents.estimates import (
    Comparison,
    Interval,
    compare_rates,
    compare_shares,
    poisson,
    quantile,
    wilson,
)
from incidents.figure_policy import FigurePolicy
from incidents.figures import Figures
from incidents.grades import Grades

Unit = Literal["a day", "share", "seconds", "number"]
MEDIAN: Final = 0.5
NINE_IN_TEN: Final = 0.9
SIGNALS: Final = {
    "nothing": "Silent calls: no sign",
    "heard": "Speech or sound heard",
    "someone_there": "Somebody there: a key",
    "confirmed": "Full signal (55 in the UK)",
}
LINES: Final = {
    "emergency": "Emergency line",
    "non_emergency": "Non-emergency line",
    "contact": "Line of known repeat victims",
}
FUNNEL: Final = (
    ("All calls", "each begins silent"),
    ("A sign was shown", "a key, a voice, or the full signal"),
    ("Full signal given", "55 in the UK"),
    ("Full signal, answered", "a person claimed it, or the control room answered"),
    ("Full signal, answered, closed", "with an outcome"),
)


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure. ``value`` None: too few to give one. ``count`` of ``of`` stand behind it."""

    unit: Unit
    count: int | None = None
    of: int | None = None
    value: float | None = None
    within: Interval | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A figure, its baseline, and how they differ. ``note``: what it counts."""

    name: str
    now: Measure
    then: Measure | None = None
    change: Comparison | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that belong together. ``plot``: whether they are drawn as bars, too.

    ``whole``: the longest bar there could be is all of them, not the longest there is.
    """

    id: str
    title: str
    rows: tuple[Row, ...]
    plot: bool = False
    empty: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """The figures of a period and, where there is one, of its baseline."""

    now: Figures
    then: Figures | None
    policy: FigurePolicy

    def rate(self, name: str, count: int, then: int, note: str = "") -> Row:
        """Make the row of a number of calls, compared by the day."""
        change = None
        if self.then is not None:
            change = compare_rates(
                count,
                self.now.days,
                then,
                self.then.days,
                confidence=self.policy.confidence,
                few=self.policy.few,
            )
        before = None if self.then is None else self._rate(then, self.then.days)
        return Row(name, self._rate(count, self.now.days), before, change, note)

    def share(
        self, name: str, part: int, whole: int, before: tuple[int, int], note: str = ""
    ) -> Row:
        """Make the row of a share. ``before``: part and whole of the baseline."""
        change, then = None, None
        if self.then is not None:
            confidence, few = self.policy.confidence, self.policy.few
            change = compare_shares(part, whole, *before, confidence=confidence, few=few)
            then = self._share(*before)
        return Row(name, self._share(part, whole), then, change, note)

    def time(self, name: str, share: float, note: str = "") -> Row:
        """Make the row of the time within which so many alerts were answered."""
        now = self._time(self.now, share)
        then = None if self.then is None else self._time(self.then, share)
        change = None if then is None else _apart(now, then)
        return Row(name, now, then, change, note)

    def _rate(self, count: int, days: float) -> Measure:
        if not days:
            return Measure("a day", count)
        within = poisson(count, self.policy.confidence)
        by_day = Interval(within.low / days, within.high / days)
        return Measure("a day", count, None, count / days, by_day)

    def _share(self, part: int, whole: int) -> Measure:
        if whole < self.policy.few:
            return Measure("share", part, whole)
        return Measure(
            "share", part, whole, part / whole, wilson(part, whole, self.policy.confidence)
        )

    def _time(self, of: Figures, share: float) -> Measure:
        times = of.answering.times
        found = quantile(times, share, self.policy.confidence)
        if found is None or len(times) < self.policy.few:
            return Measure("seconds", None, len(times))
        return Measure("seconds", None, len(times), found.value, found.within)


def sheet(pair: Pair, grades: Grades) -> tuple[Table, ...]:
    """Return every table of a range of days."""
    return (
        calls(pair),
        funnel(pair),
        answering(pair),
        seen(pair),
        _shares(pair, "lines", "Lines", LINES, "lines", "No call came."),
        _shares(
            pair,
            "grades",
            "Grades, of the calls that have one",
            {one.id: one.name for one in grades.grades},
            "grades",
            "No call was graded.",
        ),
        _shares(
            pair,
            "outcomes",
            "Outcomes, of the calls that are closed",
            {one.id: one.name for one in grades.outcomes},
            "outcomes",
            "No call is closed yet.",
        ),
    )


def of_season(pair: Pair, grades: Grades) -> tuple[Table, ...]:
    """Return the tables of an operation."""
    every = {one.id: one for one in sheet(pair, grades)}
    return tuple(every[one] for one in ("calls", "funnel", "answering", "seen", "outcomes"))


def daily(pair: Pair) -> tuple[Table, ...]:
    """Return the tables of the daily report."""
    return (calls(pair), answering(pair), seen(pair))


def calls(pair: Pair) -> Table:
    """Return how many calls came, by what the caller showed."""
    now, then = pair.now, pair.then
    rows = [pair.rate("All calls", now.calls, then.calls if then else 0)]
    for signal, name in SIGNALS.items():
        before = then.signals.get(signal, 0) if then else 0
        rows.append(pair.rate(name, now.signals.get(signal, 0), before))
    before = then.repeats if then else 0
    days = pair.policy.repeat_days
    rows.append(
        pair.rate("Repeats", now.repeats, before, f"the number had called in {days} days before")
    )
    return Table("calls", "Calls", tuple(rows), plot=True)


def funnel(pair: Pair) -> Table:
    """Return how many calls go on from step to step, each as a share of all calls."""
    now, then = pair.now.funnel, pair.then.funnel if pair.then else (0,) * len(FUNNEL)
    rows = [
        pair.share(name, now[at], now[0], (then[at], then[0]), note)
        for at, (name, note) in enumerate(FUNNEL)
    ]
    # All calls are all calls: nothing is uncertain about their share, and nothing can change.
    rows[0] = replace(rows[0], now=_sure(rows[0].now), then=_sure(rows[0].then), change=None)
    return Table("funnel", "From silent call to outcome", tuple(rows), plot=True)


def answering(pair: Pair) -> Table:
    """Return how soon alerts were answered, and how long they stood with nobody."""
    now, then = pair.now.answering, pair.then.answering if pair.then else None
    goal, wanted = pair.policy.answered_within, pair.policy.answered_share
    few = (now.within, now.judged), (then.within, then.judged) if then else (0, 0)
    missed = (now.missed, now.alerts), (then.missed, then.alerts) if then else (0, 0)
    rows = (
        pair.rate("Alerts", now.alerts, then.alerts if then else 0, "a sign, or the ladder began"),
        pair.time("Half answered within", MEDIAN, "from the alert to the first claim"),
        pair.time("Nine in ten answered within", NINE_IN_TEN, "never answered counts as longest"),
        pair.share(f"Answered within {goal} s", *few[0], few[1], f"the goal is {wanted * 100:g} %"),
        pair.share("Missed", *missed[0], missed[1], "the line was over before anybody answered"),
        _plain("Unclaimed time, all alerts", now.unclaimed, then.unclaimed if then else None),
        _plain("Longest unclaimed", now.longest, then.longest if then else None),
    )
    return Table("answering", "Answering", rows)


def seen(pair: Pair) -> Table:
    """Return what became of calls: reviewed, answered, closed."""
    now, then = pair.now, pair.then
    review = (then.reviewed, then.for_review) if then else (0, 0)
    note = "of the calls that ended without a sign"
    rows = [pair.share("Reviewed", now.reviewed, now.for_review, review, note)]
    for at, one in enumerate(now.became):
        before = then.became[at] if then else None
        was = (before.seen, before.calls) if before else (0, 0)
        rows.append(pair.share(f"Seen: {_lower(SIGNALS[one.signal])}", one.seen, one.calls, was))
    for at, one in enumerate(now.became):
        before = then.became[at] if then else None
        was = (before.closed, before.calls) if before else (0, 0)
        rows.append(
            pair.share(f"Closed: {_lower(SIGNALS[one.signal])}", one.closed, one.calls, was)
        )
    return Table("seen", "Seen by a person, and closed", tuple(rows))


def _shares(
    pair: Pair, id_: str, title: str, names: Mapping[str, str], field: str, empty: str
) -> Table:
    """Return how calls are divided among ``names``; what the file no longer names is there, too."""
    now: Mapping[str, int] = getattr(pair.now, field)
    then: Mapping[str, int] = getattr(pair.then, field) if pair.then else {}
    whole, before = sum(now.values()), sum(then.values())
    known = dict(names) | {one: one for one in _rest((now, then), names)}
    rows = tuple(
        pair.share(name, now.get(one, 0), whole, (then.get(one, 0), before))
        for one, name in known.items()
        if now.get(one) or then.get(one)
    )
    return Table(id_, title, rows, plot=True, empty=empty)


@overload
def _sure(one: Measure) -> Measure: ...
@overload
def _sure(one: None) -> None: ...
def _sure(one: Measure | None) -> Measure | None:
    return None if one is None else replace(one, within=None)


def _rest(found: Iterable[Mapping[str, int]], names: Mapping[str, str]) -> Sequence[str]:
    return sorted({one or "" for each in found for one in each if one not in names})


def _plain(name: str, seconds: float, before: float | None) -> Row:
    then = None if before is None else Measure("seconds", None, None, before)
    return Row(name, Measure("seconds", None, None, seconds), then)


def _apart(now: Measure, then: Measure) -> Comparison:
    """Compare two times: they differ only where their intervals have nothing in common."""
    if now.within is None or then.within is None:
        return Comparison("too few")
    if now.within.low > then.within.high:
        return Comparison("more")
    if now.within.high < then.within.low and now.within.high != inf:
        return Comparison("fewer")
    return Comparison("cannot tell")


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]
