"""Figures of a range of days: calls, signs, how soon they were answered, and what followed.

They name nobody: no name, number or reference comes out of here. What each figure counts is
said at its field. Proof calls never count, and live and training calls never count together.
The database counts; only the times of alerts come over, so that a hundred thousand calls stay
a matter of a second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import inf
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, case, exists, func, or_, select

from incidents.figure_policy import FigurePolicy
from incidents.handled import state_of
from incidents.periods import Period
from incidents.recorded import from_milliseconds
from incidents.store import Store
from incidents.tables import events, incidents, reviews, rungs, timeline
from incidents.transactions import reading

CLAIMS: Final = ("claimed", "taken_over")
"""Entries with which somebody has the call from then on."""
SIGNS: Final = ("heard", "someone_there", "confirmed")

Where = Sequence[ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Answering:
    """How soon alerts were answered.

    An alert begins with the caller's first sign or, where there was none, with the ladder's first
    rung. It is answered when somebody first claims it, when the control room or an officer who was
    rung answers the caller, or when somebody closes it; before the alert counts as at once.
    """

    alerts: int
    answered: int
    by_control_room: int
    """Of the answered: where whoever was rung, mostly the control room, came first."""
    missed: int
    """Alerts whose line was over before anybody had answered, whatever was done later. A line that
    was over before the alert began was not missed: nobody could have come in time."""
    within: int
    """Answered within the goal's seconds, of ``judged``: alerts at least that old, or answered."""
    judged: int
    times: tuple[float, ...]
    """Seconds from alert to answer, ascending; infinite for each that nobody has answered."""
    unclaimed: float
    """Seconds that alerts stood with nobody, added up; of those not answered, until now."""
    longest: float


