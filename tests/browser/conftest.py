"""A running Quietline, a real browser, and screens that are signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from config.settings import TRAINING_ACCOUNT
from simulator.elsewhere import registered
from simulator.exchange import Exchange as Callers
from tests import running
from tests.browser.calls import Exchange
from tests.browser.screen import PATIENCE_MS, Screen
from tests.browser.tabs import arguments

LINES = """
[[line]]
number = "+441632960101"
kind = "non_emergency"
name = "Not an emergency"
[[line]]
number = "+441632960103"
kind = "contact"
name = "Contact line"
"""
"""Lines besides the emergency line, which every other number is."""


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Quietline]:
    """A whole Quietline in training mode, shared by all browser tests."""
    folder = tmp_path_factory.mktemp("house")
    lines = folder / "lines.toml"
    lines.write_text(LINES, encoding="utf-8")
    settings = running.training_settings(folder / "data")
    with running.quietline({**settings, "QUIETLINE_LINES": str(lines)}) as quietline:
        yield quietline
        print(quietline.output)  # beside whatever failed


@pytest.fixture(scope="session")
def exchange(house: running.Quietline) -> Exchange:
    """Callers who reach that Quietline."""
    return Exchange(house.data)


@pytest.fixture(scope="session")
def colleagues(house: running.Quietline) -> dict[str, tuple[str, str]]:
    """Name and password of others at work: ``second`` handler and ``supervisor``."""
    made = {}
    for name, role in (("second", "handler"), ("supervisor", "supervisor")):
        password = house.command("users", "add", name, "--role", role).strip()
        made[name] = (name, password.split()[-1])
    return made


@pytest.fixture(scope="session")
def callers(house: running.Quietline) -> Iterator[Callers]:
    """Callers with a phone in their hand: orders of the console reach them, and they answer."""
    made = Callers(
        house.phone_url,
        house.settings["QUIETLINE_PUBLIC_URL"],
        house.auth_token,
        TRAINING_ACCOUNT,
        house.console_url,
        serve_rest=True,
    )
    with registered(made) as known:
        assert known
        yield made
    made.close()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright, started once."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium_path: str) -> Iterator[Browser]:
    """A Chromium of this machine."""
    chromium = playwright.chromium.launch(executable_path=chromium_path, args=arguments())
    yield chromium
    chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of the test's own, the size of a handler's screen."""
    made = browser.new_context(viewport={"width": 1280, "height": 800})
    yield made
    made.close()


@pytest.fixture
def stranger(context: BrowserContext) -> Page:
    """A page of somebody who has not signed in."""
    return context.new_page()


@pytest.fixture
def screens(browser: Browser, house: running.Quietline) -> Iterator[Callable[..., Screen]]:
    """Open screens of signed-in handlers: ``screens(url=…, width=…, theme=…)``."""
    with ExitStack() as stack:

        def open_one(
            *,
            url: str | None = None,
            width: int = 1280,
            theme: str | None = None,
            scripts: bool = True,
            before: str | None = None,
            account: tuple[str, str] | None = None,
        ) -> Screen:
            context = browser.new_context(
                viewport={"width": width, "height": 800}, java_script_enabled=scripts
            )
            stack.callback(context.close)
            screen = Screen(context, url or house.console_url, account or house.sign_in)
            if theme is not None:
                screen.choose_theme(theme)
            if before is not None:
                context.add_init_script(before)
            screen.sign_in()
            stack.callback(screen.must_be_clean)
            return screen

        yield open_one


@pytest.fixture
def screen(screens: Callable[..., Screen]) -> Screen:
    """One screen with the live board on it, which hears of new alerts."""
    return screens()


@pytest.fixture
def documents() -> Path:
    """The folder of the documentation."""
    return running.ROOT / "docs"
