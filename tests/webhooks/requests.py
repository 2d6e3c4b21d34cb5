"""Requests as Twilio makes them, signed by a few lines of the tests' own."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import quote_plus

TOKEN = "f0e1d2c3b4a5968778695a4b3c2d1e0f"
NEXT_TOKEN = "0123456789abcdef0123456789abcdef"
ACCOUNT = "AC" + "0123456789abcdef" * 2
PUBLIC_URL = "https://phone.example"
CONTROL_ROOM = "+441632960055"
FORM = "application/x-www-form-urlencoded"

Pairs = list[tuple[str, str]]


def signature(url: str, pairs: Iterable[tuple[str, str]], token: str = TOKEN) -> str:
    """Sign as Twilio does: URL, then every distinct name and value, sorted; HMAC-SHA1; base64."""
    text = url + "".join(name + value for name, value in sorted(set(pairs)))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def form(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Write a form body; the order and repeats of ``pairs`` are kept."""
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs).encode()


def call(sid: str = "CA" + "1" * 32, number: str = "+447700900123", **more: str) -> Pairs:
    """Return the parameters of an incoming call; ``more`` replaces or adds."""
    given = {
        "CallSid": sid,
        "AccountSid": ACCOUNT,
        "From": number,
        "Caller": number,
        "To": "+441632960000",
        "Called": "+441632960000",
        "CallStatus": "ringing",
        "Direction": "inbound",
        "ApiVersion": "2010-04-01",
        "FromCity": "",
        "StirVerstat": "TN-Validation-Passed-A",
    }
    return list({**given, **more}.items())
