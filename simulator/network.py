"""The internet between Twilio and the product: posts webhooks, retries, and misbehaves to order.

It never decides what a call does next: it brings back an answer or says why there is none.
"""

from __future__ import annotations

import http.client
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from simulator.signing import Parameters, sign
from simulator.target import Target
from simulator.twiml import HTTP_CONNECTION_FAILURE, HTTP_RETRIEVAL_FAILURE, Refused

Failure = Literal["ct", "rt", "4xx", "5xx"]
MOST_BYTES_READ = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from one webhook."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One attempt of one webhook, for the transcript and the strip under the bonnet."""

    url: str
    parameters: Parameters
    headers: tuple[tuple[str, str], ...]
    answer: Answer | None
    failure: str
    milliseconds: float


@dataclass(slots=True)
class Knobs:
    """What goes wrong on the way. All are off at first; tests turn them."""

    # Each webhook is delivered this often (1 to 5); the first answer counts.
    duplicates: int = 1
    # The next N answers are lost on the way back, after the product has acted on them.
    lose_answers: int = 0
    # The next N connections are refused; Twilio's default is one retry on these.
    refuse_connections: int = 0
    # The primary URLs cannot be reached at all, so that every call takes the fallback URL.
    primary_down: bool = False
    fallback_down: bool = False
    # Seconds of call time between a decision of the caller and our hearing of it.
    delay: float = 0.0
    # With a delay: the end of the call overtakes the keys that were under way.
    reorder: bool = False
    # The status callback never comes.
    lose_status: bool = False
    # Twilio may send an empty Digits on an empty result, or leave it out.
    empty_digits: Literal["empty", "absent"] = "empty"
    # Anything signed beside what is documented: "new parameters may appear at any time".
    extra: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Overrides:
    """Twilio's connection overrides, all in seconds."""

    connect: float = 5.0
    read: float = 15.0
    total: float = 15.0
    retries: int = 1
    policy: frozenset[str] = frozenset({"ct"})


def overrides(url: str) -> Overrides:
    """Read connection overrides from the fragment of ``url``.

    Twilio: "Default: one retry, on connect failure only; overridable in the URL fragment, which
    is not signed: #ct=1000&rt=4000&rc=2&rp=ct,rt,5xx&tt=9000."
    """
    given = dict(parse_qsl(url.partition("#")[2]))

    def whole(name: str, default: int, least: int, most: int) -> int:
        text = given.get(name, "")
        return max(least, min(most, int(text))) if text.isdigit() else default

    return Overrides(
        connect=whole("ct", 5000, 100, 10_000) / 1000,
        read=whole("rt", 15_000, 100, 15_000) / 1000,
        total=whole("tt", 15_000, 100, 15_000) / 1000,
        retries=whole("rc", 1, 0, 5),
        policy=frozenset(given.get("rp", "ct").split(",")),
    )


class _Failed(Exception):
    def __init__(self, kind: Failure, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


@dataclass(slots=True)
class Network:
    """Delivers signed webhooks to one target."""

    target: Target
    knobs: Knobs = field(default_factory=Knobs)
    seen: Callable[[Exchanged], None] = lambda _: None

    def post(self, url: str, parameters: Parameters, *, fallback: bool = False) -> Answer:
        """Deliver one webhook and return the 2xx answer.

        Raises ``Refused`` with Twilio's code: 11205 when no connection could be made, 11200 when
        the answer was late or not 2xx.
        """
        rules = overrides(url)
        signed = [*parameters, *self.knobs.extra]
        # Twilio: "I-Twilio-Idempotency-Token (a uuid, perhaps the same on each retry)".
        token = str(uuid.uuid4())
        started = time.monotonic()
        attempt = 0
        while True:
            try:
                return self._deliver(url, signed, rules, token, fallback)
            except _Failed as failed:
                # Twilio: "tt", the total time allowed for all tries together.
                late = time.monotonic() - started >= rules.total
                retried = failed.kind in rules.policy or "all" in rules.policy
                if attempt >= rules.retries or not retried or late:
                    code = (
                        HTTP_CONNECTION_FAILURE if failed.kind == "ct" else HTTP_RETRIEVAL_FAILURE
                    )
                    raise Refused(code, f"{url.partition('#')[0]}: {failed.reason}") from None
                attempt += 1

    def fetch(self, url: str) -> Answer:
        """Fetch a sound with GET, as ``<Play>`` does. Raises ``Refused``."""
        try:
            return self._send("GET", url, [], Overrides(), str(uuid.uuid4()))
        except _Failed as failed:
            raise Refused(HTTP_RETRIEVAL_FAILURE, f"{url}: {failed.reason}") from None

    def _deliver(
        self, url: str, parameters: Parameters, rules: Overrides, token: str, fallback: bool
    ) -> Answer:
        if self.knobs.fallback_down if fallback else self.knobs.primary_down:
            raise _Failed("ct", "cannot be reached (by order of the simulator)")
        if self.knobs.refuse_connections > 0:
            self.knobs.refuse_connections -= 1
            raise _Failed("ct", "connection refused (by order of the simulator)")
        first = self._send("POST", url, parameters, rules, token)
        for _ in range(min(self.knobs.duplicates, 5) - 1):
            self._send("POST", url, parameters, rules, token)
        if self.knobs.lose_answers > 0:
            self.knobs.lose_answers -= 1
            raise _Failed("rt", "the answer was lost (by order of the simulator)")
        return first

    def _send(
        self, method: str, url: str, parameters: Parameters, rules: Overrides, token: str
    ) -> Answer:
        public = url.partition("#")[0]
        headers = {
            "Host": urlsplit(public).netloc,
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            "X-Twilio-Signature": sign(public, parameters, self.target.auth_token),
            "I-Twilio-Idempotency-Token": token,
            "Connection": "close",
        }
        body = urlencode(parameters).encode() if method == "POST" else None
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        began = time.monotonic()
        answer: Answer | None = None
        failure = ""
        try:
            answer = self._talk(method, public, body, headers, rules)
            if not 200 <= answer.status < 300:
                kind: Failure = "4xx" if answer.status < 500 else "5xx"
                raise _Failed(kind, f"answered {answer.status}")
            return answer
        except _Failed as failed:
            failure = failed.reason
            raise
        finally:
            took = (time.monotonic() - began) * 1000
            self.seen(Exchanged(public, parameters, tuple(headers.items()), answer, failure, took))

    def _talk(
        self, method: str, url: str, body: bytes | None, headers: dict[str, str], rules: Overrides
    ) -> Answer:
        place = self.target.address(url)
        if place is None:
            raise _Failed("ct", "no such host can be reached")
        scheme, host, port, path = place
        kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
        connection = kind(host, port, timeout=rules.connect)
        try:
            connection.connect()
        except OSError as error:
            raise _Failed("ct", f"no connection: {error}") from None
        try:
            assert connection.sock is not None
            # Twilio: the read timeout holds for the first packet and between packets.
            connection.sock.settimeout(min(rules.read, rules.total))
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            content = response.read(MOST_BYTES_READ)
            return Answer(response.status, response.getheader("Content-Type", ""), content)
        except (OSError, http.client.HTTPException) as error:
            raise _Failed("rt", f"no answer: {error or type(error).__name__}") from None
        finally:
            connection.close()
