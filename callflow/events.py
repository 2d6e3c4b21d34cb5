"""What can happen on a call. Past tense, frozen, and never invalid."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallArrived:
    """A caller has reached the line."""


@dataclass(frozen=True, slots=True)
class KeysPressed:
    """``keys`` were pressed, in order. Empty: something was pressed that is no key we know."""

    keys: str


@dataclass(frozen=True, slots=True)
class SoundHeard:
    """Speech or sound came; the words are only a note and decide nothing."""


@dataclass(frozen=True, slots=True)
class NothingHeard:
    """We listened as long as we had asked to, and nothing came."""


@dataclass(frozen=True, slots=True)
class BridgeEnded:
    """The control room's side of the call is over, or never answered."""


@dataclass(frozen=True, slots=True)
class AnswerFailed:
    """One of our own answers did not reach the caller; the fallback was asked instead."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The phone network says the call is over."""


Event = (
    CallArrived | KeysPressed | SoundHeard | NothingHeard | BridgeEnded | AnswerFailed | CallEnded
)
