"""axe finds nothing serious on any page, in both themes, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests import running
from tests.browser.calls import Exchange, an_evening
from tests.browser.screen import Screen


def findings(page: Page) -> list[str]:
    """What axe finds serious or critical."""
    # Half-faded colours of a row that has just arrived are not what stays.
    page.emulate_media(reduced_motion="reduce")
    return [
        f"{found['impact']} {found['id']}: {[node['html'] for node in found['nodes']]}"
        for found in Axe().run(page).response["violations"]
        if found["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_nothing_serious(
    screens: Callable[..., Screen], exchange: Exchange, theme: str, width: int
) -> None:
    """Board, incident, review queue, help, a page that is not there."""
    call = an_evening(exchange)[0]
    screen = screens(theme=theme, width=width)
    screen.hears()
    screen.row(call.reference).wait_for()
    assert findings(screen.page) == []
    screen.page.get_by_role("button", name="Keys").click()
    assert findings(screen.page) == []
    for path in (f"/incidents/{call.reference}", "/review", "/nowhere"):
        assert findings(screen.open(path)) == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_serious_at_the_sign_in(
    stranger: Page, house: running.Quietline, theme: str
) -> None:
    """The first page, and its refusal."""
    stranger.context.add_cookies(
        [{"name": "quietline_theme", "value": theme, "url": house.console_url}]
    )
    stranger.goto(house.console_url)
    assert findings(stranger) == []
    stranger.get_by_label("Name").fill("nobody")
    stranger.get_by_label("Password").fill("nothing")
    stranger.get_by_role("button", name="Sign in").click()
    stranger.get_by_role("alert").wait_for()
    assert findings(stranger) == []
