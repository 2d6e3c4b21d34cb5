"""Repeat patterns: what is counted, over whose calls, and how it is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from incidents.audit import Audit
from incidents.fold import Incident
from incidents.numbers import number_row
from incidents.patterns import Group, Matched, Pattern, matched
from incidents.persons import Persons
from incidents.tables import addresses, follow_ups, parts, person_numbers
from incidents.together import COUNTED_AT_MOST, groups_of
from incidents.transactions import writing
from tests.incidents.desks import Room
from tests.incidents.making import KEYS, NOW, Caller

MINE, THEIRS, NEIGHBOUR = "+447700900123", "+447700900124", "+447700900125"
YEAR = timedelta(days=365)
VISITS = frozenset({("visit_victim", "seen"), ("visit_offender", "warned")})
SILENT = Pattern(
    "silent",
    "silent call",
    "silent calls",
    ("nothing",),
    (),
    2,
    timedelta(days=14),
    ("number", "person", "household"),
)


@pytest.fixture
def room(tmp_path: Path, store_url: str) -> Room:
    """A control room over each kind of store."""
    return Room.at(tmp_path, store_url)


def silent(room: Room, number: str | None, days_ago: float = 0, **facts: object) -> Caller:
    """Have somebody call who gives no sign and hangs up, so many days before now."""
    began = NOW - timedelta(days=days_ago)
    caller = Caller(number=number, began=began, **facts)  # type: ignore[arg-type]
    room.machine.drained(caller.arrives(), caller.hangs_up(began + timedelta(seconds=20)))
    return caller


def found(room: Room, caller: Caller, *patterns: Pattern) -> tuple[Matched, ...]:
    """The patterns on the page of a call."""
    store = room.machine.store
    incident = store.incident(caller.reference)
    assert incident is not None
    groups = groups_of(store, incident, YEAR, VISITS)
    return matched(patterns or (SILENT,), groups, incident.started_at)


def sentences(room: Room, caller: Caller, *patterns: Pattern) -> list[str]:
    """The same, as they are read."""
    return [one.sentence for one in found(room, caller, *patterns)]


def person(room: Room, name: str, *numbers: str, at: str = "") -> str:
    """Add a person with numbers and an address."""
    store = room.machine.store
    added = Persons(store, KEYS, Audit(store.engine, KEYS)).add(name, by="cara", now=NOW)
    with writing(store.engine) as connection:
        for number in numbers:
            row = number_row(connection, KEYS, number, NOW)
            connection.execute(
                person_numbers.insert().values(
                    id=f"{added[:30]}{row[-6:]}",
                    person_id=added,
                    number_id=row,
                    data=b"",
                    by="cara",
                    at=NOW,
                )
            )
        if at:
            connection.execute(
                addresses.insert().values(
                    id=added, person_id=added, look_up=at, address=b"", by="cara", at=NOW
                )
            )
    return added


def test_silent_calls_of_a_number_are_a_sentence_with_the_calls_behind_it(room: Room) -> None:
    """ "4 silent calls in 9 days", and which they were, the newest first."""
    calls = [silent(room, MINE, days) for days in (9, 3, 1, 0)]
    [pattern] = found(room, calls[-1])
    assert pattern.sentence == "4 silent calls in 9 days from this number"
    assert [one.reference for one in pattern.calls] == [c.reference for c in reversed(calls)]


def test_one_call_is_no_pattern(room: Room) -> None:
    """And neither is a call with a sign beside it, for a pattern that counts silence."""
    room.waiting("55", number=MINE, began=NOW - timedelta(days=1))
    assert sentences(room, silent(room, MINE)) == []


def test_only_calls_within_the_time_count(room: Room) -> None:
    """A month ago is not within a fortnight."""
    silent(room, MINE, 30)
    silent(room, MINE, 2)
    assert sentences(room, silent(room, MINE)) == ["2 silent calls in 2 days from this number"]


def test_what_came_later_does_not_count_on_an_earlier_call(room: Room) -> None:
    """The page of a call says what was so when it came."""
    first = silent(room, MINE, 2)
    silent(room, MINE, 1)
    assert sentences(room, first) == []


def test_withheld_callers_never_match_each_other(room: Room) -> None:
    """Without a number nobody is anybody's repeat."""
    silent(room, None, 1, withheld=True)
    assert sentences(room, silent(room, None, withheld=True)) == []


def test_calls_of_another_purpose_do_not_count(room: Room) -> None:
    """An exercise is nobody's history."""
    silent(room, MINE, 1, purpose="training")
    assert sentences(room, silent(room, MINE)) == []


def test_the_other_phone_of_the_same_person_counts(room: Room) -> None:
    """A person with two numbers is one person; the sentence says whose calls they are."""
    person(room, "Mair Example", MINE, THEIRS)
    silent(room, THEIRS, 1)
    assert sentences(room, silent(room, MINE)) == [
        "2 silent calls in 1 day from a person who may be calling"
    ]


