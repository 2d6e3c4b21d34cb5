"""The policy of the line for known victims, as values: whom it rings last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from callflow.contact import ContactLine


@dataclass(frozen=True, slots=True)
class ContactPolicy:
    """How the line answers.

    ``duty_desk``: E.164, or None where the control room is rung. ``stale_after``: how old the
    engine's word on who stands for whom may be.
    """

    line: ContactLine
    duty_desk: str | None
    stale_after: timedelta
