"""Every form about people and their work keeps what was typed: store away, or a field wrong.

A route that takes a form and is not in the table fails. The store goes away once, every form is
sent, and each that came back is sent again as it stands there once the store is back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.console.forms import send, token, words
from tests.console.site import NUMBER, Console
from tests.console.test_roles import PAGES
from tests.incidents.calling_back import PHONES

ODD: Final = 'Word with <b> & "quotes", kept'
"""What is typed: a page that forgot to escape it would show."""
LONG: Final = "x" * 5000
ELSEWHERE: Final = re.compile(
    r"POST /(incidents/<reference>/notes|supervisor|users|sign-|invited|incidents/<reference>/open)"
)
"""Forms of other work: a note and the hand-over of a shift have pages of their own that keep it."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form as somebody fills it in: where it goes, and with what.

    ``wrong``: what is changed so that it is refused; None: there is nothing to type.
    ``at``: the page it stands on, if not the path itself.
    """

    path: str
    typed: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] | None = None


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console of the test's own."""
    return Console(data, sqlite_url)


@pytest.fixture
def sue(console: Console) -> FlaskClient:
    """A supervisor, who may fill in every form, and has a phone to call back with."""
    client = console.handler("sue", role="supervisor")
    console.staff.set_phone("sue", PHONES["sue"], by="test", now=console.now)
    for name in ("cara", "dan"):
        console.handler(name, role="contact_officer")
    return client


def made(answer: TestResponse) -> str:
    """The address a form led to, which must have been taken."""
    assert answer.status_code == 303, words(answer)
    return str(answer.location).partition("?")[0]


def ids(client: FlaskClient, page: str, pattern: str) -> list[str]:
    """What of a page's addresses stands in brackets in ``pattern``."""
    return re.findall(pattern, client.get(page).text)


def silent(console: Console, number: str) -> str:
    """Have a call end without a sign; returns its reference."""
    sid = console.call(number=number, ends=True)
    console.drain()
    return console.reference(sid)


