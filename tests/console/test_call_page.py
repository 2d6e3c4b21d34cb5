"""A call's page as the server writes it: earlier calls, why nothing can be asked, proposals."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from console import words
from incidents.addresses import put_address
from incidents.desk import Actor
from incidents.numbers import number_row
from incidents.person_numbers import PersonNumbers
from incidents.persons import Facts, Persons
from incidents.safe_contact import SafeContact
from incidents.tables import audit, incidents, parts, person_numbers
from incidents.transactions import reading, writing
from tests.console.forms import token
from tests.console.site import NOW, NUMBER, Console
from tests.incidents.joining import joined

ANNA = Actor("anna", "handler")
BEN = Actor("ben", "handler")


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console of the test's own."""
    return Console(data, sqlite_url)


def page_of(console: Console, reference: str) -> str:
    """Read a call's page as anna."""
    answer = console.handler().get(f"/incidents/{reference}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_earlier_calls_from_the_number_are_counted_and_the_latest_listed(console: Console) -> None:
    """A handler need not search for them; a later call is no earlier one."""
    old = [console.call("5", at=NOW - timedelta(days=day)) for day in (1, 2, 3, 40)]
    this = console.call("55", at=NOW)
    console.call("5", at=NOW - timedelta(days=1), number="+447700900999")
    console.drain()
    shown = page_of(console, console.reference(this))
    assert "<b>4</b> earlier calls from this number; the latest:" in shown
    latest = shown.partition("the latest:")[2]
    listed = [console.reference(sid) in latest for sid in old]
    assert listed == [True, True, True, False]
    yesterday = NOW - timedelta(days=1)
    assert f"{words.day(yesterday)}, {words.clock(yesterday)} {words.zone(yesterday)}</a>" in latest


def test_what_was_done_on_another_day_says_which(console: Console) -> None:
    """On the timeline of the call's page, beside the clock time; what was that day does not."""
    this = console.reference(console.call("55", at=NOW - timedelta(days=2)))
    console.drain()
    handler = console.handler()
    page = f"/incidents/{this}"
    data = {"csrf_token": token(handler, page), "text": "Looked at again."}
    assert handler.post(f"{page}/notes", data=data).status_code == 303
    _, first, *_, last = handler.get(page).text.split('<li class="entry ')
    assert f'<span class="apart">{words.day(NOW)}</span> <span class="what">Note' in last
    assert 'class="apart"' not in first


def test_the_page_lists_support_to_tell_of_and_whom_a_caller_can_be_connected_to(
    console: Console,
) -> None:
    """With number or website and hours; a website cannot be rung."""
    this = console.call("55", at=NOW)
    console.drain()
    shown = page_of(console, console.reference(this))
    support = shown.partition("<summary>Support to tell of</summary>")[2].partition("</details>")[0]
    for words_ in ("Victim Support", "0808 1689 111", "day and night", "www.cumbriatogether.com"):
        assert words_ in support
    offered = shown.partition('<select id="connect-service"')[2].partition("</select>")[0]
    assert 'value="victim_support"' in offered
    assert 'value="cumbria_together"' not in offered


def test_what_repeats_is_a_sentence_with_the_calls_behind_it(console: Console) -> None:
    """No score; every call that was counted can be opened from there."""
    old = [console.call("55", at=NOW - timedelta(days=day)) for day in (3, 20)]
    this = console.call("55", at=NOW)
    console.drain()
    shown = page_of(console, console.reference(this))
    sentence = "3 calls with the full signal in 20 days from this number"
    behind = shown.partition(f"<summary>{sentence}</summary>")[2].partition("</details>")[0]
    assert all(f"/incidents/{console.reference(sid)}" in behind for sid in old)
    assert "this call" in behind


def test_without_a_number_nobody_is_guessed(console: Console) -> None:
    """Two withheld callers are two strangers."""
    console.call("5", at=NOW - timedelta(days=1), number=None)
    this = console.call("55", at=NOW, number=None)
    console.drain()
    assert "no earlier call can be found" in page_of(console, console.reference(this))


def test_without_a_number_it_says_where_the_calls_of_somebody_known_stand(
    console: Console,
) -> None:
    """They may be known by their code, or a handler confirmed it; their page lists their calls."""
    sid = console.call("55", at=NOW, number=None)
    console.drain()
    mair = Persons(console.store, console.keys, console.audit).add("Mair Example", by="b", now=NOW)
    part = {"id": "p", "person_id": mair, "part": "victim", "state": "confirmed", "by": "b"}
    with writing(console.store.engine) as connection:
        key = connection.scalar(select(incidents.c.call_key).where(incidents.c.call_sid == sid))
        connection.execute(parts.insert().values(call_key=key, at=NOW, **part))
    shown = page_of(console, console.reference(sid))
    assert "Earlier calls stand on the page of whoever may be calling" in shown
    assert "no earlier call can be found" not in shown


def test_a_page_says_why_nothing_can_be_asked(console: Console) -> None:
    """Nobody has it, a colleague has it; to its holder it says nothing."""
    this = console.call("55")
    console.drain()
    reference = console.reference(this)
    client = console.handler()

    def why() -> str:
        console.refresh()
        body = client.get(f"/incidents/{reference}").get_data(as_text=True)
        return body.partition('data-why="')[2].partition('"')[0]

    assert why() == "Claim this call to ask: press c."
    console.desk.claim(reference, by=BEN, now=NOW)
    assert why() == "ben has this call."
    console.desk.take_over(reference, by=ANNA, now=NOW)
    assert why() == ""


def test_a_proposal_is_approved_by_somebody_else_only(console: Console) -> None:
    """Whoever proposed it sees it wait; a second person has the button; then it is gone."""
    this = console.call("55")
    console.drain()
    reference = console.reference(this)
    later = NOW + timedelta(seconds=10)
    console.desk.claim(reference, by=ANNA, now=later)
    done = console.desk.urgency(reference, 3, "A child played", by=ANNA, now=later)
    anna, ben = console.handler(), console.handler("ben")

    def button(client: FlaskClient) -> bool:
        console.refresh()
        body = client.get(f"/incidents/{reference}").get_data(as_text=True)
        return f'id="approve-{done.entry}"' in body

    assert not button(anna)
    assert button(ben)
    console.desk.approve(reference, str(done.entry), by=BEN, now=later)
    assert not button(ben)


def test_a_place_is_shown_with_its_source_radius_and_age(console: Console) -> None:
    """A missing fix is said and never drawn."""
    this = console.call("55")
    console.drain()
    reference = console.reference(this)
    told = {"lt": 54.32691, "lg": -2.74761, "rd": 50.0, "source": "AML"}
    console.desk.location(reference, told, by=BEN, now=NOW - timedelta(seconds=40))
    console.desk.location(reference, {"no_fix": True, "source": "AML"}, by=BEN, now=NOW)
    shown = page_of(console, reference)
    assert "55 gives no location" in shown
    assert "54.32691, -2.74761, within 50 m" in shown
    assert "40 s ago" in shown
    assert "<b>no fix</b>" in shown
    assert "0.00000" not in shown


def test_who_may_be_calling_stands_on_the_page_and_is_logged_as_a_look(console: Console) -> None:
    """Name, code word and the rest at once; the audit log says who saw it, and names nobody."""
    persons = Persons(console.store, console.keys, console.audit)
    facts = Facts(code_word="bluebell", children="two <b>small</b>", never_call=True)
    added = persons.add("Mair Example", facts, by="cara", now=NOW, repeat=True)
    with writing(console.store.engine) as connection:
        number = number_row(connection, console.keys, NUMBER, NOW)
        connection.execute(
            person_numbers.insert().values(
                id=added, person_id=added, number_id=number, data=b"", by="cara", at=NOW
            )
        )
        put_address(connection, console.keys, added, "3 <i>Mill</i> Lane", by="cara", now=NOW)
    this = console.call("55", at=NOW)
    console.drain()
    client = console.handler()
    for _ in range(2):
        shown = client.get(f"/incidents/{console.reference(this)}").get_data(as_text=True)
    for text in ("Mair Example", "repeat victim", "bluebell", "Never call this person back."):
        assert text in shown
    assert "two &lt;b&gt;small" in shown
    assert "<dt>Address</dt><dd>3 &lt;i&gt;Mill&lt;/i&gt; Lane</dd>" in shown
    with reading(console.store.engine) as connection:
        looks = connection.execute(
            select(audit.c.what, audit.c.actor).where(
                audit.c.record == added, audit.c.operation == "consultation"
            )
        ).all()
    assert [tuple(one) for one in looks] == [("saw who may be calling", "anna")]


def test_whoever_may_be_calling_is_confirmed_or_refused_from_the_page(console: Console) -> None:
    """Refused, the next reading of the page names them no more, and the timeline has no name."""
    persons = Persons(console.store, console.keys, console.audit)
    numbers = PersonNumbers(console.store, console.keys, console.audit)
    added = numbers.add_person("Mair Example", NUMBER, SafeContact(), by="cara", now=NOW)
    dai = persons.add("Dai Example", by="cara", now=NOW)
    this = console.call("55", at=NOW)
    console.drain()
    reference = console.reference(this)
    client = console.handler()
    headers = {"X-CSRFToken": token(client, "/people")}

    def does(deed: str, **told: str) -> int:
        path = f"/api/v1/incidents/{reference}/{deed}"
        return client.post(path, json=told, headers=headers).status_code

    shown = client.get(f"/incidents/{reference}").get_data(as_text=True)
    assert 'data-deed="confirm-part"' in shown
    assert "this number is theirs" in shown
    assert does("confirm-part", part="suspect", name="Dai Example") == 200
    assert does("refuse-part", person=added) == 200
    assert does("refuse-part", person=added) == 409
    assert does("confirm-part", part="suspect", person="nobody") == 422
    console.refresh()
    record = client.get(f"/incidents/{reference}/record").get_data(as_text=True)
    assert f'<a href="/people/{dai}">Dai Example</a></b> · confirmed as suspect' in record
    assert "Mair Example" not in record
    timeline = record.partition('id="entries"')[2].partition("</ol>")[0]
    assert "Part of a person confirmed" in timeline
    assert "Dai" not in timeline


def test_repeats_say_how_many_came_since_the_visit(console: Console) -> None:
    """The visit is a follow-up of the person whose number it is, closed as seen; a local day."""
    persons = Persons(console.store, console.keys, console.audit)
    mair = persons.add("Mair Example", by="cara", now=NOW, repeat=True)
    numbers = PersonNumbers(console.store, console.keys, console.audit)
    numbers.add(mair, NUMBER, SafeContact(), by="cara", now=NOW)
    calls = [console.call(at=NOW - timedelta(days=day), ends=True) for day in (5, 3, 0)]
    console.drain()
    joined(console.accounts, "cara", "contact_officer", now=NOW)
    visited = NOW - timedelta(days=4)
    row = console.follow_ups.make(
        "visit_victim", "Go", owner="cara", due_at=None, by="cara", now=visited, person=mair
    )
    console.follow_ups.close(row, "seen_support_told", "", by="cara", now=visited)
    shown = page_of(console, console.reference(calls[-1]))
    sentence = "3 silent calls in 5 days from this number, 2 since the visit on 18 Dec 2026"
    # Above the facts: with all of them known, what is below them is out of sight.
    assert 0 < shown.index(sentence) < shown.index("Mair Example</a>")
