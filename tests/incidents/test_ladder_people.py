"""The ladder and people: holders who went away, supervisors who are rung, calls not graded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from incidents.orders import MUTED
from incidents.tables import orders, users
from incidents.transactions import reading, writing
from tests.incidents.desks import ANNA, BEN
from tests.incidents.ladders import STANDARD, SUPERVISORS, Site
from tests.incidents.making import KEYS, Caller, sealed


@pytest.fixture
def site(data: Path, sqlite_url: str) -> Site:
    """A site over SQLite: anna, ben and sue are at work, sue and tom have phones."""
    site = Site.at(data, sqlite_url)
    site.at_work |= {"ben", "sue"}
    site.registers("sue", "tom")
    site.turns()
    return site


def claimed(site: Site) -> Caller:
    """Somebody waits, and anna claims."""
    caller = site.waiting()
    site.room.desk.claim(caller.reference, by=ANNA, now=site.wall)
    return caller


def presses_one(site: Site, caller: Caller, order: str, name: str) -> None:
    """Have the person who is rung press 1."""
    pressed = caller.event(
        "page_answered", 0, at=site.wall, content=f"{order}|1", order=order, name=name, keys="1"
    )
    site.room.machine.drained(pressed)


def kinds(site: Site, caller: Caller) -> list[str]:
    """What the ladder and people wrote, in order."""
    return [entry.kind for entry in site.room.machine.store.written(caller.reference)]


# -- holders -------------------------------------------------------------------


def test_a_holder_whose_screen_is_silent_is_shown_as_away_and_the_alert_rises(site: Site) -> None:
    """The claim stays, anybody may take it, and the ladder climbs."""
    caller = claimed(site)
    site.at_work.discard("anna")
    site.passes(24)
    assert site.incident(caller).away_at is None
    site.passes(3)
    one = site.incident(caller)
    assert (one.state, one.handler) == ("claimed", "anna")
    assert one.away_at is not None
    assert one.rung == 1
    site.passes(11)
    assert site.incident(caller).rung == 2
    assert "holder_away" in kinds(site, caller)
    done = site.room.desk.take_over(caller.reference, by=BEN, now=site.wall)
    assert done.incident.handler == "ben"
    site.passes(2)
    assert site.incident(caller).rung is None


def test_a_holder_who_comes_back_has_the_call_as_before(site: Site) -> None:
    """The climb ends, and both are on the timeline."""
    caller = claimed(site)
    site.at_work.discard("anna")
    site.passes(40)
    site.at_work.add("anna")
    site.passes(1)
    one = site.incident(caller)
    assert (one.state, one.handler, one.away_at, one.rung) == ("claimed", "anna", None, None)
    written = kinds(site, caller)
    assert written.index("holder_away") < written.index("holder_back")


def test_a_caller_whose_holder_is_away_is_joined_to_the_control_room_in_the_end(
    site: Site,
) -> None:
    """A caller on an open line is not left with a dark screen."""
    caller = claimed(site)
    site.at_work.discard("anna")
    site.passes(27)
    site.passes(31)
    assert len(site.orders(caller, "connect")) == 1


def test_a_caller_alone_in_a_conference_is_not_with_somebody(site: Site) -> None:
    """Nobody may be listening, and no key is heard: with a dark screen the ladder climbs all the
    same."""
    caller = claimed(site)
    site.room.desk.conference(caller.reference, by=ANNA, now=site.wall)
    site.bridges(caller, MUTED)
    site.at_work.discard("anna")
    site.passes(27)
    site.passes(31)
    assert len(site.orders(caller, "connect")) == 1


def test_a_call_that_only_wants_closing_wakes_nobody(site: Site) -> None:
    """Its line is over and it was graded since: screens show it, no phone rings."""
    caller = claimed(site)
    site.room.hangs_up(caller, site.wall)
    site.passes(1)
    site.room.desk.grade(caller.reference, "priority", by=ANNA, now=site.wall)
    site.at_work.discard("anna")
    site.passes(90)
    assert site.incident(caller).away_at is not None
    assert site.calls.rung == []


def test_a_silent_caller_who_is_given_back_climbs(site: Site) -> None:
    """Rule 8: the claim's hold keeps them on the line for good, so somebody must come."""
    caller = Caller(began=site.wall)
    site.room.machine.drain().record(sealed(replace(caller.arrives(), at=site.wall)))
    site.turns()
    site.room.desk.claim(caller.reference, by=ANNA, now=site.wall)
    site.passes(3)
    site.room.desk.release(caller.reference, by=ANNA, now=site.wall)
    site.passes(1)
    assert (site.incident(caller).state, site.incident(caller).urgency) == ("waiting", 2)
    site.passes(31)
    assert len(site.orders(caller, "connect")) == 1


