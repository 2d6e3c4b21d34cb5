"""What the caller's phone does next. Imperative, frozen; webhooks/ turns each into TwiML."""

from dataclasses import dataclass
from typing import Literal

from callflow.contact import ContactLine
from callflow.menus import Menu

HoldWords = Literal["", "stay", "one_more", "stray", "reassure"]


@dataclass(frozen=True, slots=True)
class AskService:
    """Ask which service, by speech or key."""


@dataclass(frozen=True, slots=True)
class AskMenu:
    """Say the line's menu, and listen for a choice, for 5 5, and for speech where it says so."""

    menu: Menu


@dataclass(frozen=True, slots=True)
class AskCode:
    """Say how to type a code, and listen for one and for 5 5."""

    contact: ContactLine


@dataclass(frozen=True, slots=True)
class AskAnyKey:
    """Ask for any key."""


@dataclass(frozen=True, slots=True)
class AskForSignal:
    """Ask for the profile's full signal."""


@dataclass(frozen=True, slots=True)
class HoldLine:
    """Keep the line open and listen for keys.

    ``say``: the prompt said first, if any. ``seconds``: how long to listen. ``keys``: how many keys
    end the listening at once.
    """

    say: HoldWords
    seconds: int
    keys: int


@dataclass(frozen=True, slots=True)
class ConnectControlRoom:
    """Ring the control room for ``ring`` seconds and join it to the caller."""

    ring: int


@dataclass(frozen=True, slots=True)
class RingStaff:
    """Ring whose turn it is for ``seconds``; whoever presses 1 is joined to the caller."""

    seconds: int


@dataclass(frozen=True, slots=True)
class AskQuestion:
    """Speak the question that was ordered, and listen for ``keys`` keys, ``seconds`` for each.

    ``again``: it was not understood. ``how``: say how to answer as well.
    """

    again: bool
    how: bool
    seconds: int
    keys: int


@dataclass(frozen=True, slots=True)
class ConnectStaff:
    """Ring the phone that was ordered for ``ring`` seconds and join it to the caller."""

    ring: int


@dataclass(frozen=True, slots=True)
class JoinConference:
    """Put the caller into the conference that was ordered, in which our side is muted."""


@dataclass(frozen=True, slots=True)
class LetGo:
    """Say goodbye, listen once more for ``seconds``, and end the call.

    Only for a profile whose silence leads to review, or when a person lets the line go. A key
    pressed during the goodbye still counts.
    """

    seconds: int
    keys: int


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call: goodbye was said and nothing came."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """Answer with no document: the call is over."""


Action = (
    AskService
    | AskMenu
    | AskCode
    | AskAnyKey
    | AskForSignal
    | HoldLine
    | ConnectControlRoom
    | RingStaff
    | AskQuestion
    | ConnectStaff
    | JoinConference
    | LetGo
    | HangUp
    | Nothing
)
