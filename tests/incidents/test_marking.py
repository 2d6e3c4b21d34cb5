"""Rule 4: a high-risk marker outranks silence, whenever it was set and whatever the caller does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from incidents.audit import Audit
from incidents.drain import Drain
from incidents.fold import Incident
from incidents.marker_kinds import Wanted
from incidents.markers import Markers
from incidents.matching import AGAIN_FOR, Matching
from incidents.numbers import number_row
from incidents.persons import Persons
from incidents.recorded import Sealed
from incidents.safe_contact import SafeContact
from incidents.tables import events, incidents, people, person_numbers
from incidents.tail import Tail
from incidents.transactions import StoreUnavailable, writing
from tests.incidents.desks import ANNA, SUE, Room, after
from tests.incidents.making import (
    KEYS,
    MARKERS,
    NOW,
    NUMBER,
    PROFILES,
    ROLES,
    Caller,
    drain_all,
    left,
)
from tests.incidents.officers import Office, roles

YEAR = timedelta(days=300)


@dataclass(slots=True)
class Place:
    """A control room, its markers, and the look the engine takes at open calls."""

    room: Room
    markers: Markers
    matching: Matching
    now: datetime = NOW

    def sets(
        self, number: str = NUMBER, kind: str = "high_risk", until: datetime | None = None
    ) -> str:
        """Set a marker on a number."""
        with writing(self.room.machine.store.engine) as connection:
            row = number_row(connection, KEYS, number, NOW)
            return self.markers.put(connection, wanted(kind, until), "cara", NOW, number_id=row)

    def knows(self, name: str, number: str = NUMBER) -> str:
        """Have somebody known who has a number."""
        store = self.room.machine.store
        person = Persons(store, KEYS, Audit(store.engine, KEYS)).add(name, by="cara", now=NOW)
        with writing(store.engine) as connection:
            connection.execute(
                person_numbers.insert().values(
                    id=f"{person[:-4]}-pn",
                    person_id=person,
                    number_id=number_row(connection, KEYS, number, NOW),
                    data=SafeContact().sealed(KEYS, f"{person[:-4]}-pn"),
                    by="cara",
                    at=NOW,
                )
            )
        return person

    def looks(self, seconds: float = 0) -> None:
        """Have the engine look at open calls once."""
        self.now = after(seconds)
        self.matching.turn(0)

    def read(self, caller: Caller) -> tuple[str, int, str, str | None]:
        """What a call reads: signal, urgency, state, proposed grade."""
        found: Incident = self.room.machine.incident(caller)
        return found.signal, found.urgency, found.state, found.proposed_grade


def wanted(kind: str = "high_risk", until: datetime | None = None) -> Wanted:
    """What somebody types who sets a marker."""
    return Wanted("Send a unit", "cara", until or NOW + YEAR, "MARAC of 4 November", kind)


@pytest.fixture
def place(tmp_path: Path, store_url: str) -> Place:
    """A control room over each kind of store, with an officer."""
    room = Room.at(tmp_path, store_url)
    Office(room.machine.store)
    store = room.machine.store
    markers = Markers(store, KEYS, Audit(store.engine, KEYS), MARKERS, roles())
    place = Place(room, markers, None)  # type: ignore[arg-type]
    place.matching = Matching(store, KEYS, room.machine.drain(), lambda: place.now)
    return place


def test_rule_4_a_silent_hang_up_from_a_marked_number_waits_at_the_top(place: Place) -> None:
    """With no key and no sound: urgency 1, waiting, the grade proposed, the reason shown first."""
    place.sets()
    caller = Caller()
    place.room.machine.drained(caller.arrives(), caller.hangs_up())
    assert place.read(caller) == ("nothing", 1, "waiting", "immediate")
    found = place.room.machine.incident(caller)
    assert found.reasons[0] == "high-risk marker"
    assert found.connection == "dropped"
    assert [one.data["name"] for one in place.room.entries(caller, "marker_matched")] == [
        "High risk of domestic abuse"
    ]


def test_rule_4_holds_for_a_marker_on_the_person_who_has_the_number(place: Place) -> None:
    """Whichever of their numbers they call from, and whichever of two merged rows carries it."""
    other = "+447700900456"
    one, twin = place.knows("Mair Example"), place.knows("M. Example", other)
    place.markers.set_on_person(one, wanted(), by="cara", now=NOW)
    with writing(place.room.machine.store.engine) as connection:
        connection.execute(people.update().where(people.c.id == twin).values(merged_into=one))
    for number in (NUMBER, other):
        caller = Caller(number=number)
        place.room.machine.drained(caller.arrives())
        assert place.read(caller) == ("nothing", 1, "waiting", "immediate")


def test_rule_4_holds_for_a_marked_person_who_types_their_code_on_any_phone(place: Place) -> None:
    """From a withheld number too; the call's page shows the marker."""
    mair = place.knows("Mair Example")
    marker = place.markers.set_on_person(mair, wanted(), by="cara", now=NOW)
    caller = Caller(number=None, withheld=True)
    arrives = caller.event("call_arrived", 0, line="contact", stage="new", next="code")
    typed = caller.event("code_typed", 1, line="contact", person=mair, how="code", next="reach")
    place.room.machine.drained(arrives)
    assert place.read(caller)[1] == 4
    place.room.machine.drained(typed, caller.hangs_up())
    assert place.read(caller) == ("someone_there", 1, "waiting", "immediate")
    assert [one.id for one in place.markers.of_call(caller.key)] == [marker]


