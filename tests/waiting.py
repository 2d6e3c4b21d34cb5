"""Wait for something to become true, with a deadline and without sleeping blindly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_LOOK_EVERY_SECONDS = 0.02


def eventually(look: Callable[[], T], seconds: float = 15.0) -> T:
    """Call ``look`` until it returns something true and return that.

    A failed assertion inside ``look`` counts as "not yet"; the last one is raised at the deadline.
    """
    until = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        late = time.monotonic() >= until
        try:
            if found := look():
                return found
        except AssertionError:
            if late:
                raise
        if late:
            raise AssertionError(f"still not so after {seconds} s")
        pause.wait(_LOOK_EVERY_SECONDS)
