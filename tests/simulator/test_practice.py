"""The practice phone, over HTTP: who may use it, and what a call in real time looks like."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount

from simulator.practice import practice
from simulator.target import Target
from tests.simulator.product import ACCOUNT, PUBLIC_URL, TOKEN, Product
from tests.simulator.serving import serving
from tests.waiting import eventually

ASK = '<Gather action="/told" numDigits="2" timeout="9" input="dtmf speech" speechTimeout="1">'
CALLER = "+447700900123"


class Browser:
    """Sends what the practice page sends."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.headers = {"Origin": url, "Cookie": "signed=in"}

    def post(self, path: str, body: object, **headers: str) -> requests.Response:
        """Post JSON from the page."""
        return requests.post(
            f"{self.url}/practice/{path}", json=body, headers={**self.headers, **headers}, timeout=5
        )

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        """Get something."""
        return requests.get(
            f"{self.url}/practice/{path}", headers=self.headers, timeout=5, **kwargs
        )

    def call(self) -> str:
        """Place a call and return its CallSid."""
        return str(self.post("calls", {"from": CALLER}).json()["sid"])

    def hears(self, sid: str, words: str) -> None:
        """Wait until a prompt is spoken: a key in the gap before it is lost, as on a phone."""
        with self.get(f"calls/{sid}/events", stream=True) as feed:
            assert any(words in line for line in feed.iter_lines(decode_unicode=True))

    def happened(self, sid: str) -> list[tuple[str, dict[str, Any]]]:
        """Read the feed of a call that is over."""
        events = []
        for block in self.get(f"calls/{sid}/events").text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if "event" in fields:
                events.append((fields["event"], json.loads(fields["data"])))
        return events


@pytest.fixture
def browser(product: Product) -> Iterator[Browser]:
    """A signed-in browser beside a product with fixed answers."""

    async def signed_in(request: Request) -> bool:
        return request.cookies.get("signed") == "in"

    lines = {"+441632960101": "Not an emergency"}
    app = practice(Target(product.url, PUBLIC_URL, TOKEN, ACCOUNT), signed_in, lines)
    with serving(Starlette(routes=[Mount("/practice", app)])) as url:
        yield Browser(url)
    assert product.unsigned == []


def test_a_key_pressed_in_the_browser_reaches_the_product(
    product: Product, browser: Browser
) -> None:
    """Two keys, one signed request, and the answer is heard; all of it is in the feed."""
    product.answers["/voice/incoming"] = f"{ASK}<Say language='en-GB'>Press 5 twice.</Say></Gather>"
    product.answers["/told"] = "<Say>Thank you.</Say>"
    sid = browser.call()
    browser.hears(sid, "Press 5 twice.")
    assert browser.post(f"calls/{sid}/keys", {"key": "5"}).status_code == 204
    browser.post(f"calls/{sid}/keys", {"key": "5"})
    eventually(lambda: product.form("/told")["Digits"] == "55" if "/told" in product.paths() else 0)
    eventually(lambda: "/voice/status" in product.paths())
    happened = browser.happened(sid)
    assert [data["say"] for name, data in happened if name == "note" and "say" in data] == [
        "Press 5 twice.",
        "Thank you.",
    ]
    web = [data for name, data in happened if name == "web"]
    assert web[0]["signature"]
    assert "<Gather" in web[0]["answer"]
    assert happened[-1] == ("over", {"by": "us"})


def test_the_line_that_is_called_can_be_chosen_among_those_there_are(
    product: Product, browser: Browser
) -> None:
    """And no other number can be, whoever asks."""
    product.answers["/voice/incoming"] = "<Hangup/>"
    told = browser.get("lines").json()
    assert told == [
        {"number": "+441632960055", "name": "Emergency"},
        {"number": "+441632960101", "name": "Not an emergency"},
    ]
    placed = browser.post("calls", {"from": CALLER, "to": told[1]["number"]})
    assert placed.json()["to"] == "+441632960101"
    eventually(lambda: "/voice/incoming" in product.paths())
    assert product.form("/voice/incoming")["To"] == "+441632960101"
    assert browser.post("calls", {"from": CALLER, "to": "+441632960999"}).status_code == 422
    assert browser.happened(placed.json()["sid"])[-1][0] == "over"


def test_words_and_a_hang_up_reach_the_product_too(product: Product, browser: Browser) -> None:
    """Say something: a speech result; hang up: the end of the call."""
    product.answers["/voice/incoming"] = f"{ASK}<Say>Which service?</Say></Gather>"
    product.answers["/told"] = "<Pause length='60'/>"
    sid = browser.call()
    browser.hears(sid, "Which service?")
    assert browser.post(f"calls/{sid}/speech", {"words": "help"}).status_code == 204
    eventually(lambda: "/told" in product.paths())
    assert product.form("/told")["SpeechResult"] == "help"
    assert browser.post(f"calls/{sid}/hangup", {}).status_code == 204
    assert browser.happened(sid)[-1] == ("over", {"by": "caller"})
    assert browser.post(f"calls/{sid}/keys", {"key": "5"}).status_code == 409


