"""Real calls as ready-made bytes: signed requests, built before the clock starts.

One call is played by hand first, to learn the addresses our TwiML gives out; every other call
then takes the same steps under a call identifier and a number of its own. It knows nothing of
the product but HTTP, Twilio's signature and ``action="…"``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus, urlsplit

_ACTION: Final = re.compile(rb'<(?:Gather|Dial)[^>]*? action="([^"]+)"')
_NUMBERS: Final = 1000
"""Ofcom's drama range +447700900000 to …999."""

Fields = tuple[tuple[str, str], ...]
NOTHING: Final[Fields] = (("Digits", ""), ("msg", "Gather End"))
SIGNAL: Final[Fields] = (("Digits", "55"), ("msg", "Gather End"))
ENDED: Final[Fields] = (
    ("CallStatus", "completed"),
    ("CallDuration", "61"),
    ("SequenceNumber", "3"),
    ("CallbackSource", "call-progress-events"),
)
SILENT_THEN_55: Final = (NOTHING, NOTHING, SIGNAL, NOTHING)
"""What comes back for each document of a call: two prompts in silence, 55, a stretch of hold."""


class Unexpected(RuntimeError):
    """An answer is not what a caller needs: the figures would be of something else."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where signed requests go, and what they are signed with."""

    url: str
    account: str
    token: str

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 80


@dataclass(frozen=True, slots=True)
class Step:
    """One request of every call."""

    path: str
    fields: Fields


def request(site: Site, step: Step, call_sid: str, number: str) -> bytes:
    """Return one signed request, as Twilio sends it."""
    parameters = {
        "CallSid": call_sid,
        "AccountSid": site.account,
        "From": number,
        "To": "+441632960999",
        "Called": "+441632960999",
        "Caller": number,
        "CallStatus": "in-progress",
        "Direction": "inbound",
        "ApiVersion": "2010-04-01",
        "FromCity": "",
        "FromState": "",
        "FromZip": "",
        "FromCountry": "GB",
        "ToCity": "",
        "ToState": "",
        "ToZip": "",
        "ToCountry": "GB",
        **dict(step.fields),
    }
    text = site.url + step.path + "".join(k + v for k, v in sorted(parameters.items()))
    digest = hmac.digest(site.token.encode(), text.encode(), hashlib.sha1)
    body = "&".join(f"{name}={quote_plus(value)}" for name, value in parameters.items())
    head = (
        f"POST {step.path} HTTP/1.1\r\nHost: {urlsplit(site.url).netloc}\r\n"
        "User-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n"
        "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"
        f"X-Twilio-Signature: {base64.b64encode(digest).decode()}\r\n"
        f"I-Twilio-Idempotency-Token: {call_sid[2:]}-{len(step.path)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


def hello(site: Site) -> bytes:
    """Return the smallest request a browser could send: the bare route's."""
    return f"GET / HTTP/1.1\r\nHost: {urlsplit(site.url).netloc}\r\n\r\n".encode()


def learn(
    site: Site, comes_back: Sequence[Fields] = SILENT_THEN_55, *, ends: bool = True
) -> list[Step]:
    """Play one call and return its steps. Raises ``Unexpected`` when the line is not kept."""
    steps = [Step("/voice/incoming", (("CallStatus", "ringing"),))]
    for fields in [*comes_back, None]:
        document = exchange(site, request(site, steps[-1], "CA" + "0" * 32, "+447700900000"))
        found = _ACTION.search(document)
        if not document.startswith(b"<?xml") or found is None:
            raise Unexpected(f"{steps[-1].path} was answered with {document[:200]!r}")
        if fields is not None:
            steps.append(Step(urlsplit(html.unescape(found[1].decode())).path, fields))
    if ends:
        steps.append(Step("/voice/status", ENDED))
    return steps


def exchange(site: Site, sent: bytes) -> bytes:
    """Send one request and return the body of its answer; any status but 2xx is ``Unexpected``."""
    with socket.create_connection(site.address, timeout=5) as connection:
        connection.sendall(sent)
        received = b""
        while (whole := body_end(received)) is None or len(received) < whole:
            piece = connection.recv(65536)
            if not piece:
                break
            received += piece
    if not received.startswith(b"HTTP/1.1 2"):
        raise Unexpected(f"answered with {received[:200]!r}")
    return received.partition(b"\r\n\r\n")[2]


_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def body_end(received: bytes) -> int | None:
    """Return how long the whole answer is, or None when its head is not complete yet."""
    head = received.find(b"\r\n\r\n")
    if head < 0:
        return None
    length = _LENGTH.search(received, 0, head)
    return head + 4 + (int(length[1]) if length else 0)


def call_sid(series: int, number: int) -> str:
    """Return a call identifier no other call of this run has."""
    return f"CA{series:016x}{number:016x}"


def caller(number: int) -> str:
    """Return a number that can belong to nobody."""
    return f"+447700900{number % _NUMBERS:03d}"


def calls(site: Site, steps: Sequence[Step], how_many: int, series: int) -> list[list[bytes]]:
    """Return the requests of ``how_many`` calls, each call's in order."""
    return [
        [request(site, step, call_sid(series, at), caller(at)) for step in steps]
        for at in range(how_many)
    ]
