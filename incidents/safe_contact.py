"""Whether and when a number may be called. A person decides to call; nothing here does."""

import json
from dataclasses import asdict, dataclass
from typing import Final, Literal

from incidents.sealed import Keys

Safe = Literal["unknown", "safe", "never"]
SAFE: Final[tuple[Safe, ...]] = ("unknown", "safe", "never")
"""What may be said of a number. Nothing said is ``unknown``, and unknown is not safe."""


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
        """Open what ``sealed`` made for ``row``; empty: nothing is said. Raises ``CannotOpen``."""
        if not sealed:
            return cls()
        told = json.loads(keys.open(sealed, f"person_numbers|{row}|data"))
        return cls(**{name: told[name] for name in cls.__dataclass_fields__ if name in told})