def test_the_feed_can_be_taken_up_where_it_was_cut(product: Product, browser: Browser) -> None:
    """Last-Event-ID names the last moment seen; only later ones follow."""
    product.answers["/voice/incoming"] = "<Hangup/>"
    sid = browser.call()
    everything = browser.happened(sid)
    answer = requests.get(
        f"{browser.url}/practice/calls/{sid}/events",
        headers={**browser.headers, "Last-Event-ID": str(len(everything) - 1)},
        timeout=5,
    )
    assert answer.text.count("event: ") == 1
    assert "event: over" in answer.text


def test_nobody_practises_without_signing_in(browser: Browser) -> None:
    """Page, calls and feed: all are for the signed-in."""
    browser.headers["Cookie"] = "signed=out"
    assert browser.get("").status_code == 401
    assert browser.post("calls", {"from": CALLER}).status_code == 401
    assert browser.get("calls/CA1/events").status_code == 401


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_a_foreign_page_cannot_place_a_call(browser: Browser, origin: str) -> None:
    """Orders must come from our own page: the Origin is checked."""
    assert browser.post("calls", {"from": CALLER}, Origin=origin).status_code == 403


@pytest.mark.parametrize("number", ["+447911123456", "999", "", "+4477009001234", "sip:a@b"])
def test_a_practice_call_comes_from_a_made_up_number_only(browser: Browser, number: str) -> None:
    """A real person's number must not stand in practice records."""
    answer = browser.post("calls", {"from": number})
    assert answer.status_code == 422
    assert "made-up numbers" in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "body"),
    [("keys", {"key": "55"}), ("keys", {"key": "A"}), ("speech", {"words": " "}), ("keys", [5])],
)
def test_an_odd_order_is_refused_with_a_sentence(
    product: Product, browser: Browser, path: str, body: object
) -> None:
    """4xx and why, never 5xx."""
    product.answers["/voice/incoming"] = "<Pause length='60'/>"
    sid = browser.call()
    answer = browser.post(f"calls/{sid}/{path}", body)
    assert answer.status_code == 422
    assert answer.json()["error"].endswith(".")
    browser.post(f"calls/{sid}/hangup", {})


def test_an_unknown_call_is_not_found(browser: Browser) -> None:
    """404 for orders and for the feed."""
    assert browser.post("calls/CA0/keys", {"key": "5"}).status_code == 404
    assert browser.get("calls/CA0/events").status_code == 404


def test_a_product_that_does_not_answer_is_an_error_spoken_aloud(
    product: Product, browser: Browser
) -> None:
    """The learner hears and sees what a caller would."""
    happened = browser.happened(browser.call())
    assert any(data.get("kind") == "error" for _, data in happened)
    assert happened[-1] == ("over", {"by": "error"})


def test_rest_orders_reach_a_practice_call(product: Product, browser: Browser) -> None:
    """TWILIO_API_URL in training mode is /practice/twilio: guarded by the account's token."""
    product.answers["/voice/incoming"] = "<Pause/><Say>Hello</Say><Pause length='60'/>"
    product.answers["/ask"] = "<Say>Are you in danger?</Say>"
    sid = browser.call()
    url = f"{browser.url}/practice/twilio/2010-04-01/Accounts/{ACCOUNT}/Calls/{sid}.json"
    order = {"Url": f"{PUBLIC_URL}/ask"}
    assert requests.post(url, data=order, auth=(ACCOUNT, "wrong"), timeout=5).status_code == 401
    eventually(
        lambda: requests.post(url, data=order, auth=(ACCOUNT, TOKEN), timeout=5).status_code == 200
    )
    eventually(lambda: "/ask" in product.paths())


def test_whoever_is_rung_in_practice_takes_the_call(product: Product, browser: Browser) -> None:
    """A handler's phone in a practice conference: nobody is there to press 1, so it presses."""
    product.answers["/page"] = '<Gather action="/taken" numDigits="1"><Say>1?</Say></Gather>'
    product.answers["/taken"] = "<Hangup/>"
    url = f"{browser.url}/practice/twilio/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    order = {"To": "+447700900777", "From": "+441632960055", "Url": f"{PUBLIC_URL}/page"}
    answer = requests.post(url, data=order, auth=(ACCOUNT, TOKEN), timeout=5)
    assert (answer.status_code, answer.json()["status"]) == (201, "queued")
    eventually(
        lambda: product.form("/taken")["Digits"] == "1" if "/taken" in product.paths() else 0
    )


def test_the_page_allows_nothing_but_our_own_files(browser: Browser) -> None:
    """A strict policy, and no inline script or style that would need a looser one."""
    page = browser.get("")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert " style=" not in page.text
    assert " onclick=" not in page.text
    for name in ("practice.js", "practice.css", "sounds.js", "shown.js", "phone.svg"):
        assert browser.get(f"static/{name}").status_code == 200