def test_rule_4_a_code_typed_elsewhere_brings_the_marker_on_their_own_number(place: Place) -> None:
    """Set from the page of a call it stands on the number, and the person is known all the same."""
    mair, marker = place.knows("Mair Example"), place.sets()
    caller = Caller(number=None, withheld=True)
    arrives = caller.event("call_arrived", 0, line="contact", stage="new", next="code")
    typed = caller.event("code_typed", 1, line="contact", person=mair, how="code", next="reach")
    place.room.machine.drained(arrives, typed, caller.hangs_up())
    assert place.read(caller) == ("someone_there", 1, "waiting", "immediate")
    assert [one.id for one in place.markers.of_call(caller.key)] == [marker]
    assert place.markers.of_person(mair) == (), "it stands on the number, not on the person"


@pytest.mark.parametrize("on", ["person", "number"])
def test_rule_4_a_marker_set_while_a_typed_codes_call_is_open_raises_it(
    place: Place, on: str
) -> None:
    """Within a look, as a call of a marked number is; one that was closed is left alone."""
    mair, other = place.knows("Mair Example"), place.knows("Ada Example", "+447700900457")
    theirs, another, closed = (Caller(number=None, withheld=True) for _ in range(3))
    for caller, whose in ((theirs, mair), (another, other), (closed, mair)):
        arrives = caller.event("call_arrived", 0, line="contact", stage="new", next="code")
        typed = caller.event(
            "code_typed", 1, line="contact", person=whose, how="code", next="reach"
        )
        place.room.machine.drained(arrives, typed, caller.hangs_up())
    place.room.desk.claim(closed.reference, by=ANNA, now=NOW)
    place.room.desk.close(closed.reference, "accidental", "A child", by=ANNA, now=after(1))
    place.looks(2)
    if on == "person":
        place.markers.set_on_person(mair, wanted(), by="cara", now=NOW)
    else:
        place.sets()
    place.looks(4)
    assert [place.read(one)[1] for one in (theirs, another, closed)] == [1, 2, 2]


def test_a_marker_raises_calls_of_its_number_only(place: Place) -> None:
    """Another number, and a withheld one, are not touched."""
    place.sets()
    stranger = Caller(number="+447700900999")
    hidden = Caller(number=None, withheld=True)
    for caller in (stranger, hidden):
        place.room.machine.drained(caller.arrives(), caller.hangs_up())
        assert place.read(caller) == ("nothing", 4, "review", None)


def test_a_marker_that_is_not_high_risk_is_named_and_raises_nothing(place: Place) -> None:
    """The handler reads it; the rank stays."""
    place.sets(kind="weapons")
    caller = Caller()
    place.room.machine.drained(caller.arrives(), caller.presses("7"))
    found = place.room.machine.incident(caller)
    assert (found.urgency, found.proposed_grade) == (2, None)
    assert "marker: weapons at the address" in found.reasons


