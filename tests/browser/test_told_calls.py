"""A call of a repeat victim comes to their officer's screen, whatever page is open on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from incidents.local import LOCAL
from tests import running
from tests.browser.calls import Exchange
from tests.browser.screen import Screen
from tests.browser.test_accessibility import findings

Screens = Callable[..., Screen]
Colleagues = dict[str, tuple[str, str]]
NUMBER = "+447700900617"


def put_away(page: Page, reference: str) -> None:
    """Put the notice of a call away."""
    page.get_by_role("button", name=f"Put away the notice of {reference}").click()
    expect(page.locator(f'[data-told="{reference}"]')).to_have_count(0)


def known_victim(boss: Screen, officer: str, name: str, number: str) -> Page:
    """Put somebody on record as a repeat victim, and appoint their point of contact."""
    page = boss.open("/people/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Number", exact=True).fill(number)
    page.get_by_label("repeat victim").check()
    page.get_by_role("button", name="Add").click()
    page = boss.open("/contacts")
    page.get_by_role("link", name=name, exact=True).first.click()
    page.get_by_label("Single point of contact").select_option(officer)
    page.get_by_role("button", name="Appoint").click()
    expect(page.get_by_role("status").filter(has_text="It stands from today on.")).to_be_visible()
    return page


def test_a_call_of_a_known_victim_comes_to_their_officer_until_it_was_seen(
    screens: Screens, exchange: Exchange, colleagues: Colleagues, house: running.Quietline
) -> None:
    """On every page that officer has open; the link leads to the call, and then it is gone."""
    password = house.command("users", "add", "olwen", "--role", "contact_officer").split()[-1]
    known_victim(screens(account=colleagues["supervisor"]), "olwen", "Mair Example", NUMBER)
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
    put_away(other, second.reference)
    expect(page.locator("[data-told]")).to_have_count(0)


@pytest.mark.parametrize(("theme", "width"), [("dark", 1280), ("light", 400)])
def test_axe_finds_nothing_on_the_pages_of_points_of_contact(
    screens: Screens, exchange: Exchange, colleagues: Colleagues, theme: str, width: int
) -> None:
    """The overview with an absence, one person's page with its history, a notice, the day."""
    boss = screens(account=colleagues["supervisor"], theme=theme, width=width)
    name, number = f"Ann {theme.title()}", f"+4477009006{width % 100:02}"
    page = known_victim(boss, "supervisor", name, number)
    assert findings(page) == []
    page = boss.open("/contacts")
    for label in ("First day away", "Last day away"):
        page.get_by_label(label).fill(f"{datetime.now(LOCAL) + timedelta(days=width):%Y-%m-%d}")
    page.get_by_role("button", name="Enter the absence").click()
    expect(page.get_by_role("status").filter(has_text="The absence is entered.")).to_be_visible()
    assert findings(page) == []
    boss.hears()
    call = exchange.call(number)
    page = boss.open("/my-day")
    expect(page.locator(f'[data-told="{call.reference}"]')).to_be_visible()
    assert findings(page) == []
    put_away(page, call.reference)
