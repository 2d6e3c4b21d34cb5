"""Follow-ups on the console: my day, the form on a call, changing and closing."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from console.follow_ups import for_form, local_moment
from console.telling import told
from incidents.fold import Entry
from incidents.follow_up_kinds import New
from incidents.operations import Operations
from incidents.person_numbers import PersonNumbers
from incidents.persons import Persons
from incidents.safe_contact import SafeContact
from incidents.transactions import writing
from incidents.working import Unfit
from tests.console.forms import send, words
from tests.console.site import NOW, NUMBER, Console
from tests.console.test_audited import closed


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console of the test's own."""
    return Console(data, sqlite_url)


def test_a_follow_up_lives_from_its_birth_on_a_call_to_its_close(console: Console) -> None:
    """Made by a handler for an officer, on whose day it stands until it is closed."""
    reference = console.reference(console.call("55"))
    console.drain()
    anna, cara = console.handler("anna"), console.handler("cara", role="contact_officer")
    page = f"/incidents/{reference}/follow-ups"
    assert "has no follow-up yet" in anna.get(page).text
    form = {"kind": "visit_victim", "text": "Go in the morning", "owner": "cara", "due": ""}
    answer = send(anna, page, **form)
    assert answer.status_code == 303
    one = answer.headers["Location"]
    day = cara.get("/my-day").text
    assert f'href="{one}"' in day
    assert "25 Dec 2026, 18:03 GMT" in day
    assert send(cara, one, f"{one}/close", outcome="not_in", said="").status_code == 303
    assert "Closed: Nobody in; visit again" in cara.get(one).text
    assert "You have no open follow-up" in cara.get("/my-day").text
    assert "Follow-up closed" in anna.get(f"/incidents/{reference}").text


def test_a_refused_form_keeps_what_was_typed(console: Console) -> None:
    """What is wrong stands above and beside its field; nothing is made."""
    reference = console.reference(console.call("55"))
    console.drain()
    anna = console.handler("anna")
    page = f"/incidents/{reference}/follow-ups"
    form = {"kind": "referral", "text": "Ring <them> & ask", "owner": "anna"}
    answer = send(anna, page, **form, due="2026-12-01T09:00")
    assert answer.status_code == 422
    assert "Ring &lt;them&gt; &amp; ask" in answer.text
    assert '<option value="referral" selected>' in answer.text
    assert 'value="2026-12-01T09:00"' in answer.text
    assert 'href="#due"' in answer.text
    assert console.follow_ups.of_call(reference) == []


@pytest.mark.parametrize(
    ("action", "form", "field"),
    [
        ("close", {"outcome": "", "said": "kept words"}, "outcome"),
        ("owner", {"owner": "nobody", "reason": "kept words"}, "owner"),
        ("owner", {"owner": "anna", "reason": ""}, "owner-reason"),
        ("due", {"due": "soon", "reason": "kept words"}, "due"),
        ("due", {"due": "2026-12-24T09:00", "reason": ""}, "due-reason"),
    ],
)
def test_a_refused_change_says_why_beside_its_field(
    console: Console, action: str, form: dict[str, str], field: str
) -> None:
    """And keeps what was typed."""
    cara = console.handler("cara", role="contact_officer")
    console.handler("anna")
    one = f"/follow-ups/{made(console)}"
    answer = send(cara, one, f"{one}/{action}", **form)
    assert answer.status_code == 422
    assert f'id="{field}-fault"' in answer.text
    if "kept words" in form.values():
        assert "kept words" in answer.text


def test_it_is_passed_on_and_put_off_with_reasons(console: Console) -> None:
    """The page tells each change in local time."""
    cara = console.handler("cara", role="contact_officer")
    console.handler("anna")
    one = f"/follow-ups/{made(console)}"
    send(cara, one, f"{one}/owner", owner="anna", reason="I am away")
    send(cara, one, f"{one}/due", due="2026-12-26T09:30", reason="After the holiday")
    page = cara.get(one).text
    assert "cara changed the owner from cara to anna. Why: I am away" in page
    assert "from 25 Dec 2026, 18:03 GMT to 26 Dec 2026, 09:30 GMT" in page


def test_the_second_to_close_is_told_who_was_first(console: Console) -> None:
    """Nothing is written over."""
    cara = console.handler("cara", role="contact_officer")
    row = made(console)
    cara.get(f"/follow-ups/{row}")
    console.follow_ups.close(row, "not_in", "", by="dan", now=NOW)
    answer = send(cara, "/sign-out", f"/follow-ups/{row}/close", outcome="not_needed", said="")
    assert answer.status_code == 409
    assert "dan closed it already" in answer.text


def test_my_day_parts_what_is_late_from_what_is_due(console: Console) -> None:
    """By the local day."""
    console.now = NOW + timedelta(hours=2)
    cara = console.handler("cara", role="contact_officer")
    for hours in (1, 3, 30):
        made(console, due_at=NOW + timedelta(hours=hours))
    page = cara.get("/my-day").text
    assert [page.count(f"{part} 1</h2>") for part in ("Overdue", "Due today", "Later")] == [1, 1, 1]
    assert "overdue for 1 h 00 min" in page


