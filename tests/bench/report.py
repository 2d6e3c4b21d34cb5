"""Writes docs/benchmarks.md from what was measured. It judges nothing and leaves nothing out."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

from tests.bench.figures import Measured
from tests.running import ROOT

FLUSHES = 200


def write(parts: Sequence[Measured], command: str, before: Sequence[str]) -> str:
    """Return the whole page. ``before``: how the machine was when the run began."""
    verdicts = [verdict for part in parts for verdict in part.verdicts]
    missed = [verdict for verdict in verdicts if not verdict.met]
    lines = [
        "# Benchmarks",
        "",
        f"Written by `{command}`, never by hand. Everything was measured in this one run, on one",
        "machine, over the loopback address; ratios hold elsewhere, absolute figures do not.",
        "",
        f"{len(missed)} of {len(verdicts)} goals are missed." if missed else "All goals are met.",
        "",
        "| goal | measured | wanted | |",
        "|---|---|---|---|",
        *(verdict.as_row() for verdict in verdicts),
        "",
        "## Machine and moment",
        "",
        *(f"- {line}" for line in before),
    ]
    for part in parts:
        lines += ["", f"## {part.title}", ""]
        for paragraph in part.said:
            lines += [paragraph, ""]
        lines.append("| " + " | ".join(part.head) + " |")
        lines.append("|" + "---|" * len(part.head))
        lines += ["| " + " | ".join(row) + " |" for row in part.rows]
    return "\n".join(lines) + "\n"


def machine(folder: Path) -> list[str]:
    """Describe the machine, and how busy it is before anything is measured."""
    load = ", ".join(f"{one:.2f}" for one in os.getloadavg())
    return [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {_commit()}",
        f"{_processor()}, {os.cpu_count()} cores, {psutil.virtual_memory().total >> 30} GB",
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        f"flush of 4 kB to the disk (fdatasync): {_flush_ms(folder):.2f} ms, median of {FLUSHES}",
        f"load average before the run: {load}"
        + (" (busy: others were at work here)" if os.getloadavg()[0] > 0.5 else ""),
    ]


def _commit() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=7", "--match=-"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or "unknown"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _flush_ms(folder: Path) -> float:
    path = folder / "flush"
    times = []
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        for at in range(FLUSHES):
            os.pwrite(descriptor, b"x" * 4096, at * 4096)
            began = time.perf_counter()
            os.fdatasync(descriptor)
            times.append((time.perf_counter() - began) * 1000)
    finally:
        os.close(descriptor)
        path.unlink()
    return statistics.median(times)
