"""How an alert makes itself known: sound, title, notification, and a screen reader's voice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from playwright.sync_api import Page, expect

from tests import running
from tests.browser.calls import Exchange
from tests.browser.screen import Screen
from tests.browser.tabs import arguments, tabs
from tests.waiting import eventually

NOTES_NOTIFICATIONS = """
window.notes = [];
window.Notification = class extends EventTarget {
  static permission = 'granted';
  static requestPermission() { return Promise.resolve('granted'); }
  constructor(title, options) { super(); window.notes.push({ title, ...options }); }
};
"""


GIVES_NO_TURN = """
navigator.locks.request = () => Promise.reject(new DOMException('no', 'InvalidStateError'));
"""
ALERTS = 8


def chimes(page: Page) -> int:
    """How often this page sounded."""
    return int(page.locator("html").get_attribute("data-chimed") or 0)


def test_a_blocked_sound_cannot_be_missed(screen: Screen, exchange: Exchange) -> None:
    """A browser is silent until the first click; the screen says so until it can be heard."""
    screen.page.reload()
    notice = screen.page.locator("#silent")
    expect(notice).to_be_visible()
    expect(notice).to_contain_text("This screen is silent")
    expect(screen.page.locator("#sound")).to_contain_text("BLOCKED")
    box = notice.bounding_box()
    assert box is not None
    assert box["width"] == 1280
    assert box["height"] >= 60
    call = exchange.call("+447700900500").presses("55")
    expect(screen.row(call.reference)).to_be_visible()
    assert chimes(screen.page) == 0
    screen.page.get_by_role("button", name="Let alerts sound").click()
    expect(notice).to_be_hidden()
    # What came while it was silent is heard now.
    eventually(lambda: chimes(screen.page) == 1)


def test_each_new_alert_chimes_once(screen: Screen, exchange: Exchange) -> None:
    """Two pages of one browser are open; one alert, one chime. A change of it chimes no more.

    Several one after the other: a page learns a moment late that the other has sounded.
    """
    screen.lets_sound()
    other = screen.watch(screen.context.new_page())
    other.goto(screen.url)
    screen.lets_sound(other)
    # What stood before the first click sounds with it, a moment later: count from there.
    first = exchange.call("+447700900509").presses("55")
    eventually(lambda: screen.has_sounded(first.reference))
    before = chimes(screen.page) + chimes(other)
    for nth in range(1, ALERTS + 1):
        call = exchange.call(None, withheld=True).presses("55")
        eventually(partial(screen.has_sounded, call.reference))
        assert chimes(screen.page) + chimes(other) == before + nth
    call = exchange.call("+447700900501").presses("55")
    eventually(partial(screen.has_sounded, call.reference))
    call.presses("9").hangs_up()
    expect(screen.row(call.reference)).to_contain_text("dropped")
    assert chimes(screen.page) + chimes(other) == before + ALERTS + 1


def test_a_browser_that_gives_no_turn_sounds_all_the_same(
    screens: Callable[..., Screen], exchange: Exchange
) -> None:
    """Turns are there so that nothing sounds twice; without them it sounds, again and again."""
    screen = screens(before=GIVES_NO_TURN)
    screen.lets_sound()
    for number in ("+447700900512", "+447700900513"):
        call = exchange.call(number).presses("55")
        eventually(partial(screen.has_sounded, call.reference))


def test_sound_can_be_turned_off_and_stays_off(screen: Screen, exchange: Exchange) -> None:
    """Mute is per screen, always visible, and remembered."""
    screen.lets_sound()
    sound = screen.page.locator("#sound")
    expect(sound).to_contain_text("on")
    sound.click()
    expect(sound).to_contain_text("off")
    screen.page.reload()
    expect(sound).to_contain_text("off")
    expect(screen.page.locator("#silent")).to_be_hidden()
    screen.hears()
    call = exchange.call("+447700900502").presses("55")
    expect(screen.row(call.reference)).to_be_visible()
    assert chimes(screen.page) == 0


def test_the_title_counts_and_a_screen_reader_is_told(screen: Screen, exchange: Exchange) -> None:
    """Nothing by colour or sound alone."""
    screen.hears()
    call = exchange.call("+447700900503").presses("55")
    expect(screen.row(call.reference)).to_be_visible()
    expect(screen.page).to_have_title(re.compile(r"^\(\d+ NOW.*\) Live board – Quietline$"))
    expect(screen.page.locator("#say-now")).to_contain_text("NOW: 55 pressed, caller ending 0503")


def test_a_desktop_notification_tells_of_an_alert_but_not_of_the_number(
    screens: Callable[..., Screen], exchange: Exchange
) -> None:
    """A lock screen may show it to anyone."""
    screen = screens(before=NOTES_NOTIFICATIONS)
    screen.hears()
    call = exchange.call("+447700900504").presses("55")
    eventually(lambda: call.reference in str(screen.evaluate("window.notes")))
    [note] = [one for one in screen.evaluate("window.notes") if one["tag"] == call.reference]
    assert note["title"] == "NOW: 55 pressed"
    assert "0504" not in str(note)
    screen.page.locator("#notify").click()
    expect(screen.page.locator("#notify")).to_contain_text("off")
    quiet = exchange.call("+447700900505").presses("55")
    expect(screen.row(quiet.reference)).to_have_count(1)
    assert quiet.reference not in str(screen.evaluate("window.notes"))


def test_an_alert_arrives_in_a_hidden_tab(
    chromium_path: str, house: running.Quietline, exchange: Exchange, tmp_path: Path
) -> None:
    """Another tab is in front: row, title, notification and sound come all the same."""
    with tabs(chromium_path, arguments(), tmp_path) as window:
        tab = window.open()
        tab.before_each_page(NOTES_NOTIFICATIONS)
        tab.go(f"{house.console_url}/sign-in")
        eventually(lambda: tab.run("document.querySelector('#password') !== null"))
        name, password = map(json.dumps, house.sign_in)
        tab.run(f"document.querySelector('#name').value = {name}")
        tab.run(f"document.querySelector('#password').value = {password}")
        tab.run("document.querySelector('main form').requestSubmit()")
        eventually(lambda: tab.run("document.documentElement.dataset.link") == "live", 15)
        tab.click(600, 700)
        # What stood before the click sounds with it, a moment later: count from there.
        first = exchange.call("+447700900511").presses("55")
        eventually(lambda: first.reference in tab.run("localStorage['quietline.sounded'] ?? ''"))
        window.open()
        eventually(lambda: tab.run("document.visibilityState") == "hidden")
        before = int(tab.run("document.documentElement.dataset.chimed ?? 0"))
        call = exchange.call("+447700900506").presses("55")
        eventually(lambda: call.reference in tab.run("JSON.stringify(window.notes)"))
        assert tab.run("document.visibilityState") == "hidden"
        assert re.match(r"\(\d+ NOW", tab.run("document.title"))
        eventually(lambda: call.reference in tab.run("document.querySelector('#rows').innerHTML"))
        eventually(
            lambda: int(tab.run("document.documentElement.dataset.chimed ?? 0")) == before + 1
        )


def test_an_incident_page_hears_of_other_alerts(screen: Screen, exchange: Exchange) -> None:
    """A handler who reads one call learns of the next."""
    first = exchange.call("+447700900507").presses("5")
    page = screen.open(f"/incidents/{first.reference}")
    screen.lets_sound()
    other = exchange.call("+447700900508").presses("55")
    eventually(lambda: screen.has_sounded(other.reference))
    expect(page).to_have_title(re.compile(r"^\(\d+ NOW"))
