"""Listening to a caller without a sound: a conference on the real product, played on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from simulator.exchange import Exchange
from simulator.handler import Handler
from simulator.moments import FarEnd
from tests.scenarios.conftest import CONTROL_ROOM, Site
from tests.waiting import eventually


@pytest.fixture(scope="module")
def token(site_with_control_room: Site) -> str:
    """A token of somebody who may work calls."""
    return site_with_control_room.quietline.token("listener", "--role", "handler")


@pytest.fixture
def listening_exchange(site_with_control_room: Site, token: str) -> Iterator[Exchange]:
    """An exchange whose product rings the control room, because a handler says so."""
    exchange = site_with_control_room.exchange()
    exchange.target = replace(exchange.target, api_token=token)
    exchange.far_ends[CONTROL_ROOM] = FarEnd(presses="1")
    yield exchange
    for call in exchange.calls:
        call.hang_up()


def test_whoever_listens_is_muted_and_the_caller_hears_nothing_new(
    listening_exchange: Exchange, mobile: str
) -> None:
    """No beep, no music, no voice; keys are back when the handler puts the line on hold."""
    exchange = listening_exchange
    call = exchange.call(mobile).stays_silent().presses("7").settles()
    handler = Handler(exchange).claims(call)
    heard = list(call.heard)
    handler.orders(call, "conference")
    call.waits_for_order()
    listener = exchange.rings(CONTROL_ROOM)
    room = call.call.connected_to
    assert room, call.transcript
    eventually(lambda: exchange.rooms.inside(room) == {call.sid: False, listener.sid: True})
    listener.says("hello?")
    call.says("he is in the kitchen")
    assert listener.heard[-1] == "he is in the kitchen"
    assert call.heard == heard
    handler.orders(call, "hold")
    call.waits_for_order().presses("5").settles()
    exchange.incident(call, keys="75", state="claimed", connection="open")
    eventually(lambda: listener.over)
    assert exchange.faults == []
