"""Start Quietline: everything, or one of its processes.

Without an argument: checks settings, policy and ports, says in one line what is wrong, and then
becomes the supervisor. With ``phone``, ``console`` or ``engine``: is that process, alone, on a
machine of its own if need be. It refuses to decide anything else.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import sys
from dataclasses import asdict
from pathlib import Path

from supervisor import Plan, Supervisor


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


def begin() -> int:
    """Check what can be checked before anything starts, then become the supervisor.

    Settings and policy are read here and then left behind with everything they load: the process
    is replaced by one that holds the plan alone. Returns an exit code only when it refuses.
    """
    import app

    settings = app.configured()
    app.policy(settings)
    for name, bind in (
        ("QUIETLINE_PHONE_BIND", settings.phone_bind),
        ("QUIETLINE_CONSOLE_BIND", settings.console_bind),
    ):
        if (reason := port_taken(bind)) is not None:
            return refuse(
                f"{name}: nothing can listen at {bind[0]}:{bind[1]} ({reason}). "
                f"Stop what uses the port, or set {name} to another.",
                exit_code=1,
            )
    plan = Plan(
        settings.phone_bind,
        settings.console_bind,
        settings.console_url,
        str(settings.wake),
        settings.training,
        app.prepared_before(settings),
    )
    here = str(Path(__file__).resolve())
    command = [sys.executable, here, "watch", json.dumps(asdict(plan))]
    return os.execv(sys.executable, command)  # noqa: S606 - our own interpreter


def open_many() -> None:
    """Let this process and those it starts open as many files as the system allows.

    Every caller and every screen costs a descriptor, and a shell's usual 1,024 is too few.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def watch(plan: str) -> int:
    """Supervise by ``plan``, the JSON that ``begin`` wrote. Returns the exit code."""
    told = json.loads(plan)
    for bind in ("phone_bind", "console_bind"):
        told[bind] = tuple(told[bind])
    Supervisor(Plan(**told)).run()
    return 0


def play(role: str) -> int:
    """Be one of the processes. Returns the exit code."""
    import app

    match role:
        case "phone":
            app.serve_phone()
        case "console":
            app.serve_console()
        case "engine":
            app.run_engine()
        case "prepare":
            return app.prepare()
    return 0


def refuse(why: str, *, exit_code: int = 2) -> int:
    """Say in one line why nothing starts."""
    print(f"Quietline cannot start: {why}", file=sys.stderr)
    return exit_code


def main(arguments: list[str]) -> int:
    """Run all processes, or the one named in ``arguments``. Returns the exit code."""
    open_many()
    match arguments:
        case ["watch", plan]:
            return watch(plan)
        case [] | ["phone" | "console" | "engine" | "prepare"]:
            from config.policy import BadPolicy
            from config.settings import BadSetting

            try:
                return play(arguments[0]) if arguments else begin()
            except (BadSetting, BadPolicy) as refused:
                return refuse(str(refused))
    print("usage: run.py [phone | console | engine | prepare]", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