@dataclass(frozen=True, slots=True)
class Became:
    """What became of the calls of one signal. ``seen``: answered, reviewed or closed."""

    signal: str
    calls: int
    seen: int
    closed: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one period. ``days``: how much of it has passed, in days."""

    days: float
    calls: int
    signals: Mapping[str, int]
    """Calls by the strongest signal each has shown; ``nothing``: silent calls."""
    lines: Mapping[str, int]
    numbered: int
    """Calls that showed a number."""
    repeats: int
    """Of the numbered: whose number had called within ``repeat_days`` before."""
    for_review: int
    """Calls that ended without a sign, for a person to look at."""
    reviewed: int
    """Of those: claimed, closed or decided on by a person."""
    answering: Answering
    grades: Mapping[str, int]
    outcomes: Mapping[str, int]
    """Of calls that are closed now."""
    closed: int
    became: tuple[Became, ...]
    funnel: tuple[int, ...]
    """Calls; of those with a sign; with the full signal; of those answered; of those closed."""
    per_day: Mapping[date, Counter[str]]
    """Calls of each day by signal."""

    @property
    def silent(self) -> int:
        """Calls in which the caller has shown no sign."""
        return self.signals.get("nothing", 0)

    @property
    def confirmed(self) -> int:
        """Calls with the full signal."""
        return self.signals.get("confirmed", 0)


class Counting:
    """Counts over one store. Raises ``StoreUnavailable``."""

    def __init__(self, store: Store, policy: FigurePolicy) -> None:
        self._store = store
        self.policy = policy

    def of(self, period: Period, purpose: str, now: datetime, only: Where = ()) -> Figures:
        """Count the calls that began in the period so far. ``only``: conditions on incidents."""
        until = min(period.until, now)
        where = (
            incidents.c.purpose == purpose,
            incidents.c.started_at >= period.since,
            incidents.c.started_at < until,
            *only,
        )
        with reading(self._store.engine) as connection:
            per_day = self._per_day(connection, where, period)
            rows = connection.execute(_totals(where)).all()
            alerts = [_alert(row) for row in connection.execute(_alerts(where))]
            silent = connection.execute(_silent_seen(where)).all()
            repeats = self._repeats(connection, period, purpose, until, only)
        signals = _sum(rows, "signal")
        closed = [row for row in rows if row.state == "closed"]
        answering = answered(alerts, self.policy.answered_within, now)
        became = _became(signals, closed, alerts, sum(row.seen for row in silent))
        full = [one for one in alerts if one.signal == "confirmed" and one.answer is not None]
        return Figures(
            days=period.passed(now),
            calls=sum(signals.values()),
            signals=signals,
            lines=_sum(rows, "line"),
            numbered=sum(row.numbered for row in rows),
            repeats=repeats,
            for_review=sum(row.calls for row in silent if row.line_state == "review"),
            reviewed=sum(row.seen for row in silent if row.line_state == "review"),
            answering=answering,
            grades=_sum((row for row in rows if row.grade), "grade"),
            outcomes=_sum(closed, "outcome"),
            closed=sum(row.calls for row in closed),
            became=became,
            funnel=(
                sum(signals.values()),
                sum(signals.get(sign, 0) for sign in SIGNS),
                signals.get("confirmed", 0),
                len(full),
                sum(one.closed for one in full),
            ),
            per_day=per_day,
        )

    def first(self, purpose: str) -> datetime | None:
        """Return when the first call on record began: nothing before it can be compared with."""
        with reading(self._store.engine) as connection:
            return connection.scalar(
                select(incidents.c.started_at)
                .where(incidents.c.purpose == purpose)
                .order_by(incidents.c.started_at)
                .limit(1)
            )

    def _per_day(
        self, connection: Connection, where: Where, period: Period
    ) -> Mapping[date, Counter[str]]:
        """Count by hour, which every zone's days are made of, and put the hours together."""
        found: dict[date, Counter[str]] = {day: Counter() for day in period.days()}
        began = incidents.c.started_at
        if connection.dialect.name == "sqlite":
            hour = func.substr(began, 1, 13)
        else:
            hour = func.to_char(func.timezone("UTC", began), "YYYY-MM-DD HH24")
        query = select(hour.label("hour"), incidents.c.signal, func.count().label("calls"))
        for row in connection.execute(query.where(*where).group_by("hour", incidents.c.signal)):
            day = period.day_of(datetime.fromisoformat(f"{row.hour}:00+00:00"))
            found[day][row.signal] += row.calls
        return found

    def _repeats(
        self, connection: Connection, period: Period, purpose: str, until: datetime, only: Where
    ) -> int:
        """Count calls whose number had called shortly before, in the period or ahead of it."""
        within = timedelta(days=self.policy.repeat_days)
        number, began = incidents.c.number_id, incidents.c.started_at
        order = (began, incidents.c.call_key)
        before = func.lag(began, type_=began.type).over(partition_by=number, order_by=order)
        history = (
            select(incidents.c.call_key, began, before.label("before"))
            .where(
                incidents.c.purpose == purpose,
                began >= period.since - within,
                began < until,
                number.is_not(None),
            )
            .subquery()
        )
        near = _days_between(connection, history.c.before, history.c.started_at, within)
        query = select(func.count()).where(history.c.started_at >= period.since, near)
        if only:
            query = query.where(history.c.call_key.in_(select(incidents.c.call_key).where(*only)))
        return int(connection.scalar(query) or 0)


