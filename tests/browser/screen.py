"""A handler's screen, driven through a real browser."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.waiting import eventually

PATIENCE_MS = 10_000
HEARS = """() => {
    const { dataset } = document.documentElement;
    const works = !document.querySelector('#incident, table.board') || 'ready' in dataset;
    const sound = document.querySelector('#sound .condition')?.textContent;
    return dataset.link === 'live' && works && sound !== '…';
}"""


@dataclass(slots=True)
class Screen:
    """One browser context with one page that matters."""

    context: BrowserContext
    url: str
    account: tuple[str, str]
    page: Page = field(init=False)
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page = self.watch(self.context.new_page())

    def watch(self, page: Page) -> Page:
        """Collect what goes wrong in a page: script errors, and anything the policy refuses."""
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        page.on("console", lambda said: self._listen(said))
        return page

    def _listen(self, said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text or "Uncaught" in said.text:
            self.troubles.append(said.text)

    def must_be_clean(self) -> None:
        """Fail if a script failed or the policy refused something."""
        # Read beside whatever failed: a notice takes room, and tells what was wrong.
        print("notices:", self.page.locator(".notice:visible").all_inner_texts())
        assert self.troubles == []

    def choose_theme(self, theme: str) -> None:
        """Remember a theme, as the theme button does."""
        self.context.add_cookies([{"name": "quietline_theme", "value": theme, "url": self.url}])

    def sign_in(self) -> None:
        """Sign in and wait until the board hears the live feed, where it runs scripts."""
        self.page.goto(f"{self.url}/sign-in")
        name, password = self.account
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Live board")).to_be_visible()

    def hears(self, page: Page | None = None) -> None:
        """Wait until the live feed is heard, the page's own keys work, and no notice is to come.

        That the screen is silent is said a moment after the page: it moves what is below.
        """
        (page or self.page).wait_for_function(HEARS, timeout=PATIENCE_MS)

    def open(self, path: str) -> Page:
        """Go to a page of the console; to a call's, as soon as the console has heard of it."""

        def known() -> bool:
            answer = self.page.goto(self.url + path)
            return answer is not None and answer.status != HTTPStatus.NOT_FOUND

        if path.startswith("/incidents/"):
            eventually(known)
        else:
            self.page.goto(self.url + path)
        return self.page

    def has_sounded(self, reference: str) -> bool:
        """Say whether a page of this browser has sounded for an incident, and counted it."""
        return reference in self.evaluate("localStorage.getItem('quietline.sounded') ?? ''")

    def lets_sound(self, page: Page | None = None) -> None:
        """Click, as a browser wants before it sounds, and wait until it does.

        A click before the scripts run is no gesture to them: the sound would stay blocked.
        """
        page = page or self.page
        self.hears(page)
        page.locator("h1").click()
        expect(page.locator("#sound .condition")).to_have_text("on")

    def row(self, reference: str) -> Locator:
        """The board's row of an incident."""
        return self.page.locator(f'tr[data-reference="{reference}"]')

    def shown(self) -> list[str]:
        """The references on the board, from the top."""
        found: list[str] = self.page.evaluate(
            "[...document.querySelectorAll('#rows tr.row')].map((row) => row.dataset.reference)"
        )
        return found

    def texts(self) -> dict[str, str]:
        """What each row of the board reads, without the time that runs.

        ``textContent``: rows off the screen are not laid out, and have no other.
        """
        found: dict[str, str] = self.page.evaluate(
            """Object.fromEntries([...document.querySelectorAll('#rows tr.row')].map((row) => [
                row.dataset.reference,
                row.className.replace(' arrived', '') + ' ' +
                [...row.cells].filter((cell) => !cell.matches('.wait, .whose'))
                    .map((cell) => cell.textContent.trim()).join(' | ')
                + [...row.querySelectorAll('.whose > :not([hidden])')]
                    .map((one) => ` | ${one.textContent} ${one.ariaLabel ?? ''}`).join('')
                + [...row.querySelectorAll('use')].map((use) => use.getAttribute('href')).join(),
            ]))"""
        )
        return {reference: re.sub(r"\s+", " ", text) for reference, text in found.items()}

    def evaluate(self, script: str) -> Any:
        """Run a line of script in the page."""
        return self.page.evaluate(script)
