"""Phone and engine as run.py starts them, each killed and started again by the test."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from incidents.migrate import upgrade
from tests import running
from tests.waiting import eventually


@dataclass
class Role:
    """One of the processes, and everything it and its successors wrote."""

    name: str
    settings: Mapping[str, str]
    before: Sequence[str] = ()
    process: subprocess.Popen[str] | None = None
    lines: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Start it, as run.py does: the interpreter, the file, the role."""
        self.process = subprocess.Popen(
            [*self.before, sys.executable, str(running.ROOT / "run.py"), self.name],
            cwd=running.ROOT,
            env=running.environment(self.settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        threading.Thread(target=self._collect, args=(self.process,), daemon=True).start()

    def _collect(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with contextlib.suppress(ValueError):
            for line in process.stdout:
                self.lines.append(line)

    def kill(self) -> None:
        """Kill it, and what it started, with SIGKILL."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def alive(self) -> bool:
        """Say whether it runs."""
        return self.process is not None and self.process.poll() is None

    def workers(self) -> list[psutil.Process]:
        """What it started: the phone's workers."""
        if self.process is None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children(recursive=True)
        return []


@dataclass
class Site:
    """A data folder with its processes."""

    settings: dict[str, str]
    phone: Role = field(init=False)
    engine: Role = field(init=False)

    def __post_init__(self) -> None:
        self.phone = Role("phone", self.settings)
        self.engine = Role("engine", self.settings)
        upgrade(f"sqlite:///{self.store}")

    @property
    def url(self) -> str:
        """Where the phone side answers."""
        return self.settings["QUIETLINE_PUBLIC_URL"]

    @property
    def data(self) -> Path:
        """The data folder."""
        return Path(self.settings["QUIETLINE_DATA"])

    @property
    def store(self) -> Path:
        """The SQLite store."""
        return self.data / "quietline.db"

    def answers(self) -> bool:
        """Say whether the phone side is ready for calls."""
        with contextlib.suppress(OSError):
            return running.fetch(f"{self.url}/readyz")[0] == 200
        return False

    def start(self) -> None:
        """Start both and wait until calls are answered."""
        for role in (self.phone, self.engine):
            role.start()

        def answering() -> bool:
            assert self.answers(), "".join(self.phone.lines)
            return True

        eventually(answering, 30)

    def revive(self) -> None:
        """Start again whatever is dead."""
        for role in (self.phone, self.engine):
            if not role.alive():
                role.kill()
                role.start()

    def kill_one(self, chance: random.Random) -> str:
        """Kill a worker of the phone, its server, or the engine. Returns which."""
        victim = chance.choice(("worker", "worker", "server", "engine"))
        workers = self.phone.workers()
        if victim == "worker" and workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                chance.choice(workers).kill()
        elif victim == "engine":
            assert self.engine.process is not None
            self.engine.process.kill()
            self.engine.process.wait()
        else:
            # The server alone: its workers must go by themselves and free the port.
            assert self.phone.process is not None
            self.phone.process.kill()
            self.phone.process.wait()
            victim = "server"
        self.revive()
        return victim

    def stop(self) -> None:
        """Leave nothing behind."""
        for role in (self.phone, self.engine):
            role.kill()


@contextlib.contextmanager
def site(data: Path, **settings: str) -> Iterator[Site]:
    """A site with its own ports and data folder, stopped at the end."""
    made = Site({**running.live_settings(data), **settings})
    try:
        yield made
    finally:
        made.stop()
