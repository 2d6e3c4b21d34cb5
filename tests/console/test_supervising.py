"""The supervisor's page: what it counts as risk, who holds what, and from where it sounds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from console import supervising
from incidents.desk import Actor
from incidents.presence import OnDuty
from tests.console.site import NOW, Console
from tests.incidents.ladders import STANDARD

ANNA = Actor("anna", "handler")


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console of the test's own."""
    return Console(data, sqlite_url)


def test_risk_that_nobody_owns_comes_oldest_first(console: Console) -> None:
    """Whatever its urgency; what somebody has is no longer on the list, but with its holder."""
    old = console.call("5", at=NOW - timedelta(minutes=9))
    new = console.call("55", at=NOW - timedelta(minutes=1))
    mine = console.call("55", at=NOW - timedelta(minutes=5))
    console.drain()
    console.desk.claim(console.reference(mine), by=ANNA, now=NOW)
    console.refresh()
    shown = console.watch.view().incidents
    waiting = [one.call_sid for one in supervising.waiting(shown)]
    assert waiting == [old, new]
    present = [OnDuty("ben", "handler", NOW)]
    held = supervising.held(shown, present)
    assert [(one.name, one.on_duty, len(one.incidents)) for one in held] == [
        ("anna", False, 1),
        ("ben", True, 0),
    ]


def test_supervisors_hear_from_the_first_rung_above_the_screens() -> None:
    """The ladder is data: so is the rung from which their screens sound."""
    assert supervising.hears_from(STANDARD) == 2
