"""What can happen on a call. Past tense, frozen, and never invalid."""

from dataclasses import dataclass

from callflow.actions import HoldWords
from callflow.menus import Choice
from callflow.questions import Verdict


@dataclass(frozen=True, slots=True)
class CallArrived:
    """A caller has reached the line."""


@dataclass(frozen=True, slots=True)
class KeysPressed:
    """``keys`` were pressed, in order. Empty: something was pressed that is no key we know."""

    keys: str


@dataclass(frozen=True, slots=True)
class MenuChosen:
    """``keys`` were pressed at a menu, and they mean ``choice``; no 5 is among them."""

    keys: str
    choice: Choice


@dataclass(frozen=True, slots=True)
class CodeTyped:
    """Keys without a 5 were pressed where a code is asked for, right or wrong.

    ``code`` is for looking it up at once: it is kept nowhere.
    """

    code: str


@dataclass(frozen=True, slots=True)
class SoundHeard:
    """Speech or sound came; the words are only a note and decide nothing."""


@dataclass(frozen=True, slots=True)
class NothingHeard:
    """We listened as long as we had asked to, and nothing came."""


@dataclass(frozen=True, slots=True)
class BridgeEnded:
    """The other side of the call is over; where nobody had to press 1, it may never have begun."""


@dataclass(frozen=True, slots=True)
class CallNotTaken:
    """Whoever was rung for the caller did not answer, or did not press 1 to take the call."""


@dataclass(frozen=True, slots=True)
class AnswerFailed:
    """One of our own answers did not reach the caller; the fallback was asked instead."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The phone network says the call is over."""


@dataclass(frozen=True, slots=True)
class QuestionAnswered:
    """A yes/no question was answered, or was not; ``keys`` belong to the answer."""

    answer: Verdict
    keys: str


@dataclass(frozen=True, slots=True)
class HoldOrdered:
    """A person, or the ladder, has the line put on hold.

    ``say``: the prompt that begins it. ``language``: spoken from now on; empty: as before.
    """

    say: HoldWords
    language: str = ""


@dataclass(frozen=True, slots=True)
class QuestionOrdered:
    """A handler asks a yes/no question."""

    language: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionOrdered:
    """The caller is to be joined to somebody: to a phone, or to a ``conference``."""

    conference: bool


@dataclass(frozen=True, slots=True)
class PartingOrdered:
    """A handler lets the line go."""


Event = (
    CallArrived
    | KeysPressed
    | MenuChosen
    | CodeTyped
    | SoundHeard
    | NothingHeard
    | BridgeEnded
    | CallNotTaken
    | AnswerFailed
    | CallEnded
    | QuestionAnswered
    | HoldOrdered
    | QuestionOrdered
    | ConnectionOrdered
    | PartingOrdered
)
