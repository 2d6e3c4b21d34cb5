"""Response grades and outcomes, as values; ``config/grades.toml`` holds them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grade:
    """One grade. ``target``: seconds within which the response is due, or None for no target."""

    id: str
    name: str
    target: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way in which an incident ends."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Grades:
    """All of them. ``grades``: the most urgent first; ``details``: the fields of a record."""

    grades: tuple[Grade, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    """Field and its name for people, in the order in which a handler reads them."""

    def grade(self, name: str) -> Grade | None:
        """Return the grade with this id, or None."""
        return next((one for one in self.grades if one.id == name), None)

    def outcome(self, name: str) -> Outcome | None:
        """Return the outcome with this id, or None."""
        return next((one for one in self.outcomes if one.id == name), None)

    def lowers(self, now: str | None, wanted: str) -> bool:
        """Say whether ``wanted`` is less urgent than the grade that stands now."""
        order = [one.id for one in self.grades]
        return now in order and order.index(wanted) > order.index(now)
