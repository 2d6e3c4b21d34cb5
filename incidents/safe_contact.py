"""Whether and when a number may be called. A person decides to call; nothing here does."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from incidents.safe_hours import HOW, read_hours, told_now
from incidents.sealed import Keys

Safe = Literal["unknown", "safe", "never"]
SAFE: Final[tuple[Safe, ...]] = ("unknown", "safe", "never")
"""What may be said of a number. Nothing said is ``unknown``, and unknown is not safe."""
NEVER: Final = "Never call: this number, or this person, is marked never to be called."


@dataclass(frozen=True, slots=True)
class SafeContact:
    """What is known of calling a number. ``hours``: when it is safe, in words, or empty."""

    safe: Safe = "unknown"
    hours: str = ""

    def sealed(self, keys: Keys, row: str) -> bytes:
        """Return it sealed for the row ``row`` of ``person_numbers``."""
        return keys.seal(json.dumps(asdict(self)).encode(), f"person_numbers|{row}|data")

    @classmethod
    def opened(cls, keys: Keys, row: str, sealed: bytes) -> "SafeContact":
        """Read what ``sealed`` wrote; empty: nothing is said. Raises ``CannotOpen``.

        A word nobody knows is ``unknown``, which is not safe.
        """
        if not sealed:
            return cls()
        told = json.loads(keys.open(sealed, f"person_numbers|{row}|data"))
        safe = next((one for one in SAFE if one == told.get("safe")), SAFE[0])
        return cls(safe, str(told.get("hours") or ""))

    def problem(self, now: datetime) -> str:
        """Say in a sentence why it may not be called at ``now``; empty: it may.

        Domain rule 7: to a number and at an hour marked safe. Hours nobody wrote, or that cannot
        be read, are no hours.
        """
        if self.safe == "never":
            return NEVER
        if self.safe != "safe":
            return "This number is not marked safe."
        if not self.hours:
            return f"No safe hour is on record for this number. {HOW}"
        hours = read_hours(self.hours)
        if hours is None:
            return f"The safe hours of this number cannot be read by the clock. {HOW}"
        if not hours.hold(now):
            return f"This is no safe hour: it is {told_now(now)}, and safe is “{self.hours}”."
        return ""

    def until(self, now: datetime, within: timedelta) -> datetime:
        """Return until when it may be called: ``within`` from ``now`` (aware) at most."""
        hours = read_hours(self.hours) if self.safe == "safe" else None
        return now if hours is None else hours.until(now, within)
