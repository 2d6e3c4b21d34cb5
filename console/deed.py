"""One row of the table of what can be done to an incident through the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypedDict

from console.bodies import Field
from incidents.desk import Actor, Desk, Done
from incidents.roles import Right

LONGEST_TEXT: Final = 4000
LONGEST_QUESTION: Final = 200
LONGEST_REASON: Final = 500
LONGEST_NAME: Final = 80


class How(TypedDict):
    """Who does a deed, when, and under which Idempotency-Key."""

    by: Actor
    now: datetime
    request: str | None


Act = Callable[[Desk, str, Mapping[str, Any], How], Done]


@dataclass(frozen=True, slots=True)
class Deed:
    """One row.

    ``waits``: its orders are carried out while the request waits, so that a race is told.
    ``second``: it may have to be approved by a second person (202). ``closed``: it can be done to
    a closed incident, whose record opens with a reason only.
    """

    path: str
    right: Right
    summary: str
    act: Act
    fields: tuple[Field, ...] = ()
    example: Mapping[str, Any] | None = None
    waits: bool = False
    second: bool = False
    closed: bool = False
    about: str = ""
