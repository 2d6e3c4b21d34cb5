"""Security headers on every answer, whichever part of the console gave it.

The policy allows what we serve ourselves and nothing else: no inline script, no
inline style, no other host. A header that an answer already has is left alone.
"""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    b"cache-control": b"no-store",
}
HSTS: Final = (b"strict-transport-security", b"max-age=31536000")


def headers(*, https: bool) -> list[tuple[bytes, bytes]]:
    """Return the headers of every answer."""
    return [*HEADERS.items(), *([HSTS] if https else [])]


class Headers:
    """Wrap an ASGI application so that each answer carries the headers, and the time once."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._headers = headers(https=https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(said: Message) -> None:
            if said["type"] == "http.response.start":
                # The server in front says the time, and pages that may be kept say it as well.
                given = [pair for pair in said.get("headers", ()) if pair[0].lower() != b"date"]
                names = {name.lower() for name, _ in given}
                given += [pair for pair in self._headers if pair[0] not in names]
                said = {**said, "headers": given}
            await send(said)

        await self._app(scope, receive, send_with_headers)
