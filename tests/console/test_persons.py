"""The pages about people: found, added, opened with a reason, changed, or refused as typed."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from incidents.persons import Facts, Persons
from incidents.tables import audit
from incidents.transactions import reading
from tests.console.forms import send, token, words
from tests.console.site import NOW, NUMBER, Console

FACTS = Facts(code_word="bluebell", key_pattern="*7", children="two <b>small</b>", never_call=True)
WHY = "Why do you open this person?"


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console of the test's own."""
    return Console(data, sqlite_url)


@pytest.fixture
def cara(console: Console) -> FlaskClient:
    """A contact officer."""
    return console.handler("cara", role="contact_officer")


def added(console: Console, by: str = "cara", *, repeat: bool = False) -> str:
    """Put Mair Example on record; returns the address of her page."""
    persons = Persons(console.store, console.keys, console.audit)
    return f"/people/{persons.add('Mair Example', FACTS, by=by, now=NOW, repeat=repeat)}"


def housed(client: FlaskClient, path: str, text: str) -> TestResponse:
    """Send the form for an address."""
    return client.post(
        f"{path}/addresses", data={"address": text, "csrf_token": token(client, path)}
    )


def looks(console: Console, path: str) -> list[tuple[str, str]]:
    """What the audit log says of a person: what, and by whom."""
    with reading(console.store.engine) as connection:
        rows = connection.execute(
            select(audit.c.what, audit.c.actor)
            .where(audit.c.record == path.rpartition("/")[2])
            .order_by(audit.c.number)
        ).all()
    return [tuple(row) for row in rows]


def test_an_empty_list_says_what_to_do(cara: FlaskClient) -> None:
    """Both of them."""
    page = words(cara.get("/people"))
    assert "Nobody is known as a repeat victim. Add a person and say so" in page
    assert "Whoever you add, are the point of contact of" in page


def test_somebody_is_added_with_a_number_and_stands_in_the_list(cara: FlaskClient) -> None:
    """The page says what to do next, and shows what is known and what is not."""
    answer = send(
        cara,
        "/people/new",
        name="Mair Example",
        number=NUMBER,
        number_safe="safe",
        safe_hours="weekdays 10:00 to 14:00",
        repeat="yes",
    )
    assert answer.status_code == 303
    page = words(cara.get(answer.headers["Location"]))
    for text in (
        "The person was added, with their number",
        "Mair Example",
        "since 22 Dec 2026, 18:03 GMT",
        NUMBER,
        "Safe: weekdays 10:00 to 14:00",
        "No call from a number of theirs",
    ):
        assert text in page
    listed = words(cara.get("/people"))
    assert listed.count("Mair Example") == 2  # a repeat victim, and one's own


def test_ones_own_people_come_first_and_a_long_list_says_so_at_its_head(
    console: Console, cara: FlaskClient
) -> None:
    """Not under two hundred repeat victims; each list says how many there are."""
    persons = Persons(console.store, console.keys, console.audit)
    for at in range(201):
        persons.add(f"Crowd {at}", by="sue", now=NOW, repeat=True)
    persons.add("Mair Example", by="cara", now=NOW)
    page = words(cara.get("/people"))
    mine, _, others = page.partition("Repeat victims: 201")
    assert "Those you added or work with: 1" in mine
    assert "Mair Example" in mine
    assert others.index("The latest 200 are shown") < others.index("Crowd")


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", "", "Write a name first."),
        ("number", "07700 900123", "Number: Enter the whole number with its country's code"),
        ("number_safe", "perhaps", "May it be called: must be one of unknown, safe, never."),
        ("number", "", "Give the number that this is said of."),
    ],
)
def test_a_new_person_that_is_refused_keeps_what_was_typed(
    cara: FlaskClient, field: str, typed: str, sentence: str
) -> None:
    """In the summary and beside the field."""
    good = {"name": "Mair Example", "number": NUMBER, "number_safe": "safe", "safe_hours": "noon"}
    answer = send(cara, "/people/new", **{**good, field: typed})
    assert answer.status_code == 422
    assert unescape(answer.text).count(sentence) == 2
    assert 'value="noon"' in answer.text
    assert f'href="#{field}"' in answer.text
    assert "Nobody is known as a repeat victim" in words(cara.get("/people"))


