"""Composition root: builds each process from the packages, and the ``flask`` commands.

Everything is imported where it is used, because the phone process must never load the store and
no process should pay for another's packages. It refuses to hold any rule of its own.
"""

from __future__ import annotations

import ctypes
import gc
import hmac
import json
import logging
import os
import re
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from config.policy import Policy, load_policy
from config.settings import Settings, load

if TYPE_CHECKING:
    from flask import Flask

    from incidents.engine import Engine
    from incidents.orders import LiveCalls

ROOT: Final = Path(__file__).resolve().parent
FIRST_USER: Final = "handler"
PHONE_WORKERS: Final = 2
PRACTICE: Final = "/practice"
HAND_OVER_SECONDS: Final = 0.0005
"""How long a busy thread may keep the interpreter from one that waits for it. The journal's writer
and the board's reader come back from the disk with somebody's answer in hand; with Python's own
5 ms, each flush cost its callers several times that."""
_PR_SET_PDEATHSIG: Final = 1


def configured() -> Settings:
    """Load the settings. Raises ``BadSetting``, which names the setting and says why."""
    return load(os.environ, ROOT)


def policy(settings: Settings) -> Policy:
    """Load profiles, prompts and lines. Raises ``BadPolicy``, which names the file and the key."""
    return load_policy(settings)


def phone() -> Any:
    """Build the phone side for one worker: an ASGI application."""
    from webhooks.edge import application

    # Should the server above us be killed, a worker left behind would hold the port.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    configure_logs("phone")
    sys.setswitchinterval(HAND_OVER_SECONDS)
    settings = configured()
    made = application(settings, policy(settings))
    # What is loaded now stays: searching it for garbage again and again would hold callers up.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    return made


def serve_phone() -> None:
    """Become the server of the phone side, in this process's place. Never returns.

    The server gets its address as an argument and loads nothing of ours itself, which keeps it
    small; each worker builds ``phone``.
    """
    host, port = configured().phone_bind
    options = {
        "--interface": "asgi",
        "--host": host,
        "--port": str(port),
        "--workers": str(PHONE_WORKERS),
        "--http": "1",
        "--backlog": "2048",
        "--log-level": "warning",
        "--workers-kill-timeout": "4",
        "--working-dir": str(ROOT),
    }
    flags = ["--factory", "--no-ws", "--respawn-failed-workers"]
    listed = [part for option in options.items() for part in option]
    command = [sys.executable, "-m", "granian", *listed, *flags, "app:phone"]
    os.execv(sys.executable, command)  # noqa: S606 - our own interpreter


def console() -> Any:
    """Build the console: an ASGI application, with the practice phone in training mode."""
    from console.app import application

    sys.setswitchinterval(HAND_OVER_SECONDS)
    settings = configured()
    if not settings.training:
        return application(settings, policy(settings), live_calls(settings))
    practising = practice_phone(settings)
    console_app = application(
        settings, policy(settings), live_calls(settings), extra_mounts={PRACTICE: practising}
    )

    async def with_orders(scope: dict[str, Any], receive: Any, send: Any) -> None:
        # Orders to a live call come from our own engine with the account's name and token, as
        # they would at Twilio; no session comes with them.
        if scope["type"] == "http" and scope["path"].startswith(f"{PRACTICE}/twilio/"):
            below = {**scope, "root_path": scope.get("root_path", "") + PRACTICE}
            await practising(below, receive, send)
        else:
            await console_app(scope, receive, send)

    return with_orders


def live_calls(settings: Settings) -> LiveCalls:
    """Build the door to Twilio's REST API; nothing is loaded or asked before the first order."""
    from webhooks.livecalls import TwilioCalls

    return TwilioCalls(
        account=settings.account_sid,
        token=settings.auth_tokens[0],
        api_url=settings.api_url,
        public_url=settings.public_url,
    )


