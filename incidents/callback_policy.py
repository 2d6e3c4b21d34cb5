"""What calling a known person back depends on, as values: the script, the times, the results."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from callflow.lines import Kind

WRONG_VOICE: Final = "wrong_voice"
"""The result of a call-back somebody else answered."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a call-back may end. ``confirmed``: only once the person said who they are."""

    id: str
    name: str
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """What the officer says and hears. Neutral: no names, no police, no history."""

    opening: str
    if_asked: str
    ask_safe: str
    wrong_voice: str
    machine: str
    whisper: str


@dataclass(frozen=True, slots=True)
class CallBackPolicy:
    """The policy of call-backs.

    ``confirm_within``: from asking to confirming. ``rings_within``: from asking to the officer's 1.
    ``ring_seconds``: how long the person's phone rings. ``lines``: kinds of line whose number may
    be shown, the best first.
    """

    script: Script
    confirm_within: timedelta
    rings_within: timedelta
    ring_seconds: int
    lines: tuple[Kind, ...]
    results: tuple[Result, ...]

    def result(self, id_: str) -> Result | None:
        """Return a result by its id, or None."""
        return next((one for one in self.results if one.id == id_), None)

    def result_name(self, id_: str | None) -> str:
        """Return the name of a result; of one that is gone from the file, its id in words."""
        found = self.result(id_ or "")
        return found.name if found else (id_ or "").replace("_", " ")
