"""A caller for tests: what they hear, do, and how it ends, in words a control room can read.

A caller knows only what is said; how to answer a question is found by listening. What comes by
a REST order is waited for in real time, with a limit; everything else takes the call's own time.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Self

from simulator.answering import Answer, How, told_last
from simulator.call import Call
from simulator.moments import FarEndLeft, Key, Noise, Note, Spoke, Stimulus

# Waits in which somebody who only listens has nothing to decide.
_LISTENING_ON = frozenset({"prompt", "speaking", "pause", "in_flight", "ringing", "whisper"})
# Waits in which something is said.
_SAID = frozenset({"prompt", "speaking", "pause", "in_flight"})
# Waits for the rest of what the caller has begun.
_BEGUN = frozenset({"digits", "speech"})
BETWEEN_KEYS = 0.3


class CallWentWrong(AssertionError):
    """A call went otherwise than expected; the message holds the whole call in words."""

    def __init__(self, what: str, call: Call) -> None:
        super().__init__(f"{what}\n\n{call.transcript()}\n")


class Caller:
    """The one on the phone. Each step returns the caller, so that a call reads as a sentence."""

    def __init__(self, call: Call, words: Mapping[str, str] | None = None) -> None:
        self.call = call
        self._words = words or {}
        self._heard = 0
        self._orders = 0

    @property
    def sid(self) -> str:
        """The CallSid."""
        return self.call.sid

    @property
    def transcript(self) -> str:
        """The whole call in words."""
        return self.call.transcript()

    @property
    def over(self) -> bool:
        """Whether the line is closed."""
        return self.call.over

    @property
    def ended_by_us(self) -> bool:
        """Whether the product ended the call, by Hangup or by a document without an end."""
        return self.call.ended_by == "us"

    @property
    def heard(self) -> list[str]:
        """Everything said to the caller, in order."""
        return [
            note.detail["say"]
            for note in self.call.notes
            if "say" in note.detail and _to_caller(note)
        ]

    # -- what the caller hears ------------------------------------------------------------------

    def hears(self, words: str) -> Self:
        """Listen until ``words`` (or the prompt of that nickname) are said to the end."""
        self.starts_to_hear(words)
        wait = self.call.wait
        newer = any(_to_caller(note) for note in self.call.notes[self._heard :])
        if wait is not None and wait.kind in ("prompt", "speaking") and not newer:
            self.call.elapse()
        return self

    def starts_to_hear(self, words: str) -> Self:
        """Listen until ``words`` begin, and act while they are still being said."""
        wanted = self._words.get(words, words)
        while not self._finds(wanted):
            if not self._listens_on():
                self._fail(f"the caller never heard “{wanted}”")
        return self

    def is_asked(self, words: str, within: float = 10.0) -> Self:
        """Wait for a question that comes by an order, and hear it to the end."""
        self.starts_to_be_asked(words, within)
        while (wait := self.call.wait) is not None and wait.kind in _SAID:
            self.call.elapse()
        return self

    def starts_to_be_asked(self, words: str, within: float = 10.0) -> Self:
        """Wait for a question that comes by an order, and act while it is still being said.

        Waits at most ``within`` seconds of real time; meanwhile the caller stays on hold, and no
        time of the call passes but that of prompts.
        """
        wanted = self._words.get(words, words)
        until = time.monotonic() + within
        while True:
            turn, wait = self.call.turn, self.call.wait
            if self._finds(wanted):
                break
            left = max(0.0, until - time.monotonic())
            if wait is not None and wait.kind in _SAID:
                self.call.elapse()
            elif self.call.over or not self.call.stands(turn, left):
                self._fail(f"the caller was never asked “{wanted}”")
        return self

    def waits_for_order(self, seconds: float = 10.0) -> Self:
        """Wait, at most ``seconds`` of real time, until the next REST order was carried out.

        Orders count from the start of the call: each call of this waits for one more.
        """
        self._orders += 1
        if not self.call.takes_order(self._orders, seconds):
            self._fail(f"no order number {self._orders} reached the call within {seconds} s")
        return self

    def hears_nothing_more(self) -> Self:
        """Check that nothing new is said before somebody has to wait."""
        while self._listens_on():
            pass
        new = [note for note in self.call.notes[self._heard :] if _to_caller(note)]
        if new:
            self._fail(f"the caller {new[0].text}")
        return self

    def _finds(self, wanted: str) -> bool:
        for index in range(self._heard, len(self.call.notes)):
            note = self.call.notes[index]
            if _to_caller(note) and wanted.lower() in note.detail.get("say", note.text).lower():
                self._heard = index + 1
                return True
        return False

    def _listens_on(self) -> bool:
        wait = self.call.wait
        if wait is None or wait.kind not in _LISTENING_ON | _BEGUN:
            return False
        self.call.elapse()
        return True

    # -- what the caller does -------------------------------------------------------------------

    def presses(self, keys: str) -> Self:
        """Press keys, one after another, at a hurried person's pace."""
        for index, key in enumerate(keys):
            if index:
                self._passes(BETWEEN_KEYS)
            self._does(Key(key))
        return self

    @property
    def how_to_answer(self) -> How:
        """How to answer yes and no, as the caller was told it last."""
        how = told_last(self.heard)
        if how is None:
            raise CallWentWrong("the caller was never told how to answer", self.call)
        return how

    def answers(self, answer: Answer) -> Self:
        """Answer a question the way the caller was told to, and wait until it was passed on."""
        return self.presses(self.how_to_answer.to(answer).keys()).settles()

    def presses_in_the_gap(self, keys: str) -> Self:
        """Press keys while the next request is under way, when no Gather runs."""
        knobs = self.call.network.knobs
        before, knobs.delay = knobs.delay, 1.0
        try:
            while self.call.wait is not None and self.call.wait.kind != "in_flight":
                self.call.elapse()
            for key in keys:
                self._does(Key(key))
                self._passes(BETWEEN_KEYS)
        finally:
            knobs.delay = before
        return self

    def says(self, words: str, *, lasting: float = 1.5, late: float = 0.0) -> Self:
        """Say something; the result may reach the product ``late`` seconds after it was said."""
        return self._does(Spoke(words, lasting, late=late))

    def coughs(self) -> Self:
        """Cough once."""
        return self._does(Noise("coughs"))

    def taps(self) -> Self:
        """Tap on the phone."""
        return self._does(Noise("taps on the phone"))

    def hangs_up(self) -> Self:
        """Put the phone down."""
        self.call.hang_up()
        return self

    def _does(self, stimulus: Stimulus) -> Self:
        if self.call.over:
            self._fail("the line is closed already")
        self.call.happens(stimulus)
        return self

    def stays_silent(self, seconds: float | None = None, *, until: str = "") -> Self:
        """Say and press nothing: for ``seconds``, or until words are heard, or until the exchange
        gave up waiting once."""
        if until:
            wanted = self._words.get(until, until)
            for _ in range(200):
                if self._finds(wanted):
                    return self
                if self.call.wait is None:
                    break
                self.call.elapse()
            self._fail(f"the caller stayed silent and never heard “{wanted}”")
        elif seconds is not None:
            self._passes(seconds)
        else:
            while self._listens_on():
                pass
            self.call.elapse()
        return self

    def _passes(self, seconds: float) -> None:
        left = seconds
        while left > 1e-6 and self.call.wait is not None:
            passed = self.call.elapse(left)
            left -= passed

    def settles(self) -> Self:
        """Wait until everything the caller did has been passed on."""
        while self.call.wait is not None and self.call.wait.kind in _BEGUN | {"in_flight"}:
            self.call.elapse()
        return self

    # -- where the caller is --------------------------------------------------------------------

    def is_connected_to(self, number: str) -> Self:
        """Check that the caller is joined to ``number``, after the ringing."""
        while not self.call.connected_to and self._listens_on():
            pass
        if self.call.connected_to != number:
            self._fail(f"the caller is not connected to {number}")
        return self

    def is_on_hold(self) -> Self:
        """Check that the line is open and quiet, keys are heard, and nobody is connected."""
        while self._listens_on():
            pass
        wait = self.call.wait
        if wait is None or wait.kind != "listening" or self.call.connected_to:
            self._fail("the caller is not on hold")
        return self

    def is_still_on_the_line(self) -> Self:
        """Check that the line is open."""
        if self.call.over:
            self._fail("the line is closed")
        return self

    def the_other_side_hangs_up(self) -> Self:
        """The one the caller is connected to puts the phone down."""
        return self._does(FarEndLeft())

    def is_let_go(self) -> Self:
        """Stay silent until the product ends the call, and check that it was the product."""
        for _ in range(200):
            if self.call.wait is None:
                break
            self.call.elapse()
        if not self.ended_by_us:
            self._fail("we never ended the call")
        return self

    def _fail(self, what: str) -> None:
        raise CallWentWrong(what, self.call)


def _to_caller(note: Note) -> bool:
    return note.kind in ("heard", "sound", "voice", "error")
