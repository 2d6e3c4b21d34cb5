"""A person who signs in, as those who manage users see them.

A phone shows its last digits only, a secret never.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from incidents.sealed import CannotOpen, Keys

State = Literal["active", "invited", "invitation_over", "left"]
SHOWN_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Person:
    """One user. ``phone``: its last digits, or empty. ``shift``: local hours, or empty."""

    name: str
    role: str
    state: State
    phone: str
    shift: str
    has_factor: bool
    heard_at: datetime | None
    invited_until: datetime | None
    left_at: datetime | None


def person_in(row: Any, keys: Keys, now: datetime) -> Person:
    """Read a person out of a row of ``users``, joined with ``presence``."""
    return Person(
        row.name,
        row.role,
        _state(row, now),
        _last_digits(row, keys),
        row.shift or "",
        row.totp is not None,
        row.heard_at,
        row.invited_until,
        row.disabled_at,
    )


def _state(row: Any, now: datetime) -> State:
    if row.disabled_at is not None:
        return "left"
    if row.invitation is None:
        return "active"
    return "invited" if now < row.invited_until else "invitation_over"


def _last_digits(row: Any, keys: Keys) -> str:
    if row.phone is None:
        return ""
    try:
        number = keys.open(row.phone, f"users|{row.id}|phone").decode()
    except CannotOpen:
        return "????"  # kept under other keys: to be entered again
    return number[-SHOWN_DIGITS:]
