"""The suites that must run, and the check that they did.

``python -m tests.suites build/tests.xml`` reads pytest's report and fails when a suite ran no
test, or when a test was skipped or expected to fail. It runs nothing itself.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

SUITES: Final = (
    "bench",
    "browser",
    "callflow",
    "config",
    "console",
    "faults",
    "house",
    "incidents",
    "scenarios",
    "simulator",
    "webhooks",
)
"""Folders of ``tests/``. A test of this list holds it to what is there."""


def complaints(report: str, suites: Iterable[str] = SUITES) -> list[str]:
    """Return what is wrong with a junit ``report``, in words; nothing when every suite ran."""
    ran: Counter[str] = Counter()
    wrong = []
    for case in ElementTree.fromstring(report).iter("testcase"):
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        if case.find("skipped") is not None:
            wrong.append(f"skipped: {name}")
        else:
            parts = case.get("classname", "").split(".")
            ran[parts[1] if parts[0] == "tests" and len(parts) > 1 else ""] += 1
    wrong.extend(f"ran no test: tests/{suite}" for suite in suites if not ran[suite])
    return wrong


def main(arguments: list[str]) -> int:
    """Check the report at the path given. Returns the exit code."""
    try:
        wrong = complaints(Path(arguments[0]).read_text(encoding="utf-8"))
    except (OSError, IndexError, ElementTree.ParseError) as error:
        wrong = [f"no report to read: {error}"]
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
