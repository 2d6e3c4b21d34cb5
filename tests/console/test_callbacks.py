"""Calling back on the console: two steps, a script that names nobody, a result, my day."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from console.telling import told
from incidents.fold import Entry
from incidents.persons import Facts
from incidents.safe_contact import SafeContact
from tests.console.forms import send, words
from tests.console.site import NOW, Console
from tests.incidents.calling_back import PHONES, SAFE, THEIRS, Office

NAME = "Ada Example"


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console of the test's own."""
    return Console(data, sqlite_url)


def officer(console: Console, name: str = "cara", role: str = "contact_officer") -> FlaskClient:
    """Sign somebody in who has a phone."""
    client = console.handler(name, role=role)
    console.staff.set_phone(name, PHONES[name], by="test", now=NOW)
    return client


def known(
    console: Console, contact: SafeContact = SAFE, by: str = "cara", facts: Facts | None = None
) -> tuple[str, str]:
    """Have Ada known with a number; returns the page to call her back, and the number's row.

    ``by``: whose work she is, who is not asked why they open her.
    """
    office = Office(console.store, console.keys)
    person, row = office.person(contact, name=NAME, by=by, facts=facts)
    return f"/people/{person}/call-back", row


def says_why(client: FlaskClient, page: str) -> None:
    """Say why somebody is opened who is not one's own work."""
    person = page.removesuffix("/call-back")
    send(client, person, f"{person}/open", reason="Asked for by the inspector")


def confirm(console: Console, client: FlaskClient, one: str) -> None:
    """Confirm what was asked for."""
    id_ = one.rpartition("/")[2]
    token = console.callbacks.one(id_).sealed.token
    assert send(client, one, f"{one}/start", token=token).status_code == 303


def started(console: Console, client: FlaskClient, facts: Facts | None = None) -> str:
    """Have a call-back confirmed; returns its page."""
    page, row = known(console, facts=facts)
    one = send(client, page, number=row).headers["Location"]
    confirm(console, client, one)
    return one


def test_a_call_back_takes_two_steps(console: Console) -> None:
    """Asked for: what will happen is shown and nobody is rung. Confirmed: the officer is."""
    cara = officer(console)
    page, row = known(console, facts=Facts(safe_words="About your parcel"))
    answer = send(cara, page, number=row)
    assert answer.status_code == 303
    assert console.calls.rung == []
    one = answer.headers["Location"]
    shown = words(cara.get(one))
    for what in ("Your own phone rings", NAME, THEIRS, "About your parcel", "No message is ever"):
        assert what in shown
    confirm(console, cara, one)
    assert console.calls.rung == [PHONES["cara"]]
    assert "Your own phone is being rung" in words(cara.get(one))


def test_the_script_names_nobody_until_the_person_has_said_who_they_are(console: Console) -> None:
    """No name, no number, no police; then the name, and what must be known."""
    cara = officer(console)
    one = started(console, cara, Facts(code_word="Bluebell"))
    script = cara.get(one).text
    for told_too_early in (NAME, "Ada", THEIRS, "Bluebell", "police", "victim"):
        assert told_too_early not in script.partition("<main")[2].partition("</main>")[0]
    assert "is that the owner of this phone" in script
    assert "Spoken to" not in script
    assert send(cara, one, f"{one}/confirmed", who="yes").status_code == 422
    assert send(cara, one, f"{one}/confirmed", who="yes", safe="yes").status_code == 303
    script = cara.get(one).text
    assert NAME in script
    assert "Bluebell" in script
    assert "Spoken to" in script


def test_a_wrong_voice_is_one_click(console: Console) -> None:
    """The closing sentence stands beside the script; it is finished with that result."""
    cara = officer(console)
    one = started(console, cara)
    assert "I have the wrong number" in cara.get(one).text
    assert send(cara, one, f"{one}/result", result="wrong_voice").status_code == 303
    assert "Finished: Wrong voice" in words(cara.get(one))


def test_it_stands_on_my_day_until_it_has_a_result(console: Console) -> None:
    """Without a name."""
    cara = officer(console)
    one = started(console, cara)
    day = cara.get("/my-day").text
    assert f'href="{one}"' in day
    assert NAME not in day
    answer = send(cara, one, f"{one}/result", result="", said="kept words")
    assert answer.status_code == 422
    assert "kept words" in answer.text
    assert 'id="result-fault"' in answer.text
    send(cara, one, f"{one}/result", result="no_answer", said="")
    assert f'href="{one}"' not in cara.get("/my-day").text


def test_an_hour_that_is_not_safe_is_refused_and_says_why(console: Console) -> None:
    """To an officer; a supervisor gives a reason, which is kept when it is missing."""
    cara, sue = officer(console), officer(console, "sue", "supervisor")
    page, row = known(console, SafeContact("safe", "weekdays 09:00-12:00"))
    assert "Tuesday 18:03 GMT" in cara.get(page).text
    assert 'name="reason"' not in cara.get(page).text
    answer = send(cara, page, number=row, reason="I think it is fine")
    assert answer.status_code == 422
    assert "A supervisor may start it" in answer.text
    says_why(sue, page)
    answer = send(sue, page, number=row, reason="")
    assert answer.status_code == 422
    assert 'id="reason-fault"' in answer.text
    one = send(sue, page, number=row, reason="Threat to life").headers["Location"]
    assert "Threat to life" in sue.get(one).text


def test_never_call_is_said_loudly(console: Console) -> None:
    """On the page that asks, and again on the one that confirms."""
    sue = officer(console, "sue", "supervisor")
    page, row = known(console, by="sue", facts=Facts(never_call=True))
    assert "Never call this person." in sue.get(page).text
    one = send(sue, page, number=row, reason="Threat to life").headers["Location"]
    assert "Marked: never call." in sue.get(one).text


