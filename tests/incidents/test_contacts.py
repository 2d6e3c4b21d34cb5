"""Points of contact: appointed, handed over, ended; who stands for whom is never lost."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from incidents.contacts import Held
from incidents.persons import NoSuchPerson
from incidents.store import Store
from incidents.tables import audit, contacts
from incidents.working import Conflict, Unfit
from tests.incidents.making import NOW, after
from tests.incidents.officers import TODAY, Office, told

TOMORROW = TODAY + timedelta(days=1)
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def office(store: Store) -> Office:
    """A team over each kind of store."""
    return Office(store)


def lines(held: tuple[Held, ...]) -> list[tuple[str, str, object, object, str]]:
    """History, short."""
    return [(one.officer, one.part, one.from_day, one.to_day, one.ended_why) for one in held]


def test_a_person_has_the_spoc_and_the_deputy_they_were_given(office: Office) -> None:
    """From that very day on, and not before it."""
    mair = office.victim()
    assert told(office.standing(mair)) == ([], [], "nobody")
    office.assign(mair, "cara", "dan")
    assert told(office.standing(mair)) == (["cara"], ["dan"], "cara: SPOC")
    assert told(office.standing(mair, YESTERDAY)) == ([], [], "nobody")


def test_a_hand_over_keeps_who_stood_there_before_and_why_it_changed(office: Office) -> None:
    """The old SPOC's last day is the day before; the deputy stays as he was."""
    mair = office.victim()
    office.assign(mair, "cara", "dan", "first visit")
    office.assign(mair, "erin", "dan", "cara moves to Carlisle", day=TOMORROW, now=after(86_400))
    assert told(office.standing(mair)) == (["cara"], ["dan"], "cara: SPOC")
    assert told(office.standing(mair, TOMORROW)) == (["erin"], ["dan"], "erin: SPOC")
    assert lines(office.contacts.history(mair)) == [
        ("erin", "spoc", TOMORROW, None, ""),
        ("cara", "spoc", TODAY, TODAY, "cara moves to Carlisle"),
        ("dan", "deputy", TODAY, None, ""),
    ]
    last = office.contacts.history(mair)[1]
    assert (last.why, last.by) == ("first visit", "sue")
    assert (last.ended_by, last.ended_at) == ("sue", after(86_400))


def test_a_hand_over_on_the_day_it_began_leaves_one_spoc_and_both_rows(office: Office) -> None:
    """Whoever was appointed by mistake stood there on no day, and it can still be read."""
    mair = office.victim()
    office.assign(mair, "cara")
    office.assign(mair, "dan", "", "the wrong officer was chosen", now=after(60))
    assert told(office.standing(mair)) == (["dan"], [], "dan: SPOC")
    assert lines(office.contacts.history(mair)) == [
        ("dan", "spoc", TODAY, None, ""),
        ("cara", "spoc", TODAY, YESTERDAY, "the wrong officer was chosen"),
    ]


FOURTH = TODAY + timedelta(days=13)
"""The first working day of the officer who takes over."""


def test_a_hand_over_can_be_planned_for_a_later_day(office: Office) -> None:
    """Until that day it stays as it is; from it on nothing has to be done for it to hold."""
    mair = office.victim()
    office.assign(mair, "cara", "dan")
    office.assign(mair, "erin", "dan", "cara moves", starts=FOURTH, now=after(60))
    assert told(office.standing(mair, FOURTH - timedelta(days=1))) == (
        ["cara"],
        ["dan"],
        "cara: SPOC",
    )
    assert told(office.standing(mair, FOURTH)) == (["erin"], ["dan"], "erin: SPOC")
    (coming,) = office.contacts.coming(mair, TODAY)
    assert (coming.day, *told(coming)[:2]) == (FOURTH, ["erin"], ["dan"])
    assert office.contacts.coming(mair, FOURTH) == ()
    assert lines(office.contacts.history(mair))[:2] == [
        ("erin", "spoc", FOURTH, None, ""),
        ("cara", "spoc", TODAY, FOURTH - timedelta(days=1), "cara moves"),
    ]
    office.assign(mair, "dan", "", "erin is ill", day=FOURTH, now=after(86_400 * 13))
    assert told(office.standing(mair, FOURTH)) == (["dan"], [], "dan: SPOC")


def test_the_first_spoc_can_be_appointed_for_a_later_day(office: Office) -> None:
    """Until then nobody is it, and the person stands on the supervisors' list."""
    mair = office.victim()
    office.assign(mair, "cara", starts=FOURTH)
    assert [one.fault for one in office.lists.to_mend(TODAY).shown] == ["no_spoc"]
    assert told(office.standing(mair, FOURTH)) == (["cara"], [], "cara: SPOC")


