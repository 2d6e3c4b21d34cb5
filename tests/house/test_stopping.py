"""A signal handler may be interrupted by the next signal at any line of what it calls."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from app import ToldToStop
from supervisor import Plan, Supervisor

WITHIN = 2.0
"""Seconds after which a handler that waits for itself is taken to wait for ever."""


def survives_itself(handler: Callable[[], object]) -> bool:
    """Call ``handler`` again at every line it runs, as a second signal would."""
    nested = False

    def trace(_frame: FrameType, _event: str, _argument: Any) -> Any:
        nonlocal nested
        if not nested:
            nested = True
            handler()
            nested = False
        return trace

    def run() -> None:
        sys.settrace(trace)
        handler()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(WITHIN)
    return not thread.is_alive()


def test_the_check_catches_an_event() -> None:
    """The planted fault: an Event is locked while it is set, and the second setter waits for it."""
    assert not survives_itself(threading.Event().set)


def test_the_supervisor_can_be_told_to_stop_while_it_is_told_to_stop() -> None:
    """make and the terminal send the same signal within microseconds: it once hung for good."""
    supervisor = Supervisor(Plan(("", 0), ("", 0), "", "", training=True, prepared=True))
    assert survives_itself(supervisor._stop)
    assert supervisor.stopping


def test_the_engine_can_be_told_to_stop_while_it_is_told_to_stop() -> None:
    """The same for the engine's flag."""
    stop = ToldToStop()
    assert survives_itself(stop.tell)
    assert stop.is_set()