@pytest.mark.parametrize("typed", ["mair  EXAMPLE", "example", NUMBER, "0044 7700 900123"])
def test_somebody_is_found_by_words_of_their_name_or_by_a_whole_number(
    console: Console, cara: FlaskClient, typed: str
) -> None:
    """What was looked for stands in no address and no audit entry."""
    path = added(console, by="eve")
    persons = send(cara, "/people/new", name="Ann Other", number="+447700900555")
    assert persons.status_code == 303
    opened = send(cara, path, f"{path}/open", reason="a visit is planned")
    assert opened.status_code == 303
    assert send(cara, path, f"{path}/numbers", number=NUMBER).status_code == 303
    page = send(cara, "/people", "/people/find", who=typed).text
    found = page.partition('id="results"')[2].partition("</section>")[0]
    assert path in found
    assert "Ann Other" not in found
    with reading(console.store.engine) as connection:
        told = list(connection.scalars(select(audit.c.what).where(audit.c.record == "people")))
    assert f"searched people by {'number' if '900' in typed else 'words'}" in told
    assert not any("900123" in one or "xample" in one for one in told)


@pytest.mark.parametrize(
    ("typed", "sentence", "status"),
    [
        ("", "Type a name, words of an address, or a whole number.", 422),
        ("07700 900123", "Enter the whole number", 422),
        ("Nobody Here", "Nobody on record has these words in their name or address", 200),
    ],
)
def test_a_search_that_finds_nobody_says_so(
    cara: FlaskClient, typed: str, sentence: str, status: int
) -> None:
    """And what to do."""
    answer = send(cara, "/people", "/people/find", who=typed)
    assert answer.status_code == status
    assert sentence in words(answer)


def test_whoever_works_with_a_person_opens_them_at_once(
    console: Console, cara: FlaskClient
) -> None:
    """Facts are shown as they were written, and the look is logged without a name."""
    path = added(console, repeat=True)
    page = cara.get(path)
    assert "two &lt;b&gt;small&lt;/b&gt;" in page.text
    told = words(page)
    assert "Never call this person" in told
    for text in ("bluebell", "*7", "none on record"):
        assert text in told
    assert looks(console, path) == [("added a person", "cara"), ("viewed a person", "cara")]


def test_anybody_else_is_asked_why_and_the_reason_is_kept(console: Console) -> None:
    """Before it nothing of the person is shown; after it the page opens for half an hour."""
    path = added(console)
    dan = console.handler("dan", role="contact_officer")
    asked = dan.get(path)
    assert WHY in words(asked)
    assert "Mair" not in asked.text
    assert send(dan, path, f"{path}/open", reason="look").status_code == 422
    assert send(dan, path, f"{path}/open", reason="a visit is planned").status_code == 303
    assert "bluebell" in words(dan.get(path))
    assert looks(console, path)[-1] == ("viewed a person", "dan")
    with reading(console.store.engine) as connection:
        sealed = connection.scalars(select(audit.c.reason).order_by(audit.c.number)).all()
    assert sealed[-1] is not None


@pytest.mark.parametrize(
    "action",
    [
        *("facts", "repeat", "numbers", "numbers/nothing/safe", "numbers/nothing/end"),
        *("addresses", "addresses/nothing/end", "code", "code/end"),
    ],
)
def test_nobody_changes_a_person_they_may_not_open(console: Console, action: str) -> None:
    """The form that asks why stands there instead, and nothing is changed."""
    path = added(console)
    dan = console.handler("dan", role="contact_officer")
    answer = send(dan, path, f"{path}/{action}", name="Changed", number=NUMBER, known="yes")
    assert answer.status_code == 422
    assert WHY in words(answer)
    assert looks(console, path) == [("added a person", "cara")]


def test_facts_are_changed_and_shown(console: Console, cara: FlaskClient) -> None:
    """The form holds what is known; dates read as days, whatever their order."""
    path = added(console)
    form = cara.get(f"{path}/facts").text
    assert 'value="bluebell"' in form
    as_read = form.partition('name="as_read" value="')[2].partition('"')[0]
    answer = send(
        cara,
        f"{path}/facts",
        name="Mair Example-Jones",
        born="1988-02-29",
        marac="2026-06-01; 2026-11-04",
        code_word="heron",
        as_read=as_read,
    )
    assert answer.status_code == 303
    page = words(cara.get(path))
    for text in ("Mair Example-Jones", "heron", "29 Feb 1988", "4 Nov 2026, 1 Jun 2026"):
        assert text in page
    assert "Never call this person" not in page
    assert "1 change of these facts" in page
    assert "Code word was “bluebell”" in page


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", "", "Write a name first."),
        ("born", "1988-02-30", "Date of birth: must be a day like 2026-11-04."),
        ("marac", "soon", "MARAC: must be a day like 2026-11-04."),
        ("key_pattern", "A", "Agreed keys: must be keys of a phone: 0 to 9, * and #."),
        ("notes", "x" * 2001, "Notes: at most 2000 characters"),
    ],
)
def test_facts_that_are_refused_keep_what_was_typed(
    console: Console, cara: FlaskClient, field: str, typed: str, sentence: str
) -> None:
    """And nothing is changed."""
    path = added(console)
    given = {"name": "Mair Example", "orders": "none since June", field: typed}
    answer = send(cara, f"{path}/facts", **given)
    assert answer.status_code == 422
    assert answer.text.count(sentence) == 2
    assert "none since June" in answer.text
    assert "bluebell" in words(cara.get(path))


