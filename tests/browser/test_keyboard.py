"""The whole job by keyboard alone."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.calls import Exchange
from tests.browser.screen import Screen

FOCUSED = "document.activeElement.closest('tr')?.dataset.reference"


def test_a_call_is_found_opened_noted_and_left_by_keyboard(
    screen: Screen, exchange: Exchange
) -> None:
    """j and k move, Enter opens, n writes, Escape goes back."""
    exchange.call("+447700900700", ago=80_000).presses("55", after=1)
    exchange.call("+447700900701", ago=79_000).presses("55", after=1)
    screen.hears()
    expect(screen.page.locator("#rows tr").nth(1)).to_be_visible()
    keyboard = screen.page.keyboard
    first, second = screen.shown()[:2]
    keyboard.press("j")
    assert screen.evaluate(FOCUSED) == first
    keyboard.press("ArrowDown")
    assert screen.evaluate(FOCUSED) == second
    keyboard.press("k")
    assert screen.evaluate(FOCUSED) == first
    keyboard.press("Enter")
    expect(screen.page.locator("h1 .ref")).to_have_text(first)
    screen.hears()
    keyboard.press("n")
    keyboard.type("jk?n.")
    expect(screen.page.get_by_label("Note")).to_have_value("jk?n.")
    expect(screen.page.locator("#help")).to_be_hidden()
    keyboard.press("Escape")
    expect(screen.page).to_have_url(re.compile(first))
    keyboard.press("Tab")
    keyboard.press("Escape")
    expect(screen.page.get_by_role("heading", name="Live board")).to_be_visible()


def test_the_keys_explain_themselves(screen: Screen) -> None:
    """A question mark shows them; Escape closes and stays."""
    screen.hears()
    screen.page.keyboard.press("?")
    dialog = screen.page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    screen.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(screen.page.get_by_role("heading", name="Live board")).to_be_visible()


def test_every_control_can_be_reached_and_is_large_enough(
    screen: Screen, exchange: Exchange
) -> None:
    """Tab reaches all, with a focus that shows; targets are 24 pixels high or more."""
    call = exchange.call("+447700900702").presses("55")
    screen.hears()
    expect(screen.row(call.reference)).to_be_visible()
    wanted = screen.evaluate(
        """[...document.querySelectorAll('.bar a, .bar button')].map((one) => one.innerText)"""
    )
    reached = []
    for _ in range(len(wanted) + 2):
        screen.page.keyboard.press("Tab")
        reached.append(screen.evaluate("document.activeElement.innerText"))
        outline = screen.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
    assert set(wanted) <= set(reached)
    small = screen.evaluate(
        """[...document.querySelectorAll('button, .bar a, .button, #rows a')]
            .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 24)
            .map((one) => one.innerText)"""
    )
    assert small == []
