"""Rule 8: someone is always next. An alert climbs until a human has it, and then begins again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from incidents.desk import Conflict
from tests.incidents.desks import ANNA, BEN
from tests.incidents.ladders import STANDARD, SUPERVISORS, Site
from tests.incidents.making import Caller


@pytest.fixture
def site(data: Path, store_url: str) -> Site:
    """A site over each kind of store; anna is at work."""
    return Site.at(data, store_url)


@pytest.fixture
def small(data: Path, sqlite_url: str) -> Site:
    """A site over SQLite: for what the kind of store cannot change."""
    return Site.at(data, sqlite_url)


def test_an_unclaimed_alert_climbs_every_rung_in_its_time(site: Site) -> None:
    """Screens at 0 s, louder at 10 s, a supervisor's phone at 20 s, the control room at 30 s."""
    site.registers("sue")
    caller = site.waiting()
    assert site.names(caller) == ["screens"]
    assert site.incident(caller).rung == 1
    site.passes(9.5)
    assert site.names(caller) == ["screens"]
    site.passes(0.5)
    assert site.names(caller) == ["screens", "supervisors"]
    site.passes(10)
    assert site.names(caller)[2:] == ["phone"]
    assert site.calls.rung == [SUPERVISORS["sue"]]
    assert site.orders(caller, "connect") == []
    site.passes(10)
    assert site.names(caller)[3:] == ["control_room"]
    (order,) = site.orders(caller, "connect")
    assert (order.to, order.label) == ("+441632960200", "control room")
    assert [sid for sid, _ in site.calls.played] == [caller.sid]
    assert site.incident(caller).rung == 4
    told = [entry.data["to"] for entry in site.room.entries(caller, "escalated")]
    assert told[0] == "all screens"
    assert told[-1] == "control room"


def test_a_claim_ends_the_climb(site: Site) -> None:
    """Whoever has the call is next; nobody else is rung."""
    site.registers("sue")
    caller = site.waiting()
    site.passes(12)
    site.room.desk.claim(caller.reference, by=ANNA, now=site.wall)
    site.passes(60)
    assert site.names(caller) == ["screens", "supervisors"]
    assert site.calls.rung == []
    assert site.incident(caller).rung is None


def test_a_released_call_climbs_anew_from_the_first_rung(small: Site) -> None:
    """The time before the claim is not counted against it."""
    caller = small.waiting()
    small.passes(12)
    small.room.desk.claim(caller.reference, by=ANNA, now=small.wall)
    small.passes(40)
    small.room.desk.release(caller.reference, by=ANNA, now=small.wall)
    small.passes(5)
    assert len(small.names(caller)) == 3
    assert small.names(caller).count("screens") == 2
    small.passes(6)
    assert small.names(caller).count("supervisors") == 2


def test_after_the_last_rung_the_ladder_begins_again(small: Site) -> None:
    """Nobody answers, the bridge ends: the caller is on hold, and it all begins once more."""
    small.registers("sue")
    caller = small.waiting()
    small.passes(30)
    small.bridges(caller)
    small.passes(45)
    assert len(small.fired(caller)) == 4
    small.line(caller, bridged="")
    small.passes(1)
    assert small.fired(caller)[4:] == [(2, "screens")]
    small.passes(30)
    assert len(small.orders(caller, "connect")) == 2
    assert small.calls.rung == [SUPERVISORS["sue"]] * 2


def test_the_climb_rests_while_the_control_room_has_the_caller(small: Site) -> None:
    """However long they talk: nobody else is disturbed."""
    small.registers("sue", "tom")
    caller = small.waiting()
    small.passes(30)
    rung = list(small.calls.rung)
    small.bridges(caller)
    small.passes(600, step=5)
    assert small.calls.rung == rung
    assert len(small.orders(caller, "connect")) == 1


def test_a_bridge_that_never_reaches_the_caller_is_no_end(small: Site) -> None:
    """The order went out and nothing came of it: the ladder goes on by itself."""
    caller = small.waiting()
    small.passes(30)
    small.passes(19)
    assert len(small.fired(caller)) == 4
    small.passes(2)
    assert small.fired(caller)[4:] == [(2, "screens")]


def test_a_bridge_that_cannot_be_ordered_is_no_end(small: Site) -> None:
    """Twilio's REST API is down: the alert goes on climbing, and the failure is told."""
    small.calls.refuses.add("play")
    caller = small.waiting()
    small.passes(62)
    assert len(small.orders(caller, "connect")) == 2
    assert len(small.room.entries(caller, "order_failed")) == 2


def test_a_dropped_line_climbs_without_the_bridge(small: Site) -> None:
    """A hang-up after a sign is an alert like any other; there is nobody to join."""
    small.registers("sue")
    caller = small.waiting()
    small.room.hangs_up(caller, small.wall)
    small.passes(35)
    assert small.names(caller) == ["screens", "supervisors", "phone"]
    assert small.orders(caller, "connect") == []
    small.passes(50)
    assert small.fired(caller)[3:] == [(2, "screens")]


