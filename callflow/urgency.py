"""How urgent a call is, and why, in words.

Machines only raise (rule 3): every function here takes the most urgent of what is
known, so that learning more can never lower a rank. Lowering needs a person and
is not done here.
"""

from dataclasses import dataclass
from typing import Literal

SignalShown = Literal["nothing", "heard", "someone_there", "confirmed"]
STRENGTH: tuple[SignalShown, ...] = ("nothing", "heard", "someone_there", "confirmed")
"""Weakest first; a call shows the strongest it ever showed."""

NOW, SOON, WATCH, REVIEW = 1, 2, 3, 4

_ORDINALS = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause of a rank: the urgency it asks for and the words a handler reads."""

    urgency: int
    words: str


def stronger(one: SignalShown, other: SignalShown) -> SignalShown:
    """Return the stronger of two signals."""
    return max(one, other, key=STRENGTH.index)


def because_confirmed(pressed: str) -> Reason:
    """Urgency 1. ``pressed`` names what was pressed, such as ``55`` or ``1, police``."""
    return Reason(NOW, f"{pressed} pressed")


def because_of_signal(signal: SignalShown, *, over: bool) -> Reason:
    """The reason a call has by what the caller showed, short of the full signal."""
    match signal:
        case "someone_there":
            return Reason(SOON, "a key was pressed")
        case "heard":
            return Reason(SOON, "something was heard; may be somebody else in the room")
        case _ if over:
            return Reason(REVIEW, "nothing was heard before the call ended")
        case _:
            return Reason(REVIEW, "nothing heard yet")


def because_chosen(words: str) -> Reason:
    """Urgency 2: a choice from the line's menu, in the words a handler reads."""
    return Reason(SOON, f"chose “{words}”")


def because_held(words: str) -> Reason:
    """Urgency 2: the profile holds silent calls of this kind for a handler."""
    return Reason(SOON, words)


def because_we_failed() -> Reason:
    """Urgency 2 at most: one of our answers did not reach the caller."""
    return Reason(SOON, "our answer failed")


def because_high_risk() -> Reason:
    """Urgency 1: the number or the person carries a high-risk marker (rule 4)."""
    return Reason(NOW, "high-risk marker")


def because_marked(name: str) -> Reason:
    """A marker that is not high-risk: named for the handler, and raises nothing."""
    return Reason(REVIEW, f"marker: {name.lower()}")


def because_repeated(nth: int, seconds: int, urgency: int) -> Reason:
    """The nth call from one number, ``seconds`` after the first of them."""
    minutes = max(1, -(-seconds // _MINUTE))
    unit = "minute" if minutes == 1 else "minutes"
    return Reason(urgency, f"{ordinal(nth)} silent call in {minutes} {unit}")


def ordinal(nth: int) -> str:
    """Write ``nth`` (2 or more) as a word up to ten, then as a figure."""
    at = nth - 2
    return _ORDINALS[at] if at < len(_ORDINALS) else f"{nth}{_suffix(nth)}"


def _suffix(nth: int) -> str:
    if nth % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(nth % 10, "th")


def rank(reasons: list[Reason]) -> tuple[int, tuple[str, ...]]:
    """Return the most urgent rank and all words, most urgent first; equal ones keep their order."""
    ordered = sorted(reasons, key=lambda reason: reason.urgency)
    return ordered[0].urgency, tuple(reason.words for reason in ordered)
