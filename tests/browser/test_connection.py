"""The live feed through cuts, restarts and silence: nothing missed, nothing doubled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests import running
from tests.browser.calls import Exchange
from tests.browser.proxy import Wire
from tests.browser.screen import Screen
from tests.waiting import eventually


@pytest.fixture
def wire(house: running.Quietline) -> Iterator[Wire]:
    """A wire to the console that can be cut."""
    port = int(house.settings["QUIETLINE_CONSOLE_BIND"].rpartition(":")[2])
    with Wire(port) as laid:
        yield laid


@pytest.fixture
def far(screens: Callable[..., Screen], wire: Wire) -> Screen:
    """A screen at the other end of that wire."""
    screen = screens(url=f"http://localhost:{wire.port}")
    screen.hears()
    return screen


def test_a_stream_cut_again_and_again_misses_and_doubles_nothing(
    far: Screen, wire: Wire, exchange: Exchange
) -> None:
    """Twelve calls while the stream is cut after every other one."""
    calls = []
    for number in range(12):
        calls.append(exchange.call(f"+4477009004{number:02}").presses("55"))
        if number % 2:
            wire.cut()
    for call in calls:
        expect(far.row(call.reference)).to_have_count(1, timeout=15_000)
    far.hears()
    assert len(far.shown()) == len(set(far.shown()))


def test_a_console_that_restarts_is_found_again(
    far: Screen, house: running.Quietline, exchange: Exchange
) -> None:
    """The console is killed; what came meanwhile is on the screen, which was never reloaded."""
    far.evaluate("window.stayed = true")
    before = house.child("console").pid
    house.child("console").kill()
    call = exchange.call("+447700900450").presses("55")
    eventually(lambda: house.child("console").pid != before, 10)
    expect(far.row(call.reference)).to_have_count(1, timeout=20_000)
    far.hears()
    assert far.evaluate("window.stayed") is True
    assert len(far.shown()) == len(set(far.shown()))


def test_a_lost_connection_is_said_in_so_many_words(
    far: Screen, wire: Wire, exchange: Exchange
) -> None:
    """The line hangs without closing: screen and tab say so by themselves, and catch up."""
    wire.hang()
    lost = far.page.locator("#lost")
    expect(lost).to_be_visible(timeout=20_000)
    expect(lost).to_contain_text("Connection lost, last heard")
    expect(far.page).to_have_title("(CONNECTION LOST) Live board – Quietline")
    call = exchange.call("+447700900460").presses("55")
    wire.flow()
    wire.cut()
    expect(far.row(call.reference)).to_have_count(1, timeout=30_000)
    expect(lost).to_be_hidden()
    expect(far.page).to_have_title(re.compile(r"^\(\d+ NOW"))


def test_many_pages_of_one_browser_share_one_stream(far: Screen, exchange: Exchange) -> None:
    """Eight pages open, and every one still loads: a browser has six connections to a server."""
    call = exchange.call("+447700900470").presses("55")
    pages = [far.watch(far.context.new_page()) for _ in range(8)]
    for page in pages:
        page.goto(far.url)
        far.hears(page)
        expect(page.locator(f'tr[data-reference="{call.reference}"]')).to_have_count(1)


def test_an_alarm_is_on_every_screen_and_ends(screen: Screen, house: running.Quietline) -> None:
    """The engine is stopped: within seconds the screen says so, also to whoever comes later."""
    screen.hears()
    engine = house.child("engine")
    engine.suspend()
    try:
        alarm = screen.page.locator('[data-alarm="silent-engine"]')
        expect(alarm).to_be_visible(timeout=20_000)
        expect(alarm).to_contain_text("Engine process silent")
        screen.page.reload()
        expect(alarm).to_be_visible()
        expect(screen.page.locator('[data-part="engine"]')).to_contain_text("silent")
    finally:
        engine.resume()
    expect(alarm).to_be_hidden(timeout=10_000)
