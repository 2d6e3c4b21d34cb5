"""One call as the exchange keeps it: its state, its transcript, and the hand that moves it on.

The call itself is a generator (``playing``) that says how long it waits; this class lets time
pass and passes on what the caller does, from whichever thread. An order or a hang-up that comes
while a request is under way overtakes it: the answer is never played.
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from simulator.clock import Clock
from simulator.moments import (
    CallerGone,
    Elapsed,
    EndedBy,
    FarEnd,
    Interruption,
    Key,
    Note,
    NoteKind,
    Playing,
    Stimulus,
    Wait,
)
from simulator.network import Network
from simulator.people import places
from simulator.rooms import Rooms

Script = Playing[None]


def new_sid(prefix: str) -> str:
    """Return a Twilio identifier: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


@dataclass(slots=True)
class Leg:
    """One side of a call, with the parameters every request about it carries."""

    sid: str
    account_sid: str
    caller: str
    called: str
    direction: str = "inbound"
    status: str = "ringing"
    parent_sid: str = ""
    sequence: int = 0

    def parameters(self) -> list[tuple[str, str]]:
        """Return the standard parameters of a voice request."""
        standard = [
            ("AccountSid", self.account_sid),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", self.sid),
            ("CallStatus", self.status),
            ("Called", self.called),
            ("Caller", self.caller),
            ("Direction", self.direction),
            ("From", self.caller),
            ("To", self.called),
        ]
        for role, number in (
            ("Called", self.called),
            ("Caller", self.caller),
            ("From", self.caller),
            ("To", self.called),
        ):
            standard += places(role, number)
        if self.parent_sid:
            standard.append(("ParentCallSid", self.parent_sid))
        return standard


