"""A call of a repeat victim comes to their officer's screen, whatever page is open on it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests import running
from tests.browser.calls import Exchange
from tests.browser.screen import Screen

Screens = Callable[..., Screen]
Colleagues = dict[str, tuple[str, str]]
NUMBER = "+447700900617"


def known_victim(boss: Screen, officer: str) -> Page:
    """Put somebody on record as a repeat victim, and appoint their point of contact."""
    page = boss.open("/people/new")
    page.get_by_label("Name", exact=True).fill("Mair Example")
    page.get_by_label("Number", exact=True).fill(NUMBER)
    page.get_by_label("repeat victim").check()
    page.get_by_role("button", name="Add").click()
    page = boss.open("/contacts")
    page.get_by_role("row", name="Mair Example").get_by_role("link").click()
    page.get_by_label("Single point of contact").select_option(officer)
    page.get_by_role("button", name="Appoint from today").click()
    expect(page.get_by_role("status").filter(has_text="It stands from today on.")).to_be_visible()
    return page


def test_a_call_of_a_known_victim_comes_to_their_officer_until_it_was_seen(
    screens: Screens, exchange: Exchange, colleagues: Colleagues, house: running.Quietline
) -> None:
    """On every page that officer has open; the link leads to the call, and then it is gone."""
    password = house.command("users", "add", "olwen", "--role", "contact_officer").split()[-1]
    known_victim(screens(account=colleagues["supervisor"]), "olwen")
    officer = screens(account=("olwen", password))
    page = officer.open("/my-day")
    other = officer.watch(officer.context.new_page())
    other.goto(f"{officer.url}/search")
    officer.hears()
    officer.hears(other)

    first = exchange.call(NUMBER).presses("55")
    for one in (page, other):
        notice = one.locator(f'[data-told="{first.reference}"]')
        expect(notice).to_contain_text("Mair Example")
        expect(notice).to_contain_text("open line")
    page.get_by_role("link", name=f"Open the call {first.reference}").click()
    expect(page.locator("#incident")).to_have_attribute("data-reference", first.reference)
    for one in (page, other):
        expect(one.locator("[data-told]")).to_have_count(0)

    second = exchange.call(NUMBER)
    expect(page.locator(f'[data-told="{second.reference}"]')).to_be_visible()
    expect(page.locator("#say-now")).to_contain_text(second.reference)
    other.get_by_role("button", name=f"Put away the notice of {second.reference}").click()
    for one in (page, other):
        expect(one.locator("[data-told]")).to_have_count(0)