def test_a_supervisor_sees_everybody_s_overdue(console: Console) -> None:
    """An empty list says so and what to do."""
    console.now = NOW + timedelta(days=4)
    console.handler("cara", role="contact_officer")
    sue = console.handler("sue", role="supervisor")
    assert "No follow-up is overdue" in sue.get("/overdue").text
    row = made(console)
    page = sue.get("/overdue").text
    assert f'href="/follow-ups/{row}"' in page
    assert "cara" in page


def test_the_overdue_page_says_whom_each_is_about(console: Console) -> None:
    """Two visits to victims read differently; what nobody owns does too. The heading is first."""
    console.now = NOW + timedelta(days=4)
    console.handler("cara", role="contact_officer")
    persons = Persons(console.store, console.keys, console.audit)
    ann, bea = (persons.add(f"{one} Example", by="cara", now=NOW) for one in ("Ann", "Bea"))
    made(console, person=ann)
    with writing(console.store.engine) as connection:
        kind = console.follow_ups.kinds.all[0]
        new = New(kind, "Go", None, "", NOW, None, bea, "planted", "once")
        console.follow_ups.put(connection, new, by="rule", now=NOW)
    page = console.handler("sue", role="supervisor").get("/overdue").text
    nobodys, overdue = page.partition("Overdue follow-ups of everybody")[::2]
    assert f'<a href="/people/{bea}">Bea Example</a>' in nobodys
    assert f'<a href="/people/{ann}">Ann Example</a>' in overdue
    assert page.index("<h1>") < page.index("<h2")


def test_what_nobody_owns_stands_on_the_supervisors_list(console: Console) -> None:
    """Until somebody is given it."""
    console.handler("cara", role="contact_officer")
    sue = console.handler("sue", role="supervisor")
    with writing(console.store.engine) as connection:
        kind = console.follow_ups.kinds.all[0]
        new = New(kind, "Go", None, "", NOW + timedelta(days=1), None, None, "planted", "once")
        row = console.follow_ups.put(connection, new, by="rule", now=NOW)
    page = sue.get("/overdue").text
    assert "Nobody has these 1" in page
    assert f'href="/follow-ups/{row}"' in page
    assert "by the rule planted" in sue.get(f"/follow-ups/{row}").text
    one = f"/follow-ups/{row}"
    send(sue, one, f"{one}/owner", owner="cara", reason="she knows them")
    assert "Nobody has these" not in sue.get("/overdue").text


def test_those_of_a_closed_call_ask_for_a_reason(console: Console) -> None:
    """As the call itself does."""
    reference = closed(console)
    page = console.handler("anna").get(f"/incidents/{reference}/follow-ups").text
    assert "Why do you open this record?" in page


def test_what_nobody_knows_is_not_found(console: Console) -> None:
    """Neither a follow-up nor a call."""
    anna = console.handler("anna")
    for path in ("/follow-ups/nothing", "/incidents/QL-0000/follow-ups"):
        assert anna.get(path).status_code == 404


@pytest.mark.parametrize(
    ("typed", "utc"),
    [
        ("2026-12-23T17:00", datetime(2026, 12, 23, 17, tzinfo=UTC)),
        ("2026-07-23T17:00", datetime(2026, 7, 23, 16, tzinfo=UTC)),
    ],
)
def test_a_typed_time_is_local(typed: str, utc: datetime) -> None:
    """In winter and in summer, there and back."""
    assert local_moment(typed) == utc
    assert for_form(utc) == typed


@pytest.mark.parametrize("typed", ["", "soon", "2026-12-23T17:00Z"])
def test_a_time_nobody_can_mean_is_refused(typed: str) -> None:
    """With what to type instead."""
    with pytest.raises(Unfit) as refused:
        local_moment(typed)
    assert refused.value.field == "due"


def test_a_timeline_tells_follow_ups() -> None:
    """What, for whom, until when, by whom; and why."""
    data = {
        "by": "anna",
        "what": "Visit the victim",
        "owner": "cara",
        "due": "2026-12-24T18:03:11.042Z",
        "reason": "as agreed",
    }
    found = told(Entry("1", NOW, "follow_up_moved", data))
    assert found.what == "Follow-up changed"
    assert found.detail == "Visit the victim, for cara, due 24 Dec 2026 18:03 GMT, anna"
    assert found.quote == "as agreed"


def made(console: Console, due_at: datetime | None = None, by: str = "anna", **of: str) -> str:
    """Have one made for cara."""
    work = console.follow_ups
    return work.make("visit_victim", "Go", owner="cara", due_at=due_at, by=by, now=NOW, **of)


PERSON_FORM = {
    "follow_up_kind": "visit_victim",
    "follow_up_text": "Ring first",
    "follow_up_owner": "cara",
    "follow_up_due": "",
    "follow_up_operation": "",
}


