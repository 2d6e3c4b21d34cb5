"""Callers who are asked yes/no questions: the scenarios in which a handler works the call.

With ``Exchange.handler`` both sides are played, the handler's through the JSON API; without one
the caller does what can be done alone, and the scenario is judged as far as that goes. The
questions are typed by hand, so that no bank of questions needs to be known here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from simulator.answering import Answer
from simulator.caller import Caller
from simulator.exchange import Exchange
from simulator.handler import Handler, NotAllowed
from simulator.scenario import Play, Scenario

QUESTIONS: Final = ("Are you in danger now?", "Is anybody hurt?")
A_LONG_WAIT_SECONDS: Final = 600
Work = Callable[[Caller, Handler], Caller]


def _worked(work: Work, alone: Callable[[Caller], Caller] = lambda call: call) -> Play:
    """Return a play: 55, a claim, then ``work``; without a handler the caller is ``alone``."""

    def play(exchange: Exchange, number: str) -> Caller:
        call = exchange.call(number).stays_silent(until="5").presses("55").settles()
        if exchange.handler is not None:
            try:
                return work(call, exchange.handler.claims(call))
            except NotAllowed as refused:
                exchange.no_handler_because(str(refused))
        return alone(call.stays_silent(5).is_still_on_the_line())

    return play


def _answers(answer: Answer) -> Work:
    def work(call: Caller, handler: Handler) -> Caller:
        for question in QUESTIONS:
            handler.asks(call, question)
            call.is_asked(question).answers(answer)
        return call.stays_silent(2)

    return work


def _wrong_number_of_presses(call: Caller, handler: Handler) -> Caller:
    handler.asks(call, QUESTIONS[0])
    call.is_asked(QUESTIONS[0]).presses("555").settles()
    return call.stays_silent(until=QUESTIONS[0]).answers("yes")


def _hangs_up_mid_question(call: Caller, handler: Handler) -> Caller:
    handler.asks(call, QUESTIONS[0])
    return call.starts_to_be_asked(QUESTIONS[0]).stays_silent(0.5).hangs_up()


def _goes_silent(call: Caller, handler: Handler) -> Caller:
    handler.asks(call, QUESTIONS[0])
    return call.is_asked(QUESTIONS[0]).stays_silent().settles()


def _somebody_else_speaks(call: Caller, handler: Handler) -> Caller:
    handler.asks(call, QUESTIONS[0])
    call.is_asked(QUESTIONS[0]).says("hello, who is there").stays_silent(2)
    return call.says("there is nobody here").hangs_up()


def _somebody_else_speaks_alone(call: Caller) -> Caller:
    return call.says("hello, who is there").stays_silent(2).hangs_up()


def _waits(call: Caller, _: Handler) -> Caller:
    return call.stays_silent(A_LONG_WAIT_SECONDS).is_still_on_the_line()


CONFIRMED: Final = {"signal": "confirmed", "urgency": 1, "keys": "55"}
WAITING: Final = {**CONFIRMED, "state": "waiting", "connection": "open"}
WAITING_DROPPED: Final = {**WAITING, "connection": "dropped"}
CLAIMED: Final = {**CONFIRMED, "state": "claimed", "connection": "open"}
CLAIMED_DROPPED: Final = {**CLAIMED, "connection": "dropped"}

QUESTIONED: Final = (
    Scenario(
        "answers-yes",
        "presses 55, is claimed, and answers yes to every question",
        _worked(_answers("yes")),
        WAITING,
        handled={**CLAIMED, "answers": ("yes", "yes")},
    ),
    Scenario(
        "answers-no",
        "presses 55, is claimed, and answers no to every question",
        _worked(_answers("no")),
        WAITING,
        handled={**CLAIMED, "answers": ("no", "no")},
    ),
    Scenario(
        "wrong-number-of-presses",
        "presses three times at a question, and yes when it is asked once more",
        _worked(_wrong_number_of_presses),
        WAITING,
        handled={**CLAIMED, "answers": ("unclear", "yes")},
    ),
    Scenario(
        "hang-up-mid-question",
        "hangs up while a question is asked",
        _worked(_hangs_up_mid_question, Caller.hangs_up),
        WAITING_DROPPED,
        handled={**CLAIMED_DROPPED, "answers": ("line_dropped",)},
    ),
    Scenario(
        "silent-at-question",
        "goes silent when asked a question",
        _worked(_goes_silent),
        WAITING,
        handled={**CLAIMED, "answers": ("none",)},
    ),
    Scenario(
        "somebody-else-speaks",
        "at a question somebody else picks up, speaks while only keys are heard, and hangs up",
        _worked(_somebody_else_speaks, _somebody_else_speaks_alone),
        WAITING_DROPPED,
        handled={**CLAIMED_DROPPED, "answers": ("line_dropped",)},
    ),
    Scenario(
        "waits-and-is-claimed",
        "presses 55, is claimed, and waits ten minutes: no timer lets a claimed caller go",
        _worked(_waits),
        WAITING,
        handled=CLAIMED,
    ),
)
