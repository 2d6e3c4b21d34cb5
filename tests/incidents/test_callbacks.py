"""Calling a known person back: who may, when, in two steps, and what is kept of it (rule 7)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from incidents.callback_checks import BARRED, NO_PHONE
from incidents.persons import Facts, NoSuchPerson
from incidents.safe_contact import NEVER, SafeContact
from incidents.store import Store
from incidents.tables import audit, people
from incidents.transactions import reading, writing
from incidents.working import Actor, Conflict, Unfit
from tests.incidents.calling_back import CARA, LINE, PHONES, SAFE, SUE, THEIRS, Office
from tests.incidents.making import NOW, Caller, Machine

EVENING = SafeContact("safe", "Tuesdays 17:00-19:00")
MORNING = SafeContact("safe", "weekdays 09:00-12:00")


@pytest.fixture
def office(store: Store) -> Office:
    """A site with two officers."""
    return Office(store).officers()


def test_only_the_officers_own_phone_is_rung(office: Office) -> None:
    """From our line; the person's number travels sealed in what is fetched then."""
    office.started()
    ((to, shown, path),) = office.rings.rung
    assert (to, shown) == (PHONES["cara"], LINE)
    assert THEIRS not in path
    order = office.order()
    assert (order.what, order.to, order.shown, order.name) == ("callback", THEIRS, LINE, "cara")


def test_nobody_is_rung_before_it_is_confirmed(office: Office) -> None:
    """Two steps: asking shows what will happen and rings nobody."""
    office.asked()
    assert office.rings.rung == []


@pytest.mark.parametrize(
    ("contact", "because"),
    [
        (SafeContact(), "not marked safe"),
        (SafeContact("safe"), "No safe hour is on record"),
        (SafeContact("safe", "when he is out"), "cannot be read by the clock"),
        (MORNING, "it is Tuesday 18:03 GMT"),
        (SafeContact("never", "any time"), "Never call"),
    ],
)
def test_a_number_or_an_hour_that_is_not_safe_takes_a_supervisor_with_a_reason(
    office: Office, contact: SafeContact, because: str
) -> None:
    """An officer is refused, whatever they say; a supervisor too, without a reason."""
    person, number = office.person(contact)
    for by, reason in ((CARA, "I think it is fine"), (SUE, "  ")):
        with pytest.raises(Unfit, match=because):
            office.callbacks.ask(person, number, reason, by=by, now=NOW)
    id_ = office.callbacks.ask(person, number, "Threat to life", by=SUE, now=NOW)
    office.start(id_, by=SUE)
    found = office.callbacks.one(id_)
    assert found.sealed.reason == "Threat to life"
    assert because in found.sealed.override
    assert [to for to, _, _ in office.rings.rung] == [PHONES["sue"]]


def test_the_override_stands_in_the_audit_with_its_reason(office: Office) -> None:
    """A mark never to call is named loudly; the reason is sealed."""
    office.asked(SafeContact("never"), by=SUE, reason="Threat to life")
    with reading(office.store.engine) as connection:
        rows = connection.scalars(select(audit.c.what)).all()
    assert "asked for a call-back to a number marked never to be called" in rows


def test_the_order_is_good_no_longer_than_the_safe_hour(office: Office) -> None:
    """The officer may press 1 minutes later: whoever comes home at five past must not answer."""
    office.start(office.asked(SafeContact("safe", "Tuesdays 17:00-18:05")))
    assert office.order().until == "2026-12-22T18:05:00.000Z"


def test_a_supervisors_reason_stands_against_the_hour_also_as_it_ends(office: Office) -> None:
    """Nothing but the age of the order bounds it then."""
    office.start(office.asked(MORNING, by=SUE, reason="Threat to life"), by=SUE)
    assert office.order().until == ""


def test_a_safe_hour_needs_no_reason(office: Office) -> None:
    """And none is kept."""
    id_ = office.asked(EVENING)
    assert office.callbacks.one(id_).sealed.override == ""


def test_a_mark_for_one_who_has_the_number_holds_for_all(office: Office) -> None:
    """The number is safe for Ada; for somebody else who has it, it must never be called."""
    person, number = office.person(SAFE)
    other, _ = office.person(SafeContact("never"), name="Bea Example")
    assert other != person
    with pytest.raises(Unfit, match="Never call"):
        office.callbacks.ask(person, number, "", by=CARA, now=NOW)


def test_who_is_never_to_be_called_is_so_on_every_number(office: Office) -> None:
    """The person's own mark."""
    person, number = office.person(SAFE, facts=Facts(never_call=True))
    with pytest.raises(Unfit, match="Never call"):
        office.callbacks.ask(person, number, "", by=CARA, now=NOW)
    _, (found,) = office.callbacks.numbers(person, NOW)
    assert (found.never, found.problem) == (True, NEVER)


