"""A handler for practice calls: works them through the console's JSON API, as a program may.

It has the rights of its token and no others, and decides nothing: it does what a scenario says.
"""

from __future__ import annotations

import http.client
import json
import uuid
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from simulator.caller import Caller, CallWentWrong

if TYPE_CHECKING:
    from simulator.exchange import Exchange


class NotAllowed(Exception):
    """The token may not do this; the message says what it may not do."""


class Handler:
    """Gives orders; each step returns the handler, so that work reads as a sentence."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def claims(self, caller: Caller) -> Self:
        """Take the call, and wait until its hold without limit has reached the caller."""
        incident = self._exchange.incident(caller)
        self._post(caller, "claim", {})
        if incident.connection == "open":
            caller.waits_for_order()
        return self

    def asks(self, caller: Caller, text: str) -> Self:
        """Ask a question typed by hand; returns when it is accepted, not when it is answered."""
        self._post(caller, "ask", {"text": text})
        return self

    def asks_from_the_bank(self, caller: Caller, question: str) -> Self:
        """Ask a question of the bank by its id."""
        self._post(caller, "ask", {"question": question})
        return self

    def orders(self, caller: Caller, what: str, **given: str) -> Self:
        """Give any other order: ``repeat``, ``reassure``, ``conference``, ``hold`` …"""
        self._post(caller, what, given)
        return self

    def _post(self, caller: Caller, what: str, body: dict[str, str]) -> Any:
        reference = self._exchange.incident(caller).reference
        place = urlsplit(self._exchange.target.console_url)
        headers = {
            "Authorization": f"Bearer {self._exchange.target.api_token}",
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        connection = http.client.HTTPConnection(place.hostname or "", place.port or 80, timeout=30)
        path = f"/api/v1/incidents/{reference}/{what}"
        try:
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status in (401, 403):
            raise NotAllowed(f"the token may not {what}")
        if response.status not in (200, 202):
            said = content[:300].decode("utf-8", "replace")
            raise CallWentWrong(f"{what} was answered {response.status}: {said}", caller.call)
        return json.loads(content)