def test_what_is_planned_is_taken_back_before_anything_else_changes(office: Office) -> None:
    """Two plans could contradict each other. Taken back, who stands there stays without an end."""
    mair = office.victim()
    office.assign(mair, "cara", "dan")
    office.assign(mair, "erin", "", "cara moves", starts=FOURTH, now=after(60))
    for day in (TODAY, FOURTH - timedelta(days=1)):
        with pytest.raises(Conflict, match="A change from 4 Jan 2027 on is planned"):
            office.assign(mair, "dan", "", "at once", day=day)
        with pytest.raises(Conflict, match="take it back first"):
            office.contacts.end(mair, "moved", by="sue", now=after(61), day=day)
    take_back = office.contacts.take_back
    with pytest.raises(Unfit) as refused:
        take_back(mair, " ", by="sue", now=after(62), day=TODAY)
    assert refused.value.field == "reason"
    take_back(mair, "cara stays after all", by="sue", now=after(63), day=TODAY)
    assert office.contacts.coming(mair, TODAY) == ()
    assert told(office.standing(mair, FOURTH)) == (["cara"], ["dan"], "cara: SPOC")
    planned, *rest = office.contacts.history(mair)
    assert (planned.officer, planned.taken_back, planned.ended_why) == (
        "erin",
        True,
        "cara stays after all",
    )
    for one in rest:
        assert [(back.by, back.at, back.why) for back in one.kept] == [
            ("sue", after(63), "cara stays after all")
        ]
    assert [(one.officer, one.to_day, one.taken_back) for one in rest] == [
        ("cara", None, False),
        ("dan", None, False),
    ]
    with pytest.raises(Conflict, match="Nothing is planned"):
        take_back(mair, "again", by="sue", now=after(64), day=TODAY)
    office.assign(mair, "dan", "", "at once", now=after(65))
    assert told(office.standing(mair)) == (["dan"], [], "dan: SPOC")


@pytest.mark.parametrize("days", [-1, 367])
def test_a_hand_over_starts_today_or_within_a_year(office: Office, days: int) -> None:
    """What has been cannot be changed."""
    mair = office.victim()
    with pytest.raises(Unfit) as refused:
        office.assign(mair, "cara", starts=TODAY + timedelta(days=days))
    assert refused.value.field == "starts"


def test_spoc_and_deputy_change_places_in_one_step(office: Office) -> None:
    """At no moment is one officer both."""
    mair = office.victim()
    office.assign(mair, "cara", "dan")
    office.assign(mair, "dan", "cara", "dan knows the family")
    assert told(office.standing(mair)) == (["dan"], ["cara"], "dan: SPOC")


def test_a_point_of_contact_ends_with_a_reason(office: Office) -> None:
    """Nobody is it any more, and the history says why."""
    mair = office.victim()
    office.assign(mair, "cara", "dan")
    office.contacts.end(mair, "moved to Wales", by="sue", now=after(9), day=TOMORROW)
    assert told(office.standing(mair, TOMORROW)) == ([], [], "nobody")
    assert {one.ended_why for one in office.contacts.history(mair)} == {"moved to Wales"}
    with pytest.raises(Conflict, match="Nobody is this person's point of contact"):
        office.contacts.end(mair, "again", by="sue", now=after(10), day=TOMORROW)


