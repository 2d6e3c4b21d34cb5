"""What callers do after they came, for tests that have a ``Console``: hang up, press, answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from incidents.recorded import Recorded, call_key, event_key, seal
from incidents.segment import Segment
from tests.console.site import ACCOUNT, NOW, NUMBER, Console


def happens(console: Console, sid: str, step: int, kind: str, at: datetime, **data: Any) -> None:
    """Journal an event of a call, as the phone would."""
    call = call_key(console.keys, ACCOUNT, sid)
    facts = {
        "line": "emergency",
        "profile": "gb",
        "purpose": "training",
        "number": NUMBER,
        "withheld": False,
        **data,
    }
    key = event_key(console.keys, call, step, kind, str(sorted(data.items())))
    segment = Segment(console.data / "journal")
    event = Recorded(key, call, sid, f"{NOW:%Y-%m}", step, kind, at, facts)
    segment.append([seal(event, console.keys)])
    segment.close()
    console.refresh()


def hangs_up(console: Console, sid: str, at: datetime | None = None) -> None:
    """Have the caller hang up."""
    happens(console, sid, 0, "call_ended", at or console.now, status="completed")


def presses(console: Console, sid: str, keys: str, step: int, at: datetime | None = None) -> None:
    """Have the caller press keys on hold."""
    happens(
        console, sid, step, "keys_pressed", at or console.now, keys=keys, signal="5x2", stage="hold"
    )


def waiting(console: Console, keys: str = "55", **facts: Any) -> tuple[str, str]:
    """Have a caller wait whose call is in the store. Returns its SID and its reference."""
    sid = console.call(keys, **facts)
    console.drain()
    console.now = max(console.now, NOW + timedelta(seconds=10))
    return sid, console.reference(sid)


def passes(console: Console, seconds: float) -> None:
    """Let time pass."""
    console.now += timedelta(seconds=seconds)
