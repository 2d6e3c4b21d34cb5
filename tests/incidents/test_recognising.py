"""A call from a known person's number: who is told, once, and that they have seen it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from incidents.audit import Audit
from incidents.store import NoSuchIncident
from incidents.tables import events
from incidents.told_calls import ToldCalls
from incidents.transactions import reading
from incidents.work import Work
from tests.incidents.making import KEYS, NOW, Caller, Machine, after
from tests.incidents.officers import TODAY, Office, owns


@pytest.fixture
def office(machine: Machine) -> Office:
    """A team over each kind of store."""
    return Office(machine.store)


@pytest.fixture
def mair(office: Office) -> str:
    """A repeat victim with a number, cara as SPOC and dan as deputy."""
    person = office.victim()
    owns(office, person)
    office.assign(person, "cara", "dan")
    return person


@pytest.fixture
def told(machine: Machine) -> ToldCalls:
    """The calls officers are told of."""
    return ToldCalls(machine.store, KEYS, Audit(machine.store.engine, KEYS))


def came(machine: Machine, **facts: object) -> Caller:
    """Have a caller press 55 and the engine copy it."""
    caller = Caller(**facts)  # type: ignore[arg-type]
    machine.drained(caller.arrives(), caller.presses("55"))
    return caller


def test_a_call_of_a_repeat_victim_tells_their_spoc(
    machine: Machine, office: Office, mair: str, told: ToldCalls
) -> None:
    """The incident says whom, the timeline too, and the live feed carries it."""
    caller = came(machine)
    incident = machine.incident(caller)
    assert (incident.people, incident.contacts) == ((mair,), ("cara",))
    assert Work.of(incident).as_json()["contacts"] == ["cara"]
    entries = machine.store.timeline(caller.reference)
    assert [one.data for one in entries if one.kind == "person_matched"] == [
        {"officers": ["cara"], "how": "number"}
    ]
    (call,) = told.of("cara", after(60))
    assert (call.incident.reference, call.people, call.seen) == (
        *(caller.reference, ((mair, "Mair Example"),)),
        False,
    )
    assert told.of("dan", after(60)) == ()


def test_the_urgency_does_not_change_by_it(machine: Machine, office: Office, mair: str) -> None:
    """Somebody known is no higher and no lower than anybody else: markers raise."""
    known, other = came(machine), came(machine, number="+447700900999")
    told = [machine.incident(one) for one in (known, other)]
    assert told[0].urgency == told[1].urgency
    assert told[0].reasons == told[1].reasons


def test_who_covers_is_told_besides_the_spoc_who_is_away(
    machine: Machine, office: Office, mair: str
) -> None:
    """On the local day on which the call came."""
    office.away("cara", "erin")
    assert machine.incident(came(machine)).contacts == ("cara", "erin")
    tomorrow = came(machine, began=NOW + timedelta(days=1))
    assert machine.incident(tomorrow).contacts == ("cara",)


def test_the_day_of_a_call_is_the_local_one(machine: Machine, office: Office) -> None:
    """Half past midnight in June is the evening before in UTC."""
    person = office.victim()
    owns(office, person)
    june = NOW.replace(month=6, hour=23, minute=30)
    day = june.date() + timedelta(days=1)
    office.away("cara", "erin", first=day, last=day)
    office.assign(person, "cara", "erin", day=june.date())
    assert machine.incident(came(machine, began=june)).contacts == ("cara", "erin")


def test_a_repeat_victim_nobody_stands_for_is_named_all_the_same(
    machine: Machine, office: Office
) -> None:
    """And the timeline says that there is nobody to tell."""
    person = office.victim()
    owns(office, person)
    caller = came(machine)
    incident = machine.incident(caller)
    assert (incident.people, incident.contacts) == ((person,), ())


def test_somebody_who_is_no_repeat_victim_and_has_no_spoc_is_no_match(
    machine: Machine, office: Office
) -> None:
    """With a SPOC they are: somebody decided that."""
    person = office.victim(repeat=False)
    owns(office, person)
    assert machine.incident(came(machine)).people == ()
    office.assign(person, "cara")
    assert machine.incident(came(machine)).contacts == ("cara",)


def test_two_people_of_one_number_tell_both_their_spocs(
    machine: Machine, office: Office, mair: str, told: ToldCalls
) -> None:
    """Two rows of one person are one; calls from other numbers and withheld ones tell nobody."""
    ann, also = office.victim("Ann One"), office.victim("Mair Exampel")
    for one in (ann, also):
        owns(office, one)
    office.merge(mair, also)
    office.assign(ann, "erin")
    incident = machine.incident(came(machine))
    assert (incident.people, incident.contacts) == (tuple(sorted((ann, mair))), ("cara", "erin"))
    assert machine.incident(came(machine, number="+447700900999")).people == ()
    assert machine.incident(came(machine, number=None, withheld=True)).people == ()
    assert machine.incident(came(machine, purpose="proof")).people == ()


def test_what_comes_later_of_a_call_matches_nobody_again(
    machine: Machine, office: Office, mair: str
) -> None:
    """Who was told stays told, although the point of contact changed hands meanwhile."""
    caller = came(machine)
    office.assign(mair, "erin", "dan", "hand-over", now=after(30))
    machine.drained(caller.hangs_up())
    assert machine.incident(caller).contacts == ("cara",)
    with reading(machine.store.engine) as connection:
        count = select(func.count()).where(events.c.kind == "person_matched")
        assert connection.scalar(count) == 1


def test_whoever_types_their_code_on_any_phone_tells_their_spoc(
    machine: Machine, office: Office, mair: str
) -> None:
    """The phone says whose code it was, in an event after the call's first."""
    caller = Caller(number="+447700900777")
    typed = caller.event("code_typed", 1, line="contact", person=mair, how="code", next="reach")
    arrives = caller.event("call_arrived", 0, line="contact", stage="new", next="code")
    machine.drained(arrives)
    assert machine.incident(caller).contacts == ()
    silent = caller.event("nothing_heard", 2, line="contact", person=mair, how="code")
    machine.drained(typed, silent)
    incident = machine.incident(caller)
    assert (incident.people, incident.contacts) == ((mair,), ("cara",))
    entries = machine.store.timeline(caller.reference)
    told = [one.data for one in entries if one.kind == "person_matched"]
    assert told == [{"officers": ["cara"], "how": "code"}]


