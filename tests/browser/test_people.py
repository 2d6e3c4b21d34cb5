"""A person from being added to the page of their call, as an officer and a handler see it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.calls import Exchange
from tests.browser.screen import Screen
from tests.browser.test_accessibility import findings

Screens = Callable[..., Screen]
PLACED = """(known) => [...known.querySelectorAll('select, button')].map((one) => {
    const { x, y } = one.getBoundingClientRect();
    return [one.name || one.textContent, x, y];
})"""


def added(screen: Screen, name: str, number: str) -> Page:
    """Add a repeat victim with a safe number, and stay on their page."""
    page = screen.open("/people/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Number", exact=True).fill(number)
    page.get_by_label("May it be called?").select_option("safe")
    page.get_by_label("Safe hours").fill("weekdays 10:00 to 14:00")
    page.get_by_label("Known as a repeat victim").check()
    page.get_by_role("button", name="Add the person").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    return page


@pytest.mark.parametrize("width", [1280, 400])
def test_the_longest_name_breaks_in_a_list_and_squeezes_no_column(
    screens: Screens, width: int
) -> None:
    """On somebody's day and among people: nothing runs off the screen, no word is broken for it."""
    screen = screens(width=width)
    page = screen.open("/people/new")
    page.get_by_label("Name", exact=True).fill("Gwenllian" + "hir" * 60 + str(width))
    page.get_by_role("button", name="Add the person").click()
    page.get_by_text("Make a follow-up").click()
    page.get_by_label("What", exact=True).select_option(label="Visit the person responsible")
    page.get_by_label("What is to be done").fill("Go")
    page.get_by_role("button", name="Make follow-up").click()
    for path in ("/my-day", "/people"):
        screen.open(path)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    screen.open("/my-day")
    row = page.get_by_role("row").filter(has_text=f"hir{width}")
    for one in (row.get_by_role("link").first, row.locator("time")):
        # 24 px a line: what fits stands on one.
        assert one.evaluate("one => one.getBoundingClientRect().height") <= 24


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_nothing_on_the_pages_about_people(
    screens: Screens, theme: str, width: int
) -> None:
    """The list, the empty search, the forms with and without refusals, and a person."""
    screen = screens(theme=theme, width=width)
    page = added(screen, f"Mair Example {theme} {width}", f"+4477009004{width % 100:02}")
    page.get_by_text("Add an address").click()
    page.get_by_label("Address", exact=True).fill("12 High Street, Kendal LA9 4AB")
    page.get_by_role("button", name="Add the address").click()
    expect(page.get_by_text("The address was added.")).to_be_visible()
    page.get_by_text("Add a number", exact=True).click()
    page.locator("td summary").click()
    assert findings(page) == []
    page.get_by_role("button", name="Give a code").click()
    expect(page.locator(".personal-code")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("link", name="Back to the person").click()
    page.get_by_role("link", name="Change the facts").click()
    page.get_by_label("MARAC").fill("soon")
    page.get_by_role("button", name="Save the facts").click()
    expect(page.locator(".summary-of-errors")).to_be_visible()
    assert findings(page) == []
    page.get_by_label("MARAC").fill("2026-11-04")
    page.get_by_label("Code word").fill("bluebell")
    page.get_by_role("button", name="Save the facts").click()
    expect(page.get_by_text("The change was saved.")).to_be_visible()
    page.get_by_role("link", name="Join with somebody").click()
    page.get_by_role("button", name="Join them").click()
    expect(page.locator(".summary-of-errors")).to_be_visible()
    assert findings(page) == []
    page = screen.open("/people")
    page.get_by_label("Find somebody").fill("Nobody Here")
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.get_by_text("Nobody on record has these words")).to_be_visible()
    assert findings(page) == []


