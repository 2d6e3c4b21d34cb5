"""Rule 7: nothing outbound happens by itself, over 1,000 random incidents and the real product."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app import live_calls
from callflow.call import Call, Stage
from config.policy import load_policy
from config.settings import load
from console.words import LOCAL
from incidents.audit import Audit
from incidents.contacts import Contacts
from incidents.identity import uuid7_now
from incidents.orders import LiveCalls, Order, order_path
from incidents.routing import FILE, Snapshot, of_number
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import people
from incidents.transactions import reading
from simulator.exchange import Exchange
from tests.running import ROOT
from tests.scenarios.conftest import CONTROL_ROOM, LINES, Site, sites
from tests.scenarios.handlers import Handler
from tests.scenarios.outside import Evening, rung_outside
from tests.waiting import eventually

MANY = 1000
SEED = 20_261_222
STAFF = {"sue": ("supervisor", "+447700900801"), "cara": ("contact_officer", "+447700900802")}
ALLOWED = frozenset({CONTROL_ROOM, *(phone for _, phone in STAFF.values())})
KNOWN = tuple(f"+4477009006{at:02d}" for at in range(20))
SAFES = ("safe", "unknown", "never")
CONTACT = "+441632960104"
CONTACT_LINE = f'[[line]]\nnumber = "{CONTACT}"\nkind = "contact"\n'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a control room, staff with phones, and repeat victims with safe numbers, whose
    point of contact is rung when they call the line for known victims."""
    folder = tmp_path_factory.mktemp("outbound")
    for made in sites(folder, CONTACT_LINE, QUIETLINE_CONTROL_ROOM=CONTROL_ROOM):
        for name, (role, phone) in STAFF.items():
            made.quietline.command("users", "add", name, "--role", role, "--phone", phone)
        rows = [
            f"Person {at},{number},{SAFES[at % 3]},any time,{'yes' if at % 2 else 'no'}"
            for at, number in enumerate(KNOWN)
        ]
        known = folder / "known.csv"
        head = "name,number,number_safe,safe_hours,repeat_victim"
        known.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        made.quietline.command("people", "import", str(known), "--apply")
        appointed(made)
        yield made


def appointed(site: Site) -> None:
    """Make cara the point of contact of every repeat victim; the phone side knows it then."""
    settings = load(site.quietline.settings, ROOT)
    policy, keys, now = load_policy(settings), Keys(settings.key_material), datetime.now(UTC)
    store = Store(settings.database_url, keys)
    contacts = Contacts(store, keys, Audit(store.engine, keys), policy.roles)
    with reading(store.engine) as connection:
        victims = connection.scalars(select(people.c.id).where(people.c.repeat_at.is_not(None)))
        ids = list(victims)
    for person in ids:
        contacts.assign(person, "cara", by="sue", now=now, day=now.astimezone(LOCAL).date())
    store.engine.dispose()
    snapshot = Snapshot(settings.data / FILE, keys, policy.contact.stale_after)
    eventually(lambda: snapshot.find(of_number(keys, KNOWN[1])) is not None, 30)


@pytest.fixture
def exchange(site: Site) -> Iterator[Exchange]:
    """An exchange of the test's own."""
    exchange = site.exchange()
    yield exchange
    for call in exchange.calls:
        call.hang_up()


@pytest.fixture
def twilio(site: Site) -> LiveCalls:
    """The product's own door to Twilio, for faults to be planted through."""
    return live_calls(load(site.quietline.settings, ROOT))


def stored(site: Site) -> int:
    """How many incidents the store has, without the watchman's own calls."""
    with closing(sqlite3.connect(site.quietline.data / "quietline.db")) as store:
        query = "SELECT count(*) FROM incidents WHERE purpose != 'proof'"
        return int(store.execute(query).fetchone()[0])


def test_1000_random_incidents_ring_nobody_outside(site: Site, exchange: Exchange) -> None:
    """0 orders to any number that is not staff or the control room; staff are rung, so the test
    looks in the right place."""
    before = stored(site)
    Evening(site, exchange, Handler.signs_in(site), KNOWN, SEED, (CONTACT,)).happens(MANY)
    eventually(lambda: stored(site) - before == MANY, 60)
    exchange.rings(STAFF["sue"][1], seconds=60)
    dialled = {
        note.detail.get("number")
        for call in exchange.calls
        for note in list(call.notes)
        if note.kind == "dialled"
    }
    assert STAFF["cara"][1] in dialled, "their point of contact was rung"
    assert rung_outside(site, exchange, ALLOWED) == []


def test_a_planted_call_to_somebody_outside_is_found(
    site: Site, exchange: Exchange, twilio: LiveCalls
) -> None:
    """A fault in the product would look like this: an order over REST to a known person."""
    twilio.ring(KNOWN[0], LINES["emergency"], "/voice/page/x")
    assert f"a call to {KNOWN[0]}" in rung_outside(site, exchange, ALLOWED)


def test_a_planted_document_that_rings_somebody_outside_is_found(
    site: Site, exchange: Exchange, twilio: LiveCalls
) -> None:
    """Or like this: an order that joins a caller to a stranger."""
    call = exchange.call("+447700900500", "emergency").presses("5").settles()
    keys = Keys(load(site.quietline.settings, ROOT).key_material)
    order = Order(uuid7_now(), "connect", "en-GB", to=KNOWN[1], label="nobody of ours")
    state = Call(Stage.HOLD, 10**13, 0, claimed=True)
    twilio.play(call.sid, order_path(state, order, keys))
    call.waits_for_order().is_connected_to(KNOWN[1])
    assert rung_outside(site, exchange, ALLOWED) == [f"a document rang {KNOWN[1]}"]


def test_a_planted_text_is_found(site: Site, exchange: Exchange) -> None:
    """Or like this: a text message, which no simulated call would show."""
    target = "/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages.json"
    site.asked.append(("POST", target))
    assert rung_outside(site, exchange, ALLOWED) == [f"POST {target}"]
    site.asked.clear()
