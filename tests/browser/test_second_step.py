"""The second factor in a real browser, against a real site in live mode."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pyotp
from playwright.sync_api import Page, expect

from tests import running
from tests.browser.test_accessibility import findings


def test_a_live_site_lets_somebody_in_with_a_password_and_a_code(
    stranger: Page, data: Path
) -> None:
    """The picture is shown under the content policy, the code is asked for, and the board opens."""
    with running.quietline(running.live_settings(data)) as house:
        name, password = house.sign_in
        stranger.goto(house.console_url)
        stranger.get_by_label("Name").fill(name)
        stranger.get_by_label("Password").fill(password)
        stranger.get_by_role("button", name="Sign in").click()
        picture = stranger.get_by_alt_text(re.compile("scan"))
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.complete && image.naturalWidth > 100")
        assert findings(stranger) == []
        secret = stranger.locator(".letters").inner_text().replace(" ", "")
        stranger.get_by_label("Code").fill("000000")
        stranger.get_by_role("button", name="Turn it on").click()
        expect(stranger.get_by_role("alert")).to_contain_text("not right")
        stranger.get_by_label("Code").fill(pyotp.TOTP(secret).at(datetime.now(UTC)))
        stranger.get_by_role("button", name="Turn it on").click()
        expect(stranger).to_have_url(house.console_url + "/")
        expect(stranger.get_by_role("heading", name="Live board")).to_be_visible()