def test_the_last_word_on_a_number_stands(office: Office) -> None:
    """Safe once, and not any more."""
    person, number = office.person(SAFE)
    office.number(person, SafeContact("unknown"), at=NOW + timedelta(seconds=1))
    with pytest.raises(Unfit, match="not marked safe"):
        office.callbacks.ask(person, number, "", by=CARA, now=NOW)


@pytest.mark.parametrize("number", ["+44999", "+44112", "+1911"])
def test_an_emergency_number_is_never_called(office: Office, number: str) -> None:
    """Whoever orders it, and for whatever reason."""
    person, row = office.person(SAFE, number=number)
    with pytest.raises(Unfit, match=BARRED):
        office.callbacks.ask(person, row, "Threat to life", by=SUE, now=NOW)


def test_somebody_elses_number_is_not_called(office: Office) -> None:
    """Only a number of the person themselves."""
    person, _ = office.person(SAFE)
    _, other = office.person(SAFE, number="+447700900124", name="Bea Example")
    with pytest.raises(Unfit, match="one of this person's"):
        office.callbacks.ask(person, other, "", by=CARA, now=NOW)


def test_an_officer_without_a_phone_is_told_so(office: Office) -> None:
    """Theirs is rung first."""
    office.officer("dan", None)
    person, number = office.person(SAFE)
    with pytest.raises(Unfit, match=NO_PHONE[:30]):
        office.callbacks.ask(person, number, "", by=Actor("dan", "handler"), now=NOW)


def test_who_was_erased_is_not_called(office: Office) -> None:
    """Nor shown."""
    person, number = office.person(SAFE)
    with writing(office.store.engine) as connection:
        connection.execute(update(people).where(people.c.id == person).values(erased_at=NOW))
    with pytest.raises(NoSuchPerson):
        office.callbacks.ask(person, number, "", by=CARA, now=NOW)


def test_the_token_is_good_once(office: Office) -> None:
    """A form sent twice rings one phone once."""
    id_ = office.asked()
    token = office.callbacks.one(id_).sealed.token
    office.callbacks.start(id_, token, by=CARA, now=NOW)
    with pytest.raises(Conflict, match="confirmed before"):
        office.callbacks.start(id_, token, by=CARA, now=NOW)
    assert len(office.rings.rung) == 1


@pytest.mark.parametrize("token", ["", "x", "é"])
def test_a_wrong_token_rings_nobody(office: Office, token: str) -> None:
    """Nor does one of another page."""
    id_ = office.asked()
    with pytest.raises(Conflict):
        office.callbacks.start(id_, token, by=CARA, now=NOW)
    assert office.rings.rung == []


def test_a_page_that_was_open_for_too_long_rings_nobody(office: Office) -> None:
    """What was safe then may not be now."""
    id_ = office.asked()
    with pytest.raises(Conflict, match="too long"):
        office.start(id_, now=NOW + timedelta(minutes=5, seconds=1))
    assert office.rings.rung == []


def test_nobody_confirms_for_somebody_else(office: Office) -> None:
    """The phone that rings is that of whoever decided."""
    id_ = office.asked()
    with pytest.raises(Conflict, match="cara's call-back"):
        office.start(id_, by=SUE)
    assert office.rings.rung == []


def test_what_is_safe_no_longer_rings_nobody(office: Office) -> None:
    """Somebody marks the number while the page is open."""
    person, number = office.person(SAFE)
    id_ = office.callbacks.ask(person, number, "", by=CARA, now=NOW)
    office.number(person, SafeContact("never"), at=NOW + timedelta(seconds=1))
    with pytest.raises(Conflict, match="Never call"):
        office.start(id_)
    assert office.rings.rung == []


def test_a_reason_against_an_hour_is_none_against_a_mark(office: Office) -> None:
    """A supervisor who overrode the hour is asked again when the number is marked meanwhile."""
    person, number = office.person(MORNING)
    id_ = office.callbacks.ask(person, number, "Threat to life", by=SUE, now=NOW)
    office.number(person, SafeContact("never"), at=NOW + timedelta(seconds=1))
    with pytest.raises(Conflict, match="Never call"):
        office.start(id_, by=SUE)


def test_two_officers_do_not_ring_one_number_at_once(office: Office) -> None:
    """The second is told who has it; once that is finished they may."""
    person, number = office.person(SAFE)
    first = office.callbacks.ask(person, number, "", by=CARA, now=NOW)
    second = office.callbacks.ask(person, number, "", by=SUE, now=NOW)
    office.start(first)
    with pytest.raises(Conflict, match="cara is calling this number"):
        office.start(second, by=SUE)
    office.callbacks.finish(first, "no_answer", "", by=CARA, now=NOW)
    office.start(second, by=SUE)
    assert [to for to, _, _ in office.rings.rung] == [PHONES["cara"], PHONES["sue"]]


