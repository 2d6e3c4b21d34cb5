"""Rule 3: nothing but a supervisor with a reason has a high-risk marker match fewer calls.

Ending a number or an address, or parting two people, ends no marker; each is held to what ending
one is held to wherever it takes a call away from one, and stays anybody's where it takes none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from incidents.addresses import Addresses
from incidents.audit import Audit
from incidents.audit_reading import Reading
from incidents.audit_reading import Wanted as Asked
from incidents.lowering import LONGEST_REASON, Lowering
from incidents.marker_kinds import MarkerKinds, Wanted
from incidents.markers import Markers
from incidents.merging import Merges
from incidents.numbers import number_row
from incidents.person_numbers import PersonNumbers
from incidents.persons import Persons
from incidents.safe_contact import SafeContact
from incidents.tables import merges
from incidents.transactions import reading, writing
from incidents.working import Actor, Conflict, Unfit
from tests.incidents.desks import ANNA, SUE, Room, after
from tests.incidents.making import KEYS, MARKERS, NOW, NUMBER, ROLES, Caller
from tests.incidents.officers import Office

OTHER = "+447700900456"
HOME = "12 High Street, Kendal LA9 4AB"
CARA = Actor("cara", "contact_officer")
WHY = "The number was given to somebody else"


@dataclass(slots=True)
class Place:
    """A control room with people, and everything that could take a call from a marker."""

    room: Room
    lowering: Lowering
    persons: Persons = field(init=False)
    numbers: PersonNumbers = field(init=False)
    addresses: Addresses = field(init=False)
    merges: Merges = field(init=False)
    markers: Markers = field(init=False)

    def __post_init__(self) -> None:
        store = self.room.machine.store
        given = (store, KEYS, Audit(store.engine, KEYS))
        self.persons = Persons(*given)
        self.numbers = PersonNumbers(*given, self.lowering)
        self.addresses = Addresses(*given, self.lowering)
        self.merges = Merges(*given, self.lowering)
        self.markers = Markers(*given, MARKERS, ROLES)

    def knows(self, name: str, number: str = "") -> tuple[str, str]:
        """Have somebody known, with a number if one is given; returns their id and its row's."""
        person = self.persons.add(name, by="cara", now=NOW)
        row = ""
        if number:
            row = self.numbers.add(person, number, SafeContact(), by="cara", now=NOW)
        return person, row

    def marks(self, kind: str = "high_risk", **on: str) -> str:
        """Set a marker on a person, or on what else is named."""
        with writing(self.room.machine.store.engine) as connection:
            return self.markers.put(connection, wanted(kind), "cara", NOW, **on)

    def marks_number(self, number: str = NUMBER) -> str:
        """Set a high-risk marker on a number."""
        with writing(self.room.machine.store.engine) as connection:
            row = number_row(connection, KEYS, number, NOW)
            return self.markers.put(connection, wanted(), "cara", NOW, number_id=row)

    def urgency(self, number: str = NUMBER) -> int:
        """The urgency of a silent call from a number now."""
        caller = Caller(number=number, began=after(600))
        self.room.machine.drained(caller.arrives())
        return self.room.machine.incident(caller).urgency

    def logged(self, record: str) -> list[tuple[str, str, str]]:
        """Who did what to a record, and what."""
        log = Reading(self.room.machine.store.engine, KEYS)
        found = sorted(log.every(Asked(record=record)), key=lambda one: one.number)
        return [(one.person, one.what, one.reason) for one in found]


def wanted(kind: str = "high_risk") -> Wanted:
    """What somebody types who sets a marker."""
    return Wanted("Send a unit", "cara", NOW + timedelta(days=300), "MARAC of 4 November", kind)


@pytest.fixture
def place(tmp_path: Path, store_url: str) -> Place:
    """A control room over each kind of store, with officers."""
    room = Room.at(tmp_path, store_url)
    Office(room.machine.store)
    return Place(room, Lowering(MARKERS, ROLES))