def filled(console: Console, sue: FlaskClient) -> dict[str, Form]:
    """Put people and work on record through the forms; return every form, filled in."""
    csrf = {"csrf_token": token(sue, "/people/new")}
    mair = made(
        send(
            sue,
            "/people/new",
            name="Mair Example",
            number=NUMBER,
            number_safe="safe",
            safe_hours="any time",
        )
    )
    twin = made(send(sue, "/people/new", name="M. Example", number="+447700900124"))
    third = made(send(sue, "/people/new", name="Third Example"))
    made(sue.post(f"{mair}/addresses", data={**csrf, "address": "12 High Street"}))
    made(sue.post(f"{mair}/addresses", data={**csrf, "address": "14 High Street"}))
    made(send(sue, f"{mair}/merge", other=third.split("/")[-1], reason="the same"))
    (number,) = ids(sue, mair, r"/numbers/([^/]+)/end")
    made(send(sue, mair, f"{mair}/numbers", number="+447700900125", number_safe="unknown"))
    (other_number,) = {*ids(sue, mair, r"/numbers/([^/]+)/end")} - {number}
    (home, other_home) = ids(sue, mair, r"/addresses/([^/]+)/end")
    (merge,) = ids(sue, mair, r"/merge/([^/]+)/undo")
    operation = made(send(sue, "/operations/new", **SEASON))
    made(send(sue, operation, f"{operation}/people", person="Mair Example", part="victim"))
    (place,) = ids(sue, operation, r"/people/([^/]+)/out")
    closing = made(send(sue, "/operations/new", **{**SEASON, "name": "Operation Two"}))
    person = mair.split("/")[-1]
    contact, gone = f"/contacts/people/{person}", f"/contacts/people/{twin.split('/')[-1]}"
    for one, officer in ((contact, "cara"), (gone, "sue")):
        made(send(sue, one, spoc=officer, deputy="", reason="", seen=""))
    seen = re.findall(r'name="seen" value="([^"]*)"', sue.get(contact).text)[0]
    seen_there = re.findall(r'name="seen" value="([^"]*)"', sue.get(gone).text)[0]
    later = made(send(sue, "/people/new", name="Fourth Example"))
    later = f"/contacts/people/{later.split('/')[-1]}"
    planned = {"spoc": "cara", "deputy": "", "reason": "", "starts": "2027-01-04"}
    made(send(sue, later, **planned, seen=""))
    made(send(sue, "/contacts", "/contacts/absences", **AWAY_DAYS))
    (absence,) = ids(sue, "/contacts", r"/absences/([^/]+)/end")
    call = f"/incidents/{silent(console, NUMBER)}"
    reviewed = silent(console, "+447700900130")
    looked = silent(console, "+447700900131")
    ben = console.handler("ben")
    review = {"decision": "no_concern", "said": "nothing", "seen": ""}
    made(send(ben, f"/review?call={looked}", f"/review/{looked}", **review))
    follow_ups = [
        made(send(sue, f"{call}/follow-ups", **{**FOLLOW_UP, "text": f"Number {one}"}))
        for one in range(3)
    ]
    marker = {**MARKER, "reason": "MARAC"}
    made(send(sue, f"{twin}/markers", **marker, home=""))
    (marked,) = ids(sue, f"{twin}/markers", r'href="(/markers/[^"]+)"')
    made(send(sue, f"{call}/markers", **{**marker, "kind": "weapons"}))
    ending = ids(sue, f"{call}/markers", r'href="(/markers/[^"]+)"')[0]
    (callable_, _) = ids(sue, f"{mair}/call-back", r'name="number" value="([^"]+)"')
    asked = {"number": callable_, "reason": "She asked", "call": ""}
    backs = [made(send(sue, f"{mair}/call-back", **asked)) for _ in range(3)]
    tokens = [console.callbacks.one(one.split("/")[-1]).sealed.token for one in backs]
    for one, secret in zip(backs[1:], tokens[1:], strict=True):
        # A number is called by one officer at a time: one is finished before the next begins.
        made(send(sue, one, f"{one}/start", token=secret))
        if one == backs[1]:
            made(send(sue, one, f"{one}/result", result="no_answer", said=""))
    del backs[1]
    told = console.call(number="+447700900124")
    console.drain()
    told = console.reference(told)
    facts = sue.get(f"{mair}/facts").text
    as_read = re.findall(r'name="as_read" value="([^"]*)"', facts)[0]
    return {
        "/people/find": Form("/people/find", {"who": "Mair <b>"}, {"who": "<"}),
        "/people/new": Form("/people/new", {"name": ODD, "number": ""}, {"number": "12 <"}),
        "/people/<id_>/open": Form(f"{twin}/open", {"reason": ODD}, {"reason": "<b>"}),
        "/people/<id_>/facts": Form(
            f"{mair}/facts",
            {"name": "Mair Example", "notes": ODD, "as_read": as_read},
            {"born": "no <day>"},
        ),
        "/people/<id_>/repeat": Form(f"{mair}/repeat", {"known": "yes"}),
        "/people/<id_>/code": Form(f"{mair}/code"),
        "/people/<id_>/code/end": Form(f"{mair}/code/end"),
        "/people/<id_>/numbers": Form(
            f"{mair}/numbers",
            {"number": "+447700900126", "number_safe": "safe", "safe_hours": ODD},
            {"number": "126 <b>"},
        ),
        "/people/<id_>/numbers/<place>/safe": Form(
            f"{mair}/numbers/{other_number}/safe",
            {"number_safe": "safe", "safe_hours": ODD},
            {"safe_hours": LONG},
        ),
        "/people/<id_>/numbers/<place>/end": Form(
            f"{mair}/numbers/{other_number}/end", {"why": ODD}, {"why": LONG}
        ),
        "/people/<id_>/addresses": Form(f"{mair}/addresses", {"address": ODD}, {"address": LONG}),
        "/people/<id_>/addresses/<place>/end": Form(
            f"{mair}/addresses/{home}/end", {"why": ODD}, {"why": LONG}
        ),
        "/people/<id_>/merge/<place>/undo": Form(
            f"{mair}/merge/{merge}/undo", {"why": ODD}, {"why": LONG}
        ),
        "/people/<id_>/merge": Form(
            f"{twin}/merge", {"name": "Third Example", "reason": ODD}, {"name": "Nobody <b>"}
        ),
        "/people/<id_>/follow-ups": Form(
            f"{mair}/follow-ups",
            {f"follow_up_{name}": text for name, text in {**FOLLOW_UP, "text": ODD}.items()},
            {"follow_up_due": "soon"},
        ),
        "/people/<person>/markers": Form(
            f"{mair}/markers",
            {**MARKER, "home": other_home, "reason": ODD},
            {"until": "someday <b>"},
        ),
        "/people/<person>/call-back": Form(
            f"{mair}/call-back", {"number": callable_, "reason": ODD}, {"number": ""}
        ),
        "/incidents/<reference>/follow-ups": Form(
            f"{call}/follow-ups", {**FOLLOW_UP, "text": ODD}, {"text": LONG}
        ),
        "/incidents/<reference>/markers": Form(
            f"{call}/markers", {**MARKER, "action": ODD}, {"reason": ""}
        ),
        "/follow-ups/<id_>/close": Form(
            f"{follow_ups[0]}/close",
            {"outcome": "seen_support_taken", "said": ODD},
            {"outcome": ""},
        ),
        "/follow-ups/<id_>/owner": Form(
            f"{follow_ups[1]}/owner", {"owner": "cara", "reason": ODD}, {"owner": ""}
        ),
        "/follow-ups/<id_>/due": Form(
            f"{follow_ups[2]}/due",
            {"due": "2026-12-29T17:00", "reason": ODD},
            {"reason": LONG},
        ),
        "/markers/<id_>/review": Form(
            f"{marked}/review", {**REVIEW, "action": ODD}, {"until": "someday"}
        ),
        "/markers/<id_>/end": Form(f"{ending}/end", {"why": ODD}, {"why": LONG}),
        "/review/<reference>": Form(
            f"/review/{reviewed}",
            {"decision": "follow_up", "said": ODD, "seen": ""},
            {"said": LONG},
        ),
        "/review/second/<reference>": Form(
            f"/review/second/{looked}", {"finding": "agrees", "said": ODD}, {"said": LONG}
        ),
        "/call-backs/<id_>/confirmed": Form(
            f"{backs[1]}/confirmed", {"who": "yes", "safe": "yes"}, {"safe": ""}
        ),
        "/call-backs/<id_>/result": Form(
            f"{backs[1]}/result", {"result": "spoken_concern", "said": ODD}, {"result": ""}
        ),
        "/call-backs/<id_>/start": Form(f"{backs[0]}/start", {"token": tokens[0]}),
        "/operations/new": Form(
            "/operations/new", {**SEASON, "name": ODD}, {"from_day": "some <day>"}
        ),
        "/operations/<id_>/people": Form(
            f"{operation}/people", {"person": "M. Example", "part": "victim"}, {"person": ODD}
        ),
        "/operations/<id_>/people/<place>/out": Form(f"{operation}/people/{place}/out"),
        "/operations/<id_>/rule": Form(f"{operation}/rule"),
        "/operations/<id_>/visits": Form(
            f"{operation}/visits", {"owner": "cara", "due": "2026-12-29"}, {"due": "some <day>"}
        ),
        "/operations/<id_>/close": Form(f"{closing}/close"),
        "/contacts/people/<id_>": Form(
            contact,
            {**planned, "spoc": "dan", "deputy": "cara", "reason": ODD, "seen": seen},
            {"starts": "some <day>"},
        ),
        "/contacts/people/<id_>/take-back": Form(
            f"{later}/take-back", {"reason": ODD}, {"reason": LONG}
        ),
        "/contacts/people/<id_>/end": Form(
            f"{gone}/end", {"reason": ODD, "seen": seen_there}, {"reason": LONG}
        ),
        "/contacts/absences": Form(
            "/contacts/absences",
            {**AWAY_DAYS, "officer": "dan", "cover": "sue"},
            {"to_day": "some <day>"},
        ),
        "/contacts/absences/<id_>/end": Form(f"/contacts/absences/{absence}/end"),
        "/contacts/calls/<reference>/seen": Form(
            f"/contacts/calls/{told}/seen", {"next": "/my-day"}
        ),
        "/search": Form("/search", {"terms": "bluebell <b>"}, {"terms": "QL-<b>"}),
    }


