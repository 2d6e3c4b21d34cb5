"""Rule 4 over the real processes: calls from a number that carries a high-risk marker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from config.policy import load_policy
from config.settings import load
from incidents.audit import Audit
from incidents.marker_kinds import Wanted
from incidents.markers import Markers
from incidents.numbers import number_row
from incidents.sealed import Keys
from incidents.store import Store
from incidents.transactions import writing
from simulator.caller import Caller
from simulator.exchange import Exchange
from tests.scenarios.conftest import Site

MARKED = "+447700900844"
LANDLINE = "+441632960844"


@pytest.fixture(scope="module")
def marks(site: Site) -> Iterator[Callable[[str], None]]:
    """Set a high-risk marker on a number of that site."""
    settings = load(site.quietline.settings, site.quietline.data)
    policy, keys = load_policy(settings), Keys(settings.key_material)
    store = Store(settings.database_url, keys)
    audit = Audit(store.engine, keys)
    markers = Markers(store, keys, audit, policy.markers, policy.roles)
    owner = site.quietline.sign_in[0]

    def mark(number: str) -> None:
        now = datetime.now(UTC)
        wanted = Wanted("Send a unit", owner, now + timedelta(days=90), "MARAC", "high_risk")
        with writing(store.engine) as connection:
            row = number_row(connection, keys, number, now)
            markers.put(connection, wanted, owner, now, number_id=row)

    mark(MARKED)
    mark(LANDLINE)
    yield mark
    store.engine.dispose()


def _hangs_up_at_once(call: Caller) -> None:
    call.hears("which service").hangs_up()


def _is_silent_to_the_end(call: Caller) -> None:
    call.stays_silent(until="goodbye").is_let_go()


def _presses_one_key(call: Caller) -> None:
    call.hears("which service").presses("7")


def _presses_55(call: Caller) -> None:
    call.hears("which service").presses("55")


@pytest.mark.parametrize(
    ("number", "does", "signal", "connection"),
    [
        (MARKED, _hangs_up_at_once, "nothing", "dropped"),
        (MARKED, _is_silent_to_the_end, "nothing", "ended"),
        (MARKED, _presses_one_key, "someone_there", "open"),
        (MARKED, _presses_55, "confirmed", "open"),
        (LANDLINE, _hangs_up_at_once, "nothing", "dropped"),
    ],
)
@pytest.mark.usefixtures("marks")
def test_rule_4_whatever_the_caller_does_the_call_is_at_the_top(
    exchange: Exchange, number: str, does: Callable[[Caller], None], signal: str, connection: str
) -> None:
    """Urgency 1 and waiting, with the reason shown, with or without 55."""
    call = exchange.call(number)
    does(call)
    found = exchange.incident(call, urgency=1, state="waiting", connection=connection)
    assert found.fields["signal"] == signal
    assert "high-risk marker" in found.fields["reasons"]


def test_a_marker_set_while_the_line_is_open_raises_the_call(
    exchange: Exchange, marks: Callable[[str], None], mobile: str
) -> None:
    """Within a few seconds, on the same line."""
    call = exchange.call(mobile).hears("which service")
    exchange.incident(call, urgency=4, state="waiting")
    marks(mobile)
    found = exchange.incident(call, urgency=1, state="waiting", connection="open")
    assert found.fields["reasons"][0] == "high-risk marker"


@pytest.mark.usefixtures("marks")
def test_a_marked_caller_hears_the_same_words_as_anybody(exchange: Exchange, mobile: str) -> None:
    """Rule 6: nothing in the call tells that the number is known."""
    known, unknown = exchange.call(MARKED), exchange.call(mobile)
    for call in (known, unknown):
        call.stays_silent(until="goodbye").is_let_go()
    assert known.heard == unknown.heard
