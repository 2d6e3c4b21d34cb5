"""The practice page in a real browser: by mouse, by keyboard, narrow, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount

from simulator.practice import practice
from simulator.target import Target
from tests.simulator.product import ACCOUNT, PUBLIC_URL, TOKEN, Product
from tests.simulator.serving import serving
from tests.waiting import eventually

ASK = '<Gather action="/told" numDigits="2" timeout="60" input="dtmf speech" speechTimeout="1">'
PROMPT = '<Say language="en-GB">Press 5 twice.</Say></Gather>'
SMALLEST_TARGET = 44


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """A Chromium for this module."""
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def address(product: Product) -> Iterator[str]:
    """A practice phone in front of a product that asks for 55."""
    product.answers["/voice/incoming"] = ASK + PROMPT
    product.answers["/told"] = "<Say>Please stay on the line.</Say><Pause length='60'/>"

    async def signed_in(_: Request) -> bool:
        return True

    app = practice(Target(product.url, PUBLIC_URL, TOKEN, ACCOUNT), signed_in)
    with serving(Starlette(routes=[Mount("/practice", app)])) as url:
        yield f"{url}/practice/"


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The practice page, and nothing in its console."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    yield page
    page.close()
    assert complaints == []


def test_a_call_by_mouse(page: Page, product: Product) -> None:
    """Call, press 5 and 5 on the keypad, hang up; every button is known by its name."""
    page.get_by_role("button", name="Call").click()
    expect(page.get_by_role("log")).to_contain_text("“Press 5 twice.”")
    page.get_by_role("button", name="5", exact=False).first.click()
    page.get_by_role("button", name="5", exact=False).first.click()
    expect(page.get_by_role("log")).to_contain_text("stay on the line")
    assert product.form("/told")["Digits"] == "55"
    expect(page.locator("#pressed")).to_have_text("55")
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_role("status")).to_have_text("Call over")
    eventually(lambda: "/voice/status" in product.paths())


def test_a_call_by_keyboard_alone(page: Page, product: Product) -> None:
    """Enter calls, digits press keys, Escape hangs up, and Enter calls again."""
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("“Press 5 twice.”")
    page.keyboard.type("*5")
    eventually(lambda: product.form("/told")["Digits"] == "*5" if "/told" in product.paths() else 0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("status")).to_have_text("Call over")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Line open")
    page.keyboard.press("Escape")
    expect(page.get_by_role("status")).to_have_text("Call over")


def test_digits_typed_into_a_box_are_not_keys_of_the_phone(page: Page, product: Product) -> None:
    """Saying "5" is a word."""
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Line open")
    page.get_by_label("Say something").fill("")
    page.get_by_label("Say something").type("5 of us")
    page.keyboard.press("Enter")
    eventually(lambda: "/told" in product.paths())
    assert product.form("/told")["SpeechResult"] == "5 of us"
    page.keyboard.press("Escape")
    expect(page.get_by_role("status")).to_have_text("Call over")


def test_who_is_calling_can_be_chosen(page: Page, product: Product) -> None:
    """Mobile, landline or withheld, always a number nobody owns."""
    page.get_by_role("radio", name="Landline").check()
    assert page.get_by_label("Number").input_value().startswith("+441632960")
    page.get_by_role("radio", name="Withheld").check()
    page.get_by_role("button", name="Call").click()
    eventually(lambda: product.posted)
    assert product.form("/voice/incoming")["From"] == "anonymous"
    expect(page.get_by_role("status")).to_have_text("Line open")
    page.keyboard.press("Escape")
    expect(page.get_by_role("status")).to_have_text("Call over")


def test_under_the_bonnet_stand_the_signed_request_and_the_twiml(page: Page) -> None:
    """For those who want to look."""
    page.keyboard.press("Enter")
    page.get_by_text("Under the bonnet").click()
    requests = page.get_by_role("region", name="Requests")
    expect(requests).to_contain_text("X-Twilio-Signature")
    expect(requests).to_contain_text("<Gather")
    page.keyboard.press("Escape")
    expect(page.get_by_role("status")).to_have_text("Call over")


def test_sound_can_be_turned_off_and_says_so(page: Page) -> None:
    """A visible mute."""
    page.get_by_role("button", name="Sound on").click()
    expect(page.get_by_role("button", name="Sound off")).to_be_visible()


def test_it_says_that_it_is_practice_and_cannot_reach_999(page: Page) -> None:
    """Rule 12: honest about itself."""
    expect(page.get_by_text("It cannot reach 999 or anybody.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_and_everything_can_be_hit(
    browser: Browser, address: str, scheme: Literal["light", "dark"], width: int
) -> None:
    """In both schemes, as a side panel and on a desk: names, contrast, targets, no overflow."""
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    page.goto(address)
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("“Press 5 twice.”")
    page.get_by_text("Under the bonnet").click()
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for target in page.locator("button:visible, summary, input:visible, a:visible").all():
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= SMALLEST_TARGET, target.inner_text()
    page.keyboard.press("Escape")
    expect(page.get_by_role("status")).to_have_text("Call over")
    page.close()


def test_a_question_interrupts_and_stays_in_sight_with_the_way_to_answer(
    page: Page, product: Product, address: str
) -> None:
    """An order from the console: the page shows the question, and how yes and no are given."""
    product.answers["/ask"] = (
        '<Gather action="/told" numDigits="3" timeout="60">'
        '<Say language="en-GB">Are you hurt?</Say>'
        '<Say language="en-GB">For yes, press any key twice. For no, press once.</Say></Gather>'
    )
    with page.expect_response("**/calls") as placed:
        page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("“Press 5 twice.”")
    expect(page.locator("#how")).to_be_hidden()
    page.keyboard.press("5")
    expect(page.locator("#pressed")).to_have_text("5")
    calls = f"{address}twilio/2010-04-01/Accounts/{ACCOUNT}/Calls"
    order = {"Url": f"{PUBLIC_URL}/ask"}
    sid = placed.value.json()["sid"]
    assert requests.post(f"{calls}/{sid}.json", order, auth=(ACCOUNT, TOKEN), timeout=5).ok
    log = page.get_by_role("log")
    expect(log).to_contain_text("Quietline interrupts, by an order from the console.")
    expect(log).to_contain_text("half typed when the order came: 5 is lost")
    expect(log).to_contain_text("For yes, press any key twice.")
    expect(page.locator("#hearing")).to_have_text("“Are you hurt?”")
    expect(page.locator("#how")).to_be_visible()
    expect(page.locator("#how")).to_have_text("Yes: any key twice No: any key once")
    page.keyboard.type("55")
    page.keyboard.press("Escape")
    expect(page.get_by_role("status")).to_have_text("Call over")
    expect(page.locator("#how")).to_be_hidden()


def test_several_phones_are_several_calls(page: Page) -> None:
    """A second phone in a window of its own: each hears its own call."""
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Another phone").click()
    second = opened.value
    for phone in (page, second):
        phone.get_by_role("button", name="Call").click()
        expect(phone.get_by_role("status")).to_have_text("Line open")
    second.keyboard.press("Escape")
    expect(second.get_by_role("status")).to_have_text("Call over")
    expect(page.get_by_role("status")).to_have_text("Line open")
    page.keyboard.press("Escape")
    expect(page.get_by_role("status")).to_have_text("Call over")
    second.close()