SEASON: Final = {
    "name": "Operation One",
    "area": "Kendal",
    "from_day": "2026-12-01",
    "to_day": "2027-01-05",
    "baseline_from": "",
    "baseline_to": "",
}
AWAY_DAYS: Final = {
    "officer": "cara",
    "from_day": "2027-01-04",
    "to_day": "2027-01-06",
    "cover": "dan",
}
FOLLOW_UP: Final = {
    "kind": "visit_victim",
    "text": "Go there",
    "owner": "sue",
    "due": "2026-12-28T17:00",
}
MARKER: Final = {
    "kind": "hard_to_reach",
    "action": "Wait longer",
    "owner": "sue",
    "until": "2027-03-01",
    "reason": "Known",
}
REVIEW: Final = {name: text for name, text in MARKER.items() if name != "kind"}


class Forms(HTMLParser):
    """The forms of a page's main part, with what a browser would send of each."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self._name = ""
        self._text: list[str] | None = None
        self._options: list[tuple[str, bool]] = []
        self.feed(page.partition("<main")[2].partition("</main>")[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what a field holds; of what can be ticked, what is."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((given.get("action", ""), {}))
        elif tag == "input" and given.get("name"):
            if given.get("type") not in ("radio", "checkbox") or "checked" in given:
                self.found[-1][1][given["name"]] = given.get("value", "")
        elif tag == "textarea":
            self._name, self._text = given["name"], []
        elif tag == "select":
            self._name, self._options = given["name"], []
        elif tag == "option":
            self._text = []
            self._options.append((given.get("value", "\0"), "selected" in given))

    def handle_data(self, data: str) -> None:
        """Keep what stands in a text or an option."""
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        """End a field: a choice is the one selected, or the first."""
        if tag == "textarea":
            self.found[-1][1][self._name] = "".join(self._text or ())
            self._text = None
        elif tag == "option":
            value, chosen = self._options[-1]
            text = "".join(self._text or ()) if value == "\0" else value
            self._options[-1], self._text = (text, chosen), None
        elif tag == "select":
            values = [text for text, chosen in self._options if chosen]
            values += [text for text, _ in self._options]
            self.found[-1][1][self._name] = values[0]


def sent_again(client: FlaskClient, path: str, page: str) -> TestResponse:
    """Send the one form of a page as it stands there. ``path``: where it came from."""
    ((action, fields),) = Forms(page).found
    return client.post(action or path, data=fields)


def lost(page: str, form: Mapping[str, str]) -> list[str]:
    """What was typed and does not stand on a page any more."""
    return [
        name
        for name, text in form.items()
        if str(escape(text, quote=False)) not in page.replace("&#34;", '"').replace("&#39;", "'")
    ]


def test_every_form_about_people_and_their_work_is_in_the_table(
    console: Console, sue: FlaskClient
) -> None:
    """Whoever adds a form fills it in here."""
    there = {
        one.removeprefix("POST ")
        for one in PAGES
        if one.startswith("POST") and not ELSEWHERE.match(one)
    }
    assert there == set(filled(console, sue))


def test_with_the_store_away_every_form_comes_back_as_typed_and_can_be_sent_again(
    console: Console, sue: FlaskClient
) -> None:
    """It says what happened and what to do; sent again as it stands there, it is taken."""
    forms = filled(console, sue)
    csrf = token(sue, "/people/new")
    with console.store_away():
        answers = {
            route: sue.post(form.path, data={**form.typed, "csrf_token": csrf})
            for route, form in forms.items()
        }
    wrong = []
    for route, answer in answers.items():
        kept = lost(answer.text, forms[route].typed)
        if answer.status_code != 503 or kept or "What you typed stays here" not in answer.text:
            wrong.append(f"{route}: {answer.status_code}, lost {kept}")
            continue
        again = sent_again(sue, forms[route].path, answer.text)
        if again.status_code not in (200, 303):
            why = words(again).partition("There is a problem")[2][:200]
            wrong.append(f"{route}: sent again, {again.status_code}: {why}")
    assert not wrong, "\n".join(wrong)


def test_with_a_field_wrong_every_form_comes_back_as_typed(
    console: Console, sue: FlaskClient
) -> None:
    """Refused with what is wrong, and all the rest still stands there."""
    forms = filled(console, sue)
    csrf = token(sue, "/people/new")
    wrong = []
    for route, form in forms.items():
        if form.wrong is None:
            continue
        typed = {**form.typed, **form.wrong}
        answer = sue.post(form.path, data={**typed, "csrf_token": csrf})
        kept = lost(answer.text, typed)
        if answer.status_code != 422 or kept or 'role="alert"' not in answer.text:
            wrong.append(f"{route}: {answer.status_code}, lost {kept}: {words(answer)[:300]}")
    assert not wrong, "\n".join(wrong)


def test_what_signs_somebody_in_is_never_given_back(console: Console) -> None:
    """A password stands on no page, whatever is away."""
    client = console.stranger()
    console.handler("anna")
    form = {"name": "anna", "password": "a long enough password"}
    csrf = token(client, "/sign-in")
    with console.store_away():
        answer = client.post("/sign-in", data={**form, "csrf_token": csrf})
    assert answer.status_code == 503
    assert form["password"] not in answer.text
