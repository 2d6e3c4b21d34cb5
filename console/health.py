"""Whether the console is alive and ready, and its figures, for machines that watch it.

Open without a token: the console faces the private network only, and nothing
said here is about a caller. It refuses to hang: a check that does not answer
in time has failed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from pathlib import Path
from threading import Thread
from typing import Final

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text

from console.guard import everyone
from console.metrics import Feeds, exposition
from console.watch import Watch
from incidents.fold import Incident
from incidents.store import Store
from incidents.transactions import StoreUnavailable, reading

DEADLINE_SECONDS: Final = 2.0
MIGRATIONS: Final = Path(__file__).resolve().parent.parent / "migrations" / "versions"

Check = Callable[[], str | None]
"""Return a sentence that says what is wrong, or None."""


def blueprint(watch: Watch, store: Store) -> Blueprint:
    """Make the blueprint of ``/healthz``, ``/readyz`` and ``/metrics``."""
    health = Blueprint("health", __name__)
    asked = Asked(checks(watch, store))

    @health.get("/healthz")
    @everyone
    def alive() -> Response:
        return _fresh(jsonify(alive=True))

    @health.get("/readyz")
    @everyone
    def ready() -> Response:
        reasons = asked.reasons()
        answer = _fresh(jsonify(ready=not reasons, reasons=reasons))
        answer.status_code = 503 if reasons else 200
        return answer

    @health.get("/metrics")
    @everyone
    def metrics() -> Response:
        return _fresh(Response(figures(watch), content_type=CONTENT_TYPE_LATEST))

    return health


class Asked:
    """Runs the checks, each in a thread of its own and never twice at once.

    A stopped database can hold a thread for ever; asking again while the last
    question is open would only lose another thread.
    """

    def __init__(
        self, checks: Sequence[tuple[str, Check]], *, deadline_seconds: float = DEADLINE_SECONDS
    ) -> None:
        self._deadline = deadline_seconds
        self._checks = dict(checks)
        self._open: dict[str, Future[str | None]] = {}
        self._lock = threading.Lock()

    def reasons(self) -> list[str]:
        """Say what is wrong, one sentence each; empty when all is well."""
        asked = {name: self._ask(name) for name in self._checks}
        wait(asked.values(), timeout=self._deadline)
        found = {name: self._reason(answer) for name, answer in asked.items()}
        return [f"{name}: {reason}" for name, reason in found.items() if reason]

    def _ask(self, name: str) -> Future[str | None]:
        with self._lock:
            still_open = self._open.get(name)
            if still_open is not None and not still_open.done():
                return still_open
            answer = self._open[name] = Future()
        # A daemon, so that a check that never answers cannot stop the console from ending.
        Thread(target=_run, args=(self._checks[name], answer), daemon=True).start()
        return answer

    def _reason(self, answer: Future[str | None]) -> str | None:
        if not answer.done():
            return f"no answer within {self._deadline:g} s"
        failure = answer.exception()
        if failure is None:
            return answer.result()
        if isinstance(failure, StoreUnavailable):
            return "the store cannot be reached"
        # A check that breaks has not said that all is well. Its text may hold what
        # nobody should read here, so only its kind is told.
        return f"the check failed ({type(failure).__name__})"


def _run(check: Check, answer: Future[str | None]) -> None:
    try:
        answer.set_result(check())
    except Exception as failure:
        answer.set_exception(failure)


def checks(watch: Watch, store: Store) -> tuple[tuple[str, Check], ...]:
    """Return what must hold before this console is of use to a handler."""

    def store_answers() -> str | None:
        return None if store.healthy() else "it cannot be reached"

    def tables_are_ours() -> str | None:
        # Alembic itself would cost 11 MB here, to compare two words. A store that is
        # ahead of us is well: each migration works with the release before it.
        newest = max(file.name.partition("_")[0] for file in MIGRATIONS.glob("[0-9]*.py"))
        with reading(store.engine) as connection:
            found = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return None if found and found >= newest else f"revision {found}, not {newest}"

    def board_is_fed() -> str | None:
        if any(alarm.id == "board" for alarm in watch.alarms()):
            return "it could not be read"
        return None if watch.status()["journal"] else "the journal cannot be read"

    return ("store", store_answers), ("tables", tables_are_ours), ("board", board_is_fed)


def figures(watch: Watch) -> bytes:
    """Return the text of ``/metrics``. A board that hangs is left out, never told as empty."""
    feed = watch.feed
    try:
        board: Sequence[Incident] | None = watch.view().incidents
    except TimeoutError:
        board = None
    alarms = watch.alarms()
    return exposition(
        watch.beats.latest(),
        board,
        Feeds(len(feed), feed.sent, feed.let_go_slow),
        alarms=len(alarms),
        standing=[alarm.id for alarm in alarms],
    )


def _fresh(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
