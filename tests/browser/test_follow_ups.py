"""A follow-up on the screen, from birth to close: made by rule or by hand, done, and gone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.calls import Call, Exchange
from tests.browser.screen import Screen
from tests.browser.test_accessibility import findings
from tests.browser.test_review import stands_there

Screens = Callable[..., Screen]


def on_my_day(screen: Screen, call: Call) -> Page:
    """Open my day, once the rule has made the follow-up of a call."""
    page = screen.open("/my-day")
    for _ in range(60):
        if page.get_by_role("link", name=call.reference).count():
            break
        page.wait_for_timeout(250)
        page.reload()
    screen.hears()
    return page


def close_it(page: Page, outcome: str) -> None:
    """Close the follow-up on the page; without an outcome it is refused first."""
    page.get_by_role("button", name="Close follow-up").click()
    expect(page.get_by_role("alert").first).to_contain_text("Choose how it ended")
    assert findings(page) == []
    page.get_by_label("Outcome").select_option(label=outcome)
    page.get_by_role("button", name="Close follow-up").click()
    expect(page.locator(".facts-of")).to_contain_text(f"Closed: {outcome}")


def test_a_day_is_dark_on_white_on_paper(screens: Screens) -> None:
    """Whoever goes on visits takes it along: without the header, and without what one presses."""
    page = screens(theme="dark").open("/my-day")
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="My day")).to_be_visible()
    expect(page.locator("header.bar")).to_be_hidden()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"


@pytest.mark.parametrize(("theme", "width"), [("dark", 1280), ("light", 400)])
def test_a_follow_up_from_birth_to_close(
    screens: Screens, exchange: Exchange, theme: str, width: int
) -> None:
    """A call is reviewed as needing one; the rule makes it, it stands on the reviewer's day and in
    the header, and is closed with an outcome, which the call's timeline tells."""
    screen = screens(theme=theme, width=width)
    call = exchange.call("+447700900861", ago=900).is_let_go()
    page = stands_there(screen, call)
    page.keyboard.press("f")
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"Decided: {call.reference}: Nothing now; follow up.")).to_be_visible()
    page = on_my_day(screen, call)
    assert findings(page) == []
    row = page.get_by_role("row").filter(has_text=call.reference)
    expect(row).to_contain_text("open")
    row.get_by_role("link", name="Call at a safe time").click()
    expect(page.locator(".facts-of")).to_contain_text("by the rule asked for")
    assert findings(page) == []
    close_it(page, "Not reached")
    assert findings(page) == []
    page = screen.open("/my-day")
    expect(page.get_by_role("link", name=call.reference)).to_have_count(0)
    page = screen.open(f"/incidents/{call.reference}")
    expect(page.locator("#entries .kind-follow_up_made")).to_have_count(1)
    expect(page.locator("#entries .kind-follow_up_closed")).to_contain_text("Not reached")


def test_one_made_by_hand_is_due_today_in_the_header_until_it_is_closed(
    screen: Screen, exchange: Exchange
) -> None:
    """Made on the page of a call for oneself; the number beside My day comes and goes."""
    call = exchange.call("+447700900862", ago=900).is_let_go()
    page = stands_there(screen, call)
    badge = page.locator('[data-badge="/my-day"] b').first
    before = int(badge.text_content() or 0)
    page = screen.open(f"/incidents/{call.reference}/follow-ups")
    page.get_by_label("What is to be done").fill("Ring back when the shift changes")
    soon = page.evaluate(
        """() => {
            const at = new Date(Date.now() + 120000);
            const parts = Object.fromEntries(new Intl.DateTimeFormat("en-GB", {
                timeZone: "Europe/London", year: "numeric", month: "2-digit", day: "2-digit",
                hour: "2-digit", minute: "2-digit", hour12: false,
            }).formatToParts(at).map((one) => [one.type, one.value]));
            return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}`;
        }"""
    )
    page.get_by_label("Done by").fill(str(soon))
    page.get_by_role("button", name="Make follow-up").click()
    expect(page.locator("#state")).to_have_text("Ring back when the shift changes")
    expect(badge).to_have_text(str(before + 1))
    page.get_by_label("Outcome").select_option(index=1)
    page.get_by_role("button", name="Close follow-up").click()
    expect(page.locator(".facts-of")).to_contain_text("Closed: ")
    expect(badge).to_have_text(str(before) if before else "")
    assert re.search(r"/follow-ups/[0-9a-f-]{36}$", page.url)
