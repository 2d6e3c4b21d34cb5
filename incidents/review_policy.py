"""How calls without a sign of life are reviewed, as values; ``config/review.toml`` holds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, get_args

Does = Literal["close", "raise", "later"]
DOES: Final[tuple[Does, ...]] = get_args(Does)


@dataclass(frozen=True, slots=True)
class Decision:
    """One way to decide on a call. ``key``: the letter that chooses it.

    ``outcome``: with which it is closed, empty unless it ``does`` that. ``back_after``: for how
    long a call kept for later stands back, zero unless it does that.
    """

    id: str
    key: str
    name: str
    words: str
    does: Does
    outcome: str
    back_after: timedelta


@dataclass(frozen=True, slots=True)
class Review:
    """``look_within``: by when after its start a call is looked at (rule 8).

    ``alarm_at``, ``alarm_after``: an alarm stands while so many calls are overdue, or one has been
    for so long.
    ``second_look_percent``: how many of 100 closed calls a specialist looks at again.
    ``raise_to``: the urgency of a call that is put back to the handlers.
    """

    look_within: timedelta
    alarm_at: int
    alarm_after: timedelta
    second_look_percent: int
    raise_to: int
    decisions: tuple[Decision, ...]

    def get(self, id_: str) -> Decision | None:
        """Return a decision by its id, or None."""
        return next((one for one in self.decisions if one.id == id_), None)

    def name(self, id_: str) -> str:
        """Return the name of a decision; of one that is gone from the file, its id in words."""
        found = self.get(id_)
        return found.name if found else id_.replace("_", " ")

    @property
    def later(self) -> tuple[Decision, ...]:
        """Return the decisions that keep a call for later."""
        return tuple(one for one in self.decisions if one.does == "later")