End = Callable[[Actor, str], object]
"""Ends what a test is about, as somebody, with a reason."""


def the_number_of_a_marked_person(place: Place) -> tuple[str, End]:
    """Their calls from it would stand at the top no more."""
    mair, row = place.knows("Mair Example", NUMBER)
    marker = place.marks(person_id=mair)
    return marker, lambda by, why: place.numbers.end(mair, row, why, by=by, now=after(1))


def the_number_of_somebody_who_lives_at_a_marked_address(place: Place) -> tuple[str, End]:
    """The marker stands on the home alone."""
    mair, row = place.knows("Mair Example", NUMBER)
    home = place.addresses.add(mair, HOME, by="cara", now=NOW)
    marker = place.markers.set_on_person(mair, wanted(), by="cara", now=NOW, home=home)
    return marker, lambda by, why: place.numbers.end(mair, row, why, by=by, now=after(1))


def a_marked_number_of_somebody_with_a_code(place: Place) -> tuple[str, End]:
    """Calls from it still match; a code they type on another phone would not."""
    mair, row = place.knows("Mair Example", OTHER)
    marker = place.marks_number(OTHER)
    return marker, lambda by, why: place.numbers.end(mair, row, why, by=by, now=after(1))


def the_marked_address_of_a_person(place: Place) -> tuple[str, End]:
    """Their number would be reached no more."""
    mair, _ = place.knows("Mair Example", NUMBER)
    home = place.addresses.add(mair, HOME, by="cara", now=NOW)
    marker = place.markers.set_on_person(mair, wanted(), by="cara", now=NOW, home=home)
    return marker, lambda by, why: place.addresses.end(mair, home, why, by=by, now=after(1))


def a_merge_whose_other_row_is_marked(place: Place) -> tuple[str, End]:
    """The marker stands on one row, the number belongs to the other."""
    mair, _ = place.knows("Mair Example")
    twin, _ = place.knows("M. Example", NUMBER)
    marker = place.marks(person_id=mair)
    place.merges.merge(mair, twin, "the same date of birth", by="cara", now=NOW)
    merge = place.merges.of(mair)[0].id
    return marker, lambda by, why: place.merges.undo(mair, merge, why, by=by, now=after(1))


def a_merge_whose_kept_row_is_reached_through_the_others_home(place: Place) -> tuple[str, End]:
    """And the other way round, through an address."""
    mair, _ = place.knows("Mair Example", NUMBER)
    twin, _ = place.knows("M. Example")
    home = place.addresses.add(twin, HOME, by="cara", now=NOW)
    marker = place.markers.set_on_person(twin, wanted(), by="cara", now=NOW, home=home)
    place.merges.merge(mair, twin, "the same date of birth", by="cara", now=NOW)
    merge = place.merges.of(mair)[0].id
    return marker, lambda by, why: place.merges.undo(mair, merge, why, by=by, now=after(1))


LOWERS = (
    the_number_of_a_marked_person,
    the_number_of_somebody_who_lives_at_a_marked_address,
    a_marked_number_of_somebody_with_a_code,
    the_marked_address_of_a_person,
    a_merge_whose_other_row_is_marked,
    a_merge_whose_kept_row_is_reached_through_the_others_home,
)


@pytest.mark.parametrize("made", LOWERS)
def test_rule_3_only_a_supervisor_with_a_reason_has_a_marker_match_fewer_calls(
    place: Place, made: Callable[[Place], tuple[str, End]]
) -> None:
    """Refused, it changes nothing: calls still stand at the top, and nothing is logged as done."""
    marker, end = made(place)
    before = len(place.logged(marker))
    for by in (ANNA, CARA):
        with pytest.raises(Conflict, match="Only a supervisor may do this, with a reason"):
            end(by, WHY)
    for reason in ("", "  ", "x" * (LONGEST_REASON + 1)):
        with pytest.raises(Unfit) as refused:
            end(SUE, reason)
        assert refused.value.field == "why"
    if made is not a_marked_number_of_somebody_with_a_code:
        assert place.urgency() == 1
    assert len(place.logged(marker)) == before
    end(SUE, f"  {WHY} ")
    assert place.logged(marker)[before:] == [
        ("sue", "had a high-risk marker match fewer calls", WHY)
    ]
    assert place.markers.one(marker).ended_at is None


