"""The pages people go to by name, and the one each role starts on.

A place is shown to whoever may see it and to nobody else; it guards nothing: the mark
of its view does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import current_app

from incidents.accounts import Holder
from incidents.roles import Right

START: Final = "/start"
"""Where somebody lands whose role has no page yet."""


@dataclass(frozen=True, slots=True)
class Place:
    """A page in the header. ``folded``: under "More", where there are many.

    ``counts``: a number stands beside its name (``console.reminders``).
    """

    path: str
    name: str
    right: Right
    folded: bool = False
    counts: bool = False


IN_ONE_LINE: Final = 7
"""Places beside which the clock and the sign-out still fit, 1280 pixels wide."""
PLACES: Final = (
    Place("/", "Live board", "read"),
    Place("/review", "Review queue", "read", counts=True),
    Place("/search", "Search", "read", folded=True),
    Place("/people", "People", "people"),
    Place("/my-day", "My day", "people", counts=True),
    Place("/contacts", "Contacts", "people", folded=True),
    Place("/overdue", "Overdue", "supervise", folded=True, counts=True),
    Place("/markers", "Markers", "people", folded=True),
    Place("/operations", "Operations", "people", folded=True),
    Place("/figures", "Figures", "figures", folded=True),
    Place("/supervisor", "Supervisor", "supervise"),
    Place("/users", "Users", "users"),
    Place("/audit", "Audit", "audit"),
)


def places(holder: Holder) -> list[Place]:
    """Return the pages this person may see, among those that are there."""
    routes = current_app.url_map.bind("")
    return [one for one in PLACES if holder.may(one.right) and routes.test(one.path, "GET")]


def parted(mine: list[Place]) -> tuple[list[Place], list[Place]]:
    """Part the places into those in the header and those under "More".

    Two lines of places would push down the call a handler reads.
    """
    if len(mine) <= IN_ONE_LINE:
        return mine, []
    shown = [one for one in mine if not one.folded]
    return shown, [one for one in mine if one.folded]


def home(holder: Holder) -> str:
    """Return the page this person starts on."""
    mine = places(holder)
    return mine[0].path if mine else START
