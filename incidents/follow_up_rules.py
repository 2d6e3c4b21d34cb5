"""Rules that make follow-ups, as values; ``config/follow_ups.toml`` holds them.

A rule adds work for a person to do. It closes nothing, lowers nothing and reaches nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, get_args

from incidents.fold import Incident

Owner = Literal["spoc", "handler", "nobody"]
OWNERS: Final[tuple[Owner, ...]] = get_args(Owner)


@dataclass(frozen=True, slots=True)
class When:
    """Which calls a rule is for. What is empty is any.

    ``chosen``: from a menu. ``parts``: a person with one of these confirmed parts is in it.
    ``repeat_victim``: somebody known as a repeat victim may be calling.
    """

    states: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    repeat_victim: bool = False

    def fits(self, incident: Incident) -> bool:
        """Say whether a call is one of these, whoever is calling. Proof calls never are."""
        asked: tuple[tuple[tuple[str, ...], str | None], ...] = (
            (self.states, incident.state),
            (self.outcomes, incident.outcome),
            (self.lines, incident.line),
            (self.signals, incident.signal),
            (self.connections, incident.connection),
            (self.purposes, incident.purpose),
            (self.chosen, incident.chosen),
        )
        return incident.purpose != "proof" and all(
            not wanted or found in wanted for wanted, found in asked
        )

    @property
    def of_persons(self) -> bool:
        """Whether it depends on who is calling: it then makes one for each of them."""
        return self.repeat_victim or bool(self.parts)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``text``: what is to be done. ``kind``: the id of a kind of follow-up.

    ``due_after``: after it is made. ``owner``: whose it is; with nobody there, nobody's.
    """

    id: str
    when: When
    kind: str
    text: str
    due_after: timedelta
    owner: Owner
