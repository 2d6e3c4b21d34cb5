"""Numbers and what is wanted of them: percentiles, medians, verdicts. It measures nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` of all do not exceed (nearest rank)."""
    if not values:
        return math.inf
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values: Sequence[float]) -> float:
    """Return the middle value; of two middle ones the mean."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    if not ordered:
        return math.inf
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """One goal and what was measured. ``at_most``: the goal is an upper limit, else a lower one."""

    what: str
    figure: float
    goal: float
    unit: str
    at_most: bool

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        return self.figure <= self.goal if self.at_most else self.figure >= self.goal

    def as_row(self) -> str:
        """Return a table row in words."""
        limit = "≤" if self.at_most else "≥"
        said = "met" if self.met else f"missed by {_text(abs(self.figure - self.goal))}{self.unit}"
        return (
            f"| {self.what} | {_text(self.figure)}{self.unit} "
            f"| {limit} {_text(self.goal)}{self.unit} | {said} |"
        )


@dataclass(slots=True)
class Measured:
    """One part of a run: its verdicts, its table of single figures, and what must be said of it."""

    title: str
    verdicts: list[Verdict] = field(default_factory=list)
    head: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


class Untrue(RuntimeError):
    """What was measured is not what the figure claims: no figure is better than a wrong one."""


def _text(figure: float) -> str:
    if math.isinf(figure):
        return "∞"
    return f"{figure:.0f}" if abs(figure) >= 100 else f"{figure:.2f}".rstrip("0").rstrip(".")
