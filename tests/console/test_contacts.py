"""The pages of points of contact, as a supervisor, an officer and a handler use them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from incidents.numbers import number_row
from incidents.persons import Persons
from incidents.tables import person_numbers
from incidents.transactions import writing
from tests.console.forms import send, words
from tests.console.site import NOW, NUMBER, Console

TODAY = date(2026, 12, 22)


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console of the test's own."""
    return Console(data, sqlite_url)


@pytest.fixture
def sue(console: Console) -> FlaskClient:
    """A supervisor."""
    return console.handler("sue", role="supervisor")


@pytest.fixture
def cara(console: Console) -> FlaskClient:
    """A contact officer."""
    return console.handler("cara", role="contact_officer")


@pytest.fixture
def dan(console: Console) -> FlaskClient:
    """Another one."""
    return console.handler("dan", role="contact_officer")


@pytest.fixture
def mair(console: Console) -> str:
    """A repeat victim."""
    persons = Persons(console.store, console.keys, console.audit)
    return persons.add("Mair Example", by="anna", now=NOW, repeat=True)


def page_of(person: str) -> str:
    """The address of the page about somebody's point of contact."""
    return f"/contacts/people/{person}"


def appoint(console: Console, person: str, spoc: str, deputy: str = "") -> None:
    """Have sue appoint them."""
    console.contacts.contacts.assign(person, spoc, deputy, by="sue", now=NOW, day=TODAY)


def test_empty_lists_say_what_to_do(console: Console, sue: FlaskClient) -> None:
    """To a supervisor, an officer, and a handler who may be no point of contact."""
    shown = words(sue.get("/contacts"))
    assert "Every repeat victim has a SPOC and a deputy." in shown
    assert "Enter an absence below" in shown
    cara = console.handler("cara", role="contact_officer")
    shown = words(cara.get("/contacts"))
    assert "A supervisor appoints you." in shown
    assert "Repeat victims without a SPOC" not in shown
    shown = words(console.handler("anna").get("/contacts"))
    assert "My people" not in shown
    assert "Enter an absence" not in shown


def test_without_officers_the_page_says_who_invites_them(console: Console) -> None:
    """Nobody is chosen from an empty list."""
    assert "An administrator invites contact officers" in words(
        console.handler("anna").get("/contacts")
    )


def test_a_repeat_victim_stands_on_the_list_until_both_are_appointed(
    sue: FlaskClient, cara: FlaskClient, dan: FlaskClient, mair: str
) -> None:
    """The list leads to the form, and each step says what is still missing."""
    listed = sue.get("/contacts")
    assert f'href="{page_of(mair)}"' in listed.text
    assert "Repeat victims without a SPOC: 1" in words(listed)
    assert "Mair Example no SPOC 22 Dec 2026 nobody nobody nobody" in words(listed)
    answer = send(sue, page_of(mair), spoc="cara", deputy="", reason="")
    assert "It stands from today on." in words(sue.get(answer.headers["Location"]))
    assert "Mair Example no deputy 22 Dec 2026 cara nobody cara" in words(sue.get("/contacts"))
    seen = _seen(sue, mair)
    send(sue, page_of(mair), spoc="cara", deputy="dan", reason="", seen=seen)
    shown = words(sue.get("/contacts"))
    assert "Every repeat victim has a SPOC and a deputy." in shown
    assert "cara 1 0 0 0 here" in shown
    assert "Mair Example SPOC cara dan cara" in words(cara.get("/contacts"))
    assert "Mair Example deputy cara dan cara" in words(dan.get("/contacts"))


def test_a_hand_over_is_read_in_the_history(
    console: Console, sue: FlaskClient, cara: FlaskClient, dan: FlaskClient, mair: str
) -> None:
    """Who stood there, who changed it, when and why."""
    appoint(console, mair, "cara")
    console.now = datetime(2026, 12, 27, 9, tzinfo=UTC)
    sam = console.handler("sam", role="supervisor")
    form = {"spoc": "dan", "deputy": "cara", "seen": _seen(sam, mair)}
    assert send(sam, page_of(mair), **form, reason="cara moves").status_code == 303
    shown = words(sam.get(page_of(mair)))
    assert "dan , SPOC, since 27 Dec 2026. Appointed by sam: cara moves." in shown
    assert "cara , SPOC, 22 Dec 2026 to 26 Dec 2026. Appointed by sue." in shown
    assert "Ended by sam, 27 Dec 2026, 09:00:00 GMT: cara moves" in shown