def test_in_training_nobody_is_rung(store: Store) -> None:
    """It says so, and is finished like any other."""
    office = Office(store, training=True).officers()
    id_ = office.started()
    assert office.rings.rung == []
    assert office.callbacks.one(id_).sealed.training


def test_a_call_of_training_rings_nobody_on_a_live_site(office: Office, tmp_path: Path) -> None:
    """The incident's purpose counts, not the site's alone."""
    caller = Caller(purpose="training")
    Machine(tmp_path / "data", office.store).drained(caller.arrives())
    person, number = office.person(SAFE)
    id_ = office.callbacks.ask(person, number, "", by=CARA, now=NOW, reference=caller.reference)
    office.start(id_)
    assert office.rings.rung == []


def test_a_phone_that_cannot_be_rung_is_told(office: Office) -> None:
    """It has failed, and nobody was rung: no result is asked for."""
    office.rings.refuses = True
    id_ = office.started()
    found = office.callbacks.one(id_)
    assert (found.state, found.sealed.problem) == ("failed", "Twilio answered 503, 4 times")
    assert office.callbacks.open_of("cara") == []


def test_it_stands_on_the_officers_day_until_it_has_a_result(office: Office) -> None:
    """Nothing ends unseen."""
    id_ = office.started()
    assert [one.id for one in office.callbacks.open_of("cara")] == [id_]
    with pytest.raises(Unfit, match="cannot be finished without"):
        office.callbacks.finish(id_, "", "", by=CARA, now=NOW)
    office.callbacks.finish(id_, "no_answer", "Rang out", by=CARA, now=NOW)
    assert office.callbacks.open_of("cara") == []
    (found,) = office.callbacks.of_person(office.callbacks.one(id_).person_id)
    assert (found.state, found.outcome, found.sealed.said) == ("finished", "no_answer", "Rang out")


def test_spoken_to_takes_that_the_person_said_who_they_are(office: Office) -> None:
    """And that it is safe: both are ticked first."""
    id_ = office.started()
    with pytest.raises(Unfit, match="First tick"):
        office.callbacks.finish(id_, "spoken_safe", "", by=CARA, now=NOW)
    for who, safe, field in ((False, True, "who"), (True, False, "safe")):
        with pytest.raises(Unfit) as refused:
            office.callbacks.confirm(id_, who=who, safe=safe, by=CARA, now=NOW)
        assert refused.value.field == field
    office.callbacks.confirm(id_, who=True, safe=True, by=CARA, now=NOW)
    office.callbacks.finish(id_, "spoken_safe", "", by=CARA, now=NOW)
    assert office.callbacks.one(id_).confirmed


def test_what_is_finished_stays_as_it_is(office: Office) -> None:
    """Nothing is written over."""
    id_ = office.started()
    office.callbacks.finish(id_, "no_answer", "", by=CARA, now=NOW)
    with pytest.raises(Conflict, match="finished already"):
        office.callbacks.finish(id_, "machine", "", by=CARA, now=NOW)
    with pytest.raises(Conflict, match="finished already"):
        office.callbacks.confirm(id_, who=True, safe=True, by=CARA, now=NOW)


def test_the_call_it_comes_from_tells_it(office: Office, tmp_path: Path) -> None:
    """Asked, started and a wrong voice, each once, with the words of the result."""
    caller = Caller()
    machine = Machine(tmp_path / "data", office.store)
    machine.drained(caller.arrives())
    before = office.store.incident(caller.reference)
    person, number = office.person(SAFE)
    id_ = office.callbacks.ask(person, number, "", by=CARA, now=NOW, reference=caller.reference)
    office.start(id_)
    office.callbacks.finish(id_, "wrong_voice", "A man", by=CARA, now=NOW)
    told = [
        (one.kind, one.data.get("result"))
        for one in office.store.timeline(caller.reference)
        if "callback" in one.data
    ]
    assert told == [
        ("callback_asked", None),
        ("callback_started", None),
        ("wrong_voice", "Wrong voice: somebody else answered"),
    ]
    assert office.store.incident(caller.reference) == before
    assert office.callbacks.one(id_).reference == caller.reference


def test_who_else_may_answer_is_named(office: Office) -> None:
    """Whoever has the number too."""
    person, number = office.person(SAFE)
    office.person(SAFE, name="Bob Example")
    id_ = office.callbacks.ask(person, number, "", by=CARA, now=NOW)
    found, answering = office.callbacks.whom(office.callbacks.one(id_))
    assert found is not None
    assert (found.name, answering.owners) == ("Ada Example", ("Bob Example",))