@pytest.mark.parametrize(
    ("spoc", "deputy", "reason", "field"),
    [
        ("anna", "", "why", "spoc"),  # a handler
        ("olga", "", "why", "spoc"),  # an auditor
        ("nobody", "", "why", "spoc"),
        ("", "dan", "why", "spoc"),
        ("erin", "anna", "why", "deputy"),
        ("erin", "erin", "why", "deputy"),
        ("cara", "dan", "why", "spoc"),  # as it is already
        ("erin", "dan", "", "reason"),
        ("cara", "", " ", "reason"),  # the deputy goes: that is a change of hands too
        ("erin", "dan", "x" * 501, "reason"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(
    office: Office, spoc: str, deputy: str, reason: str, field: str
) -> None:
    """Each refusal names its field."""
    mair = office.victim()
    office.assign(mair, "cara", "dan")
    with pytest.raises(Unfit) as refused:
        office.assign(mair, spoc, deputy, reason, day=TOMORROW)
    assert refused.value.field == field
    assert told(office.standing(mair, TOMORROW)) == (["cara"], ["dan"], "cara: SPOC")


def test_who_has_left_can_be_given_nobody(office: Office) -> None:
    """A supervisor can be a SPOC, somebody whose account is ended cannot."""
    mair = office.victim()
    office.leaves("dan")
    with pytest.raises(Unfit):
        office.assign(mair, "dan")
    office.assign(mair, "sue", "erin")
    assert office.contacts.officers() == ("cara", "erin", "sue")


def test_nobody_on_record_cannot_be_given_a_spoc(office: Office) -> None:
    """Nor be asked about."""
    with pytest.raises(NoSuchPerson):
        office.assign("nobody", "cara")
    with pytest.raises(NoSuchPerson):
        office.standing("nobody")
    with pytest.raises(NoSuchPerson):
        office.contacts.history("nobody")


def test_two_people_who_were_merged_bring_two_spocs_until_it_is_mended(office: Office) -> None:
    """Both are shown, the latest acts, and one form leaves one of them."""
    mair, also = office.victim(), office.victim("Mair Exampel")
    office.assign(also, "dan", "cara")
    office.assign(mair, "cara", "erin", day=TOMORROW)
    office.merge(mair, also)
    both = (["cara", "dan"], ["erin", "cara"], "cara: SPOC")
    assert told(office.standing(also, TOMORROW)) == both
    office.assign(also, "cara", "erin", "merged", day=TOMORROW)
    assert told(office.standing(mair, TOMORROW)) == (["cara"], ["erin"], "cara: SPOC")


def test_one_officer_whom_a_merge_brings_twice_is_shown_once(office: Office) -> None:
    """And stands once after the next change."""
    mair, also = office.victim(), office.victim("Mair Exampel")
    office.assign(mair, "cara")
    office.assign(also, "cara")
    office.merge(mair, also)
    assert told(office.standing(mair)) == (["cara"], [], "cara: SPOC")
    office.assign(mair, "cara", "dan", "merged")
    open_rows = [one for one in office.contacts.history(mair) if one.to_day is None]
    assert sorted((one.officer, one.part) for one in open_rows) == [
        ("cara", "spoc"),
        ("dan", "deputy"),
    ]


def test_a_form_from_before_somebody_elses_change_is_refused(office: Office) -> None:
    """The second supervisor sees who stands there now instead of undoing it unseen."""
    mair = office.victim()
    office.assign(mair, "cara")
    with pytest.raises(Conflict, match="since your page was loaded"):
        office.contacts.assign(mair, "dan", by="sue", now=NOW, day=TODAY, seen=())
    seen = office.standing(mair).ids
    office.contacts.assign(mair, "dan", "", "why", by="sue", now=NOW, day=TODAY, seen=seen)
    assert told(office.standing(mair)) == (["dan"], [], "dan: SPOC")


def test_every_change_is_in_the_audit_and_its_reason_is_sealed(office: Office) -> None:
    """The log names the record, and neither table holds a reason in the clear."""
    mair = office.victim()
    office.assign(mair, "cara")
    office.assign(mair, "dan", "", "cara knows her husband", now=after(5))
    office.contacts.end(mair, "her husband moved", by="sue", now=after(9), day=TODAY)
    logged = [row for row in office.rows(audit) if "point of contact" in str(row)]
    assert [(row.what, row.record) for row in logged] == [  # type: ignore[attr-defined]
        ("appointed a point of contact", mair),
        ("handed a point of contact over", mair),
        ("ended a point of contact", mair),
    ]
    assert "husband" not in repr([*office.rows(contacts), *logged])


def test_of_many_who_appoint_somebody_at_once_exactly_one_does(office: Office) -> None:
    """Whichever database: the others are told that it changed, and there is one SPOC."""
    for race in range(10):
        person = office.victim(f"Person {race}")
        start, won, lost = threading.Barrier(6), list[str](), list[str]()

        def appoint(
            name: str,
            person: str = person,
            start: threading.Barrier = start,
            won: list[str] = won,
            lost: list[str] = lost,
        ) -> None:
            start.wait(10)
            try:
                office.contacts.assign(person, name, by=name, now=NOW, day=TODAY, seen=())
                won.append(name)
            except Conflict as conflict:
                lost.append(str(conflict))

        names = ["cara", "dan", "erin", "sue", "cara", "dan"]
        threads = [threading.Thread(target=appoint, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert (len(won), len(lost)) == (1, 5)
        assert told(office.standing(person))[0] == won
        assert len(office.contacts.history(person)) == 1


def test_a_hand_over_that_meets_a_merge_leaves_one_spoc(office: Office) -> None:
    """Whichever comes first: the form of the row that was merged away changes the person."""
    for race in range(10):
        kept, merged = office.victim(f"Kept {race}"), office.victim(f"Merged {race}")
        office.assign(merged, "cara")
        start = threading.Barrier(2)

        def merge(kept: str = kept, merged: str = merged, start: threading.Barrier = start) -> None:
            start.wait(10)
            office.merge(kept, merged)

        thread = threading.Thread(target=merge)
        thread.start()
        start.wait(10)
        office.assign(merged, "dan", "", "cara leaves")
        thread.join(30)
        assert told(office.standing(kept))[0] == ["dan"]
