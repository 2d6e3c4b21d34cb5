"""Find a Chromium for the browser tests, or install one, or say what to do.

``python -m tests.chromium`` prints the path of one that starts. As root it may install Debian's
package; otherwise Playwright's own build, which needs no rights.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WHAT_TO_DO: Final = (
    "No Chromium was found and none could be installed. Install one "
    "(sudo apt-get install -y chromium), or set QUIETLINE_CHROMIUM to the path of one."
)


def find(named: str | None, works: Callable[[str], bool]) -> str | None:
    """Return the path of a Chromium that works: the one ``named``, or one on the path."""
    candidates = [named] if named else [path for name in NAMES if (path := shutil.which(name))]
    return next((path for path in candidates if works(path)), None)


def starts(path: str) -> bool:
    """Say whether ``path`` is a browser that starts (Ubuntu's may be a stub that asks for snap)."""
    try:
        asked = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0 and "chrom" in asked.stdout.lower()


def install() -> str | None:
    """Install Debian's package as root, or Playwright's own build. Returns its path, or None."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _run(["apt-get", "update", "-q"], quiet)
        _run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"], quiet)
        if (path := find(None, starts)) is not None:
            return path
    _run([sys.executable, "-m", "playwright", "install", "chromium"], dict(os.environ))
    return find(playwrights_own(), starts)


def playwrights_own() -> str:
    """Return where Playwright keeps its own build, whether or not it is there."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _run(command: Sequence[str], environ: dict[str, str]) -> None:
    print(f"Installing a browser for the tests: {' '.join(command[-4:])} …", file=sys.stderr)
    subprocess.run(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False, timeout=900
    )


def main() -> int:
    """Print the path of a Chromium that starts. Returns the exit code."""
    named = os.environ.get("QUIETLINE_CHROMIUM")
    if named and find(named, starts) is None:
        print(f"QUIETLINE_CHROMIUM: no browser starts at {named}.", file=sys.stderr)
        return 1
    path = find(named, starts) or find(playwrights_own(), starts) or install()
    if path is None:
        print(WHAT_TO_DO, file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