@pytest.mark.parametrize("what", ["ended", "expired"])
def test_a_marker_that_ended_or_expired_matches_no_new_call(place: Place, what: str) -> None:
    """One that expired asks for a review instead."""
    marker = place.sets(until=after(60) if what == "expired" else None)
    if what == "ended":
        place.markers.end(marker, "Moved away", by=SUE, now=after(1))
    caller = Caller(began=after(120))
    place.room.machine.drained(caller.arrives())
    place.looks(120)
    assert place.read(caller) == ("nothing", 4, "waiting", None)
    asking = [one.id for one in place.markers.listed(after(120)).shown if one.asks(after(120))]
    assert asking == ([marker] if what == "expired" else [])


def test_a_marker_set_while_the_call_is_open_raises_it_within_a_look(place: Place) -> None:
    """And one in the review queue, and one that a person had lowered; not one that is closed."""
    waiting, gone = Caller(), Caller()
    place.room.machine.drained(waiting.arrives())
    place.room.machine.drained(gone.arrives(), gone.hangs_up())
    closed = place.room.claimed(keys="7")
    place.room.desk.close(closed.reference, "accidental", "It was a child", by=ANNA, now=after(30))
    place.looks(40)
    place.sets()
    place.looks(42)
    assert place.read(waiting) == ("nothing", 1, "waiting", "immediate")
    assert place.read(gone) == ("nothing", 1, "waiting", "immediate")
    assert place.read(closed)[2] == "closed"


def test_a_call_is_raised_when_its_number_is_learned_to_be_a_marked_persons(place: Place) -> None:
    """Nobody set a marker then: a number was added to somebody who carries one."""
    caller = Caller()
    place.room.machine.drained(caller.arrives())
    person = place.knows("Mair Example", "+447700900456")
    place.markers.set_on_person(person, wanted(), by="cara", now=NOW)
    place.looks(1)
    assert place.read(caller)[1] == 4
    place.looks(200)  # the marker itself is no longer new
    place.knows("Another Example")
    with writing(place.room.machine.store.engine) as connection:
        connection.execute(person_numbers.update().values(person_id=person))
    place.looks(202)
    assert place.read(caller) == ("nothing", 1, "waiting", "immediate")


def test_a_call_that_reaches_the_store_just_after_the_look_is_raised_by_the_next(
    place: Place,
) -> None:
    """Its fold began before the marker was written: it is asked about again for a while."""
    late = Caller()
    place.room.machine.drained(late.arrives())
    place.sets()
    with writing(place.room.machine.store.engine) as connection:
        row = connection.execute(select(incidents.c.number_id)).scalar_one()
        connection.execute(incidents.update().values(number_id=None))  # not to be seen yet
    place.looks(1)
    with writing(place.room.machine.store.engine) as connection:
        connection.execute(incidents.update().values(number_id=row))
    assert place.read(late)[1] == 4
    place.looks(1 + AGAIN_FOR.total_seconds() / 2)
    assert place.read(late)[1] == 1


def test_a_marker_outranks_what_a_person_had_lowered_before(place: Place) -> None:
    """It is news to them: the call is now again, whatever they made of it without the marker."""
    caller = place.room.waiting("7")
    with writing(place.room.machine.store.engine) as connection:
        connection.execute(incidents.update().values(set_urgency=4, set_urgency_at=after(10)))
    assert place.read(caller)[1] == 4
    place.sets()
    place.looks(20)
    assert place.read(caller)[1] == 1


def test_a_match_counts_once_and_stays_when_the_marker_ends(place: Place) -> None:
    """However often it is found, by the drain or a look, before and after a restart."""
    marker = place.sets()
    caller = Caller()
    place.room.machine.drained(caller.arrives())
    for seconds in (1, 2, 3):
        place.looks(seconds)
    store = place.room.machine.store
    Matching(store, KEYS, place.room.machine.drain(), lambda: after(4)).turn(0)
    place.markers.end(marker, "Set on the wrong number", by=SUE, now=after(5))
    place.looks(6)
    place.room.machine.drained(caller.hangs_up(after(7)))
    assert place.read(caller) == ("nothing", 1, "waiting", "immediate")
    assert len(place.room.entries(caller, "marker_matched")) == 1


def test_a_look_that_failed_finds_the_marker_again(place: Place) -> None:
    """What the store refused is not taken for seen."""
    caller = Caller()
    place.room.machine.drained(caller.arrives())
    place.sets()

    class Away:
        markers = MARKERS

        def unknown(self, *_: object) -> list[object]:
            raise StoreUnavailable("planted")

    good, place.matching._drain = place.matching._drain, Away()  # type: ignore[assignment]
    with pytest.raises(StoreUnavailable):
        place.looks(1)
    place.matching._drain = good
    place.looks(500)
    assert place.read(caller)[1] == 1


