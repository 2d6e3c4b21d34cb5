"""The auditors' page and the question why, in a real browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests import running
from tests.browser.calls import Exchange
from tests.waiting import eventually


def everything_axe_finds(page: Page) -> list[str]:
    """Every violation, also the small ones."""
    return [found["id"] for found in Axe().run(page).response["violations"]]


def signed_in(page: Page, house: running.Quietline, name: str, role: str) -> None:
    """Add somebody with this role and have them sign in."""
    password = house.command("users", "add", name, "--role", role).strip()
    page.goto(f"{house.console_url}/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page).not_to_have_url(f"{house.console_url}/sign-in")


def give(house: running.Quietline, token: str, path: str, **body: str) -> None:
    """Give an order through the interface."""
    status, told = running.fetch(
        f"{house.console_url}/api/v1/incidents/{path}",
        method="POST",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        body=json.dumps(body),
    )
    assert status == 200, told


@pytest.fixture
def closed(house: running.Quietline, exchange: Exchange) -> str:
    """A call that somebody else worked and closed; its reference."""
    call = exchange.call().presses("55").hangs_up()
    token = house.token(f"closer-{call.reference}".casefold()[:40], "--role", "handler")

    def claimed() -> bool:
        give(house, token, f"{call.reference}/claim")  # refused until it is in the store
        return True

    eventually(claimed)
    give(house, token, f"{call.reference}/grade", grade="none", reason="")
    give(house, token, f"{call.reference}/close", outcome="no_trace", reason="nobody there")
    return call.reference


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [1280, 400])
def test_somebody_gives_a_reason_and_an_auditor_finds_it(
    stranger: Page, house: running.Quietline, closed: str, theme: str, width: int, tmp_path: Path
) -> None:
    """From the question to the row in the log and the table on the auditor's disk."""
    stranger.set_viewport_size({"width": width, "height": 800})
    stranger.context.add_cookies(
        [{"name": "quietline_theme", "value": theme, "url": house.console_url}]
    )
    curious = f"curious-{theme}-{width}"
    signed_in(stranger, house, curious, "handler")
    stranger.goto(f"{house.console_url}/incidents/{closed}")
    expect(stranger.get_by_role("heading", name="Why do you open this record?")).to_be_visible()
    expect(stranger.get_by_label("Reason")).to_be_focused()
    assert everything_axe_finds(stranger) == []
    stranger.get_by_label("Reason").fill("complaint 1234")
    stranger.keyboard.press("Enter")
    expect(stranger.get_by_role("heading", name=closed)).to_be_visible()

    stranger.context.clear_cookies(name="quietline_session")
    signed_in(stranger, house, f"olga-{theme}-{width}", "auditor")
    expect(stranger).to_have_url(f"{house.console_url}/audit")
    assert everything_axe_finds(stranger) == []
    stranger.get_by_label("Person").fill(curious)
    stranger.get_by_label("Record").fill(closed.replace("-", "").lower())
    stranger.get_by_label("Record").press("Enter")
    row = stranger.locator("table.log tbody tr")
    expect(row.filter(has_text="viewed the record")).to_contain_text("complaint 1234")
    assert stranger.evaluate("document.documentElement.scrollWidth") <= width
    with stranger.expect_download() as download:
        stranger.get_by_role("link", name="Download as a table").click()
    kept = tmp_path / "audit.csv"
    download.value.save_as(kept)
    assert "complaint 1234" in kept.read_text(encoding="utf-8")
    stranger.goto(f"{house.console_url}/audit?operation=disclosure")
    expect(row.first).to_contain_text("exported the audit log, by person, record")
    stranger.goto(f"{house.console_url}/audit?person=nobody&from=never")
    assert everything_axe_finds(stranger) == []
