"""The figures of an operation: visits, contacts, and its calls against the baseline.

Calls of people in its scope and all calls stand side by side. While it runs, the baseline is
cut to as many days from its first, so that like is compared with like.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from console import words
from console.figures import compared as compared_with
from console.figures import doubt_of
from console.measures import Measure, Pair, Row, Table, of_season
from console.plots import Bars, Season, bars, season
from incidents.estimates import wilson
from incidents.figure_policy import FigurePolicy
from incidents.figures import Counting, Figures
from incidents.grades import Grades
from incidents.operations import InScope, Operation, Visits
from incidents.operations import visits as visits_of
from incidents.periods import Period
from incidents.scope_calls import calls_in_scope
from incidents.visiting import Offered, Visiting

WHO: Final = {"victim": "Victims", "offender": "Persons responsible"}
SCOPE: Final = "Calls of people in scope"
ALL: Final = "All calls"


@dataclass(frozen=True, slots=True)
class Part:
    """Figures of the calls of some: people in scope, or everybody. ``over``: calls a day."""

    id: str
    title: str
    pair: Pair
    tables: tuple[Table, ...]
    over: Season | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """All figures of an operation. ``parts`` is empty before it begins.

    ``baseline``: what its calls are compared with, cut to the days that have passed. ``doubt``:
    what is wrong with it, in words.
    """

    visits: Table
    contacts: Table
    purpose: str
    period: Period
    baseline: Period | None
    doubt: str
    parts: tuple[Part, ...]

    def tables(self) -> tuple[Table, ...]:
        """Return every table, each with the calls it counts in its title."""
        found = [self.visits, self.contacts]
        for part in self.parts:
            found += [replace(one, title=f"{part.title}: {one.title}") for one in part.tables]
        return tuple(found)

    def bars(self) -> dict[str, Bars | None]:
        """Return the bars of each table that is drawn, by its id."""
        found = [self.visits, self.contacts, *(one for part in self.parts for one in part.tables)]
        return {one.id: bars(one) for one in found if one.plot}


@dataclass(frozen=True, slots=True)
class Sheets:
    """Makes them. ``training``: whether calls of training are what is counted."""

    visiting: Visiting
    counting: Counting
    grades: Grades
    training: bool

    def of(self, operation: Operation, scope: tuple[InScope, ...], now: datetime) -> Sheet:
        """Return the figures of one operation, as they are now."""
        policy = self.counting.policy
        period = Period(operation.from_day, operation.to_day, words.LOCAL)
        offered = self.visiting.offered(operation.id, period)
        today = period.day_of(now)
        compared = None
        if operation.baseline is not None:
            passed = min((today - period.from_day).days + 1, period.length)
            compared = Period(*operation.baseline, words.LOCAL).first(max(passed, 1))
        purpose = "training" if self.training else "live"
        then = compared_with(self.counting, compared, purpose, now)
        doubt = doubt_of(self.counting, compared, purpose, then)
        if then is None:
            compared = None
        parts: tuple[Part, ...] = ()
        if today >= period.from_day:
            parts = (
                self._in_scope(operation, period, compared, purpose, now),
                self._part("all", ALL, self.counting.of(period, purpose, now), then, today),
            )
        return Sheet(
            visits=_visits(visits_of(scope), scope),
            contacts=_contacts(offered, policy),
            purpose=purpose,
            period=period,
            baseline=compared,
            doubt=doubt,
            parts=parts,
        )

    def _in_scope(
        self,
        operation: Operation,
        period: Period,
        compared: Period | None,
        purpose: str,
        now: datetime,
    ) -> Part:
        only = (calls_in_scope(operation.id),)
        then = None if compared is None else self.counting.of(compared, purpose, now, only)
        found = self.counting.of(period, purpose, now, only)
        return self._part("scope", SCOPE, found, then, period.day_of(now))

    def _part(self, id_: str, title: str, now: Figures, then: Figures | None, today: date) -> Part:
        policy = self.counting.policy
        pair = Pair(now, then, policy)
        tables = tuple(replace(one, id=f"{id_}-{one.id}") for one in of_season(pair, self.grades))
        over = season(now, then, today, confidence=policy.confidence)
        return Part(id_, title, pair, tables, over)


def _visits(counts: tuple[Visits, ...], scope: tuple[InScope, ...]) -> Table:
    """Return how far the visits are. They are all counted, so there is no interval."""
    rows = []
    for one in counts:
        who = WHO[one.part]
        planned = sum(each.planned > 0 for each in scope if each.part == one.part)
        rows += [
            _all(f"{who}: a visit is planned", planned, one.people, "people, of those in scope"),
            _all(f"{who}: visits done", one.done, one.planned, "visits, of those planned"),
            _all(f"{who}: visits overdue", one.overdue, one.planned, "visits, of those planned"),
        ]
    return Table("visits", "Visits planned, done and overdue", tuple(rows), plot=True, whole=True)


def _contacts(offered: tuple[Offered, ...], policy: FigurePolicy) -> Table:
    """Return how many people were offered support, and how many of them took it up."""
    rows = []
    for one in offered:
        who = WHO[one.part]
        contacts = "1 contact" if one.contacts == 1 else f"{one.contacts} contacts"
        rows += [
            _all(f"{who}: offered", one.reached, one.people, f"people in scope, in {contacts}"),
            _sure(f"{who}: taken up", one.took, one.reached, policy),
        ]
    return Table(
        "contacts", "Support and help offered and taken up", tuple(rows), plot=True, whole=True
    )


def _all(name: str, part: int, whole: int, note: str) -> Row:
    share = part / whole if whole else None
    return Row(name, Measure("share", part, whole, share), note=note)


def _sure(name: str, part: int, whole: int, policy: FigurePolicy) -> Row:
    """Return a share of which there may be more to learn: with its interval, if not of too few."""
    if whole < policy.few:
        return Row(name, Measure("share", part, whole), note="of the people offered")
    within = wilson(part, whole, policy.confidence)
    return Row(
        name, Measure("share", part, whole, part / whole, within), note="of the people offered"
    )