def test_rule_4_holds_though_somebody_of_the_number_is_on_record_no_more(place: Place) -> None:
    """Their row hides nobody's marker and keeps no call from the board."""
    gone = place.knows("Gone Example")
    place.markers.set_on_person(gone, wanted(), by="cara", now=NOW)
    place.sets()
    open_ = Caller(number="+447700900456")
    place.room.machine.drained(open_.arrives())
    with writing(place.room.machine.store.engine) as connection:
        connection.execute(people.update().values(erased_at=NOW))
    new = Caller()
    place.room.machine.drained(new.arrives(), new.hangs_up())
    assert place.read(new) == ("nothing", 1, "waiting", "immediate")
    place.sets("+447700900456")
    place.looks(1)
    assert place.read(open_) == ("nothing", 1, "waiting", "immediate")


def test_a_call_reaches_the_board_though_the_look_for_markers_fails(place: Place) -> None:
    """It is not set aside, and the engine finds the marker within a minute."""

    class Blind(Drain):
        def _marked(self, *_: object) -> list[Sealed]:
            raise LookupError("planted")

    machine = place.room.machine
    place.looks(0)
    place.sets()
    place.looks(1)
    caller = Caller(began=after(70))
    left(machine.folders[0], caller.arrives())
    blind = Blind(machine.store, Tail(machine.folders), KEYS, PROFILES, MARKERS, ROLES)
    drain_all(blind)
    assert (blind.aside, place.read(caller)) == (0, ("nothing", 4, "waiting", None))
    place.looks(72)
    assert place.read(caller) == ("nothing", 1, "waiting", "immediate")


def test_a_call_that_was_closed_and_asked_again_is_raised_as_one_that_waits(place: Place) -> None:
    """It waits for a handler, whatever stands in the column of its closing."""
    caller = place.room.claimed(keys="7")
    place.room.desk.close(caller.reference, "accidental", "It was a child", by=ANNA, now=after(30))
    place.room.machine.drained(caller.presses("8", 2, at=after(40)))
    assert place.read(caller)[1:3] == (2, "waiting")
    place.sets()
    place.looks(50)
    assert place.read(caller) == ("someone_there", 1, "waiting", "immediate")


def test_a_call_closed_with_its_line_open_is_now_once_the_caller_asks_again(place: Place) -> None:
    """A marker set in between does not open it; the next key does, and at the top."""
    caller = place.room.claimed(keys="7")
    place.room.desk.close(caller.reference, "accidental", "It was a child", by=ANNA, now=after(30))
    place.sets()
    place.looks(40)
    assert place.read(caller)[2] == "closed"
    place.room.machine.drained(caller.presses("8", 2, at=after(4000)))
    assert place.read(caller) == ("someone_there", 1, "waiting", "immediate")


def test_a_marker_outranks_what_is_lowered_while_the_engine_looks(place: Place) -> None:
    """Whoever lowered it a moment before the marker stood on the call could not know of it."""
    caller = place.room.waiting("7")
    place.sets()
    moments = iter((after(20), after(30)))

    def clock() -> datetime:
        now = next(moments)
        if now == after(20):
            with writing(place.room.machine.store.engine) as connection:
                connection.execute(
                    incidents.update().values(set_urgency=4, set_urgency_at=after(25))
                )
        return now

    machine = place.room.machine
    Matching(machine.store, KEYS, machine.drain(), clock).turn(0)
    assert place.read(caller)[1] == 1


def test_a_call_no_marker_can_be_put_on_is_named_and_holds_up_no_other(place: Place) -> None:
    """Here its events cannot be read: somebody must look at it."""
    bad, good = Caller(), Caller()
    place.room.machine.drained(bad.arrives())
    place.room.machine.drained(good.arrives())
    with writing(place.room.machine.store.engine) as connection:
        connection.execute(events.update().where(events.c.call_key == bad.key).values(data=b"x"))
    place.sets()
    place.looks(1)
    assert place.read(good)[1] == 1
    assert [bad.reference in one["text"] for one in place.matching.alarms()] == [True]