def test_whoever_typed_their_code_has_their_history_from_a_withheld_number_too(room: Room) -> None:
    """Known by their code as surely as by a number: their calls count, and this one."""
    mair = person(room, "Mair Example", MINE)
    person(room, "Ada Example", THEIRS)
    earlier = silent(room, MINE, 3)
    silent(room, THEIRS, 2)
    caller = Caller(number=None, withheld=True)
    arrives = caller.event("call_arrived", 0, line="contact", stage="new", next="code")
    typed = caller.event("code_typed", 1, line="contact", person=mair, how="code", next="reach")
    room.machine.drained(arrives, typed, caller.hangs_up())
    any_call = replace(SILENT, signals=(), one="call", many="calls")
    [pattern] = found(room, caller, any_call)
    assert pattern.sentence == "2 calls in 3 days from a person who may be calling"
    assert [one.reference for one in pattern.calls] == [caller.reference, earlier.reference]


def test_a_call_whose_part_was_confirmed_counts_for_the_person(room: Room) -> None:
    """A call from a withheld number, confirmed to be theirs."""
    victim = person(room, "Mair Example", MINE)
    withheld = silent(room, None, 1, withheld=True)
    with writing(room.machine.store.engine) as connection:
        connection.execute(
            parts.insert().values(
                id="a part",
                call_key=withheld.key,
                person_id=victim,
                part="victim",
                state="confirmed",
                by="anna",
                at=NOW,
            )
        )
    assert len(sentences(room, silent(room, MINE))) == 1


def test_people_at_one_address_are_counted_as_a_household(room: Room) -> None:
    """The narrower sentence comes first, and none is told twice for the same calls."""
    person(room, "Mair Example", MINE, at="home")
    person(room, "Dai Example", NEIGHBOUR, at="home")
    person(room, "Far Away", THEIRS, at="elsewhere")
    silent(room, THEIRS, 3)
    silent(room, NEIGHBOUR, 2)
    silent(room, MINE, 1)
    assert sentences(room, silent(room, MINE)) == [
        "2 silent calls in 1 day from this number",
        "3 silent calls in 2 days from people at one address",
    ]


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=30), "1 minute"),
        (timedelta(minutes=12), "12 minutes"),
        (timedelta(hours=5, seconds=1), "6 hours"),
        (timedelta(days=1, hours=1), "2 days"),
    ],
)
def test_times_are_said_rounded_up(room: Room, ago: timedelta, words: str) -> None:
    """Never shorter than it was."""
    silent(room, MINE, ago / timedelta(days=1))
    assert sentences(room, silent(room, MINE)) == [f"2 silent calls in {words} from this number"]


def test_a_flood_says_that_there_are_more(room: Room) -> None:
    """What was not read is not claimed to be counted."""
    caller = silent(room, MINE)
    incident = room.machine.store.incident(caller.reference)
    assert isinstance(incident, Incident)
    flood = Group("number", (incident,) * COUNTED_AT_MOST, cut=True)
    [pattern] = matched((SILENT,), [flood], NOW)
    assert pattern.sentence.startswith(f"at least {COUNTED_AT_MOST} silent calls")


def visited(room: Room, person_id: str, days_ago: float, outcome: str = "seen") -> None:
    """Have a visit to a person closed, so many days before now."""
    closed = NOW - timedelta(days=days_ago)
    with writing(room.machine.store.engine) as connection:
        connection.execute(
            follow_ups.insert().values(
                id=f"{person_id[:20]}{outcome[:6]}{days_ago:g}",
                kind="visit_victim",
                person_id=person_id,
                due_at=closed,
                closed_at=closed,
                outcome=outcome,
                data=b"",
            )
        )


@pytest.mark.parametrize(
    ("days_ago", "told"),
    [
        (2, ", 2 since the visit on 2026-12-20"),
        (10, ", all since the visit on 2026-12-12"),
        (-1, ""),
        (20, ""),
    ],
)
def test_it_says_how_many_came_since_the_visit(room: Room, days_ago: float, told: str) -> None:
    """Of the person whose number it is; one that came later or long before says nothing."""
    mair = person(room, "Mair", MINE)
    calls = [silent(room, MINE, days) for days in (9, 3, 1, 0)]
    visited(room, mair, days_ago)
    assert sentences(room, calls[-1]) == [f"4 silent calls in 9 days from this number{told}"]


def test_a_visit_after_the_last_call_that_counts_says_none(room: Room) -> None:
    """Seen from a call with a sign: the silent ones ended with the visit."""
    mair = person(room, "Mair", MINE)
    for days in (9, 3):
        silent(room, MINE, days)
    visited(room, mair, 1)
    now = room.waiting("55", number=MINE)
    [told] = sentences(room, now)
    assert told.endswith(", none since the visit on 2026-12-21")


def test_the_latest_visit_that_took_place_counts_in_a_household(room: Room) -> None:
    """Nobody in is no visit; the other's visit counts where their calls are counted together."""
    mair = person(room, "Mair", MINE, at="home")
    ceri = person(room, "Ceri", NEIGHBOUR, at="home")
    calls = [silent(room, number, days) for number, days in ((NEIGHBOUR, 4), (MINE, 3), (MINE, 0))]
    visited(room, mair, 2)
    visited(room, mair, 1, "not_in")
    visited(room, ceri, 1)
    assert sentences(room, calls[-1]) == [
        "2 silent calls in 3 days from this number, 1 since the visit on 2026-12-20",
        "3 silent calls in 4 days from people at one address, 1 since the visit on 2026-12-21",
    ]
