"""Who may do what: roles as data, rights as the few words the routes ask for.

``config/roles.toml`` gives every role its rights. A role nobody listed has none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

Right = Literal[
    "read",
    "note",
    "work",
    "approve",
    "people",
    "contact",
    "second_look",
    "supervise",
    "users",
    "audit",
    "figures",
]
RIGHTS: Final[tuple[Right, ...]] = get_args(Right)
"""``read``: incidents, the board and the live feed. ``note``: add to a record. ``work``: claim,
ask, connect, grade, close. ``approve``: be the second person. ``people``: people, their numbers,
addresses, markers, contacts and follow-ups. ``contact``: be somebody's single point of contact,
or the deputy. ``second_look``: be the specialist who looks again at calls others reviewed.
``supervise``: see who is on duty and who holds what, be rung by the ladder, receive a leaver's
claims. ``users``: invite, change, end. ``audit``: read who looked at what. ``figures``: read
figures that name nobody."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Every role with its rights. ``people``: roles a user may have; ``programs``: a token."""

    rights: Mapping[str, frozenset[Right]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()

    def may(self, role: str, right: Right) -> bool:
        """Say whether ``role`` has ``right``; an unknown role has none."""
        return right in self.rights.get(role, frozenset())

    def with_right(self, right: Right) -> tuple[str, ...]:
        """Return the roles that have ``right``."""
        return tuple(role for role, rights in self.rights.items() if right in rights)