def test_what_takes_no_call_from_a_high_risk_marker_stays_anybodys(place: Place) -> None:
    """A marker of a lower kind, nobody marked, a home another row has too: no reason is needed."""
    mair, row = place.knows("Mair Example", NUMBER)
    place.marks("weapons", person_id=mair)
    home = place.addresses.add(mair, HOME, by="cara", now=NOW)
    place.numbers.end(mair, row, by=CARA, now=after(1))
    place.addresses.end(mair, home, by=CARA, now=after(1))
    twin, _ = place.knows("M. Example", OTHER)
    place.merges.merge(mair, twin, "the same date of birth", by="cara", now=NOW)
    place.merges.undo(mair, place.merges.of(mair)[0].id, by=CARA, now=after(2))
    marked, number = place.knows("Ann Example", "+447700900457")
    homes = [place.addresses.add(marked, HOME, by="cara", now=NOW)]
    other, _ = place.knows("A. Example")
    homes.append(place.addresses.add(other, HOME, by="cara", now=NOW))
    place.markers.set_on_person(marked, wanted(), by="cara", now=NOW, home=homes[0])
    place.merges.merge(marked, other, "the same date of birth", by="cara", now=NOW)
    place.addresses.end(marked, homes[0], "It was there twice", by=CARA, now=after(3))
    assert place.urgency("+447700900457") == 1
    with pytest.raises(Conflict):  # the last one of this home
        place.addresses.end(marked, homes[1], "Moved away", by=CARA, now=after(4))
    with pytest.raises(Conflict):
        place.numbers.end(marked, number, by=CARA, now=after(4))


def test_a_marker_past_its_last_day_is_guarded_until_somebody_ends_it(place: Place) -> None:
    """It asks for a review: whoever reviews it trusts that it stands where it stood."""
    mair, row = place.knows("Mair Example", NUMBER)
    marker = place.marks(person_id=mair)
    late = NOW + timedelta(days=400)
    with pytest.raises(Conflict):
        place.numbers.end(mair, row, WHY, by=CARA, now=late)
    place.markers.end(marker, "Looked at", by=SUE, now=late)
    place.numbers.end(mair, row, by=CARA, now=late)


def test_a_kind_that_is_gone_from_the_file_counts_as_high_risk(place: Place) -> None:
    """And where nobody said who may, nobody may: whoever forgets to pass the guard refuses."""
    mair, row = place.knows("Mair Example", NUMBER)
    place.marks("weapons", person_id=mair)
    nobody = Place(place.room, Lowering())
    fewer = Place(place.room, Lowering(MarkerKinds(), ROLES))
    for there, by in ((nobody, SUE), (fewer, CARA)):
        with pytest.raises(Conflict, match="weapons"):
            there.numbers.end(mair, row, WHY, by=by, now=after(1))


def test_joining_people_takes_nothing_away(place: Place) -> None:
    """So anybody may: whatever reached one of them reaches both."""
    mair, _ = place.knows("Mair Example", NUMBER)
    twin, _ = place.knows("M. Example", OTHER)
    place.marks(person_id=mair)
    place.marks(person_id=twin, kind="stalking")
    with reading(place.room.machine.store.engine) as connection:
        before = place.lowering.reach(connection, (mair, twin))
    place.merges.merge(mair, twin, "the same date of birth", by="cara", now=NOW)
    with reading(place.room.machine.store.engine) as connection:
        assert connection.execute(select(merges)).one().undone_at is None
        assert place.lowering.reach(connection, (mair, twin)).by > before.by
