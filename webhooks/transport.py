"""Bytes in and out: a request's body and environment, and the answer.

A body is read whole and within bounds; of the headers only those that matter are
handed on, so that no other can have an effect.
"""

import io
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from webhooks.phone import BODY, TARGET

LARGEST_BODY = 8_000_000
"""Bytes; 1 MB of speech in percent-encoded bytes of any script fits twice."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class BodyRefused(Exception):
    """The body is too large, too slow, or broke off. ``status`` is the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def read(receive: Receive) -> bytes:
    """Return the whole body. Raises ``BodyRefused``."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BodyRefused(0)
        part = message.get("body", b"")
        size += len(part)
        if size > LARGEST_BODY:
            raise BodyRefused(413)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


def environ_of(scope: Scope, body: bytes) -> dict[str, Any]:
    """Build what a WSGI app expects. The body was read already, so Flask need not."""
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    raw_path = raw_path.partition(b"?")[0]
    query: bytes = scope.get("query_string") or b""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": "phone",
        "SERVER_PORT": "0",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        TARGET: raw_path + (b"?" + query if query else b""),
        BODY: body,
    }
    signatures = []
    for name, value in scope["headers"]:
        if name == b"x-twilio-signature":
            signatures.append(value.decode("latin-1"))
        elif name == b"content-type":
            environ["CONTENT_TYPE"] = value.decode("latin-1")
        elif name == b"content-encoding":
            environ["HTTP_CONTENT_ENCODING"] = value.decode("latin-1")
    if len(signatures) == 1:
        environ["HTTP_X_TWILIO_SIGNATURE"] = signatures[0]
    return environ


async def send_answer(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    """Send one whole answer."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