def practice_phone(settings: Settings) -> Any:
    """Build the practice phone, which plays the caller and Twilio against our own phone side.

    The console lets only the signed-in reach it, so it asks nobody again.
    """
    from simulator.people import LINE_DRAMA
    from simulator.practice import practice
    from simulator.target import Target

    async def signed_in(_: Any) -> bool:
        return True

    target = Target(
        phone_url=phone_address(settings),
        public_url=settings.public_url,
        auth_token=settings.auth_tokens[0],
        account_sid=settings.account_sid,
        to_number=LINE_DRAMA,
    )
    lines = {line.number: line.name for line in policy(settings).lines.values()}
    return practice(target, signed_in, lines)


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


def phone_address(settings: Settings) -> str:
    """Return the address at which this machine reaches its own phone side."""
    host, port = settings.phone_bind
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound here
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class ToldToStop:
    """A bare flag for signal handlers: one may interrupt another, and an Event is then locked."""

    told = False

    def tell(self, *_: object) -> None:
        """Take the signal."""
        self.told = True

    def is_set(self) -> bool:
        """Say whether a signal has come."""
        return self.told


def run_engine() -> None:
    """Run the engine until told to stop."""
    configure_logs("engine")
    stop = ToldToStop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop.tell)
    settings = configured()
    engine(settings, policy(settings)).run(stop)


def engine(settings: Settings, rules_of: Policy) -> Engine:
    """Build the engine: the drain, and beside it the ladder, the watchman and the rules."""
    from console import words
    from console.rules import rules
    from incidents.audit import Audit
    from incidents.callback_machines import Machines
    from incidents.carrier import Carrier
    from incidents.drain import Drain
    from incidents.engine import Engine
    from incidents.follow_ups import FollowUps
    from incidents.heartbeat import Heartbeat
    from incidents.ladder import Climber
    from incidents.ladder_turns import LadderTurns
    from incidents.late_reviews import LateReviews
    from incidents.matching import Matching
    from incidents.naming import Naming
    from incidents.publishing import Publisher
    from incidents.reviewing import Reviewing
    from incidents.routing import FILE as ROUTING
    from incidents.rule_turns import RuleTurns
    from incidents.sealed import Keys
    from incidents.silent_calls import SilentCalls
    from incidents.store import Store
    from incidents.tail import Tail
    from incidents.watchman import Watchman
    from simulator.people import LINE_DRAMA
    from webhooks.proving import Proving

    keys = Keys(settings.key_material)
    store = Store(settings.database_url, keys)
    calls = live_calls(settings)
    audit = Audit(store.engine, keys, settings.data)
    carrier = Carrier(store, keys, calls)
    climber = Climber(store, keys, audit, rules(rules_of, settings), rules_of.ladder, carrier)
    ladder = LadderTurns(climber, carrier)
    line = next(iter(rules_of.lines), LINE_DRAMA)
    drain = Drain(store, Tail(()), keys, rules_of.profiles, rules_of.markers, rules_of.roles)
    watchman = Watchman(
        keys=keys,
        account=settings.account_sid,
        prover=Proving(
            settings.public_url, settings.auth_tokens[0], settings.account_sid, keys, line
        ),
        climber=climber,
        ladder=ladder,
        silent_calls=SilentCalls(climber.unfinished, calls, drain, keys),
        heartbeat=Heartbeat(settings.heartbeat_url) if settings.heartbeat_url else None,
        chores=(audit.bring_in, lambda: audit.keep_head(datetime.now(UTC))),
        training=settings.training,
    )
    made = FollowUps(store, keys, audit, rules_of.follow_ups, rules_of.roles)
    follow_up_rules = RuleTurns(
        store, keys, made, rules_of.roles, rules_of.follow_up_rules, words.LOCAL
    )
    reviews = Reviewing(store, keys, audit, rules(rules_of, settings), rules_of.review)
    return Engine(
        store=store,
        journals=settings.journals,
        wake=settings.wake,
        keys=keys,
        profiles=rules_of.profiles,
        markers=rules_of.markers,
        roles=rules_of.roles,
        besides=(
            ladder,
            watchman,
            Publisher(store, keys, rules_of.roles, settings.data / ROUTING, words.LOCAL),
            Machines(store, calls),
            Matching(store, keys, drain, lambda: datetime.now(UTC)),
            Naming(store, keys, drain, rules_of.roles, lambda: datetime.now(UTC)),
            follow_up_rules,
            LateReviews(reviews, lambda: datetime.now(UTC)),
        ),
    )


