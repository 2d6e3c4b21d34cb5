"""Composition root: builds each process from the packages, and the ``flask`` commands.

Everything is imported where it is used, because the phone process must never load the store and
no process should pay for another's packages. It refuses to hold any rule of its own.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from config.policy import Policy, load_policy
from config.settings import Settings, load

if TYPE_CHECKING:
    from flask import Flask

ROOT: Final = Path(__file__).resolve().parent
FIRST_USER: Final = "handler"
PHONE_WORKERS: Final = 2
_PR_SET_PDEATHSIG: Final = 1


def configured() -> Settings:
    """Load the settings. Raises ``BadSetting``, which names the setting and says why."""
    return load(os.environ, ROOT)


def policy(settings: Settings) -> Policy:
    """Load profiles, prompts and lines. Raises ``BadPolicy``, which names the file and the key."""
    return load_policy(settings.lines_file, training=settings.training)


def phone() -> Any:
    """Build the phone side for one worker: an ASGI application."""
    from webhooks.edge import application

    # Should the server above us be killed, a worker left behind would hold the port.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    configure_logs("phone")
    settings = configured()
    return application(settings, policy(settings))


def serve_phone() -> None:
    """Serve the phone side until told to stop."""
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    settings = configured()
    host, port = settings.phone_bind
    configure_logs("phone")
    Server(
        "app:phone",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=PHONE_WORKERS,
        http=HTTPModes.http1,
        websockets=False,
        backlog=2048,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=4,
        working_dir=ROOT,
    ).serve()


def console() -> Any:
    """Build the console: an ASGI application, with the practice phone in training mode."""
    from console.app import application

    settings = configured()
    mounts: dict[str, Any] = {}
    if settings.training:
        mounts["/practice"] = practice_phone(settings)
    return application(settings, policy(settings), extra_mounts=mounts)


def serve_console() -> None:
    """Serve the console until told to stop. One process: it holds the live feeds."""
    import uvicorn

    settings = configured()
    host, port = settings.console_bind
    configure_logs("console")
    uvicorn.run(
        console(),
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        backlog=2048,
        h11_max_incomplete_event_size=65_536,
        timeout_graceful_shutdown=2,
    )


def run_engine() -> None:
    """Run the engine until told to stop."""
    from incidents.engine import Engine
    from incidents.sealed import Keys
    from incidents.store import Store

    configure_logs("engine")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    settings = configured()
    keys = Keys(settings.key_material)
    Engine(
        store=Store(settings.database_url, keys),
        journals=settings.journals,
        wake=settings.wake,
        keys=keys,
        profiles=policy(settings).profiles,
    ).run(stop)


def prepare() -> int:
    """Bring the store's tables up to date and make the first sign-in; print it as JSON.

    Runs in a process of its own, so that what migrations need is not kept in memory. Returns 1,
    with a line on standard error, when the store cannot be reached or changed.
    """
    from datetime import UTC, datetime

    from sqlalchemy.exc import SQLAlchemyError

    from incidents.accounts import Accounts
    from incidents.migrate import upgrade
    from incidents.sealed import Keys
    from incidents.store import Store, StoreUnavailable

    configure_logs("prepare")
    settings = configured()
    told: dict[str, str] = {}
    try:
        upgrade(settings.database_url)
        store = Store(settings.database_url, Keys(settings.key_material))
        accounts = Accounts(store.engine)
        if not accounts.has_users():
            password = accounts.add_user(FIRST_USER, None, now=datetime.now(UTC))
            told = {"name": FIRST_USER, "password": password}
    except (SQLAlchemyError, StoreUnavailable, OSError) as error:
        # The driver's own text may quote the address with its password: the kind is enough here.
        kind = type(getattr(error, "orig", None) or error).__name__
        print(f"QUIETLINE_DATABASE_URL: the store cannot be used ({kind}).", file=sys.stderr)
        return 1
    print(json.dumps(told))
    return 0


def create_app() -> Flask:
    """Build the application behind ``flask --app app``: commands only, it serves nothing."""
    from flask import Flask

    from config.command import doctor
    from console.commands import commands as accounts
    from simulator.command import simulate

    flask_app = Flask("quietline", static_folder=None)
    for command in (doctor, simulate, *accounts):
        flask_app.cli.add_command(command)
    return flask_app


def configure_logs(process: str) -> None:
    """Send every log line to standard error: JSON, or plain lines on a terminal.

    What a caller said or dialled must never stand in a log. No line of ours holds it, and as a
    second fence whatever looks like a phone number is taken out of the lines of every library.
    """
    import structlog

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _without_numbers,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    if sys.stderr.isatty():
        last: structlog.typing.Processor = structlog.dev.ConsoleRenderer(colors=False)
    else:
        last = structlog.processors.JSONRenderer()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    structlog.contextvars.bind_contextvars(process=process)


_NUMBER: Final = re.compile(r"(?:\+|%2B|(?<!\d)0)\d[\d ]{5,}\d|sip:\S+", re.IGNORECASE)


def _without_numbers(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in line.items():
        if isinstance(value, str) and name != "timestamp":
            line[name] = _NUMBER.sub("[number]", value)
    return line
