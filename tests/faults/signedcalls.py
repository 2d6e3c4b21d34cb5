"""Signed calls against a real phone side, and what was acknowledged of them.

A client that behaves as Twilio does: what was not answered is sent again, word for word. It
knows which event each answer acknowledges, because the state in an action URL names its step.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode, urlsplit

from simulator.signing import sign
from tests.running import ACCOUNT_SID, AUTH_TOKEN

Event = tuple[str, int, str]
"""What an answer acknowledges: the call, the step and the kind."""
ACTION: Final = re.compile(rb'action="([^"]+)"')
_STEP: Final = re.compile(r"/voice/step/[a-z]+\.([0-9]+)\.")
_GIVE_UP_SECONDS: Final = 40.0


@dataclass
class Line:
    """One client's connection to the phone side at ``url``; opened again whenever it breaks."""

    url: str
    attempts: int = 0
    _connection: http.client.HTTPConnection | None = None

    def post(self, url: str, parameters: Sequence[tuple[str, str]]) -> bytes:
        """Send until there is an answer, and return it. Each attempt is the same request."""
        body = urlencode(parameters)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": sign(url, parameters, AUTH_TOKEN),
        }
        until = time.monotonic() + _GIVE_UP_SECONDS
        pause = threading.Event()
        while time.monotonic() < until:
            self.attempts += 1
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self._connection is None:
                    address = urlsplit(self.url)
                    self._connection = http.client.HTTPConnection(
                        address.hostname or "", address.port, timeout=5
                    )
                self._connection.request("POST", urlsplit(url).path, body, headers)
                answer = self._connection.getresponse()
                text = answer.read()
                if answer.status in (200, 204):
                    return text
                assert answer.status >= 500, f"{answer.status} for a signed request"
            self.close()
            pause.wait(0.02)
        raise AssertionError(f"no answer in {_GIVE_UP_SECONDS} s: {url}")

    def close(self) -> None:
        """Hang up the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def parameters(sid: str, number: str, *more: tuple[str, str]) -> list[tuple[str, str]]:
    """The parameters of one webhook of a call."""
    return [
        ("CallSid", sid),
        ("AccountSid", ACCOUNT_SID),
        ("From", number),
        ("To", "+441632960055"),
        ("Direction", "inbound"),
        ("ApiVersion", "2010-04-01"),
        *more,
    ]


def play(line: Line, sid: str, number: str) -> Iterator[Event]:
    """Ring, press 5, say nothing, press 5, hang up; yield each event once it is acknowledged."""
    answer = line.post(f"{line.url}/voice/incoming", parameters(sid, number))
    yield sid, 0, "call_arrived"
    for digits, kind in (("5", "keys_pressed"), ("", "nothing_heard"), ("5", "keys_pressed")):
        action = ACTION.search(answer)
        assert action, answer
        url = action.group(1).decode()
        step = _STEP.search(url)
        assert step, url
        answer = line.post(url, parameters(sid, number, ("Digits", digits)))
        yield sid, int(step.group(1)), kind
    line.post(f"{line.url}/voice/status", parameters(sid, number, ("CallStatus", "completed")))
    yield sid, 0, "call_ended"


EVENTS_EACH: Final = 5


@dataclass
class Load:
    """Calls from several clients at once, until ``wanted`` events are acknowledged."""

    url: str
    wanted: int
    clients: int = 8
    acknowledged: list[Event] = field(default_factory=list)
    calls: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    attempts: int = 0
    _threads: list[threading.Thread] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin."""
        for client in range(self.clients):
            thread = threading.Thread(target=self._run, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Begin no further call."""
        self._stop.set()

    def running(self) -> bool:
        """Say whether calls are still under way."""
        return any(thread.is_alive() for thread in self._threads)

    def wait(self, seconds: float) -> None:
        """Wait until every call is over."""
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        assert not self.running(), "calls are still under way"
        assert not self.failures, self.failures[:3]

    def _run(self, client: int) -> None:
        line = Line(self.url)
        number = 0
        while len(self.acknowledged) < self.wanted and not self._stop.is_set():
            number += 1
            sid = f"CA{client:08x}{number:024x}"
            try:
                for event in play(line, sid, f"+4477009{client:02}{number % 1000:03}"):
                    self.acknowledged.append(event)
                self.calls.add(sid)
            except AssertionError as failure:
                self.failures.append(str(failure))
                break
        self.attempts += line.attempts
        line.close()