def test_what_is_chosen_of_who_is_calling_outlives_a_change_of_the_call(
    screen: Screen, exchange: Exchange
) -> None:
    """The line drops between choosing a part and pressing the button, or while it is pressed."""
    number = "+447700900471"
    added(screen, "Nerys Choosing", number)
    first, second = (exchange.call(number).presses("55") for _ in range(2))
    page = screen.open(f"/incidents/{first.reference}")
    screen.hears()
    who, part = page.locator(".who-calls"), page.get_by_label("Part of Nerys Choosing")
    part.select_option("victim")
    page.locator("h1").click()
    first.hangs_up()
    expect(who).to_contain_text("· ended")
    expect(part).to_have_value("victim")
    screen.open(f"/incidents/{second.reference}")
    screen.hears()
    part.select_option("victim")
    who.get_by_role("button", name="Confirm Nerys Choosing").hover()
    page.mouse.down()
    second.hangs_up().presses("9")
    expect(page.locator(".all-keys")).to_contain_text("9")
    page.mouse.up()
    expect(who).to_contain_text("confirmed as victim")
    expect(who).to_contain_text("· ended")
    expect(part).to_have_value("")


def test_a_person_of_whom_everything_is_known_makes_a_call_no_taller_than_the_screen(
    screens: Screens, exchange: Exchange
) -> None:
    """What is below scrolls in its column: the page itself never moves, whatever has the focus."""
    screen = screens(width=1280)
    number = "+447700900479"
    page = added(screen, "Olwen Known", number)
    page.get_by_role("link", name="Change the facts").click()
    page.get_by_label("Children").fill("Two, at school until three. " * 12)
    page.get_by_label("Orders and bail").fill("Must not come within 100 m. " * 12)
    page.get_by_role("button", name="Save the facts").click()
    call = exchange.call(number).presses("55")
    screen.open(f"/incidents/{call.reference}")
    screen.hears()
    expect(page.locator(".who-calls")).to_contain_text("Must not come")
    page.get_by_label("What to write").focus()
    assert page.evaluate("document.documentElement.scrollHeight - innerHeight") <= 0
    assert page.evaluate("document.documentElement.scrollTop") == 0


def test_on_a_narrow_screen_part_confirm_and_not_them_stand_in_one_line(
    screens: Screens, exchange: Exchange
) -> None:
    """In the order they are reached: what takes somebody off is not before what confirms."""
    screen = screens(width=400)
    number = "+447700900478"
    page = added(screen, "Nia Narrow", number)
    call = exchange.call(number).presses("55")
    screen.open(f"/incidents/{call.reference}")
    screen.hears()
    expect(page.get_by_role("button", name="Confirm Nia Narrow")).to_be_visible()
    # In one look: a notice that comes or goes moves them all.
    placed = page.locator(".who-calls .known").evaluate(PLACED)
    assert [name for name, _, _ in placed] == ["part", "Confirm Nia Narrow", "Not them: Nia Narrow"]
    assert len({y for _, _, y in placed}) == 1
    across = [x for _, x, _ in placed]
    assert across == sorted(across)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_handler_confirms_who_is_calling_without_leaving_the_call(
    screens: Screens, exchange: Exchange
) -> None:
    """The page names them with the reason; what is typed in the note stays; axe finds nothing."""
    screen = screens()
    number = "+447700900470"
    added(screen, "Mair Calling", number)
    call = exchange.call(number).presses("55")
    page = screen.open(f"/incidents/{call.reference}")
    screen.hears()
    who = page.locator(".who-calls")
    expect(who).to_contain_text("this number is theirs")
    page.locator("#note-text").fill("half a note")
    who.get_by_label("Part of Mair Calling").select_option("victim")
    who.get_by_role("button", name="Confirm Mair Calling").click()
    expect(who).to_contain_text("confirmed as victim")
    expect(page.locator("#note-text")).to_have_value("half a note")
    assert findings(page) == []
    who.get_by_role("button", name="Not them").click()
    expect(who).not_to_contain_text("Mair Calling")
    page.get_by_text("Somebody else in this call", exact=True).click()
    page.get_by_label("Full name of somebody else in this call").fill("mair calling")
    page.get_by_label("Their part").select_option("caller")
    page.get_by_role("button", name="Add this person").click()
    expect(who).to_contain_text("confirmed as caller")
    page.locator("#note-text").fill("")
