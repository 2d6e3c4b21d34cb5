"""Figures of a range of days, against a count by hand."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.figure_policy import FigurePolicy
from incidents.figures import Counting
from incidents.periods import Period
from incidents.store import Store
from tests.incidents.counting import Told, empty, put, repeats

LONDON = ZoneInfo("Europe/London")
PERIOD = Period(date(2026, 12, 1), date(2026, 12, 7), LONDON)
NOON = datetime(2026, 12, 3, 12, tzinfo=UTC)
NOW = datetime(2027, 1, 10, 12, tzinfo=UTC)


def later(seconds: float) -> datetime:
    """So many seconds after noon of the third day."""
    return NOON + timedelta(seconds=seconds)


def test_a_day_is_counted_by_what_callers_showed(store: Store) -> None:
    """Silent calls, somebody there, heard and the full signal; other purposes and days do not
    count."""
    put(
        store,
        [
            Told(NOON),
            Told(NOON, "confirmed", sign=5),
            Told(NOON, "heard", sign=5),
            Told(NOON, "someone_there", sign=5, line="contact"),
            Told(NOON, "confirmed", sign=5, purpose="training"),
            Told(NOON, "confirmed", sign=5, purpose="proof"),
            Told(PERIOD.since - timedelta(milliseconds=1)),
            Told(PERIOD.until),
        ],
    )
    found = Counting(store, FigurePolicy()).of(PERIOD, "live", NOW)
    assert found.calls == 4
    assert (found.silent, found.confirmed) == (1, 1)
    assert found.signals == {"nothing": 1, "confirmed": 1, "heard": 1, "someone_there": 1}
    assert found.lines == {"emergency": 3, "contact": 1}
    assert found.per_day[date(2026, 12, 3)].total() == 4
    assert found.per_day[date(2026, 12, 2)].total() == 0
    assert found.days == 7


def test_days_are_local_whatever_the_clocks_do(store: Store) -> None:
    """The clocks go back on 25 October 2026: 00:30 British Summer Time is still the day before
    in UTC, and the day has 25 hours."""
    period = Period(date(2026, 10, 25), date(2026, 10, 26), LONDON)
    put(
        store,
        [
            Told(datetime(2026, 10, 24, 23, 30, tzinfo=UTC)),
            Told(datetime(2026, 10, 25, 23, 59, 59, tzinfo=UTC)),
            Told(datetime(2026, 10, 26, 0, 0, tzinfo=UTC)),
            Told(datetime(2026, 10, 24, 22, 59, 59, tzinfo=UTC)),
        ],
    )
    found = Counting(store, FigurePolicy()).of(period, "live", NOW)
    assert [found.per_day[day].total() for day in period.days()] == [2, 1]
    half = datetime(2026, 10, 25, 11, 30, tzinfo=UTC)
    assert period.passed(half) == pytest.approx(0.5)


def test_a_call_is_missed_when_its_line_was_over_before_anybody_answered(store: Store) -> None:
    """Claimed later is still missed; nobody can miss a call whose alert began after its end."""
    put(
        store,
        [
            Told(NOON, "confirmed", sign=5, ended=60),
            Told(NOON, "confirmed", sign=5, ended=60, claims=(61,)),
            Told(NOON, "confirmed", sign=5, ended=60, claims=(60,)),
            Told(NOON, "confirmed", sign=5, ended=60, joined=59),
            Told(NOON, "confirmed", sign=5),
            Told(NOON, rung=100, ended=60),
            Told(NOON, rung=50, ended=60),
            Told(NOON, ended=60, review=True),
        ],
    )
    found = Counting(store, FigurePolicy()).of(PERIOD, "live", NOW).answering
    assert found.alerts == 7
    assert found.missed == 3
    assert found.answered == 3


def test_an_answer_is_the_first_claim_or_the_control_room(store: Store) -> None:
    """Given back and claimed again changes nothing; an alert nobody answered is in the times."""
    put(
        store,
        [
            Told(NOON, "confirmed", sign=5, claims=(12, 300)),
            Told(NOON, "confirmed", sign=5, claims=(40,), joined=30),
            Told(NOON, "heard", sign=5, claims=(3,)),
            Told(NOON, rung=20, closed=35),
            Told(NOON, "confirmed", sign=5),
        ],
    )
    found = Counting(store, FigurePolicy()).of(PERIOD, "live", later(105)).answering
    assert found.times == (0.0, 7.0, 15.0, 25.0, inf)
    assert (found.within, found.judged, found.by_control_room) == (2, 5, 1)
    assert found.unclaimed == 0 + 7 + 15 + 25 + 100
    assert found.longest == 100


def test_an_alert_of_a_moment_ago_is_not_judged_yet(store: Store) -> None:
    """It may still be answered in time."""
    put(store, [Told(NOON, "confirmed", sign=5)])
    counting = Counting(store, FigurePolicy())
    assert counting.of(PERIOD, "live", later(14)).answering.judged == 0
    assert counting.of(PERIOD, "live", later(15)).answering.judged == 1


def test_a_reviewed_call_is_one_that_a_person_looked_at(store: Store) -> None:
    """Decided on, claimed or closed; one that nobody looked at is for review and not reviewed."""
    put(
        store,
        [
            Told(NOON, review=True, ended=30),
            Told(NOON, review=True, ended=30, decided=True),
            Told(NOON, review=True, ended=30, claims=(900,)),
            Told(NOON, review=True, ended=30, closed=900, outcome="accidental"),
            Told(NOON, ended=None),
        ],
    )
    found = Counting(store, FigurePolicy()).of(PERIOD, "live", NOW)
    assert (found.for_review, found.reviewed) == (4, 3)
    assert found.outcomes == {"accidental": 1}


def test_a_closed_call_whose_caller_asked_again_is_not_closed(store: Store) -> None:
    """Its outcome does not count until it is closed again."""
    again = Told(
        NOON, "confirmed", sign=5, claims=(9,), closed=60, asked_again=90, outcome="no_trace"
    )
    put(store, [again])
    found = Counting(store, FigurePolicy()).of(PERIOD, "live", NOW)
    assert (found.closed, found.outcomes) == (0, {})
    assert found.funnel == (1, 1, 1, 1, 0)


def call(signal: str, sign: float, **told: Any) -> Told:
    """A call that showed its sign, if it shows one, at some time."""
    return Told(signal=signal, sign=None if signal == "nothing" else sign, **told)


SECONDS = st.one_of(st.none(), st.integers(0, 200).map(float))
CALLS = st.lists(
    st.builds(
        call,
        began=st.integers(-5 * 86_400, 8 * 86_400).map(
            lambda seconds: PERIOD.since + timedelta(seconds=seconds)
        ),
        signal=st.sampled_from(("nothing", "heard", "someone_there", "confirmed")),
        sign=st.integers(0, 200).map(float),
        ended=SECONDS,
        claims=st.lists(st.integers(0, 200).map(float), max_size=2).map(tuple),
        joined=SECONDS,
        rung=SECONDS,
        closed=SECONDS,
        asked_again=SECONDS,
        number=st.sampled_from((None, "one", "two")),
        line=st.sampled_from(("emergency", "contact")),
        purpose=st.sampled_from(("live", "training", "proof")),
        grade=st.sampled_from((None, "immediate", "none")),
        outcome=st.just("no_trace"),
        review=st.booleans(),
        decided=st.booleans(),
    ),
    max_size=12,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(told=CALLS, wait=st.integers(0, 9 * 86_400))
def test_the_database_counts_what_a_naive_count_finds(
    store: Store, told: list[Told], wait: int
) -> None:
    """Whatever happened to the calls, in whatever order, and whenever one asks."""
    empty(store)
    put(store, told)
    now = PERIOD.since + timedelta(seconds=wait)
    policy = FigurePolicy(repeat_days=2)
    found = Counting(store, policy).of(PERIOD, "live", now)
    counted = [
        one
        for one in told
        if one.purpose == "live" and PERIOD.since <= one.began < min(now, PERIOD.until)
    ]
    assert found.calls == len(counted)
    assert found.signals == Counter(one.signal for one in counted)
    assert found.lines == Counter(one.line for one in counted)
    assert found.numbered == sum(one.number is not None for one in counted)
    assert found.repeats == repeats(told, counted, timedelta(days=2))
    closed = [one for one in counted if one.is_closed]
    assert found.closed == len(closed)
    assert found.outcomes == Counter(one.outcome for one in closed)
    assert found.grades == Counter(one.grade for one in counted if one.grade)
    days = Counter(one.began.astimezone(LONDON).date() for one in counted)
    assert {day: calls.total() for day, calls in found.per_day.items() if calls} == days
    waiting = [one for one in counted if one.alert is not None]
    answered = [one for one in waiting if one.answer is not None]
    assert found.answering.alerts == len(waiting)
    assert found.answering.answered == len(answered)
    assert found.answering.missed == sum(
        one.ended is not None
        and one.alert <= one.at(one.ended)  # type: ignore[operator]
        and (one.answer is None or one.answer > one.at(one.ended))  # type: ignore[operator]
        for one in waiting
    )
    stood = sorted(
        max(0.0, (one.answer - one.alert).total_seconds())  # type: ignore[operator]
        for one in answered
    )
    assert found.answering.times == (*stood, *[inf] * (len(waiting) - len(answered)))
    assert found.funnel[3] == sum(one.signal == "confirmed" for one in answered)