def test_a_hand_over_is_planned_shown_with_its_day_and_taken_back(
    console: Console, sue: FlaskClient, cara: FlaskClient, dan: FlaskClient, mair: str
) -> None:
    """It shows on both pages about the person, and takes effect on that local day by itself."""
    appoint(console, mair, "cara")
    form = {"spoc": "dan", "deputy": "cara", "reason": "cara moves", "starts": "2027-01-04"}
    for typed, sentence in (("2026-12-21", "Give today or a day within"), ("soon", "Enter a day")):
        wrong = send(sue, page_of(mair), **{**form, "starts": typed}, seen=_seen(sue, mair))
        assert wrong.status_code == 422
        assert wrong.text.count(sentence) == 2
        assert f'value="{typed}"' in wrong.text
    seen = _seen(sue, mair)
    answer = send(sue, page_of(mair), **form, seen=seen)
    shown = words(sue.get(answer.headers["Location"]))
    assert "Until that day it stays as it is now." in shown
    assert "From 4 Jan 2027 SPOC dan, deputy cara" in shown
    assert "dan , SPOC, planned from 4 Jan 2027." in shown
    assert "From 4 Jan 2027 SPOC dan, deputy cara" in words(cara.get(f"/people/{mair}"))
    assert "Acts today cara" in shown
    assert "Planned for me From 4 Jan 2027: Mair Example , as SPOC" in words(dan.get("/contacts"))
    assert "Mair Example , as deputy" in words(cara.get("/contacts"))
    assert "Planned for me" not in words(sue.get("/contacts"))
    late = send(sue, page_of(mair), **{**form, "starts": ""}, seen=seen)
    assert late.status_code == 409
    assert "A change from 4 Jan 2027 on is planned: take it back first." in words(late)
    back = f"{page_of(mair)}/take-back"
    refused = send(sue, page_of(mair), back, reason="x" * 501)
    assert refused.status_code == 422
    assert "x" * 501 in refused.text
    console.now = datetime(2027, 1, 4, 0, 30, tzinfo=UTC)
    sam = console.handler("sam", role="supervisor")
    shown = words(sam.get(page_of(mair)))
    assert "Acts today dan" in shown
    assert "Planned for me" not in words(sam.get("/contacts"))
    assert "cara , SPOC, 22 Dec 2026 to 3 Jan 2027." in shown
    over = send(sam, page_of(mair), back, reason="too late")
    assert over.status_code == 409
    assert "too late" not in words(over).partition("History")[2]
    form = {"spoc": "cara", "deputy": "", "reason": "back again", "starts": "2027-02-01"}
    assert send(sam, page_of(mair), **form, seen=_seen(sam, mair)).status_code == 303
    answer = send(sam, page_of(mair), back, reason="cara stays away")
    shown = words(sam.get(answer.headers["Location"]))
    assert "Taken back. Who stands here now stays." in shown
    assert "cara , SPOC, planned from 1 Feb 2027 and taken back." in shown
    assert "A planned end was taken back by sam, 4 Jan 2027: cara stays away." in shown
    assert "Hand over" in shown