# -- grade again -----------------------------------------------------------------


def test_a_claimed_call_that_dropped_and_was_not_graded_climbs(site: Site) -> None:
    """Rule 10: a second look within 60 s, or the alert rises."""
    caller = claimed(site)
    site.passes(2)
    site.room.hangs_up(caller, site.wall)
    site.passes(59)
    assert site.incident(caller).rung is None
    site.passes(2)
    assert site.incident(caller).rung == 1
    site.room.desk.grade(caller.reference, "priority", by=ANNA, now=site.wall)
    site.passes(1)
    assert site.incident(caller).rung is None


def test_a_claimed_call_that_was_graded_in_time_does_not_climb(site: Site) -> None:
    """The second look was had."""
    caller = claimed(site)
    site.passes(2)
    site.room.hangs_up(caller, site.wall)
    site.passes(5)
    site.room.desk.grade(caller.reference, "priority", by=ANNA, now=site.wall)
    site.passes(80)
    assert site.incident(caller).rung is None


# -- supervisors' phones -----------------------------------------------------------


def test_the_supervisor_on_duty_is_rung_first(site: Site) -> None:
    """And in the next round the other one."""
    caller = site.waiting()
    site.passes(21)
    assert site.calls.rung == [SUPERVISORS["sue"]]
    site.passes(10)
    site.bridges(caller)
    site.passes(1)
    site.line(caller, bridged="")
    site.passes(22)
    assert site.calls.rung == [SUPERVISORS["sue"], SUPERVISORS["tom"]]


def test_a_phone_that_cannot_be_rung_leads_to_the_next_at_once(site: Site) -> None:
    """Failed outbound calls go on to the next supervisor."""
    site.calls.refuses.add(SUPERVISORS["sue"])
    caller = site.waiting()
    site.passes(21.5)
    assert site.calls.rung == [SUPERVISORS["tom"]]
    assert [one.name for one in site.orders(caller, "page")] == ["sue", "tom"]
    (failed,) = site.room.entries(caller, "page_failed")
    assert failed.data["name"] == "sue"
    assert SUPERVISORS["sue"] not in str(failed.data)


def test_a_phone_that_cannot_be_read_leads_to_the_next(site: Site) -> None:
    """Sealed with a key that is gone: it keeps nobody from being rung, and no caller waiting."""
    with writing(site.room.machine.store.engine) as connection:
        connection.execute(update(users).where(users.c.name == "sue").values(phone=b"planted"))
    caller = site.waiting()
    site.passes(22)
    assert site.calls.rung == [SUPERVISORS["tom"]]
    assert len(site.room.entries(caller, "page_failed")) == 1


def test_when_nobody_can_be_rung_the_next_rung_is_due_at_once(site: Site) -> None:
    """The control room then, and not after ten more seconds."""
    site.calls.refuses |= set(SUPERVISORS.values())
    caller = site.waiting()
    site.passes(23)
    assert site.names(caller)[-1] == "control_room"
    assert len(site.orders(caller, "connect")) == 1


def test_a_phone_nobody_picks_up_leads_to_the_next(data: Path, sqlite_url: str) -> None:
    """After ring_seconds the next supervisor is rung as well."""
    rungs = STANDARD.rungs[:3]
    site = Site.at(data, sqlite_url, ladder=replace(STANDARD, rungs=rungs))
    site.registers("sue", "tom")
    site.waiting()
    site.passes(20)
    assert len(site.calls.rung) == 1
    site.passes(15)
    assert len(site.calls.rung) == 2
    site.passes(20)
    assert len(site.calls.rung) == 2


