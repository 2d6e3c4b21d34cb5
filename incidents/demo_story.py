"""The worked example as values: officers, people, and what callers show; ``config/demo.toml``."""

from dataclasses import dataclass
from typing import Final

from incidents.safe_contact import Safe

PARTS: Final = ("victim", "offender")
"""Of people in an operation's scope; said again here, so that reading it loads no store."""


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody at work: an account nobody can sign in to."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Invented:
    """Somebody in the operation's scope, invented. ``spoc``: an officer's name, or empty.

    ``visit``: how their visit ended; empty: it is overdue; ``planned``: it is still to come.
    """

    name: str
    part: str
    number: str
    safe: Safe
    hours: str
    spoc: str
    calls: int
    calls_before: int
    visit: str
    children: str
    code_word: str
    orders: str
    address: str
    never_call: bool
    marker: str


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of call. ``answer``: seconds from the sign to the claim, on average.

    ``outcomes``: of a silent call, decisions of the review queue.
    """

    signal: str
    weight: int
    keys: str
    answer: float
    outcomes: tuple[str, ...]
    grades: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """All of it. Days count back from today; ``numbers``: callers nobody knows, first and last."""

    name: str
    area: str
    begins: int
    lasts: int
    baseline: int
    a_day: float
    a_day_before: float
    numbers: tuple[str, str]
    officers: tuple[Officer, ...]
    people: tuple[Invented, ...]
    sorts: tuple[Sort, ...]
