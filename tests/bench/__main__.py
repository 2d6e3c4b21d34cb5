"""``make bench``: measure every goal in one run and write docs/benchmarks.md.

``--quick`` takes seconds instead of minutes and writes to standard output only: good to see that
the bench works, too short to believe. ``--only PART`` measures one part. Exit code 1 when a goal
is missed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench import handlers, report, screens, searches, seen, servers, webhooks
from tests.bench.figures import Measured
from tests.running import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"

Part = Callable[[Path], Measured]


def parts(quick: bool) -> dict[str, Part]:
    """Return every part by name, short or at full length."""
    if quick:
        return {
            "start": lambda data: screens.start_and_size(data, 1.0),
            "throughput": lambda data: webhooks.throughput(data, 1, 2.0),
            "latency": lambda data: webhooks.latency(data, 2, 2.0),
            "feeds": lambda data: screens.live_feeds(data, 500, 5.0),
            "asks": lambda data: handlers.asks(data, 20),
            "claims": lambda data: handlers.claims(data, 3.0),
            "pressed": lambda data: seen.pressed(data, 10),
            "board": lambda data: seen.board(data, 9),
            "search": lambda data: searches.search(data, 10_000, 10),
        }
    return {
        "start": lambda data: screens.start_and_size(data, 10.0),
        "throughput": lambda data: webhooks.throughput(data, 5, 4.0),
        "latency": lambda data: webhooks.latency(data, 7, 6.0),
        "feeds": lambda data: screens.live_feeds(data, 500, 30.0),
        "asks": lambda data: handlers.asks(data, 300),
        "claims": lambda data: handlers.claims(data, 60.0),
        "pressed": lambda data: seen.pressed(data, 300),
        "board": lambda data: seen.board(data, 150),
        "search": lambda data: searches.search(data, 1_000_000, 300),
    }


def main(arguments: list[str]) -> int:
    """Measure and write. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="seconds; prints, writes no page")
    parser.add_argument("--only", choices=list(parts(True)), help="one part; writes no page")
    given = parser.parse_args(arguments)
    chosen = parts(given.quick)
    if given.only:
        chosen = {given.only: chosen[given.only]}
    measured = []
    with servers.data_folder() as folder:
        before = report.machine(folder)
        for name, part in chosen.items():
            print(f"{name} …", file=sys.stderr, flush=True)
            (folder / name).mkdir()
            measured.append(part(folder / name))
            for verdict in measured[-1].verdicts:
                print(f"  {verdict.as_row()}", file=sys.stderr, flush=True)
    page = report.write(measured, "make bench", before)
    if given.quick or given.only:
        print(page)
    else:
        PAGE.write_text(page, encoding="utf-8")
        print(f"written: {PAGE.relative_to(ROOT)}", file=sys.stderr)
    return 0 if all(verdict.met for part in measured for verdict in part.verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