def test_whoever_is_known_by_number_and_code_is_told_of_once(
    machine: Machine, office: Office, mair: str
) -> None:
    """Both in one batch, and the code alone later."""
    caller = Caller()
    arrives = caller.event("call_arrived", 0, line="contact", stage="new", next="code")
    typed = caller.event("nothing_heard", 1, line="contact", person=mair, how="number")
    machine.drained(arrives, typed)
    machine.drained(caller.event("nothing_heard", 2, line="contact", person=mair, how="code"))
    entries = machine.store.timeline(caller.reference)
    told = [one.data["how"] for one in entries if one.kind == "person_matched"]
    assert told == ["number"]


def test_a_drain_that_dies_and_starts_again_tells_once(
    machine: Machine, office: Office, mair: str
) -> None:
    """The event has a key of its own: the same call and person give the same key."""
    caller = Caller()
    machine.drained(caller.arrives())
    machine.drained(caller.arrives(), caller.presses("55"))
    with reading(machine.store.engine) as connection:
        count = select(func.count()).where(events.c.kind == "person_matched")
        assert connection.scalar(count) == 1
    assert machine.incident(caller).contacts == ("cara",)


def test_an_officer_sees_a_call_once_and_it_stands_on_the_timeline(
    machine: Machine, office: Office, mair: str, told: ToldCalls
) -> None:
    """Whoever was not told of it cannot have seen it; nobody else's notice goes by it."""
    office.away("cara", "erin")
    caller = came(machine)
    before = machine.store.revision()
    assert told.see(caller.reference, by="cara", now=after(9)) == "now"
    assert machine.store.revision() == before + 1
    assert told.see(caller.reference, by="cara", now=after(10)) == "before"
    assert machine.store.revision() == before + 1
    assert told.see(caller.reference, by="dan", now=after(10)) == "not told"
    entries = [
        one for one in machine.store.timeline(caller.reference) if one.kind == "contact_seen"
    ]
    assert [(one.data, one.at) for one in entries] == [({"by": "cara"}, after(9))]
    assert [one.seen for one in told.of("cara", after(60))] == [True]
    assert [one.seen for one in told.of("erin", after(60))] == [False]
    with pytest.raises(NoSuchIncident):
        told.see("QL-7K3M-9F2X-HC4", by="cara", now=after(9))


def test_calls_are_told_of_for_seven_days_the_newest_first(
    machine: Machine, office: Office, told: ToldCalls
) -> None:
    """Older ones are found by search."""
    person = office.victim()
    owns(office, person)
    office.assign(person, "cara", "erin", day=TODAY - timedelta(days=20))
    calls = [came(machine, began=NOW - timedelta(days=days)) for days in (8, 1, 3)]
    shown = [one.incident.reference for one in told.of("cara", NOW)]
    assert shown == [calls[1].reference, calls[2].reference]