def test_facts_somebody_else_changed_meanwhile_are_not_overwritten(
    console: Console, cara: FlaskClient
) -> None:
    """409, with what was typed."""
    path = added(console)
    answer = send(cara, f"{path}/facts", name="Mair Example", notes="mine", as_read="old")
    assert answer.status_code == 409
    assert "Somebody else changed this meanwhile" in words(answer)
    assert "mine" in answer.text


def test_a_repeat_victim_is_known_since_a_day_and_can_be_unsaid(
    console: Console, cara: FlaskClient
) -> None:
    """By two buttons, of which one stands there."""
    path = added(console)
    for known, text in (("yes", "since 22 Dec 2026"), ("no", "Known as a repeat victim from now")):
        send(cara, path, f"{path}/repeat", known=known)
        assert text in words(cara.get(path))


def test_a_number_is_added_said_to_be_safe_and_ended(console: Console, cara: FlaskClient) -> None:
    """And one that is refused opens its form again with what was typed."""
    path = added(console)
    refused = send(cara, path, f"{path}/numbers", number="07700", safe_hours="at noon")
    assert refused.status_code == 422
    assert 'value="at noon"' in refused.text
    assert '<details class="more" open>' in refused.text
    assert send(cara, path, f"{path}/numbers", number=NUMBER).status_code == 303
    row = cara.get(path).text.partition(f"{path}/numbers/")[2].partition("/")[0]
    long = "x" * 2001
    again = send(cara, path, f"{path}/numbers/{row}/safe", number_safe="never", safe_hours=long)
    assert again.status_code == 422
    assert long in again.text
    send(cara, path, f"{path}/numbers/{row}/safe", number_safe="never", safe_hours="")
    assert "Never call this person" in words(cara.get(path))
    assert send(cara, path, f"{path}/numbers/{row}/end").status_code == 303
    assert "No number is on record." in words(cara.get(path))
    assert send(cara, path, f"{path}/numbers/{row}/end").status_code == 404


def test_an_address_shows_who_else_is_there_until_it_is_ended(
    console: Console, cara: FlaskClient
) -> None:
    """The other's name is a look at them, and is logged as one."""
    path = added(console)
    other = send(cara, "/people/new", name="Ann Other").headers["Location"].partition("?")[0]
    assert "No address is on record." in words(cara.get(path))
    refused = housed(cara, path, " ,")
    assert refused.status_code == 422
    assert "Write the address in words and figures." in words(refused)
    for one, text in (
        (path, "12 High Street, Kendal LA9 4AB"),
        (other, "12 high street kendal la94ab"),
    ):
        assert housed(cara, one, text).status_code == 303
    page = cara.get(path)
    assert "12 High Street, Kendal LA9 4AB" in words(page)
    assert f'<a href="{other}">Ann Other</a>' in page.text
    assert ("saw who lives at an address", "cara") in looks(console, other)
    row = cara.get(other).text.partition(f"{other}/addresses/")[2].partition("/")[0]
    assert send(cara, other, f"{other}/addresses/{row}/end").status_code == 303
    assert "nobody on record" in words(cara.get(path))


def test_a_handler_opens_from_the_call_whoever_may_be_calling(console: Console) -> None:
    """The holder of the open call needs no reason; the person's page lists the call."""
    made = send(
        console.handler("cara", role="contact_officer"),
        "/people/new",
        name="Mair Example",
        number=NUMBER,
    )
    path = made.headers["Location"].partition("?")[0]
    sid = console.call("55")
    console.drain()
    reference = console.reference(sid)
    anna = console.handler("anna")
    assert f'<a href="{path}">Mair Example</a>' in anna.get(f"/incidents/{reference}").text
    assert WHY in words(anna.get(path))
    headers = {"X-CSRFToken": token(anna, "/people")}
    claimed = anna.post(f"/api/v1/incidents/{reference}/claim", headers=headers)
    assert claimed.status_code == 200
    page = words(anna.get(path))
    assert reference in page
    assert "from their number, not confirmed" in page


def test_with_the_store_away_nothing_is_lost(console: Console, cara: FlaskClient) -> None:
    """The form comes back with what was typed."""
    form = {"name": "Mair Example", "csrf_token": token(cara, "/people/new")}
    with console.store_away():
        answer = cara.post("/people/new", data=form)
    assert answer.status_code == 503
    assert 'value="Mair Example"' in answer.text


def test_nobody_is_at_an_address_that_was_never_given(cara: FlaskClient) -> None:
    """404, for a page and for a reason."""
    assert cara.get("/people/nobody").status_code == 404
    answer = send(cara, "/people", "/people/nobody/open", reason="a visit is planned")
    assert answer.status_code == 404
