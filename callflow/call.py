"""The state of one call, small enough to travel in a signed URL.

The phone side keeps no call in memory: any worker on any machine reads the state
from the URL that Twilio signed, decides, and writes the next state into the next
URL. ``write`` and ``read`` are that translation, in unreserved ASCII only. A call no
handler has touched is written as the release before wrote it, so that either of two
releases can take its next step.
"""

import re
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
_FIELDS = (10, 11)
"""Of the release before, and with a language behind them."""
_FLAGS = (2, 4)
_LANGUAGE = re.compile(r"[a-z]{2,3}_[A-Z]{2}\Z")


class Stage(Enum):
    """Where a call stands. The value is its name in a URL.

    ``MENU`` on a line that has one only; ``CODE`` and ``REACH`` on the line for known victims only.
    """

    NEW = "new"
    MENU = "menu"
    CODE = "code"
    SERVICE = "service"
    ANY_KEY = "anykey"
    SIGNAL = "signal"
    ASKED = "asked"
    REACH = "reach"
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
    ``asked``: times this stage's prompt was said; when an order comes, questions asked before;
    at ``REACH`` whose turn it is to be rung, from 1.
    ``keys``: every key so far, those of answers included.
    ``heard``: speech or sound came. ``lost``: an answer of ours failed, so we may know too little.
    ``listen``: seconds the present document listens, its words included.
    ``held``: seconds of hold planned so far; ``quiet``: since words were last said;
    ``waited``: since the hold began or a bridge ended. ``since``: that moment, seconds since 1970;
    at ``REACH`` when the present turn began.
    ``claimed``: a person has the call: it is held without limit, and nobody is rung by a timer.
    ``parting``: a person lets the line go: after the goodbye it ends whatever signs were given.
    ``language``: spoken from now on, such as ``cy-GB``; empty: the line's own.
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
    claimed: bool = False
    parting: bool = False
    language: str = ""

    def confirmed(self, profile: Profile) -> bool:
        """Say whether the caller has given the profile's full signal."""
        return profile.signal.given_by(self.keys)

    def gave_a_sign(self) -> bool:
        """Say whether anything at all came from the caller, or may have while we failed."""
        return bool(self.keys) or self.heard or self.lost

    def write(self) -> str:
        """Write the state as a URL path segment."""
        flags = f"{int(self.heard)}{int(self.lost)}"
        if self.claimed or self.parting:
            flags += f"{int(self.claimed)}{int(self.parting)}"
        times = f"{self.listen}.{self.held}.{self.quiet}.{self.waited}.{self.since}"
        if self.language:
            times += f".{self.language.replace('-', '_')}"
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
        name, *fields = state.split(".")
        language = fields.pop() if 1 + len(fields) == _FIELDS[-1] else ""
        if 1 + len(fields) != _FIELDS[0] or not dash or not all(map(str.isdigit, fields)):
            raise BadToken("not of our making")
        if language and not _LANGUAGE.match(language):
            raise BadToken("no language")
        try:
            stage = Stage(name)
            step, began, asked = map(int, fields[:3])
            listen, held, quiet, waited, since = map(int, fields[4:])
            pressed = from_url(keys)
        except ValueError as error:
            raise BadToken("not of our making") from error
        if max(map(len, fields)) > LONGEST_NUMBER or began > LATEST:
            raise BadToken("no number or moment we could have written")
        if len(fields[3]) not in _FLAGS:
            raise BadToken("not our flags")
        heard, lost, claimed, parting = (flag == "1" for flag in fields[3].ljust(_FLAGS[-1], "0"))
        return cls(
            stage=stage,
            step=step,
            began=began,
            asked=asked,
            keys=pressed,
            heard=heard,
            lost=lost,
            listen=listen,
            held=held,
            quiet=quiet,
            waited=waited,
            since=since,
            claimed=claimed,
            parting=parting,
            language=language.replace("_", "-"),
        )

    @classmethod
    def starting(cls, at: datetime) -> "Call":
        """The state of a call nobody has answered yet."""
        return cls(Stage.NEW, 0, int(at.timestamp()))

    def month(self) -> str:
        """The month in which the call began, ``2026-12``, UTC."""
        return datetime.fromtimestamp(self.began, UTC).strftime("%Y-%m")