def prepare() -> int:
    """Bring the store's tables up to date and make the first sign-in; print it as JSON.

    Runs in a process of its own, so that what migrations need is not kept in memory. Returns 1,
    with a line on standard error, when the store cannot be reached or changed.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from incidents.accounts import Accounts
    from incidents.migrate import upgrade
    from incidents.sealed import Keys
    from incidents.store import Store
    from incidents.transactions import StoreUnavailable

    configure_logs("prepare")
    settings = configured()
    told: dict[str, str] = {}
    try:
        upgrade(settings.database_url)
        keys = Keys(settings.key_material)
        accounts = Accounts(Store(settings.database_url, keys).engine, keys, policy(settings).roles)
        if not accounts.has_users():
            password = accounts.add_user(FIRST_USER, None, now=datetime.now(UTC))
            told = {"name": FIRST_USER, "password": password}
    except (SQLAlchemyError, StoreUnavailable, OSError) as error:
        # The driver's own text may quote the address with its password: the kind is enough here.
        kind = type(getattr(error, "orig", None) or error).__name__
        print(f"QUIETLINE_DATABASE_URL: the store cannot be used ({kind}).", file=sys.stderr)
        return 1
    (settings.data / "prepared").write_text(_prepared_mark(settings), encoding="ascii")
    print(json.dumps(told))
    return 0


def prepared_before(settings: Settings) -> bool:
    """Say whether ``prepare`` has brought this store to this release's tables before.

    A hint that saves time at the start, no more: ``prepare`` runs all the same.
    """
    mark = settings.data / "prepared"
    return mark.is_file() and mark.read_text(encoding="ascii") == _prepared_mark(settings)


def _prepared_mark(settings: Settings) -> str:
    migrations = sorted(file.name for file in (ROOT / "migrations/versions").glob("*.py"))
    told = json.dumps([settings.database_url, migrations])
    return hmac.digest(settings.key_material, told.encode(), "sha256").hex()


def create_app() -> Flask:
    """Build the application behind ``flask --app app``: commands only, it serves nothing."""
    from flask import Flask

    from config.command import doctor
    from console.commands import commands as accounts
    from simulator.command import simulate_command
    from simulator.people import LINE_DRAMA

    def practice() -> dict[str, str]:
        settings = configured()
        return {
            "url": phone_address(settings),
            "public_url": settings.public_url,
            "auth_token": settings.auth_tokens[0],
            "account": settings.account_sid,
            "console": settings.console_url,
            "to": LINE_DRAMA,
        }

    flask_app = Flask("quietline", static_folder=None)
    for command in (doctor, simulate_command(practice), *accounts):
        flask_app.cli.add_command(command)
    return flask_app


def configure_logs(process: str) -> None:
    """Send every log line of this process to standard error: JSON, or plain on a terminal."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LogLines(process, plain=sys.stderr.isatty()))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


class LogLines(logging.Formatter):
    """Writes one log line, with whatever looks like a phone number taken out.

    What a caller said or dialled must never stand in a log. No line of ours holds it; this is a
    second fence, for the lines and tracebacks of every library.
    """

    _NUMBER: Final = re.compile(r"(?:\+|%2B|(?<!\d)0)\d[\d ]{5,}\d|sips?:\S+", re.IGNORECASE)

    def __init__(self, process: str, *, plain: bool) -> None:
        super().__init__("%(asctime)s %(process_name)s %(levelname)s %(name)s: %(message)s")
        self.converter = time.gmtime
        self._process = process
        self._plain = plain

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback follows on lines of its own when plain."""
        record.process_name = self._process
        if self._plain:
            return self._NUMBER.sub("[number]", super().format(record))
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self._process,
            "pid": record.process,
            "from": record.name,
            "text": self._NUMBER.sub("[number]", record.getMessage()),
        }
        if record.exc_info:
            line["error"] = self._NUMBER.sub("[number]", self.formatException(record.exc_info))
        return json.dumps(line)
