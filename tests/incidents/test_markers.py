"""Markers are set, reviewed and ended: each with an action, an owner, a last day and a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from incidents.audit import Audit
from incidents.markers import Markers, NoSuchMarker
from incidents.store import NoSuchIncident
from incidents.tables import audit, markers, numbers, users
from incidents.transactions import reading, writing
from incidents.working import Actor, Conflict, Unfit
from tests.incidents.desks import ANNA, SUE, Room, after
from tests.incidents.making import KEYS, MARKERS, NOW, Caller
from tests.incidents.officers import Office, roles
from tests.incidents.spoiling import spoilt
from tests.incidents.test_marking import wanted

CARA = Actor("cara", "contact_officer")


@pytest.fixture
def room(tmp_path: Path, store_url: str) -> Room:
    """A control room over each kind of store, with officers."""
    room = Room.at(tmp_path, store_url)
    Office(room.machine.store)
    return room


@pytest.fixture
def work(room: Room) -> Markers:
    """The markers of that room."""
    store = room.machine.store
    return Markers(store, KEYS, Audit(store.engine, KEYS), MARKERS, roles())


def test_a_marker_set_on_a_call_stands_on_its_number(room: Room, work: Markers) -> None:
    """With its entry on the timeline, its place in the audit, and nothing in the clear."""
    caller = room.waiting("7")
    id_ = work.set_on_call(caller.reference, wanted(), by="anna", now=after(20))
    found = work.one(id_)
    assert (found.kind.id, found.action, found.owner) == ("high_risk", "Send a unit", "cara")
    assert found.on == "number +447700900123"
    assert [one.id for one in work.of_call(caller.key)] == [id_]
    assert room.entries(caller, "marker_set")[0].data["reason"] == "MARAC of 4 November"
    with reading(room.machine.store.engine) as connection:
        row = connection.execute(select(markers)).one()
        told = connection.execute(select(audit.c.actor, audit.c.what)).all()
    assert b"unit" not in row.action
    assert ("anna", "set a marker") in [(one.actor, one.what) for one in told]


def test_a_marker_of_which_nothing_can_be_read_still_stands(room: Room, work: Markers) -> None:
    """Its kind, its owner and its last day are no secret: the page of the call shows them."""
    caller, store = room.waiting("7"), room.machine.store
    id_ = work.set_on_call(caller.reference, wanted(), by="anna", now=after(20))
    with (
        spoilt(store, markers.c.action, markers.c.id == id_),
        spoilt(store, numbers.c.number, numbers.c.look_up.is_not(None)),
    ):
        (found,) = work.of_call(caller.key)
        assert (found.kind.id, found.action, found.on) == (
            "high_risk",
            "(cannot be read)",
            "number (cannot be read)",
        )
    assert work.one(id_).action == "Send a unit"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "no_such"}, "kind"),
        ({"action": " "}, "action"),
        ({"action": "x" * 401}, "action"),
        ({"reason": ""}, "reason"),
        ({"owner": "olga"}, "owner"),
        ({"owner": "nobody"}, "owner"),
        ({"until": NOW}, "until"),
        ({"until": NOW + timedelta(days=24 * 31 + 1)}, "until"),
    ],
)
def test_what_cannot_be_a_marker_is_refused_with_its_field(
    room: Room, work: Markers, change: dict[str, object], field: str
) -> None:
    """No kind, no action, no reason, nobody who may own it, a day that has passed or is too far."""
    caller = room.waiting("7")
    with pytest.raises(Unfit) as refused:
        work.set_on_call(
            caller.reference,
            replace(wanted(), **change),  # type: ignore[arg-type]
            by="anna",
            now=NOW,
        )
    assert refused.value.field == field
    assert work.of_call(caller.key) == ()


def test_a_withheld_number_and_an_unknown_call_carry_no_marker(room: Room, work: Markers) -> None:
    """Withheld callers never match each other."""
    hidden = Caller(number=None, withheld=True)
    room.machine.drained(hidden.arrives())
    with pytest.raises(Conflict, match="withheld"):
        work.set_on_call(hidden.reference, wanted(), by="anna", now=NOW)
    with pytest.raises(NoSuchIncident):
        work.set_on_call("QL-2222-2222-222", wanted(), by="anna", now=NOW)
    assert work.of_call(hidden.key) == ()


def test_a_review_says_anew_what_to_do_and_until_when_and_keeps_the_history(
    room: Room, work: Markers
) -> None:
    """Each change stands with who made it and why."""
    id_ = work.set_on_call(room.waiting("7").reference, wanted(), by="anna", now=NOW)
    until = NOW + timedelta(days=500)
    anew = replace(wanted(), action="Ring the SPOC", owner="dan", until=until, reason="Reviewed")
    work.review(id_, anew, by=CARA, now=after(60))
    found = work.one(id_)
    assert (found.action, found.owner, found.expires_at) == ("Ring the SPOC", "dan", until)
    assert [(one.by, one.reason) for one in found.changes] == [
        ("anna", "MARAC of 4 November"),
        ("cara", "Reviewed"),
    ]
    with pytest.raises(Unfit):
        work.review(id_, replace(anew, reason=""), by=CARA, now=after(61))
    with pytest.raises(NoSuchMarker):
        work.review("no-such", anew, by=CARA, now=after(61))


def test_a_high_risk_marker_is_ended_by_a_supervisor_alone(room: Room, work: Markers) -> None:
    """With a reason; what is ended is ended once, and the second is told who was first."""
    caller = room.waiting("7")
    id_ = work.set_on_call(caller.reference, wanted(), by="cara", now=NOW)
    for actor in (CARA, ANNA):
        with pytest.raises(Conflict, match="supervisor"):
            work.end(id_, "Moved away", by=actor, now=after(1))
    with pytest.raises(Unfit):
        work.end(id_, " ", by=SUE, now=after(1))
    work.end(id_, "Moved away", by=SUE, now=after(2))
    with pytest.raises(Conflict, match="sue ended it already"):
        work.end(id_, "Moved away", by=SUE, now=after(3))
    with pytest.raises(Conflict, match="sue ended it already"):
        work.review(id_, wanted(), by=CARA, now=after(3))
    assert (work.one(id_).ended_by, work.of_call(caller.key)) == ("sue", ())
    other = work.set_on_call(caller.reference, wanted("weapons"), by="cara", now=after(4))
    work.end(other, "Handed in", by=CARA, now=after(5))
    assert work.one(other).ended_by == "cara"


def test_those_past_their_day_or_without_an_owner_ask_for_a_review_first(
    room: Room, work: Markers
) -> None:
    """A marker nobody looks after is worse than none."""
    reference = room.waiting("7").reference
    late = wanted(until=NOW + timedelta(days=30))
    standing = work.set_on_call(reference, wanted(until=NOW + timedelta(days=60)), by="a", now=NOW)
    past = work.set_on_call(reference, replace(late, kind="stalking"), by="a", now=NOW)
    days_90 = NOW + timedelta(days=90)
    lone = replace(wanted("weapons"), owner="dan", until=days_90)
    orphan = work.set_on_call(reference, lone, by="a", now=NOW)
    with writing(room.machine.store.engine) as connection:
        connection.execute(users.update().where(users.c.name == "dan").values(disabled_at=NOW))
    now = NOW + timedelta(days=31)
    listed = work.listed(now)
    assert [one.id for one in listed.shown] == [past, orphan, standing]
    assert [one.asks(now) for one in listed.shown] == [True, True, False]
    assert [one.stands(now) for one in listed.shown] == [False, True, True]
    assert listed.many == 3


def test_a_second_of_one_kind_on_one_number_is_refused_until_the_first_has_ended(
    room: Room, work: Markers
) -> None:
    """It would tell no more, and ask for a review of its own."""
    caller = room.waiting("7")
    first = work.set_on_call(caller.reference, wanted("weapons"), by="cara", now=NOW)
    with pytest.raises(Unfit, match="already"):
        work.set_on_call(caller.reference, wanted("weapons"), by="dan", now=after(1))
    work.end(first, "Handed in", by=CARA, now=after(2))
    work.set_on_call(caller.reference, wanted("weapons"), by="dan", now=after(3))
    assert len(work.of_call(caller.key)) == 1


def test_a_high_risk_marker_is_shortened_by_a_supervisor_alone(room: Room, work: Markers) -> None:
    """One that stands until tonight has as good as ended; anybody may have it stand for longer."""
    reference = room.waiting("7").reference
    id_ = work.set_on_call(reference, wanted(), by="cara", now=NOW)
    other = work.set_on_call(reference, wanted("weapons"), by="cara", now=NOW)
    for days, by in ((301, ANNA), (301, CARA), (20, SUE), (21, ANNA)):
        anew = replace(wanted(), until=NOW + timedelta(days=days))
        work.review(id_, anew, by=by, now=after(1))
    sooner = replace(wanted(), until=NOW + timedelta(days=2))
    for actor in (CARA, ANNA):
        with pytest.raises(Unfit, match="supervisor") as refused:
            work.review(id_, sooner, by=actor, now=after(2))
        assert refused.value.field == "until"
    work.review(other, sooner, by=ANNA, now=after(2))
    assert work.one(id_).expires_at == NOW + timedelta(days=21)
