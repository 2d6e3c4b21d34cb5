"""Counts refused requests, and notices when they name our own account.

A wrong public URL makes every genuine request look forged. Nothing of a refused
request is trusted or kept; it is only counted.
"""

import re
import time
from collections import deque
from collections.abc import Callable

WINDOW = 60.0
"""Seconds over which refusals are counted."""
MANY = 5
"""Refused requests naming our own account in the window that raise the alarm: two calls' worth."""
LARGEST_LOOKED_AT = 65536
"""Bytes of a refused body that are searched for our account."""


class Refusals:
    """Refused requests of one process."""

    def __init__(self, account: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._account = account.encode()
        self._naming_us = re.compile(b"(?:^|&)AccountSid=" + re.escape(self._account) + b"(?:&|$)")
        self._clock = clock
        self._ours: deque[float] = deque(maxlen=MANY)
        self.total = 0
        self.naming_us = 0

    def count(self, body: bytes) -> None:
        """Count one refused request."""
        self.total += 1
        if self._account and self._naming_us.search(body[:LARGEST_LOOKED_AT]):
            self.naming_us += 1
            self._ours.append(self._clock())

    def many(self) -> bool:
        """Say whether many of them named our account just now."""
        return len(self._ours) == MANY and self._clock() - self._ours[0] <= WINDOW
