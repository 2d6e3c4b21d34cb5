"""axe finds nothing at all on any page, in both themes, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests import running
from tests.browser.calls import Call, Exchange, an_evening
from tests.browser.screen import Screen

Screens = Callable[..., Screen]
Colleagues = dict[str, tuple[str, str]]


def findings(page: Page) -> list[str]:
    """Everything axe finds."""
    # Half-faded colours of a row that has just arrived are not what stays.
    page.emulate_media(reduced_motion="reduce")
    return [
        f"{found['impact']} {found['id']}: {[node['html'] for node in found['nodes']]}"
        for found in Axe().run(page).response["violations"]
    ]


def worked(screen: Screen, call: Call) -> Page:
    """Open a call and do what puts every kind of thing on its page."""
    page = screen.open(f"/incidents/{call.reference}")
    screen.hears()
    page.keyboard.press("c")
    expect(page.locator(".summary .whose")).to_have_text("Yours")
    page.locator("#grade").select_option("priority")
    page.locator("#grade").press("Enter")
    expect(page.locator(".graded")).to_contain_text("Priority")
    page.get_by_label("Where the caller is").fill("12 High Street")
    page.get_by_label("Where the caller is").press("Enter")
    expect(page.locator(".place")).to_be_visible()
    page.locator("#grade").select_option("none")
    page.locator("#grade").press("Enter")
    page.get_by_label("Reason").first.fill("A child played with the phone")
    page.get_by_role("button", name="Propose it").click()
    expect(page.locator(".proposal")).to_be_visible()
    return page


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_nothing(screens: Screens, exchange: Exchange, theme: str, width: int) -> None:
    """Board, help, a call before and while it is worked, its dialogs, review, no such page."""
    call, dropped = an_evening(exchange)[:2]
    screen = screens(theme=theme, width=width)
    screen.hears()
    screen.row(call.reference).wait_for()
    assert findings(screen.page) == []
    screen.page.get_by_role("button", name="Keys").click()
    assert findings(screen.page) == []
    for path in (f"/incidents/{dropped.reference}", "/review", "/nowhere"):
        assert findings(screen.open(path)) == []
    page = worked(screen, call)
    assert findings(page) == []
    for opens, dialog in (("Connect", "#connect"), ("Hand over", "#hand-over")):
        page.get_by_role("button", name=opens).first.click()
        expect(page.locator(dialog)).to_be_visible()
        assert findings(page) == []
        page.keyboard.press("Escape")
    page.get_by_role("button", name="Let go").click()
    assert findings(page) == []


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_nothing_on_the_supervisor_s_page(
    screens: Screens, colleagues: Colleagues, theme: str, width: int
) -> None:
    """With calls that wait, people on duty and a note."""
    screen = screens(theme=theme, width=width, account=colleagues["supervisor"])
    page = screen.open("/supervisor")
    screen.hears()
    page.get_by_label("Note for the next shift").fill("All quiet")
    page.get_by_role("button", name="Save note").click()
    expect(page.locator(".handed").first).to_be_visible()
    assert findings(page) == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_at_the_sign_in(
    stranger: Page, house: running.Quietline, theme: str
) -> None:
    """The first page, and its refusal."""
    stranger.context.add_cookies(
        [{"name": "quietline_theme", "value": theme, "url": house.console_url}]
    )
    stranger.goto(house.console_url)
    assert findings(stranger) == []
    stranger.get_by_label("Name").fill("nobody")
    stranger.get_by_label("Password").fill("nothing")
    stranger.get_by_role("button", name="Sign in").click()
    stranger.get_by_role("alert").wait_for()
    assert findings(stranger) == []
