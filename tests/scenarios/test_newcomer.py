"""The newcomer's first two minutes, and the practice calls of the terminal."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect, sync_playwright

from simulator.scenarios import SCENARIOS
from tests import running
from tests.scenarios.conftest import Site

ARGUMENTS = ["--no-sandbox"]


@pytest.mark.parametrize(
    ("side", "path"),
    [("phone", "/healthz"), ("console", "/healthz"), ("console", "/api/v1/openapi.json")],
)
def test_every_answer_says_the_time_once(site: Site, side: str, path: str) -> None:
    """Whoever reads two does not know which to believe."""
    url = site.quietline.phone_url if side == "phone" else site.quietline.console_url
    with urlopen(url + path, timeout=10) as answer:
        assert len(answer.headers.get_all("date")) == 1


def test_every_named_scenario_goes_as_expected_in_the_terminal(site: Site) -> None:
    """flask simulate --all: each call, and what the handler's side then shows."""
    printed = site.quietline.command("simulate", "--all", "--token", site.token)
    assert f"{len(SCENARIOS)} of {len(SCENARIOS)} as expected." in printed


def test_a_scenario_is_told_in_plain_words(site: Site) -> None:
    """One scenario prints the whole call, readable by anybody."""
    printed = site.quietline.command("simulate", "silent-then-55", "--token", site.token)
    for words in ("the phone rings", "presses 5", "we are told: keys 55", "stay on the line"):
        assert words in printed


def test_a_scenario_that_goes_otherwise_than_expected_ends_with_an_error(site: Site) -> None:
    """A wrong token: Twilio would speak its error aloud; the command says so and exits with 1."""
    with pytest.raises(AssertionError, match=r"0 of 1 as expected") as wrong:
        site.quietline.command(
            "simulate", "any-key", "--auth-token", "wrong", "--token", site.token
        )
    assert "answered 403" in str(wrong.value)


def test_55_pressed_in_one_window_arrives_in_the_other(data: Path, chromium_path: str) -> None:
    """A newcomer who runs it can press 55 in one window and watch the alert arrive in the other."""
    with running.quietline(running.training_settings(data)) as quietline, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        window = browser.new_context(viewport={"width": 1280, "height": 800})
        name, password = quietline.sign_in
        board = window.new_page()
        board.goto(f"{quietline.console_url}/")
        board.get_by_label("Name").fill(name)
        board.get_by_label("Password").fill(password)
        board.get_by_role("button", name="Sign in").click()
        expect(board).not_to_have_url(re.compile("sign-in"))
        phone = window.new_page()
        phone.goto(f"{quietline.console_url}/practice/")
        phone.get_by_role("button", name="Call").click()
        expect(phone.get_by_role("log")).to_contain_text("Do you need fire, police")
        phone.keyboard.press("5")
        phone.keyboard.press("5")
        expect(phone.get_by_role("log")).to_contain_text("Please stay on the line")
        expect(board.get_by_role("main")).to_contain_text("55 pressed")
        phone.keyboard.press("Escape")
        expect(phone.get_by_text("Call over")).to_be_visible()
        browser.close()
