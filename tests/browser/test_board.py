"""The live board in a real browser: what a handler sees of a call, and when."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.calls import Exchange, an_evening
from tests.browser.screen import Screen
from tests.waiting import eventually


def test_a_new_alert_appears_without_reload(screen: Screen, exchange: Exchange) -> None:
    """The caller presses 55; the row is there, in the page that was open before."""
    screen.hears()
    screen.evaluate("window.stayed = true")
    call = exchange.call("+447700900123").presses("55")
    row = screen.row(call.reference)
    expect(row).to_be_visible()
    expect(row).to_contain_text("NOW")
    expect(row).to_contain_text("…0123")
    expect(row).to_contain_text("5 5")
    expect(row).to_contain_text("55 pressed")
    expect(row).to_contain_text("open line")
    expect(row).to_contain_text("TRAINING")
    assert screen.evaluate("window.stayed") is True


def test_a_row_follows_its_call(screen: Screen, exchange: Exchange) -> None:
    """Keys, urgency and line change in the row that is already there."""
    screen.hears()
    call = exchange.call("+447700900124")
    row = screen.row(call.reference)
    expect(row).to_contain_text("REVIEW")
    call.presses("5")
    expect(row).to_contain_text("SOON")
    call.presses("5")
    expect(row).to_contain_text("NOW")
    call.hangs_up()
    expect(row).to_contain_text("dropped")
    assert screen.shown().count(call.reference) == 1


def test_the_board_is_sorted_by_urgency_and_then_by_time(
    screen: Screen, exchange: Exchange
) -> None:
    """Whatever the order in which calls come, the longest waiting of the most urgent is on top."""
    screen.hears()
    calls = an_evening(exchange)
    for call in calls:
        expect(screen.row(call.reference)).to_be_visible()

    def places() -> list[tuple[int, bool, bool, float]]:
        found: list[tuple[int, bool, bool, float]] = [
            (rank, review, has, since)
            for rank, review, has, since in screen.evaluate(
                """[...document.querySelectorAll('#rows tr.row')].map((row) => {
                    const state = row.querySelector('[data-state]').textContent;
                    return [
                        Number(row.className.match(/urgency-(\\d)/)[1]),
                        state === 'for review',
                        !['', 'for review'].includes(state) && !state.endsWith(', away'),
                        Date.parse(row.querySelector('time').dataset.since),
                    ];
                })"""
            )
        ]
        return found

    eventually(lambda: places() == sorted(places()))
    assert len(screen.shown()) == len(set(screen.shown()))


def test_what_arrives_live_reads_like_what_the_server_paints(
    screens: Callable[..., Screen], screen: Screen, exchange: Exchange
) -> None:
    """The same rules in Python and in JavaScript: a reload changes no word."""
    screen.hears()
    calls = an_evening(exchange)
    last = exchange.call("+447700900999").presses("12345")
    for call in [*calls, last]:
        expect(screen.row(call.reference)).to_be_visible()
    eventually(lambda: "12345" in screen.texts()[last.reference].replace(" ", ""))
    # The engine may still add what it knows of earlier calls: then both are read again.
    painter = screens(scripts=False)
    expected = painter.page.locator("#rows tr")

    def the_same() -> bool:
        live = screen.texts()
        painter.page.reload()
        expect(expected.first).to_be_visible()
        painted = painter.texts()
        different = {
            one: (live.get(one), text) for one, text in painted.items() if live.get(one) != text
        }
        assert not different
        return painted.keys() == live.keys()

    eventually(the_same, 10)


def test_time_waiting_runs(screen: Screen, exchange: Exchange) -> None:
    """A handler sees how long the caller has waited, to the second."""
    screen.hears()
    call = exchange.call(ago=65).presses("55")
    time = screen.row(call.reference).locator("time")
    expect(time).to_have_text(re.compile(r"^1:(0[6-9]|1\d)$"))
    first = time.inner_text()
    expect(time).not_to_have_text(first)


def test_the_row_under_the_pointer_never_moves(screen: Screen, exchange: Exchange) -> None:
    """A more urgent call comes while a row is pointed at: it is counted, and shown on demand."""
    screen.hears()
    pointed = exchange.call("+447700900200").presses("5")
    row = screen.row(pointed.reference)
    expect(row).to_be_visible()
    row.locator(".why").hover()
    before = row.bounding_box()
    coming = exchange.call("+447700900201", ago=86_000).presses("55", after=1)
    meanwhile = screen.page.locator("#meanwhile")
    expect(meanwhile).to_be_visible()
    expect(meanwhile).to_contain_text("1 NOW")
    assert row.bounding_box() == before
    assert coming.reference not in screen.shown()
    screen.page.keyboard.press(".")
    expect(screen.row(coming.reference)).to_be_visible()
    expect(meanwhile).to_be_hidden()
    assert screen.shown()[0] == coming.reference


def test_the_board_fits_a_narrow_window(screens: Callable[..., Screen], exchange: Exchange) -> None:
    """At 400 pixels nothing runs off the side."""
    call = exchange.call("+447700900300").presses("55")
    screen = screens(width=400)
    expect(screen.row(call.reference)).to_be_visible()
    screen.hears()  # a row can have a box before its style sheet has come
    assert screen.evaluate("document.documentElement.scrollWidth") <= 400


def test_the_board_says_that_it_cannot_receive_999(screen: Screen) -> None:
    """Rule 12: honest about itself."""
    expect(screen.page.locator("footer")).to_contain_text("cannot receive 999")


def test_the_theme_is_remembered(screen: Screen) -> None:
    """Dark at first; the choice of light outlives a reload, from the first paint on."""
    screen.hears()
    html = screen.page.locator("html")
    assert screen.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    screen.page.get_by_role("button", name="Theme dark").click()
    expect(html).to_have_attribute("data-theme", "light")
    screen.page.reload()
    expect(html).to_have_attribute("data-theme", "light")
    assert screen.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
