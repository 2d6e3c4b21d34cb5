"""A Chromium with real tabs, of which only one is in front.

Playwright tells every page that it is in front, and nothing undoes that. So here
the browser is spoken to directly, over the pipe it offers for that.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

ARGUMENTS = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    # As on a handler's own computer: no sound before the first click.
    "--autoplay-policy=document-user-activation-required",
)


def arguments() -> list[str]:
    """Return how a browser is started for these tests, with what root needs."""
    return [*ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


@dataclass(slots=True)
class Tab:
    """One tab: its target and the session to speak to it."""

    browser: Tabs
    target: str
    session: str

    def run(self, script: str) -> Any:
        """Run a script in the tab's page and return its value."""
        said = self.browser.send(
            "Runtime.evaluate",
            {"expression": script, "returnByValue": True, "userGesture": True},
            self.session,
        )
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def before_each_page(self, script: str) -> None:
        """Run a script in every page of the tab before its own."""
        self.browser.send("Page.enable", {}, self.session)
        self.browser.send("Page.addScriptToEvaluateOnNewDocument", {"source": script}, self.session)

    def go(self, url: str) -> None:
        """Go to another page."""
        self.browser.send("Page.navigate", {"url": url}, self.session)

    def click(self, x: int = 40, y: int = 300) -> None:
        """Click as a hand does."""
        for kind in ("mousePressed", "mouseReleased"):
            at = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
            self.browser.send("Input.dispatchMouseEvent", at, self.session)

    def bring_to_front(self) -> None:
        """Put this tab in front of the others."""
        self.browser.send("Target.activateTarget", {"targetId": self.target})


class Tabs:
    """One browser window."""

    def __init__(self, to_browser: BinaryIO, from_browser: BinaryIO) -> None:
        self._out = to_browser
        self._in = from_browser
        self._ids = itertools.count(1)

    def open(self) -> Tab:
        """Open a tab, in front of the others."""
        target = self.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self.send("Target.attachToTarget", {"targetId": target, "flatten": True})
        return Tab(self, target, attached["sessionId"])

    def send(self, method: str, params: dict[str, Any], session: str | None = None) -> Any:
        """Send one command and return its result."""
        number = next(self._ids)
        said = {"id": number, "method": method, "params": params}
        if session is not None:
            said["sessionId"] = session
        self._out.write(json.dumps(said).encode() + b"\0")
        self._out.flush()
        while True:
            heard = json.loads(self._read())
            if heard.get("id") == number:
                assert "error" not in heard, heard
                return heard["result"]

    def _read(self) -> bytes:
        text = bytearray()
        while (byte := self._in.read(1)) != b"\0":
            assert byte, "the browser is gone"
            text += byte
        return bytes(text)


@contextmanager
def tabs(chromium: str, arguments: Sequence[str], profile: Path) -> Iterator[Tabs]:
    """Run a browser whose tabs can be hidden."""
    their_in, our_out = os.pipe()
    our_in, their_out = os.pipe()

    def hand_over() -> None:
        # Chromium reads commands from descriptor 3 and answers on 4.
        os.dup2(their_in, 30)
        os.dup2(their_out, 31)
        os.dup2(30, 3)
        os.dup2(31, 4)

    process = subprocess.Popen(
        [
            chromium,
            "--headless=new",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
            *arguments,
            "about:blank",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=False,
        preexec_fn=hand_over,
    )
    os.close(their_in)
    os.close(their_out)
    with os.fdopen(our_out, "wb") as to_browser, os.fdopen(our_in, "rb") as from_browser:
        browser = Tabs(to_browser, from_browser)
        try:
            yield browser
        finally:
            process.terminate()
            process.wait(10)
