"""Start Quietline and keep it running: phone, console and engine, each a process of its own.

Prepares the store first, starts again whatever dies, says when everything is ready, and leaves
nothing behind when it stops, however it stops. It refuses to answer calls or to touch the store
itself: that is the work of the processes it starts (``run.py phone``, ``run.py console``,
``run.py engine``), which may also be started alone, on machines of their own.
"""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import app
from config.policy import BadPolicy
from config.settings import BadSetting, Settings
from incidents.wake import Ear

ROLES: Final = ("phone", "console", "engine")
GRACE_SECONDS: Final = 6.0
"""How long a process may take to stop before it is killed; `make run` promises 10 s in all."""
PREPARE_SECONDS: Final = 20.0
BACK_OFF_SECONDS: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
STEADY_SECONDS: Final = 30.0
"""A process that ran this long before it died is started again at once."""
SLOW_SECONDS: Final = 15.0

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
            [sys.executable, str(Path(__file__).resolve()), self.role],
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


class Supervisor:
    """Prepare, start, watch, stop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stop = threading.Event()
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
            signal.signal(number, lambda *_: self.stop.set())
        ear = Ear(self.settings.wake, "run")
        try:
            self.children["phone"].start()
            self.prepare.start(stdout=subprocess.PIPE)
            while not self.stop.wait(0.05 if not self.said_ready else 0.25):
                self._finish_preparing()
                self._keep_running()
                self._listen(ear)
                self._say_when_ready()
        finally:
            ear.close()
            self._stop_all()

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
        for role in ("console", "engine"):
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
            *([] if answers(self.settings.phone_bind) else ["phone"]),
            *([] if self.prepared else ["store"]),
            *([] if answers(self.settings.console_bind) else ["console"]),
            *([] if self.engine_beat else ["engine"]),
        ]
        if not waiting_for:
            self.said_ready = True
            say(f"Console         {self.settings.console_url}")
            if self.settings.training:
                say(f"Practice phone  {self.settings.console_url}/practice")
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
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=1.0)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _reachable(host: str) -> str:
    """Return an address to knock at for a server that listens on every address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def port_taken(bind: tuple[str, int]) -> str | None:
    """Return why nothing can listen at ``bind``, or None if something can."""
    host, port = bind
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return error.strerror or str(error)
    return None


def supervise() -> int:
    """Check what can be checked before anything starts, then run all. Returns the exit code."""
    settings = app.configured()
    app.policy(settings)
    for name, bind in (
        ("QUIETLINE_PHONE_BIND", settings.phone_bind),
        ("QUIETLINE_CONSOLE_BIND", settings.console_bind),
    ):
        if (reason := port_taken(bind)) is not None:
            print(
                f"Quietline cannot start: {name}: nothing can listen at {bind[0]}:{bind[1]} "
                f"({reason}). Stop what uses the port, or set {name} to another.",
                file=sys.stderr,
            )
            return 1
    Supervisor(settings).run()
    return 0


def main(arguments: list[str]) -> int:
    """Run all processes, or the one named in ``arguments``. Returns the exit code."""
    try:
        match arguments:
            case []:
                return supervise()
            case ["phone"]:
                app.serve_phone()
            case ["console"]:
                app.serve_console()
            case ["engine"]:
                app.run_engine()
            case ["prepare"]:
                return app.prepare()
            case _:
                print("usage: run.py [phone | console | engine | prepare]", file=sys.stderr)
                return 2
    except (BadSetting, BadPolicy) as refused:
        print(f"Quietline cannot start: {refused}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
