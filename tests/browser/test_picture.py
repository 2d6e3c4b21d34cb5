"""The picture of the live board in the README is made by a test run, never by hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.calls import Exchange, an_evening
from tests.browser.screen import Screen


def test_the_picture_of_the_board_can_be_made(
    screens: Callable[..., Screen], exchange: Exchange, documents: Path, tmp_path: Path
) -> None:
    """With ``QUIETLINE_PICTURE`` set, ``docs/board.png`` is renewed; else it goes to a scrap."""
    wanted = documents if os.environ.get("QUIETLINE_PICTURE") else tmp_path
    calls = an_evening(exchange)
    screen = screens()
    screen.hears()
    screen.page.locator("h1").click()
    for call in calls:
        expect(screen.row(call.reference)).to_be_visible()
    expect(screen.page.locator("#silent")).to_be_hidden()
    # The engine has seen that one of them called before.
    expect(screen.page.locator("#rows")).to_contain_text("second silent call")
    # Who is on duty and when the way was proved are known a few seconds after the start.
    expect(screen.page.locator("#duty b")).not_to_have_text("–", timeout=20_000)
    expect(screen.page.locator("#way .proved")).to_be_visible(timeout=20_000)
    screen.page.emulate_media(reduced_motion="reduce")
    picture = wanted / "board.png"
    screen.page.screenshot(path=picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
