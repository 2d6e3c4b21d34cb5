"""What the watchman must know of the ladder: who waits past its end, and what cannot climb."""

from incidents.fold import Incident
from incidents.ladder_moves import Climb, Fire, Move, Rest, Turn
from incidents.ladder_policy import Ladder

OVERDUE: float = 10.0
"""Seconds by which a rung may be late before somebody is told."""


class Standing:
    """Alerts that stand out. Written by the ladder's thread, read by any."""

    def __init__(self) -> None:
        self._past: set[str] = set()
        self._overdue: set[str] = set()
        self.past_the_last: tuple[str, ...] = ()
        """References of live alerts that nobody has although every rung was climbed."""
        self.overdue: tuple[str, ...] = ()
        """References of live alerts whose next rung is late, or that cannot climb at all."""

    def begin(self) -> None:
        """Begin a look: what the one before it found is what is told."""
        self.past_the_last, self.overdue = tuple(sorted(self._past)), tuple(sorted(self._overdue))
        self._past, self._overdue = set(), set()

    def note(
        self, incident: Incident, climb: Climb, move: Move | None, ladder: Ladder, turn: Turn
    ) -> None:
        """Take in one alert and what is to be done about it."""
        if incident.purpose != "live" or isinstance(move, Rest):
            return
        if climb.round > 1 and incident.state == "waiting":
            self._past.add(incident.reference)
        if isinstance(move, Fire):
            passed = (turn.steady.ms - climb.began_ms) / 1000
            # The first climb of an alert that waited before it was seen is late at once.
            if climb.rung and passed - ladder.rungs[move.at].after > OVERDUE:
                self._overdue.add(incident.reference)

    def broken(self, reference: str) -> None:
        """Take in an alert whose step failed."""
        self._overdue.add(reference)
