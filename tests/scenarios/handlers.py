"""A handler for tests: what they do through the JSON interface, in a control room's words."""

from __future__ import annotations

import http.client
import json
import uuid
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from simulator.caller import Caller
from simulator.exchange import Exchange, Incident
from tests.scenarios.conftest import Site
from tests.waiting import eventually


@dataclass(slots=True)
class Refused(Exception):
    """The interface said no."""

    status: int
    error: str


@dataclass(slots=True)
class Handler:
    """Somebody at a console of ``site``, acting with a token of their own."""

    site: Site
    name: str
    token: str

    @classmethod
    def signs_in(cls, site: Site, role: str = "handler") -> Self:
        """Make a token that acts as a user of its own."""
        name = f"{role}-{uuid.uuid4().hex[:8]}"
        return cls(site, name, site.quietline.token(name, "--role", role))

    def does(
        self, what: str, caller: Caller, exchange: Exchange, /, expect: int = 200, **body: Any
    ) -> dict[str, Any]:
        """Do something to the incident of a call; returns the incident. Raises ``Refused``."""
        reference = exchange.incident(caller).fields["reference"]
        status, told = self.sends("POST", f"/api/v1/incidents/{reference}/{what}", body)
        if status != expect:
            raise Refused(status, str(told.get("error")))
        return told

    def sends(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Send one request and return the status and the JSON that came back."""
        place = urlsplit(self.site.quietline.console_url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=15)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": uuid.uuid4().hex,
        }
        try:
            connection.request(method, path, json.dumps(body or {}), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def timeline(self, caller: Caller, exchange: Exchange) -> list[dict[str, Any]]:
        """Read the timeline of a call's incident."""
        reference = exchange.incident(caller).fields["reference"]
        _, told = self.sends("GET", f"/api/v1/incidents/{reference}/timeline")
        entries: list[dict[str, Any]] = told["entries"]
        return entries


def answered(exchange: Exchange, caller: Caller, count: int = 1) -> list[dict[str, Any]]:
    """Wait until ``count`` questions of a call have an answer; return all answers."""

    def found() -> Any:
        incident: Incident = exchange.incident(caller)
        told = [one for one in incident.fields["answers"] if one["answer"] is not None]
        return incident.fields["answers"] if len(told) >= count else None

    eventually(lambda: found() is not None, 10)
    answers: list[dict[str, Any]] = found()
    return answers


def waits(call: Caller) -> str:
    """What the caller's line waits for just now."""
    return call.call.wait.kind if call.call.wait is not None else ""
