"""The operation page in a real browser, with the worked example that ``flask demo`` loads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import running
from tests.browser.screen import Screen
from tests.browser.test_accessibility import findings

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT_OFF = """() => [...document.querySelectorAll('svg.plot text')].filter((one) => {
    const inner = one.getBoundingClientRect();
    return inner.right > document.documentElement.clientWidth || inner.left < 0;
}).map((one) => one.textContent)"""


@dataclass(frozen=True, slots=True)
class Season:
    """A house of its own with the example loaded: other tests count calls of theirs."""

    house: running.Quietline
    path: str
    supervisor: tuple[str, str]


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Season]:
    """Start a house and load the example into it while it runs."""
    data = tmp_path_factory.mktemp("season") / "data"
    with running.quietline(running.training_settings(data)) as house:
        told = house.command("demo")
        found = re.search(r"/operations/\S+", told)
        assert found is not None, told
        password = house.command("users", "add", "sue", "--role", "supervisor").split()[-1]
        yield Season(house, found[0], ("sue", password))
        print(house.output)


@pytest.fixture
def opened(season: Season, screens: Callable[..., Screen]) -> Callable[..., Page]:
    """Open the page of the operation: ``opened(width=…, theme=…)``."""

    def open_one(path: str = season.path, **looks: object) -> Page:
        screen = screens(url=season.house.console_url, account=season.supervisor, **looks)
        return screen.open(path)

    return open_one


def test_operation_page(opened: Callable[..., Page]) -> None:
    """From the list to the page: visits done and overdue, contacts, the funnel, figures against the
    baseline for people in scope and all; a plan that is refused; a file that names nobody."""
    page = opened("/operations")
    page.get_by_role("link", name="Operation County (example)").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Operation County (example)")
    visits = page.get_by_role("group", name="Visits planned, done and overdue, table")
    overdue = visits.get_by_role("row", name="Victims: visits overdue")
    expect(overdue).to_contain_text(re.compile(r"\d of 8"))
    drawn = page.locator("svg.plot", has_text="Victims: visits done").first
    expect(drawn.locator("rect.now").nth(1)).to_be_visible()
    for title in ("Calls of people in scope", "All calls"):
        expect(page.get_by_role("heading", name=title, exact=True, level=2)).to_be_visible()
    funnel = page.get_by_role("group", name="From silent call to outcome, table")
    expect(funnel).to_have_count(2)
    expect(funnel.last.get_by_role("row", name="A sign was shown")).to_contain_text("%")
    expect(page.get_by_text("by chance alone they will call less")).to_be_visible()
    expect(page.locator("#people-in-scope ~ table").first).to_contain_text("Marian Example")

    page.get_by_label("Due on").fill("2020-01-01")
    page.get_by_role("button", name="Plan the visits").click()
    expect(page.get_by_role("alert")).to_contain_text("Give a day from today on")
    expect(page.get_by_label("Due on")).to_have_value("2020-01-01")
    later = datetime.now(UTC) + timedelta(days=9)
    page.get_by_label("Due on").fill(f"{later:%Y-%m-%d}")
    page.get_by_role("button", name="Plan the visits").click()
    # Two were not met: those, and nobody else, are planned for again.
    expect(page.locator("p.done")).to_contain_text("Visits were planned")
    page.get_by_role("button", name="Plan the visits").click()
    expect(page.locator("p.done")).to_contain_text("Nobody new")

    with page.expect_download() as loading:
        page.get_by_role("link", name="Download the figures (CSV)").click()
    text = Path(loading.value.path()).read_text(encoding="utf-8")
    assert "All calls: Answering" in text
    assert "Marian" not in text


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [1280, 400])
def test_operation_page_is_clear_to_axe_and_fits(
    opened: Callable[..., Page], theme: str, width: int
) -> None:
    """In both themes, wide and narrow; no label of a plot is cut off. So with the figures."""
    page = opened(theme=theme, width=width)
    for path in (None, "/figures", "/figures/day"):
        if path is not None:
            page.goto(page.url.partition("/operations")[0].partition("/figures")[0] + path)
        expect(page.locator("svg.plot").first).to_be_visible()
        assert findings(page) == []
        assert page.evaluate(WIDER) <= 0
        assert page.evaluate(CUT_OFF) == []


def test_operation_page_on_paper_has_tables_and_plots_and_no_forms(
    opened: Callable[..., Page],
) -> None:
    """Dark on the screen, it is dark on white on paper; nothing is wider than the sheet."""
    page = opened(theme="dark")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 960})
    expect(page.locator("svg.plot").first).to_be_visible()
    expect(page.locator("header.bar")).to_be_hidden()
    for form in page.locator("main form").all():
        expect(form).to_be_hidden()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    assert (
        page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(18, 25, 29)"
    )
    assert page.evaluate(WIDER) <= 0
