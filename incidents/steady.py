"""The clock that nobody can set: milliseconds since this machine started, asleep or not.

What must happen after so many seconds is measured by it, so that a clock that is put right,
daylight saving and a leap second hasten nothing and hold nothing up. It tells no time of day.
"""

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Steady:
    """One reading. ``ms``: milliseconds since the start of the machine, which ``boot`` names.

    Two readings can be compared when their ``boot`` is the same.
    """

    ms: int
    boot: str


def steady() -> Steady:
    """Read the clock."""
    return Steady(time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000, _boot())


@cache
def _boot() -> str:
    try:
        return _BOOT.read_text(encoding="ascii").strip()[:36]
    except OSError:
        return "unknown"  # then every process has begun on a machine of its own
