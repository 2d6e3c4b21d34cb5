"""How figures are counted, as values; ``config/figures.toml`` holds them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FigurePolicy:
    """The rules of counting.

    ``confidence``: of every interval. ``few``: below so many, nothing is said of a share or a
    change. ``answered_within``: seconds; ``answered_share``: of the alerts, the goal.
    ``repeat_days``: how far back an earlier call makes one a repeat. ``offered``, ``taken`` and
    ``again``: outcomes of follow-ups, as ``kind.outcome``, that say so.
    """

    confidence: float = 0.95
    few: int = 10
    answered_within: int = 10
    answered_share: float = 0.9
    repeat_days: int = 28
    longest_days: int = 366
    offered: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()
    again: frozenset[str] = frozenset()
