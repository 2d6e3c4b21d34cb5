"""Starts what is measured, each in a process group of its own, and stops it by its id."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from tests import running
from tests.bench.traffic import Site
from tests.waiting import eventually

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0


@contextmanager
def data_folder() -> Iterator[Path]:
    """Make a data folder on the disk the repository is on, and remove it after.

    Not the system's temporary folder: that may be memory, where a flush costs nothing.
    """
    build = running.ROOT / "build"
    build.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=build))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def rival(name: str, data: Path) -> Iterator[Site]:
    """Serve one of ``rivals`` for as long as the block runs."""
    (port,) = running.free_ports(1)
    site = Site(f"http://127.0.0.1:{port}", running.ACCOUNT_SID, running.AUTH_TOKEN)
    settings = {"BENCH_URL": site.url, "BENCH_TOKEN": site.token, "BENCH_DATA": str(data)}
    with _process(["-m", "tests.bench.rivals", name, str(port)], settings):
        wanted = 404 if name == "orm" else 200
        eventually(lambda: _status(f"{site.url}/") == wanted, START_SECONDS)
        yield site


@contextmanager
def phone(data: Path) -> Iterator[Site]:
    """Serve the phone side alone, as ``run.py`` starts it, for as long as the block runs."""
    settings = running.live_settings(data)
    site = Site(settings["QUIETLINE_PUBLIC_URL"], running.ACCOUNT_SID, running.AUTH_TOKEN)
    with _process([str(running.ROOT / "run.py"), "phone"], settings):
        eventually(lambda: _status(f"{site.url}/readyz") == 200, START_SECONDS)
        yield site


@contextmanager
def field(data: Path, *names: str) -> Iterator[dict[str, Site]]:
    """Serve the named rivals and the phone side beside each other."""
    with ExitStack() as stack:
        sites = {name: stack.enter_context(rival(name, data)) for name in names}
        sites["phone"] = stack.enter_context(phone(data / "phone"))
        yield sites


def kept(data: Path) -> int:
    """Count the different events that stand in the journal of ``data``, spare folder included.

    An event the first folder took too late stands in both, once is what counts.
    """
    keys: set[str] = set()
    for folder in ("journal", "journal-spare"):
        for path in (data / folder).glob("*.db"):
            database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
            try:
                keys.update(key for (key,) in database.execute("SELECT key FROM events"))
            finally:
                database.close()
    return len(keys)


def _status(url: str) -> int:
    try:
        return running.fetch(url)[0]
    except OSError:
        return 0


@contextmanager
def _process(arguments: list[str], settings: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=running.ROOT,
        env=running.environment(settings),
        stdin=subprocess.DEVNULL,
        process_group=0,
    )
    try:
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