def test_it_comes_from_a_call_and_goes_back_to_it(console: Console) -> None:
    """The call's page leads there, and its timeline tells it."""
    cara = officer(console)
    reference = console.reference(console.call("55", number=THEIRS, purpose="live"))
    console.drain()
    page, row = known(console)
    assert f'href="{page}?call={reference}"' in cara.get(f"/incidents/{reference}").text
    one = send(cara, f"{page}?call={reference}", page, number=row, call=reference).headers[
        "Location"
    ]
    confirm(console, cara, one)
    record = cara.get(f"/incidents/{reference}").text
    assert "Call-back asked for" in record
    assert "Call-back started" in record
    assert console.calls.rung == [PHONES["cara"]]


def test_only_who_asked_confirms_or_finishes(console: Console) -> None:
    """Another officer sees that it is under way, without the means to go on."""
    cara, sue = officer(console), officer(console, "sue", "supervisor")
    page, row = known(console)
    one = send(cara, page, number=row).headers["Location"]
    assert "Why do you open this person?" in sue.get(one).text
    says_why(sue, page)
    assert 'name="token"' not in sue.get(one).text
    confirm(console, cara, one)
    assert "cara is on this call-back" in sue.get(one).text
    answer = send(sue, one, f"{one}/result", result="no_answer")
    assert answer.status_code == 409


def test_a_form_sent_for_anothers_call_back_is_no_way_round_the_reason(console: Console) -> None:
    """What is refused would else come with the page, and the page with whoever is called back."""
    cara, sue = officer(console), officer(console, "sue", "supervisor")
    page, row = known(console)
    one = send(cara, page, number=row).headers["Location"]
    for deed in ("start", "confirmed", "result"):
        answer = send(sue, one, f"{one}/{deed}", token="", result="no_answer")
        assert answer.status_code == 422
        assert "Why do you open this person?" in answer.text
        assert NAME not in answer.text


def test_a_second_confirmation_rings_nobody(console: Console) -> None:
    """The form sent again, or an old page."""
    cara = officer(console)
    one = started(console, cara)
    answer = send(cara, one, f"{one}/start", token="")
    assert answer.status_code == 409
    assert console.calls.rung == [PHONES["cara"]]


def test_an_officer_without_a_phone_is_told_what_to_do(console: Console) -> None:
    """Theirs would ring first."""
    dan = console.handler("dan")
    page, row = known(console, by="dan")
    answer = send(dan, page, number=row)
    assert answer.status_code == 422
    assert "No phone is registered for you" in answer.text


def test_a_person_without_a_number_has_an_empty_state(console: Console) -> None:
    """It says what to do."""
    person = Office(console.store, console.keys).persons.add(NAME, by="dan", now=NOW)
    page = console.handler("dan").get(f"/people/{person}/call-back").text
    assert "No number of this person is on record" in page


def test_who_is_not_ones_own_work_is_opened_with_a_reason(console: Console) -> None:
    """As their own page is; without one nothing is shown and nothing asked for."""
    cara = officer(console)
    page, row = known(console, by="anna")
    assert THEIRS not in cara.get(page).text
    answer = send(cara, page, number=row)
    assert answer.status_code == 422
    assert "Why do you open this person?" in answer.text
    says_why(cara, page)
    assert send(cara, page, number=row).status_code == 303


def test_a_persons_page_tells_of_their_call_backs(console: Console) -> None:
    """And leads to the next."""
    cara = officer(console)
    page, row = known(console)
    person = page.removesuffix("/call-back")
    shown = cara.get(person).text
    assert "Nobody has called this person back" in shown
    assert f'href="{page}"' in shown
    confirm(console, cara, send(cara, page, number=row).headers["Location"])
    assert "Your own phone is being rung" in cara.get(person).text


def test_what_nobody_knows_is_not_found(console: Console) -> None:
    """A person, a call-back, a call."""
    cara = officer(console)
    page, row = known(console)
    for path in ("/people/nobody/call-back", "/call-backs/nothing", f"{page}?call=QL-1"):
        assert cara.get(path).status_code == 404
    assert send(cara, page, number=row, call="QL-7K3M-9F2X-HC5").status_code == 404


@pytest.mark.parametrize(
    ("kind", "data", "what", "detail", "quote"),
    [
        (
            "callback_asked",
            {"by": "sue", "against": "Not safe.", "reason": "Threat"},
            "Call-back asked for",
            "sue, against: Not safe.",
            "Threat",
        ),
        (
            "callback_started",
            {"by": "cara", "training": True},
            "Call-back started",
            "in training, nobody is rung, cara",
            "",
        ),
        (
            "wrong_voice",
            {"by": "cara", "said": "A man"},
            "Wrong voice on a call-back: somebody else answered",
            "cara",
            "A man",
        ),
        (
            "callback_ended",
            {"name": "cara", "status": "no-answer"},
            "The call-back is over",
            "no-answer, cara",
            "",
        ),
        (
            "callback_finished",
            {"by": "cara", "result": "Spoken to; safe now", "said": ""},
            "Call-back finished",
            "Spoken to; safe now, cara",
            "",
        ),
    ],
)
def test_a_timeline_tells_call_backs(
    kind: str, data: dict[str, object], what: str, detail: str, quote: str
) -> None:
    """Who, against which mark and why, and how it ended."""
    found = told(Entry("1", NOW, kind, data))
    assert (found.what, found.detail, found.quote) == (what, detail, quote)
