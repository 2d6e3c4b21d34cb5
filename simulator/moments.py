"""What can happen while a call waits, and the lines its transcript is made of."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

WaitKind = Literal[
    "prompt",  # a Gather speaks: the first key stops it
    "listening",  # a Gather waits for the first key or word
    "digits",  # a Gather waits for another key
    "speech",  # somebody speaks, and the exchange works out what was said
    "speaking",  # Say or Play outside a Gather: keys are lost
    "pause",
    "in_flight",  # a request is under way: keys are lost
    "ringing",
    "whisper",
    "bridged",
    "room",
    "queue",
]


@dataclass(frozen=True, slots=True)
class Wait:
    """The call stands still for ``seconds`` unless something happens."""

    kind: WaitKind
    seconds: float


@dataclass(frozen=True, slots=True)
class Elapsed:
    """The time of a wait is over."""


@dataclass(frozen=True, slots=True)
class Key:
    """The caller pressed one key."""

    key: str


@dataclass(frozen=True, slots=True)
class Spoke:
    """Somebody near the phone spoke; the result may come ``late`` seconds after the words."""

    words: str
    lasting: float = 1.5
    confidence: float = 0.92
    late: float = 0.0


@dataclass(frozen=True, slots=True)
class Noise:
    """A cough, a tap, a knock: Twilio's Gather "reports speech, not coughs or taps"."""

    what: str


@dataclass(frozen=True, slots=True)
class FarEndLeft:
    """The one the caller was connected to put the phone down."""


@dataclass(frozen=True, slots=True)
class RoomOver:
    """The conference ``sid`` was ended by somebody who left it."""

    sid: str


Stimulus = Elapsed | Key | Spoke | Noise | FarEndLeft | RoomOver


class Interruption(Exception):
    """Something that ends whatever the call was doing."""


class CallerGone(Interruption):
    """The caller's side went."""


@dataclass(frozen=True, slots=True)
class Request:
    """One document to ask for: at ``url``, or written out in ``twiml``."""

    url: str
    extra: tuple[tuple[str, str], ...] = ()
    twiml: str = ""
    late: float = 0.0


class Ordered(Interruption):
    """The REST API was told to run another document, or to end the call (None)."""

    def __init__(self, request: Request | None) -> None:
        super().__init__("a REST order")
        self.request = request


EndedBy = Literal["us", "caller", "error"]


class Ended(Interruption):
    """The call is over, and by whose doing."""

    def __init__(self, by: EndedBy, why: str) -> None:
        super().__init__(why)
        self.by = by
        self.why = why


T = TypeVar("T")
# A part of a call: yields how long it waits and is sent what happens.
Playing = Generator[Wait, Stimulus, T]

NoteKind = Literal[
    "rings", "answered", "heard", "sound", "pressed", "lost", "spoke", "told", "dialled",
    "bridged", "unbridged", "whispered", "room", "voice", "order", "fault", "error", "ended",
    "silence",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Note:
    """One line of the transcript."""

    at: float
    kind: NoteKind
    text: str
    detail: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        minutes, seconds = divmod(int(self.at), 60)
        return f"{minutes:3d}:{seconds:02d}  {self.text}"


@dataclass(frozen=True, slots=True)
class FarEnd:
    """How a number that is rung behaves, by a Dial or by a call the product places."""

    after: float = 2.0
    outcome: Literal["completed", "busy", "no-answer", "failed"] = "completed"
    # Keys pressed while the whisper is heard, or when a call that was placed asks for one.
    presses: str = ""
    # A call that was placed is heard to the end of its prompt before a key is pressed.
    hears_out: bool = True
    # A machine answers: told to whoever asked for machineDetection.
    machine: bool = False
    # Seconds after which this side hangs up; None: never by itself.
    stays: float | None = None
