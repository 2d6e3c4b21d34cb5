"""Who is at work: by the clock for pages, by change for the ladder."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incidents.presence import Duty, Presence
from incidents.store import Store
from tests.incidents.making import NOW, after


@pytest.fixture
def presence(store: Store) -> Presence:
    """Over each kind of store."""
    return Presence(store.engine)


def test_whoever_was_heard_from_with_a_feed_is_on_duty_for_25_seconds(presence: Presence) -> None:
    """A request alone is a sign of life and no feed."""
    presence.heard({"anna": ("handler", True), "ben": ("handler", False)}, NOW)
    presence.heard({"sue": ("supervisor", True)}, after(10))
    assert [one.name for one in presence.on_duty(after(20), ["handler", "supervisor"])] == [
        "anna",
        "sue",
    ]
    assert [one.name for one in presence.on_duty(after(26), ["handler", "supervisor"])] == ["sue"]
    assert presence.on_duty(after(20), ["auditor"]) == []


def test_the_end_of_a_feed_is_not_the_end_of_a_person(presence: Presence) -> None:
    """Heard without a feed: the time of the feed stays as it was."""
    presence.heard({"anna": ("handler", True)}, NOW)
    presence.heard({"anna": ("supervisor", False)}, after(20))
    assert presence.silent(["anna"], after(40)) == set()
    assert presence.on_duty(after(40), ["handler", "supervisor"]) == []
    (on_duty,) = presence.on_duty(after(24), ["supervisor"])
    assert (on_duty.role, on_duty.feed_at) == ("supervisor", NOW)


def test_whoever_was_never_heard_from_is_silent(presence: Presence) -> None:
    """And so is whoever was not for 25 s."""
    presence.heard({"anna": ("handler", False), "ben": ("handler", True)}, NOW)
    presence.heard({"ben": ("handler", True)}, after(10))
    assert presence.silent(["anna", "ben", "cat"], after(26)) == {"anna", "cat"}
    presence.heard({}, after(26))


def test_the_ladder_knows_who_is_at_work_whatever_the_clock_says(presence: Presence) -> None:
    """An hour forwards, a day back: whoever goes on being heard from is at work."""
    duty = Duty()
    ms, wall = 5_000_000, NOW
    for jump in (0, 3600, -86_400, 0):
        wall += timedelta(seconds=jump)
        for _ in range(5):
            ms += 4000
            wall += timedelta(seconds=4)
            presence.heard({"anna": ("handler", True)}, wall)
            duty.look(presence.everybody(), wall, ms)
            assert duty.on_duty(["handler"]) == ["anna"]
            assert not duty.silent("anna")
    for _ in range(7):
        ms += 4000
        wall -= timedelta(hours=1)
        duty.look(presence.everybody(), wall, ms)
    assert duty.on_duty(["handler"]) == []
    assert duty.silent("anna")


def test_nobody_is_judged_before_the_engine_has_looked_for_a_while(presence: Presence) -> None:
    """Everything was started at once, and screens come back within seconds."""
    presence.heard({"anna": ("handler", True)}, NOW - timedelta(hours=8))
    duty = Duty()
    duty.look(presence.everybody(), NOW, 1000)
    assert not duty.settled
    assert not duty.silent("anna")
    for second in range(12):
        duty.look(presence.everybody(), after(second), 1000 + 1000 * second)
    assert duty.settled
    assert duty.silent("anna")
    assert duty.on_duty(["handler"]) == []


def test_a_store_that_was_away_calls_nobody_absent(presence: Presence) -> None:
    """Nobody could be written down meanwhile; screens are, within seconds of its return."""
    duty = Duty()
    presence.heard({"anna": ("handler", True)}, NOW)
    for second in range(15):
        duty.look(presence.everybody(), after(second), 1000 * second)
    assert duty.settled
    duty.look(presence.everybody(), after(100), 100_000)
    assert not duty.settled
    assert not duty.silent("anna")
    assert duty.on_duty(["handler"]) == ["anna"]
