"""Twilio's own client, sent to the stand-in instead of to Twilio."""

from __future__ import annotations

from typing import Any

from twilio.http.http_client import TwilioHttpClient


class Elsewhere(TwilioHttpClient):
    """Sends what is meant for Twilio to the stand-in."""

    def __init__(self, url: str) -> None:
        super().__init__(timeout=0.3)
        self._url = url

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Send one request elsewhere."""
        return super().request(
            method, url.replace("https://api.twilio.com", self._url), *args, **kwargs
        )
