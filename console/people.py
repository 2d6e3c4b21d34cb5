"""What the pages about people work with: accounts, the second factor, and the desk.

It holds these together and decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import current_app

from console.guard import doors
from console.watch import Watch
from incidents.accounts import Holder
from incidents.desk import Actor, Desk
from incidents.presence import Presence
from incidents.sealed import Keys
from incidents.second_factor import SecondFactor
from incidents.staff import Staff
from incidents.transactions import StoreUnavailable

EXTENSION: Final = "quietline_people"


@dataclass(frozen=True, slots=True)
class People:
    """``address``: of the console. ``training``: no second factor is asked for."""

    staff: Staff
    factor: SecondFactor
    presence: Presence
    desk: Desk
    keys: Keys
    address: str
    training: bool


def people() -> People:
    """Return the app's people."""
    found: People = current_app.extensions[EXTENSION]
    return found


def actor(holder: Holder) -> Actor:
    """Return a holder as the one who does a deed at the desk."""
    return Actor(holder.name, holder.role)


def live_calls(holder: Holder, now: datetime) -> list[str]:
    """Return the references of the open lines this person holds.

    With the store away the board is asked: it knows what was claimed before.
    """
    try:
        return doors().accounts.held(holder.name, now=now)
    except StoreUnavailable:
        watch: Watch = current_app.extensions["quietline_watch"]
        return [
            one.reference
            for one in watch.view().incidents
            if one.handler == holder.name and one.state == "claimed" and one.connection == "open"
        ]
