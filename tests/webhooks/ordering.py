"""Orders as handlers and the ladder give them, sent to a phone side under test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from callflow.call import Call, Stage
from incidents.orders import Order, What, order_path
from incidents.recorded import Recorded
from incidents.sealed import Keys
from tests.webhooks import requests, twimlrules
from tests.webhooks.phoneside import PhoneSide
from tests.webhooks.requests import call

NOW: Final = datetime(2026, 12, 22, 18, 3, 11, tzinfo=UTC)
STEP: Final = int(NOW.timestamp() * 1000)
STAFF: Final = "+447700900777"
HELD: Final = Call(Stage.HOLD, STEP, int(NOW.timestamp()) - 90, keys="7", heard=True, claimed=True)
BAD: Final = ("x", "-", "A" * 40, "A" * 5000, "%00", "..", "%3Cscript%3E")
"""What stands where a sealed order should."""


def an_order(what: What, **more: str) -> Order:
    """Return an order as a handler gives it."""
    given = {
        "ask": {"question": "danger_now", "text": "Are you in danger now?"},
        "connect": {"to": STAFF, "label": "anna"},
        "conference": {"room": "QL-7K3M-9F2X-HC4-a1b2c3", "label": "a muted conference"},
    }
    return Order("0" * 32, what, **{"language": "en-GB", **given.get(what, {}), **more})


ORDERS: Final = {
    what: an_order(what)
    for what in ("hold", "ask", "reassure", "language", "connect", "conference", "let_go")
}


class Sent:
    """Orders sent to one phone side, and answers to them."""

    def __init__(self, phone: PhoneSide) -> None:
        self.phone = phone
        self.keys = Keys(phone.settings.key_material)
        self.document = b""

    def order(self, order: Order, state: Call = HELD, **more: str) -> Sent:
        """Have Twilio fetch an order."""
        return self.fetch(order_path(state, order, self.keys), **more)

    def then(self, **more: str) -> Sent:
        """Post what the caller did to where the document says."""
        path = twimlrules.next_path(self.document, requests.PUBLIC_URL)
        assert path is not None
        return self.fetch(path, **more)

    def fetch(self, path: str, **more: str) -> Sent:
        """Post to an address of ours, which must answer with good TwiML."""
        answer = self.phone.post(path, call(CallStatus="in-progress", **more))
        assert (answer.status, twimlrules.faults(answer.body, requests.PUBLIC_URL)) == (200, [])
        self.document = answer.body
        return self

    @property
    def said(self) -> list[str]:
        """What is said now."""
        return twimlrules.spoken(self.document)

    def recorded(self, kind: str) -> list[Recorded]:
        """The events of one kind, in order."""
        return [event for event in self.phone.events() if event.kind == kind]
