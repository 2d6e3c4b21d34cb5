"""Start the real thing for a test: ``run.py`` with settings of its own, on ports of its own."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil

from tests.waiting import eventually

ROOT: Final = Path(__file__).resolve().parent.parent
ACCOUNT_SID: Final = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN: Final = "f0e1d2c3b4a5968778695a4b3c2d1e0f"
READY_SECONDS: Final = 30.0


def free_ports(how_many: int) -> list[int]:
    """Return ports of the loopback address that nothing listens at."""
    with ExitStack() as stack:
        held = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(how_many)
        ]
        return [int(one.getsockname()[1]) for one in held]


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return an environment with ``settings`` and none of whoever runs the tests."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("QUIETLINE_", "TWILIO_"))
    }
    return {**kept, "PYTHONUNBUFFERED": "1", **settings}


def live_settings(data: Path) -> dict[str, str]:
    """Return settings as a site would have them, on free ports, with everything under ``data``."""
    phone, console = free_ports(2)
    return {
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "QUIETLINE_DATA": str(data),
        "QUIETLINE_PUBLIC_URL": f"http://127.0.0.1:{phone}",
        "QUIETLINE_CONSOLE_URL": f"http://localhost:{console}",
        "QUIETLINE_PHONE_BIND": f"127.0.0.1:{phone}",
        "QUIETLINE_CONSOLE_BIND": f"127.0.0.1:{console}",
    }


def training_settings(data: Path) -> dict[str, str]:
    """Return settings of a first start: no Twilio account."""
    settings = live_settings(data)
    # Named and empty, so that no .env of a developer fills them in.
    return {**settings, "TWILIO_ACCOUNT_SID": "", "TWILIO_AUTH_TOKEN": ""}


@dataclass(slots=True)
class Quietline:
    """One running Quietline and what a test needs to know of it."""

    settings: dict[str, str]
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def phone_url(self) -> str:
        """Where Twilio's requests go, without a slash at the end."""
        return "http://" + self.settings["QUIETLINE_PHONE_BIND"]

    @property
    def console_url(self) -> str:
        """The address of the console, as the browser must name it."""
        return self.settings["QUIETLINE_CONSOLE_URL"]

    @property
    def data(self) -> Path:
        """The data folder."""
        return Path(self.settings["QUIETLINE_DATA"])

    @property
    def account_sid(self) -> str:
        """The Twilio account that calls belong to."""
        return self.settings["TWILIO_ACCOUNT_SID"]

    @property
    def auth_token(self) -> str:
        """What Twilio's requests are signed with."""
        given = self.settings["TWILIO_AUTH_TOKEN"]
        return given or (self.data / "training-token").read_text(encoding="ascii").strip()

    @property
    def output(self) -> str:
        """Everything printed so far."""
        return "\n".join(self.lines)

    @property
    def sign_in(self) -> tuple[str, str]:
        """Name and password of the first sign-in, as printed on the first start."""
        line = next(line for line in self.lines if line.startswith("Sign-in"))
        _, name, _, password = line.split()
        return name, password

    def command(self, *arguments: str) -> str:
        """Run a ``flask --app app`` command with the same settings and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "app", *arguments],
            cwd=ROOT,
            env=environment(self.settings),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def token(self, name: str = "tests", *options: str) -> str:
        """Make a bearer token of the API."""
        return self.command("tokens", "add", name, *options).strip()

    def child(self, role: str) -> psutil.Process:
        """Return the process that plays ``role``: phone, console or engine."""
        for one in psutil.Process(self.process.pid).children():
            with suppress(psutil.NoSuchProcess):  # it ended while we looked
                if one.cmdline()[-1:] in ([role], [f"app:{role}"]):
                    return one
        raise AssertionError(f"no {role} process is running")

    def processes(self) -> list[psutil.Process]:
        """Return every process of this Quietline, the supervisor first."""
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def wait_until_ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait for the line that says so."""

        def ready() -> bool:
            assert self.process.poll() is None, self.output
            return any(line.startswith("Quietline is ready") for line in self.lines)

        try:
            eventually(ready, seconds)
        except AssertionError:
            raise AssertionError(f"not ready after {seconds} s:\n{self.output}") from None

    def stop(self, seconds: float = 10.0) -> int:
        """Stop it as SIGTERM does and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


def start(settings: dict[str, str]) -> Quietline:
    """Start ``run.py`` with ``settings``; returns at once."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "run.py")],
        cwd=ROOT,
        env=environment(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    running = Quietline(settings, process)
    threading.Thread(target=_collect, args=(running,), daemon=True).start()
    return running


def _collect(running: Quietline) -> None:
    assert running.process.stdout is not None
    for line in running.process.stdout:
        running.lines.append(line.rstrip("\n"))


@contextmanager
def quietline(settings: dict[str, str], *, ready: bool = True) -> Iterator[Quietline]:
    """Run Quietline for a test and leave nothing of it behind."""
    running = start(settings)
    try:
        if ready:
            running.wait_until_ready()
        yield running
    finally:
        everyone = running.processes() if running.process.poll() is None else []
        try:
            running.stop()
        finally:
            for one in everyone:
                if one.is_running() and one.status() != psutil.STATUS_ZOMBIE:
                    one.kill()


def fetch(
    url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: str = ""
) -> tuple[int, str]:
    """Make one request and return the status and the text of the answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target or "/", body or None, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
