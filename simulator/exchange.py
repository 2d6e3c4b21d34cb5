"""The telephone exchange a test or an exercise places its calls through.

It reaches one product and nobody else; whoever the product rings is played by a ``FarEnd``.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

from simulator import outbound
from simulator.call import Call, Leg, new_sid
from simulator.caller import Caller, CallWentWrong
from simulator.clock import Clock
from simulator.handler import Handler
from simulator.moments import FarEnd, Note, Wait
from simulator.network import Exchanged, Knobs, Network
from simulator.people import LINE_DRAMA
from simulator.playing import Player
from simulator.rest import Rest
from simulator.restserver import RestServer
from simulator.rooms import Rooms
from simulator.target import Target


class Incident:
    """An incident as the console's API shows it; its fields are attributes."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields = dict(fields)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(f"the incident has no {name}") from None

    def __repr__(self) -> str:
        return f"Incident({json.dumps(self.fields, indent=2)})"


class Exchange:
    """Places calls to one product and shows what became of them.

    ``phone_url`` is where requests are sent, ``public_url`` is what is signed. ``words`` maps
    nicknames of prompts to words in them, for ``hears``. ``virtual`` time lets timeouts elapse
    at once. With ``serve_rest`` it listens at ``rest_url`` for the product's REST orders.
    """

    def __init__(
        self,
        phone_url: str,
        public_url: str,
        auth_token: str,
        account_sid: str,
        console_url: str = "",
        api_token: str = "",
        to_number: str = LINE_DRAMA,
        *,
        lines: Mapping[str, str] | None = None,
        words: Mapping[str, str] | None = None,
        virtual: bool = True,
        serve_rest: bool = False,
        overrides: str = "",
        patience: float = 10.0,
    ) -> None:
        self.target = Target(
            phone_url,
            public_url,
            auth_token,
            account_sid,
            to_number,
            console_url,
            api_token,
            overrides=overrides,
        )
        self.lines = dict(lines or {})
        self.words = dict(words or {})
        self.virtual = virtual
        self.patience = patience
        self.knobs = Knobs()
        self.traffic: list[Exchanged] = []
        # How numbers behave that the product rings; all others behave as ``anybody``.
        self.far_ends: dict[str, FarEnd] = {}
        self.anybody = FarEnd()
        self.rooms = Rooms()
        self.rest = Rest(account_sid, auth_token, place=self._place_for_product)
        self._server = RestServer(self.rest.answer) if serve_rest else None
        self.observe: Callable[[Note], None] = lambda _: None
        # Works the calls in scenarios that need somebody at the console; None: nobody does.
        self.handler: Handler | None = None
        self.unhandled = ""
        self._lock = threading.Lock()

    @property
    def rest_url(self) -> str:
        """The address to give the product as ``TWILIO_API_URL``."""
        if self._server is None:
            raise ValueError("this exchange was made without serve_rest=True")
        return self._server.url

    @property
    def calls(self) -> list[Call]:
        """Every call so far, oldest first, those included that the product placed."""
        return list(self.rest.calls.values())

    @property
    def faults(self) -> list[str]:
        """Everything Twilio would have refused or complained of, in all calls."""
        return [*self.rest.complaints, *(fault for call in self.calls for fault in call.faults)]

    def close(self) -> None:
        """Stop listening for REST orders."""
        if self._server is not None:
            self._server.close()

    def place(
        self,
        number: str,
        to: str = "",
        *,
        sid: str = "",
        observe: Callable[[Note], None] | None = None,
        seen: Callable[[Exchanged], None] | None = None,
        moved: Callable[[Wait | None], None] = lambda _: None,
        placed: Callable[[Call], None] = lambda _: None,
    ) -> Call:
        """Place a call and run it to the first moment somebody has to wait."""
        leg = Leg(
            sid or new_sid("CA"), self.target.account_sid, number, to or self.target.to_number
        )
        call = self._take(leg, seen)
        call.observe = observe or self.observe
        call.moved = moved
        call.fallback_url = self._public(self.target.fallback_path)
        call.status_url = self._public(self.target.status_path)
        placed(call)
        call.begin(Player(call, leg).play())
        return call

    def _public(self, path: str) -> str:
        return self.target.public(path) if path else ""

    def _take(self, leg: Leg, seen: Callable[[Exchanged], None] | None = None) -> Call:
        network = Network(self.target, self.knobs, seen or self.traffic.append)
        call = Call(leg, network, Clock(self.virtual), self.behaves, self.rooms)
        with self._lock:
            self.rest.calls[call.sid] = call
        return call

    def no_handler_because(self, why: str) -> None:
        """Go on without a handler, for the reason given."""
        self.handler = None
        self.unhandled = why

    def behaves(self, number: str) -> FarEnd:
        """Return how whoever has ``number`` behaves when the product rings it."""
        return self.far_ends.get(number, self.anybody)

    def _place_for_product(
        self, sid: str, form: Mapping[str, str]
    ) -> tuple[Call, Callable[[], None]]:
        """Take up a call the product ordered by REST; once started it goes on by itself."""
        account = self.target.account_sid
        leg = Leg(sid, account, form["From"], form["To"], "outbound-api", "queued")
        call = self._take(leg)
        call.fallback_url = form.get("FallbackUrl", "")
        call.status_url = form.get("StatusCallback", "")
        call.status_events = frozenset(form.get("StatusCallbackEvent", "completed").split())
        return call, partial(outbound.start, call, form, self.behaves(form["To"]))

    def rings(self, number: str, seconds: float = 10.0) -> Caller:
        """Return whoever the product has rung last at ``number``, waiting for it in real time.

        Raises AssertionError when nobody rings there in time.
        """
        until = time.monotonic() + seconds
        pause = threading.Event()
        while True:
            for placed in reversed(self.rest.outbound):
                if placed.to == number and placed.sid in self.rest.calls:
                    return Caller(self.rest.calls[placed.sid], self.words)
            if time.monotonic() >= until:
                raise AssertionError(f"the product rang nobody at {number} within {seconds} s")
            pause.wait(0.02)

    def call(self, number: str, line: str = "", *, sid: str = "") -> Caller:
        """Place a call from ``number`` to ``line`` (a name in ``lines``, or a number)."""
        to = self.lines.get(line, line if line.startswith("+") else "")
        return Caller(self.place(number, to, sid=sid), self.words)

    def incident(self, caller: Caller, /, **expected: object) -> Incident:
        """Return the incident of a call, once the console knows all that the product was told.

        Waits, at most ``patience`` seconds, for the keys, words and end of the call that were
        delivered, and for ``expected`` fields where given; ``answers`` may be given as a tuple
        of what each question was answered. Raises ``CallWentWrong``.
        """
        caller.settles()
        found: Incident | None = None
        deadline = time.monotonic() + self.patience
        pause = threading.Event()
        while True:
            listed = self.get(f"/api/v1/incidents?{urlencode({'call_sid': caller.sid})}")
            incidents = listed.get("incidents", [])
            found = Incident(incidents[0]) if incidents else None
            if found is not None and _knows(found, caller.call, expected):
                return found
            if time.monotonic() >= deadline:
                break
            pause.wait(0.02)
        if found is None:
            raise CallWentWrong("the console shows no incident for this call", caller.call)
        if expected:
            wrong = ", ".join(
                f"{name} is {_field(found, name)!r}, not {value!r}"
                for name, value in expected.items()
                if _field(found, name) != value
            )
            raise CallWentWrong(f"the incident differs: {wrong or found}", caller.call)
        return found

    def incident_if_known(self, caller: Caller) -> Incident | None:
        """Return the incident of a call where there is a token to ask with; None without one."""
        return self.incident(caller) if self.target.api_token else None

    def get(self, path: str) -> Any:
        """Read JSON from the console's API with the bearer token. Raises OSError, ValueError."""
        place = urlsplit(self.target.console_url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port or 80, timeout=10)
        headers = {"Authorization": f"Bearer {self.target.api_token}"}
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError(f"{path} answered {response.status}: {body[:300]!r}")
        return json.loads(body)


def _field(incident: Incident, name: str) -> object:
    """Return a field as ``expected`` names it: the answers are what each was, in order."""
    if name == "answers":
        return tuple(asked["answer"] for asked in incident.fields.get("answers") or ())
    return incident.fields.get(name)


def _keys_shown(fields: Mapping[str, Any]) -> int:
    """Return how many keys the console shows: those of an answer belong to the answer."""
    shown = [fields, *(fields.get("answers") or ())]
    return sum(len(one.get("keys") or "") for one in shown)


def _knows(incident: Incident, call: Call, expected: Mapping[str, object]) -> bool:
    """Whether the console shows everything the product took from this call so far."""
    fields = incident.fields
    # A code typed on the contact line is shown to nobody.
    shown = fields.get("line") == "contact" or _keys_shown(fields) >= len(call.keys_delivered)
    return (
        all(_field(incident, name) == value for name, value in expected.items())
        and shown
        and (not call.speech_delivered or fields.get("signal") != "nothing")
        and (not call.end_delivered or fields.get("ended_at") is not None)
    )
