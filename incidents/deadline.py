"""A PostgreSQL connection that never waits for ever.

A backend that was stopped (SIGSTOP, a frozen machine) cannot fire its own timeouts,
and the kernel still acknowledges its packets, so no timeout of the network fires
either. The client must stop waiting by itself. Imported only where PostgreSQL is used.
"""

import time
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen

DEADLINE: Final = 7.0
"""Seconds one answer of the server may take: a little more than the server's own limits, so that
where it still works it is the server that says what was wrong."""
_INTERVAL: Final = 0.1

Found = TypeVar("Found")


class Connection(psycopg.Connection[Any]):
    """Gives up, and closes itself, when one answer takes longer than ``DEADLINE``."""

    def wait(
        self, gen: PQGen[Found], interval: float = _INTERVAL, timeout: float | None = None
    ) -> Found:
        """Wait for one answer. Raises ``psycopg.OperationalError`` after ``DEADLINE``."""
        began = time.monotonic()
        try:
            return super().wait(gen, interval, DEADLINE if timeout is None else timeout)
        except Exception as error:
            if timeout is not None or time.monotonic() - began < DEADLINE:
                raise
            # What the server may still send belongs to no question any more.
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer in {DEADLINE:.0f} s") from error
