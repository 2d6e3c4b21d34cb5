"""The ladder as values: which rungs there are and when; ``config/ladder.toml`` holds them."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Does = Literal["show", "louder", "phone", "bridge"]
DEEDS: Final[tuple[Does, ...]] = get_args(Does)
"""``show``: on every screen. ``louder``: on every screen, to be heard by supervisors as well.
``phone``: a supervisor is rung. ``bridge``: the caller is joined to the control room."""
ON_SCREENS: Final = ("show", "louder")


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung. ``after``: seconds since the climb began; ``to``: whom it reaches, in words."""

    name: str
    does: Does
    after: float
    to: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """All rungs, lowest first, and the times that go with them, in seconds.

    ``again``: after the last rung it begins anew. ``from_urgency``: an alert of this urgency or a
    higher one climbs. ``press_again``: a caller who pressed one key has so long to press another
    before the bridge. ``away``: a holder whose screen is silent for so long is away;
    ``phone_away``: one who took the call by phone, and is on the way to a screen. ``regrade``: a
    claimed call that dropped is graded again within this. ``ring``: then the next supervisor is
    rung as well.
    """

    rungs: tuple[Rung, ...]
    again: float
    from_urgency: int
    press_again: float
    away: float
    phone_away: float
    regrade: float
    ring: float
