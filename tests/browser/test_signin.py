"""Signing in and out in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests import running
from tests.browser.screen import Screen


def test_a_stranger_is_led_to_the_sign_in_and_then_where_they_wanted(
    stranger: Page, house: running.Quietline
) -> None:
    """A wrong password keeps the name; the right one leads to the page that was asked for."""
    stranger.goto(f"{house.console_url}/review")
    expect(stranger).to_have_url(re.compile("/sign-in"))
    name, password = house.sign_in
    stranger.get_by_label("Name").fill(name)
    stranger.get_by_label("Password").fill("not the password")
    stranger.get_by_role("button", name="Sign in").click()
    expect(stranger.get_by_role("alert")).to_contain_text("not right")
    expect(stranger.get_by_label("Name")).to_have_value(name)
    stranger.get_by_label("Password").fill(password)
    stranger.keyboard.press("Enter")
    expect(stranger.get_by_role("heading", name="Review queue")).to_be_visible()


def test_signing_out_ends_every_page_of_the_session(
    screens: Callable[..., Screen], house: running.Quietline
) -> None:
    """The other page says so by itself, and its cookie opens nothing any more."""
    # Somebody who holds no call: nobody is signed out with a caller on the line.
    password = house.command("users", "add", "leaving").strip()
    screen = screens(account=("leaving", password))
    screen.hears()
    other = screen.watch(screen.context.new_page())
    other.goto(screen.url)
    screen.hears(other)
    screen.page.get_by_role("button", name="Sign out").click()
    expect(screen.page.get_by_text("You are signed out.")).to_be_visible()
    expect(other.locator("#signed-out")).to_be_visible(timeout=15_000)
    other.goto(screen.url)
    expect(other).to_have_url(re.compile("/sign-in"))
