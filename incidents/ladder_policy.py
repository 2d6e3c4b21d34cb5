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
    again: float = 60.0
    from_urgency: int = 2
    press_again: float = 10.0
    away: float = 25.0
    phone_away: float = 120.0
    regrade: float = 60.0
    ring: float = 15.0


STANDARD: Final = Ladder(
    (
        Rung("screens", "show", 0.0, "all screens"),
        Rung("supervisors", "louder", 10.0, "all screens, louder, and supervisors"),
        Rung("phone", "phone", 20.0, "a supervisor's phone"),
        Rung("control_room", "bridge", 30.0, "control room"),
    )
)
"""What ``config/ladder.toml`` says, for tests and tools that read no files."""
