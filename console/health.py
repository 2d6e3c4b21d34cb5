"""Whether the console is alive and ready, and its figures, for machines that watch it.

Open without a token: the console faces the private network only, and nothing
said here is about a caller. It refuses to hang: a check that does not answer
in time has failed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from datetime import datetime, timedelta
from threading import Thread
from typing import Final

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST

from console.guard import everyone
from incidents.transactions import StoreUnavailable

DEADLINE_SECONDS: Final = 2.0
FED_WITHIN: Final = timedelta(seconds=5)
"""The board looks at the journal four times a second; older than this, it is not fed."""

Check = Callable[[], str | None]
"""Return a sentence that says what is wrong, or None."""


def blueprint(checks: Sequence[tuple[str, Check]], figures: Callable[[], bytes]) -> Blueprint:
    """Make the blueprint. ``checks``: by name; ``figures``: the text of ``/metrics``."""
    health = Blueprint("health", __name__)
    watch = Watch(checks)

    @health.get("/healthz")
    @everyone
    def alive() -> Response:
        return _fresh(jsonify(alive=True))

    @health.get("/readyz")
    @everyone
    def ready() -> Response:
        reasons = watch.reasons()
        answer = _fresh(jsonify(ready=not reasons, reasons=reasons))
        answer.status_code = 503 if reasons else 200
        return answer

    @health.get("/metrics")
    @everyone
    def metrics() -> Response:
        return _fresh(Response(figures(), content_type=CONTENT_TYPE_LATEST))

    return health


class Watch:
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


def board_fed(
    fed_at: Callable[[], datetime | None],
    sources: Callable[[], tuple[bool, bool]],
    now: Callable[[], datetime],
) -> Check:
    """Check that the board was fed lately; ``sources`` tells (store, journal) read well."""

    def check() -> str | None:
        fed = fed_at()
        if fed is None:
            return "it has not been fed yet"
        if now() - fed > FED_WITHIN:
            return f"last fed {(now() - fed).total_seconds():.0f} s ago"
        store, journal = sources()
        if not journal:
            return "the journal cannot be read"
        return None if store else "the store cannot be read"

    return check


def _fresh(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
