"""Who acts for a person today: the SPOC, their cover, the deputy, the deputy's cover, nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incidents.absences import NoSuchAbsence
from incidents.contact_lists import Load
from incidents.families import families
from incidents.store import Store
from incidents.tables import follow_ups, users
from incidents.transactions import reading, writing
from incidents.working import Conflict, Unfit
from tests.incidents.making import NOW, after
from tests.incidents.officers import TODAY, Office, told

TOMORROW = TODAY + timedelta(days=1)
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def office(store: Store) -> Office:
    """A team over each kind of store."""
    return Office(store)


@pytest.fixture
def mair(office: Office) -> str:
    """A repeat victim whose SPOC is cara and whose deputy is dan."""
    person = office.victim()
    office.assign(person, "cara", "dan", day=TODAY - timedelta(days=9))
    return person


@pytest.mark.parametrize(
    ("away", "acts"),
    [
        ([], "cara: SPOC"),
        ([("cara", "erin")], "erin: covers for cara"),
        ([("cara", "")], "dan: deputy"),
        ([("cara", "erin"), ("erin", "")], "dan: deputy"),
        ([("cara", "erin"), ("erin", "sue")], "dan: deputy"),  # a cover's cover is nobody's
        ([("cara", "dan")], "dan: covers for cara"),
        ([("cara", ""), ("dan", "erin")], "erin: covers for dan"),
        ([("cara", "dan"), ("dan", "erin")], "erin: covers for dan"),
        ([("cara", ""), ("dan", "")], "nobody"),
        ([("cara", "dan"), ("dan", "cara")], "nobody"),
        ([("cara", ""), ("cara", "erin")], "erin: covers for cara"),  # absences overlap
        ([("cara", "sue"), ("cara", "erin")], "erin: covers for cara"),  # the latest word counts
        ([("cara", "sue"), ("cara", "erin"), ("erin", "")], "sue: covers for cara"),
        ([("dan", "erin")], "cara: SPOC"),
    ],
)
def test_the_first_who_can_acts(
    office: Office, mair: str, away: list[tuple[str, str]], acts: str
) -> None:
    """In the order of the decision record."""
    for number, (name, cover) in enumerate(away):
        office.absences.enter(name, TODAY, TODAY, cover, by=name, now=after(number), day=TODAY)
    assert told(office.standing(mair))[2] == acts


def test_everybody_who_can_act_stands_in_order_each_once(office: Office, mair: str) -> None:
    """What the contact line rings, one after the other."""
    office.away("cara", "erin")
    office.away("dan", "erin")
    assert [one.name for one in office.standing(mair).order] == ["erin"]
    assert [one.name for one in office.standing(mair, YESTERDAY).order] == ["cara", "dan"]


def test_an_absence_holds_on_its_first_and_its_last_day(office: Office, mair: str) -> None:
    """And on no other."""
    office.away("cara", "erin", first=TODAY, last=TOMORROW)
    days = [YESTERDAY, TODAY, TOMORROW, TOMORROW + timedelta(days=1)]
    acting = [told(office.standing(mair, day))[2].partition(":")[0] for day in days]
    assert acting == ["cara", "erin", "erin", "cara"]


def test_who_comes_back_early_acts_from_that_day_on(office: Office, mair: str) -> None:
    """The days they were away stay days away."""
    row = office.away("cara", "erin", first=YESTERDAY, last=TOMORROW)
    office.absences.end(row, by="cara", now=NOW, day=TODAY)
    acting = [told(office.standing(mair, day))[2][:4] for day in (YESTERDAY, TODAY, TOMORROW)]
    assert acting == ["erin", "cara", "cara"]
    assert office.absences.one(row).ended_at == NOW
    with pytest.raises(Conflict):
        office.absences.end(row, by="cara", now=NOW, day=TODAY)


def test_an_absence_that_has_not_begun_can_be_taken_back(office: Office, mair: str) -> None:
    """It counts on no day and is on no list."""
    row = office.away("cara", first=TOMORROW, last=TOMORROW)
    assert [one.id for one in office.absences.coming(TODAY)] == [row]
    office.absences.end(row, by="cara", now=NOW, day=TODAY)
    assert told(office.standing(mair, TOMORROW))[2] == "cara: SPOC"
    assert office.absences.coming(TODAY) == ()
    with pytest.raises(NoSuchAbsence):
        office.absences.end("nothing", by="cara", now=NOW, day=TODAY)


def test_coming_absences_are_of_everybody_or_of_one(office: Office) -> None:
    """Those that begin first first; what is over is not among them."""
    later = office.away("cara", first=TOMORROW, last=TOMORROW)
    now = office.away("dan", "cara")
    office.away("erin", first=YESTERDAY, last=YESTERDAY)
    assert [one.id for one in office.absences.coming(TODAY)] == [now, later]
    assert [one.cover for one in office.absences.coming(TODAY, "dan")] == ["cara"]


@pytest.mark.parametrize(
    ("name", "cover", "first", "last", "field"),
    [
        ("anna", "", 0, 0, "officer"),
        ("cara", "cara", 0, 0, "cover"),
        ("cara", "anna", 0, 0, "cover"),
        ("cara", "", 1, 0, "to_day"),
        ("cara", "", -2, -1, "to_day"),
        ("cara", "", -32, 0, "from_day"),
        ("cara", "", 0, 367, "to_day"),
    ],
)
def test_an_absence_that_cannot_be_is_refused(
    office: Office, name: str, cover: str, first: int, last: int, field: str
) -> None:
    """Each refusal names its field."""
    days = TODAY + timedelta(days=first), TODAY + timedelta(days=last)
    with pytest.raises(Unfit) as refused:
        office.absences.enter(name, *days, cover, by=name, now=NOW, day=TODAY)
    assert refused.value.field == field


def test_one_absence_sent_twice_is_one(office: Office) -> None:
    """Another cover on the same days is another absence."""
    office.away("cara", "erin")
    with pytest.raises(Unfit, match="entered already"):
        office.away("cara", "erin")
    office.away("cara", "sue")
    assert len(office.absences.coming(TODAY)) == 2


def test_who_left_acts_for_nobody(office: Office, mair: str) -> None:
    """They are still shown, so that it can be mended; a cover who left covers nobody."""
    office.leaves("cara")
    assert told(office.standing(mair)) == (["cara"], ["dan"], "dan: deputy")
    assert office.standing(mair).spocs[0].officer.gone
    office.away("dan", "erin")
    office.leaves("erin")
    assert told(office.standing(mair))[2] == "nobody"


def test_the_spoc_and_who_acts_are_told_of_a_call(office: Office, mair: str) -> None:
    """An officer who is away reads it when they are back."""
    assert office.standing(mair).to_tell == ("cara",)
    office.away("cara", "erin")
    assert office.standing(mair).to_tell == ("cara", "erin")
    office.leaves("cara")
    assert office.standing(mair).to_tell == ("erin",)
    office.leaves("erin")
    assert office.standing(mair).to_tell == ("dan",)


def test_many_people_are_asked_about_at_once(office: Office, mair: str) -> None:
    """By the id that was asked for; an id nobody has is left out."""
    also, other = office.victim("Mair Exampel"), office.victim("Ann One")
    office.merge(mair, also)
    found = office.contacts.standings([mair, also, other, "nobody"], TODAY)
    assert {one: told(its)[0] for one, its in found.items()} == {
        mair: ["cara"],
        also: ["cara"],
        other: [],
    }
    assert found[also].person == mair


def test_rows_merged_in_steps_are_one_family(office: Office) -> None:
    """Whichever of them is asked for, the one that stands for all comes first."""
    one, two, three = (office.victim(name) for name in ("A", "B", "C"))
    office.merge(two, three)
    office.merge(one, two)
    with reading(office.store.engine) as connection:
        found = families(connection, [one, three])
    assert found == {one: (one, two, three), three: (one, two, three)}


def faults(office: Office) -> list[tuple[str, str]]:
    """What is to be mended."""
    return [(one.name, one.fault) for one in office.lists.to_mend(TODAY).shown]


def test_a_repeat_victim_without_a_spoc_is_on_the_list_until_it_is_mended(office: Office) -> None:
    """Nobody else is on it; a deputy alone is no SPOC."""
    office.victim("Somebody Else", repeat=False)
    mair = office.victim()
    assert faults(office) == [("Mair Example", "no_spoc")]
    assert office.lists.to_mend(TODAY).without == 1
    office.assign(mair, "cara")
    assert faults(office) == [("Mair Example", "no_deputy")]
    assert office.lists.to_mend(TODAY).without == 0
    office.assign(mair, "cara", "dan")
    assert faults(office) == []
    assert faults_after_leaving(office, "cara") == [("Mair Example", "spoc_left")]
    assert office.lists.to_mend(TODAY).without == 1


def faults_after_leaving(office: Office, name: str) -> list[tuple[str, str]]:
    """What is to be mended once somebody has left."""
    office.leaves(name)
    return faults(office)


def test_two_spocs_and_nobody_at_all_are_on_the_list_too(office: Office, mair: str) -> None:
    """The worst first."""
    also, ann = office.victim("Mair Exampel"), office.victim("Ann One")
    office.victim("Dai Two")
    office.assign(also, "erin", "sue")
    office.merge(mair, also)
    office.assign(ann, "sue", "cara")
    office.away("sue")
    office.away("cara")
    assert faults(office) == [
        *(("Dai Two", "no_spoc"), ("Mair Example", "two_spocs"), ("Ann One", "nobody_acts")),
    ]


def test_a_repeat_victim_is_one_whichever_row_says_so(office: Office) -> None:
    """The row that was merged away still counts, once, under the name of the other."""
    kept, merged = office.victim("Ann One", repeat=False), office.victim("Ann Won")
    office.merge(kept, merged)
    assert faults(office) == [("Ann One", "no_spoc")]


def test_the_load_of_an_officer_counts_people_and_follow_ups(office: Office, mair: str) -> None:
    """Two rows of one person are one; an officer with nothing is on the list as well."""
    also, ann = office.victim("Mair Exampel"), office.victim("Ann One")
    office.assign(also, "cara")
    office.merge(mair, also)
    office.assign(ann, "dan", "cara")
    office.away("dan", "cara")
    with writing(office.store.engine) as connection:
        cara = connection.scalar(users.select().where(users.c.name == "cara"))
        for number, days in enumerate((1, 2, -1)):
            due = NOW + timedelta(days=days)
            row = {"id": f"row {number}", "kind": "referral", "owner_id": cara, "due_at": due}
            connection.execute(follow_ups.insert().values(**row, data=b""))
        done = {"id": "done", "kind": "referral", "owner_id": cara, "due_at": NOW}
        connection.execute(follow_ups.insert().values(**done, data=b"", closed_at=NOW))
    load = {one.officer.name: one for one in office.lists.load(TODAY, NOW)}
    assert list(load) == ["cara", "dan", "erin", "sue"]

    def counts(one: Load) -> tuple[int, int, int, int]:
        return one.spoc, one.deputy, one.open, one.overdue

    assert counts(load["cara"]) == (1, 1, 3, 1)
    assert counts(load["dan"]) == (1, 1, 0, 0)
    assert counts(load["erin"]) == (0, 0, 0, 0)
    assert load["cara"].covers == ("dan",)
    assert [one.cover for one in load["dan"].away] == ["cara"]
    office.leaves("cara")
    office.leaves("erin")
    assert [one.officer.name for one in office.lists.load(TODAY, NOW)] == ["cara", "dan", "sue"]


def test_an_officer_sees_their_own_people_and_those_they_cover(office: Office, mair: str) -> None:
    """By name, each once, with why."""
    ann, bea = office.victim("Ann One"), office.victim("Bea Two")
    office.assign(ann, "erin", "cara")
    office.assign(bea, "erin")
    office.away("erin", "cara")

    def mine(name: str) -> list[tuple[str, str]]:
        return [(one.name, one.why) for one in office.lists.people_of(name, TODAY)]

    assert mine("cara") == [
        ("Ann One", "deputy"),
        ("Bea Two", "covers for erin"),
        ("Mair Example", "SPOC"),
    ]
    assert mine("sue") == []
    assert mine("nobody") == []
    assert [one.standing.person for one in office.lists.people_of("dan", TODAY)] == [mair]
