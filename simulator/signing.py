"""Sign webhooks the way Twilio signs them, and refuse to be clever about it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

Parameters = Sequence[tuple[str, str]]


def signed_url(url: str) -> str:
    """Return ``url`` as Twilio signs it: no fragment, and over https no port.

    Twilio: "Voice over https: any port is dropped from the URL; http keeps it." The fragment
    holds connection overrides and "is not signed".
    """
    scheme, netloc, path, query, _ = urlsplit(url)
    bare = url.partition("#")[0]
    if scheme != "https" or ":" not in netloc.rpartition("@")[2].rpartition("]")[2]:
        return bare
    return urlunsplit((scheme, netloc.rpartition(":")[0], path, query, ""))


def sign(url: str, parameters: Parameters, token: str) -> str:
    """Return the value of ``X-Twilio-Signature`` for a form POST of ``parameters`` to ``url``.

    Twilio: "base64 of HMAC-SHA1 with the account's auth token over the full URL followed, for a
    form POST, by every parameter name and value, sorted by name."
    """
    text = signed_url(url) + "".join(name + value for name, value in sorted(set(parameters)))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
