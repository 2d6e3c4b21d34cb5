"""The pages of figures: a range of days against its baseline, and the daily report.

They name nobody. Reading them is logged, and so is every file that leaves them. The form
stays as it was typed when it is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console import figure_words, words
from console.audited import audited
from console.guard import doors, for_right, holder
from console.measures import Pair, Table, daily, sheet
from console.plots import bars, season
from incidents.figures import Counting, Figures
from incidents.grades import Grades
from incidents.periods import Period

FIELDS: Final = ("from", "to", "base_from", "base_to", "purpose")
PURPOSES: Final = {"live": "Live calls", "training": "Training calls"}
LONGEST_TYPED: Final = 40
USUAL_DAYS: Final = 28
"""Days shown when none are asked for, and days before them or before a day to compare with."""
REFUSED: Final = 422
_YEARS: Final = range(2000, 2101)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """The form as it was typed, as it was understood, and what is wrong with it by field."""

    typed: dict[str, str]
    period: Period
    baseline: Period | None
    purpose: str
    refusals: dict[str, str]

    def address(self, endpoint: str) -> str:
        """Return the address of the same figures at another page of ours."""
        kept = {name: text for name, text in self.typed.items() if text}
        return f"{url_for(endpoint)}?{urlencode(kept)}" if kept else url_for(endpoint)


def blueprint(counting: Counting, grades: Grades, *, training: bool) -> Blueprint:
    """Make the blueprint. ``training``: whether calls of training are what is shown at first."""
    pages = Blueprint("figures", __name__)
    usual = "training" if training else "live"
    policy = counting.policy

    def pair(asked: Asked) -> Pair:
        now = doors().clock()
        then = compared(counting, asked.baseline, asked.purpose, now)
        return Pair(counting.of(asked.period, asked.purpose, now), then, policy)

    def doubt(asked: Asked, found: Pair) -> str:
        return doubt_of(counting, asked.baseline, asked.purpose, found.then)

    @pages.get("/figures")
    @for_right("figures")
    def page() -> ResponseReturnValue:
        """Show the figures of a range of days."""
        asked = _range(_today(), usual, policy.longest_days)
        if asked.refusals:
            return _rendered(asked, None, (), REFUSED)
        audited().looked(holder(), "read figures", "figures")
        found = pair(asked)
        return _rendered(asked, found, sheet(found, grades), doubt=doubt(asked, found))

    @pages.get("/figures.csv")
    @for_right("figures")
    def table() -> ResponseReturnValue:
        """Give them as a table for a spreadsheet."""
        asked = _range(_today(), usual, policy.longest_days)
        if asked.refusals:
            return redirect(asked.address("figures.page"), 303)
        audited().gave_out(holder(), "exported figures", "figures")
        found = pair(asked)
        return as_file(head_of(asked, found), sheet(found, grades), "figures", asked.period)

    @pages.get("/figures/day")
    @for_right("figures")
    def day() -> ResponseReturnValue:
        """Show the report of a day, against the days before it."""
        asked = _one_day(_today(), usual)
        if asked.refusals:
            return _report(asked, None, REFUSED)
        audited().looked(holder(), "read the daily report", "figures")
        found = pair(asked)
        return _report(asked, found, doubt=doubt(asked, found))

    @pages.get("/figures/day.csv")
    @for_right("figures")
    def day_table() -> ResponseReturnValue:
        """Give it as a table for a spreadsheet."""
        asked = _one_day(_today(), usual)
        if asked.refusals:
            return redirect(asked.address("figures.day"), 303)
        audited().gave_out(holder(), "exported the daily report", "figures")
        found = pair(asked)
        return as_file(head_of(asked, found), daily(found), "day", asked.period)

    return pages


def compared(
    counting: Counting, baseline: Period | None, purpose: str, now: datetime
) -> Figures | None:
    """Count a baseline. None when there is none, or no call of it is on record: nothing is known
    of such days, and to compare with them would call everything more."""
    if baseline is None:
        return None
    found = counting.of(baseline, purpose, now)
    return found if found.calls else None


def doubt_of(
    counting: Counting, baseline: Period | None, purpose: str, then: Figures | None
) -> str:
    """Say why nothing is compared with a baseline (``then`` is None), or that the record may not
    reach back to its first day; empty: nothing is wrong with it."""
    if baseline is None:
        return ""
    first = counting.first(purpose)
    if then is None or first is None:
        return "No call of the baseline is on record, so nothing is compared with it."
    day = baseline.day_of(first)
    if day > baseline.from_day:
        return (
            f"The first call on record here is of {words.calendar(day)}, after the baseline's "
            "first day: the baseline may not be whole."
        )
    return ""


def drawn(tables: tuple[Table, ...]) -> dict[str, object]:
    """Return the bars of each table that is drawn, by its id."""
    return {one.id: bars(one) for one in tables if one.plot}


def head_of(asked: Asked, found: Pair) -> list[tuple[str, str]]:
    """Say at the top of a file what was counted."""
    now = doors().clock()
    told = [("period", span(asked.period)), ("calls", asked.purpose)]
    if asked.baseline is not None and found.then is not None:
        told.append(("baseline", span(asked.baseline)))
    return [*told, ("counted at", words.utc(now)), ("intervals", "see docs/how-to/figures.md")]


def span(period: Period) -> str:
    """Write a period: ``1 Dec 2026 to 4 Jan 2027``, or the one day it is."""
    first, last = words.calendar(period.from_day), words.calendar(period.to_day)
    return first if period.length == 1 else f"{first} to {last}"


def as_file(
    head: list[tuple[str, str]], tables: tuple[Table, ...], name: str, period: Period
) -> Response:
    """Return tables as a file for a spreadsheet."""
    made = Response(figure_words.as_csv(head, tables), mimetype="text/csv")
    days = f"{period.from_day}-to-{period.to_day}" if period.length > 1 else f"{period.from_day}"
    made.headers["Content-Disposition"] = f'attachment; filename="quietline-{name}-{days}.csv"'
    return made


def _rendered(
    asked: Asked,
    found: Pair | None,
    tables: tuple[Table, ...],
    status: int = 200,
    *,
    doubt: str = "",
) -> ResponseReturnValue:
    today = _today()
    return (
        render_template(
            "figures.html",
            asked=asked,
            doubt=doubt,
            pair=found,
            tables=tables,
            bars=drawn(tables),
            season=None
            if found is None
            else season(found.now, found.then, today, confidence=found.policy.confidence),
            told=figure_words,
            span=span,
            purposes=PURPOSES,
            today=today,
        ),
        status,
    )


def _report(
    asked: Asked, found: Pair | None, status: int = 200, *, doubt: str = ""
) -> ResponseReturnValue:
    today, day = _today(), asked.period.from_day
    tables = () if found is None else daily(found)
    return (
        render_template(
            "figures_day.html",
            asked=asked,
            doubt=doubt,
            pair=found,
            tables=tables,
            bars=drawn(tables),
            told=figure_words,
            span=span,
            purposes=PURPOSES,
            today=today,
            before=day - _DAY,
            after=day + _DAY if day < today else None,
        ),
        status,
    )


def _today() -> date:
    return doors().clock().astimezone(words.LOCAL).date()


def _range(today: date, usual: str, longest: int) -> Asked:
    """Read the form of a range. With nothing typed: the last four weeks and the four before."""
    typed = {name: request.args.get(name, "")[:LONGEST_TYPED].strip() for name in FIELDS}
    refusals: dict[str, str] = {}
    if not (typed["from"] or typed["to"]):
        first = today - (USUAL_DAYS - 1) * _DAY
        typed |= {"from": first.isoformat(), "to": today.isoformat()}
        if not (typed["base_from"] or typed["base_to"]):
            typed["base_from"] = (first - USUAL_DAYS * _DAY).isoformat()
            typed["base_to"] = (first - _DAY).isoformat()
    purpose = _purpose(typed, usual)
    period = _period(typed, "from", "to", longest, refusals)
    baseline = None
    if typed["base_from"] or typed["base_to"]:
        baseline = _period(typed, "base_from", "base_to", longest, refusals)
    if period is not None and period.from_day > today:
        refusals.setdefault("from", "These days are still to come: choose days that have begun.")
    if period and baseline and baseline.to_day >= period.from_day:
        refusals.setdefault("base_to", "The baseline must end before the period begins.")
    empty = Period(today, today, words.LOCAL)
    return Asked(typed, period or empty, baseline, purpose, refusals)


def _one_day(today: date, usual: str) -> Asked:
    """Read the day of the report. With nothing typed: yesterday, which is whole."""
    typed = {
        name: request.args.get(name, "")[:LONGEST_TYPED].strip() for name in ("day", "purpose")
    }
    typed["day"] = typed["day"] or (today - _DAY).isoformat()
    refusals: dict[str, str] = {}
    purpose = _purpose(typed, usual)
    day = _day(typed["day"])
    if day is None:
        refusals["day"] = "Enter a day, such as 2026-12-22."
    elif day > today:
        refusals["day"] = "This day is still to come."
    day = day or today
    before = Period(day - USUAL_DAYS * _DAY, day - _DAY, words.LOCAL)
    return Asked(typed, Period(day, day, words.LOCAL), before, purpose, refusals)


def _purpose(typed: dict[str, str], usual: str) -> str:
    if typed["purpose"] not in PURPOSES:
        typed["purpose"] = usual
    return typed["purpose"]


def _period(
    typed: dict[str, str], first: str, last: str, longest: int, refusals: dict[str, str]
) -> Period | None:
    """Read two days. None, with a sentence in ``refusals``, when they make no period."""
    days = {}
    for field in (first, last):
        day = _day(typed[field])
        if day is None:
            refusals[field] = "Enter a day, such as 2026-12-22."
        else:
            days[field] = day
    if len(days) < 2:
        return None
    found = Period(days[first], days[last], words.LOCAL)
    if found.length < 1:
        refusals[last] = "The last day must not be before the first one."
        return None
    if found.length > longest:
        refusals[last] = f"Choose at most {longest} days."
        return None
    return found


def _day(typed: str) -> date | None:
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return None
    return day if day.year in _YEARS else None
