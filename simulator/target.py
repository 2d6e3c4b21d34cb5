"""Where the product under the simulator stands and what it shares with Twilio."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from simulator.people import LINE_DRAMA


@dataclass(frozen=True, slots=True)
class Target:
    """One product. ``public_url`` is what is signed, ``phone_url`` is where it is sent."""

    phone_url: str
    public_url: str
    auth_token: str
    account_sid: str
    to_number: str = LINE_DRAMA
    console_url: str = ""
    api_token: str = ""
    voice_path: str = "/voice/incoming"
    status_path: str = "/voice/status"
    fallback_path: str = "/voice/fallback"
    # A connection override for the voice URL, such as "rc=2&rp=ct,rt".
    overrides: str = ""

    def public(self, path: str) -> str:
        """Return the public URL of ``path``, with the connection overrides of this number."""
        url = self.public_url.rstrip("/") + path
        return f"{url}#{self.overrides}" if self.overrides else url

    def address(self, url: str) -> tuple[str, str, int, str] | None:
        """Return (scheme, host, port, raw request target) to send ``url`` to, or None.

        Only the product and this machine are reachable: a URL that leads anywhere else is as
        unreachable as it would be for Twilio when a public URL was never set.
        """
        wanted = urlsplit(url.partition("#")[0])
        public = urlsplit(self.public_url)
        place = wanted
        if (wanted.scheme, wanted.netloc) == (public.scheme, public.netloc):
            place = urlsplit(self.phone_url)
        elif wanted.hostname not in ("127.0.0.1", "localhost", "::1"):
            return None
        try:
            port = place.port or (443 if place.scheme == "https" else 80)
        except ValueError:
            return None
        target = wanted.path or "/"
        if wanted.query:
            target += f"?{wanted.query}"
        return place.scheme, place.hostname or "", port, target
