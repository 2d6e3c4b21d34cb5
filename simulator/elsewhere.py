"""How orders reach calls that the practice phone did not place.

In training mode the product sends its orders to the practice phone's exchange, which knows its
own calls only. ``flask simulate`` is an exchange of its own, in another process: it opens a
port on this machine and registers it with ``PUT /practice/twilio/exchanges``, with the account's
name and token. From then on an order to a call the practice phone does not know is passed on,
word for word, to the exchanges that registered, until one of them knows the call; its answer is
the answer. An exchange that cannot be reached any more is forgotten.

It passes orders on to ports of this machine only, and only for whoever has the account's token.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from simulator.rest import NO_SUCH_THING, Reply, failure

if TYPE_CHECKING:
    from simulator.exchange import Exchange

PATH: Final = "/practice/twilio/exchanges"
MOST_EXCHANGES: Final = 20
PATIENCE_SECONDS: Final = 5.0
_HERE: Final = re.compile(r"http://127\.0\.0\.1:([0-9]{1,5})")
_PASSED_ON: Final = ("authorization", "content-type")


@dataclass(slots=True)
class Elsewhere:
    """The exchanges that registered, newest last."""

    _addresses: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def register(self, method: str, body: bytes) -> Reply:
        """Take an exchange in (PUT) or out (DELETE); the caller has checked the token."""
        try:
            address = str(json.loads(body)["url"])
        except (ValueError, KeyError, TypeError):
            address = ""
        if not _HERE.fullmatch(address):
            return failure(422, 20001, "An exchange is registered as http://127.0.0.1:PORT")
        with self._lock:
            kept = [one for one in self._addresses if one != address]
            added = [address] if method == "PUT" else []
            self._addresses = (kept + added)[-MOST_EXCHANGES:]
        return Reply(200, {"url": address})

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Pass one order on; 404 when no exchange knows the call."""
        for address in reversed(self._addresses):
            try:
                reply = _ask(address, method, target, headers, body)
            except (OSError, http.client.HTTPException, ValueError):
                with self._lock:
                    self._addresses = [one for one in self._addresses if one != address]
                continue
            if reply.status != NO_SUCH_THING.status:
                return reply
        return NO_SUCH_THING


def _ask(address: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
    passed = {name: headers[name] for name in _PASSED_ON if name in headers}
    place = urlsplit(address)
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, target, body, passed)
        response = connection.getresponse()
        return Reply(response.status, json.loads(response.read()))
    finally:
        connection.close()


@contextmanager
def registered(exchange: Exchange) -> Iterator[bool]:
    """Let orders of a product in training mode reach ``exchange`` meanwhile.

    Gives False where there is no practice phone: outside training mode, orders go to Twilio.
    """
    known = _say(exchange, "PUT")
    try:
        yield known
    finally:
        if known:
            _say(exchange, "DELETE")


def _say(exchange: Exchange, method: str) -> bool:
    target = exchange.target
    place = urlsplit(target.console_url)
    name_and_token = f"{target.account_sid}:{target.auth_token}".encode()
    headers = {
        "Authorization": f"Basic {base64.b64encode(name_and_token).decode()}",
        "Content-Type": "application/json",
    }
    body = json.dumps({"url": exchange.rest_url})
    connection = http.client.HTTPConnection(
        place.hostname or "", place.port or 80, timeout=PATIENCE_SECONDS
    )
    try:
        connection.request(method, PATH, body, headers)
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return response.status == 200
