"""Identifiers that sort by time and need no counter."""

import os
import time
from datetime import datetime


def uuid7(at: datetime) -> str:
    """Return a UUID version 7 (RFC 9562, section 5.7) for the moment ``at``."""
    return _uuid7(int(at.timestamp() * 1000))


def uuid7_now() -> str:
    """Return a UUID version 7 for now: for names of files and processes, not of facts."""
    return _uuid7(time.time_ns() // 1_000_000)


def _uuid7(milliseconds: int) -> str:
    random = int.from_bytes(os.urandom(10))
    high = random >> 68
    low = random & ((1 << 62) - 1)
    value = (milliseconds << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
