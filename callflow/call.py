"""The state of one call, small enough to travel in a signed URL.

The phone side keeps no call in memory: any worker on any machine reads the state
from the URL that Twilio signed, decides, and writes the next state into the next
URL. ``write`` and ``read`` are that translation, in unreserved ASCII only.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from callflow.keys import from_url, to_url
from callflow.profiles import Profile

LONGEST_TOKEN = 256
LONGEST_NUMBER = 15
"""Digits of a number in a token: what every clock, disk and database can hold."""
LATEST = 253_402_300_799
"""The last second of the year 9999; a later start is no date."""
_FIELDS = 10


class Stage(Enum):
    """Where a call stands on the emergency line. The value is its name in a URL."""

    NEW = "new"
    SERVICE = "service"
    ANY_KEY = "anykey"
    SIGNAL = "signal"
    HOLD = "hold"
    BRIDGED = "bridged"
    ENDED = "ended"


class BadToken(ValueError):
    """The state in a URL cannot be read; treat the state as lost and hold the line."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call between two documents.

    ``step``: number of the document now playing; grows with every document.
    ``began``: start of the call, whole seconds since 1970 (the month partitions the store).
    ``asked``: times this stage's prompt was said. ``keys``: every key so far.
    ``heard``: speech or sound came. ``lost``: an answer of ours failed, so we may know too little.
    ``listen``: seconds the present document listens, its words included.
    ``held``: seconds of hold planned so far; ``quiet``: since words were last said;
    ``waited``: since the hold began or a bridge ended. ``since``: that moment, seconds since 1970.
    """

    stage: Stage
    step: int
    began: int
    asked: int = 0
    keys: str = ""
    heard: bool = False
    lost: bool = False
    listen: int = 0
    held: int = 0
    quiet: int = 0
    waited: int = 0
    since: int = 0

    def confirmed(self, profile: Profile) -> bool:
        """Say whether the caller has given the profile's full signal."""
        return profile.signal.given_by(self.keys)

    def gave_a_sign(self) -> bool:
        """Say whether anything at all came from the caller, or may have while we failed."""
        return bool(self.keys) or self.heard or self.lost

    def write(self) -> str:
        """Write the state as a URL path segment."""
        flags = f"{int(self.heard)}{int(self.lost)}"
        times = f"{self.listen}.{self.held}.{self.quiet}.{self.waited}.{self.since}"
        return (
            f"{self.stage.value}.{self.step}.{self.began}.{self.asked}.{flags}.{times}"
            f"-{to_url(self.keys)}"
        )

    @classmethod
    def read(cls, token: str) -> "Call":
        """Read what ``write`` wrote. Raises ``BadToken`` on anything else."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise BadToken("too long or not ASCII")
        state, dash, keys = token.partition("-")
        fields = state.split(".")
        if len(fields) != _FIELDS or not dash or not all(map(str.isdigit, fields[1:])):
            raise BadToken("not of our making")
        try:
            stage = Stage(fields[0])
            step, began, asked = map(int, fields[1:4])
            heard, lost = (flag == "1" for flag in fields[4])
            listen, held, quiet, waited, since = map(int, fields[5:])
            pressed = from_url(keys)
        except ValueError as error:
            raise BadToken("not of our making") from error
        if max(map(len, fields[1:])) > LONGEST_NUMBER or began > LATEST:
            raise BadToken("no number or moment we could have written")
        return cls(
            stage, step, began, asked, pressed, heard, lost, listen, held, quiet, waited, since
        )

    @classmethod
    def starting(cls, at: datetime) -> "Call":
        """The state of a call nobody has answered yet."""
        return cls(Stage.NEW, 0, int(at.timestamp()))

    def month(self) -> str:
        """The month in which the call began, ``2026-12``, UTC."""
        return datetime.fromtimestamp(self.began, UTC).strftime("%Y-%m")