def test_a_supervisor_who_presses_one_has_the_call(site: Site) -> None:
    """The claim, the hold and the entry are there without a screen."""
    caller = site.waiting()
    site.passes(21)
    (page,) = site.orders(caller, "page")
    presses_one(site, caller, page.id, "sue")
    site.passes(1)
    one = site.incident(caller)
    assert (one.state, one.handler, one.rung) == ("claimed", "sue", None)
    (entry,) = site.room.entries(caller, "claimed")
    assert (entry.data["by"], entry.data["via"]) == ("sue", "phone")
    assert [order.what for order in site.orders(caller, "hold")] == ["hold"]
    site.passes(30)
    assert site.orders(caller, "connect") == []


def test_a_supervisor_on_the_way_to_a_screen_is_not_away_yet(site: Site) -> None:
    """Two minutes, as the ladder's file says."""
    site.at_work.discard("sue")
    site.passes(30)
    caller = site.waiting()
    site.passes(21)
    for page in site.orders(caller, "page"):
        presses_one(site, caller, page.id, page.name)
    site.passes(1)
    name = site.incident(caller).handler
    assert name in SUPERVISORS
    site.passes(100, step=2)
    assert site.incident(caller).away_at is None
    site.passes(30, step=2)
    assert site.incident(caller).away_at is not None


def test_one_pressed_too_late_changes_nothing(site: Site) -> None:
    """Somebody was faster: the screen shows their name."""
    caller = site.waiting()
    site.passes(21)
    (page,) = site.orders(caller, "page")
    site.room.desk.claim(caller.reference, by=ANNA, now=site.wall)
    presses_one(site, caller, page.id, "sue")
    site.passes(5)
    assert site.incident(caller).handler == "anna"
    assert len(site.room.entries(caller, "claimed")) == 1


def test_one_pressed_too_late_takes_nothing_afterwards_either(site: Site) -> None:
    """Whoever lost the race has hung up: when the call is given back, it waits for somebody new."""
    caller = site.waiting()
    site.passes(21)
    (page,) = site.orders(caller, "page")
    site.room.desk.claim(caller.reference, by=ANNA, now=site.wall)
    site.passes(1)
    presses_one(site, caller, page.id, "sue")
    site.passes(30)
    site.room.desk.release(caller.reference, by=ANNA, now=site.wall)
    site.passes(25)
    one = site.incident(caller)
    assert (one.state, one.handler) == ("waiting", None)


def test_one_pressed_while_the_control_room_has_the_caller_changes_nothing(site: Site) -> None:
    """Claim and bridge never both win."""
    caller = site.waiting()
    site.passes(30)
    (page,) = site.orders(caller, "page")
    site.bridges(caller)
    presses_one(site, caller, page.id, "sue")
    site.passes(3)
    assert site.incident(caller).state == "waiting"


def test_somebody_whose_account_was_ended_takes_nothing_by_phone(site: Site) -> None:
    """A leaver's phone is a stranger's phone."""
    caller = site.waiting()
    site.passes(21)
    (page,) = site.orders(caller, "page")
    with writing(site.room.machine.store.engine) as connection:
        connection.execute(update(users).where(users.c.name == "sue").values(disabled_at=site.wall))
    presses_one(site, caller, page.id, "sue")
    site.passes(3)
    assert site.incident(caller).state == "waiting"


def test_no_number_of_a_supervisor_stands_in_the_clear(site: Site) -> None:
    """Neither in an order nor on the timeline."""
    site.waiting()
    site.passes(21)
    with reading(site.room.machine.store.engine) as connection:
        rows = connection.execute(select(orders)).all()
    assert rows
    assert all(SUPERVISORS["sue"].encode() not in row.data for row in rows)
    assert all(KEYS.open(row.data, f"orders|{row.id}|data") for row in rows)
