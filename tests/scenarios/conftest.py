"""The real product, and an exchange whose callers speak to it over HTTP."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from simulator.exchange import Exchange
from simulator.rest import Reply
from simulator.restserver import RestServer
from tests import running

CONTROL_ROOM = "+441632960200"
LINES = {
    "emergency": "+441632960055",
    "welsh": "+441632960056",
    "nz": "+441632960064",
    "au": "+441632960061",
    "ie": "+441632960353",
    "us-ma": "+441632960001",
    "proof": "+441632960099",
    "non emergency": "+441632960101",
    "welsh menu": "+441632960102",
    "menu elsewhere": "+441632960103",
}
LINES_FILE = """
[[line]]
number = "+441632960055"
kind = "emergency"
[[line]]
number = "+441632960056"
language = "cy-GB"
[[line]]
number = "+441632960064"
profile = "nz"
[[line]]
number = "+441632960061"
profile = "au"
[[line]]
number = "+441632960353"
profile = "ie"
[[line]]
number = "+441632960001"
profile = "us-ma"
[[line]]
number = "+441632960099"
purpose = "proof"
[[line]]
number = "+441632960101"
kind = "non_emergency"
[[line]]
number = "+441632960102"
kind = "non_emergency"
language = "cy-GB"
[[line]]
number = "+441632960103"
kind = "non_emergency"
profile = "us-ma"
"""
# Nicknames of the prompts, and words that stand in them.
WORDS = {
    "which service": "fire, police, ambulance or coastguard",
    "any key": "press any key",
    "the menu": "To report a crime, press 1",
    "the welsh menu": "I roi gwybod am drosedd, pwyswch 1",
    "the signal": "Press 5 5 now",
    "one more": "Please press 5 again",
    "stay on the line": "Please stay on the line",
    "goodbye": "Goodbye",
}


@dataclass
class Site:
    """A running Quietline, a token to read with, and the Twilio it sends its orders to."""

    quietline: running.Quietline
    token: str
    orders: _Orders
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Method and address of every REST request of the product, oldest first."""
        return self.orders.asked

    def exchange(self) -> Exchange:
        """Make an exchange of a test's own in front of this site."""
        exchange = Exchange(
            self.quietline.phone_url,
            self.quietline.settings["QUIETLINE_PUBLIC_URL"],
            self.quietline.auth_token,
            self.quietline.account_sid,
            self.quietline.console_url,
            self.token,
            LINES["emergency"],
            lines=LINES,
            words=WORDS,
        )
        self.orders.exchange = exchange
        self.exchanges.append(exchange)
        return exchange


class _Orders:
    """Hands REST orders to the exchange of the test that runs."""

    def __init__(self) -> None:
        self.exchange: Exchange | None = None
        self.asked: list[tuple[str, str]] = []

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer as that exchange answers."""
        assert self.exchange is not None
        self.asked.append((method, target))
        return self.exchange.rest.answer(method, target, headers, body)


def sites(folder: Path, more_lines: str = "", /, **settings: str) -> Iterator[Site]:
    """Run a site under ``folder``, with lines and settings beside the usual ones."""
    lines = folder / "lines.toml"
    lines.write_text(LINES_FILE + more_lines, encoding="utf-8")
    orders = _Orders()
    server = RestServer(orders.answer)
    made = running.live_settings(folder / "data")
    given = {**made, "TWILIO_API_URL": server.url, "QUIETLINE_LINES": str(lines), **settings}
    with running.quietline(given) as quietline:
        yield Site(quietline, quietline.token(), orders)
    server.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site without a control room."""
    yield from sites(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def site_with_control_room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose waiting calls are bridged to a control room."""
    yield from sites(tmp_path_factory.mktemp("bridged"), QUIETLINE_CONTROL_ROOM=CONTROL_ROOM)


def _use(site: Site) -> Iterator[Exchange]:
    exchange = site.exchange()
    yield exchange
    for call in exchange.calls:
        call.hang_up()
    assert exchange.rest.outbound == [], "rule 7: never call by itself"


@pytest.fixture
def exchange(site: Site) -> Iterator[Exchange]:
    """An exchange in which Twilio must have nothing to complain of."""
    for one in _use(site):
        yield one
        assert one.faults == []


@pytest.fixture
def troubled_exchange(site: Site) -> Iterator[Exchange]:
    """An exchange in which things go wrong on the way."""
    yield from _use(site)


@pytest.fixture
def bridging_exchange(site_with_control_room: Site) -> Iterator[Exchange]:
    """An exchange in front of a site with a control room."""
    for one in _use(site_with_control_room):
        yield one
        assert one.faults == []


# Below 500: from there on the simulator makes up numbers itself.
_numbers = itertools.count()


@pytest.fixture
def mobile() -> str:
    """A mobile number nobody else has called from."""
    return f"+447700900{next(_numbers):03d}"


@pytest.fixture
def landline() -> str:
    """A landline number nobody else has called from."""
    return f"+441632960{next(_numbers):03d}"


@pytest.fixture
def timeline(exchange: Exchange) -> Callable[[str], list[str]]:
    """Read the kinds of a timeline's entries, oldest first."""

    def kinds(reference: str) -> list[str]:
        entries = exchange.get(f"/api/v1/incidents/{reference}/timeline")["entries"]
        return [entry["kind"] for entry in entries]

    return kinds
