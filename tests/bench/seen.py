"""How soon a pressed key is seen: on a handler's live feed, on the call's page, on a full board.

A real Chromium shows the pages; a key counts as seen in the frame in which it is painted. Both
clocks are this machine's.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, sync_playwright

from config.settings import load
from console.doors import COOKIE
from incidents.recorded import Recorded, call_key, event_key, seal
from incidents.sealed import Keys
from incidents.segment import Segment
from tests import chromium, running
from tests.bench import traffic
from tests.bench.figures import Measured, Untrue, Verdict, percentile
from tests.bench.people import LIST, Caller, Handler, session, site_of, staffed, tokens
from tests.browser.tabs import arguments
from tests.waiting import eventually

SEEN_MS: Final = 100.0
PAINTED_MS: Final = 1000.0
OPEN_INCIDENTS: Final = 1000
LOADS: Final = 5
PRESSES_A_CALL: Final = 10
_PRESSED: Final = 0x5EE
_OPEN: Final = 0xB0A
_UPDATED: Final = 0x0BD
_NOTE: Final = """
(() => {
  window.painted = [];
  let last = "";
  const look = () => {
    const now = document.querySelector(window.watched)?.textContent ?? "";
    if (now === last) return;
    last = now;
    requestAnimationFrame(() => {
      window.painted.push([now.replace(/[^0-9*#]/g, "").length,
                           performance.timeOrigin + performance.now()]);
    });
  };
  new MutationObserver(look).observe(document, {
    subtree: true, childList: true, characterData: true, attributes: true });
})()
"""


class Feed:
    """One live feed; notes by the steady clock when an incident first had so many keys."""

    def __init__(self, quietline: running.Quietline, token: str) -> None:
        host, _, port = quietline.settings["QUIETLINE_CONSOLE_BIND"].rpartition(":")
        self.seen: dict[bytes, float] = {}
        self._connection = socket.create_connection((host, int(port)), timeout=60)
        asks = f"GET /live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
        self._connection.sendall(asks.encode())
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        rest = b""
        while piece := self._connection.recv(262_144):
            now = time.monotonic()
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if line.startswith(b"data:") and b'"call_sid"' in line:
                    sid = line.partition(b'"call_sid":"')[2][:34]
                    keys = line.partition(b'"keys":"')[2].partition(b'"')[0]
                    self.seen.setdefault(sid + b" " + keys, now)

    def when(self, sid: str, keys: str) -> float:
        """Wait until a call was told with ``keys``; returns when."""
        name = f"{sid} {keys}".encode()
        eventually(lambda: name in self.seen, 20)
        return self.seen[name]


@contextmanager
def screen(quietline: running.Quietline, name: str) -> Iterator[Page]:
    """Open a page of a real browser for a handler who signed in."""
    path = chromium.find(os.environ.get("QUIETLINE_CHROMIUM"), chromium.starts)
    if path is None:
        raise Untrue(chromium.WHAT_TO_DO)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments())
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        cookie = session(quietline, name)
        context.add_cookies([{"name": COOKIE, "value": cookie, "url": quietline.console_url}])
        yield context.new_page()
        browser.close()


def pressed(data: Path, presses: int) -> Measured:
    """Measure from a key's webhook to a handler's feed and to the painted page of the call."""
    fed: list[float] = []
    painted: list[float] = []
    with staffed(running.live_settings(data)) as (quietline, _), screen(quietline, "eye") as page:
        (token,) = tokens(quietline, ["ear"])
        feed, handler = Feed(quietline, token), Handler(quietline, token)
        for call in range(-(-presses // PRESSES_A_CALL)):
            caller = Caller(site_of(quietline), _PRESSED, call)
            reference = handler.reference(caller.sid)
            _open(page, f"{quietline.console_url}/incidents/{reference}", ".all-keys")
            keys = ""
            for _ in range(min(PRESSES_A_CALL, presses - len(fed))):
                keys += "7"
                wall = time.time() * 1000
                sent = caller.press("7")
                fed.append((feed.when(caller.sid, keys) - sent) * 1000)
                painted.append(_when(page, len(keys)) - wall)
    measured = Measured("A key pressed → seen by a handler")
    measured.verdicts = [
        Verdict(f"key pressed → {where}, p99", percentile(took, 0.99), SEEN_MS, " ms", at_most=True)
        for where, took in (("a handler's live feed", fed), ("painted on the call's page", painted))
    ]
    measured.head = ("seen on", "keys", "p50", "p90", "p99", "slowest")
    measured.rows = [_row("live feed", fed), _row("page in Chromium", painted)]
    measured.said = [
        (
            "From just before the signed webhook is sent. The page is the call's own, open in a "
            "headless Chromium at 1280 × 800; a key counts in the frame that paints it."
        )
    ]
    return measured


def board(data: Path, updates: int, count: int = OPEN_INCIDENTS) -> Measured:
    """Measure a board with ``count`` open incidents: the first paint, and a change of one row."""
    settings = running.live_settings(data)
    _fill(settings, data, count)
    with staffed(settings) as (quietline, _), screen(quietline, "eye") as page:
        (token,) = tokens(quietline, ["ear"])
        handler = Handler(quietline, token)
        _there(handler, count)
        callers = [Caller(site_of(quietline), _UPDATED, at) for at in range(3)]
        references = [handler.reference(one.sid) for one in callers]
        page.goto(quietline.console_url)  # the browser's own files are loaded once
        first = [_first_paint(page, quietline.console_url) for _ in range(LOADS)]
        rows = page.locator("tr[data-reference^=QL]").count()
        if rows < count:
            raise Untrue(f"the board showed {rows} of {count} incidents")
        changed = []
        for caller, reference in zip(callers, references, strict=True):
            watched = f"tr[data-reference='{reference}'] [data-keys]"
            _open(page, quietline.console_url, watched)
            for at in range(1, updates // len(callers) + 1):
                wall = time.time() * 1000
                caller.press("7")
                changed.append(_when(page, at) - wall)
                threading.Event().wait(0.1)
    measured = Measured(f"A board with {count:,} open incidents")
    measured.verdicts = [
        Verdict("board first painted, slowest load", max(first), PAINTED_MS, " ms", at_most=True),
        Verdict(
            "key pressed → painted on that board, p99",
            percentile(changed, 0.99),
            SEEN_MS,
            " ms",
            at_most=True,
        ),
    ]
    measured.head = ("seen on", "times", "p50", "p90", "p99", "slowest")
    measured.rows = [_row("first contentful paint", first), _row("one row changed", changed)]
    measured.said = [
        (
            f"All {count:,} wait with an open line and different numbers; the page held "
            f"{rows:,} rows. The first paint is the browser's own figure from the start of the "
            "navigation."
        )
    ]
    return measured


def _open(page: Page, url: str, watched: str) -> None:
    page.goto(url)
    page.wait_for_selector("html[data-link=live]", timeout=20_000)
    page.evaluate(f"window.watched = {watched!r}")
    page.evaluate(_NOTE)


def _when(page: Page, keys: int) -> float:
    """Wait until so many keys are painted; returns when, in milliseconds of the wall clock."""
    found: list[Any] = []

    def there() -> bool:
        found[:] = page.evaluate(f"window.painted.filter(([many]) => many >= {keys})")
        return bool(found)

    eventually(there, 20)
    return float(found[0][1])


def _first_paint(page: Page, url: str) -> float:
    page.goto(url)
    page.wait_for_selector("html[data-link=live]", timeout=20_000)
    script = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    return float(page.evaluate(script))


def _there(handler: Handler, count: int) -> None:
    def stored() -> bool:
        _, told, _ = handler.ask("GET", f"{LIST}?state=waiting&limit=1000")
        return len(told["incidents"]) >= min(count, 1000)

    eventually(stored, 60)


def _fill(settings: dict[str, str], data: Path, count: int) -> None:
    """Journal ``count`` calls that pressed 5 or 55 within the last minutes and still wait."""
    keys = Keys(load(settings, data).key_material)
    segment = Segment(data / "journal")
    began = datetime.now(UTC) - timedelta(minutes=10)
    event = _events(keys)
    told: list[Recorded] = []
    for at in range(count):
        sid, number = traffic.call_sid(_OPEN, at), traffic.caller(at)
        when = began + timedelta(milliseconds=500 * at)
        told.append(event(sid, number, 1, "call_arrived", when, ""))
        told.append(event(sid, number, 2, "keys_pressed", when, "55" if at % 3 else "5"))
    segment.append(seal(one, keys) for one in told)
    segment.close()


def _events(keys: Keys) -> Callable[..., Recorded]:
    def event(
        sid: str, number: str, step: int, kind: str, at: datetime, pressed_keys: str
    ) -> Recorded:
        call = call_key(keys, running.ACCOUNT_SID, sid)
        data: dict[str, Any] = {
            "line": "emergency",
            "profile": "gb",
            "purpose": "live",
            "number": number,
            "withheld": False,
        }
        if pressed_keys:
            data |= {"keys": pressed_keys, "signal": "5x2"}
        key = event_key(keys, call, step, kind, pressed_keys)
        return Recorded(key, call, sid, f"{at:%Y-%m}", step, kind, at, data)

    return event


def _row(name: str, took: list[float]) -> tuple[str, ...]:
    figures = [percentile(took, part) for part in (0.5, 0.9, 0.99, 1.0)]
    return (name, str(len(took)), *(f"{one:.1f} ms" for one in figures))
