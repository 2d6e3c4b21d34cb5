"""The review queue and the second look as people use them, one call at a time."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from incidents.tables import audit
from incidents.transactions import reading
from tests.console.forms import send, token, words
from tests.console.site import NOW, Console
from tests.incidents.desks import BEN


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console ten minutes after the calls came."""
    made = Console(data, sqlite_url)
    made.now = NOW + timedelta(minutes=10)
    return made


@pytest.fixture
def handler(console: Console) -> FlaskClient:
    """Somebody who works calls."""
    return console.handler()


def silent(console: Console, number: str = "+447700900301", ago: float = 0) -> str:
    """Have a call end without a sign, ``ago`` minutes before; returns its reference."""
    sid = console.call(number=number, at=NOW - timedelta(minutes=ago), ends=True)
    console.drain()
    return console.reference(sid)


def shown(page: str) -> str:
    """The call that stands there."""
    found = re.search(r'class="looked-at"[^>]*data-reference="([^"]+)"', page)
    return found[1] if found else ""


def decided(client: FlaskClient, reference: str, decision: str, said: str = "") -> str:
    """Decide on a call from its page; returns the page that follows."""
    page = f"/review?call={reference}"
    answer = send(client, page, f"/review/{reference}", decision=decision, said=said, seen="")
    assert answer.status_code == 303
    return client.get(str(answer.location)).text


def test_one_call_stands_there_with_all_that_is_known(
    console: Console, handler: FlaskClient
) -> None:
    """When, the last figures of the number, why, earlier calls; not the whole number."""
    silent(console, ago=3)
    reference = silent(console, ago=2)
    page = handler.get(f"/review?call={reference}").text
    assert shown(page) == reference
    assert "22 Dec 2026, 18:01:11 GMT" in page
    assert "…0301" in page
    assert "+447700900301" not in page
    assert "2 calls of this number are in the queue" in page
    assert "1</b> earlier call from this number" in page
    assert "Line dropped" in page


def test_a_decision_is_followed_by_the_next_call(console: Console, handler: FlaskClient) -> None:
    """Next-best first; the page says what was decided, and nobody decides the same twice."""
    first = silent(console, "+447700900301", ago=3)
    second = silent(console, "+447700900302", ago=2)
    assert shown(handler.get("/review").text) == first
    page = decided(handler, first, "no_concern", "traffic")
    assert shown(page) == second
    assert f"Decided: {first}: No concern found." in page
    page = decided(handler, second, "raise")
    assert shown(page) == ""
    assert "Nothing is for review" in page
    assert console.store.incident(first).outcome == "no_concern"  # type: ignore[union-attr]
    assert console.store.incident(second).state == "waiting"  # type: ignore[union-attr]


def test_the_second_reviewer_is_told_and_keeps_what_they_typed(console: Console) -> None:
    """409, who decided, the words, and the next call."""
    anna, ben = console.handler("anna"), console.handler("ben")
    reference = silent(console, "+447700900301", ago=3)
    other = silent(console, "+447700900302", ago=2)
    decided(anna, reference, "no_concern")
    form = {"decision": "accidental", "said": "a child laughs", "seen": ""}
    answer = send(ben, "/review", f"/review/{reference}", **form)
    assert answer.status_code == 409
    assert "anna decided on this call 0 seconds ago: No concern found." in words(answer)
    assert f"What you wrote about {reference}: a child laughs" in words(answer)
    assert shown(answer.text) == other
    assert '<textarea id="said"' in answer.text
    assert ">a child laughs</textarea>" not in answer.text


def test_who_keeps_a_call_for_later_is_told_to_the_other(console: Console) -> None:
    """The call is still there, and what was typed stands in its form."""
    anna, ben = console.handler("anna"), console.handler("ben")
    reference = silent(console)
    decided(anna, reference, "later")
    form = {"decision": "accidental", "said": "a child laughs", "seen": ""}
    answer = send(ben, "/review", f"/review/{reference}", **form)
    assert answer.status_code == 409
    assert "anna decided on this call" in words(answer)
    assert ">a child laughs</textarea>" in answer.text
    assert "kept by anna" in words(answer)
    kept = re.search(r'name="seen" value="([^"]+)"', answer.text)
    assert kept is not None
    again = send(ben, "/review", f"/review/{reference}", **{**form, "seen": kept[1]})
    assert again.status_code == 303


def test_a_decision_without_a_choice_is_refused_and_keeps_the_words(
    console: Console, handler: FlaskClient
) -> None:
    """Beside the field and in the summary."""
    reference = silent(console)
    answer = send(handler, "/review", f"/review/{reference}", said="a dog", seen="")
    assert answer.status_code == 422
    assert 'id="decision-fault"' in answer.text
    assert ">a dog</textarea>" in answer.text
    assert shown(answer.text) == reference


def test_without_the_store_what_was_typed_stays(console: Console, handler: FlaskClient) -> None:
    """503, with the same form filled in."""
    reference = silent(console)
    crumb = token(handler, "/review")
    form = {"csrf_token": crumb, "decision": "raise", "said": "a cry", "seen": ""}
    with console.store_away():
        answer = handler.post(f"/review/{reference}", data=form)
    assert answer.status_code == 503
    assert ">a cry</textarea>" in answer.text
    assert re.search(r'value="raise"[^>]* checked', answer.text)


