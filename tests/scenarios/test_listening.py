"""A handler listens in a muted conference: the real processes, and a phone of ours that is rung."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.exchange import Exchange
from tests.scenarios.conftest import CONTROL_ROOM, LINES, Site
from tests.scenarios.handlers import Handler, waits
from tests.waiting import eventually


@pytest.fixture
def listening_exchange(site_with_control_room: Site) -> Iterator[Exchange]:
    """An exchange in which somebody of ours may be rung, because a handler orders it."""
    exchange = site_with_control_room.exchange()
    yield exchange
    for call in exchange.calls:
        call.hang_up()
    assert exchange.faults == []


@pytest.fixture
def sam(site_with_control_room: Site) -> Handler:
    """A handler of that site."""
    return Handler.signs_in(site_with_control_room)


def test_a_listener_joins_muted_and_keys_are_heard_again_after_hold(
    listening_exchange: Exchange, sam: Handler, mobile: str
) -> None:
    """No beep and no music: the caller hears nothing new. Put back to hold, a 55 confirms."""
    exchange = listening_exchange
    call = exchange.call(mobile).hears("which service").presses("7").settles()
    sam.does("take-over", call, exchange, reason="nobody else is here")
    eventually(lambda: bool(exchange.rest.orders), 10)
    heard = len(call.heard)
    sam.does("conference", call, exchange)
    listener = exchange.rings(CONTROL_ROOM)
    eventually(lambda: "You are muted" in " ".join(listener.heard), 10)
    (placed,) = exchange.rest.outbound
    assert (placed.form["To"], placed.form["From"]) == (CONTROL_ROOM, LINES["emergency"])
    assert set(call.heard[heard:]) <= {"Please stay on the line."}, "the caller hears nothing new"
    sam.does("hold", call, exchange)
    eventually(lambda: waits(call) == "listening", 10)
    call.is_on_hold().presses("55").settles()
    assert exchange.incident(call, signal="confirmed").handler == sam.name
    kinds = [entry["kind"] for entry in sam.timeline(call, exchange)]
    assert {"conference_ordered", "connected", "hold_ordered"} <= set(kinds)