@pytest.mark.parametrize(
    ("form", "field", "sentence"),
    [
        ({"spoc": "", "deputy": "dan", "reason": "on leave"}, "spoc", "Choose as SPOC somebody"),
        ({"spoc": "dan", "deputy": "dan", "reason": "on leave"}, "deputy", "somebody else"),
        ({"spoc": "dan", "deputy": "", "reason": ""}, "reason", "Say why it changes hands"),
    ],
)
def test_a_form_that_is_refused_keeps_what_was_chosen(
    console: Console,
    sue: FlaskClient,
    cara: FlaskClient,
    dan: FlaskClient,
    mair: str,
    form: dict[str, str],
    field: str,
    sentence: str,
) -> None:
    """The sentence stands above and beside its field, and nothing changes."""
    appoint(console, mair, "cara")
    answer = send(sue, page_of(mair), **form, seen=_seen(sue, mair))
    assert answer.status_code == 422
    assert answer.text.count(sentence) == 2
    assert f'id="{field}-fault"' in answer.text
    assert f'name="reason" value="{form["reason"]}"' in answer.text
    assert answer.text.count(" selected") == len(
        [one for one in (form["spoc"], form["deputy"]) if one]
    )
    assert console.contacts.contacts.standing(mair, TODAY).spocs[0].officer.name == "cara"


def test_a_form_from_before_somebody_elses_change_shows_the_change(
    console: Console, sue: FlaskClient, cara: FlaskClient, dan: FlaskClient, mair: str
) -> None:
    """The second supervisor decides again, with what was typed still there."""
    seen = _seen(sue, mair)
    appoint(console, mair, "cara")
    answer = send(sue, page_of(mair), spoc="dan", deputy="", reason="nearer", seen=seen)
    assert answer.status_code == 409
    assert "since your page was loaded" in words(answer)
    assert 'value="nearer"' in answer.text
    assert "SPOC cara" in words(answer)


def test_a_point_of_contact_ends_only_with_a_reason(
    console: Console, sue: FlaskClient, cara: FlaskClient, mair: str
) -> None:
    """And the person is on the list again."""
    appoint(console, mair, "cara")
    end, seen = f"{page_of(mair)}/end", _seen(sue, mair)
    answer = send(sue, page_of(mair), end, reason="", seen=seen)
    assert answer.status_code == 422
    assert answer.text.count("Write why first.") == 2
    assert send(sue, page_of(mair), end, reason="moved away", seen=seen).status_code == 303
    assert "no SPOC" in words(sue.get("/contacts"))
    assert send(sue, page_of(mair), end, reason="again", seen="").status_code == 409


def test_an_officer_enters_their_own_absence_and_is_back(
    console: Console, sue: FlaskClient, cara: FlaskClient, dan: FlaskClient, mair: str
) -> None:
    """Whoever's name the form is made to carry; the cover sees whom they cover."""
    appoint(console, mair, "cara")
    days = {"from_day": "2026-12-22", "to_day": "2026-12-24"}
    send(cara, "/contacts", "/contacts/absences", officer="sue", cover="dan", **days)
    assert "cara 22 Dec 2026 24 Dec 2026 dan cara" in words(dan.get("/contacts"))
    assert "dan 0 0 0 0 here, covers for cara" in words(dan.get("/contacts"))
    assert "Mair Example cover cara, away to 24 Dec 2026 nobody dan, covers for cara" in words(
        dan.get("/contacts")
    )
    absence = console.contacts.absences.coming(TODAY)[0].id
    back = f"/contacts/absences/{absence}/end"
    assert send(dan, "/contacts", back).status_code == 403
    answer = send(cara, "/contacts", back)
    assert "The absence is over from today on." in words(cara.get(answer.headers["Location"]))
    assert send(cara, "/contacts", back).status_code == 409
    assert send(cara, "/contacts", "/contacts/absences/nothing/end").status_code == 404