def test_two_who_begin_at_once_get_two_calls(console: Console) -> None:
    """The one has the first before them, the other gets the next and sees who has which."""
    anna, ben = console.handler("anna"), console.handler("ben")
    first = silent(console, "+447700900301", ago=3)
    second = silent(console, "+447700900302", ago=2)
    assert shown(anna.get("/review").text) == first
    page = ben.get("/review").text
    assert shown(page) == second
    assert "anna looks" in page
    assert "anna has this call before them as well" in ben.get(f"/review?call={first}").text
    console.now += timedelta(minutes=3)
    assert shown(ben.get("/review").text) == first


def test_overdue_calls_are_counted_and_stand_first(console: Console, handler: FlaskClient) -> None:
    """Rule 8: a time by which each is looked at, and what is past it."""
    late = silent(console, "+447700900301", ago=80)
    silent(console, "+447700900302", ago=2)
    page = handler.get("/review")
    assert shown(page.text) == late
    assert "Review queue 2, 1 overdue" in words(page)
    assert "overdue for 30:00" in words(page)


def test_a_call_that_left_the_queue_is_said_to_have(console: Console, handler: FlaskClient) -> None:
    """Whoever comes by an old address; and a made-up one is no error."""
    reference = silent(console)
    console.desk.claim(reference, by=BEN, now=console.now)
    page = words(handler.get(f"/review?call={reference}"))
    assert f"{reference} is not in the queue any more" in page
    for path in ("/review?call=x", "/review?page=0", "/review?page=x", "/review?done=%00"):
        assert handler.get(path).status_code == 200


def test_the_queue_pages_through_every_silent_call(console: Console, handler: FlaskClient) -> None:
    """Rule 2: nothing ends unseen. Fifty a page."""
    for at in range(55):
        console.call(number=f"+4477009{at:05}", at=NOW - timedelta(minutes=at), ends=True)
    console.drain()
    seen: list[str] = []
    path: str | None = "/review"
    while path:
        page = handler.get(path).text
        seen += re.findall(r'href="/review\?call=([^"&]+)', page)
        found = re.search(r'href="(/review\?page=[^"]+)">Further', page)
        path = found[1] if found else None
    assert len(seen) == len(set(seen)) == 55


def test_who_only_reads_sees_the_call_and_no_form(console: Console) -> None:
    """A contact officer reads the queue; handlers decide."""
    reference = silent(console)
    cara = console.handler("cara", role="contact_officer")
    page = cara.get("/review").text
    assert shown(page) == reference
    assert 'id="decide"' not in page


def test_each_look_is_logged(console: Console, handler: FlaskClient) -> None:
    """The list, and the record that stands beside it."""
    reference = silent(console)
    handler.get("/review")
    console.audit.bring_in()
    with reading(console.store.engine) as connection:
        query = select(audit.c.what, audit.c.record).where(audit.c.actor == "anna")
        logged = [tuple(row) for row in connection.execute(query)]
    assert ("opened the review queue", "review") in logged
    assert ("viewed the record in review", reference) in logged


def test_a_specialist_looks_again_and_puts_a_call_back(
    console: Console, handler: FlaskClient
) -> None:
    """The page shows what was decided and by whom; to differ needs a reason."""
    reference = silent(console)
    decided(handler, reference, "no_concern", "traffic only")
    sue = console.handler("sue", role="supervisor")
    assert "Second look : 1 call waits" in words(sue.get("/review"))
    page = words(sue.get("/review/second"))
    assert "No concern found , anna, 22 Dec 2026, 18:13 GMT: traffic only" in page
    action = f"/review/second/{reference}"
    refused = send(sue, "/review/second", action, finding="differs", said="")
    assert refused.status_code == 422
    assert 'id="said-fault"' in refused.text
    answer = send(sue, "/review/second", action, finding="differs", said="a child is heard")
    assert answer.status_code == 303
    found = console.store.incident(reference)
    assert found is not None
    assert (found.state, found.urgency) == ("waiting", 2)
    assert "No call waits for your second look" in words(sue.get("/review/second"))
    told = words(sue.get(f"/incidents/{reference}"))
    assert "Second look a handler must look, sue" in told
    assert "Reviewed No concern found, anna" in told


def test_a_second_look_that_agrees_is_done_once(console: Console, handler: FlaskClient) -> None:
    """The second specialist is told who was first."""
    reference = silent(console)
    other = silent(console, "+447700900302")
    for call in (reference, other):
        decided(handler, call, "no_concern")
    sue = console.handler("sue", role="supervisor")
    cara = console.handler("cara", role="contact_officer")
    action = f"/review/second/{reference}"
    crumb = token(cara, "/review/second")
    assert send(sue, "/review/second", action, finding="agrees").status_code == 303
    late = {"csrf_token": crumb, "finding": "differs", "said": "a cry"}
    answer = cara.post(action, data=late)
    assert answer.status_code == 409
    assert "sue looked at this call" in words(answer)
    assert f"What you wrote about {reference}: a cry" in words(answer)


def test_nobody_is_offered_their_own_decision(console: Console) -> None:
    """A supervisor who reviewed it is not the second person."""
    sue = console.handler("sue", role="supervisor")
    reference = silent(console)
    decided(sue, reference, "no_concern")
    assert "No call waits for your second look" in words(sue.get("/review/second"))