@dataclass(slots=True)
class Call:
    """A call in progress or over."""

    leg: Leg
    network: Network
    clock: Clock
    far_end: Callable[[str], FarEnd] = lambda _: FarEnd()
    rooms: Rooms = field(default_factory=Rooms)
    # Asked when an answer cannot be used; empty: there is none, and an error is spoken aloud.
    fallback_url: str = ""
    # Told of the call's progress, of the events named here only.
    status_url: str = ""
    status_events: frozenset[str] = frozenset({"completed"})
    observe: Callable[[Note], None] = lambda _: None
    moved: Callable[[Wait | None], None] = lambda _: None
    notes: list[Note] = field(default_factory=list)
    started_at: datetime = field(default_factory=Clock.today)
    answered_at: float | None = None
    ended_at: float | None = None
    ended_by: EndedBy | None = None
    connected_to: str = ""
    wait: Wait | None = None
    # What the product has been told and has answered with 2xx.
    keys_delivered: str = ""
    speech_delivered: list[str] = field(default_factory=list)
    end_delivered: bool = False
    faults: list[str] = field(default_factory=list)
    busy: bool = False
    # How many REST orders the call has carried out, and how many requests it has made.
    orders_taken: int = 0
    requests_made: int = 0
    changed: threading.Condition = field(
        default_factory=lambda: threading.Condition(threading.RLock())
    )
    _script: Script | None = None
    _deadline: float = 0.0
    _turn: int = 0
    _interruptions: deque[Interruption] = field(default_factory=deque)

    @property
    def sid(self) -> str:
        """The CallSid."""
        return self.leg.sid

    @property
    def over(self) -> bool:
        """Whether the line is closed."""
        return self.ended_at is not None

    @property
    def duration(self) -> int:
        """Seconds since the call was answered, as Twilio counts them."""
        if self.answered_at is None:
            return 0
        end = self.clock.now() if self.ended_at is None else self.ended_at
        return round(end - self.answered_at)

    def note(self, kind: NoteKind, text: str, **detail: str) -> None:
        """Add a line to the transcript."""
        line = Note(self.clock.now(), kind, text, detail)
        self.notes.append(line)
        self.observe(line)

    def begin(self, script: Script) -> None:
        """Place the call: run it to its first wait."""
        with self.changed:
            self._script = script
            self._resume(lambda: next(script))

    def happens(self, stimulus: Stimulus) -> None:
        """Pass on what the caller does, at this moment of the call."""
        if isinstance(stimulus, Key) and self.busy:
            self._lose(stimulus)
            return
        requests = self.requests_made
        with self.changed:
            if isinstance(stimulus, Key) and self.requests_made != requests:
                # While this key waited for its turn another document was asked for.
                self._lose(stimulus)
                return
            script = self._script
            if script is not None:
                self._resume(lambda: script.send(stimulus))

    def _lose(self, key: Key) -> None:
        # "Keys pressed while no Gather runs are lost."
        self.note("lost", f"presses {key.key}, in the gap between two documents: lost", key=key.key)

    def interrupt(self, interruption: Interruption) -> None:
        """End what the call is doing: the caller hangs up, or a REST order arrives.

        Interruptions are carried out in the order in which they came. Returns when this one was.
        """
        self.announce(interruption)
        self.carry_out()

    def announce(self, interruption: Interruption) -> None:
        """Line up an interruption; whoever next moves the call on carries it out."""
        self._interruptions.append(interruption)

    def carry_out(self) -> None:
        """Carry out what was announced."""
        with self.changed:
            while self._interruptions:
                script = self._script
                if script is None:
                    self._interruptions.clear()
                    return
                interruption = self._interruptions.popleft()
                self._resume(partial(script.throw, interruption))

    def overtaken(self) -> None:
        """Raise the interruption that came while a request was under way, if there is one."""
        if self._interruptions:
            raise self._interruptions.popleft()

    def hang_up(self) -> None:
        """The caller's side goes."""
        self.interrupt(CallerGone())

    def elapse(self, seconds: float | None = None) -> float:
        """Let the current wait pass, at most ``seconds``; return how long it was.

        On a real clock this sleeps and returns early when something else happens.
        """
        with self.changed:
            script = self._script
            if script is None or self.wait is None:
                return 0.0
            began = self.clock.now()
            left = max(0.0, self._deadline - began)
            step = left if seconds is None else min(left, seconds)
            if self.clock.virtual:
                self.clock.advance(step)
            else:
                turn = self._turn
                self.changed.wait_for(lambda: self._turn != turn, timeout=step)
                if self._turn != turn:
                    return self.clock.now() - began
            passed = self.clock.now() - began
            if self.clock.now() >= self._deadline - 1e-6:
                self._resume(lambda: script.send(Elapsed()))
            return passed

    def takes_order(self, number: int, seconds: float) -> bool:
        """Wait in real time, at most ``seconds``, for REST order ``number`` (from 1) to be carried
        out; say if it was."""
        with self.changed:
            self.changed.wait_for(lambda: self.orders_taken >= number or self.over, seconds)
            return self.orders_taken >= number

    @property
    def turn(self) -> int:
        """How often the call has moved on, to be given to ``stands``."""
        return self._turn

    def stands(self, turn: int, seconds: float) -> bool:
        """Wait in real time, at most ``seconds``, while the call stands at ``turn``; say if it
        moved on."""
        with self.changed:
            return self.changed.wait_for(lambda: self._turn != turn, timeout=seconds)

    def _resume(self, move: Callable[[], Wait]) -> None:
        self.busy = True
        try:
            self.wait = move()
            self._deadline = self.clock.now() + self.wait.seconds
        except StopIteration:
            self.wait = None
            self._script = None
        finally:
            self.busy = False
            self._turn += 1
            self.moved(self.wait)
            self.changed.notify_all()

    def transcript(self) -> str:
        """Return the whole call in words."""
        head = f"Call {self.sid} from {self.leg.caller or '(withheld)'} to {self.leg.called}"
        return "\n".join([head, *(str(note) for note in self.notes)])