def test_a_supervisor_enters_anybodys_absence(
    console: Console, sue: FlaskClient, cara: FlaskClient
) -> None:
    """And takes it back before it begins."""
    days = {"from_day": "2026-12-24", "to_day": "2026-12-24"}
    send(sue, "/contacts", "/contacts/absences", officer="cara", cover="sue", **days)
    assert "Take back" in words(sue.get("/contacts"))
    absence = console.contacts.absences.coming(TODAY)[0]
    assert (absence.officer, absence.by) == ("cara", "sue")
    assert send(sue, "/contacts", f"/contacts/absences/{absence.id}/end").status_code == 303
    assert "Nobody is away" in words(sue.get("/contacts"))


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("from_day", "soon", "Enter a day, such as 2026-12-23."),
        ("to_day", "", "Enter a day, such as 2026-12-23."),
        ("to_day", "2026-12-21", "It cannot end before it begins"),
        ("cover", "cara", "Nobody covers for themselves"),
        ("cover", "anna", "Choose somebody who is here"),
    ],
)
def test_an_absence_that_is_refused_keeps_what_was_typed(
    cara: FlaskClient, field: str, typed: str, sentence: str
) -> None:
    """The sentence stands above and beside its field."""
    good = {"from_day": "2026-12-22", "to_day": "2026-12-23", "cover": ""}
    answer = send(cara, "/contacts", "/contacts/absences", **{**good, field: typed})
    assert answer.status_code == 422
    assert answer.text.count(sentence) == 2
    for other in ("from_day", "to_day"):
        if other != field:
            assert f'value="{good[other]}"' in answer.text


def test_who_acts_today_stands_on_the_page_of_a_call(
    console: Console, cara: FlaskClient, dan: FlaskClient, mair: str
) -> None:
    """The moment it opens; with nobody to act the handler reads that, too."""
    with writing(console.store.engine) as connection:
        row = number_row(connection, console.keys, NUMBER, NOW)
        facts = {"id": "one", "person_id": mair, "number_id": row, "by": "cara", "at": NOW}
        connection.execute(person_numbers.insert().values(**facts, data=b""))
    sid = console.call("55")
    console.drain()
    page = f"/incidents/{console.reference(sid)}"
    anna = console.handler("anna")
    assert "SPOC nobody" in words(anna.get(page))
    appoint(console, mair, "cara", "dan")
    assert "SPOC cara, acts today · deputy dan" in words(anna.get(page))
    absent = {"by": "cara", "now": NOW, "day": TODAY}
    console.contacts.absences.enter("cara", TODAY, TODAY, "", **absent)  # type: ignore[arg-type]
    shown = words(anna.get(page))
    assert "SPOC cara, away to 22 Dec 2026 · deputy dan Acts today dan, deputy" in shown
    console.contacts.absences.enter("dan", TODAY, TODAY, "", **absent)  # type: ignore[arg-type]
    assert "Acts today nobody" in words(anna.get(page))


def test_whoever_ends_an_account_reads_how_many_people_it_leaves(
    console: Console, sue: FlaskClient, cara: FlaskClient, mair: str
) -> None:
    """In numbers: an administrator reads of nobody."""
    kim = console.handler("kim", role="administrator")
    assert "SPOC of" not in words(kim.get("/users/cara/leave"))
    appoint(console, mair, "cara")
    shown = words(kim.get("/users/cara/leave"))
    assert "cara is SPOC of 1 and deputy of 0 people." in shown
    assert "Mair" not in shown
    send(kim, "/users/cara/leave")
    assert "Mair Example the SPOC has left" in words(sue.get("/contacts"))


def test_an_officer_reads_the_page_of_their_own_people_and_says_why_for_others(
    console: Console, cara: FlaskClient, dan: FlaskClient, mair: str
) -> None:
    """As the person's own page does; neither page lets an officer appoint anybody."""
    appoint(console, mair, "cara")
    shown = words(cara.get(page_of(mair)))
    assert "SPOC cara Deputy nobody Acts today cara" in shown
    assert "Hand over" not in shown
    assert "Why do you open this person?" in words(dan.get(page_of(mair)))
    shown = words(cara.get(f"/people/{mair}"))
    assert "Point of contact SPOC cara Deputy nobody Acts today cara History" in shown


def test_nobody_on_record_has_no_page(sue: FlaskClient) -> None:
    """Neither to read nor to appoint for."""
    assert sue.get(page_of("nobody")).status_code == 404
    assert send(sue, "/contacts", page_of("nobody"), spoc="sue").status_code == 404
    assert send(sue, "/contacts", f"{page_of('nobody')}/end", reason="x").status_code == 404


def _seen(client: FlaskClient, person: str) -> str:
    """What the form says it showed."""
    text = client.get(page_of(person)).text
    return text.partition('name="seen" value="')[2].partition('"')[0]
