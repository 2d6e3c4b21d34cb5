"""The supervisor's page: who is on duty, who holds what, what waits, and the handover."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.calls import Exchange
from tests.browser.screen import Screen

Screens = Callable[..., Screen]
Colleagues = dict[str, tuple[str, str]]


def test_a_supervisor_sees_who_holds_what_and_what_nobody_has(
    screens: Screens, screen: Screen, exchange: Exchange, colleagues: Colleagues
) -> None:
    """A call moves from the list of risk to its holder while the page is looked at."""
    call = exchange.call("+447700900731").presses("55")
    boss = screens(account=colleagues["supervisor"])
    page = boss.open("/supervisor")
    boss.hears()
    waiting, duty = page.locator(".risk"), page.locator(".duty")
    expect(waiting).to_contain_text(call.reference)
    screen.open(f"/incidents/{call.reference}")
    screen.hears()
    screen.page.keyboard.press("c")
    expect(screen.page.locator(".summary .whose")).to_have_text("Yours")
    holder = duty.locator(".person", has_text=screen.account[0]).first
    expect(holder).to_contain_text(call.reference)
    expect(waiting).not_to_contain_text(call.reference)
    expect(page.locator("#duty b")).not_to_have_text("–", timeout=15_000)


def test_a_handover_note_is_kept_and_a_refusal_loses_nothing(
    screens: Screens, colleagues: Colleagues
) -> None:
    """Written at shift end, read at the next; an empty or too long one is refused with its text."""
    boss = screens(account=colleagues["supervisor"])
    page = boss.open("/supervisor")
    page.get_by_label("Note for the next shift").fill("y" * 4001)
    page.get_by_role("button", name="Save note").click()
    expect(page.get_by_role("alert").filter(has_text="4000")).to_be_visible()
    expect(page.get_by_label("Note for the next shift")).to_have_value("y" * 4001)
    page.get_by_label("Note for the next shift").fill("Watch …0812, two calls\nIn <b>one</b> hour")
    page.get_by_role("button", name="Save note").click()
    expect(page.locator(".handed").first).to_contain_text("In <b>one</b> hour")
    expect(page.locator(".handed").first).to_contain_text("supervisor")


def test_a_handler_has_no_supervisor_s_page(screen: Screen) -> None:
    """It is in no header of theirs, and its address is refused in a sentence."""
    expect(screen.page.get_by_role("link", name="Supervisor")).to_have_count(0)
    page = screen.open("/supervisor")
    expect(page.locator("main")).to_contain_text("for supervisors")


def test_a_flood_from_one_number_is_one_row_that_opens(screen: Screen, exchange: Exchange) -> None:
    """Rule 9: nobody is refused; the newest call always shows, the others are a press away."""
    screen.hears()
    calls = [
        exchange.call("+447700900732", ago=60 - nth).presses("55", after=2) for nth in range(6)
    ]
    newest = screen.row(calls[-1].reference)
    expect(newest).to_be_visible()
    toggle = screen.page.get_by_role("button", name="5 more calls from …0732: 5 NOW")
    expect(toggle).to_be_visible()
    for call in calls[:-1]:
        expect(screen.row(call.reference)).to_be_hidden()
    toggle.click()
    for call in calls:
        expect(screen.row(call.reference)).to_be_visible()
    toggle = screen.page.get_by_role("button", name="Fold 5 more calls from …0732")
    expect(toggle).to_have_attribute("aria-expanded", "true")


def test_a_call_is_found_by_its_reference(screen: Screen, exchange: Exchange) -> None:
    """As it was read out over a radio; one that is not there is told, and stays typed nowhere."""
    call = exchange.call("+447700900733").presses("55")
    screen.hears()
    expect(screen.row(call.reference)).to_be_visible()
    screen.page.keyboard.press("/")
    screen.page.keyboard.type(call.reference.replace("-", " ").lower())
    screen.page.keyboard.press("Enter")
    expect(screen.page.locator("h1 .ref")).to_have_text(call.reference)
    screen.open("/")
    screen.hears()
    screen.page.keyboard.press("/")
    screen.page.keyboard.type("QL-nothing")
    screen.page.keyboard.press("Enter")
    expect(screen.page.get_by_role("alert").filter(has_text="no incident")).to_be_visible()
