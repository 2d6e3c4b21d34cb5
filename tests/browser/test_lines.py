"""Lines besides the emergency line, called from the practice phone and seen on real screens."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from incidents.routing import FILE, Snapshot, of_code
from tests import running
from tests.browser.calls import Exchange
from tests.browser.screen import Screen
from tests.browser.test_accessibility import findings
from tests.browser.test_told_calls import known_victim
from tests.waiting import eventually

Screens = Callable[..., Screen]
Colleagues = dict[str, tuple[str, str]]
HEARD_MS = 15_000


def phone_of(screen: Screen, line: str, number: str = "") -> Page:
    """Open the practice phone beside a screen and place a call; withheld without a number."""
    page = screen.watch(screen.context.new_page())
    page.goto(f"{screen.url}/practice/")
    page.get_by_label("Line", exact=True).select_option(label=line)
    if number:
        page.get_by_label("Number").fill(number)
    else:
        page.get_by_label("Withheld").check(force=True)
    page.get_by_role("button", name=re.compile("^Call")).click()
    expect(page.locator("#state")).to_have_text("Line open", timeout=HEARD_MS)
    return page


def test_two_fives_at_the_menu_put_the_call_on_top_of_the_board(screen: Screen) -> None:
    """From the menu to the silent way: no choice was made, and the board says what was pressed."""
    screen.hears()
    phone = phone_of(screen, "Not an emergency", "+447700900641")
    expect(phone.locator("#captions")).to_contain_text("To report a crime, press 1")
    for _ in range(2):
        phone.locator('[data-key="5"]').click()
    row = screen.page.locator("tr.row", has_text="…0641")
    expect(row).to_contain_text("NOW", timeout=HEARD_MS)
    expect(row).to_contain_text("55 pressed")
    expect(phone.locator("#captions")).to_contain_text("Please stay on the line")
    phone.get_by_role("button", name=re.compile("^Hang up")).click()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_code_typed_on_the_contact_line_comes_to_the_officers_screen(
    screens: Screens,
    colleagues: Colleagues,
    house: running.Quietline,
    exchange: Exchange,
    theme: str,
) -> None:
    """From a withheld number; the officer reads whose code it was, and nobody reads the code."""
    name, officer = f"Nia {theme.title()}", f"gwen-{theme}"
    password = house.command("users", "add", officer, "--role", "contact_officer").split()[-1]
    boss = screens(account=colleagues["supervisor"], theme=theme, width=400)
    page = known_victim(boss, officer, name, f"+44770090065{len(theme)}")
    page = boss.open(f"/people/{page.url.partition('?')[0].rpartition('/')[2]}")
    page.get_by_role("button", name="Give a code").click()
    expect(page.get_by_role("heading", name="Their personal code")).to_be_visible()
    assert findings(page) == []
    code = "".join(page.locator(".personal-code b").all_inner_texts())
    # The phone side reads it in the snapshot, a few seconds later.
    snapshot = Snapshot(house.data / FILE, exchange.keys, timedelta(minutes=1))
    eventually(lambda: snapshot.find(of_code(exchange.keys, code)) is not None)

    spoc = screens(account=(officer, password), theme=theme)
    spoc.open("/my-day")
    spoc.hears()
    phone = phone_of(screens(), "Contact line")
    expect(phone.locator("#captions")).to_contain_text("type it now")
    for digit in code:
        phone.keyboard.press(digit)
    notice = spoc.page.locator("[data-told]", has_text=name)
    expect(notice).to_be_visible(timeout=HEARD_MS)
    notice.get_by_role("link").first.click()
    told = spoc.page.locator("#entries")
    expect(told).to_contain_text("Code typed")
    expect(told).to_contain_text("one we know")
    assert code not in spoc.page.content()
    expect(spoc.page.locator('[data-part-of="who"]')).to_contain_text("their code was typed")
    phone.get_by_role("button", name=re.compile("^Hang up")).click()
