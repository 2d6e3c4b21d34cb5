"""A marker set on one call, and the next silent one at the top of the board."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.calls import Exchange
from tests.browser.screen import Screen
from tests.browser.test_accessibility import findings

Screens = Callable[..., Screen]
SECONDS_20 = 20_000


def test_rule_4_a_marker_puts_silent_calls_at_the_top_of_the_board(
    screens: Screens, exchange: Exchange
) -> None:
    """The call it was set on, within a moment; and one that hangs up without a sign."""
    number = "+447700900441"
    first = exchange.call(number).presses("7")
    watching, screen = screens(), screens()
    watching.hears()
    expect(watching.row(first.reference)).to_contain_text("SOON")
    page = screen.open(f"/incidents/{first.reference}")
    markers = f"/incidents/{first.reference}/markers"
    expect(page.locator(f'.who-calls a[href="{markers}"]')).to_be_visible()
    page = screen.open(markers)
    expect(page.locator("#state")).to_contain_text("Set the first one here")
    page.get_by_label("Why it is set").fill("Seen at the conference")
    page.get_by_role("button", name="Set the marker").click()
    expect(page.locator(".people tbody").first).to_contain_text("High risk of domestic abuse")
    row = watching.row(first.reference)
    expect(row).to_contain_text("NOW", timeout=SECONDS_20)
    expect(row).to_contain_text("high-risk marker")
    silent = exchange.call(number).is_silent("service").hangs_up()
    row = watching.row(silent.reference)
    expect(row).to_contain_text("NOW", timeout=SECONDS_20)
    expect(row).to_contain_text("high-risk marker")
    expect(row).to_contain_text("dropped")
    watching.page.reload()
    watching.hears()
    urgencies = [
        watching.row(one).locator(".rank .word").inner_text() for one in watching.shown()[:2]
    ]
    assert urgencies == ["NOW", "NOW"]
    page = watching.open(f"/incidents/{silent.reference}")
    expect(page.locator(".marker.high-risk")).to_contain_text("Grade immediate and send a unit")
    expect(page.locator(".graded")).to_contain_text("A marker proposes immediate")
    expect(page.locator("#grade")).to_have_value("immediate")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_nothing_on_the_pages_of_markers(
    screens: Screens, exchange: Exchange, theme: str, width: int
) -> None:
    """The form of a call, refused and filled in, the list, and one of them."""
    number = f"+44770090045{('dark', 'light').index(theme) * 2 + (width > 400)}"
    call = exchange.call(number).presses("7")
    screen = screens(theme=theme, width=width)
    expect(screen.row(call.reference)).to_be_visible()
    page = screen.open(f"/incidents/{call.reference}/markers")
    page.get_by_role("button", name="Set the marker").click()
    expect(page.locator(".summary-of-errors")).to_be_visible()
    assert findings(page) == []
    page.get_by_label("Why it is set").fill("Seen at the conference")
    page.get_by_role("button", name="Set the marker").click()
    expect(page.locator(".people tbody").first).to_contain_text("High risk of domestic abuse")
    assert findings(page) == []
    assert findings(screen.open("/markers")) == []
    page.locator(".people tbody a").first.click()
    assert findings(page) == []
    assert findings(screen.open(f"/incidents/{call.reference}")) == []
