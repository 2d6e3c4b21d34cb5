"""The review queue by keys: two close a call and the next stands there."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.calls import Call, Exchange
from tests.browser.screen import Screen
from tests.browser.test_accessibility import findings


def stands_there(screen: Screen, call: Call) -> Page:
    """Open the queue at a call, once the store has it."""
    page = screen.open(f"/review?call={call.reference}")
    for _ in range(40):
        if page.locator(f'.looked-at[data-reference="{call.reference}"]').count():
            break
        page.reload()
    screen.hears()
    return page


def test_two_keys_close_a_call_and_the_next_stands_there(
    screen: Screen, exchange: Exchange
) -> None:
    """One key alone does nothing, nor does one that is leant on; Enter is the second."""
    calls = [exchange.call(f"+44770090085{nth}", ago=900 - nth).is_let_go() for nth in range(2)]
    for call in calls:
        page = stands_there(screen, call)
        page.evaluate("window.stayed = true")
        page.keyboard.down("n")
        page.keyboard.down("n")
        page.keyboard.up("n")
        button = page.locator("#decide-now")
        expect(button).to_have_text("Decide: No concern found")
        expect(button).to_be_focused()
        assert page.evaluate("window.stayed") is True
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"Decided: {call.reference}: No concern found.")).to_be_visible()
        expect(page.locator(f'.looked-at[data-reference="{call.reference}"]')).to_have_count(0)


def test_the_letter_again_decides_and_no_letter_does_while_typing(
    screen: Screen, exchange: Exchange
) -> None:
    """What is typed is words; Escape takes a choice back."""
    call = exchange.call("+447700900855", ago=900).is_let_go()
    page = stands_there(screen, call)
    box, chosen = page.get_by_label("What you saw or heard"), page.locator("input:checked")
    box.press_sequentially("rrnn")
    expect(box).to_have_value("rrnn")
    expect(chosen).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    expect(chosen).to_have_value("raise")
    page.keyboard.press("Escape")
    expect(chosen).to_have_count(0)
    page.keyboard.press("r")
    page.keyboard.press("r")
    expect(page.get_by_text(f"Decided: {call.reference}: A handler must look.")).to_be_visible()
    page = screen.open(f"/incidents/{call.reference}")
    expect(page.locator(".summary")).to_contain_text("Waiting for a handler")
    expect(page.locator("#entries")).to_contain_text("rrnn")


def test_a_call_that_somebody_raises_is_said_to_have_left(
    screens: Callable[..., Screen], exchange: Exchange
) -> None:
    """At once, on the screen that has it open."""
    mine, other = screens(), screens()
    call = exchange.call("+447700900856", ago=900).is_let_go()
    page = stands_there(mine, call)
    expect(page.locator("#left")).to_be_hidden()
    raising = stands_there(other, call)
    raising.keyboard.press("r")
    raising.keyboard.press("Enter")
    expect(page.locator("#left")).to_be_visible()
    page.keyboard.press("n")
    page.keyboard.press("n")
    expect(page.get_by_role("alert").first).to_contain_text("decided on this call")


def test_it_works_as_a_plain_form(screens: Callable[..., Screen], exchange: Exchange) -> None:
    """Without scripts: choose, then decide."""
    call = exchange.call("+447700900857", ago=900).is_let_go()
    screen = screens(scripts=False)
    page = screen.open(f"/review?call={call.reference}")
    for _ in range(40):
        if page.locator(f'.looked-at[data-reference="{call.reference}"]').count():
            break
        page.reload()
    page.get_by_label("Accidental call").check()
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text(f"Decided: {call.reference}: Accidental call.")).to_be_visible()


def test_axe_finds_nothing_in_the_queue_at_any_width(
    screens: Callable[..., Screen], exchange: Exchange
) -> None:
    """With a call there that has a sound, a choice made, and after a refusal."""
    call = exchange.call("+447700900858", ago=900).is_silent("any_key", after=9).is_let_go()
    for theme, width in (("dark", 1280), ("light", 400)):
        screen = screens(theme=theme, width=width)
        page = stands_there(screen, call)
        assert findings(page) == []
        page.locator("#decide-now").click()
        expect(page.get_by_role("alert").first).to_contain_text("Choose what is to become")
        assert findings(page) == []
