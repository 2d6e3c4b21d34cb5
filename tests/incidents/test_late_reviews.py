"""The alarm of the review queue: what is in it has a time by which it is looked at (rule 8)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from incidents.audit import Audit
from incidents.fold import as_text
from incidents.late_reviews import LateReviews
from incidents.reviewing import Reviewing
from incidents.transactions import StoreUnavailable
from tests.incidents.desks import ANNA, Room, rules
from tests.incidents.making import KEYS, NOW
from tests.incidents.test_reviewing import policy, silent

FEW = replace(policy(), alarm_at=3, alarm_after=timedelta(minutes=90))
"""Overdue after 60 minutes, as delivered; an alarm at three of them, or after 90 more."""


class Sometimes(Reviewing):
    """The queue, over a store that can be away."""

    away = False

    def neglected(self, now: datetime) -> tuple[int, bool]:
        """Count, or find nobody there."""
        if self.away:
            raise StoreUnavailable("planted")
        return super().neglected(now)


@dataclass(slots=True)
class Queue:
    """A review queue and what watches it, minute by minute."""

    room: Room
    reviewing: Sometimes
    watching: LateReviews
    now: datetime = NOW

    def after(self, minutes: float) -> list[str]:
        """What the alarms say so many minutes after the tests' now."""
        self.now = NOW + timedelta(minutes=minutes)
        self.watching.turn(0)
        return [str(one["text"]) for one in self.watching.alarms()]

    def decides(self, reference: str, decision: str = "no_concern", seen: str = "") -> None:
        """Have somebody look at a call now."""
        self.reviewing.decide(reference, decision, seen=seen, by=ANNA, now=self.now)


@pytest.fixture
def queue(tmp_path: Path, store_url: str) -> Queue:
    """A queue over each kind of store."""
    room = Room.at(tmp_path, store_url)
    store = room.machine.store
    reviewing = Sometimes(store, KEYS, Audit(store.engine, KEYS), rules(), FEW)
    made = Queue(room, reviewing, None)  # type: ignore[arg-type]
    made.watching = LateReviews(reviewing, lambda: made.now)
    return made


def test_until_it_has_looked_it_tells_no_number(queue: Queue) -> None:
    """A zero would say that somebody has counted."""
    assert queue.watching.gauges() == {}
    assert queue.watching.alarms() == []
    assert queue.after(0) == []
    assert queue.watching.gauges() == {"reviews_overdue": 0}


def test_rule_8_a_call_nobody_looked_at_for_long_raises_an_alarm_that_ends_by_itself(
    queue: Queue,
) -> None:
    """Overdue it is counted; overdue for the time of the file it stands on every screen."""
    caller = silent(queue.room)
    assert queue.after(59) == []
    assert queue.watching.gauges() == {"reviews_overdue": 0}
    assert queue.after(61) == []
    assert queue.watching.gauges() == {"reviews_overdue": 1}
    assert queue.after(149) == []
    text = "1 call in review was not looked at in time, one for more than 90 minutes."
    assert queue.after(151) == [f"{text} Open the review queue."]
    (alarm,) = queue.watching.alarms()
    assert (alarm["id"], alarm["since"]) == ("reviews-overdue", as_text(queue.now))
    queue.after(160)
    assert queue.watching.alarms()[0]["since"] == alarm["since"]
    queue.decides(caller.reference)
    assert queue.after(161) == []
    assert queue.watching.gauges() == {"reviews_overdue": 0}


def test_many_calls_overdue_raise_it_at_once(queue: Queue) -> None:
    """However short a time each is overdue; one fewer ends it."""
    callers = [silent(queue.room, f"+44770090020{one}") for one in range(3)]
    assert queue.after(59) == []
    assert queue.after(61) == [
        "3 calls in review were not looked at in time. Open the review queue."
    ]
    queue.decides(callers[0].reference)
    assert queue.after(62) == []
    assert queue.watching.gauges() == {"reviews_overdue": 2}


def test_a_call_kept_for_later_is_overdue_from_when_it_comes_back(queue: Queue) -> None:
    """Somebody did look: 30 minutes later it is due again, and 90 after that it is too much."""
    caller = silent(queue.room)
    queue.after(151)
    queue.decides(caller.reference, "later")
    assert queue.after(152) == []
    assert queue.watching.gauges() == {"reviews_overdue": 0}
    assert queue.after(182) == []
    assert queue.watching.gauges() == {"reviews_overdue": 1}
    assert queue.after(270) == []
    assert len(queue.after(272)) == 1


def test_with_the_store_away_the_alarm_stands_and_no_number_is_told(queue: Queue) -> None:
    """What is not known is neither zero nor over."""
    silent(queue.room)
    assert len(queue.after(151)) == 1
    queue.reviewing.away = True
    with pytest.raises(StoreUnavailable):
        queue.after(152)
    assert queue.watching.gauges() == {}
    assert len(queue.watching.alarms()) == 1
