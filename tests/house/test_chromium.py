"""A browser is found, or refused, before the tests need it."""

from __future__ import annotations

from pathlib import Path

from tests import chromium


def test_the_named_browser_is_the_one_used() -> None:
    """QUIETLINE_CHROMIUM wins over whatever is on the path."""
    assert chromium.find("/opt/mine", works=lambda _: True) == "/opt/mine"


def test_a_named_browser_that_does_not_start_is_not_replaced_by_another() -> None:
    """Whoever names one wants that one, or an error."""
    assert chromium.find("/opt/mine", works=lambda path: path != "/opt/mine") is None


def test_a_stub_that_only_asks_for_snap_is_no_browser(tmp_path: Path) -> None:
    """Ubuntu's chromium-browser package may be a script that starts nothing."""
    stub = tmp_path / "chromium-browser"
    stub.write_text("#!/bin/sh\necho requires the chromium snap >&2\nexit 1\n", encoding="ascii")
    stub.chmod(0o755)
    assert not chromium.starts(str(stub))
    assert not chromium.starts(str(tmp_path / "missing"))


def test_what_to_do_is_said_when_there_is_none() -> None:
    """The line names the package and the setting."""
    assert "apt-get install -y chromium" in chromium.WHAT_TO_DO
    assert "QUIETLINE_CHROMIUM" in chromium.WHAT_TO_DO
