"""An alert nobody claims, over the real product: a supervisor's phone, then the control room."""

from __future__ import annotations

import http.client
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import pytest

from simulator.exchange import Exchange
from simulator.moments import FarEnd
from tests.scenarios.conftest import CONTROL_ROOM, Site, sites
from tests.scenarios.handlers import Handler
from tests.waiting import eventually

SUPERVISOR = "+447700900777"


@contextmanager
def watching(site: Site, handler: Handler) -> Iterator[None]:
    """Have a handler's program listen to the live feed: somebody is on duty."""
    place = urlsplit(site.quietline.console_url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=15)
    connection.request("GET", "/live", headers={"Authorization": f"Bearer {handler.token}"})
    assert connection.getresponse().status == 200

    def on_duty() -> bool:
        with closing(sqlite3.connect(site.quietline.data / "quietline.db")) as store:
            query = "SELECT feed_at FROM presence WHERE name = ?"
            row = store.execute(query, (handler.name,)).fetchone()
        return row is not None and row[0] is not None

    eventually(on_duty, 15)
    try:
        yield
    finally:
        connection.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of its own with a control room and a supervisor who has a phone."""
    for made in sites(tmp_path_factory.mktemp("ladder"), QUIETLINE_CONTROL_ROOM=CONTROL_ROOM):
        made.quietline.command("users", "add", "sue", "--role", "supervisor", "--phone", SUPERVISOR)
        yield made


@pytest.fixture
def exchange(site: Site) -> Iterator[Exchange]:
    """An exchange in front of it, in which Twilio has nothing to complain of."""
    exchange = site.exchange()
    yield exchange
    for call in exchange.calls:
        call.hang_up()
    assert exchange.faults == []


def test_a_supervisor_who_presses_1_has_the_call(
    site: Site, exchange: Exchange, mobile: str
) -> None:
    """20 s after the alert; nothing is said to the caller, and the control room is not rung."""
    exchange.far_ends[SUPERVISOR] = FarEnd(presses="1")
    with watching(site, Handler.signs_in(site)):
        call = exchange.call(mobile).hears("which service").presses("55").settles()
        heard = len(call.heard)
        rung = exchange.rings(SUPERVISOR, seconds=40)
        incident = exchange.incident(call, state="claimed", handler="sue")
        assert incident.reasons == ["55 pressed"]
        call.waits_for_order()
        eventually(lambda: rung.over)
    assert "ress 1" in " ".join(rung.heard)
    assert not any(mobile[-9:] in said for said in rung.heard), "no number is said"
    assert set(call.heard[heard:]) <= {"Please stay on the line."}
    assert [placed.to for placed in exchange.rest.outbound] == [SUPERVISOR]
    kinds = [one["kind"] for one in Handler.signs_in(site).timeline(call, exchange)]
    assert kinds.index("paged") < kinds.index("claimed")


def test_whom_no_supervisor_takes_the_control_room_gets(
    site: Site, exchange: Exchange, mobile: str
) -> None:
    """Busy, so the ladder goes on; the caller is bridged, and a claim is then told so."""
    exchange.far_ends[SUPERVISOR] = FarEnd(outcome="busy")
    anna = Handler.signs_in(site)
    with watching(site, anna):
        call = exchange.call(mobile).hears("which service").presses("55").settles()
        call.waits_for_order(50).is_connected_to(CONTROL_ROOM)
        status, told = anna.sends(
            "POST", f"/api/v1/incidents/{exchange.incident(call).reference}/claim"
        )
    assert status == 409
    assert "control room" in told["error"]
    told_kinds = [one["kind"] for one in anna.timeline(call, exchange)]
    assert "escalated" in told_kinds
    assert "claimed" not in told_kinds
