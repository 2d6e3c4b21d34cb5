"""A process of its own that keeps events in a journal and says of each what came of it.

``python journaling.py FOLDER HOW_MANY [AT_ONCE]``: writes events 0, 1, 2 … into ``FOLDER/journal``
with ``FOLDER/spare`` behind it, and prints one JSON line for each once ``keep`` has answered.
Started under strace by the tests, so that its disk fails in the ways a disk fails. With
``PREPARE`` in the environment that command is run first (it mounts a small disk).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from incidents.journal import Journal, JournalFailed
from incidents.recorded import Sealed


def event(number: int, size: int = 300) -> Sealed:
    """The event with this number."""
    return Sealed(f"key-{number:06}", "call", "CA", "2026-12", number, "kind", 0, b"x" * size)


async def run(folder: Path, how_many: int, at_once: int) -> None:
    """Keep the events, ``at_once`` at a time, and tell of each.

    ``TRIES`` in the environment has each sent again as often as that, as Twilio would: on a busy
    machine a sync of the good disk may take too long as well.
    """
    tries = int(os.environ.get("TRIES", "1"))
    journal = Journal(folder / "journal", folder / "spare", folder / "wake")

    async def keep(number: int) -> None:
        slowest, file = 0.0, ""
        for _ in range(tries):
            began = time.monotonic()
            with contextlib.suppress(JournalFailed):
                file, _ = await journal.keep([event(number)])
            slowest = max(slowest, time.monotonic() - began)
            if file:
                break
            await asyncio.sleep(0.05)
        print(json.dumps({"number": number, "file": file, "took": slowest}), flush=True)

    for start in range(0, how_many, at_once):
        await asyncio.gather(*(keep(at) for at in range(start, min(how_many, start + at_once))))
    first, spare = journal.first.figures, journal.spare.figures
    told = {
        "troubles": journal.troubles(),
        "commits": first.commits + spare.commits,
        "failures": first.failures + spare.failures,
        "spared": journal.spared,
        "failed": journal.failed,
    }
    print(json.dumps(told), flush=True)
    journal.close()


if __name__ == "__main__":
    if prepare := os.environ.get("PREPARE"):
        subprocess.run(prepare, shell=True, check=True)
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2]), int([*sys.argv, "1"][3])))