def test_a_silent_mobile_in_its_prompts_does_not_climb(small: Site) -> None:
    """Silence is the normal input: the profile leads it to review."""
    caller = Caller(began=small.wall)
    small.room.machine.drained(caller.arrives())
    small.passes(40)
    assert small.names(caller) == []


def test_training_reaches_screens_only(small: Site) -> None:
    """Rule 7: nobody is rung, and no control room joined, for an exercise."""
    small.registers("sue")
    small.at_work.clear()
    caller = small.waiting(purpose="training")
    small.passes(120)
    assert set(small.names(caller)) == {"screens", "supervisors"}
    assert (small.calls.rung, small.calls.played) == ([], [])


def test_a_proof_call_does_not_climb(small: Site) -> None:
    """It is nobody's call."""
    caller = small.waiting(purpose="proof")
    small.passes(40)
    assert small.names(caller) == []


def test_with_nobody_on_duty_the_control_room_is_joined_at_once(site: Site) -> None:
    """Nobody would look at a screen for thirty seconds."""
    site.at_work.clear()
    site.passes(30)
    caller = site.waiting()
    assert site.names(caller) == ["screens", "supervisors", "phone", "control_room"]
    assert [sid for sid, _ in site.calls.played] == [caller.sid]


def test_a_caller_who_pressed_one_key_may_press_again_first(small: Site) -> None:
    """Ten seconds since the latest key, and then the bridge, if nobody is on duty."""
    small.at_work.clear()
    small.passes(30)
    caller = small.waiting("5")
    small.passes(9)
    assert small.orders(caller, "connect") == []
    small.passes(1.5)
    assert len(small.orders(caller, "connect")) == 1


def test_a_caller_of_the_contact_line_who_is_asked_for_a_code_is_not_taken_away(
    small: Site,
) -> None:
    """Their point of contact is rung next, also where a marker makes them urgent at once."""
    small.at_work.clear()
    small.passes(30)
    caller = small.waiting("")
    asked = {"line": "contact", "urgency": 1, "last_step": 0}
    small.line(caller, **asked)
    small.passes(12)
    assert small.orders(caller, "connect") == []
    small.line(caller, bridged="cara", last_step=1)  # who is rung, and then nobody took it
    small.passes(30)
    assert small.orders(caller, "connect") == []
    small.line(caller, bridged="", last_step=4)
    small.passes(31)
    assert len(small.orders(caller, "connect")) == 1


def test_one_key_pressed_long_ago_holds_no_bridge_up(small: Site) -> None:
    """With handlers on duty the bridge comes at thirty seconds, for one key as for two."""
    caller = small.waiting("5")
    small.passes(29.5)
    assert small.orders(caller, "connect") == []
    small.passes(0.5)
    assert len(small.orders(caller, "connect")) == 1


def test_a_second_round_does_not_hurry_though_nobody_is_on_duty(small: Site) -> None:
    """A control room that is busy is not rung every second."""
    small.at_work.clear()
    small.passes(30)
    caller = small.waiting()
    small.bridges(caller)
    small.passes(5)
    small.line(caller, bridged="")
    small.passes(29)
    assert len(small.orders(caller, "connect")) == 1
    small.passes(2)
    assert len(small.orders(caller, "connect")) == 2


def test_without_a_control_room_everything_else_climbs(data: Path, sqlite_url: str) -> None:
    """And begins again after the last rung there is."""
    site = Site.at(data, sqlite_url, control_room=False)
    caller = site.waiting()
    site.passes(81)
    assert site.fired(caller) == [
        (1, "screens"),
        (1, "supervisors"),
        (1, "phone"),
        (2, "screens"),
    ]
    (told,) = site.room.entries(caller, "page_failed")
    assert "no supervisor has a phone" in told.data["problem"]


def test_a_key_on_a_closed_incident_climbs_again(small: Site) -> None:
    """Rule 5: a 55 that comes late alerts again."""
    caller = small.waiting()
    small.room.desk.claim(caller.reference, by=ANNA, now=small.wall)
    small.room.desk.close(caller.reference, "no_trace", "tested", by=ANNA, now=small.wall)
    small.passes(40)
    before = len(small.names(caller))
    small.line(caller, alerted_at=small.wall)
    small.passes(11)
    assert small.names(caller)[before:] != []
    assert small.incident(caller).state == "waiting"


def test_a_clock_that_jumps_changes_nothing(small: Site) -> None:
    """Forwards, backwards, over a daylight saving hour: rungs come by the steady clock alone."""
    small.registers("sue")
    caller = small.waiting()
    for at, jump in enumerate([3600, -7200, 86_400, -3600, 3600 * 24 * 366]):
        small.wall += timedelta(seconds=jump)
        small.passes(5)
        assert len(small.names(caller)) == 1 + (at + 1) * 5 // 10, jump
        assert small.orders(caller, "connect") == []
    small.passes(5)
    assert small.names(caller) == ["screens", "supervisors", "phone", "control_room"]