def _days_between(connection: Connection, before: Any, after: Any, within: timedelta) -> Any:
    """Say in SQL that ``after`` comes at most ``within`` later than ``before``."""
    if connection.dialect.name == "sqlite":
        # Days as SQLite reckons them are exact to less than the millisecond of a moment.
        most = (within + timedelta(milliseconds=0.5)) / timedelta(days=1)
        return func.julianday(after) - func.julianday(before) <= most
    return after - before <= within


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. Moments; ``answer`` None: nobody yet. ``room``: the control room came first."""

    signal: str
    at: datetime
    ended_at: datetime | None
    answer: datetime | None
    room: bool
    closed: bool


def answered(alerts: Iterable[Alert], goal: int, now: datetime) -> Answering:
    """Put together how soon alerts were answered. ``goal``: seconds."""
    count: Counter[str] = Counter()
    times, unclaimed, longest = [], 0.0, 0.0
    for one in alerts:
        count["alerts"] += 1
        stood = max(0.0, ((one.answer or now) - one.at).total_seconds())
        unclaimed, longest = unclaimed + stood, max(longest, stood)
        times.append(inf if one.answer is None else stood)
        count["answered"] += one.answer is not None
        count["room"] += one.room
        count["judged"] += one.answer is not None or stood >= goal
        count["within"] += one.answer is not None and stood <= goal
        if one.ended_at is not None and one.at <= one.ended_at:
            count["missed"] += one.answer is None or one.answer > one.ended_at
    return Answering(
        count["alerts"],
        count["answered"],
        count["room"],
        count["missed"],
        count["within"],
        count["judged"],
        tuple(sorted(times)),
        unclaimed,
        longest,
    )


def _alert(row: Row[Any]) -> Alert:
    joined = None if row.joined is None else from_milliseconds(row.joined)
    closed_at = row.closed_at if row.state == "closed" else None
    came = [at for at in (row.claim, joined, closed_at) if at is not None]
    answer = min(came, default=None)
    room = joined is not None and joined == answer and joined != row.claim
    at = row.signal_at or row.rung
    return Alert(row.signal, at, row.ended_at, answer, room, row.state == "closed")


def _totals(where: Where) -> Any:
    column = incidents.c
    keys = (column.line, column.signal, column.grade, column.outcome, state_of().label("state"))
    counts = func.count().label("calls"), func.count(column.number_id).label("numbered")
    grouped = (column.line, column.signal, column.grade, column.outcome, "state")
    return select(*keys, *counts).where(*where).group_by(*grouped)


def _of_call(column: ColumnElement[Any], call_key: ColumnElement[str], *more: Any) -> Any:
    """Select the least value of ``column`` among the rows of the call that is being looked at."""
    found = select(func.min(column)).where(call_key == incidents.c.call_key, *more)
    return found.correlate(incidents).scalar_subquery()


def _alerts(where: Where) -> Any:
    claim = _of_call(timeline.c.at, timeline.c.call_key, timeline.c.kind.in_(CLAIMS))
    rung = _of_call(rungs.c.at, rungs.c.call_key)
    joined = _of_call(events.c.at_ms, events.c.call_key, events.c.kind == "connected")
    climbed = exists().where(rungs.c.call_key == incidents.c.call_key).correlate(incidents)
    return select(
        incidents.c.signal,
        incidents.c.signal_at,
        incidents.c.ended_at,
        incidents.c.closed_at,
        state_of().label("state"),
        claim.label("claim"),
        rung.label("rung"),
        joined.label("joined"),
    ).where(*where, or_(incidents.c.signal_at.is_not(None), climbed))


def _silent_seen(where: Where) -> Any:
    """Select silent calls by whether they were for review, and how many a person has seen."""
    call = incidents.c.call_key
    claimed = exists().where(timeline.c.call_key == call, timeline.c.kind.in_(CLAIMS))
    decided = exists().where(reviews.c.call_key == call)
    joined = exists().where(events.c.call_key == call, events.c.kind == "connected")
    seen = or_(
        incidents.c.closed_at.is_not(None),
        claimed.correlate(incidents),
        decided.correlate(incidents),
        and_(incidents.c.line_state != "review", joined.correlate(incidents)),
    )
    return (
        select(
            incidents.c.line_state,
            func.count().label("calls"),
            func.sum(case((seen, 1), else_=0)).label("seen"),
        )
        .where(*where, incidents.c.signal == "nothing")
        .group_by(incidents.c.line_state)
    )


def _became(
    signals: Mapping[str, int], closed: Iterable[Row[Any]], alerts: Iterable[Alert], silent: int
) -> tuple[Became, ...]:
    shut = _sum(closed, "signal")
    seen = Counter(one.signal for one in alerts if one.answer is not None)
    seen["nothing"] = silent
    return tuple(
        Became(signal, signals.get(signal, 0), seen[signal], shut.get(signal, 0))
        for signal in ("nothing", *SIGNS)
    )


def _sum(rows: Iterable[Row[Any]], key: str) -> dict[str, int]:
    """Add the calls of rows up by one of their columns."""
    found: Counter[str] = Counter()
    for row in rows:
        found[getattr(row, key)] += row.calls
    return dict(found)
