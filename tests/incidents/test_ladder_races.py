"""Claim and bridge cannot both win: the database decides, hundreds of times."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from incidents.desk import Actor, Conflict
from incidents.fold import Incident
from incidents.ladder_moves import joined
from incidents.steady import Steady
from tests.incidents.ladders import Site
from tests.incidents.making import Caller

ROUNDS = 105
"""Of each kind of store; together more than two hundred."""
LATER = 0.02
"""Seconds by which claims begin later at first: the ladder looks around before its transaction."""


def both(site: Site, caller: Caller) -> bool:
    """Say whether somebody has a call whose caller is on the way to the control room."""
    one: Incident = site.incident(caller)
    return one.state == "claimed" and joined(one, site.rows(caller), site.wall)


def race(site: Site, caller: Caller, names: list[str], later: float) -> list[str]:
    """Let the ladder's bridge and claims by ``names`` begin at one instant. Returns who won.

    The ladder looks around first, so claims begin up to ``later`` seconds later.
    """
    won: list[str] = []
    start = threading.Barrier(len(names) + 1)

    def bridge() -> None:
        start.wait()
        site.climber.climb(site.wall, Steady(site.ms, site.boot))
        if site.orders(caller, "connect"):
            won.append("bridge")

    def claim(name: str) -> None:
        start.wait()
        threading.Event().wait(later)
        try:
            site.room.desk.claim(caller.reference, by=Actor(name, "handler"), now=site.wall)
        except Conflict:
            return
        won.append(name)

    threads = [threading.Thread(target=bridge)]
    threads += [threading.Thread(target=claim, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    return won


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_claim_and_the_bridge_never_both_win(
    kind: str, data: Path, request: pytest.FixtureRequest
) -> None:
    """Hundreds of times at the same instant: one of them, and never neither."""
    site = Site.at(data, request.getfixturevalue(f"{kind}_url"))
    winners = {"bridge": 0, "claim": 0}
    later = LATER
    for at in range(ROUNDS):
        caller = site.waiting()
        site.passes(29.5, step=29.5)
        site.wall += timedelta(seconds=0.5)
        site.ms += 500
        names = ["anna", "ben"] if at % 2 else ["anna"]
        won = race(site, caller, names, later)
        assert len(won) == 1, won
        assert not both(site, caller)
        bridged = won == ["bridge"]
        winners["bridge" if bridged else "claim"] += 1
        # Whoever lost begins a little sooner in the next round, on any machine: so they meet.
        later = max(0.0005, later * (0.8 if bridged else 1.25))
        # It is over, so that the next round has one alert only.
        site.line(caller, connection="dropped", handler="sue", closed_at=site.wall)
        site.turns()
    print(kind, winners)
    assert min(winners.values()) >= ROUNDS // 20, winners


def test_a_judge_sees_when_both_have_won(data: Path, sqlite_url: str) -> None:
    """Planted: a claim written past the transaction, while the caller is on the way."""
    site = Site.at(data, sqlite_url)
    caller = site.waiting()
    site.passes(30)
    assert not both(site, caller)
    site.line(caller, handler="anna", claimed_at=site.wall)
    assert both(site, caller)
