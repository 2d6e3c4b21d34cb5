"""Keep phone, console and engine running, each a process of its own.

Prepares the store, starts again whatever dies, says when everything is ready, and leaves nothing
behind when it stops, however it stops. It refuses to answer calls or to touch the store itself, and
imports only what watching needs: it stays for as long as the others.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from incidents.wake import Ear

RUN: Final = Path(__file__).resolve().parent / "run.py"
ROLES: Final = ("phone", "console", "engine")
GRACE_SECONDS: Final = 6.0
"""How long a process may take to stop before it is killed; `make run` promises 10 s in all."""
PREPARE_SECONDS: Final = 20.0
BACK_OFF_SECONDS: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
STEADY_SECONDS: Final = 30.0
"""A process that ran this long before it died is started again at once."""
SLOW_SECONDS: Final = 15.0

LOOK_AT_FIRST_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 0.25
"""How often the children are looked at, before everything is ready and after."""

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def say(text: str) -> None:
    """Tell whoever started us; what happened on a call never goes here."""
    print(text, flush=True)


def die_with_parent() -> None:
    """Have the kernel stop this process when its parent is gone, even by kill -9."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True)
class Child:
    """One of our processes, in a process group of its own."""

    role: str
    process: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    start_after: float = 0.0
    deaths: int = 0

    def start(self, *, stdout: int | None = None) -> None:
        """Start it. Ctrl-C in our terminal does not reach its group: we stop it ourselves."""
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
            [sys.executable, str(RUN), self.role],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            text=True,
            process_group=0,
            preexec_fn=die_with_parent,  # safe: we have no other thread
        )
        self.started_at = time.monotonic()

    def signal(self, number: signal.Signals) -> None:
        """Send ``number`` to every process of its group that is still there."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                return

    def died(self) -> str | None:
        """Return how it died, once; clear away what it left, and plan the next start."""
        if self.process is None or self.process.poll() is None:
            return None
        code = self.process.returncode
        self.signal(signal.SIGKILL)  # workers whose parent was killed alone
        self.process = None
        now = time.monotonic()
        self.deaths = 1 if now - self.started_at > STEADY_SECONDS else self.deaths + 1
        self.start_after = now + BACK_OFF_SECONDS[min(self.deaths, len(BACK_OFF_SECONDS)) - 1]
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the supervisor must know of the settings."""

    phone_bind: tuple[str, int]
    console_bind: tuple[str, int]
    console_url: str
    wake: str
    training: bool
    prepared: bool
    """The store was prepared for this release before: what needs it need not wait."""


class Supervisor:
    """Prepare, start, watch, stop."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.stopping = False
        self.children = {role: Child(role) for role in ROLES}
        self.prepare = Child("prepare")
        self.prepared = False
        self.started_at = time.monotonic()
        self.engine_beat = False
        self.said_ready = False
        self.said_slow = False

    def run(self) -> None:
        """Run until told to stop. The phone starts first: it needs no store."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        ear = Ear(Path(self.plan.wake), "run")
        try:
            self._start("phone")
            if self.plan.prepared:
                self._start("console", "engine")
            self.prepare.start(stdout=subprocess.PIPE)
            while not self.stopping:
                time.sleep(LOOK_SECONDS if self.said_ready else LOOK_AT_FIRST_SECONDS)
                self._finish_preparing()
                self._keep_running()
                self._listen(ear)
                self._say_when_ready()
        finally:
            ear.close()
            self._stop_all()

    def _stop(self, *_: object) -> None:
        # A bare flag: make and the terminal send the same signal within microseconds, and an
        # Event being set is locked against the second handler that interrupts the first.
        self.stopping = True

    def _finish_preparing(self) -> None:
        """When the store is prepared, or cannot be, start what needs it."""
        process = self.prepare.process
        if process is None:
            if not self.prepared and time.monotonic() >= self.prepare.start_after:
                self.prepare.start(stdout=subprocess.PIPE)
            return
        if time.monotonic() - self.prepare.started_at > PREPARE_SECONDS:
            self.prepare.signal(signal.SIGKILL)
        if process.poll() is None:
            return
        told = process.stdout.read() if process.stdout else ""
        if process.returncode == 0:
            self.prepare.process = None
            self.prepared = True
            self._say_sign_in(json.loads(told))
        else:
            self.prepare.died()
            if self.prepare.deaths == 1:
                say(
                    "The store cannot be prepared yet (the reason stands above). Calls are "
                    "answered and kept in the journal; trying again until it can."
                )
        self._start("console", "engine")

    def _start(self, *roles: str) -> None:
        for role in roles:
            if self.children[role].started_at == 0.0:
                self.children[role].start()

    def _keep_running(self) -> None:
        for child in self.children.values():
            if (how := child.died()) is not None:
                say(f"The {child.role} process stopped ({how}); starting it again.")
            waiting = child.process is None and child.started_at > 0.0
            if waiting and time.monotonic() >= child.start_after:
                child.start()

    def _listen(self, ear: Ear) -> None:
        for heard in ear.receive():
            if heard.startswith(b"{") and json.loads(heard).get("process") == "engine":
                self.engine_beat = True

    def _say_when_ready(self) -> None:
        if self.said_ready:
            return
        waiting_for = [
            *([] if answers(self.plan.phone_bind) else ["phone"]),
            *([] if self.prepared else ["store"]),
            *([] if answers(self.plan.console_bind) else ["console"]),
            *([] if self.engine_beat else ["engine"]),
        ]
        if not waiting_for:
            self.said_ready = True
            say(f"Console         {self.plan.console_url}")
            if self.plan.training:
                say(f"Practice phone  {self.plan.console_url}/practice")
                say("Training mode: without TWILIO_AUTH_TOKEN nobody real can call or be called.")
            say("Quietline is ready. Ctrl-C stops it.")
        elif not self.said_slow and time.monotonic() - self.started_at > SLOW_SECONDS:
            self.said_slow = True
            say(f"Still waiting for: {', '.join(waiting_for)}. `flask --app app doctor` says more.")

    def _say_sign_in(self, told: dict[str, str]) -> None:
        if "password" in told:
            say(f"Sign-in         {told['name']}   password {told['password']}")
            say("                (shown this once; write it down)")
        else:
            say("Sign-in         as made before; another: .venv/bin/flask --app app users add NAME")

    def _stop_all(self) -> None:
        running = [*self.children.values(), self.prepare]
        for child in running:
            child.signal(signal.SIGTERM)
        until = time.monotonic() + GRACE_SECONDS
        for child in running:
            if child.process is not None:
                try:
                    child.process.wait(max(0.0, until - time.monotonic()))
                except subprocess.TimeoutExpired:
                    say(f"The {child.role} process did not stop in time and was killed.")
        for child in running:
            child.signal(signal.SIGKILL)
        say("Quietline has stopped.")


def answers(bind: tuple[str, int]) -> bool:
    """Say whether ``/readyz`` at ``bind`` answers 200."""
    host, port = bind
    # A server that listens on every address is knocked at on this machine's own.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound here
    try:
        with socket.create_connection((host, port), timeout=1.0) as connection:
            connection.settimeout(1.0)
            connection.sendall(
                b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            return connection.recv(64).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False