def test_no_clock_that_jumps_sends_anybody_off_duty(small: Site) -> None:
    """An hour forwards, and screens have not been heard from for an hour: nobody is called away."""
    caller = small.waiting()
    small.room.desk.claim(caller.reference, by=ANNA, now=small.wall)
    small.passes(30)
    small.wall += timedelta(hours=1)
    for _ in range(8):  # screens are written down every few seconds, not at every look
        small.ms += 500
        small.wall += timedelta(seconds=0.5)
        small.climber.climb(small.wall, _steady(small))
    assert small.incident(caller).away_at is None
    assert not small.climber.nobody


def test_an_engine_that_was_killed_goes_on_where_it_was(small: Site) -> None:
    """The next one counts the time that passed meanwhile, and fires no rung twice."""
    caller = small.waiting()
    small.passes(8)
    small.wall += timedelta(seconds=4)
    small.ms += 4000
    small.starts()
    small.passes(0.5)
    assert small.names(caller) == ["screens", "supervisors"]
    small.passes(17.5)
    assert small.names(caller) == ["screens", "supervisors", "phone", "control_room"]


def test_an_alert_that_came_while_no_engine_ran_has_waited(small: Site) -> None:
    """The first sight of it counts the seconds since the key was pressed."""
    caller = Caller(began=small.wall)
    small.room.machine.drained(caller.arrives(), caller.presses("55"))
    small.wall += timedelta(seconds=26)
    small.ms += 26_000
    small.starts()
    small.passes(0.5)
    assert small.names(caller) == ["screens", "supervisors", "phone"]


def test_a_machine_that_was_started_anew_waits_no_longer_than_to_the_next_rung(
    small: Site,
) -> None:
    """Its steady clock began at nothing; the wall clock is believed as far as one rung."""
    caller = small.waiting()
    small.passes(5)
    small.boot, small.ms = "boot-2", 500
    small.wall += timedelta(hours=3)
    small.starts()
    small.passes(0.5)
    assert small.names(caller) == ["screens", "supervisors"]
    small.passes(9)
    assert small.names(caller) == ["screens", "supervisors"]
    small.passes(2)
    assert small.names(caller) == ["screens", "supervisors", "phone"]


def test_a_ladder_that_lost_a_rung_meanwhile_goes_on(data: Path, sqlite_url: str) -> None:
    """A site shortens its file while an alert stands on the last rung."""
    site = Site.at(data, sqlite_url)
    caller = site.waiting()
    site.passes(30)
    site.ladder = replace(STANDARD, rungs=STANDARD.rungs[:2])
    site.starts()
    site.passes(120)
    assert (2, "supervisors") in site.fired(caller)


def test_a_drain_that_was_behind_made_alerts_wait_and_nobody_absent(small: Site) -> None:
    """The store took nothing for half a minute: the alert has waited, and screens are not gone."""
    steady = _steady(small)
    small.climber.climb(small.wall, steady, behind=26.0)
    caller = Caller(began=small.wall - timedelta(seconds=26))
    pressed = replace(caller.presses("55"), at=small.wall - timedelta(seconds=25))
    small.room.machine.drained(caller.arrives(), pressed)
    small.at_work.clear()
    small.passes(0.5)
    assert small.names(caller) == ["screens", "supervisors", "phone"]
    assert not small.climber.nobody


def test_two_engines_fire_each_rung_once(site: Site) -> None:
    """Two machines on one store: the database decides."""
    site.registers("sue")
    other = Site(site.room, calls=site.calls, boot="boot-of-the-other", ms=77)
    caller = site.waiting()
    for _ in range(70):
        site.passes(0.5)
        other.wall, other.ms = site.wall, other.ms + 500
        other.turns()
    assert site.names(caller) == ["screens", "supervisors", "phone", "control_room"]
    assert site.calls.rung == [SUPERVISORS["sue"]]
    assert len(site.calls.played) == 1


def test_a_caller_in_the_bridge_cannot_be_claimed(small: Site) -> None:
    """The control room has them: told, with a way to take over."""
    caller = small.waiting()
    small.passes(30)
    with pytest.raises(Conflict, match="control room"):
        small.room.desk.claim(caller.reference, by=BEN, now=small.wall)
    done = small.room.desk.take_over(caller.reference, "she is mine", by=BEN, now=small.wall)
    assert done.incident.handler == "ben"
    small.passes(40)
    assert len(small.orders(caller, "connect")) == 1


def _steady(site: Site):  # type: ignore[no-untyped-def]
    from incidents.steady import Steady

    return Steady(site.ms, site.boot)