def mair(console: Console, by: str = "cara") -> str:
    """Put a person on record."""
    persons = Persons(console.store, console.keys, console.audit)
    return persons.add("Mair Example", by=by, now=NOW, repeat=True)


def season(console: Console) -> str:
    """Make an operation."""
    operations = Operations(console.store, console.keys, console.audit)
    return operations.make("County", date(2026, 12, 1), date(2027, 1, 4), by="sue", now=NOW)


def test_one_is_made_for_a_person_and_an_operation(console: Console) -> None:
    """It stands on their page, names both on its own, and counts among the operation's visits."""
    cara = console.handler("cara", role="contact_officer")
    person, operation = mair(console), season(console)
    page = f"/people/{person}"
    assert "Nothing was planned for this person" in cara.get(page).text
    form = {**PERSON_FORM, "follow_up_operation": operation}
    answer = send(cara, page, f"{page}/follow-ups", **form)
    assert answer.status_code == 303
    shown = cara.get(str(answer.location)).text
    assert "The follow-up was made." in shown
    found = re.search(r'href="(/follow-ups/[^"]+)"', shown)
    assert found is not None
    one = words(cara.get(found[1]))
    assert "Person Mair Example Operation County" in one
    assert "Mair Example" in words(cara.get("/my-day"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"follow_up_text": " "}, "follow_up_text"),
        ({"follow_up_kind": "tea"}, "follow_up_kind"),
        ({"follow_up_owner": "olga"}, "follow_up_owner"),
        ({"follow_up_due": "soon"}, "follow_up_due"),
        ({"follow_up_operation": "nothing"}, "follow_up_operation"),
    ],
)
def test_a_refused_one_of_a_person_keeps_what_was_typed(
    console: Console, change: dict[str, str], field: str
) -> None:
    """Beside the field, with the form open."""
    cara = console.handler("cara", role="contact_officer")
    person = mair(console)
    season(console)
    page = f"/people/{person}"
    answer = send(cara, page, f"{page}/follow-ups", **{**PERSON_FORM, **change})
    assert answer.status_code == 422
    assert f'id="{field}-fault"' in answer.text
    if "follow_up_text" not in change:
        assert ">Ring first</textarea>" in answer.text


def test_somebody_else_s_of_a_closed_call_asks_why_and_leads_back(console: Console) -> None:
    """As the call does; with a reason it opens, and can then be changed."""
    reference = closed(console)
    console.handler("cara", role="contact_officer")
    row = made(console, reference=reference, by="cara")
    dan = console.handler("dan", role="contact_officer")
    page = f"/follow-ups/{row}"
    assert "Why do you open this record?" in dan.get(page).text
    refused = send(dan, page, f"{page}/due", due="2026-12-26T09:30", reason="x")
    assert refused.status_code == 422
    assert "Why do you open this record?" in refused.text
    answer = send(dan, page, f"/incidents/{reference}/open", reason="covering for cara", back=page)
    assert str(answer.location) == page
    assert "Visit the victim" in dan.get(page).text


def test_somebody_else_s_of_a_person_asks_why_and_leads_back(console: Console) -> None:
    """As the person does."""
    console.handler("cara", role="contact_officer")
    person = mair(console)
    row = made(console, person=person, by="cara")
    dan = console.handler("dan", role="contact_officer")
    page = f"/follow-ups/{row}"
    assert "Why do you open this person?" in dan.get(page).text
    answer = send(dan, page, f"/people/{person}/open", reason="covering for cara", back=page)
    assert str(answer.location) == page
    assert "Mair Example" in dan.get(page).text


def test_a_reason_leads_back_to_no_other_address(console: Console) -> None:
    """Whatever the form says."""
    reference = closed(console)
    dan = console.handler("dan", role="contact_officer")
    for back in ("//evil.example", "/follow-ups/../users", "https://evil.example"):
        action = f"/incidents/{reference}/open"
        answer = send(
            dan, f"/incidents/{reference}/follow-ups", action, reason="covering", back=back
        )
        assert str(answer.location) == f"/incidents/{reference}"


def test_one_made_on_a_call_is_for_whoever_may_be_calling(console: Console) -> None:
    """Chosen beforehand where only one may be; then it stands on their page."""
    cara = console.handler("cara", role="contact_officer")
    person = mair(console)
    numbers = PersonNumbers(console.store, console.keys, console.audit)
    numbers.add(person, NUMBER, SafeContact(), by="cara", now=NOW)
    reference = console.reference(console.call("55"))
    console.drain()
    page = f"/incidents/{reference}/follow-ups"
    assert f'<option value="{person}" selected>Mair Example</option>' in cara.get(page).text
    form = {"kind": "visit_victim", "text": "Go", "owner": "cara", "due": "", "person": person}
    one = str(send(cara, page, **form).location)
    assert f'href="{one}"' in cara.get(f"/people/{person}").text
    assert send(cara, page, **{**form, "person": "nobody"}).status_code == 404
