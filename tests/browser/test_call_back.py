"""Calling somebody back, on screen: from the person's page to the result, in training."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import running
from tests.browser.screen import Screen
from tests.browser.test_accessibility import findings

Screens = Callable[..., Screen]


@pytest.fixture
def officer(house: running.Quietline, colleagues: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """A supervisor with a phone, who has to give reasons."""
    name, password = colleagues["supervisor"]
    house.command("users", "phone", name, "+447700900801")
    return name, password


def steps(page: Page, screen: Screen) -> Iterator[str]:
    """Go through a call-back of somebody marked never to be called; stop at each page."""
    screen.open("/people/new")
    page.get_by_label("Name", exact=True).fill("Ada Example")
    page.get_by_label("Number", exact=True).fill("+447700900811")
    page.get_by_label("May it be called?").select_option("never")
    page.get_by_label("Safe hours").fill("weekdays 09:00-12:00")
    page.get_by_role("button", name="Add").last.click()
    expect(page.get_by_role("heading", name="Call-backs")).to_be_visible()
    yield "person"
    page.get_by_role("link", name="Call back …").click()
    page.get_by_role("radio").check()
    yield "ask"
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    yield "refused"
    page.get_by_role("radio").check()
    page.get_by_label("Why it is called although").fill("Threat to life")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Marked: never call.")).to_be_visible()
    yield "check"
    page.get_by_role("button", name="Go on in training").click()
    expect(page.get_by_text("is that the owner of this phone")).to_be_visible()
    expect(page.locator("main")).not_to_contain_text("Ada")
    yield "script"
    page.get_by_role("button", name="Both: go on").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    yield "not ticked"
    page.get_by_label("The person has said who they are").check()
    page.get_by_label("They have said that it is safe to talk").check()
    page.get_by_role("button", name="Both: go on").click()
    expect(page.locator("main")).to_contain_text("Ada Example")
    yield "confirmed"
    screen.open("/my-day")
    page.get_by_role("link", name="Call-back of").first.click()
    page.get_by_label("Result").select_option("spoken_safe")
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_text("Finished: Spoken to; safe now")).to_be_visible()
    yield "finished"


@pytest.mark.parametrize(("theme", "width"), [("dark", 1280), ("light", 400)])
def test_axe_finds_nothing_from_asking_to_the_result(
    screens: Screens, officer: tuple[str, str], theme: str, width: int
) -> None:
    """Every page of it, its refusals too; the script names nobody before the ticks."""
    screen = screens(theme=theme, width=width, account=officer)
    found = {at: findings(screen.page) for at in steps(screen.page, screen)}
    assert {at: wrong for at, wrong in found.items() if wrong} == {}
